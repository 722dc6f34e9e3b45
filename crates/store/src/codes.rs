//! The numbers that enums have on disk, in the journal and in the views. Never reused.

use ledger::profile::{CardMode, FeePolicy};
use ledger::rule::action::{ActionType, CapPeriod, PercentageTarget, Strategy};
use ledger::rule::condition::{Fact, Operator, ValueFact};
use ledger::rule::explain::{Quantity, Skip};
use ledger::rule::failure::Failure;
use ledger::rule::schedule::ScheduleKind;
use ledger::rule::{RoundDown, TriggerKind};
use ledger::{
    AccountKind, AccountState, BulkMode, BulkStatus, Denial, Direction, ErrorCode, ExecutionMode,
    ExecutionStatus, ExternalKind, InstrumentClass, Origin, OwnerKind, ProfileKind, Rail, Side,
    StateReason, Status, SystemKind, TenantMode,
};

use crate::records::RecordKind;

/// An enum with a number for each of its values.
pub(crate) trait Code: Sized + Copy {
    /// What it is, for error messages.
    const WHAT: &'static str;
    /// The number of this value.
    fn code(self) -> u8;
    /// The value with this number.
    fn from_code(code: u8) -> Option<Self>;
}

/// A [`Code`] whose values are all listed.
pub(crate) trait Listed: Code + 'static {
    /// Every value.
    const ALL: &'static [Self];
}

macro_rules! codes {
    ($($type:ty, $what:literal: { $($value:path = $code:literal),+ $(,)? })+) => { $(
        impl Code for $type {
            const WHAT: &'static str = $what;

            fn code(self) -> u8 {
                match self { $($value => $code,)+ }
            }

            fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some($value),)+ _ => None }
            }
        }

        impl Listed for $type {
            const ALL: &'static [$type] = &[$($value),+];
        }
    )+ };
}

