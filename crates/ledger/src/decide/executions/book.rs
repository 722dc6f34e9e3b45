//! The accounts during one run: each transfer is posted on what the one before it left.

use std::collections::HashMap;

use super::super::Context;
use super::super::accounts::system_account;
use super::super::approvals;
use super::super::transfers::direction;
use crate::account::{Account, AccountKind, Rail, SystemKind};
use crate::effect::{Due, Effect, Work};
use crate::execution::{Counts, Execution};
use crate::id::{AccountId, TransferId};
use crate::money::Amount;
use crate::posting::Posting;
use crate::rule::Rule;
use crate::rule::action::Action;
use crate::rule::failure::Failure;
use crate::rule::plan::PlannedTransfer;
use crate::state::State;
use crate::time::Millis;
use crate::transfer::{Direction, ErrorCode, Origin, Status, Transfer};

pub(super) struct Book<'a> {
    state: &'a State,
    rule: &'a Rule,
    actions: &'a [Action],
    execution: &'a Execution,
    now: Millis,
    /// Accounts that the run has posted on.
    changed: HashMap<AccountId, Account>,
    /// Those that have settled and those that are on their way.
    pub(super) counts: Counts,
    /// Those that were recorded, in order.
    pub(super) transfers: Vec<TransferId>,
}

/// The entries of a transfer, and the effect that opens an account for them.
struct Entries {
    opened: Option<Effect>,
    posting: Posting,
}

impl<'a> Book<'a> {
    /// For a run of `execution` that takes step `step` of `rule`.
    pub(super) fn new(
        state: &'a State,
        (rule, step): (&'a Rule, usize),
        execution: &'a Execution,
        now: Millis,
    ) -> Book<'a> {
        Book {
            state,
            rule,
            actions: rule.steps.get(step).map_or(&[], |step| &step.actions),
            execution,
            now,
            changed: HashMap::new(),
            counts: Counts::default(),
            transfers: Vec::new(),
        }
    }

    /// Makes one transfer: settled at once between two held accounts, handed to its rail
    /// otherwise, recorded as ended when it was planned as one that fails. One that needs approval
    /// waits for it; what comes after it in the run does not.
    ///
    /// # Errors
    /// Why a transfer that was planned to move money did not. It is recorded as failed.
    pub(super) fn make(
        &mut self,
        planned: &PlannedTransfer,
        context: &mut Context<'_>,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Failure> {
        let amount = Amount::new(planned.minor, self.rule.currency);
        let amount = amount.map_err(|_| Failure::PaymentFailed)?;
        let find = |id| self.account(id).ok_or(Failure::ResourceDeleted);
        let (source, destination) = (find(planned.source)?, find(planned.destination)?);
        let mut transfer = self.blank(planned, amount, direction(&source, &destination), context);
        self.transfers.push(transfer.id);
        if planned.failure.is_none() && self.needs_approval(planned.minor) {
            self.counts.pending = self.counts.pending.saturating_add(1);
            transfer.status = Status::PendingApproval;
            let deadline = Effect::DueAdded(approvals::deadline(&transfer));
            effects.extend([Effect::TransferRecorded(transfer), deadline]);
            return Ok(());
        }
        let entries = match planned.failure {
            Some(failure) => Err(failure),
            None => self.entries(&transfer, &source, &destination, context),
        };
        let entries = match entries {
            Ok(entries) => entries,
            Err(failure) => {
                fail(&mut transfer, failure);
                effects.push(Effect::TransferRecorded(transfer));
                return planned.failure.map_or(Err(failure), |_| Ok(()));
            }
        };
        let (id, rail, delay_ms) = (transfer.id, transfer.rail, transfer.rail_delay_ms);
        if rail.is_none() {
            transfer.status = Status::Complete;
            transfer.completed_at = Some(self.now);
            self.counts.completed = self.counts.completed.saturating_add(1);
        }
        let (opened, posting) = entries.map_or((None, None), |e| (e.opened, Some(e.posting)));
        effects.extend(opened);
        effects.push(Effect::TransferRecorded(transfer));
        if let Some(posting) = posting {
            self.post(&posting);
            effects.push(Effect::Posted {
                transfer: id,
                at: self.now,
                posting,
            });
        }
        if rail.is_some() {
            self.counts.pending = self.counts.pending.saturating_add(1);
            effects.extend(self.submitted(id, delay_ms));
        }
        Ok(())
    }

