//! What a decision changes, as data: the vocabulary of the journal.

use std::sync::Arc;

use crate::account::{Account, AccountState, StateReason};
use crate::bulk::{Bulk, BulkMode, BulkStatus, OperationOutcome};
use crate::execution::{Execution, ExecutionStep};
use crate::id::{AccountId, BulkId, ExecutionId, HoldId, RuleId, TenantId, TransferId};
use crate::money::Amount;
use crate::posting::Posting;
use crate::profile::Profile;
use crate::rule::Rule;
use crate::rule::snapshot::CapUsed;
use crate::tenant::{Owner, Tenant, TenantClock};
use crate::time::Millis;
use crate::transfer::{ErrorCode, Status, Transfer};

/// One change. Facts only: applying it needs no rule and no judgement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// A tenant exists from now on.
    TenantCreated(Tenant),
    /// A tenant's clock was set.
    ClockSet {
        /// The tenant.
        tenant: TenantId,
        /// Its clock from now on.
        clock: TenantClock,
    },
    /// An owner exists from now on.
    OwnerCreated(Owner),
    /// An account exists from now on, with nothing on it.
    AccountOpened(Account),
    /// An account was blocked, unblocked or closed.
    AccountStateSet {
        /// The account.
        account: AccountId,
        /// Its state from now on.
        state: AccountState,
        /// Why, unless it is active.
        reason: Option<StateReason>,
        /// When, by the tenant's clock.
        at: Millis,
    },
    /// An account is called something else from now on.
    AccountChanged {
        /// The account.
        account: AccountId,
        /// Its name.
        name: Arc<str>,
        /// Its tag.
        tag: Option<Arc<str>>,
        /// Its details.
        details: Option<Arc<str>>,
        /// When, by the tenant's clock.
        at: Millis,
    },
    /// A profile exists or says something else from now on.
    ProfileSet(Profile),
    /// A transfer exists from now on.
    TransferRecorded(Transfer),
    /// A transfer changed its status.
    TransferMoved {
        /// The transfer.
        transfer: TransferId,
        /// Where it was.
        from: Status,
        /// Where it is now.
        to: Status,
        /// Why, when it ended badly.
        error: Option<ErrorCode>,
        /// The fee that was taken with this step, in minor units.
        fee_minor: i64,
        /// Why it was called off.
        cancel_reason: Option<Arc<str>>,
        /// When, by the tenant's clock.
        at: Millis,
    },
    /// Money moved.
    Posted {
        /// The transfer it moved for.
        transfer: TransferId,
        /// When, by the tenant's clock.
        at: Millis,
        /// The entries.
        posting: Posting,
    },
    /// Money was reserved.
    HoldPlaced(Hold),
    /// Reserved money is free again.
    HoldReleased(HoldId),
    /// A bulk was handed in.
    BulkSubmitted(Bulk),
    /// A bulk changed its status.
    BulkMoved {
        /// The bulk.
        bulk: BulkId,
        /// Where it was.
        from: BulkStatus,
        /// Where it is now.
        to: BulkStatus,
        /// What a failure means, when this is chosen now.
        mode: Option<BulkMode>,
        /// When, by the tenant's clock.
        at: Millis,
    },
    /// An operation of a bulk was done.
    BulkStepped {
        /// The bulk.
        bulk: BulkId,
        /// The operation's index, from 0.
        operation: u32,
        /// What became of it.
        outcome: OperationOutcome,
    },
    /// A rule exists or says something else from now on.
    RuleSet(Rule),
    /// A rule is gone.
    RuleDeleted {
        /// The rule.
        rule: RuleId,
        /// When, by the tenant's clock.
        at: Millis,
    },
    /// A cap has counted on.
    CapCounted {
        /// The rule.
        rule: RuleId,
        /// The step, from 0.
        step: u16,
        /// The group of actions.
        group: u32,
        /// Where the counter stands from now on.
        used: CapUsed,
    },
    /// A rule is to run, or runs in this commit.
    ExecutionRecorded(Execution),
    /// A run came one step further.
    ExecutionMoved {
        /// The run.
        execution: ExecutionId,
        /// What happened.
        step: ExecutionStep,
        /// When, by the tenant's clock.
        at: Millis,
    },
    /// Something must be done at a time.
    DueAdded(Due),
    /// It was done, or need not be done any more.
    DueRemoved(Due),
}

/// Money reserved on an account, not yet moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// The tenant.
    pub tenant: TenantId,
    /// The account.
    pub account: AccountId,
    /// How much.
    pub amount: Amount,
    /// When it was placed, by the tenant's clock.
    pub created_at: Millis,
    /// When it ends by itself.
    pub expires_at: Option<Millis>,
}

/// Work that must happen at a time. Ordered by tenant, time, then kind and id of the work.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Due {
    /// The tenant by whose clock it is due.
    pub tenant: TenantId,
    /// When, by that clock.
    pub at: Millis,
    /// What.
    pub work: Work,
}

/// A kind of work.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Work {
    /// Bring a transfer one step further: settle it, hand it to its rail, or call it off when
    /// nobody has approved it.
    Settle(TransferId),
    /// End a hold.
    ExpireHold(HoldId),
    /// Do the next operation of a bulk.
    RunBulk(BulkId),
    /// Make the scheduled run of a rule.
    RunRule(RuleId),
    /// Make a run that waits.
    RunExecution(ExecutionId),
}
