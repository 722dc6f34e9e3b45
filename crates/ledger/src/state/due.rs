//! Waiting work, ordered by the machine's time although each tenant has a clock of its own.
//!
//! Each tenant's work is a set ordered by the tenant's time; a wheel holds the machine's time of
//! every tenant's first piece. Setting a clock therefore moves one row of the wheel, however much
//! work waits.

use std::collections::{BTreeSet, HashMap};

use crate::effect::Due;
use crate::id::TenantId;
use crate::tenant::TenantClock;
use crate::time::Millis;

#[derive(Clone, Default, Debug)]
pub(super) struct DueQueue {
    tenants: HashMap<TenantId, Waiting>,
    wheel: BTreeSet<(Millis, TenantId)>,
    len: usize,
}

#[derive(Clone, Debug)]
struct Waiting {
    clock: TenantClock,
    work: BTreeSet<Due>,
}

impl Waiting {
    /// Where the tenant stands on the wheel; `None` when nothing waits.
    fn turn(&self) -> Option<Millis> {
        self.work
            .first()
            .map(|due| self.clock.machine_time_of(due.at))
    }
}

impl DueQueue {
    pub(super) fn insert(&mut self, due: Due, clock: TenantClock) -> bool {
        let entry = self.tenants.entry(due.tenant).or_insert_with(|| Waiting {
            clock,
            work: BTreeSet::new(),
        });
        let before = entry.turn();
        let added = entry.work.insert(due);
        let after = entry.turn();
        self.len = self.len.saturating_add(usize::from(added));
        self.turn_wheel(due.tenant, before, after);
        added
    }

    pub(super) fn remove(&mut self, due: &Due) -> bool {
        let Some(entry) = self.tenants.get_mut(&due.tenant) else {
            return false;
        };
        let before = entry.turn();
        let removed = entry.work.remove(due);
        let after = entry.turn();
        self.len = self.len.saturating_sub(usize::from(removed));
        self.turn_wheel(due.tenant, before, after);
        removed
    }

    pub(super) fn set_clock(&mut self, tenant: TenantId, clock: TenantClock) {
        let Some(entry) = self.tenants.get_mut(&tenant) else {
            return;
        };
        let before = entry.turn();
        entry.clock = clock;
        let after = entry.turn();
        self.turn_wheel(tenant, before, after);
    }

    pub(super) fn contains(&self, due: &Due) -> bool {
        self.tenants
            .get(&due.tenant)
            .is_some_and(|entry| entry.work.contains(due))
    }

    pub(super) fn next(&self, machine: Millis) -> Option<Due> {
        let (at, tenant) = self.wheel.first()?;
        if *at > machine || *at == Millis::NEVER {
            return None;
        }
        self.tenants.get(tenant)?.work.first().copied()
    }

    pub(super) fn next_at(&self) -> Millis {
        self.wheel.first().map_or(Millis::NEVER, |(at, _)| *at)
    }

    pub(super) fn of(&self, tenant: TenantId) -> impl Iterator<Item = &Due> {
        self.tenants
            .get(&tenant)
            .into_iter()
            .flat_map(|entry| entry.work.iter())
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    fn turn_wheel(&mut self, tenant: TenantId, before: Option<Millis>, after: Option<Millis>) {
        if before == after {
            return;
        }
        if let Some(at) = before {
            self.wheel.remove(&(at, tenant));
        }
        if let Some(at) = after {
            self.wheel.insert((at, tenant));
        }
    }
}
