//! What a decision may look at, so that a store that does not hold everything can load just that.
//!
//! [`touches`] names what a command looks at. What is found there may lead further: an account to
//! its profile, a transfer to its accounts. [`Touch::then`] says so, from facts that never change
//! once the object exists; only a bulk leads by how far it has come, and a rule by what it says. A
//! state that holds what is reached in this way, as far as it exists and belongs to the command's tenant, gives the same
//! decision as one that holds everything. Naming too much costs a row that is read for nothing;
//! naming too little would be a wrong decision.

mod rules;

use crate::account::{Account, AccountKind, AccountState, Rail, SystemKind};
use crate::bulk::Bulk;
use crate::command::{Command, TransferOrder};
use crate::effect::{Hold, Work};
use crate::id::{
    AccountId, BulkId, ExecutionId, HoldId, OwnerId, ProfileId, RuleId, TenantId, TransferId,
};
use crate::money::Currency;
use crate::rule::Rule;
use crate::transfer::{Origin, Transfer};
pub use rules::ExecutionLinks;

/// Something that a decision may look at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Touch {
    /// A tenant.
    Tenant(TenantId),
    /// Whether a tenant has any account: one of them is enough.
    TenantInUse(TenantId),
    /// A tenant's first waiting work.
    FirstDue(TenantId),
    /// An owner.
    Owner(OwnerId),
    /// An account.
    Account(AccountId),
    /// An account on which money moves: its profile too, for a debit card the account behind it, and
    /// the rule that waits for money.
    Money(AccountId),
    /// The rule that is on and waits for money on an account.
    Listener(AccountId),
    /// What is on its way to an account: all transfers to it that have not ended and take a
    /// rail or were made by a rule.
    Arriving(AccountId),
    /// Whether cards that are not closed spend from an account, and whether transfers of it are
    /// open: one of each is enough.
    Uses(AccountId),
    /// An owner's system account.
    System(OwnerId, SystemKind, Currency),
    /// The system account of an account's owner.
    SystemOf(AccountId, SystemKind, Currency),
    /// A profile of a tenant.
    Profile(TenantId, ProfileId),
    /// A transfer that has not ended.
    Transfer(TransferId),
    /// A transfer that has not ended and whose money may move now.
    Settlement(TransferId),
    /// A hold.
    Hold(HoldId),
    /// A bulk that has not ended.
    Bulk(BulkId),
    /// A bulk that has not ended and may do its next operation now.
    Turn(BulkId),
    /// A rule.
    Rule(RuleId),
    /// A rule and all others of its owner.
    Siblings(RuleId),
    /// All rules of an owner.
    Rules(OwnerId),
    /// All rules of the owner of an account.
    RulesBeside(AccountId),
    /// A rule that may run now, and what its caps have counted.
    RunOf(RuleId),
    /// The run of a rule that somebody asked for and that has not been made.
    Asked(RuleId),
    /// A run that is not over.
    Execution(ExecutionId),
    /// A run that is not over and may be made now.
    Run(ExecutionId),
    /// What waits to be done with an object.
    Waiting(Work),
}

/// What was found where a [`Touch`] points.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// An account.
    Account(AccountLinks),
    /// A transfer.
    Transfer(TransferLinks),
    /// A hold.
    Hold(HoldLinks),
    /// A bulk.
    Bulk(&'a Bulk),
    /// A rule.
    Rule(&'a Rule),
    /// A run of a rule.
    Execution(ExecutionLinks),
}

/// What an account leads to. Never changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountLinks {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its owner.
    pub owner: OwnerId,
    /// What kind of account it is.
    pub kind: AccountKind,
    /// The profile it was opened under.
    pub profile: Option<ProfileId>,
    /// The account behind a debit card.
    pub parent: Option<AccountId>,
}

impl From<&Account> for AccountLinks {
    fn from(account: &Account) -> AccountLinks {
        AccountLinks {
            tenant: account.tenant,
            owner: account.owner,
            kind: account.kind,
            profile: account.profile,
            parent: account.parent,
        }
    }
}

/// What a transfer leads to. Never changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransferLinks {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its owner.
    pub owner: OwnerId,
    /// Where the money comes from.
    pub source: Option<AccountId>,
    /// Where it goes.
    pub destination: Option<AccountId>,
    /// The profile it was made under.
    pub profile: Option<ProfileId>,
    /// The rail it takes.
    pub rail: Option<Rail>,
    /// The currency of its amount.
    pub currency: Currency,
    /// The run of a rule that made it.
    pub execution: Option<ExecutionId>,
}

impl From<&Transfer> for TransferLinks {
    fn from(transfer: &Transfer) -> TransferLinks {
        TransferLinks {
            tenant: transfer.tenant,
            owner: transfer.owner,
            source: transfer.source,
            destination: transfer.destination,
            profile: transfer.profile,
            rail: transfer.rail,
            currency: transfer.amount.currency(),
            execution: transfer.rule.map(|(_, execution)| execution),
        }
    }
}