codes! {
    RecordKind, "kind of record": {
        RecordKind::Identity = 1, RecordKind::User = 2, RecordKind::Session = 3,
        RecordKind::Settings = 4, RecordKind::Audit = 5, RecordKind::Webhook = 6,
        RecordKind::WebhookProgress = 7, RecordKind::Replay = 8, RecordKind::AmountSource = 9,
        RecordKind::DryTransfer = 10,
    }
    TenantMode, "tenant mode": { TenantMode::Live = 1, TenantMode::Sandbox = 2 }
    OwnerKind, "kind of owner": {
        OwnerKind::Beneficiary = 1, OwnerKind::Corporate = 2, OwnerKind::Consumer = 3,
    }
    AccountState, "account state": {
        AccountState::Active = 1, AccountState::Blocked = 2, AccountState::Destroyed = 3,
    }
    Side, "side": { Side::Debit = 1, Side::Credit = 2 }
    Rail, "rail": { Rail::Simulated = 1 }
    Status, "status": {
        Status::Scheduled = 1, Status::PendingApproval = 2, Status::Processing = 3,
        Status::Pending = 4, Status::Complete = 5, Status::Incomplete = 6, Status::Error = 7,
        Status::Rejected = 8, Status::Cancelled = 9,
    }
    Direction, "direction": {
        Direction::MoneyIn = 1, Direction::MoneyOut = 2, Direction::Internal = 3,
    }
    Origin, "origin": {
        Origin::Paycheck = 1, Origin::CheckDeposit = 2, Origin::Cashback = 3,
        Origin::UserPull = 4, Origin::Rule = 5, Origin::User = 6, Origin::ExternalPull = 7,
        Origin::Deposit = 8, Origin::CardPurchase = 9, Origin::CardRefund = 10,
    }
    StateReason, "reason of a state": {
        StateReason::User = 1, StateReason::System = 2, StateReason::Lost = 3,
        StateReason::Stolen = 4, StateReason::Expired = 5, StateReason::Compromised = 6,
    }
    InstrumentClass, "class of instrument": {
        InstrumentClass::Account = 1, InstrumentClass::Card = 2,
    }
    ProfileKind, "kind of profile": {
        ProfileKind::Corporate = 1, ProfileKind::Consumer = 2, ProfileKind::ManagedAccount = 3,
        ProfileKind::ManagedCard = 4, ProfileKind::Transfer = 5,
    }
    CardMode, "card mode": { CardMode::Prepaid = 1, CardMode::Debit = 2 }
    FeePolicy, "fee policy": { FeePolicy::BestEffort = 1, FeePolicy::Required = 2 }
    BulkStatus, "status of a bulk": {
        BulkStatus::Submitted = 1, BulkStatus::Running = 2, BulkStatus::Paused = 3,
        BulkStatus::Completed = 4, BulkStatus::PartiallyCompleted = 5, BulkStatus::Failed = 6,
        BulkStatus::Cancelled = 7,
    }
    BulkMode, "mode of a bulk": {
        BulkMode::StopOnFailure = 1, BulkMode::ContinueOnFailure = 2,
    }
    Denial, "denial": {
        Denial::ProfileInactive = 1, Denial::ModelConstraintsViolated = 2,
        Denial::InterceptorDenied = 3, Denial::InstrumentDenied = 4, Denial::SourceDestroyed = 5,
        Denial::DestinationDestroyed = 6, Denial::ForexTradeDenied = 7,
        Denial::CurrencyMismatch = 8, Denial::SourceBlocked = 9, Denial::DestinationBlocked = 10,
        Denial::FundsInsufficient = 11, Denial::AmountInvalid = 12, Denial::SourceNotFound = 13,
        Denial::DestinationNotFound = 14, Denial::FeeNotConfiguredForCurrency = 15,
        Denial::DestinationLimitExceeded = 16, Denial::SourceIsDebitCard = 17,
        Denial::DestinationIsDebitCard = 18, Denial::PairUnsupported = 19,
        Denial::SameInstrument = 20, Denial::ScheduledTimeInvalid = 21,
    }
    TriggerKind, "kind of trigger": {
        TriggerKind::Manual = 1, TriggerKind::OnFundsTransferred = 2, TriggerKind::Scheduled = 3,
    }
    ScheduleKind, "kind of schedule": {
        ScheduleKind::OneTime = 1, ScheduleKind::Daily = 2, ScheduleKind::Weekly = 3,
        ScheduleKind::BiWeekly = 4, ScheduleKind::Monthly = 5, ScheduleKind::EveryOtherWeek = 6,
    }
    RoundDown, "way of rounding down": { RoundDown::Multiple = 1, RoundDown::Buffer = 2 }
    ActionType, "type of action": {
        ActionType::FixedAmount = 1, ActionType::Percentage = 2, ActionType::TopUp = 3,
        ActionType::RoundDown = 4, ActionType::NextPaymentMinimum = 5,
        ActionType::TotalAmountDue = 6, ActionType::LastStatementBalance = 7,
        ActionType::PercentageLiabilityBalance = 8, ActionType::Avalanche = 9,
        ActionType::Snowball = 10, ActionType::QueriedAmount = 11,
    }
    PercentageTarget, "target of a percentage": {
        PercentageTarget::IncomingAmount = 1, PercentageTarget::SourceAccount = 2,
    }
    CapPeriod, "period of a cap": {
        CapPeriod::PerTransfer = 1, CapPeriod::PerWeek = 2, CapPeriod::PerMonth = 3,
        CapPeriod::PerYear = 4,
    }
    Strategy, "strategy": { Strategy::Avalanche = 1, Strategy::Snowball = 2 }
    Fact, "fact": { Fact::TransferAmount = 1, Fact::Balance = 2, Fact::Date = 3 }
    ValueFact, "fact to compare with": {
        ValueFact::TransferAmount = 1, ValueFact::Balance = 2, ValueFact::Date = 3,
        ValueFact::LastDayOfMonth = 4, ValueFact::NextPaymentMinimumAmount = 5,
        ValueFact::LastStatementBalance = 6,
    }
    Operator, "operator": {
        Operator::Equals = 1, Operator::NotEquals = 2, Operator::GreaterThan = 3,
        Operator::LessThan = 4, Operator::GreaterThanOrEqual = 5, Operator::LessThanOrEqual = 6,
    }
    Quantity, "quantity": {
        Quantity::IncomingAmount = 1, Quantity::SourceBalance = 2,
        Quantity::DestinationBalance = 3, Quantity::Arriving = 4, Quantity::Target = 5,
        Quantity::Amount = 6, Quantity::Owed = 7, Quantity::Minimum = 8, Quantity::Statement = 9,
        Quantity::Answer = 10, Quantity::Budget = 11,
    }
    Skip, "reason to skip": {
        Skip::NothingToMove = 1, Skip::NothingCameIn = 2, Skip::CapReached = 3,
        Skip::SourceEmpty = 4, Skip::PartsTooSmall = 5,
    }
    Failure, "failure of an action": {
        Failure::InsufficientFunds = 1, Failure::LessThanOneDollar = 2, Failure::NullBalance = 3,
        Failure::NoMinimumPayment = 4, Failure::NoLastStatement = 5,
        Failure::ResourceDeleted = 6, Failure::PaymentNotSupported = 7,
        Failure::PaymentFailed = 8, Failure::QueryUnanswered = 9,
    }
    ExecutionMode, "mode of a run": { ExecutionMode::Live = 1, ExecutionMode::Simulation = 2 }
    ExecutionStatus, "status of a run": {
        ExecutionStatus::InProgress = 1, ExecutionStatus::Executed = 2,
        ExecutionStatus::Partial = 3, ExecutionStatus::Failed = 4,
    }
}

