//! The URL of a database: `postgres://user:password@host:5432/name?sslmode=verify-full`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// How long to wait for a connection, if the URL does not say `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may be silent before the other side is asked whether it is there, if the
/// URL does not say `keepalives_idle`, and how often it is asked.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVES_RETRIES: u32 = 3;
/// How long sent bytes may stay unacknowledged, if the URL does not say `tcp_user_timeout`.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(20);

/// Why a URL cannot be used. Never holds any part of the URL that may be secret.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the database URL {0}")]
pub struct UrlError(pub(super) String);

/// How much of the server's certificate is checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Check {
    /// Nothing: it keeps listeners out, and nobody who pretends to be the server.
    Nothing,
    /// That an authority we trust has signed it.
    Authority,
    /// That, and that it is for the host we asked for.
    Name,
}

/// Which authorities are trusted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Roots {
    /// Those of the operating system.
    System,
    /// Those in this PEM file.
    File(PathBuf),
}

/// What the URL says about TLS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct TlsChoice {
    pub check: Check,
    pub roots: Roots,
    /// PEM files of our own certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A database and how it is reached. Shown and logged without its password.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(super) config: Config,
    pub(super) tls: TlsChoice,
    shown: String,
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DatabaseUrl").field(&self.shown).finish()
    }
}

/// The parts of a URL, still encoded. Where they end is decided as `tokio_postgres` does.
struct Parts<'a> {
    /// Everything before the options, the password included.
    head: &'a str,
    scheme: &'a str,
    user: Option<&'a str>,
    has_password: bool,
    place: &'a str,
    options: Vec<(&'a str, &'a str)>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Parts<'a>, UrlError> {
        let scheme = ["postgres://", "postgresql://"]
            .into_iter()
            .find(|scheme| text.starts_with(scheme));
        let Some(scheme) = scheme else {
            return refuse("must begin with postgres://");
        };
        let rest = &text[scheme.len()..];
        let (user, rest) = match rest.split_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, rest),
        };
        let (user, has_password) = match user.map(|user| user.split_once(':')) {
            Some(Some((user, _))) => (Some(user), true),
            _ => (user, false),
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        if place.contains('@') {
            return refuse("has more than one @; write %40 for one in the password");
        }
        let mut options = Vec::new();
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let Some(pair) = option.split_once('=') else {
                return refuse("has an option without a value");
            };
            options.push(pair);
        }
        Ok(Parts {
            head: &text[..text.len() - rest.len() + place.len()],
            scheme,
            user,
            has_password,
            place,
            options,
        })
    }

    fn option(&self, name: &str) -> Result<Option<String>, UrlError> {
        let mut found = self.options.iter().filter(|(known, _)| *known == name);
        let value = found.next().map(|(_, value)| decode(name, value));
        match found.next() {
            None => value.transpose(),
            Some(_) => refuse(format!("says {name} twice")),
        }
    }

    /// The text without the options of TLS, which `tokio_postgres` does not all know.
    fn without_tls(&self) -> String {
        let ours = ["sslmode", "sslrootcert", "sslcert", "sslkey"];
        let mut text = self.head.to_owned();
        let theirs = self.options.iter().filter(|(name, _)| !ours.contains(name));
        for (place, (name, value)) in theirs.enumerate() {
            text.push(if place == 0 { '?' } else { '&' });
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text
    }

    /// For people: the password is left out.
    fn shown(&self) -> String {
        let mut shown = self.scheme.to_owned();
        if let Some(user) = self.user {
            shown.push_str(user);
            shown.push_str(if self.has_password { ":***@" } else { "@" });
        }
        shown.push_str(self.place);
        for (place, (name, value)) in self.options.iter().enumerate() {
            shown.push(if place == 0 { '?' } else { '&' });
            shown.push_str(name);
            shown.push('=');
            shown.push_str(if *name == "password" { "***" } else { value });
        }
        shown
    }
}

fn refuse<T>(why: impl Into<String>) -> Result<T, UrlError> {
    Err(UrlError(why.into()))
}

/// Undoes percent-encoding.
fn decode(name: &str, value: &str) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *byte == b'%');
        let code = hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).or_else(|_| refuse(format!("has a {name} that is not UTF-8")))
}

