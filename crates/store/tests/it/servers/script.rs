//! Faults that happen when a test says so, and a gate that holds transactions up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use store::BoxFuture;
use store::postgres::{Fault, Faults, Point};
use tokio::sync::watch;

/// See the module. Every transaction passes unless something else was asked for.
pub struct Script {
    faults: Mutex<VecDeque<(Point, Fault)>>,
    /// Where transactions are held up.
    closed: watch::Sender<Option<Point>>,
    /// Where one is being held up.
    held: watch::Sender<Option<Point>>,
}

impl Script {
    pub fn new() -> Arc<Script> {
        Arc::new(Script {
            faults: Mutex::default(),
            closed: watch::Sender::new(None),
            held: watch::Sender::new(None),
        })
    }

    /// The next transaction that comes to this point meets this fault; called again, the one after
    /// it, and so on.
    pub fn fault(&self, point: Point, fault: Fault) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.push_back((point, fault));
    }

    /// How many faults have not happened yet.
    pub fn left(&self) -> usize {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.len()
    }

    /// Holds up what comes to this point.
    pub fn close(&self, point: Point) {
        self.closed.send_replace(Some(point));
    }

    /// Returns when something is held up.
    pub async fn wait_for_one(&self) {
        let mut held = self.held.subscribe();
        drop(held.wait_for(Option::is_some).await);
    }

    /// Returns when something is held up there.
    pub async fn wait_at(&self, point: Point) {
        let mut held = self.held.subscribe();
        drop(held.wait_for(|held| *held == Some(point)).await);
    }

    /// Lets everything pass.
    pub fn open(&self) {
        self.closed.send_replace(None);
    }
}

impl Faults for Script {
    fn at(&self, point: Point) -> BoxFuture<'_, Option<Fault>> {
        Box::pin(async move {
            let mut closed = self.closed.subscribe();
            if *closed.borrow_and_update() == Some(point) {
                self.held.send_replace(Some(point));
                drop(closed.wait_for(|closed| *closed != Some(point)).await);
                self.held.send_replace(None);
            }
            let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
            match faults.front() {
                Some((at, _)) if *at == point => faults.pop_front().map(|(_, fault)| fault),
                _ => None,
            }
        })
    }
}
