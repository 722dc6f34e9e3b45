//! Against a server that has a certificate for `db.example` and takes nothing in the clear.

use std::path::PathBuf;
use std::sync::LazyLock;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use sim::postgres::{Cluster, Link, Options};
use tempfile::TempDir;

use super::*;
use crate::postgres::rows;
use crate::postgres::wire::Wire;

struct World {
    cluster: Cluster,
    folder: TempDir,
}

fn authority() -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    (certificate.pem(), Issuer::new(params, key))
}

fn signed(name: &str, by: &Issuer<'_, KeyPair>) -> (String, String) {
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, by).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

impl World {
    fn new() -> World {
        let (root, issuer) = authority();
        let (certificate, key) = signed("db.example", &issuer);
        let (ours, our_key) = signed("certified", &issuer);
        let (stranger, _) = authority();
        let cluster = Cluster::start(&Options {
            settings: "ssl = on\nssl_ca_file = 'root.crt'".to_owned(),
            access: "hostnossl all all all reject\n\
                hostssl all certified 127.0.0.1/32 cert\n\
                hostssl all ada 127.0.0.1/32 scram-sha-256"
                .to_owned(),
            files: vec![
                ("server.crt", certificate),
                ("server.key", key),
                ("root.crt", root.clone()),
            ],
            ..Options::default()
        });
        cluster.sql("CREATE ROLE certified LOGIN; CREATE ROLE ada LOGIN PASSWORD 'hush'");
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in [
            ("root", &root),
            ("stranger", &stranger),
            ("ours", &ours),
            ("key", &our_key),
        ] {
            std::fs::write(folder.path().join(name), text).expect("room for a file");
        }
        World { cluster, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `{root}` and so on in the options stand for the files.
    fn url(&self, user: &str, host: &str, options: &str) -> DatabaseUrl {
        let port = self.cluster.port();
        let mut text =
            format!("postgres://{user}@{host}:{port}/postgres?hostaddr=127.0.0.1&{options}");
        for name in ["root", "stranger", "ours", "key", "nothing"] {
            let path = self.file(name).display().to_string();
            text = text.replace(&format!("{{{name}}}"), &path);
        }
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Whether a session of `postgres` is encrypted.
    async fn is_encrypted(&self, host: &str, options: &str) -> bool {
        let url = self.url("postgres", host, options);
        let client = connect(&url).await;
        let client = client.unwrap_or_else(|error| panic!("{options}: {error}"));
        let row = client.query_one(IS_ENCRYPTED, &[]).await;
        row.expect("an answer").get(0)
    }

    async fn refused(&self, host: &str, options: &str, word: &str) {
        let error = connect(&self.url("postgres", host, options)).await;
        let error = error.map(drop).expect_err(options).to_string();
        assert!(error.contains(word), "{options}: {error}");
    }
}

/// Connects in both ways, which must come to the same.
async fn connect(url: &DatabaseUrl) -> Result<Client, ConnectError> {
    let stream = url.stream().await;
    let client = url.connect().await;
    let (client, stream) = match (client, stream) {
        (Ok(client), Ok(stream)) => (client, stream),
        (Err(client), Err(stream)) => {
            assert_eq!(client.to_string(), stream.to_string());
            return Err(client);
        }
        (client, stream) => panic!(
            "the library: {:?}, as a stream: {:?}",
            client.map(drop),
            stream.map(drop)
        ),
    };
    let mut wire = Wire::new(stream);
    let statement = wire.prepare(&[IS_ENCRYPTED]).await.expect("a statement");
    wire.send(&statement[0], [].into_iter()).expect("no values");
    let rows = wire
        .answers(&[&statement[0]], || ())
        .await
        .expect("an answer");
    let row = client
        .query_one(IS_ENCRYPTED, &[])
        .await
        .expect("an answer");
    let is_encrypted: bool = rows::get(&rows[0][0], 0).expect("a truth");
    assert_eq!(is_encrypted, row.get::<_, bool>(0));
    Ok(client)
}

const IS_ENCRYPTED: &str = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

static WORLD: LazyLock<World> = LazyLock::new(World::new);

#[tokio::test]
async fn the_right_name_of_a_known_authority_is_accepted() {
    let full = "sslmode=verify-full&sslrootcert={root}";
    assert!(WORLD.is_encrypted("db.example", full).await);
}

#[tokio::test]
async fn a_wrong_name_is_refused() {
    let full = "sslmode=verify-full&sslrootcert={root}";
    WORLD
        .refused("other.example", full, "not valid for name")
        .await;
    WORLD.refused("127.0.0.1", full, "not valid for name").await;
    // The weaker modes do not ask for the name.
    for weaker in ["verify-ca", "require"] {
        let options = format!("sslmode={weaker}&sslrootcert={{root}}");
        assert!(WORLD.is_encrypted("other.example", &options).await);
    }
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    for mode in ["verify-full", "verify-ca", "require"] {
        let options = format!("sslmode={mode}&sslrootcert={{stranger}}");
        WORLD.refused("db.example", &options, "certificate").await;
    }
    // The system knows nothing of an authority made for a test.
    WORLD
        .refused("db.example", "sslmode=verify-full", "certificate")
        .await;
    for unverified in ["sslmode=require", "sslmode=prefer", ""] {
        assert!(WORLD.is_encrypted("other.example", unverified).await);
    }
}

#[tokio::test]
async fn nothing_goes_in_the_clear_unless_told_so() {
    let plain = Cluster::start(&Options::default());
    let url = |options: &str| -> DatabaseUrl {
        let text = format!("{}?{options}", plain.url("postgres"));
        text.parse().expect("a URL")
    };
    for clear in ["sslmode=disable", "sslmode=prefer"] {
        connect(&url(clear)).await.expect("in the clear");
    }
    let refused = connect(&url("sslmode=require")).await;
    let refused = refused.expect_err("no TLS there");
    assert!(
        refused.to_string().contains("does not support TLS"),
        "{refused}"
    );
    WORLD
        .refused("db.example", "sslmode=disable", "no encryption")
        .await;
}

#[tokio::test]
async fn local_sockets_and_addresses_without_a_name_are_reached_too() {
    let plain = Cluster::start(&Options::default());
    let socket: DatabaseUrl = plain.socket_url("postgres").parse().expect("a URL");
    connect(&socket).await.expect("through the socket");
    let port = plain.port();
    let address = format!("postgres://postgres@/postgres?hostaddr=127.0.0.1&port={port}");
    connect(&address.parse().expect("a URL"))
        .await
        .expect("by its address");
    let several = format!("postgres://postgres@127.0.0.1:1,127.0.0.1:{port}/postgres");
    connect(&several.parse().expect("a URL"))
        .await
        .expect("the second one");
    let nobody: DatabaseUrl = "postgres:///postgres?host=/nowhere".parse().expect("a URL");
    let error = nobody.stream().await.map(drop).expect_err("nobody listens");
    assert!(matches!(error, ConnectError::Closed { .. }), "{error}");
}

#[tokio::test]
async fn a_certificate_of_our_own_lets_us_in() {
    let full = "sslmode=verify-full&sslrootcert={root}";
    let url = WORLD.url(
        "certified",
        "db.example",
        &format!("{full}&sslcert={{ours}}&sslkey={{key}}"),
    );
    connect(&url).await.expect("we show it");
    let url = WORLD.url("certified", "db.example", full);
    // Whether the refusal or the end of the connection is seen first is left to chance.
    url.connect().await.map(drop).expect_err("we show none");
    url.stream().await.map(drop).expect_err("we show none");
}

#[tokio::test]
async fn a_password_is_checked_and_not_told() {
    let full = "sslmode=verify-full&sslrootcert={root}&channel_binding=require";
    let url = WORLD.url("ada:hush", "db.example", full);
    connect(&url).await.expect("it is the right one");
    let url = WORLD.url("ada:hushed", "db.example", full);
    let error = connect(&url).await.expect_err("it is a wrong one");
    let error = error.to_string();
    assert!(error.contains("authentication failed"), "{error}");
    assert!(error.contains("ada:***@db.example"), "{error}");
    assert!(!error.contains("hush"), "{error}");
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let full = "sslmode=verify-full&sslrootcert={nothing}";
    WORLD.refused("db.example", full, "nothing").await;
    let full = "sslmode=verify-full&sslrootcert={key}";
    WORLD
        .refused("db.example", full, "no certificate in it")
        .await;
    let full = "sslmode=verify-full&sslrootcert={root}&sslcert={ours}&sslkey={root}";
    WORLD.refused("db.example", full, "root").await;
}

#[tokio::test]
async fn a_server_that_hangs_is_not_waited_for() {
    let link = Link::to(WORLD.cluster.port());
    link.hold();
    let url = format!("{}?connect_timeout=1", link.url("postgres"));
    let url: DatabaseUrl = url.parse().expect("a URL");
    let error = url.connect().await.map(drop).expect_err("it hangs");
    assert!(matches!(error, ConnectError::Late { .. }), "{error}");
    let error = url.stream().await.map(drop).expect_err("it hangs");
    assert!(matches!(error, ConnectError::Late { .. }), "{error}");
    let pool = url.pool(&OPTIONS).expect("a pool");
    pool.get().await.map(drop).expect_err("it hangs");
    link.let_pass();
}

const OPTIONS: PoolOptions = PoolOptions {
    size: 1,
    statement_timeout: Duration::from_secs(7),
    wait: Duration::from_secs(5),
};

#[tokio::test]
async fn a_session_is_durable_and_bounded() {
    let cluster = Cluster::start(&Options {
        settings: "synchronous_commit = off".to_owned(),
        ..Options::default()
    });
    let url: DatabaseUrl = cluster.url("postgres").parse().expect("a URL");
    let pool = url.pool(&OPTIONS).expect("a pool");
    let client = pool.get().await.expect("a connection");
    for (name, value) in [
        ("synchronous_commit", "on"),
        ("statement_timeout", "7s"),
        ("idle_in_transaction_session_timeout", "7s"),
        ("application_name", "tidegate"),
    ] {
        let row = client.query_one(&format!("SHOW {name}"), &[]).await;
        let found: String = row.expect("an answer").get(0);
        assert_eq!(found, value, "{name}");
    }
}
