//! The numbers that enums have on disk, in the journal and in the views. Never reused.

use ledger::profile::{CardMode, FeePolicy};
use ledger::{
    AccountKind, AccountState, BulkMode, BulkStatus, Denial, Direction, ErrorCode, ExternalKind,
    InstrumentClass, Origin, OwnerKind, ProfileKind, Rail, Side, StateReason, Status, SystemKind,
    TenantMode,
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
    )+ };
}

codes! {
    RecordKind, "kind of record": {
        RecordKind::Identity = 1, RecordKind::User = 2, RecordKind::Session = 3,
        RecordKind::Settings = 4, RecordKind::Webhook = 5, RecordKind::WebhookProgress = 6,
        RecordKind::Replay = 7,
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
