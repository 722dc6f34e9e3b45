//! Which transfers have deliveries that are to go wrong.
//!
//! A delivery may be read before the request that made its transfer knows the transfer's id. So the
//! request says beforehand that it is going to mark one, and deliveries of its tenant wait for it. In
//! memory: after a restart, or when another server delivers, nothing goes wrong.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use ledger::{TenantId, TransferId};

use super::DeliveryFault;

/// Transfers that are remembered; the oldest are forgotten.
const MARKS_MAX: usize = 10_000;

/// See the module.
#[derive(Default)]
pub(crate) struct Marks {
    marked: Mutex<Marked>,
}

#[derive(Default)]
struct Marked {
    /// Requests that are going to mark a transfer.
    coming: HashMap<TenantId, u32>,
    faults: HashMap<TransferId, DeliveryFault>,
    order: VecDeque<TransferId>,
}

/// A request that is going to mark a transfer, until it is dropped.
pub(crate) struct Coming<'a> {
    marks: &'a Marks,
    tenant: TenantId,
    fault: DeliveryFault,
}

impl Marks {
    /// Announces that a transfer of a tenant is going to be marked.
    pub(crate) fn announce(&self, tenant: TenantId, fault: DeliveryFault) -> Coming<'_> {
        let mut marked = self.lock();
        let coming = marked.coming.entry(tenant).or_default();
        *coming = coming.saturating_add(1);
        Coming {
            marks: self,
            tenant,
            fault,
        }
    }

    /// Whether a transfer of this tenant is going to be marked.
    pub(crate) fn is_coming(&self, tenant: TenantId) -> bool {
        self.lock().coming.contains_key(&tenant)
    }

    /// What is to go wrong with deliveries about a transfer.
    pub(crate) fn of(&self, transfer: TransferId) -> Option<DeliveryFault> {
        self.lock().faults.get(&transfer).copied()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Marked> {
        self.marked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Coming<'_> {
    /// This is the transfer.
    pub(crate) fn mark(&self, transfer: TransferId) {
        let mut marked = self.marks.lock();
        if marked.faults.insert(transfer, self.fault).is_none() {
            marked.order.push_back(transfer);
        }
        if marked.order.len() > MARKS_MAX
            && let Some(oldest) = marked.order.pop_front()
        {
            marked.faults.remove(&oldest);
        }
    }
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        let mut marked = self.marks.lock();
        if let Some(coming) = marked.coming.get_mut(&self.tenant) {
            *coming = coming.saturating_sub(1);
            if *coming == 0 {
                marked.coming.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_wait_until_every_mark_is_made() {
        let (tenant, transfer) = (TenantId::new(1), TransferId::new(7));
        let marks = Marks::default();
        let first = marks.announce(tenant, DeliveryFault::Unsigned);
        let second = marks.announce(tenant, DeliveryFault::Duplicate);
        assert!(!marks.is_coming(TenantId::new(2)));
        first.mark(transfer);
        drop(first);
        assert!(marks.is_coming(tenant));
        drop(second);
        assert!(!marks.is_coming(tenant));
        assert_eq!(marks.of(transfer), Some(DeliveryFault::Unsigned));
        assert_eq!(marks.of(TransferId::new(8)), None);
    }
}
