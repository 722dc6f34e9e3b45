//! Bulks of transfers: handing in, steering, looking at.

use std::sync::Arc;

use ledger::{
    BulkId, BulkStatus, Command, OperationOutcome, Rejection, Reply, Steer, TransferOrder,
};
use store::{
    Action, BulkOperationQuery, BulkPage, BulkQuery, BulkRow, Outcome, RememberedReply, Submit,
};

use super::actor::Actor;
use super::idempotency::{Reference, ReferenceUse};
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
    ) -> Result<(BulkId, usize)> {
        let count = operations.len();
        let prints: Vec<u8> = operations.iter().flat_map(order_fingerprint).collect();
        let body = fingerprint(&[&prints]);
        let claim = reference.map(|reference| {
            reference.claim_of(actor.tenant, Some(actor.owner), ReferenceUse::Bulk, body)
        });
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
        match self.submit(submit).await? {
            Outcome::Done(Reply::Bulk(bulk)) => Ok((bulk.id, count)),
            Outcome::Refused(rejection) => Err(rejection.into()),
            Outcome::Replay(used) => match self.recall(used, body).await?.reply {
                RememberedReply::Bulk(id) => Ok((id, count)),
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
    pub async fn steer_bulk(&self, actor: &Actor, bulk: BulkId, steer: Steer) -> Result<()> {
        let command = Command::SteerBulk {
            tenant: actor.tenant,
            owner: actor.owner,
            bulk,
            steer,
        };
        match self.store.submit(Submit::command(command)).await? {
            Outcome::Done(_) => Ok(()),
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
    pub async fn bulk(&self, actor: &Actor, id: BulkId) -> Result<BulkRow> {
        let bulk = self.store.bulk(actor.tenant, id).await?;
        bulk.filter(|bulk| bulk.owner == actor.owner)
            .ok_or(Error::NotFound { what: "bulk" })
    }

    /// The identity's bulks that match, newest first, and how many match in all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn bulks(&self, query: BulkQuery) -> Result<BulkPage> {
        Ok(self.store.bulks(query).await?)
    }

    /// A bulk's operations in their order, with the transfers they made as they were made, and how
    /// many match in all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn bulk_operations(
        &self,
        actor: &Actor,
        query: BulkOperationQuery,
    ) -> Result<(Vec<Operation>, u64)> {
        let page = self.store.bulk_operations(query).await?;
        let mut operations = Vec::with_capacity(page.rows.len());
        for row in page.rows {
            let transfer = match row.outcome {
                Some(OperationOutcome::Made(id, status)) => {
                    let made = self.instrument_transfer(actor, id).await?;
                    Some(made.as_made(status))
                }
                _ => None,
            };
            operations.push(Operation {
                index: row.index,
                order: row.order,
                outcome: row.outcome,
                transfer,
            });
        }
        Ok((operations, page.count))
    }
}
