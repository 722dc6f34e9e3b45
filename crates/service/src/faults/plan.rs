//! What goes wrong with one request: the faults of its header and of its tenant's switches together.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ledger::{ErrorCode, TenantId};

use super::{DeliveryFault, Fault, NO_FAULT};
use crate::error::{Error, Result};
use crate::{ApiKey, Service};

/// The header.
const HEADER: &str = "Tidegate-Fault";
/// What a refused burst says when to try again, in seconds.
const RETRY_AFTER_S: u32 = 1;

/// What goes wrong with a request. Nothing by default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FaultPlan {
    /// How much later the answer comes.
    pub delay: Option<Duration>,
    /// What becomes of the answer.
    pub ending: Option<Ending>,
    /// What goes wrong with the transfer that is made.
    pub asked: Asked,
}

/// What becomes of an answer after everything was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It is a 500.
    Error,
    /// The connection is closed without it.
    Drop,
}

/// What goes wrong with a transfer that is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    /// How it ends.
    pub transfer_error: Option<ErrorCode>,
    /// What goes wrong with the deliveries about it.
    pub delivery: Option<DeliveryFault>,
}

tokio::task_local! {
    /// Of the request that is being answered.
    static ASKED: Asked;
}

/// Answers a request with these faults in force.
pub async fn with_asked<F: Future>(asked: Asked, answer: F) -> F::Output {
    ASKED.scope(asked, answer).await
}

/// What was asked for by the request that is being answered: nothing, for nearly all.
pub(crate) fn asked() -> Asked {
    ASKED.try_with(|asked| *asked).unwrap_or_default()
}

/// How often each switch was asked, and how many requests are still to be refused.
#[derive(Default)]
pub(crate) struct Counts {
    switches: Mutex<HashMap<(TenantId, Fault), u64>>,
    refusals: Mutex<HashMap<TenantId, u32>>,
    /// How many tenants have a burst of refusals under way.
    bursts: AtomicUsize,
}

impl Counts {
    /// Whether it is a switch's turn: the first time, and then every so often.
    pub(crate) fn is_turn(&self, tenant: TenantId, fault: Fault, every: u32) -> bool {
        let mut switches = self.switches.lock().unwrap_or_else(PoisonError::into_inner);
        let count = switches.entry((tenant, fault)).or_default();
        let is_turn = (*count).is_multiple_of(u64::from(every.max(1)));
        *count = count.wrapping_add(1);
        is_turn
    }

    /// Begins a burst of refusals, or takes one of the burst that is under way.
    fn refuses(&self, tenant: TenantId, burst: Option<u32>) -> bool {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let left = burst.or_else(|| refusals.get(&tenant).copied());
        let Some(left) = left.filter(|left| *left > 0) else {
            return false;
        };
        match left {
            1 => drop(refusals.remove(&tenant)),
            left => drop(refusals.insert(tenant, left.saturating_sub(1))),
        }
        self.bursts.store(refusals.len(), Ordering::Relaxed);
        true
    }

    fn has_refusals(&self) -> bool {
        self.bursts.load(Ordering::Relaxed) > 0
    }
}

impl Service {
    /// Whether any request may have to go wrong, header or not.
    #[must_use]
    pub fn has_faults(&self) -> bool {
        self.multi.settings.any_faults() || self.faults.counts.has_refusals()
    }

    /// What goes wrong with a request that shows this key: the header's faults, then, when it may
    /// change something, those that are switched on for the tenant. A key that nobody has is refused
    /// by whoever answers.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a header that names no fault, or of a live tenant;
    /// [`Error::TooManyRequests`] when that is the fault. Nothing was done then.
    pub fn plan_faults(
        &self,
        key: Option<&str>,
        header: Option<&[u8]>,
        may_change: bool,
    ) -> Result<FaultPlan> {
        let Some(key) = key.and_then(|key| self.keys.find(key)) else {
            return Ok(FaultPlan::default());
        };
        let mut faults = match header {
            Some(header) => self.header_faults(&key, header)?,
            None => Vec::new(),
        };
        if key.is_live {
            return Ok(FaultPlan::default());
        }
        if may_change {
            faults.extend(self.switched_faults(key.tenant, false));
        }
        self.plan(key.tenant, &faults)
    }

    fn header_faults(&self, key: &ApiKey, header: &[u8]) -> Result<Vec<Fault>> {
        let invalid = |reason| Error::Invalid {
            field: HEADER,
            reason,
        };
        if key.is_live {
            return Err(invalid("is for sandbox tenants only"));
        }
        let text = std::str::from_utf8(header).ok();
        let faults = text.and_then(Fault::parse_all);
        faults.ok_or(invalid(NO_FAULT))
    }

    fn plan(&self, tenant: TenantId, faults: &[Fault]) -> Result<FaultPlan> {
        let burst = faults.iter().find_map(|fault| match fault {
            Fault::Refuse(count) => Some(*count),
            _ => None,
        });
        if self.faults.counts.refuses(tenant, burst) {
            return Err(Error::TooManyRequests {
                per_minute: self.settings.requests_per_minute.get(),
                retry_after_s: RETRY_AFTER_S,
            });
        }
        let mut plan = FaultPlan::default();
        for fault in faults {
            match *fault {
                Fault::CommitThen500 => plan.ending = Some(Ending::Error),
                Fault::CommitThenDrop => plan.ending = Some(Ending::Drop),
                Fault::Delay(delay) => plan.delay = Some(delay),
                Fault::TransferError(code) => plan.asked.transfer_error = Some(code),
                Fault::Delivery(fault) => plan.asked.delivery = Some(fault),
                Fault::Refuse(_) => {}
            }
        }
        Ok(plan)
    }

    /// The switched faults whose turn it is: those of deliveries, or all others.
    pub(crate) fn switched_faults(&self, tenant: TenantId, of_deliveries: bool) -> Vec<Fault> {
        if !self.multi.settings.any_faults() {
            return Vec::new();
        }
        let settings = self.multi.settings.get(tenant);
        let switches = settings.faults.iter().filter_map(|switch| {
            let fault = Fault::parse(&switch.fault)?;
            (matches!(fault, Fault::Delivery(_)) == of_deliveries).then_some((fault, switch.every))
        });
        let counts = &self.faults.counts;
        switches
            .filter(|(fault, every)| counts.is_turn(tenant, *fault, *every))
            .map(|(fault, _)| fault)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId::new(1);

    #[test]
    fn a_switch_has_its_turn_every_so_often() {
        let counts = Counts::default();
        let mut turns = Vec::new();
        for _ in 0..7 {
            turns.push(counts.is_turn(TENANT, Fault::CommitThen500, 3));
        }
        assert_eq!(turns, [true, false, false, true, false, false, true]);
        assert!(counts.is_turn(TenantId::new(2), Fault::CommitThen500, 3));
    }

    #[test]
    fn a_burst_refuses_as_many_as_it_says_and_no_others() {
        let counts = Counts::default();
        assert!(!counts.refuses(TENANT, None));
        assert!(counts.refuses(TENANT, Some(3)));
        assert!(!counts.refuses(TenantId::new(2), None));
        assert!(counts.refuses(TENANT, None));
        assert!(counts.refuses(TENANT, None));
        assert!(!counts.refuses(TENANT, None));
    }
}
