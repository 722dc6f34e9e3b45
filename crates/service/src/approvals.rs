//! Letting transfers go that wait for a person, and saying which do.
//!
//! For operators: a key that asked for a transfer cannot approve it
//! (`docs/decisions/2026-11-21-approvals.md`).

use std::sync::Arc;

use ledger::{Command, OwnerId, Rejection, Reply, Rule, RuleId, Status, TenantId, TransferId};
use store::{Action, Outcome, Submit, TransferRow};

use crate::Service;
use crate::audit::AuditEntry;
use crate::error::{Error, Result};
use crate::spelling::spelled;
use crate::transfers::unexpected;

/// What a person decided about a transfer.
#[derive(Clone, Debug, Default)]
pub struct ApprovalDecision {
    /// Whether it goes.
    pub approved: bool,
    /// Why not, up to 50 characters.
    pub reason: Option<Arc<str>>,
    /// Who decided, for the audit log; the operator unless said.
    pub by: Option<String>,
}

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

    /// Lets a transfer go, or calls it off for `reason`. `by` says who decided; it is in the audit
    /// log in the same commit.
    ///
    /// # Errors
    /// The ledger's refusals; one that has ended is `transfer_not_pending_approval`.
    pub async fn decide_approval(
        &self,
        tenant: TenantId,
        transfer: TransferId,
        decision: ApprovalDecision,
    ) -> Result<TransferRow> {
        let ApprovalDecision {
            approved,
            reason,
            by,
        } = decision;
        let action = if approved {
            "APPROVE_TRANSFER"
        } else {
            "DENY_TRANSFER"
        };
        let path = format!("/transfers/{}", spelled("txr_", transfer.raw()));
        let mut entry = AuditEntry::by_operator(action, path);
        entry.key_name = by.unwrap_or(entry.key_name);
        entry.reason = reason.as_deref().map(str::to_owned);
        let command = Command::DecideApproval {
            tenant,
            owner: None,
            transfer,
            approved,
            reason,
        };
        let submit = Submit {
            action: Action::Together {
                command,
                puts: vec![entry.put(tenant)],
            },
            claim: None,
        };
        match self.store.submit(submit).await? {
            Outcome::Stored {
                reply:
                    Reply::Transfer {
                        transfer,
                        source,
                        destination,
                    },
                ..
            } => Ok(TransferRow {
                transfer,
                source,
                destination,
            }),
            Outcome::Refused(Rejection::TransferNotFound) => {
                let row = self.store.transfer(tenant, transfer).await?;
                let row = row.ok_or(Error::NotFound { what: "transfer" })?;
                Err(Rejection::NotAwaitingApproval {
                    status: row.transfer.status,
                }
                .into())
            }
            Outcome::Refused(rejection) => Err(rejection.into()),
            other => Err(unexpected(&other)),
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
