//! `tidegate backup` and `tidegate restore`: a data folder's truth, to another folder and back.
//!
//! A backup is a data folder of its own, without what can be made anew: the journal, and the secrets
//! without which keys and passwords in it are of no use.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use store::embedded;

use crate::config::Whereabouts;
use crate::engine;
use crate::secrets::{self, ADMIN_TOKEN, SERVER_SECRET};

/// `tidegate backup --to FOLDER`, beside a running server too. Into a folder that has a backup of the
/// same ledger only what is new is written.
pub(crate) fn backup(place: &Whereabouts, to: &Path) -> anyhow::Result<ExitCode> {
    let from = place.data_dir.as_path();
    if let Some(database) = engine::database_of(from) {
        bail!(
            "the ledger of {} is in {database}; back that up with its own tools",
            from.display()
        );
    }
    if is_within(to, from) {
        bail!("a backup within the data folder would be lost with it; choose another --to");
    }
    // Another ledger's secret is not replaced: its journal is refused first.
    let copied =
        embedded::copy_journal(from, to).context("nothing can be relied on in the backup")?;
    copy_secrets(from, to)?;
    if !from.join(SERVER_SECRET).exists() {
        eprintln!(
            "tidegate: {} has no {SERVER_SECRET}; keep the one that the server is started with \
             beside the backup",
            from.display()
        );
    }
    let (batches, new) = (copied.end.batch, copied.end.batch - copied.had);
    crate::output::line(&format!(
        "backed up: {batches} batches in {}, {new} of them new, {} bytes written, chain {}",
        to.display(),
        copied.bytes,
        hex(&copied.end.chain)
    ));
    Ok(ExitCode::SUCCESS)
}

/// `tidegate restore --from FOLDER`, into a data folder without a ledger. Everything is verified before
/// it says that it is there.
pub(crate) fn restore(place: &Whereabouts, from: &Path) -> anyhow::Result<ExitCode> {
    let to = place.data_dir.as_path();
    let has_ledger = embedded::has_ledger(to);
    if has_ledger.with_context(|| format!("{} cannot be read", to.display()))?
        || engine::database_of(to).is_some()
    {
        bail!(
            "{} has a ledger already; move it away, or choose another --data-dir",
            to.display()
        );
    }
    let copied = embedded::copy_journal(from, to)?;
    copy_secrets(from, to)?;
    let report = embedded::verify(to).context("what was restored is not sound")?;
    crate::output::line(&format!(
        "restored: {} batches to {}, chain {}",
        copied.end.batch,
        to.display(),
        hex(&copied.end.chain)
    ));
    crate::output::line(&report);
    Ok(ExitCode::SUCCESS)
}

/// Whether a path, which may not exist yet, is a folder or in it.
fn is_within(path: &Path, folder: &Path) -> bool {
    let absolute = std::path::absolute(path);
    let existing = absolute.iter().flat_map(|path| path.ancestors());
    let mut existing = existing.filter_map(|path| path.canonicalize().ok());
    match (existing.next(), folder.canonicalize()) {
        (Some(existing), Ok(folder)) => existing.starts_with(folder),
        _ => false,
    }
}

fn copy_secrets(from: &Path, to: &Path) -> anyhow::Result<()> {
    for name in [SERVER_SECRET, ADMIN_TOKEN] {
        let path = from.join(name);
        match std::fs::read(&path) {
            Ok(secret) => secrets::write_private(&to.join(name), &secret)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", path.display()));
            }
        }
    }
    Ok(())
}

fn hex(bytes: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*bytes).to_hex().to_string()
}
