//! Settings: flag over environment over file over default.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::cli::{LogFormat, ServeFlags};

/// What the server runs with.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub listen: SocketAddr,
    pub admin_listen: SocketAddr,
    pub data_dir: PathBuf,
    pub demo: bool,
    pub rail_delay_ms: i64,
    pub requests_per_minute: NonZeroU32,
    pub allow_plain_listener: bool,
    pub log_format: LogFormat,
    sources: BTreeMap<&'static str, String>,
}

const FILE_DEFAULT: &str = "tidegate.toml";
const KEYS: [&str; 8] = [
    "listen",
    "admin_listen",
    "data_dir",
    "demo",
    "rail_delay_ms",
    "requests_per_minute",
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
    fn data_dir(&mut self, flag: Option<&Path>) -> anyhow::Result<PathBuf> {
        let flag = flag.map(Path::to_owned);
        self.find("data_dir", flag, PathBuf::from("./data"), |text| {
            Ok(text.into())
        })
    }
}

/// The data folder of commands other than `serve`, by the same precedence.
pub(crate) fn data_dir(flag: Option<&Path>) -> anyhow::Result<PathBuf> {
    let given = std::env::var_os("TIDEGATE_CONFIG").map(PathBuf::from);
    let (file, file_name) = read_file(given.as_deref())?;
    Finder {
        file,
        file_name,
        sources: BTreeMap::new(),
    }
    .data_dir(flag)
}

impl Config {
    /// Reads flags, environment and file.
    pub(crate) fn load(flags: &ServeFlags, data_dir: Option<&Path>) -> anyhow::Result<Config> {
        let (file, file_name) = read_file(flags.config.as_deref())?;
        let mut finder = Finder {
            file,
            file_name,
            sources: BTreeMap::new(),
        };
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
        let config = Config {
            listen: finder.find("listen", flags.listen, default("127.0.0.1:8080"), address)?,
            admin_listen: finder.find(
                "admin_listen",
                flags.admin_listen,
                default("127.0.0.1:8081"),
                address,
            )?,
            data_dir: finder.data_dir(data_dir)?,
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
        Ok(config)
    }

    fn value(&self, key: &str) -> String {
        match key {
            "listen" => self.listen.to_string(),
            "admin_listen" => self.admin_listen.to_string(),
            "data_dir" => self.data_dir.display().to_string(),
            "demo" => self.demo.to_string(),
            "rail_delay_ms" => self.rail_delay_ms.to_string(),
            "requests_per_minute" => self.requests_per_minute.to_string(),
            "allow_plain_listener" => self.allow_plain_listener.to_string(),
            _ => match self.log_format {
                LogFormat::Text => "text".to_owned(),
                LogFormat::Json => "json".to_owned(),
            },
        }
    }
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
