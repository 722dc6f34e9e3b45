//! A database for each test, copied from a template that is filled once.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use super::cluster::{Cluster, Options};
use super::session::{self, Row};

/// Names a server to use in place of a temporary cluster, reached without TLS as a superuser.
const GIVEN: &str = "TEST_DATABASE_URL";

/// Says which engine the tests of more than one run on: `embedded`, as without it, or `postgres`.
const CHOICE: &str = "TIDEGATE_TEST_STORE";

/// Whether the tests of more than one engine are to run on PostgreSQL.
///
/// # Panics
/// When the environment names an engine that is not known.
#[must_use]
pub fn is_chosen() -> bool {
    match std::env::var(CHOICE).as_deref() {
        Ok("postgres") => true,
        Ok("embedded") | Err(_) => false,
        Ok(other) => panic!("{CHOICE} is {other}; it can be embedded or postgres"),
    }
}

/// The database `postgres` of the server that tests share.
///
/// # Panics
/// When there is no server and none can be started.
pub fn server_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    URL.get_or_init(|| match std::env::var(GIVEN) {
        Ok(url) => url,
        Err(_) => CLUSTER
            .get_or_init(|| Cluster::start(&Options::default()))
            .url("postgres"),
    })
}

/// A database that only one test uses. It is removed when this is dropped.
#[derive(Debug)]
pub struct Database {
    name: String,
    url: String,
}

/// A new database with nothing in it.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn empty_database() -> Database {
    Database::copy_of("template0")
}

/// A new database that is a copy of the template of this name. If there is none yet, `fill` makes
/// it from an empty database, of which it is given the URL. The name must say what is in it: it
/// stays on the server and is used by other processes.
///
/// # Panics
/// When it cannot be made.
pub fn database<F>(template: &str, fill: impl FnOnce(String) -> F + Send) -> Database
where
    F: Future<Output = ()>,
{
    static FILLED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let name = format!("tidegate_template_{template}");
    let mut filled = FILLED.lock().unwrap_or_else(PoisonError::into_inner);
    if !filled.contains(&name) {
        if !exists(&name) {
            make_template(&name, fill);
        }
        filled.insert(name.clone());
    }
    drop(filled);
    Database::copy_of(&name)
}

/// Whether the server goes on after the tests.
fn is_given() -> bool {
    std::env::var_os(GIVEN).is_some()
}

fn exists(name: &str) -> bool {
    let find = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    !admin(&find).expect("the server answers").is_empty()
}

fn make_template<F>(name: &str, fill: impl FnOnce(String) -> F + Send)
where
    F: Future<Output = ()>,
{
    let draft = Database::copy_of("template0");
    let url = draft.url.clone();
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(fill(url));
        });
        thread.join().expect("the template can be filled");
    });
    let renamed = admin(&format!("ALTER DATABASE {} RENAME TO {name}", draft.name));
    // Another process may have been faster.
    assert!(renamed.is_ok() || exists(name), "{renamed:?}");
    if renamed.is_ok() {
        std::mem::forget(draft);
    }
}

fn admin(sql: &str) -> Result<Vec<Row>, String> {
    session::run(server_url(), sql)
}

impl Database {
    fn copy_of(template: &str) -> Database {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("tidegate_test_{}_{number}", std::process::id());
        if is_given() {
            // A run that was killed may have left it there.
            drop(admin(&format!(
                "DROP DATABASE IF EXISTS {name} WITH (FORCE)"
            )));
        }
        let made = admin(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        made.unwrap_or_else(|error| panic!("no new database: {error}"));
        Database {
            url: of_database(server_url(), &name),
            name,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements in it.
    ///
    /// # Panics
    /// When one fails.
    pub fn sql(&self, sql: &str) -> Vec<Row> {
        session::run(&self.url, sql).unwrap_or_else(|error| panic!("{error}: {sql}"))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop_it = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if is_given() {
            drop(admin(&drop_it));
        } else {
            // The cluster may end before it is done.
            thread::spawn(move || drop(admin(&drop_it)));
        }
    }
}

/// The same URL with another database in it.
fn of_database(url: &str, name: &str) -> String {
    let (place, query) = match url.split_once('?') {
        Some((place, query)) => (place, format!("?{query}")),
        None => (url, String::new()),
    };
    let authority = place.find("://").map_or(0, |scheme| scheme + 3);
    let end = place[authority..].find('/').map(|slash| authority + slash);
    let server = &place[..end.unwrap_or(place.len())];
    format!("{server}/{name}{query}")
}

#[cfg(test)]
mod tests {
    use super::of_database;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        let url = "postgres://ada:a%2Fb@db.example:5433/postgres?sslmode=require";
        let other = "postgres://ada:a%2Fb@db.example:5433/other?sslmode=require";
        assert_eq!(of_database(url, "other"), other);
        let bare = "postgres://db.example?sslmode=require";
        let other = "postgres://db.example/other?sslmode=require";
        assert_eq!(of_database(bare, "other"), other);
        assert_eq!(
            of_database("postgres://db.example", "x"),
            "postgres://db.example/x"
        );
    }
}
