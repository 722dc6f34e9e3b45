//! Transfers between the instruments of one identity, under a profile.

use std::sync::Arc;

use ledger::{
    Command, Denial, ErrorCode, InstrumentClass, ProfileTransfer, Rejection, Reply, Status,
    Transfer, TransferId, TransferOrder,
};
use store::{
    Action, Fingerprint, Outcome, OwnerTransferPage, OwnerTransferQuery, RememberedReply,
    StoreError, Submit, TransferRow, Used,
};

use super::actor::Actor;
use super::idempotency::{Reference, ReferenceUse, is_fresh};
use crate::Service;
use crate::error::{Error, Result};
use crate::faults;
use crate::idempotency::fingerprint;
use crate::transfers::{missing, unexpected};

/// Cancellations that are decided together.
const CANCEL_RUN: usize = 256;

/// A transfer with the classes of its ends.
#[derive(Clone, Debug)]
pub struct InstrumentTransfer {
    /// The transfer.
    pub transfer: Transfer,
    /// What its source is.
    pub source: InstrumentClass,
    /// What its destination is.
    pub destination: InstrumentClass,
}

impl InstrumentTransfer {
    /// `None` when one of its ends is no instrument: it is not Multi's to show.
    #[must_use]
    pub fn of(row: TransferRow) -> Option<InstrumentTransfer> {
        let TransferRow {
            transfer,
            source,
            destination,
        } = row;
        Some(InstrumentTransfer {
            transfer,
            source: source?.kind.instrument()?,
            destination: destination?.kind.instrument()?,
        })
    }

    /// The transfer as it was when it was made with this status, at once or for later.
    #[must_use]
    pub fn as_made(self, status: Status) -> InstrumentTransfer {
        let transfer = Transfer {
            status,
            error: None,
            cancel_reason: None,
            updated_at: self.transfer.created_at,
            ..self.transfer
        };
        InstrumentTransfer { transfer, ..self }
    }
}

/// Why one cancellation of many was not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotCancelled {
    /// The store could not do it now.
    Unavailable,
    /// It is not waiting for its time: executed, called off, or never scheduled.
    NotScheduled,
    /// It is another identity's.
    OfOther,
    /// There is none.
    NotFound,
}

impl Service {
    /// Executes a transfer before it answers, or records it for later.
    ///
    /// # Errors
    /// [`Error::KeyReused`], then the ledger's refusals: `ProfileNotFound` and the denials in
    /// their documented order.
    pub fn order_transfer(
        &self,
        actor: Actor,
        order: TransferOrder,
        reference: Option<Reference>,
    ) -> impl Future<Output = Result<InstrumentTransfer>> + Send + '_ {
        let claim = reference.map(|reference| {
            let body = order_fingerprint(&order);
            let owner = Some(actor.owner);
            reference.claim_of(actor.tenant, owner, ReferenceUse::Transfer, body)
        });
        let body = claim.as_ref().map(|claim| claim.body);
        let asked = faults::asked();
        let denial = asked.transfer_error.map(denial_of).transpose();
        let submitted = denial.map(|denial| {
            let action = match denial {
                None => Action::Command(Command::Transfer(ProfileTransfer {
                    tenant: actor.tenant,
                    owner: actor.owner,
                    key: actor.key,
                    order,
                })),
                Some(denial) => Action::Refuse {
                    tenant: actor.tenant,
                    code: denial.name().into(),
                    message: "".into(),
                },
            };
            let coming = asked
                .delivery
                .map(|fault| self.faults.marks.announce(actor.tenant, fault));
            (self.submit(Submit { action, claim }), coming, denial)
        });
        // Only what is waited for is part of the future: requests are many, and it is moved.
        async move {
            let (outcome, coming, denial) = submitted?;
            let outcome = outcome.await?;
            if let (Some(coming), Outcome::Done(Reply::Transfer { transfer, .. })) =
                (&coming, &outcome)
            {
                coming.mark(transfer.id);
            }
            match (outcome, body) {
                (Outcome::Replay(used), Some(body)) => {
                    Box::pin(self.ordered_before(actor, used, body)).await
                }
                (outcome, _) => ordered(outcome, denial),
            }
        }
    }

    async fn ordered_before(
        &self,
        actor: Actor,
        used: Used,
        body: Fingerprint,
    ) -> Result<InstrumentTransfer> {
        let remembered = self.recall(used, body).await?;
        let (id, status) = match remembered.reply {
            RememberedReply::Transfer { id, status, .. } => (id, status),
            RememberedReply::Refused { code, .. } => return Err(refused_again(&code)),
            _ => return Err(missing("the transfer of an idempotency record")),
        };
        let found = self.instrument_transfer(&actor, id).await?;
        if is_fresh(&remembered, self.store.now()) {
            Ok(found.as_made(status))
        } else {
            Ok(found)
        }
    }

    /// One transfer of the identity.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for another identity's.
    pub async fn instrument_transfer(
        &self,
        actor: &Actor,
        id: TransferId,
    ) -> Result<InstrumentTransfer> {
        let row = self.store.transfer(actor.tenant, id).await?;
        row.filter(|row| row.transfer.owner == actor.owner)
            .and_then(InstrumentTransfer::of)
            .ok_or(Error::NotFound { what: "transfer" })
    }

    /// The identity's transfers that match, newest first, and how many match in all. `class` is
    /// that of the source asked for: an id of another class is one that nobody has.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn instrument_transfers(
        &self,
        query: OwnerTransferQuery,
        class: Option<InstrumentClass>,
    ) -> Result<(Vec<InstrumentTransfer>, u64)> {
        if let Some(source) = query.source {
            let row = self.store.account(query.tenant, source).await?;
            let found = row.and_then(|row| row.account.kind.instrument());
            if found.is_none() || found != class {
                return Ok((Vec::new(), 0));
            }
        }
        let OwnerTransferPage { rows, count } = self.store.owner_transfers(query).await?;
        let rows = rows.into_iter().filter_map(InstrumentTransfer::of);
        Ok((rows.collect(), count))
    }

    /// Calls scheduled transfers off, each for itself. The outcomes are in the order asked.
    ///
    /// # Errors
    /// When the store could do none of them.
    pub async fn cancel_transfers(
        &self,
        actor: &Actor,
        cancellations: Vec<(TransferId, Option<Arc<str>>)>,
    ) -> Result<Vec<std::result::Result<(), NotCancelled>>> {
        let mut outcomes = Vec::with_capacity(cancellations.len());
        let mut trouble = None;
        for run in cancellations.chunks(CANCEL_RUN) {
            let submits = run.iter().map(|(id, reason)| {
                let command = Command::CancelTransfer {
                    tenant: actor.tenant,
                    owner: actor.owner,
                    transfer: *id,
                    reason: reason.clone(),
                };
                self.store.submit(Submit::command(command))
            });
            let done = futures_util::future::join_all(submits).await;
            for ((id, _), done) in run.iter().zip(done) {
                let outcome = match done {
                    Ok(Outcome::Done(_)) => Ok(()),
                    Ok(Outcome::Refused(rejection)) => {
                        Err(self.not_cancelled(actor, *id, &rejection).await?)
                    }
                    Ok(other) => return Err(unexpected(&other)),
                    Err(error) => {
                        trouble.get_or_insert(error);
                        Err(NotCancelled::Unavailable)
                    }
                };
                outcomes.push(outcome);
            }
        }
        let all_failed = outcomes
            .iter()
            .all(|outcome| *outcome == Err(NotCancelled::Unavailable));
        match trouble {
            Some(error) if all_failed => Err(error.into()),
            _ => Ok(outcomes),
        }
    }

    /// The ledger knows open transfers only: what has ended is looked up.
    async fn not_cancelled(
        &self,
        actor: &Actor,
        id: TransferId,
        rejection: &Rejection,
    ) -> std::result::Result<NotCancelled, StoreError> {
        Ok(match rejection {
            Rejection::NotScheduled { .. } => NotCancelled::NotScheduled,
            Rejection::TransferOfOther => NotCancelled::OfOther,
            _ => match self.store.transfer(actor.tenant, id).await? {
                None => NotCancelled::NotFound,
                Some(row) if row.transfer.owner != actor.owner => NotCancelled::OfOther,
                Some(_) => NotCancelled::NotScheduled,
            },
        })
    }
}