/// What a hold leads to. Never changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HoldLinks {
    /// Its tenant.
    pub tenant: TenantId,
    /// The account it is on.
    pub account: AccountId,
}

impl From<&Hold> for HoldLinks {
    fn from(hold: &Hold) -> HoldLinks {
        HoldLinks {
            tenant: hold.tenant,
            account: hold.account,
        }
    }
}

/// What [`decide`](crate::decide) looks at for this command, before anything was found.
#[must_use]
pub fn touches(command: &Command) -> Vec<Touch> {
    match command {
        Command::CreateTenant { .. } => Vec::new(),
        Command::SetClock { tenant, .. } | Command::MoveClock { tenant, .. } => {
            vec![Touch::Tenant(*tenant), Touch::TenantInUse(*tenant)]
        }
        // It only moves forward, which a tenant without accounts may do as any other.
        Command::ClockToNextDue { tenant } => {
            vec![Touch::Tenant(*tenant), Touch::FirstDue(*tenant)]
        }
        Command::CreateOwner { tenant, .. } => vec![Touch::Tenant(*tenant)],
        Command::OpenAccount(open) => vec![Touch::Tenant(open.tenant), Touch::Owner(open.owner)],
        Command::OpenInstrument(open) => {
            let mut touches = vec![
                Touch::Tenant(open.tenant),
                Touch::Owner(open.owner),
                Touch::Profile(open.tenant, open.profile),
            ];
            touches.extend(open.parent.map(Touch::Account));
            touches
        }
        Command::ChangeAccount(change) => {
            vec![Touch::Tenant(change.tenant), Touch::Account(change.account)]
        }
        Command::SetAccountState {
            tenant,
            account,
            state,
            ..
        } => {
            let mut touches = vec![Touch::Tenant(*tenant), Touch::Account(*account)];
            if *state == AccountState::Destroyed {
                touches.push(Touch::Uses(*account));
            }
            touches
        }
        Command::DeleteAccount { tenant, account } => vec![
            Touch::Tenant(*tenant),
            Touch::Account(*account),
            Touch::Uses(*account),
            Touch::RulesBeside(*account),
        ],
        Command::CreateTransfer(create) => vec![
            Touch::Tenant(create.tenant),
            Touch::Account(create.source),
            Touch::Account(create.destination),
        ],
        Command::CreateProfile(new) => vec![Touch::Tenant(new.tenant)],
        Command::ChangeProfile(change) => vec![
            Touch::Tenant(change.tenant),
            Touch::Profile(change.tenant, change.profile),
        ],
        Command::Transfer(transfer) => {
            let mut touches = vec![Touch::Tenant(transfer.tenant)];
            touches.extend(of_order(transfer.tenant, transfer.owner, &transfer.order));
            touches
        }
        Command::CancelTransfer {
            tenant, transfer, ..
        } => vec![Touch::Tenant(*tenant), Touch::Transfer(*transfer)],
        Command::SubmitBulk { tenant, owner, .. } => {
            vec![Touch::Tenant(*tenant), Touch::Owner(*owner)]
        }
        Command::SteerBulk { tenant, bulk, .. } => {
            vec![Touch::Tenant(*tenant), Touch::Bulk(*bulk)]
        }
        Command::MoneyIn(money) => {
            let (account, currency) = (money.destination, money.amount.currency());
            let mut touches = vec![
                Touch::Tenant(money.tenant),
                Touch::Money(account),
                Touch::SystemOf(account, SystemKind::World, currency),
            ];
            if money.origin == Origin::Deposit {
                touches.push(Touch::SystemOf(account, SystemKind::FeeIncome, currency));
            }
            touches
        }
        Command::MoneyOut(money) => vec![
            Touch::Tenant(money.tenant),
            Touch::Money(money.source),
            Touch::SystemOf(money.source, SystemKind::World, money.amount.currency()),
        ],
        Command::ReturnTransfer {
            tenant, transfer, ..
        }
        | Command::DecideApproval {
            tenant, transfer, ..
        } => vec![Touch::Tenant(*tenant), Touch::Settlement(*transfer)],
        Command::PlaceHold(place) => {
            vec![Touch::Tenant(place.tenant), Touch::Account(place.account)]
        }
        Command::ReleaseHold { tenant, hold } => {
            vec![Touch::Tenant(*tenant), Touch::Hold(*hold)]
        }
        Command::CreateRule(new) => rules::of_new(new),
        Command::ChangeRule(change) => rules::of_change(change),
        Command::SetRuleApproval { tenant, rule, .. } => {
            vec![Touch::Tenant(*tenant), Touch::Rule(*rule)]
        }
        Command::DeleteRule { tenant, rule, .. } => rules::of_end(*tenant, *rule),
        Command::SwitchRule {
            tenant,
            rule,
            enabled,
            ..
        } => rules::of_switch(*tenant, *rule, *enabled),
        Command::TriggerRule(trigger) => rules::of_trigger(trigger),
        Command::AnswerAmounts {
            tenant, execution, ..
        } => rules::of_answer(*tenant, *execution),
        Command::RunDue(due) => vec![
            Touch::Tenant(due.tenant),
            Touch::Waiting(due.work),
            match due.work {
                Work::Settle(transfer) => Touch::Settlement(transfer),
                Work::ExpireHold(hold) => Touch::Hold(hold),
                Work::RunBulk(bulk) => Touch::Turn(bulk),
                Work::RunRule(rule) => Touch::RunOf(rule),
                Work::RunExecution(execution) => Touch::Run(execution),
            },
        ],
    }
}

