//! Commands that work on a data folder or on nothing at all.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use crate::cli::Dialect;

/// `tidegate verify`: one line either way.
pub(crate) fn verify(folder: &Path) -> anyhow::Result<ExitCode> {
    match store::embedded::verify(folder) {
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

/// `tidegate views rebuild`
pub(crate) fn rebuild(folder: &Path) -> anyhow::Result<ExitCode> {
    let batches = store::embedded::rebuild_views(folder)
        .with_context(|| format!("the views of {} cannot be rebuilt", folder.display()))?;
    crate::output::line(&format!("rebuilt: the views have seen {batches} batches"));
    Ok(ExitCode::SUCCESS)
}

/// `tidegate openapi`
pub(crate) fn document(dialect: Dialect) -> String {
    match dialect {
        Dialect::Sequence => api::sequence::document(),
        Dialect::Multi => api::multi::document(),
        Dialect::Admin => api::admin::document(),
    }
}
