//! The clusters that tests run PostgreSQL in do what tests rely on.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use sim::postgres::{Cluster, Link, Options, database, empty_database, run};

const PATIENCE: Duration = Duration::from_secs(30);

fn one(rows: &[Vec<Option<String>>]) -> &str {
    let [row] = rows else {
        panic!("not one row: {rows:?}")
    };
    row[0].as_deref().expect("a value")
}

#[test]
fn every_test_has_a_database_of_its_own() {
    let fill = async |url: String| {
        run(&url, "CREATE TABLE t (n bigint); INSERT INTO t VALUES (1)").expect("a table");
    };
    let (one_of_them, other) = (database("sim", fill), database("sim", fill));
    one_of_them.sql("INSERT INTO t VALUES (2)");
    assert_eq!(one(&one_of_them.sql("SELECT sum(n) FROM t")), "3");
    assert_eq!(one(&other.sql("SELECT sum(n) FROM t")), "1");
    let empty = empty_database();
    let tables = empty.sql("SELECT 1 FROM pg_tables WHERE schemaname = 'public'");
    assert!(tables.is_empty());
}

#[test]
fn a_server_can_die_hang_and_come_back() {
    let cluster = Cluster::start(&Options::default());
    cluster.sql("CREATE TABLE t (n bigint); INSERT INTO t VALUES (1)");
    cluster.kill();
    let refused = run(&cluster.url("postgres"), "SELECT 1");
    refused.expect_err("nobody is there");
    cluster.start_again();
    assert_eq!(one(&cluster.sql("SELECT n FROM t")), "1");

    cluster.block();
    let url = cluster.url("postgres");
    let (told, answer) = mpsc::channel();
    let asking = thread::spawn(move || told.send(run(&url, "SELECT n FROM t")));
    let nothing = answer.recv_timeout(Duration::from_millis(200));
    assert_eq!(nothing, Err(mpsc::RecvTimeoutError::Timeout));
    cluster.unblock();
    let rows = answer.recv_timeout(PATIENCE).expect("it goes on");
    assert_eq!(one(&rows.expect("an answer")), "1");
    asking.join().expect("no panic").expect("it was awaited");

    cluster.stop();
    cluster.start_again();
    assert_eq!(one(&cluster.sql("SELECT n FROM t")), "1");
}

#[test]
fn a_standby_has_what_was_committed_and_takes_over() {
    let first = Cluster::start(&Options::default());
    first.sql("CREATE TABLE t (n bigint)");
    let second = first.standby();
    first.sql("INSERT INTO t VALUES (1)");
    first.kill();
    let refused = run(&second.url("postgres"), "INSERT INTO t VALUES (2)");
    let refused = refused.expect_err("a standby is read only");
    assert!(refused.contains("read-only"), "{refused}");
    second.promote();
    second.sql("INSERT INTO t VALUES (2)");
    assert_eq!(one(&second.sql("SELECT sum(n) FROM t")), "3");
}

#[test]
fn a_link_holds_answers_up_and_breaks() {
    let cluster = Cluster::start(&Options::default());
    cluster.sql("CREATE TABLE t (n bigint)");
    let link = Link::to(cluster.port());
    let url = link.url("postgres");
    assert_eq!(one(&run(&url, "SELECT 7").expect("everything passes")), "7");

    // A session that is there already, so that its request arrives.
    let (ready, is_ready) = mpsc::channel();
    let (go, goes) = mpsc::channel::<()>();
    let session = url.clone();
    let client = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let connected = tokio_postgres::connect(&session, tokio_postgres::NoTls).await;
            let (client, connection) = connected.expect("everything passes");
            let connection = tokio::spawn(connection);
            ready.send(()).expect("the test waits");
            goes.recv().expect("the test goes on");
            let done = client.batch_execute("INSERT INTO t VALUES (1)").await;
            drop(client);
            drop(connection.await);
            done.is_ok()
        })
    });
    is_ready.recv().expect("it connects");
    link.hold_answers();
    go.send(()).expect("it waits");
    let begun = Instant::now();
    while cluster.sql("SELECT n FROM t").is_empty() {
        assert!(begun.elapsed() < PATIENCE, "the request did not arrive");
    }
    link.cut();
    assert!(!client.join().expect("no panic"), "the answer was held up");
    run(&url, "SELECT 7").expect_err("it is broken");
    link.let_pass();
    assert_eq!(
        one(&run(&url, "SELECT n FROM t").expect("it is mended")),
        "1"
    );
}

#[test]
fn a_dropped_cluster_leaves_nothing() {
    let cluster = Cluster::start(&Options::default());
    let folder = one(&cluster.sql("SHOW data_directory")).to_owned();
    assert!(Path::new(&folder).exists());
    let url = cluster.url("postgres");
    drop(cluster);
    assert!(!Path::new(&folder).exists());
    run(&url, "SELECT 1").expect_err("it has ended");
}

#[test]
fn a_killed_process_leaves_nothing() {
    let tests = std::env::current_exe().expect("this program");
    let mut child = Command::new(tests)
        .args(["--exact", "waits_to_be_killed", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts again");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let folder = lines
        .map_while(Result::ok)
        .find_map(|line| Some(line.split_once("data folder: ")?.1.to_owned()))
        .expect("it says where its cluster is");
    assert!(Path::new(&folder).exists());
    child.kill().expect("it runs");
    child.wait().expect("it has ended");
    let begun = Instant::now();
    while Path::new(&folder).exists() {
        assert!(begun.elapsed() < PATIENCE, "{folder} is still there");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
#[ignore = "the other half of a_killed_process_leaves_nothing"]
fn waits_to_be_killed() {
    let cluster = Cluster::start(&Options::default());
    // A server that hangs is ended, too.
    let folder = one(&cluster.sql("SHOW data_directory")).to_owned();
    cluster.block();
    println!("data folder: {folder}");
    thread::sleep(PATIENCE);
}
