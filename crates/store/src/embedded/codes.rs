//! The numbers that enums have on disk, in the journal and in the views. Never reused.

use ledger::{
    AccountKind, AccountState, Direction, ErrorCode, ExternalKind, Origin, OwnerKind, Rail, Side,
    Status, SystemKind, TenantMode,
};

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
    }
    ErrorCode, "error code": {
        ErrorCode::InsufficientFunds = 1, ErrorCode::DisconnectedAccount = 2,
        ErrorCode::NameMismatch = 3, ErrorCode::PaymentFailed = 4,
        ErrorCode::PaymentNotSupported = 5, ErrorCode::ResourceDeleted = 6,
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
            AccountKind::System(SystemKind::World) => 16,
            AccountKind::System(SystemKind::InTransit(Rail::Simulated)) => 17,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => AccountKind::IncomeSource,
            2 => AccountKind::Pod,
            3 => AccountKind::External(ExternalKind::Depository),
            4 => AccountKind::External(ExternalKind::Investment),
            5 => AccountKind::External(ExternalKind::Liability),
            16 => AccountKind::System(SystemKind::World),
            17 => AccountKind::System(SystemKind::InTransit(Rail::Simulated)),
            _ => return None,
        })
    }
}
