//! What effects mean to those outside: the names of the ledger's events.
//!
//! Pure, and made from one effect alone: what is told of a commit depends on nothing but the commit.
//! Money that moves is told by its transfer, and what is to be done later by what then happens.

use crate::account::{AccountKind, AccountState};
use crate::decide::approvals::EXPIRED;
use crate::effect::Effect;
use crate::execution::{ExecutionStatus, ExecutionStep};
use crate::transfer::Status;

/// Every name of an event of the ledger. Those about accounts begin with `card.` when the account is
/// a card.
pub const NAMES: [&str; 30] = [
    "tenant.created",
    "clock.set",
    "owner.created",
    "account.created",
    "account.updated",
    "account.blocked",
    "account.unblocked",
    "account.closed",
    "card.created",
    "card.updated",
    "card.blocked",
    "card.unblocked",
    "card.closed",
    "profile.created",
    "profile.updated",
    "transfer.created",
    "transfer.approval_required",
    "transfer.approved",
    "transfer.denied",
    "transfer.approval_expired",
    "transfer.status_changed",
    "hold.placed",
    "hold.released",
    "bulk.created",
    "bulk.status_changed",
    "rule.created",
    "rule.updated",
    "rule.deleted",
    "rule_execution.created",
    "rule_execution.completed",
];

/// The names of the events that an effect causes, in order: none, one or two.
///
/// Accounts are all called accounts here; whether one is a card is known to whoever knows the account.
#[must_use]
pub fn names(effect: &Effect) -> &'static [&'static str] {
    match effect {
        Effect::TenantCreated(_) => &["tenant.created"],
        Effect::ClockSet { .. } => &["clock.set"],
        Effect::OwnerCreated(_) => &["owner.created"],
        Effect::AccountOpened(account) => match account.kind {
            AccountKind::System(_) => &[],
            _ => &["account.created"],
        },
        Effect::AccountStateSet { state, .. } => match state {
            AccountState::Active => &["account.unblocked"],
            AccountState::Blocked => &["account.blocked"],
            AccountState::Destroyed => &["account.closed"],
        },
        Effect::AccountChanged { .. } => &["account.updated"],
        Effect::ProfileSet(profile) if profile.created_at == profile.updated_at => {
            &["profile.created"]
        }
        Effect::ProfileSet(_) => &["profile.updated"],
        Effect::TransferRecorded(transfer) if transfer.status == Status::PendingApproval => {
            &["transfer.created", "transfer.approval_required"]
        }
        Effect::TransferRecorded(_) => &["transfer.created"],
        Effect::TransferMoved {
            from: Status::PendingApproval,
            to,
            cancel_reason,
            ..
        } => match to {
            Status::Cancelled if cancel_reason.as_deref() == Some(EXPIRED) => {
                &["transfer.status_changed", "transfer.approval_expired"]
            }
            Status::Cancelled => &["transfer.status_changed", "transfer.denied"],
            _ => &["transfer.status_changed", "transfer.approved"],
        },
        Effect::TransferMoved { .. } => &["transfer.status_changed"],
        Effect::HoldPlaced(_) => &["hold.placed"],
        Effect::HoldReleased(_) => &["hold.released"],
        Effect::BulkSubmitted(_) => &["bulk.created"],
        Effect::BulkMoved { .. } => &["bulk.status_changed"],
        Effect::RuleSet(rule) if rule.created_at == rule.updated_at && !rule.enabled => {
            &["rule.created"]
        }
        Effect::RuleSet(_) => &["rule.updated"],
        Effect::RuleDeleted { .. } => &["rule.deleted"],
        Effect::ExecutionRecorded(_) => &["rule_execution.created"],
        Effect::ExecutionMoved { step, .. } if is_over(step) => &["rule_execution.completed"],
        Effect::ExecutionMoved { .. }
        | Effect::CapCounted { .. }
        | Effect::Posted { .. }
        | Effect::BulkStepped { .. }
        | Effect::DueAdded(_)
        | Effect::DueRemoved(_) => &[],
    }
}

/// Whether a run is over with this step of it.
fn is_over(step: &ExecutionStep) -> bool {
    let open = ExecutionStatus::InProgress;
    match step {
        ExecutionStep::Ran(ran, _) => ran.counts.status() != open,
        ExecutionStep::TransferEnded(counts) => counts.status() != open,
        ExecutionStep::Failed(_) => true,
        ExecutionStep::PutOff { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::StateReason;
    use crate::id::{AccountId, HoldId, TransferId};
    use crate::time::Millis;

    #[test]
    fn changes_of_accounts_are_told_by_the_state_they_lead_to() {
        for (state, name) in [
            (AccountState::Active, "account.unblocked"),
            (AccountState::Blocked, "account.blocked"),
            (AccountState::Destroyed, "account.closed"),
        ] {
            let effect = Effect::AccountStateSet {
                account: AccountId::new(1),
                state,
                reason: Some(StateReason::User),
                at: Millis(0),
            };
            assert_eq!(names(&effect), [name]);
            assert!(NAMES.contains(&name));
        }
    }

    #[test]
    fn every_step_of_a_transfer_is_told() {
        let moved = Effect::TransferMoved {
            transfer: TransferId::new(1),
            from: Status::Processing,
            to: Status::Complete,
            error: None,
            fee_minor: 0,
            cancel_reason: None,
            at: Millis(0),
        };
        assert_eq!(names(&moved), ["transfer.status_changed"]);
        for (to, reason, name) in [
            (Status::Processing, None, "transfer.approved"),
            (Status::Cancelled, Some("no"), "transfer.denied"),
            (
                Status::Cancelled,
                Some(EXPIRED),
                "transfer.approval_expired",
            ),
        ] {
            let decided = Effect::TransferMoved {
                transfer: TransferId::new(1),
                from: Status::PendingApproval,
                to,
                error: None,
                fee_minor: 0,
                cancel_reason: reason.map(std::sync::Arc::from),
                at: Millis(0),
            };
            assert_eq!(names(&decided), ["transfer.status_changed", name]);
            assert!(NAMES.contains(&name));
        }
        assert_eq!(
            names(&Effect::HoldReleased(HoldId::new(1))),
            ["hold.released"]
        );
    }

    #[test]
    fn names_are_different() {
        let mut names = NAMES.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMES.len());
    }
}
