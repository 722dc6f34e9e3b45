//! Commands that work on a data folder, on a database, or on nothing at all.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use store::postgres::Migrator;

use crate::cli::Dialect;
use crate::config::Whereabouts;
use crate::engine::must_not_be_elsewhere;

/// `tidegate verify`: one line either way.
pub(crate) fn verify(place: &Whereabouts) -> anyhow::Result<ExitCode> {
    let verified = match &place.database_url {
        None => {
            must_not_be_elsewhere(&place.data_dir)?;
            store::embedded::verify(&place.data_dir).map(|report| report.to_string())
        }
        Some(url) => {
            let verified = runtime()?.block_on(store::postgres::verify(url));
            verified.map(|report| report.to_string())
        }
    };
    match verified {
        Ok(report) => {
            crate::output::line(&report);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            crate::output::line(&error);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// `tidegate migrate`: a line for each step, and one for the end.
pub(crate) fn migrate(place: &Whereabouts, dry_run: bool) -> anyhow::Result<ExitCode> {
    let Some(url) = &place.database_url else {
        bail!("name the database with --database-url or TIDEGATE_DATABASE_URL");
    };
    let migrator = Migrator::new(url.clone());
    let tell = |number: usize, name: &str| crate::output::line(&format!("{number}: {name}"));
    runtime()?.block_on(async {
        let plan = migrator.plan().await?;
        if dry_run {
            plan.missing
                .iter()
                .for_each(|(number, name)| tell(*number, name));
            let (missing, known) = (plan.missing.len(), plan.known);
            crate::output::line(&format!("to do: {missing} of {known} steps"));
        } else {
            let done = migrator.run(tell).await?;
            let version = plan.known + plan.newer;
            crate::output::line(&format!(
                "done: {done} steps; the tables have version {version}"
            ));
        }
        Ok(ExitCode::SUCCESS)
    })
}

pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")
}

/// `tidegate views rebuild`
pub(crate) fn rebuild(folder: &Path) -> anyhow::Result<ExitCode> {
    must_not_be_elsewhere(folder)?;
    let batches = store::embedded::rebuild_views(folder)
        .with_context(|| format!("the views of {} cannot be rebuilt", folder.display()))?;
    crate::output::line(&format!("rebuilt: the views have seen {batches} batches"));
    Ok(ExitCode::SUCCESS)
}

/// `tidegate openapi`
pub(crate) fn document(dialect: Dialect) -> String {
    match dialect {
        Dialect::Sequence => api::sequence::document(),
        Dialect::Platform => api::platform::document(),
        Dialect::Multi => api::multi::document(),
        Dialect::Admin => api::admin::document(),
    }
}
