//! Letting transfers go that wait for a person, and saying which do.
//!
//! For operators: a key that asked for a transfer cannot approve it
//! (`docs/decisions/2026-11-21-approvals.md`).

use std::sync::Arc;

use ledger::{Command, OwnerId, Reply, Rule, RuleId, Status, TenantId, TransferId};
use store::{Outcome, TransferRow};

use crate::Service;
use crate::error::{Error, Result};
use crate::transfers::unexpected;

impl Service {
    /// A tenant's transfers that wait for approval, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a tenant.
    pub async fn approvals(&self, tenant: TenantId, limit: usize) -> Result<Vec<TransferRow>> {
        self.tenant(tenant).await?;
        let waits = Status::PendingApproval;
        Ok(self.store.open_transfers(tenant, waits, limit).await?)
    }

    /// Lets a transfer go, or calls it off for `reason`.
    ///
    /// # Errors
    /// The ledger's refusals; one that has ended is `transfer_not_pending_approval`.
    pub async fn decide_approval(
        &self,
        tenant: TenantId,
        transfer: TransferId,
        approved: bool,
        reason: Option<Arc<str>>,
    ) -> Result<TransferRow> {
        let decided = self
            .transfer_reply(Command::DecideApproval {
                tenant,
                owner: None,
                transfer,
                approved,
                reason,
            })
            .await;
        match decided {
            Err(Error::Rejected(ledger::Rejection::TransferNotFound)) => {
                let row = self.store.transfer(tenant, transfer).await?;
                let row = row.ok_or(Error::NotFound { what: "transfer" })?;
                Err(ledger::Rejection::NotAwaitingApproval {
                    status: row.transfer.status,
                }
                .into())
            }
            other => other,
        }
    }

    /// Says above how many minor units a rule's transfers wait for approval; `None` for never.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn set_rule_approval(
        &self,
        tenant: TenantId,
        owner: Option<OwnerId>,
        rule: RuleId,
        above_minor: Option<i64>,
    ) -> Result<Rule> {
        let set = Command::SetRuleApproval {
            tenant,
            owner,
            rule,
            above_minor,
        };
        match self.command(set).await? {
            Reply::Rule(rule) => Ok(rule),
            other => Err(unexpected(&Outcome::Done(other))),
        }
    }
}