/// What an outcome says of a transfer that was ordered. `denial` is what it was refused with on demand.
fn ordered(outcome: Outcome, denial: Option<Denial>) -> Result<InstrumentTransfer> {
    match outcome {
        Outcome::Done(Reply::Transfer {
            transfer,
            source,
            destination,
        }) => {
            let row = TransferRow {
                transfer,
                source,
                destination,
            };
            InstrumentTransfer::of(row).ok_or_else(|| missing("an end of a transfer"))
        }
        Outcome::Done(Reply::Done) => Err(denial.map_or_else(
            || missing("the transfer of an answer"),
            |denial| Rejection::Denied(denial).into(),
        )),
        Outcome::Refused(rejection) => Err(rejection.into()),
        other => Err(unexpected(&other)),
    }
}

/// The ledger's refusal of a transfer that was remembered under this code.
pub(super) fn refused_again(code: &str) -> Error {
    match Denial::parse(code) {
        Some(denial) => Rejection::Denied(denial).into(),
        None if code == Rejection::ProfileNotFound.code() => Rejection::ProfileNotFound.into(),
        None => missing("the meaning of a remembered refusal"),
    }
}

/// The conflict that a request has asked for.
fn denial_of(code: ErrorCode) -> Result<Denial> {
    match code {
        ErrorCode::Denied(denial) => Ok(denial),
        ErrorCode::InsufficientFunds => Ok(Denial::FundsInsufficient),
        _ => Err(Error::Invalid {
            field: "Tidegate-Fault",
            reason: "must have one of this API's conflicts as transfer-error",
        }),
    }
}

/// What makes two orders the same.
pub(crate) fn order_fingerprint(order: &TransferOrder) -> Fingerprint {
    let class = |class| match class {
        InstrumentClass::Account => 1,
        InstrumentClass::Card => 2,
    };
    let (tag, description) = (order.tag.as_deref(), order.description.as_deref());
    let scheduled_at = order.scheduled_at.map_or(0, |at| at.0);
    // What is absent differs from what is empty or zero.
    let shape = [
        class(order.source.class),
        class(order.destination.class),
        u8::from(tag.is_some()),
        u8::from(description.is_some()),
        u8::from(order.scheduled_at.is_some()),
    ];
    let currency = order.currency.map_or(*b"???", ledger::Currency::bytes);
    fingerprint(&[
        &shape,
        &order.profile.raw().to_le_bytes(),
        &order.source.id.raw().to_le_bytes(),
        &order.destination.id.raw().to_le_bytes(),
        &currency,
        &order.amount_minor.to_le_bytes(),
        tag.unwrap_or_default().as_bytes(),
        description.unwrap_or_default().as_bytes(),
        &scheduled_at.to_le_bytes(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_of_a_transfer_is_found_again() {
        let denials = Denial::ALL.map(Rejection::Denied);
        for rejection in denials.into_iter().chain([Rejection::ProfileNotFound]) {
            let again = refused_again(rejection.code());
            assert!(
                matches!(&again, Error::Rejected(found) if *found == rejection),
                "{again:?}"
            );
        }
    }
}
