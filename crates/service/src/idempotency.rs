//! What an idempotency key is bound to, what a repeated one is answered, and what became of one.
//!
//! The rules and their reasons: `docs/decisions/2026-11-21-idempotency.md`.

mod flights;
mod lookup;

use std::sync::Arc;

use ledger::{KeyId, TenantId};
use store::{Action, Claim, Fingerprint, Outcome, Remembered, Submit, Used};

use crate::Service;
use crate::error::{Error, Result};
use crate::transfers::{missing, unexpected};
pub(crate) use flights::Flights;
pub use lookup::{Became, KeyCaller, KeyUse, Made};

/// Characters a client's key may have.
pub const KEY_MAX: usize = 255;

/// What a key of an API key can be used for. Each has keys of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeyOperation {
    CreateTransfer,
    CreateRule,
    UpdateRule,
    DeleteRule,
    TriggerRule,
    CreateIncomeSource,
    DeleteAccount,
}

impl KeyOperation {
    pub(crate) const ALL: [KeyOperation; 7] = [
        KeyOperation::CreateTransfer,
        KeyOperation::CreateRule,
        KeyOperation::UpdateRule,
        KeyOperation::DeleteRule,
        KeyOperation::TriggerRule,
        KeyOperation::CreateIncomeSource,
        KeyOperation::DeleteAccount,
    ];

    /// Part of what is hashed: never changes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            KeyOperation::CreateTransfer => "create_transfer",
            KeyOperation::CreateRule => "create_rule",
            KeyOperation::UpdateRule => "update_rule",
            KeyOperation::DeleteRule => "delete_rule",
            KeyOperation::TriggerRule => "trigger_rule",
            KeyOperation::CreateIncomeSource => "create_income_source",
            KeyOperation::DeleteAccount => "delete_account",
        }
    }
}

/// A client's idempotency key with the request id it came with.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    text: String,
    request_id: Arc<str>,
}

impl IdempotencyKey {
    /// A key of 1 to 255 characters.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is empty or longer.
    pub fn new(text: &str, request_id: &str) -> Result<IdempotencyKey> {
        let invalid = |reason| {
            Err(Error::Invalid {
                field: "Idempotency-Key",
                reason,
            })
        };
        if text.is_empty() {
            return invalid("must not be empty");
        }
        if text.chars().count() > KEY_MAX {
            return invalid("must have at most 255 characters");
        }
        Ok(IdempotencyKey {
            text: text.to_owned(),
            request_id: Arc::from(request_id),
        })
    }

    /// The claim for one operation of one caller.
    pub(crate) fn claim(
        &self,
        tenant: TenantId,
        key: KeyId,
        operation: KeyOperation,
        body: Fingerprint,
    ) -> Claim {
        let fingerprint = fingerprint(&[
            operation.name().as_bytes(),
            &tenant.raw().to_le_bytes(),
            &key.raw().to_le_bytes(),
            self.text.as_bytes(),
        ]);
        Claim {
            key: fingerprint,
            body,
            request_id: Arc::clone(&self.request_id),
            remember_refusals: false,
        }
    }
}

impl Service {
    /// The record of what a key was used for. What is under way is waited for.
    pub(crate) async fn used_for(
        &self,
        tenant: TenantId,
        key: Fingerprint,
    ) -> Result<Option<Used>> {
        let submit = Submit {
            action: Action::Look { tenant },
            claim: Some(Claim {
                key,
                body: [0; 16],
                request_id: Arc::from(""),
                remember_refusals: false,
            }),
        };
        match self.store.submit(submit).await? {
            Outcome::Replay(used) => Ok(Some(used)),
            Outcome::Done(_) => Ok(None),
            other => Err(unexpected(&other)),
        }
    }

    /// What a key was used for, when it was for a request with this body.
    ///
    /// # Errors
    /// [`Error::KeyReused`] when it was for another.
    pub(crate) async fn recall(
        &self,
        used: Used,
        body: impl Into<Option<Fingerprint>>,
    ) -> Result<Remembered> {
        let remembered = self.store.remembered(used).await?;
        let remembered = remembered.ok_or_else(|| missing("an idempotency record"))?;
        match Some(remembered.body) == body.into() {
            true => Ok(remembered),
            false => Err(Error::KeyReused),
        }
    }
}

/// 128 bits that differ whenever any part differs; each part counts with its length.
pub(crate) fn fingerprint(parts: &[&[u8]]) -> Fingerprint {
    // One piece costs less to hash than many small ones.
    let length = parts.iter().map(|part| part.len() + size_of::<u64>()).sum();
    let mut bytes = Vec::with_capacity(length);
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    *blake3::hash(&bytes)
        .as_bytes()
        .first_chunk()
        .expect("32 bytes have 16 in front")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
        assert_ne!(fingerprint(&[b"a"]), fingerprint(&[b"a", b""]));
    }

    #[test]
    fn a_key_is_bound_to_operation_tenant_and_caller() {
        let key = IdempotencyKey::new("k", "req_1").expect("short enough");
        let claim = |tenant, caller, operation| {
            key.claim(
                TenantId::new(tenant),
                KeyId::new(caller),
                operation,
                [0; 16],
            )
            .key
        };
        let original = claim(1, 2, KeyOperation::CreateTransfer);
        assert_eq!(original, claim(1, 2, KeyOperation::CreateTransfer));
        assert_ne!(original, claim(9, 2, KeyOperation::CreateTransfer));
        assert_ne!(original, claim(1, 9, KeyOperation::CreateTransfer));
        assert_ne!(original, claim(1, 2, KeyOperation::TriggerRule));
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(IdempotencyKey::new("", "r").is_err());
        assert!(IdempotencyKey::new(&"é".repeat(255), "r").is_ok());
        assert!(IdempotencyKey::new(&"k".repeat(256), "r").is_err());
    }
}
