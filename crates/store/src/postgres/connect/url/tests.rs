use super::*;

fn parse(text: &str) -> DatabaseUrl {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn refused(text: &str, word: &str) {
    let error = text.parse::<DatabaseUrl>().expect_err(text).to_string();
    assert!(error.contains(word), "{text}: {error}");
    assert!(!error.contains("hush"), "{text}: {error}");
}

#[test]
fn a_password_is_never_shown() {
    let url = parse("postgres://ada:hush@db.example/ledger?sslmode=require");
    let shown = "postgres://ada:***@db.example/ledger?sslmode=require";
    assert_eq!(url.to_string(), shown);
    assert!(!format!("{url:?}{:?}", url.config).contains("hush"));
    assert_eq!(url.config.get_password(), Some("hush".as_bytes()));
    let url = parse("postgresql://ada@db.example?password=hush&connect_timeout=2");
    let shown = "postgresql://ada@db.example?password=***&connect_timeout=2";
    assert_eq!(url.to_string(), shown);
    assert_eq!(url.config.get_password(), Some("hush".as_bytes()));
    refused("postgres://ada:hu@hush@db.example", "%40");
    refused("ada:hush@db.example", "postgres://");
    refused("postgres://ada:hush@db.example?hush", "without a value");
    refused("postgres://ada:hush@db.example?sslmode=allow", "sslmode");
    refused("postgres://ada:hush@db.example:port", "port");
}

#[test]
fn a_place_is_what_libpq_takes_it_for() {
    let url =
        parse("postgres://ada@one.example:5433,two.example/ledger?target_session_attrs=read-write");
    let host = |name: &str| Host::Tcp(name.to_owned());
    assert_eq!(
        url.config.get_hosts(),
        [host("one.example"), host("two.example")]
    );
    assert_eq!(url.config.get_ports(), [5433, 5432]);
    assert_eq!(url.config.get_dbname(), Some("ledger"));
    let url = parse("postgres://ada@%2Frun%2Fpostgresql/ledger?sslmode=verify-full");
    assert_eq!(
        url.config.get_hosts(),
        [Host::Unix("/run/postgresql".into())]
    );
    assert_eq!(url.config.get_ssl_mode(), SslMode::Disable);
    refused("postgres:///ledger", "no host");
    refused("postgres://db.example?gssencmode=disable", "gssencmode");
}

#[test]
fn sslmode_means_what_libpq_means() {
    let tls = |options: &str| {
        let url = parse(&format!("postgres://db.example?{options}"));
        (url.config.get_ssl_mode(), url.tls.check, url.tls.roots)
    };
    let file = || Roots::File("/etc/my ca.pem".into());
    let root = "sslrootcert=/etc/my%20ca.pem";
    let system = Roots::System;
    use SslMode::{Disable, Prefer, Require};
    assert_eq!(tls(""), (Prefer, Check::Nothing, system.clone()));
    assert_eq!(
        tls("sslmode=disable"),
        (Disable, Check::Nothing, system.clone())
    );
    assert_eq!(
        tls("sslmode=prefer"),
        (Prefer, Check::Nothing, system.clone())
    );
    assert_eq!(
        tls("sslmode=require"),
        (Require, Check::Nothing, system.clone())
    );
    let require = tls(&format!("sslmode=require&{root}"));
    assert_eq!(require, (Require, Check::Authority, file()));
    let authority = tls(&format!("{root}&sslmode=verify-ca"));
    assert_eq!(authority, (Require, Check::Authority, file()));
    let full = tls(&format!("sslmode=verify-full&{root}"));
    assert_eq!(full, (Require, Check::Name, file()));
    assert_eq!(
        tls("sslmode=verify-full"),
        (Require, Check::Name, system.clone())
    );
    assert_eq!(tls("sslrootcert=system"), (Require, Check::Name, system));

    refused("postgres://db.example?sslmode=verify-ca", "sslrootcert");
    refused(
        "postgres://db.example?sslmode=verify-ca&sslrootcert=system",
        "verify-full",
    );
    refused("postgres://db.example?sslrootcert=/ca.pem", "sslmode");
    refused(
        "postgres://db.example?sslmode=prefer&sslrootcert=/ca.pem",
        "sslmode",
    );
    refused(
        "postgres://db.example?sslmode=require&sslmode=disable",
        "twice",
    );
    refused("postgres://db.example?sslcert=/c.pem", "sslkey");
}

#[test]
fn who_may_be_pretended_to_be_is_known() {
    for (url, unverified) in [
        ("postgres://db.example", true),
        ("postgres://db.example?sslmode=require", true),
        ("postgres://db.example?sslmode=verify-full", false),
        ("postgres://127.0.0.1,10.0.0.1", true),
        ("postgres://127.0.0.1", false),
        ("postgres://localhost", false),
        ("postgres://[::1]:5432", false),
        ("postgres://%2Frun%2Fpostgresql", false),
    ] {
        assert_eq!(parse(url).is_unverified(), unverified, "{url}");
    }
}

#[test]
fn a_lost_peer_is_noticed_in_seconds() {
    let url = parse("postgres://db.example?keepalives_idle=60");
    assert_eq!(url.connect_timeout(), CONNECT_TIMEOUT);
    assert_eq!(url.config.get_keepalives_idle(), Duration::from_secs(60));
    let url = parse("postgres://db.example?connect_timeout=9&application_name=one");
    assert_eq!(url.connect_timeout(), Duration::from_secs(9));
    assert_eq!(url.config.get_application_name(), Some("one"));
    assert_eq!(url.config.get_keepalives_idle(), KEEPALIVES_IDLE);
    assert_eq!(url.config.get_tcp_user_timeout(), Some(&TCP_USER_TIMEOUT));
}
