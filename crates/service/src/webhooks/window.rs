//! What may be sent now: the next events of an endpoint, in order within each lane.
//!
//! An event is started when no earlier one that shares a lane with it is under way or waits for its
//! next try. So each account's events arrive in order, and one that fails holds up its own accounts
//! and nothing else. What is behind it is *held*: kept apart, so that it takes no room from the
//! others, and told by its place, so that the cursor does not wait for it. Pure: time is handed in.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use ledger::Millis;
use store::Place;

use crate::events::Event;
use crate::faults::{DeliveryFault, REORDER_MS};

/// Events that are looked at ahead.
pub(super) const WINDOW: usize = 256;
/// Events that may be held before nothing more is read.
pub(super) const HELD_MAX: usize = 1_024;
/// Events that may wait for their next try before nothing new is started.
pub(super) const WAITING_MAX: usize = 64;

/// An event that is not over.
pub(super) struct Slot {
    pub event: Arc<Event>,
    lanes: Vec<u64>,
    /// Attempts that were made.
    pub tries: u32,
    state: State,
    /// What is to go wrong with its first attempt.
    fault: Option<DeliveryFault>,
    /// Whether it is or was held: until it was tried its place is told, and the cursor goes on.
    was_held: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Ready,
    /// Under way; of a retry it is known when it was due.
    Flying {
        was_due: Option<Millis>,
    },
    Waiting {
        next_at: Millis,
    },
}

/// An attempt that begins.
pub(super) struct Started {
    pub event: Arc<Event>,
    /// The number of this attempt, from 1.
    pub tries: u32,
    /// What goes wrong with it.
    pub fault: Option<DeliveryFault>,
}

/// What became of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Landing {
    /// Nothing more is tried: it was taken, or given up.
    Over,
    /// It is tried again.
    Again { next_at: Millis },
}

/// See the module.
pub(super) struct Window {
    /// By place.
    slots: VecDeque<Slot>,
    /// What was not tried and shares a lane with an earlier one that is tried again or held. By
    /// place.
    held: VecDeque<Slot>,
    /// The lanes of what is tried again, and of what is held.
    blocked: HashSet<u64>,
    /// Whether something is held for want of room alone.
    is_crowded: bool,
    /// How far was read.
    read: Place,
}

impl Window {
    /// Nothing yet, read up to `read`.
    pub(super) fn new(read: Place) -> Window {
        Window {
            slots: VecDeque::new(),
            held: VecDeque::new(),
            blocked: HashSet::new(),
            is_crowded: false,
            read,
        }
    }

    /// Adds an event that waits for its next try since before. Before any others.
    pub(super) fn restore(&mut self, event: Event, tries: u32, next_at: Millis) {
        let state = State::Waiting { next_at };
        self.slots.push_back(slot(event, tries, state, None));
        self.sort();
    }

    /// Adds events that were held. After those that wait, before any others.
    pub(super) fn restore_held(&mut self, events: Vec<Event>) {
        for event in events {
            let mut slot = slot(event, 0, State::Ready, None);
            slot.was_held = true;
            self.held.push_back(slot);
        }
        self.sort();
    }

    /// Adds an event that was read, and what is to go wrong with its first attempt.
    pub(super) fn push(&mut self, event: Event, fault: Option<DeliveryFault>) {
        let mut slot = slot(event, 0, State::Ready, fault);
        if slot.shares(&self.blocked) {
            self.blocked.extend(slot.lanes.iter().copied());
            slot.was_held = true;
            self.held.push_back(slot);
        } else {
            self.slots.push_back(slot);
        }
    }