    fn needs_approval(&self, minor: i64) -> bool {
        let above = self.rule.approval_above_minor;
        above.is_some_and(|above| minor > above)
    }

    /// What is posted now: money that is ours leaves its account, for another of ours or for its
    /// rail. A plan leaves room on the accounts it names; what is in transit may still overflow.
    fn entries(
        &mut self,
        transfer: &Transfer,
        source: &Account,
        destination: &Account,
        context: &mut Context<'_>,
    ) -> Result<Option<Entries>, Failure> {
        if !source.kind.is_held() {
            return Ok(None);
        }
        let (to, opened) = match transfer.rail {
            None => (destination.clone(), None),
            Some(rail) => self.transit(rail, context),
        };
        let posting = Posting::movement(transfer.amount, source, &to);
        let posting = posting.ok_or(Failure::PaymentFailed)?;
        for account in [source, &to] {
            self.changed.insert(account.id, account.clone());
        }
        Ok(Some(Entries { opened, posting }))
    }

    fn account(&self, id: AccountId) -> Option<Account> {
        let changed = self.changed.get(&id);
        changed.or_else(|| self.state.account(id)).cloned()
    }

    fn blank(
        &self,
        planned: &PlannedTransfer,
        amount: Amount,
        direction: Direction,
        context: &mut Context<'_>,
    ) -> Transfer {
        let rail = (direction != Direction::Internal).then_some(Rail::Simulated);
        let action = self.actions.get(usize::from(planned.action));
        Transfer {
            id: TransferId::new(context.new_id()),
            tenant: self.rule.tenant,
            owner: self.rule.owner,
            source: Some(planned.source),
            destination: Some(planned.destination),
            amount,
            direction,
            origin: Origin::Rule,
            rail,
            rail_delay_ms: self.rule.settings.rail_delay_ms.max(0),
            status: Status::Processing,
            error: None,
            rule: Some((self.rule.id, self.execution.id)),
            key: None,
            description: action.and_then(|action| action.ach_description.clone()),
            profile: None,
            tag: None,
            scheduled_at: None,
            fee_minor: 0,
            cancel_reason: None,
            card: None,
            created_at: self.now,
            updated_at: self.now,
            completed_at: None,
        }
    }

    /// The owner's in-transit account, as this run has left it.
    fn transit(&mut self, rail: Rail, context: &mut Context<'_>) -> (Account, Option<Effect>) {
        let kind = AccountKind::System(SystemKind::InTransit(rail));
        if let Some(known) = self.changed.values().find(|account| account.kind == kind) {
            return (known.clone(), None);
        }
        system_account(
            self.state,
            self.rule.tenant,
            self.rule.owner,
            SystemKind::InTransit(rail),
            self.rule.currency,
            self.now,
            context,
        )
    }

    fn post(&mut self, posting: &Posting) {
        for entry in posting.entries() {
            if let Some(account) = self.changed.get_mut(&entry.account) {
                account.balance = entry.balance_after;
                account.entries = entry.sequence;
            }
        }
    }

    fn submitted(&self, id: TransferId, delay_ms: i64) -> [Effect; 2] {
        let moved = Effect::TransferMoved {
            transfer: id,
            from: Status::Processing,
            to: Status::Pending,
            error: None,
            fee_minor: 0,
            cancel_reason: None,
            at: self.now,
        };
        let due = Due {
            tenant: self.rule.tenant,
            at: self.now.plus(delay_ms),
            work: Work::Settle(id),
        };
        [moved, Effect::DueAdded(due)]
    }
}

fn fail(transfer: &mut Transfer, failure: Failure) {
    let code = match failure {
        Failure::InsufficientFunds => ErrorCode::InsufficientFunds,
        Failure::LessThanOneDollar => ErrorCode::LessThanOneDollar,
        Failure::ResourceDeleted => ErrorCode::ResourceDeleted,
        Failure::PaymentNotSupported => ErrorCode::PaymentNotSupported,
        // The others are found before there is an amount, and so a transfer.
        _ => ErrorCode::PaymentFailed,
    };
    let status = Status::Processing.after(code.event());
    transfer.status = status.expect("a transfer that is processing can fail");
    transfer.error = Some(code);
}
