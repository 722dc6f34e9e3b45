//! Bulks of transfers: handing in, steering, looking at.

use std::sync::Arc;

use ledger::{
    Bulk, BulkId, BulkStatus, Command, OperationOutcome, Rejection, Reply, Steer, TransferOrder,
};
use store::{Action, BulkQuery, BulkRow, Outcome, RememberedReply, Submit};

use super::actor::Actor;
use super::idempotency::Reference;
use super::transfers::{InstrumentTransfer, order_fingerprint, refused_again};
use crate::Service;
use crate::error::{Error, Result};
use crate::idempotency::fingerprint;
use crate::transfers::{missing, unexpected};

/// One operation of a bulk.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its place, from 0.
    pub index: u32,
    /// What it shall do.
    pub order: TransferOrder,
    /// What became of it, once it has had its turn.
    pub outcome: Option<OperationOutcome>,
    /// The transfer it made, as it was made.
    pub transfer: Option<InstrumentTransfer>,
}

impl Service {
    /// Hands a bulk in. Nothing runs until it is executed.
    ///
    /// # Errors
    /// [`Error::KeyReused`]; the ledger's refusal of a bulk without operations or with too many.
    pub async fn submit_bulk(
        &self,
        actor: &Actor,
        operations: Vec<TransferOrder>,
        reference: Option<Reference>,
    ) -> Result<Bulk> {
        let prints: Vec<u8> = operations.iter().flat_map(order_fingerprint).collect();
        let body = fingerprint(&[&prints]);
        let claim = reference
            .map(|reference| reference.claim_of(actor.tenant, Some(actor.owner), "bulk", body));
        let command = Command::SubmitBulk {
            tenant: actor.tenant,
            owner: actor.owner,
            key: actor.key,
            operations: Arc::from(operations),
        };
        let submit = Submit {
            action: Action::Command(command),
            claim,
        };
        match self.store.submit(submit).await? {
            Outcome::Done(Reply::Bulk(bulk)) => Ok(bulk),
            Outcome::Refused(rejection) => Err(rejection.into()),
            Outcome::Replay(number) => match self.recall(number, body).await?.reply {
                RememberedReply::Bulk(id) => self.bulk(actor, id).await,
                RememberedReply::Refused { code, .. } => Err(refused_again(&code)),
                _ => Err(missing("the bulk of an idempotency record")),
            },
            other => Err(unexpected(&other)),
        }
    }

    /// Runs, stops or calls off a bulk.
    ///
    /// # Errors
    /// [`Error::NotFound`]; `BulkState` when it is not where it would have to be.
    pub async fn steer_bulk(&self, actor: &Actor, bulk: BulkId, steer: Steer) -> Result<Bulk> {
        let command = Command::SteerBulk {
            tenant: actor.tenant,
            owner: actor.owner,
            bulk,
            steer,
        };
        match self.store.submit(Submit::command(command)).await? {
            Outcome::Done(Reply::Bulk(bulk)) => Ok(bulk),
            // The ledger knows bulks that have not ended only.
            Outcome::Refused(Rejection::BulkNotFound) => {
                let status: BulkStatus = self.bulk(actor, bulk).await?.status;
                Err(Rejection::BulkState { status }.into())
            }
            Outcome::Refused(rejection) => Err(rejection.into()),
            other => Err(unexpected(&other)),
        }
    }

    /// One bulk of the identity.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for another identity's.
    pub async fn bulk(&self, actor: &Actor, id: BulkId) -> Result<Bulk> {
        let bulk = self.store.bulk(actor.tenant, id).await?;
        bulk.filter(|bulk| bulk.owner == actor.owner)
            .ok_or(Error::NotFound { what: "bulk" })
    }

    /// The identity's bulks that match, newest first, and how many match in all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn bulks(&self, query: BulkQuery) -> Result<(Vec<BulkRow>, u64)> {
        Ok(self.store.bulks(query).await?)
    }

    /// One bulk of the identity, and what became of its operations that have had their turn.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for another identity's.
    pub async fn bulk_outcomes(
        &self,
        actor: &Actor,
        id: BulkId,
    ) -> Result<(Bulk, Vec<OperationOutcome>)> {
        let bulk = self.bulk(actor, id).await?;
        let mut outcomes = self.store.bulk_outcomes(id).await?;
        // Operations that were done after the bulk was read are not shown beside its old status.
        outcomes.truncate(bulk.next());
        Ok((bulk, outcomes))
    }

    /// The operations at these places, with the transfers they made as they were made.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn operations(
        &self,
        actor: &Actor,
        bulk: &Bulk,
        outcomes: &[OperationOutcome],
        places: impl Iterator<Item = usize>,
    ) -> Result<Vec<Operation>> {
        let mut operations = Vec::new();
        for place in places {
            let Some(order) = bulk.operations.get(place) else {
                continue;
            };
            let outcome = outcomes.get(place).copied();
            let transfer = match outcome {
                Some(OperationOutcome::Made(id, status)) => {
                    let made = self.instrument_transfer(actor, id).await?;
                    Some(made.as_made(status))
                }
                _ => None,
            };
            operations.push(Operation {
                index: u32::try_from(place).unwrap_or(u32::MAX),
                order: order.clone(),
                outcome,
                transfer,
            });
        }
        Ok(operations)
    }
}
