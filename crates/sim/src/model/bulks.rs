//! Bulks: many orders, done one after the other.

use ledger::{BulkId, BulkMode, BulkStatus, Millis, OwnerId, Steer, TenantId, TransferOrder};

use super::due::Made;
use super::profile_transfers::is_order;
use super::{Bulk, Model, Refusal, refuse_when};

impl Model {
    pub(super) fn submit_bulk(
        &mut self,
        (tenant, owner): (TenantId, OwnerId),
        orders: &[TransferOrder],
        id: impl Fn() -> u64,
    ) -> Result<(), Refusal> {
        self.identity(tenant, owner)?;
        let valid = (1..=10_000).contains(&orders.len()) && orders.iter().all(is_order);
        refuse_when(!valid, "invalid_parameters")?;
        let bulk = Bulk {
            tenant,
            owner,
            orders: orders.to_vec(),
            status: BulkStatus::Submitted,
            mode: None,
            outcomes: Vec::new(),
            turn: None,
            started_at: None,
            finished_at: None,
        };
        self.bulks.insert(BulkId::new(id()), bulk);
        Ok(())
    }

    pub(super) fn steer_bulk(
        &mut self,
        (tenant, owner): (TenantId, OwnerId),
        id: BulkId,
        steer: Steer,
        machine: Millis,
    ) -> Result<(), Refusal> {
        let now = self.now(tenant, machine)?;
        let bulk = self.bulks.get_mut(&id).ok_or("bulk_not_found")?;
        let own = (bulk.tenant, bulk.owner) == (tenant, owner);
        refuse_when(!own || bulk.finished_at.is_some(), "bulk_not_found")?;
        let at = |status| refuse_when(bulk.status != status, "bulk_state");
        match steer {
            Steer::Execute(mode) => {
                at(BulkStatus::Submitted)?;
                bulk.status = BulkStatus::Running;
                bulk.mode = Some(mode);
                bulk.started_at = Some(now);
                bulk.turn = Some(now);
            }
            Steer::Pause => {
                at(BulkStatus::Running)?;
                bulk.status = BulkStatus::Paused;
                bulk.turn = None;
            }
            Steer::Resume => {
                at(BulkStatus::Paused)?;
                bulk.status = BulkStatus::Running;
                bulk.turn = Some(now);
            }
            Steer::Cancel => {
                bulk.status = BulkStatus::Cancelled;
                bulk.turn = None;
                bulk.finished_at = Some(now);
            }
        }
        Ok(())
    }

    /// Does the next operation of a running bulk, at the tenant's time `at`.
    pub(super) fn do_operation(&mut self, id: BulkId, at: Millis, made: &Made) {
        let bulk = &self.bulks[&id];
        let operation = bulk.outcomes.len();
        let (by, order) = ((bulk.tenant, bulk.owner), bulk.orders[operation].clone());
        let transfer = || {
            let transfer = made.operations.get(&(id, operation));
            *transfer.expect("the ledger refused an operation that the model does")
        };
        let outcome = self.order(by, &order, at, transfer, made);
        let bulk = self.bulks.get_mut(&id).expect("found above");
        bulk.outcomes.push(outcome);
        let stops = outcome.is_err() && bulk.mode == Some(BulkMode::StopOnFailure);
        let left = bulk.orders.len() - bulk.outcomes.len();
        if left > 0 && !stops {
            bulk.turn = Some(at);
            return;
        }
        let succeeded = bulk
            .outcomes
            .iter()
            .filter(|outcome| outcome.is_ok())
            .count();
        bulk.status = match succeeded {
            0 => BulkStatus::Failed,
            all if all == bulk.orders.len() => BulkStatus::Completed,
            _ => BulkStatus::PartiallyCompleted,
        };
        bulk.turn = None;
        bulk.finished_at = Some(at);
    }
}
