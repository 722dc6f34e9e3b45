//! Settings: flag over environment over file over default.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use store::postgres::DatabaseUrl;
use webhooks::Network;

use crate::cli::{DatabaseFlags, LogFormat, ServeFlags};

mod database;

/// What the server runs with.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub listen: SocketAddr,
    pub admin_listen: SocketAddr,
    pub data_dir: PathBuf,
    /// Where the ledger is, if not in the data folder.
    pub database_url: Option<DatabaseUrl>,
    pub database_connections: NonZeroUsize,
    pub database_timeout_ms: NonZeroU32,
    pub migrate: bool,
    pub server_secret_file: Option<PathBuf>,
    pub admin_token_file: Option<PathBuf>,
    pub demo: bool,
    pub rail_delay_ms: i64,
    pub requests_per_minute: NonZeroU32,
    /// Where webhooks may go besides the public Internet.
    pub webhook_networks: Vec<Network>,
    pub webhook_transcript_days: u32,
    pub allow_plain_listener: bool,
    pub log_format: LogFormat,
    sources: BTreeMap<&'static str, String>,
}

const FILE_DEFAULT: &str = "tidegate.toml";
const KEYS: [&str; 16] = [
    "listen",
    "admin_listen",
    "data_dir",
    "database_url",
    "database_connections",
    "database_timeout_ms",
    "migrate",
    "server_secret_file",
    "admin_token_file",
    "demo",
    "rail_delay_ms",
    "requests_per_minute",
    "webhook_networks",
    "webhook_transcript_days",
    "allow_plain_listener",
    "log_format",
];
/// A week in milliseconds: no rail is slower.
const RAIL_DELAY_MAX: i64 = 7 * 24 * 60 * 60 * 1000;

/// Finds each setting's value and remembers where it came from.
struct Finder {
    file: BTreeMap<String, toml::Value>,
    file_name: String,
    sources: BTreeMap<&'static str, String>,
}

impl Finder {
    fn find<T>(
        &mut self,
        key: &'static str,
        flag: Option<T>,
        default: T,
        parse: impl Fn(&str) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        if let Some(value) = flag {
            self.sources.insert(key, "flag".to_owned());
            return Ok(value);
        }
        let variable = format!("TIDEGATE_{}", key.to_uppercase());
        if let Ok(text) = std::env::var(&variable) {
            let value = parse(&text).with_context(|| format!("environment variable {variable}"))?;
            self.sources
                .insert(key, format!("environment ({variable})"));
            return Ok(value);
        }
        if let Some(value) = self.file.get(key) {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let value = parse(&text).with_context(|| format!("{} in {}", key, self.file_name))?;
            self.sources
                .insert(key, format!("file ({})", self.file_name));
            return Ok(value);
        }
        self.sources.insert(key, "default".to_owned());
        Ok(default)
    }
}

impl Finder {
    fn over(file: Option<&Path>) -> anyhow::Result<Finder> {
        let (file, file_name) = read_file(file)?;
        Ok(Finder {
            file,
            file_name,
            sources: BTreeMap::new(),
        })
    }

    /// A file that need not be named.
    fn path(&mut self, key: &'static str, flag: Option<&Path>) -> anyhow::Result<Option<PathBuf>> {
        let flag = flag.map(|path| Some(path.to_owned()));
        self.find(key, flag, None, |text| Ok(Some(text.into())))
    }

    fn data_dir(&mut self, flag: Option<&Path>) -> anyhow::Result<PathBuf> {
        let flag = flag.map(Path::to_owned);
        self.find("data_dir", flag, PathBuf::from("./data"), |text| {
            Ok(text.into())
        })
    }
}

/// What commands other than `serve` need, by the same precedence.
pub(crate) struct Whereabouts {
    pub data_dir: PathBuf,
    pub database_url: Option<DatabaseUrl>,
    pub admin_token_file: Option<PathBuf>,
}

impl Whereabouts {
    /// Reads flags, environment and file. The database is looked for by commands that take its flags.
    pub(crate) fn find(
        data_dir: Option<&Path>,
        database: Option<&DatabaseFlags>,
    ) -> anyhow::Result<Whereabouts> {
        let given = std::env::var_os("TIDEGATE_CONFIG").map(PathBuf::from);
        let mut finder = Finder::over(given.as_deref())?;
        let database_url = match database {
            Some(flags) => finder.database_url(flags.database_url.as_deref())?,
            None => None,
        };
        Ok(Whereabouts {
            data_dir: finder.data_dir(data_dir)?,
            database_url,
            admin_token_file: finder.path("admin_token_file", None)?,
        })
    }
}

