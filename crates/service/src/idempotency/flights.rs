//! Requests with an idempotency key that are under way on this server, and the last ones that were
//! refused without using their key up.
//!
//! In memory: what is durable is in the store. A restart forgets refusals of keys that are free again;
//! nothing is under way then.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger::{Millis, Rejection};
use store::{Fingerprint, Outcome, StoreError, Submit};

use crate::Service;

/// Refusals that are kept; the oldest are forgotten.
const REFUSALS_MAX: usize = 4_096;

/// See the module.
#[derive(Default)]
pub(crate) struct Flights(Mutex<Known>);

#[derive(Default)]
struct Known {
    under_way: HashMap<Fingerprint, u32>,
    refused: HashMap<Fingerprint, (Millis, Rejection)>,
    order: VecDeque<Fingerprint>,
}

/// A request that is under way until it is dropped.
pub(super) struct Flight<'a> {
    flights: &'a Flights,
    key: Fingerprint,
}

impl Flights {
    pub(super) fn begin(&self, key: Fingerprint) -> Flight<'_> {
        let mut known = self.lock();
        let count = known.under_way.entry(key).or_default();
        *count = count.saturating_add(1);
        Flight { flights: self, key }
    }

    /// Whether a request with this key is under way.
    pub(super) fn is_under_way(&self, key: &Fingerprint) -> bool {
        self.lock().under_way.contains_key(key)
    }

    /// Why the last request with this key was refused, and when, by the machine's clock.
    pub(super) fn refusal(&self, key: &Fingerprint) -> Option<(Millis, Rejection)> {
        self.lock().refused.get(key).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight<'_> {
    fn refused(&self, at: Millis, rejection: Rejection) {
        let mut known = self.flights.lock();
        if known.refused.insert(self.key, (at, rejection)).is_none() {
            known.order.push_back(self.key);
        }
        if known.order.len() > REFUSALS_MAX
            && let Some(oldest) = known.order.pop_front()
        {
            known.refused.remove(&oldest);
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut known = self.flights.lock();
        if let Some(count) = known.under_way.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                known.under_way.remove(&self.key);
            }
        }
    }
}

impl Service {
    /// Submits, and keeps in mind what is under way with an idempotency key and what it was refused
    /// for.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn submit(
        &self,
        submit: Submit,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send + '_ {
        let flight = submit.claim.as_ref().map(|claim| {
            let stays_free = !claim.remember_refusals;
            (self.flights.begin(claim.key), stays_free)
        });
        // The store's future has it; this one does not carry it, too.
        let outcome = self.store.submit(submit);
        async move {
            let outcome = outcome.await;
            if let Some((flight, true)) = &flight
                && let Ok(Outcome::Refused(rejection)) = &outcome
            {
                flight.refused(self.store.now(), rejection.clone());
            }
            outcome
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_under_way_until_its_last_request_ends() {
        let flights = Flights::default();
        let key = [7; 16];
        let (first, second) = (flights.begin(key), flights.begin(key));
        drop(first);
        assert!(flights.is_under_way(&key));
        drop(second);
        assert!(!flights.is_under_way(&key));
    }

    #[test]
    fn refusals_are_kept_within_bounds() {
        let flights = Flights::default();
        let key = |number: usize| {
            let mut key = [0; 16];
            key[..8].copy_from_slice(&number.to_le_bytes());
            key
        };
        for number in 0..=REFUSALS_MAX {
            let flight = flights.begin(key(number));
            flight.refused(Millis(1), Rejection::SameAccount);
        }
        assert_eq!(flights.refusal(&key(0)), None);
        let last = flights.refusal(&key(REFUSALS_MAX));
        assert_eq!(last, Some((Millis(1), Rejection::SameAccount)));
    }
}
