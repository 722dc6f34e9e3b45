//! `tidegate copy`: a whole ledger from a data folder into a database, or back.
//!
//! What is hashed with the server secret, API keys and passwords among it, is of no use without it.
//! So the secret goes along: a database gets its fingerprint, which every server must have, and a
//! data folder gets the secret itself, if its fingerprint is the database's.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use service::KeyHasher;
use store::SystemClock;
use store::copy::{Place, Plan, Progress};
use store::postgres::{self, DatabaseUrl, Migrator};

use crate::cli::CopyFlags;
use crate::engine::SECRET_FACT;
use crate::secrets::{self, SERVER_SECRET};

/// How often the progress is told.
const TOLD_EVERY: Duration = Duration::from_secs(2);

/// Copies: one line on standard output, the progress on standard error.
pub(crate) fn run(flags: &CopyFlags) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let mut plan = Plan {
        from: place(&flags.from).context("--from")?,
        to: place(&flags.to).context("--to")?,
        facts: Vec::new(),
        files: Vec::new(),
        clock: Arc::new(SystemClock),
    };
    let named = flags.server_secret_file.as_deref();
    crate::offline::runtime()?.block_on(async {
        match (&plan.from, &plan.to) {
            (Place::Folder(from), Place::Database(to)) => {
                plan.facts = facts(from, named)?;
                make_tables(to).await?;
            }
            (Place::Database(from), Place::Folder(_)) => plan.files = files(from, named).await?,
            _ => {}
        }
        let mut last = Instant::now();
        let told = |progress| match progress {
            Progress::Written(commits) if last.elapsed() >= TOLD_EVERY => {
                last = Instant::now();
                eprintln!("tidegate: {commits} commits copied");
            }
            Progress::Written(_) => {}
            Progress::Verifying => eprintln!("tidegate: all copied; verifying both sides"),
        };
        let report = store::copy::copy(&plan, told).await?;
        let seconds = begun.elapsed();
        crate::output::line(&format!(
            "{report}; {}.{:03} s",
            seconds.as_secs(),
            seconds.subsec_millis()
        ));
        Ok(ExitCode::SUCCESS)
    })
}

/// A URL is a database; all else is a folder.
fn place(text: &str) -> anyhow::Result<Place> {
    if text.contains("://") {
        let url: DatabaseUrl = text.parse()?;
        return Ok(Place::Database(Box::new(url)));
    }
    if text.is_empty() {
        bail!("must be a data folder or the URL of a database");
    }
    Ok(Place::Folder(text.into()))
}

/// The fingerprint of the folder's secret. A folder without one has nothing that is hashed.
fn facts(folder: &Path, named: Option<&Path>) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let path = secrets::server_secret_path(folder, named);
    if named.is_none() && !path.exists() {
        return Ok(Vec::new());
    }
    let hasher = KeyHasher::new(secrets::read_server_secret(&path)?);
    let fingerprint = hasher.fingerprint().to_vec();
    Ok(vec![(SECRET_FACT.to_owned(), fingerprint)])
}

/// The secret that the database's servers have.
async fn files(url: &DatabaseUrl, named: Option<&Path>) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    Migrator::new(url.clone()).check().await?;
    let fact = postgres::fact(url, SECRET_FACT).await?;
    let Some(path) = named else {
        if fact.is_some() {
            bail!(
                "name server.secret of one of the servers over {url} with --server-secret-file: \
                 without it no API key or password would be known in the copy"
            );
        }
        return Ok(Vec::new());
    };
    let secret = secrets::read_server_secret(path)?;
    let fingerprint = KeyHasher::new(secret).fingerprint();
    if fact.is_some_and(|fact| fact != fingerprint) {
        bail!(
            "the server secret {} is not the one that the servers over {url} have",
            path.display()
        );
    }
    Ok(vec![(SERVER_SECRET.to_owned(), secret.to_vec())])
}

/// Makes the tables of an empty database, as a server does.
async fn make_tables(url: &DatabaseUrl) -> anyhow::Result<()> {
    let migrator = Migrator::new(url.clone());
    let plan = migrator.check().await?;
    if plan.is_new && !plan.missing.is_empty() {
        migrator.run(|_, _| ()).await?;
    }
    Ok(())
}