impl Config {
    /// Reads flags, environment and file.
    pub(crate) fn load(flags: &ServeFlags, data_dir: Option<&Path>) -> anyhow::Result<Config> {
        let mut finder = Finder::over(flags.config.as_deref())?;
        let address = |text: &str| {
            text.parse::<SocketAddr>()
                .context("must be an address such as 127.0.0.1:8080")
        };
        let flag = |text: &str| text.parse::<bool>().context("must be true or false");
        let default = |text: &str| text.parse().expect("a valid address");
        let rail_delay = |text: &str| -> anyhow::Result<i64> {
            text.parse().context("must be a number of milliseconds")
        };
        let log_format = |text: &str| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => bail!("must be text or json"),
        };
        let mut config = Config {
            listen: finder.find("listen", flags.listen, default("127.0.0.1:8080"), address)?,
            admin_listen: finder.find(
                "admin_listen",
                flags.admin_listen,
                default("127.0.0.1:8081"),
                address,
            )?,
            data_dir: finder.data_dir(data_dir)?,
            database_url: finder.database_url(flags.database.database_url.as_deref())?,
            database_connections: finder.find(
                "database_connections",
                flags.database_connections,
                database::CONNECTIONS_DEFAULT,
                |text| text.parse().context("must be a number greater than 0"),
            )?,
            database_timeout_ms: finder.find(
                "database_timeout_ms",
                flags.database_timeout_ms,
                database::TIMEOUT_MS_DEFAULT,
                |text| text.parse().context("must be a number greater than 0"),
            )?,
            migrate: finder.find("migrate", flags.migrate.then_some(true), false, flag)?,
            server_secret_file: finder
                .path("server_secret_file", flags.server_secret_file.as_deref())?,
            admin_token_file: finder.path("admin_token_file", flags.admin_token_file.as_deref())?,
            demo: finder.find("demo", flags.demo.then_some(true), false, flag)?,
            rail_delay_ms: finder.find(
                "rail_delay_ms",
                flags.rail_delay_ms,
                ledger::RAIL_DELAY_DEFAULT,
                rail_delay,
            )?,
            requests_per_minute: finder.find(
                "requests_per_minute",
                flags.requests_per_minute,
                service::PER_MINUTE_DEFAULT,
                |text| text.parse().context("must be a number greater than 0"),
            )?,
            webhook_networks: finder.find(
                "webhook_networks",
                flags
                    .webhook_networks
                    .as_deref()
                    .map(networks)
                    .transpose()?,
                Vec::new(),
                networks,
            )?,
            webhook_transcript_days: finder.find(
                "webhook_transcript_days",
                flags.webhook_transcript_days,
                service::TRANSCRIPT_DAYS_DEFAULT,
                |text| text.parse().context("must be a number of days"),
            )?,
            allow_plain_listener: finder.find(
                "allow_plain_listener",
                flags.allow_plain_listener.then_some(true),
                false,
                flag,
            )?,
            log_format: finder.find("log_format", flags.log_format, LogFormat::Text, log_format)?,
            sources: finder.sources,
        };
        if !(0..=RAIL_DELAY_MAX).contains(&config.rail_delay_ms) {
            bail!("rail_delay_ms must be from 0 to {RAIL_DELAY_MAX}");
        }
        if config.demo && config.webhook_networks.is_empty() {
            config.webhook_networks = LOOPBACK
                .map(networks)
                .into_iter()
                .collect::<Result<Vec<_>, _>>()?
                .concat();
        }
        Ok(config)
    }

    fn value(&self, key: &str) -> String {
        match key {
            "listen" => self.listen.to_string(),
            "admin_listen" => self.admin_listen.to_string(),
            "data_dir" => self.data_dir.display().to_string(),
            "database_url" => shown(self.database_url.as_ref()),
            "database_connections" => self.database_connections.to_string(),
            "database_timeout_ms" => self.database_timeout_ms.to_string(),
            "migrate" => self.migrate.to_string(),
            "server_secret_file" => shown(self.server_secret_file.as_deref().map(Path::display)),
            "admin_token_file" => shown(self.admin_token_file.as_deref().map(Path::display)),
            "demo" => self.demo.to_string(),
            "rail_delay_ms" => self.rail_delay_ms.to_string(),
            "requests_per_minute" => self.requests_per_minute.to_string(),
            "webhook_networks" => shown((!self.webhook_networks.is_empty()).then(|| {
                let networks = self.webhook_networks.iter().map(Network::to_string);
                networks.collect::<Vec<_>>().join(",")
            })),
            "webhook_transcript_days" => self.webhook_transcript_days.to_string(),
            "allow_plain_listener" => self.allow_plain_listener.to_string(),
            _ => match self.log_format {
                LogFormat::Text => "text".to_owned(),
                LogFormat::Json => "json".to_owned(),
            },
        }
    }
}

/// What the demo allows: receivers on the same machine.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];

/// Networks with commas between them.
fn networks(text: &str) -> anyhow::Result<Vec<Network>> {
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.map(|part| Ok(part.parse::<Network>()?)).collect()
}

/// What is not there is shown like an empty cell.
fn shown(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn read_file(given: Option<&Path>) -> anyhow::Result<(BTreeMap<String, toml::Value>, String)> {
    let path = given.unwrap_or(Path::new(FILE_DEFAULT));
    let name = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if given.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            return Ok((BTreeMap::new(), name));
        }
        Err(error) => return Err(error).with_context(|| format!("{name} cannot be read")),
    };
    let file: BTreeMap<String, toml::Value> =
        toml::from_str(&text).with_context(|| format!("{name} is not valid TOML"))?;
    if let Some(unknown) = file.keys().find(|key| !KEYS.contains(&key.as_str())) {
        bail!(
            "{name} has an unknown setting `{unknown}`; known are {}",
            KEYS.join(", ")
        );
    }
    Ok((file, name))
}

/// `tidegate config check`
pub(crate) fn check(flags: &ServeFlags, data_dir: Option<&Path>) -> anyhow::Result<ExitCode> {
    let config = Config::load(flags, data_dir)?;
    let mut table = crate::output::table(&["setting", "value", "from"]);
    for key in KEYS {
        table.add_row([
            key.to_owned(),
            config.value(key),
            config.sources[key].clone(),
        ]);
    }
    crate::output::line(&table);
    Ok(ExitCode::SUCCESS)
}