/// What `sslmode` and the files say, by libpq's meaning of the words.
///
/// Stricter than libpq in three places: `allow` is refused, a file of roots is refused where it
/// would not be used for certain, and nothing is read from the home folder.
fn tls_choice(parts: &Parts<'_>) -> Result<(SslMode, TlsChoice), UrlError> {
    let roots = parts.option("sslrootcert")?;
    let default = if roots.as_deref() == Some("system") {
        "verify-full"
    } else {
        "prefer"
    };
    let word = parts.option("sslmode")?;
    let word = word.as_deref().unwrap_or(default);
    let (mode, check) = match (word, &roots) {
        ("disable", _) => (SslMode::Disable, Check::Nothing),
        ("prefer", _) => (SslMode::Prefer, Check::Nothing),
        ("require", None) => (SslMode::Require, Check::Nothing),
        ("require" | "verify-ca", Some(_)) => (SslMode::Require, Check::Authority),
        ("verify-ca", None) => {
            return refuse("says sslmode=verify-ca without sslrootcert");
        }
        ("verify-full", _) => (SslMode::Require, Check::Name),
        _ => {
            return refuse(
                "has an sslmode that is none of disable, prefer, require, verify-ca and \
                 verify-full",
            );
        }
    };
    let roots = match (roots, check) {
        (Some(_), Check::Nothing) => {
            return refuse(
                "names an sslrootcert, which only sslmode=require, verify-ca and verify-full use",
            );
        }
        (Some(system), Check::Authority) if system == "system" => {
            return refuse("needs sslmode=verify-full with sslrootcert=system");
        }
        (Some(file), _) if file != "system" => Roots::File(file.into()),
        _ => Roots::System,
    };
    let identity = match (parts.option("sslcert")?, parts.option("sslkey")?) {
        (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
        (None, None) => None,
        _ => return refuse("must have both sslcert and sslkey or neither"),
    };
    Ok((
        mode,
        TlsChoice {
            check,
            roots,
            identity,
        },
    ))
}

impl FromStr for DatabaseUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<DatabaseUrl, UrlError> {
        let text = text.trim();
        let parts = Parts::of(text)?;
        let (mode, tls) = tls_choice(&parts)?;
        let config: Result<Config, _> = parts.without_tls().parse();
        let mut config = match config {
            Ok(config) => config,
            Err(error) => {
                return refuse(format!(
                    "cannot be used: {}",
                    crate::postgres::error::chain(&error)
                ));
            }
        };
        let hosts = config.get_hosts();
        if hosts.is_empty() && config.get_hostaddrs().is_empty() {
            return refuse("names no host");
        }
        // There is no TLS through a Unix socket, as in libpq.
        let is_local = !hosts.is_empty() && hosts.iter().all(|host| matches!(host, Host::Unix(_)));
        config.ssl_mode(if is_local { SslMode::Disable } else { mode });
        set_defaults(&mut config);
        Ok(DatabaseUrl {
            config,
            tls,
            shown: parts.shown(),
        })
    }
}

/// A peer that has gone without a word is noticed in seconds, not in hours.
fn set_defaults(config: &mut Config) {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_application_name().is_none() {
        config.application_name("tidegate");
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(TCP_USER_TIMEOUT);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(KEEPALIVES_INTERVAL);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(KEEPALIVES_RETRIES);
    }
    if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
        config.keepalives_idle(KEEPALIVES_IDLE);
    }
}

impl DatabaseUrl {
    /// Whether bytes may go over a network to somebody who only pretends to be the database.
    #[must_use]
    pub fn is_unverified(&self) -> bool {
        let is_remote = |host: &Host| match host {
            Host::Unix(_) => false,
            Host::Tcp(name) => {
                let address = name.parse::<std::net::IpAddr>();
                name != "localhost" && !address.is_ok_and(|address| address.is_loopback())
            }
        };
        self.tls.check == Check::Nothing && self.config.get_hosts().iter().any(is_remote)
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        let given = self.config.get_connect_timeout();
        given.copied().unwrap_or(CONNECT_TIMEOUT)
    }
}

#[cfg(test)]
mod tests;
