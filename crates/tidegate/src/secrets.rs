//! Secrets in the data folder: made at first start, readable by the owner only.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

pub(crate) const ADMIN_TOKEN: &str = "admin.token";
pub(crate) const SERVER_SECRET: &str = "server.secret";

/// Writes a file that only the owner may read, whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let draft = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file: File = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
    Ok(bytes)
}

/// A new API key's secret.
pub(crate) fn new_key() -> anyhow::Result<service::Secret> {
    Ok(service::Secret::from_entropy(random()?))
}

/// A password for a user of the demo: random, and with a character of each kind that the rules for
/// passwords ask for.
pub(crate) fn new_password() -> anyhow::Result<String> {
    let random = service::spelling::bytes_text(&random::<12>()?);
    Ok(format!("Tide-{random}-7"))
}

/// The admin token, made now if there is none and no file is named. The second part tells whether
/// it was made.
pub(crate) fn admin_token(folder: &Path, named: Option<&Path>) -> anyhow::Result<(String, bool)> {
    let path = admin_token_path(folder, named);
    if named.is_some() || path.exists() {
        return Ok((read_token(&path)?, false));
    }
    let token = format!("tga_{}", service::spelling::bytes_text(&random::<32>()?));
    write_private(&path, format!("{token}\n").as_bytes())?;
    Ok((token, true))
}

/// Where the admin token is: in the file that is named, else in the data folder.
pub(crate) fn admin_token_path(folder: &Path, named: Option<&Path>) -> PathBuf {
    named.map_or_else(|| folder.join(ADMIN_TOKEN), Path::to_owned)
}

/// The admin token in a file.
pub(crate) fn read_token(path: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("the admin token {} cannot be read", path.display()))?;
    let token = text.trim();
    if token.is_empty() {
        bail!(
            "the admin token {} is empty; delete the file to have a new one made",
            path.display()
        );
    }
    Ok(token.to_owned())
}

/// The secret that API keys are hashed with, made now if there is none and no file is named.
/// Without it, keys in the store are useless; keep it with every backup.
pub(crate) fn server_secret(folder: &Path, named: Option<&Path>) -> anyhow::Result<[u8; 32]> {
    let path = server_secret_path(folder, named);
    if named.is_none() && !path.exists() {
        let secret = random::<32>()?;
        write_private(&path, &secret)?;
        return Ok(secret);
    }
    read_server_secret(&path)
}

/// The server secret in a file.
pub(crate) fn read_server_secret(path: &Path) -> anyhow::Result<[u8; 32]> {
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| {
        anyhow::anyhow!(
            "{} must have 32 bytes, it has {}; restore it from a backup",
            path.display(),
            bytes.len()
        )
    })
}

/// Where the server secret is: in the file that is named, else in the data folder.
pub(crate) fn server_secret_path(folder: &Path, named: Option<&Path>) -> PathBuf {
    named.map_or_else(|| folder.join(SERVER_SECRET), Path::to_owned)
}
