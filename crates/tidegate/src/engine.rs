//! Opens the ledger that the settings name: the data folder's own, or a database.
//!
//! With a database the data folder holds only what is this server's: its secrets, its address, its
//! lock. A folder that was used in one way is not used in the other by mistake: each mistake would
//! begin an empty ledger.

use std::fs::TryLockError;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, bail};
use service::KeyHasher;
use store::postgres::{self, DatabaseUrl, Migrator, Postgres};
use store::{Embedded, FolderLock, Options, Store};

use crate::config::Config;
use crate::secrets;

/// In a data folder whose ledger is in a database: which one.
const DATABASE: &str = "database";
/// The fact that holds the fingerprint of the server secret.
pub(crate) const SECRET_FACT: &str = "server_secret";

/// An open ledger, and what must be kept as long as it is.
pub(crate) struct Engine {
    pub store: Arc<dyn Store>,
    pub hasher: KeyHasher,
    /// Held while the server runs; the embedded store has its own.
    _lock: Option<FolderLock>,
}

/// Opens the ledger.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Engine> {
    match &config.database_url {
        None => open_folder(config).await,
        Some(url) => open_database(config, url).await,
    }
}

/// The database that the ledger of a data folder's server is in, if it is in one.
pub(crate) fn database_of(folder: &Path) -> Option<String> {
    let database = std::fs::read_to_string(folder.join(DATABASE)).ok()?;
    Some(database.trim().to_owned())
}

/// Refuses a data folder whose server has its ledger in a database.
pub(crate) fn must_not_be_elsewhere(folder: &Path) -> anyhow::Result<()> {
    if let Some(database) = database_of(folder) {
        bail!(
            "{} belongs to a server whose ledger is in {database}; name it with --database-url, or \
             choose another --data-dir",
            folder.display()
        );
    }
    Ok(())
}

async fn open_folder(config: &Config) -> anyhow::Result<Engine> {
    let folder = config.data_dir.as_path();
    must_not_be_elsewhere(folder)?;
    let options = Options::new(folder);
    let opened = tokio::task::spawn_blocking(move || Embedded::open(&options)).await?;
    let store = opened?;
    let found = store.opened();
    if found.cut_bytes > 0 {
        tracing::warn!(
            bytes = found.cut_bytes,
            "a commit that was being written when the server last stopped was cut off; \
             nobody had been told that it succeeded"
        );
    }
    tracing::info!(
        folder = %folder.display(),
        batches = found.batches,
        replayed = found.replayed,
        elapsed_ms = u64::try_from(found.elapsed.as_millis()).unwrap_or(u64::MAX),
        "store open"
    );
    let secret = secrets::server_secret(folder, config.server_secret_file.as_deref())?;
    Ok(Engine {
        store: Arc::new(store),
        hasher: KeyHasher::new(secret),
        _lock: None,
    })
}

async fn open_database(config: &Config, url: &DatabaseUrl) -> anyhow::Result<Engine> {
    let lock = prepare_folder(&config.data_dir, url)?;
    if url.is_unverified() {
        tracing::warn!(
            database = %url,
            "nothing makes sure that it is the database who answers; use sslmode=verify-full"
        );
    }
    make_tables(config, url).await?;
    let hasher = agree_on_secret(config, url).await?;
    let options = postgres::Options {
        name: own_name().into(),
        read_connections: config.database_connections.get(),
        statement_timeout: Duration::from_millis(config.database_timeout_ms.get().into()),
        ..postgres::Options::new(url.clone())
    };
    let store = Postgres::open(&options).await?;
    tracing::info!(database = %url, "store open");
    Ok(Engine {
        store: Arc::new(store),
        hasher,
        _lock: Some(lock),
    })
}

/// The folder, made if need be, locked and marked as that of a server over a database.
fn prepare_folder(folder: &Path, url: &DatabaseUrl) -> anyhow::Result<FolderLock> {
    let shown = folder.display();
    if folder.join(store::embedded::JOURNAL).exists() {
        bail!(
            "{shown} has a ledger of its own, and --database-url names another; choose another \
             --data-dir, or leave the database out"
        );
    }
    let lock = FolderLock::take(folder).map_err(|error| match error {
        TryLockError::WouldBlock => anyhow!(
            "{shown} is in use by another tidegate process (its lock is held); each server needs \
             a --data-dir of its own"
        ),
        TryLockError::Error(error) => {
            anyhow!(error).context(format!("the data folder {shown} cannot be used"))
        }
    })?;
    secrets::write_private(&folder.join(DATABASE), format!("{url}\n").as_bytes())?;
    Ok(lock)
}

/// Makes tables in an empty database, and newer ones if that was asked for.
async fn make_tables(config: &Config, url: &DatabaseUrl) -> anyhow::Result<()> {
    let migrator = Migrator::new(url.clone());
    let plan = migrator.check().await?;
    if plan.missing.is_empty() {
        return Ok(());
    }
    if !plan.is_new && !config.migrate {
        bail!(
            "the tables of {url} lack {} of this program's {} steps; run `tidegate migrate`, or \
             start with --migrate",
            plan.missing.len(),
            plan.known
        );
    }
    let told = |number, name| tracing::info!(number, name, "table or index made");
    migrator.run(told).await?;
    migrator.check().await?;
    Ok(())
}

/// All servers over one database must hash with the same secret: each would refuse the API keys,
/// passwords and sessions that another has made.
async fn agree_on_secret(config: &Config, url: &DatabaseUrl) -> anyhow::Result<KeyHasher> {
    let (folder, named) = (&config.data_dir, config.server_secret_file.as_deref());
    let hasher = KeyHasher::new(secrets::server_secret(folder, named)?);
    if !postgres::agrees(url, SECRET_FACT, &hasher.fingerprint()).await? {
        bail!(
            "the server secret {} is not the one that the other servers over {url} have; copy \
             server.secret from the data folder of one of them, or name it with \
             --server-secret-file",
            secrets::server_secret_path(folder, named).display()
        );
    }
    Ok(hasher)
}

/// What operators see this server as, in the database.
fn own_name() -> String {
    let machine = rustix::system::uname();
    let machine = machine.nodename().to_string_lossy();
    format!("{machine}, process {}", std::process::id())
}
