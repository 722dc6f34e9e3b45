//! What an `idempotency-ref` is bound to, and for how long its first answer is given again.
//!
//! Bound to programme, identity, operation and reference; the payload is compared as it was parsed.
//! Successes and refusals that were decided are remembered (weavr-api §6).

use std::sync::Arc;

use ledger::{Millis, OwnerId, TenantId};
use serde::Serialize;
use store::{Claim, Fingerprint, Remembered};

use crate::idempotency::fingerprint;

/// How long the first answer is given again as it was. Later the reference stays bound to what was
/// made, which is answered as it is then.
const FRESH_MS: i64 = 24 * 60 * 60 * 1_000;

/// A caller's reference of one call.
#[derive(Clone, Debug)]
pub struct Reference {
    text: Arc<str>,
    request_ref: Arc<str>,
}

impl Reference {
    /// A reference that was found to have 1 to 255 characters, and the id of the request.
    #[must_use]
    pub fn new(text: &str, request_ref: &str) -> Reference {
        Reference {
            text: Arc::from(text),
            request_ref: Arc::from(request_ref),
        }
    }

    /// The claim for one operation. Without an owner the programme itself is calling. The operation
    /// names what it is about, if that is in its path.
    pub(crate) fn claim(
        &self,
        tenant: TenantId,
        owner: Option<OwnerId>,
        operation: &str,
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
        operation: &str,
        body: Fingerprint,
    ) -> Claim {
        let owner = owner.map_or([0; 8], |owner| owner.raw().to_le_bytes());
        let key = fingerprint(&[
            b"multi",
            operation.as_bytes(),
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
        let original = claim(&one, 1, Some(2), "create");
        assert_eq!(original, claim(&one, 1, Some(2), "create"));
        assert_ne!(original, claim(&one, 9, Some(2), "create"));
        assert_ne!(original, claim(&one, 1, Some(9), "create"));
        assert_ne!(original, claim(&one, 1, None, "create"));
        assert_ne!(original, claim(&one, 1, Some(2), "change"));
        let other = Reference::new("l", "req_1");
        assert_ne!(original, claim(&other, 1, Some(2), "create"));
    }

    #[test]
    fn the_payload_is_compared_as_it_was_parsed() {
        let reference = Reference::new("k", "req_1");
        let body = |payload: &(u64, Option<&str>)| {
            reference
                .claim(TenantId::new(1), None, "create", payload)
                .body
        };
        assert_eq!(body(&(1, Some("a"))), body(&(1, Some("a"))));
        assert_ne!(body(&(1, Some("a"))), body(&(1, None)));
        assert_ne!(body(&(1, Some("a"))), body(&(2, Some("a"))));
    }
}
