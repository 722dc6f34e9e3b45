//! Where webhooks may be sent: URLs, and what their hosts resolve to.
//!
//! A name is resolved for each connection and the connection goes to the very address that was
//! looked at, so that a name which answers differently the second time gains nothing.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use url::{Host, Url};

use crate::address::{Network, is_public};

/// Characters of a URL.
pub const URL_MAX: usize = 2_048;

/// Where webhooks may go besides the public Internet over TLS.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// Networks that are allowed although they are not public; without TLS, too.
    pub allowed: Vec<Network>,
}

impl Policy {
    /// Whether a connection to an address may be made.
    ///
    /// # Errors
    /// [`TargetError`] when it may not.
    pub fn check(&self, address: IpAddr, is_plain: bool) -> Result<(), TargetError> {
        if self.allowed.iter().any(|network| network.contains(address)) {
            return Ok(());
        }
        if !is_public(address) {
            return Err(TargetError::Refused(address));
        }
        if is_plain {
            return Err(TargetError::Plain);
        }
        Ok(())
    }

    /// Whether all of these may be connected to: a name with one address that is refused is refused
    /// as a whole.
    ///
    /// # Errors
    /// [`TargetError`] of the first that may not.
    pub fn check_all(&self, addresses: &[SocketAddr], is_plain: bool) -> Result<(), TargetError> {
        addresses
            .iter()
            .try_for_each(|address| self.check(address.ip(), is_plain))
    }
}

/// Why something is no target.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TargetError {
    /// It is no URL.
    #[error("must be an https URL")]
    Url,
    /// It is too long.
    #[error("must have at most {URL_MAX} characters")]
    Long,
    /// It has a user or a password, or a fragment.
    #[error("must have no user, password or fragment")]
    Extra,
    /// It is not encrypted.
    #[error("must use https: http is only for networks that the configuration allows")]
    Plain,
    /// It leads to an address that is not allowed.
    #[error(
        "leads to {0}, which is private, local or reserved and not allowed by the configuration"
    )]
    Refused(IpAddr),
}

/// A URL that webhooks may be sent to, as far as it tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    url: Url,
}

impl Target {
    /// Reads a URL. An address in it is checked here, a name when it is resolved.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn parse(text: &str, policy: &Policy) -> Result<Target, TargetError> {
        if text.chars().count() > URL_MAX {
            return Err(TargetError::Long);
        }
        let url = Url::parse(text).map_err(|_| TargetError::Url)?;
        if !matches!(url.scheme(), "https" | "http") || url.port_or_known_default() == Some(0) {
            return Err(TargetError::Url);
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.fragment().is_some() {
            return Err(TargetError::Extra);
        }
        let target = Target { url };
        let address = match target.url.host() {
            None => return Err(TargetError::Url),
            Some(Host::Domain(_)) if target.is_plain() && policy.allowed.is_empty() => {
                return Err(TargetError::Plain);
            }
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        };
        if let Some(address) = address {
            policy.check(address, target.is_plain())?;
        }
        Ok(target)
    }

    /// The same with a path behind its own, such as `/transfers/watch`.
    #[must_use]
    pub fn below(&self, path: &str) -> Target {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        Target { url }
    }

    /// Whether it is not encrypted.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Its host without brackets.
    #[must_use]
    pub fn host(&self) -> String {
        match self.url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    /// What the header `Host` says.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Path and query.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    /// The addresses to connect to, all of them allowed.
    ///
    /// # Errors
    /// [`TargetError`] inside when one is not allowed; [`io::Error`] when there are none.
    pub async fn resolve(
        &self,
        resolver: &dyn Resolve,
        policy: &Policy,
    ) -> io::Result<Result<Vec<SocketAddr>, TargetError>> {
        let addresses = match self.url.host() {
            Some(Host::Ipv4(address)) => vec![SocketAddr::new(address.into(), self.port())],
            Some(Host::Ipv6(address)) => vec![SocketAddr::new(address.into(), self.port())],
            _ => resolver.resolve(self.host(), self.port()).await?,
        };
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no address"));
        }
        let checked = policy.check_all(&addresses, self.is_plain());
        Ok(checked.map(|()| addresses))
    }
}

