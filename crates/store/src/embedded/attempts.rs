//! Transcripts of webhooks in a file of their own: losing it loses nothing of the ledger.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ledger::{Millis, TenantId};
use rusqlite::{Connection, Row, params};

use crate::attempts::{Attempt, AttemptQuery};
use crate::history::Place;
use crate::{Result, StoreError};

/// The file in the data folder.
const FILE: &str = "webhooks.sqlite";
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS attempts (
    tenant INTEGER NOT NULL, endpoint INTEGER NOT NULL, id INTEGER NOT NULL,
    event INTEGER NOT NULL, tries INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    elapsed_ms INTEGER NOT NULL, status INTEGER, failure TEXT, request TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (tenant, endpoint, id)) WITHOUT ROWID";

/// See the module.
pub(crate) struct Attempts {
    path: PathBuf,
    connection: Arc<Mutex<Option<Connection>>>,
}

impl Attempts {
    pub(crate) fn new(folder: &Path) -> Attempts {
        Attempts {
            path: folder.join(FILE),
            connection: Arc::default(),
        }
    }

    pub(crate) async fn add(&self, attempts: Vec<Attempt>) -> Result<()> {
        self.run(move |connection| {
            let transaction = connection.transaction()?;
            {
                let mut put = transaction.prepare_cached(
                    "INSERT OR IGNORE INTO attempts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                )?;
                for attempt in &attempts {
                    put.execute(params![
                        attempt.tenant.raw().cast_signed(),
                        attempt.endpoint.cast_signed(),
                        attempt.id.cast_signed(),
                        attempt.event.raw().cast_signed(),
                        attempt.tries,
                        attempt.at.0,
                        attempt.elapsed_ms,
                        attempt.status,
                        attempt.failure.as_deref(),
                        &*attempt.request,
                        &*attempt.answer,
                    ])?;
                }
            }
            transaction.commit()
        })
        .await
    }

    pub(crate) async fn find(&self, query: AttemptQuery) -> Result<Vec<Attempt>> {
        self.run(move |connection| {
            let mut find = connection.prepare_cached(
                "SELECT tenant, endpoint, id, event, tries, at_ms, elapsed_ms, status, failure, \
                 request, answer FROM attempts WHERE tenant = ?1 AND endpoint = ?2 AND id < ?3 \
                 AND (?4 IS NULL OR event = ?4) ORDER BY id DESC LIMIT ?5",
            )?;
            let before = query.before.map_or(i64::MAX, u64::cast_signed);
            let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
            let values = params![
                query.tenant.raw().cast_signed(),
                query.endpoint.cast_signed(),
                before,
                query.event.map(|event| event.raw().cast_signed()),
                limit,
            ];
            find.query_map(values, read)?.collect()
        })
        .await
    }

    pub(crate) async fn cut(&self, tenant: TenantId, endpoint: u64, before: u64) -> Result<()> {
        self.run(move |connection| {
            let mut cut = connection.prepare_cached(
                "DELETE FROM attempts WHERE tenant = ?1 AND endpoint = ?2 AND id < ?3",
            )?;
            let tenant = tenant.raw().cast_signed();
            cut.execute(params![
                tenant,
                endpoint.cast_signed(),
                before.cast_signed()
            ])?;
            Ok(())
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (shared, path) = (Arc::clone(&self.connection), self.path.clone());
        let done = tokio::task::spawn_blocking(move || {
            let mut open = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let connection = match &mut *open {
                Some(connection) => connection,
                closed => closed.insert(connect(&path)?),
            };
            work(connection)
        });
        match done.await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(StoreError::unavailable(error.to_string())),
            Err(_) => Err(StoreError::unavailable("transcripts cannot be reached")),
        }
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let raw = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    Ok(Attempt {
        tenant: TenantId::new(raw(0)?),
        endpoint: raw(1)?,
        id: raw(2)?,
        event: Place::from_raw(raw(3)?),
        tries: row.get(4)?,
        at: Millis(row.get(5)?),
        elapsed_ms: row.get(6)?,
        status: row.get(7)?,
        failure: row.get::<_, Option<String>>(8)?.map(Arc::from),
        request: row.get::<_, String>(9)?.into(),
        answer: row.get::<_, String>(10)?.into(),
    })
}