    /// Parts what is held from what is not, anew.
    fn sort(&mut self) {
        let mut all: Vec<Slot> = self.slots.drain(..).chain(self.held.drain(..)).collect();
        all.sort_by_key(|slot| slot.event.id);
        let mut room = WINDOW.saturating_sub(all.iter().filter(|slot| slot.is_tried()).count());
        self.blocked.clear();
        self.is_crowded = false;
        for mut slot in all {
            if slot.is_retried() {
                self.blocked.extend(slot.lanes.iter().copied());
            }
            if slot.is_tried() {
                self.slots.push_back(slot);
                continue;
            }
            let is_blocked = slot.shares(&self.blocked);
            if is_blocked || room == 0 {
                self.is_crowded |= !is_blocked;
                self.blocked.extend(slot.lanes.iter().copied());
                slot.was_held = true;
                self.held.push_back(slot);
            } else {
                room = room.saturating_sub(1);
                self.slots.push_back(slot);
            }
        }
    }

    /// Everything up to here was read and added, as far as it is wanted.
    pub(super) fn read_to(&mut self, place: Place) {
        self.read = self.read.max(place);
    }

    pub(super) fn read(&self) -> Place {
        self.read
    }

    /// How many events may be added.
    pub(super) fn room(&self) -> usize {
        if self.waiting() >= WAITING_MAX {
            return 0;
        }
        let room = WINDOW.saturating_sub(self.slots.len());
        room.min(HELD_MAX.saturating_sub(self.held.len()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.held.is_empty()
    }

    fn waiting(&self) -> usize {
        let waits = |slot: &&Slot| matches!(slot.state, State::Waiting { .. });
        self.slots.iter().filter(waits).count()
    }

    /// Starts at most `most` events.
    pub(super) fn start(&mut self, now: Millis, most: usize) -> Vec<Started> {
        let is_stuck = self.waiting() >= WAITING_MAX;
        let mut started = Vec::new();
        let mut busy = HashSet::new();
        for slot in &mut self.slots {
            if started.len() >= most {
                break;
            }
            if slot.is_overtaken(now) {
                continue;
            }
            let is_free = !slot.lanes.iter().any(|lane| busy.contains(lane));
            busy.extend(slot.lanes.iter().copied());
            let (is_due, was_due) = match slot.state {
                State::Ready => (!is_stuck && !slot.is_late(now), None),
                State::Waiting { next_at } => (next_at <= now, Some(next_at)),
                State::Flying { .. } => (false, None),
            };
            if is_free && is_due {
                slot.state = State::Flying { was_due };
                slot.tries = slot.tries.saturating_add(1);
                started.push(Started {
                    event: Arc::clone(&slot.event),
                    tries: slot.tries,
                    fault: slot.fault.take(),
                });
            }
        }
        started
    }

    /// An attempt has ended.
    pub(super) fn land(&mut self, event: Place, landing: Landing) {
        let Some(place) = self.slots.iter().position(|slot| slot.event.id == event) else {
            return;
        };
        match landing {
            Landing::Over => {
                let over = self.slots.remove(place);
                self.let_overtaken_go(place);
                let has_room = self.is_crowded && self.slots.len() <= WINDOW / 2;
                if has_room || over.is_some_and(|slot| slot.is_retried()) {
                    self.sort();
                }
            }
            Landing::Again { next_at } => {
                if let Some(slot) = self.slots.get_mut(place) {
                    slot.state = State::Waiting { next_at };
                }
                self.sort();
            }
        }
    }

    /// Something behind them has arrived: the slots before `place` that were to be overtaken have been.
    fn let_overtaken_go(&mut self, place: usize) {
        for slot in self.slots.iter_mut().take(place) {
            if slot.fault == Some(DeliveryFault::Reorder) {
                slot.fault = None;
            }
        }
    }

    /// Up to where every event is over, waits for its next try, or is held.
    pub(super) fn settled(&self) -> Place {
        let is_new = |slot: &&Slot| !slot.was_held && !slot.is_retried();
        match self.slots.iter().find(is_new) {
            Some(slot) => Place::from_raw(slot.event.id.raw().saturating_sub(1)),
            None => self.read,
        }
    }

    /// The events up to `through` that wait for their next try, or whose next try is under way: id,
    /// attempts that have ended, time.
    pub(super) fn retries(&self, through: Place) -> Vec<(Place, u32, Millis)> {
        let waits = |slot: &Slot| match slot.state {
            State::Waiting { next_at } => Some((slot.event.id, slot.tries, next_at)),
            State::Flying {
                was_due: Some(next_at),
            } => Some((slot.event.id, slot.tries.saturating_sub(1), next_at)),
            State::Ready | State::Flying { was_due: None } => None,
        };
        let retries = self.slots.iter().filter_map(waits);
        retries.filter(|(event, _, _)| *event <= through).collect()
    }

    /// The events up to `through` that are held, or were and have not been tried to their end.
    pub(super) fn held(&self, through: Place) -> Vec<Place> {
        let untried = |slot: &&Slot| slot.was_held && !slot.is_retried();
        let all = self.slots.iter().filter(untried).chain(&self.held);
        let mut held: Vec<Place> = all.map(|slot| slot.event.id).collect();
        held.retain(|event| *event <= through);
        held.sort_unstable();
        held
    }

    /// How many are held.
    pub(super) fn held_len(&self) -> usize {
        self.held.len()
    }
}

impl Slot {
    /// Whether it waits for its next try, or is tried again.
    fn is_retried(&self) -> bool {
        match self.state {
            State::Waiting { .. } => true,
            State::Flying { was_due } => was_due.is_some(),
            State::Ready => false,
        }
    }

    /// Whether it was tried, or is.
    fn is_tried(&self) -> bool {
        self.state != State::Ready
    }

    fn shares(&self, lanes: &HashSet<u64>) -> bool {
        self.lanes.iter().any(|lane| lanes.contains(lane))
    }

    /// Whether it still waits to be overtaken: the events behind it do not wait for it.
    fn is_overtaken(&self, now: Millis) -> bool {
        self.fault == Some(DeliveryFault::Reorder)
            && now.since(self.event.committed_at) < REORDER_MS
    }

    /// Whether it is held back: the events behind it wait.
    fn is_late(&self, now: Millis) -> bool {
        match self.fault {
            Some(DeliveryFault::Late(delay)) => {
                let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
                now.since(self.event.committed_at) < delay
            }
            _ => false,
        }
    }
}

fn slot(event: Event, tries: u32, state: State, fault: Option<DeliveryFault>) -> Slot {
    Slot {
        fault,
        was_held: false,
        lanes: event.lanes(),
        event: Arc::new(event),
        tries,
        state,
    }
}

#[cfg(test)]
mod tests {
    use ledger::{AccountId, Amount, Currency, HoldId};
    use ledger::{Effect, Hold, TenantId};
    use store::Fact;

    use super::*;
    use crate::events::Object;

    const NOW: Millis = Millis(1_000);

    /// An event about one account.
    fn event(id: u64, account: u64) -> Event {
        let hold = Hold {
            id: HoldId::new(id),
            tenant: TenantId::new(1),
            account: AccountId::new(account),
            amount: Amount::new(1, Currency::USD).expect("positive"),
            created_at: NOW,
            expires_at: None,
        };
        Event {
            id: Place::from_raw(id * 10),
            tenant: TenantId::new(1),
            name: "hold.placed",
            at: NOW,
            committed_at: NOW,
            fact: Fact::Ledger(Effect::HoldPlaced(hold)),
            object: Object::None,
        }
    }

    fn window(events: &[(u64, u64)]) -> Window {
        let mut window = Window::new(Place::START);
        for (id, account) in events {
            window.push(event(*id, *account), None);
            window.read_to(Place::from_raw(id * 10));
        }
        window
    }

    fn started(window: &mut Window, now: Millis, most: usize) -> Vec<u64> {
        let started = window.start(now, most);
        started.iter().map(|one| one.event.id.raw() / 10).collect()
    }

    fn place(id: u64) -> Place {
        Place::from_raw(id * 10)
    }

    #[test]
    fn one_account_is_told_in_order_and_others_beside_it() {
        let mut window = window(&[(1, 7), (2, 7), (3, 8), (4, 9)]);
        assert_eq!(started(&mut window, NOW, 2), [1, 3]);
        assert_eq!(started(&mut window, NOW, 8), [4]);
        assert_eq!(window.settled(), Place::from_raw(9));
        window.land(place(1), Landing::Over);
        assert_eq!(window.settled(), Place::from_raw(19));
        assert_eq!(started(&mut window, NOW, 8), [2]);
        for id in 2..5 {
            window.land(place(id), Landing::Over);
        }
        assert!(window.is_empty());
        assert_eq!(window.settled(), place(4));
    }

    #[test]
    fn what_waits_holds_up_its_account_alone_and_is_remembered() {
        let mut window = window(&[(1, 7), (2, 7), (3, 8)]);
        assert_eq!(started(&mut window, NOW, 8), [1, 3]);
        let next_at = NOW.plus(5);
        window.land(place(1), Landing::Again { next_at });
        window.land(place(3), Landing::Over);
        assert_eq!(started(&mut window, NOW, 8), [0_u64; 0]);
        // The second of the account was not begun: it is held.
        let remembered = |window: &Window| {
            assert_eq!(window.settled(), place(3));
            assert_eq!(window.held(place(3)), [place(2)]);
            assert_eq!(window.held(place(1)), [Place::START; 0]);
            window.retries(place(3))
        };
        assert_eq!(remembered(&window), [(place(1), 1, next_at)]);
        assert_eq!(started(&mut window, next_at, 8), [1]);
        // While it is tried again, it is still remembered as one that waits.
        assert_eq!(remembered(&window), [(place(1), 1, next_at)]);
        window.land(place(1), Landing::Over);
        // So is the second until it was tried.
        assert_eq!(started(&mut window, next_at, 8), [2]);
        assert_eq!(remembered(&window), []);
        window.land(place(2), Landing::Again { next_at });
        assert_eq!(window.held(place(3)), [Place::START; 0]);
        assert_eq!(window.retries(place(3)), [(place(2), 1, next_at)]);
    }

    /// One account fails; it and whoever it shares events with wait, and nobody else, for as many
    /// events as may be held.
    #[test]
    fn what_is_held_takes_no_room_from_others() {
        let mut window = window(&[(1, 7)]);
        assert_eq!(started(&mut window, NOW, 8), [1]);
        let next_at = NOW.plus(5);
        window.land(place(1), Landing::Again { next_at });
        let mut id = 1;
        let mut read = |window: &mut Window, account| {
            id += 1;
            window.push(event(id, account), None);
            window.read_to(place(id));
            id
        };
        for _ in 0..HELD_MAX - 1 {
            let held = read(&mut window, 7);
            let free = read(&mut window, 8);
            assert_eq!(started(&mut window, NOW, 8), [free]);
            assert!(window.room() > 0);
            window.land(place(free), Landing::Over);
            assert_eq!(window.settled(), place(free));
            assert_eq!(window.held(place(free)).last(), Some(&place(held)));
        }
        let last = read(&mut window, 7);
        assert_eq!((window.room(), window.held_len()), (0, HELD_MAX));
        // Taken at last: the others follow in their order, as many at a time as there is room for.
        assert_eq!(started(&mut window, next_at, 8), [1]);
        window.land(place(1), Landing::Over);
        assert_eq!(window.held_len(), HELD_MAX - WINDOW);
        let mut told = Vec::new();
        while !window.is_empty() {
            assert_eq!(window.settled(), place(last));
            let [next] = started(&mut window, next_at, 8)[..] else {
                panic!("one at a time");
            };
            window.land(place(next), Landing::Over);
            told.push(next);
        }
        assert_eq!(told.len(), HELD_MAX);
        assert!(told.is_sorted() && told.last() == Some(&last));
        assert_eq!(window.room(), WINDOW);
    }

    #[test]
    fn what_was_held_before_a_restart_comes_before_what_is_read() {
        let mut window = Window::new(place(5));
        window.restore(event(2, 7), 3, NOW.plus(5));
        window.restore_held(vec![event(3, 7), event(4, 8), event(5, 7)]);
        window.push(event(6, 7), None);
        window.push(event(7, 8), None);
        window.read_to(place(7));
        // Whatever held it up is over: it goes, and what is behind it after it.
        assert_eq!(started(&mut window, NOW, 8), [4]);
        assert_eq!(window.settled(), Place::from_raw(69));
        assert_eq!(window.held(place(5)), [place(3), place(4), place(5)]);
        assert_eq!(started(&mut window, NOW.plus(5), 8), [2]);
        window.land(place(2), Landing::Over);
        window.land(place(4), Landing::Over);
        assert_eq!(started(&mut window, NOW.plus(5), 8), [3, 7]);
    }

    #[test]
    fn a_dead_endpoint_stops_the_reading() {
        let events: Vec<(u64, u64)> = (1..200).map(|id| (id, id)).collect();
        let mut window = window(&events);
        let next_at = NOW.plus(9);
        let mut tried = Vec::new();
        loop {
            let batch = started(&mut window, NOW, 8);
            if batch.is_empty() {
                break;
            }
            for id in &batch {
                window.land(place(*id), Landing::Again { next_at });
            }
            tried.extend(batch);
        }
        assert_eq!(tried.len(), WAITING_MAX);
        assert_eq!(window.room(), 0);
        assert_eq!(window.retries(window.settled()).len(), WAITING_MAX);
        // Those that wait are tried again, and one that is taken lets the others go on.
        assert_eq!(started(&mut window, next_at, 1), [1]);
        window.land(place(1), Landing::Over);
        assert!(window.room() > 0);
    }

    #[test]
    fn what_waited_before_a_restart_goes_on() {
        let mut window = Window::new(place(5));
        window.restore(event(2, 7), 3, NOW.plus(5));
        window.push(event(6, 7), None);
        window.read_to(place(6));
        assert_eq!(window.settled(), place(6));
        assert_eq!(window.held(place(6)), [place(6)]);
        assert_eq!(started(&mut window, NOW, 8), [0_u64; 0]);
        assert_eq!(window.start(NOW.plus(5), 8)[0].tries, 4);
    }

    #[test]
    fn what_is_to_be_overtaken_waits_for_one_behind_it_but_not_for_ever() {
        let mut window = Window::new(Place::START);
        window.push(event(1, 7), Some(DeliveryFault::Reorder));
        assert_eq!(started(&mut window, NOW, 8), [0_u64; 0]);
        window.push(event(2, 7), None);
        assert_eq!(started(&mut window, NOW, 8), [2]);
        window.land(place(2), Landing::Over);
        assert_eq!(started(&mut window, NOW, 8), [1]);
        window.push(event(3, 7), Some(DeliveryFault::Reorder));
        window.land(place(1), Landing::Over);
        assert_eq!(
            started(&mut window, NOW.plus(REORDER_MS - 1), 8),
            [0_u64; 0]
        );
        assert_eq!(started(&mut window, NOW.plus(REORDER_MS), 8), [3]);
    }

    #[test]
    fn what_is_late_holds_up_its_accounts() {
        let mut window = Window::new(Place::START);
        let late = DeliveryFault::Late(std::time::Duration::from_millis(500));
        window.push(event(1, 7), Some(late));
        window.push(event(2, 7), None);
        window.push(event(3, 8), None);
        assert_eq!(started(&mut window, NOW.plus(499), 8), [3]);
        assert_eq!(started(&mut window, NOW.plus(500), 8), [1]);
    }
}
