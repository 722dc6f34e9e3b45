//! Moving money by hand.

use std::sync::Arc;

use ledger::{AccountId, Amount, Command, CreateTransfer, Currency, Party, Reply, Transfer};
use store::{Outcome, RememberedReply, StoreError, Submit};

use crate::error::{Error, Result};
use crate::faults;
use crate::idempotency::{IdempotencyKey, KeyOperation, fingerprint};
use crate::keys::ApiKey;
use crate::permission::{Wish, allows, needs_approval};
use crate::{Service, permission};

/// A transfer that a key asks for. Amounts in minor units.
#[derive(Clone, Debug)]
pub struct NewTransfer {
    /// Where the money comes from.
    pub source: AccountId,
    /// Where it goes.
    pub destination: AccountId,
    /// How much, already known to be positive and within the dialect's bounds.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// What the receiving bank shows.
    pub description: Option<Arc<str>>,
}

/// A transfer as it was answered, the first time or again.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The transfer, as it was in the original answer.
    pub transfer: Transfer,
    /// Its source, likewise.
    pub source: Option<Party>,
    /// Its destination, likewise.
    pub destination: Option<Party>,
    /// The request id of the original answer.
    pub request_id: Arc<str>,
}

impl Service {
    /// Records a transfer; it settles after the answer.
    ///
    /// # Errors
    /// In this order: [`Error::Forbidden`], [`Error::KeyReused`], then the ledger's refusals in
    /// the order of `ledger::Rejection`'s documentation of transfers.
    pub async fn create_transfer(
        &self,
        key: &ApiKey,
        new: NewTransfer,
        idempotency: Option<IdempotencyKey>,
        request_id: &str,
    ) -> Result<Answered> {
        let NewTransfer {
            source,
            destination,
            amount_minor,
            currency,
            description,
        } = new;
        if !allows(
            &key.permissions,
            Wish::Transfer {
                source,
                destination,
                amount_minor,
            },
        ) {
            return Err(Error::Forbidden);
        }
        let amount = Amount::new(amount_minor, currency).map_err(|_| Error::Invalid {
            field: "amount_in_cents",
            reason: "must be greater than zero",
        })?;
        let (from, to) = (source.raw().to_le_bytes(), destination.raw().to_le_bytes());
        let (minor, currency) = (amount_minor.to_le_bytes(), currency.bytes());
        let mut parts: Vec<&[u8]> = vec![&from, &to, &minor, &currency];
        parts.extend(description.as_deref().map(str::as_bytes));
        let body = fingerprint(&parts);
        let claim = idempotency
            .map(|text| text.claim(key.tenant, key.id, KeyOperation::CreateTransfer, body));
        let asked = faults::asked();
        let command = Command::CreateTransfer(CreateTransfer {
            tenant: key.tenant,
            key: Some(key.id),
            source,
            destination,
            amount,
            rail_delay_ms: self.settings.rail_delay_ms,
            description,
            needs_approval: needs_approval(&key.permissions, source, destination, amount_minor),
            fails_with: asked.transfer_error,
        });
        let submit = Submit {
            action: store::Action::Command(command),
            claim,
        };
        let coming = asked
            .delivery
            .map(|fault| self.faults.marks.announce(key.tenant, fault));
        let outcome = self.submit(submit).await?;
        if let (Some(coming), Outcome::Done(Reply::Transfer { transfer, .. })) = (&coming, &outcome)
        {
            coming.mark(transfer.id);
        }
        match outcome {
            Outcome::Done(Reply::Transfer {
                transfer,
                source,
                destination,
            }) => Ok(Answered {
                transfer,
                source,
                destination,
                request_id: Arc::from(request_id),
            }),
            Outcome::Refused(rejection) => Err(rejection.into()),
            Outcome::Replay(used) => self.replay_transfer(key, used, body).await,
            other => Err(unexpected(&other)),
        }
    }

    /// The original answer, from the facts that were kept with its key.
    async fn replay_transfer(
        &self,
        key: &ApiKey,
        used: store::Used,
        body: store::Fingerprint,
    ) -> Result<Answered> {
        let remembered = self.recall(used, body).await?;
        let RememberedReply::Transfer {
            id,
            status,
            completed_at,
            source,
            destination,
        } = remembered.reply
        else {
            return Err(missing("the transfer of an idempotency record"));
        };
        let row = self.store.transfer(key.tenant, id).await?;
        let row = row.ok_or_else(|| missing("the transfer of an idempotency record"))?;
        let transfer = Transfer {
            status,
            completed_at,
            error: None,
            ..row.transfer
        };
        Ok(Answered {
            transfer,
            source,
            destination,
            request_id: remembered.request_id,
        })
    }

    /// A transfer that the key may see.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the scope, or when neither of its accounts is covered;
    /// [`Error::NotFound`].
    pub async fn transfer(
        &self,
        key: &ApiKey,
        id: Option<ledger::TransferId>,
    ) -> Result<store::TransferRow> {
        if !allows(&key.permissions, Wish::ReadSomeTransfers) {
            return Err(Error::Forbidden);
        }
        let not_found = Error::NotFound { what: "transfer" };
        let Some(id) = id else { return Err(not_found) };
        let row = self
            .store
            .transfer(key.tenant, id)
            .await?
            .ok_or(not_found)?;
        let covered = [row.transfer.source, row.transfer.destination]
            .into_iter()
            .flatten()
            .any(|account| permission::allows(&key.permissions, Wish::ReadTransfersOf(account)));
        if covered {
            Ok(row)
        } else {
            Err(Error::Forbidden)
        }
    }
}

pub(crate) fn missing(what: &str) -> Error {
    Error::Store(StoreError::Corrupt(Arc::from(format!("{what} is missing"))))
}

pub(crate) fn unexpected(outcome: &Outcome) -> Error {
    Error::Store(StoreError::Corrupt(Arc::from(format!(
        "unexpected outcome {outcome:?}"
    ))))
}