/// Turns names into addresses.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a name.
    fn resolve(
        &self,
        host: String,
        port: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + '_>>;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(
        &self,
        host: String,
        port: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + '_>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, port)).await?;
            Ok(found.collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local() -> Policy {
        Policy {
            allowed: vec!["127.0.0.0/8".parse().expect("a network")],
        }
    }

    #[test]
    fn urls_that_lead_inside_are_refused_however_they_are_spelled() {
        for inside in [
            "https://127.0.0.1/hook",
            "https://2130706433/hook",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://0/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://0xa9fea9fe/",
            "https://10.0.0.1:8443/",
            "https://192.168.0.1/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://\u{ff11}27.0.0.1/",
        ] {
            let refused = Target::parse(inside, &Policy::default());
            assert!(
                matches!(refused, Err(TargetError::Refused(_))),
                "{inside}: {refused:?}"
            );
        }
    }

    #[test]
    fn what_is_no_target_is_refused() {
        let policy = Policy::default();
        let long = format!("https://example.com/{}", "x".repeat(URL_MAX));
        for (wrong, error) in [
            ("", TargetError::Url),
            ("example.com", TargetError::Url),
            ("ftp://example.com/", TargetError::Url),
            ("file:///etc/passwd", TargetError::Url),
            ("https://", TargetError::Url),
            ("https://example.com:0/", TargetError::Url),
            ("https://user@example.com/", TargetError::Extra),
            ("https://user:pw@example.com/", TargetError::Extra),
            ("https://example.com/#x", TargetError::Extra),
            ("http://example.com/", TargetError::Plain),
            ("http://1.1.1.1/", TargetError::Plain),
            (long.as_str(), TargetError::Long),
        ] {
            assert_eq!(Target::parse(wrong, &policy), Err(error), "{wrong}");
        }
        let fine = Target::parse("https://example.com/hook?x=1", &policy).expect("fine");
        assert_eq!(fine.authority(), "example.com");
        assert_eq!(fine.path_and_query(), "/hook?x=1");
        assert_eq!(fine.below("/a/watch").path_and_query(), "/hook/a/watch?x=1");
        let slash = Target::parse("https://example.com:8443/", &policy).expect("fine");
        assert_eq!(
            slash.below("/a/watch").as_str(),
            "https://example.com:8443/a/watch"
        );
    }

    #[test]
    fn what_is_allowed_may_be_plain() {
        assert!(Target::parse("http://127.0.0.1:3000/hook", &local()).is_ok());
        assert!(Target::parse("http://localhost:3000/hook", &local()).is_ok());
        let other = Target::parse("http://10.0.0.1/", &local());
        assert!(matches!(other, Err(TargetError::Refused(_))), "{other:?}");
        let public = Target::parse("http://1.1.1.1/", &local());
        assert_eq!(public, Err(TargetError::Plain));
    }

    struct Fixed(Vec<SocketAddr>);

    impl Resolve for Fixed {
        fn resolve(
            &self,
            _host: String,
            _port: u16,
        ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + '_>> {
            Box::pin(async move { Ok(self.0.clone()) })
        }
    }

    #[tokio::test]
    async fn a_name_with_one_address_inside_is_refused() {
        let policy = Policy::default();
        let target = Target::parse("https://example.com/", &policy).expect("fine");
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let one = Fixed(vec![at("1.1.1.1:443")]);
        let found = target.resolve(&one, &policy).await.expect("found");
        assert_eq!(found, Ok(vec![at("1.1.1.1:443")]));
        let two = Fixed(vec![at("1.1.1.1:443"), at("[::ffff:10.0.0.1]:443")]);
        let found = target.resolve(&two, &policy).await.expect("found");
        assert!(matches!(found, Err(TargetError::Refused(_))), "{found:?}");
        let none = target.resolve(&Fixed(Vec::new()), &policy).await;
        assert!(none.is_err());
    }
}
