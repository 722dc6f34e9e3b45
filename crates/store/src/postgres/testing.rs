//! What tests of reads and of verification stand on: a history that an embedded store has lived
//! through, and its rows in a PostgreSQL database.

mod history;

use std::path::Path;
use std::sync::Arc;

use sim::postgres::Database;
use tempfile::TempDir;

use super::connect::DatabaseUrl;
use super::migrate::tests::complete;
use super::pool::{READS, Readers};
use crate::copy::{Place, Plan, copy};
use crate::embedded::{Embedded, JOURNAL, Options};
use crate::{Clock, ManualClock, Store};
pub(crate) use history::{START, World, usd};

/// Two stores with the same history.
pub(super) struct Twins {
    pub embedded: Arc<Embedded>,
    pub database: Database,
    pub readers: Readers,
    pub worlds: Vec<World>,
    folder: TempDir,
}

impl Twins {
    /// Histories of `tenants` tenants, `steps` random steps each.
    pub(super) async fn new(seed: u64, tenants: usize, steps: usize) -> Twins {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(ManualClock::new(START));
        let embedded = Embedded::open(&Options {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ..Options::new(folder.path())
        });
        let embedded = Arc::new(embedded.expect("a new store"));
        let mut worlds = Vec::new();
        for number in 0..tenants {
            let mut world = World::new(
                Arc::clone(&embedded) as Arc<dyn Store>,
                seed + number as u64,
            )
            .await;
            for _ in 0..steps {
                world.step(&clock).await;
            }
            worlds.push(world);
        }
        for world in &mut worlds {
            world.finish().await;
            embedded.quiesce(world.tenant).await.expect("writes work");
        }
        // Brings the views to the end.
        embedded.tenants().await.expect("reads work");
        let database = complete();
        let url: DatabaseUrl = database.url().parse().expect("a URL");
        copy_journal(folder.path(), &url).await;
        Twins {
            readers: Readers::new(&url, &READS).expect("a pool"),
            embedded,
            database,
            worlds,
            folder,
        }
    }

    /// The embedded store's folder.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Copies what the journal of a store has, which may be open.
async fn copy_journal(folder: &Path, url: &DatabaseUrl) {
    let beside = tempfile::tempdir().expect("a temporary folder");
    let journal = beside.path().join(JOURNAL);
    std::fs::create_dir(&journal).expect("a new folder");
    for file in std::fs::read_dir(folder.join(JOURNAL)).expect("a journal") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), journal.join(file.file_name())).expect("room for a copy");
    }
    let plan = Plan {
        from: Place::Folder(beside.path().to_owned()),
        to: Place::Database(Box::new(url.clone())),
        facts: Vec::new(),
        files: Vec::new(),
        clock: Arc::new(ManualClock::new(START)),
    };
    let copied = copy(&plan, |_| ()).await;
    copied.unwrap_or_else(|error| panic!("{error}"));
}