/// What is looked at for one transfer under a profile, alone or in a bulk.
#[must_use]
pub fn of_order(tenant: TenantId, owner: OwnerId, order: &TransferOrder) -> Vec<Touch> {
    let mut touches = vec![
        Touch::Owner(owner),
        Touch::Profile(tenant, order.profile),
        Touch::Account(order.source.id),
        Touch::Money(order.destination.id),
    ];
    let fees = |currency| Touch::System(owner, SystemKind::FeeIncome, currency);
    touches.extend(order.currency.map(fees));
    touches
}

impl Touch {
    /// What is looked at besides, now that this was found here.
    #[must_use]
    pub fn then(self, found: Found<'_>) -> Vec<Touch> {
        match (self, found) {
            (
                Touch::Account(_) | Touch::Uses(_) | Touch::Listener(_) | Touch::Arriving(_),
                Found::Account(account),
            ) => {
                vec![Touch::Owner(account.owner)]
            }
            (Touch::Money(id), Found::Account(account)) => {
                let mut touches = vec![Touch::Owner(account.owner), Touch::Listener(id)];
                let profile = |profile| Touch::Profile(account.tenant, profile);
                touches.extend(account.profile.map(profile));
                touches.extend(account.parent.map(Touch::Money));
                touches
            }
            (Touch::RulesBeside(_), Found::Account(account)) => {
                vec![Touch::Owner(account.owner), Touch::Rules(account.owner)]
            }
            (Touch::SystemOf(_, kind, currency), Found::Account(account)) => {
                vec![Touch::System(account.owner, kind, currency)]
            }
            (Touch::Transfer(id), Found::Transfer(transfer)) => of_transfer(id, transfer),
            (Touch::Settlement(id), Found::Transfer(transfer)) => of_settlement(id, transfer),
            (Touch::Hold(id), Found::Hold(hold)) => vec![
                Touch::Account(hold.account),
                Touch::Waiting(Work::ExpireHold(id)),
            ],
            (Touch::Bulk(id), Found::Bulk(bulk)) => of_bulk(id, bulk),
            (Touch::Turn(id), Found::Bulk(bulk)) => {
                let mut touches = of_bulk(id, bulk);
                if let Some(order) = bulk.operations.get(bulk.next()) {
                    touches.extend(of_order(bulk.tenant, bulk.owner, order));
                }
                touches
            }
            (Touch::Rule(_), Found::Rule(rule)) => vec![Touch::Owner(rule.owner)],
            (Touch::Siblings(_), Found::Rule(rule)) => {
                vec![Touch::Owner(rule.owner), Touch::Rules(rule.owner)]
            }
            (Touch::RunOf(_), Found::Rule(rule)) => rules::of_run(rule),
            (Touch::Execution(_), Found::Execution(execution)) => {
                vec![Touch::Owner(execution.owner)]
            }
            (Touch::Run(_), Found::Execution(execution)) => {
                vec![Touch::Owner(execution.owner), Touch::RunOf(execution.rule)]
            }
            _ => Vec::new(),
        }
    }
}

fn of_transfer(id: TransferId, transfer: TransferLinks) -> Vec<Touch> {
    let mut touches = vec![
        Touch::Owner(transfer.owner),
        Touch::Waiting(Work::Settle(id)),
    ];
    let ends = [transfer.source, transfer.destination];
    touches.extend(ends.into_iter().flatten().map(Touch::Account));
    touches.extend(transfer.execution.map(Touch::Execution));
    touches
}

fn of_settlement(id: TransferId, transfer: TransferLinks) -> Vec<Touch> {
    let mut touches = of_transfer(id, transfer);
    touches.extend(transfer.destination.map(Touch::Listener));
    let system = |kind| Touch::System(transfer.owner, kind, transfer.currency);
    if let Some(rail) = transfer.rail {
        touches.push(system(SystemKind::InTransit(rail)));
        touches.push(system(SystemKind::World));
    }
    if let Some(profile) = transfer.profile {
        touches.push(Touch::Profile(transfer.tenant, profile));
        touches.push(system(SystemKind::FeeIncome));
        touches.extend(transfer.destination.map(Touch::Money));
    }
    touches
}

fn of_bulk(id: BulkId, bulk: &Bulk) -> Vec<Touch> {
    vec![Touch::Owner(bulk.owner), Touch::Waiting(Work::RunBulk(id))]
}
