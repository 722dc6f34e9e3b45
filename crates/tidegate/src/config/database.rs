//! Where the URL of the database comes from. It may hold a password, so it may also be in a file of
//! its own.

use std::num::{NonZeroU32, NonZeroUsize};

use anyhow::{Context, bail};
use store::postgres::DatabaseUrl;

use super::Finder;

const VARIABLE: &str = "TIDEGATE_DATABASE_URL";
const FILE_VARIABLE: &str = "TIDEGATE_DATABASE_URL_FILE";

/// Connections that one server reads with.
pub(super) const CONNECTIONS_DEFAULT: NonZeroUsize = NonZeroUsize::new(16).unwrap();
/// Milliseconds that the database may work on one statement.
pub(super) const TIMEOUT_MS_DEFAULT: NonZeroU32 = NonZeroU32::new(10_000).unwrap();

impl Finder {
    /// An empty text is an error and not "none": a server that was meant to use a database must not
    /// begin a ledger of its own.
    pub(super) fn database_url(
        &mut self,
        flag: Option<&str>,
    ) -> anyhow::Result<Option<DatabaseUrl>> {
        let flag = flag
            .map(|text| parse(text).context("--database-url"))
            .transpose()?;
        let file = std::env::var_os(FILE_VARIABLE);
        if let (None, Some(path)) = (&flag, file) {
            if std::env::var_os(VARIABLE).is_some() {
                bail!("{VARIABLE} and {FILE_VARIABLE} are both set; unset one");
            }
            let text = std::fs::read_to_string(&path);
            let path = path.display();
            let text = text.with_context(|| format!("{FILE_VARIABLE}: {path} cannot be read"))?;
            let url = parse(&text).with_context(|| format!("{FILE_VARIABLE}: {path}"))?;
            let source = format!("environment ({FILE_VARIABLE})");
            self.sources.insert("database_url", source);
            return Ok(Some(url));
        }
        self.find("database_url", flag.map(Some), None, |text| {
            parse(text).map(Some)
        })
    }
}

fn parse(text: &str) -> anyhow::Result<DatabaseUrl> {
    Ok(text.parse()?)
}