/// The rail's own codes, then the denials from 64 on.
impl Code for ErrorCode {
    const WHAT: &'static str = "error code";

    fn code(self) -> u8 {
        match self {
            ErrorCode::InsufficientFunds => 1,
            ErrorCode::DisconnectedAccount => 2,
            ErrorCode::NameMismatch => 3,
            ErrorCode::PaymentFailed => 4,
            ErrorCode::PaymentNotSupported => 5,
            ErrorCode::ResourceDeleted => 6,
            ErrorCode::LessThanOneDollar => 7,
            ErrorCode::Denied(denial) => 64 + denial.code(),
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => ErrorCode::InsufficientFunds,
            2 => ErrorCode::DisconnectedAccount,
            3 => ErrorCode::NameMismatch,
            4 => ErrorCode::PaymentFailed,
            5 => ErrorCode::PaymentNotSupported,
            6 => ErrorCode::ResourceDeleted,
            7 => ErrorCode::LessThanOneDollar,
            64.. => ErrorCode::Denied(Denial::from_code(code - 64)?),
            _ => return None,
        })
    }
}

impl Code for AccountKind {
    const WHAT: &'static str = "kind of account";

    fn code(self) -> u8 {
        match self {
            AccountKind::IncomeSource => 1,
            AccountKind::Pod => 2,
            AccountKind::External(ExternalKind::Depository) => 3,
            AccountKind::External(ExternalKind::Investment) => 4,
            AccountKind::External(ExternalKind::Liability) => 5,
            AccountKind::PrepaidCard => 6,
            AccountKind::DebitCard => 7,
            AccountKind::System(SystemKind::World) => 16,
            AccountKind::System(SystemKind::InTransit(Rail::Simulated)) => 17,
            AccountKind::System(SystemKind::FeeIncome) => 18,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => AccountKind::IncomeSource,
            2 => AccountKind::Pod,
            3 => AccountKind::External(ExternalKind::Depository),
            4 => AccountKind::External(ExternalKind::Investment),
            5 => AccountKind::External(ExternalKind::Liability),
            6 => AccountKind::PrepaidCard,
            7 => AccountKind::DebitCard,
            16 => AccountKind::System(SystemKind::World),
            17 => AccountKind::System(SystemKind::InTransit(Rail::Simulated)),
            18 => AccountKind::System(SystemKind::FeeIncome),
            _ => return None,
        })
    }
}
