//! What an `idempotency-ref` is bound to, and for how long its first answer is given again.
//!
//! Bound to programme, identity, operation and reference; the payload is compared as it was parsed.
//! Successes and refusals that were decided are remembered (weavr-api §6).

use std::borrow::Cow;
use std::sync::Arc;

use ledger::{Millis, OwnerId, TenantId};
use serde::Serialize;
use store::{Claim, Fingerprint, Remembered};

use crate::idempotency::fingerprint;

/// How long the first answer is given again as it was. Later the reference stays bound to what was
/// made, which is answered as it is then.
const FRESH_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a reference can be used for. Each has references of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ReferenceUse {
    Transfer,
    Bulk,
    CreateUser,
    ChangeUser(u64),
    ChangeIdentity,
    CreateAccount,
    CreateCard,
    Block,
    Unblock,
    Remove,
    CreateCorporate,
    CreateConsumer,
}

impl ReferenceUse {
    /// What an identity's users do, but for changes of users, each of which is an operation.
    pub(crate) const OF_IDENTITY: [ReferenceUse; 9] = [
        ReferenceUse::Transfer,
        ReferenceUse::Bulk,
        ReferenceUse::CreateUser,
        ReferenceUse::ChangeIdentity,
        ReferenceUse::CreateAccount,
        ReferenceUse::CreateCard,
        ReferenceUse::Block,
        ReferenceUse::Unblock,
        ReferenceUse::Remove,
    ];
    /// What a programme does itself.
    pub(crate) const OF_PROGRAMME: [ReferenceUse; 2] =
        [ReferenceUse::CreateCorporate, ReferenceUse::CreateConsumer];

    /// Part of what is hashed: never changes.
    pub(crate) fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            ReferenceUse::Transfer => "transfer",
            ReferenceUse::Bulk => "bulk",
            ReferenceUse::CreateUser => "user",
            ReferenceUse::ChangeUser(id) => return Cow::Owned(format!("change user {id}")),
            ReferenceUse::ChangeIdentity => "change identity",
            ReferenceUse::CreateAccount => "create_managed_account",
            ReferenceUse::CreateCard => "create_managed_card",
            ReferenceUse::Block => "block_instrument",
            ReferenceUse::Unblock => "unblock_instrument",
            ReferenceUse::Remove => "remove_instrument",
            ReferenceUse::CreateCorporate => "corporate",
            ReferenceUse::CreateConsumer => "consumer",
        })
    }
}

/// A caller's reference of one call.
#[derive(Clone, Debug)]
pub struct Reference {
    text: Arc<str>,
    request_ref: Arc<str>,
}

impl Reference {
    /// A reference that was found to have 1 to 255 characters, and the id of the request.
    #[must_use]
    pub fn new(text: &str, request_ref: impl Into<Arc<str>>) -> Reference {
        Reference {
            text: Arc::from(text),
            request_ref: request_ref.into(),
        }
    }

    /// The claim for one operation. Without an owner the programme itself is calling.
    pub(crate) fn claim(
        &self,
        tenant: TenantId,
        owner: Option<OwnerId>,
        operation: ReferenceUse,
        payload: &impl Serialize,
    ) -> Claim {
        let payload = serde_json::to_vec(payload).expect("payloads have string keys only");
        self.claim_of(tenant, owner, operation, fingerprint(&[&payload]))
    }

    /// The same for a payload whose fingerprint is known.
    pub(crate) fn claim_of(
        &self,
        tenant: TenantId,
        owner: Option<OwnerId>,
        operation: ReferenceUse,
        body: Fingerprint,
    ) -> Claim {
        let owner = owner.map_or([0; 8], |owner| owner.raw().to_le_bytes());
        let key = fingerprint(&[
            b"multi",
            operation.name().as_bytes(),
            &tenant.raw().to_le_bytes(),
            &owner,
            self.text.as_bytes(),
        ]);
        Claim {
            key,
            body,
            request_id: Arc::clone(&self.request_ref),
            remember_refusals: true,
        }
    }
}

/// Whether the first answer is given again as it was.
pub(crate) fn is_fresh(remembered: &Remembered, now: Millis) -> bool {
    now.since(remembered.at) < FRESH_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_bound_to_programme_identity_and_operation() {
        let one = Reference::new("k", "req_1");
        let claim = |reference: &Reference, tenant, owner: Option<u64>, operation| {
            let owner = owner.map(OwnerId::new);
            let claim = reference.claim(TenantId::new(tenant), owner, operation, &"x");
            assert!(claim.remember_refusals);
            claim.key
        };
        let original = claim(&one, 1, Some(2), ReferenceUse::Transfer);
        assert_eq!(original, claim(&one, 1, Some(2), ReferenceUse::Transfer));
        assert_ne!(original, claim(&one, 9, Some(2), ReferenceUse::Transfer));
        assert_ne!(original, claim(&one, 1, Some(9), ReferenceUse::Transfer));
        assert_ne!(original, claim(&one, 1, None, ReferenceUse::Transfer));
        assert_ne!(
            original,
            claim(&one, 1, Some(2), ReferenceUse::ChangeIdentity)
        );
        let other = Reference::new("l", "req_1");
        assert_ne!(original, claim(&other, 1, Some(2), ReferenceUse::Transfer));
    }

    #[test]
    fn the_payload_is_compared_as_it_was_parsed() {
        let reference = Reference::new("k", "req_1");
        let body = |payload: &(u64, Option<&str>)| {
            reference
                .claim(TenantId::new(1), None, ReferenceUse::Transfer, payload)
                .body
        };
        assert_eq!(body(&(1, Some("a"))), body(&(1, Some("a"))));
        assert_ne!(body(&(1, Some("a"))), body(&(1, None)));
        assert_ne!(body(&(1, Some("a"))), body(&(2, Some("a"))));
    }
}
