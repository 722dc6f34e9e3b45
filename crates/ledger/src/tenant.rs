//! Tenants, their clocks, and owners.

use std::sync::Arc;

use crate::id::{OwnerId, TenantId};
use crate::time::Millis;

/// Whether real money stands behind a tenant's accounts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TenantMode {
    /// Real balances: no simulated money, no clock but the machine's.
    Live,
    /// A sandbox: money can be simulated and the clock belongs to the user.
    Sandbox,
}

/// How a tenant's time follows the machine's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TenantClock {
    /// The machine's time plus an offset in milliseconds.
    Running {
        /// Milliseconds added to the machine's time; 0 for live tenants.
        offset_ms: i64,
    },
    /// Time stands still.
    Frozen {
        /// Where it stands.
        at: Millis,
    },
}

impl TenantClock {
    /// The machine's own time.
    pub const MACHINE: TenantClock = TenantClock::Running { offset_ms: 0 };

    /// The tenant's time when the machine's is `machine`.
    #[must_use]
    pub fn now(self, machine: Millis) -> Millis {
        match self {
            TenantClock::Running { offset_ms } => machine.plus(offset_ms),
            TenantClock::Frozen { at } => at,
        }
    }

    /// The machine's time at which this clock shows `at`; [`Millis::NEVER`] when it will not.
    #[must_use]
    pub fn machine_time_of(self, at: Millis) -> Millis {
        match self {
            TenantClock::Running { offset_ms } => Millis(at.0.saturating_sub(offset_ms)),
            TenantClock::Frozen { at: now } if at <= now => Millis(i64::MIN),
            TenantClock::Frozen { .. } => Millis::NEVER,
        }
    }
}

/// An organization (Sequence) or programme (Multi).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name, 1 to 100 characters.
    pub name: Arc<str>,
    /// Live or sandbox.
    pub mode: TenantMode,
    /// Its time.
    pub clock: TenantClock,
    /// When it was made, by the machine's clock.
    pub created_at: Millis,
}

/// What an owner is to the dialects.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OwnerKind {
    /// Sequence: the person or business that owns accounts.
    Beneficiary,
    /// Multi: a business identity.
    Corporate,
    /// Multi: a personal identity.
    Consumer,
}

/// Who owns accounts. Money moves only between accounts of one owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owner {
    /// Its id.
    pub id: OwnerId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Beneficiary, corporate or consumer.
    pub kind: OwnerKind,
    /// Its name, 1 to 100 characters.
    pub name: Arc<str>,
    /// When it was made, by the tenant's clock.
    pub created_at: Millis,
}
