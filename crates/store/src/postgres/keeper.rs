//! The task that looks around: for work that is due in this server's lanes, for lanes to take over,
//! and for what other servers have changed. It has a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::connect::DatabaseUrl;
use super::due;
use super::failure::Failure;
use super::lanes::Lanes;
use super::node::Name;
use super::notices::{Notice, Seen};
use super::session::{Limits, Session};
use super::shared::Shared;
use crate::clock::Clock;

/// Between two looks: work is done within a second of its time.
const LOOK: Duration = Duration::from_millis(400);

/// See the module.
pub(crate) struct Keeper {
    pub url: DatabaseUrl,
    pub limits: Limits,
    pub clock: Arc<dyn Clock>,
    pub name: Name,
    pub shared: Arc<Shared>,
    pub closing: watch::Receiver<bool>,
    pub lanes: Lanes,
    pub seen: Seen,
}

impl Keeper {
    /// Looks until the server closes.
    pub(crate) async fn run(mut self) {
        let mut session = None;
        while !*self.closing.borrow() {
            if let Err(failure) = self.look(&mut session).await {
                // The committer says it aloud when the database is away.
                tracing::debug!(%failure, "could not look for due work");
                session = None;
            }
            let shared = Arc::clone(&self.shared);
            tokio::select! {
                () = shared.look.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                changed = self.closing.changed() => {
                    if changed.is_err() {
                        break;
                    }
                }
            }
        }
        if let Some(session) = &mut session
            && let Err(failure) = self.lanes.leave(session).await
        {
            tracing::debug!(%failure, "the lanes of this server become free by themselves");
        }
    }

    async fn look(&mut self, kept: &mut Option<Session>) -> Result<(), Failure> {
        let session = match kept {
            Some(session) => session,
            None => {
                let session = Session::open(&self.url, &self.limits).await?;
                let session = kept.insert(session);
                session.call(Lanes::begin()).await?;
                session
            }
        };
        let now = self.clock.now();
        let number = *self.shared.number.borrow();
        self.lanes.share(session, &self.name, number, now).await?;
        let lanes = self.lanes.held(now);
        if !lanes.is_empty() {
            let visits = due::of_lanes(session, &lanes, now).await?;
            self.shared.add_visits(visits);
        }
        for notice in self.seen.look(session, number, now).await? {
            self.tell(notice);
        }
        self.seen.clean(session, now).await
    }

    fn tell(&self, notice: Notice) {
        // Nobody may be listening.
        drop(self.shared.notices.send(notice));
    }
}
