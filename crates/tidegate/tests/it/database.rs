//! A server over a database: its start, its secrets, its settings, and a database that goes away.

use std::sync::Arc;

use serde_json::{Value, json};
use sim::postgres::{Cluster, Database, Options, empty_database};

use crate::postgres::with_tables;
use crate::process::{Ground, Http, Place, poll, text};

fn empty() -> Arc<Database> {
    Arc::new(empty_database())
}

/// A place for another server, with the secrets of one that has started.
fn beside(place: &Place, database: &Arc<Database>) -> Place {
    let other = Place::over(database);
    for name in ["server.secret", "admin.token"] {
        std::fs::copy(place.data().join(name), other.data().join(name)).expect("it was made");
    }
    other
}

fn refused(place: &Place, more: &[&str]) -> String {
    let (status, said) = place.try_serve(more).err().expect("it started");
    assert_eq!(status.code(), Some(1), "{said}");
    said
}

#[test]
fn an_empty_database_is_filled_and_the_folder_holds_no_ledger() {
    let database = empty();
    let place = Place::over(&database);
    let process = place.serve(&[]);
    let ground = Ground::prepare(&mut process.as_admin(&place), 2, 1_000);
    assert_eq!(process.terminate().code(), Some(0));
    for name in ["journal", "views.sqlite"] {
        assert!(!place.data().join(name).exists(), "{name}");
    }
    let verified = place.verify();
    assert!(
        verified.contains("1 tenants") && verified.contains("sum 0"),
        "{verified}"
    );
    // Another folder with the same secrets is the same server.
    let other = beside(&place, &database);
    let process = other.serve(&[]);
    let seen = process.as_key(&ground.key).get("/api/v1/accounts");
    assert_eq!(seen["data"].as_array().map(Vec::len), Some(4));
}

#[test]
fn two_servers_over_one_database_move_the_same_money() {
    let database = Arc::new(with_tables());
    let place = Place::over(&database);
    let one = place.serve(&[]);
    let ground = Ground::prepare(&mut one.as_admin(&place), 2, 1_000);
    let other_place = beside(&place, &database);
    let other = other_place.serve(&[]);
    let mut here = one.as_key(&ground.key);
    let mut there = other.as_key(&ground.key);
    let body = |from: &str, to: &str| {
        let amount = 200;
        json!({"source_account_id": from, "destination_account_id": to, "amount_in_cents": amount})
            .to_string()
    };
    let first = there.transfer("k", &body(&ground.pay, &ground.pods[0]));
    let first = first.expect("an answer");
    assert_eq!(first.status, 201, "{}", text(&first.body));
    // The same request elsewhere is the same transfer.
    let again = here.transfer("k", &body(&ground.pay, &ground.pods[0]));
    assert_eq!(again.expect("an answer").body, first.body);
    let on = here.transfer("l", &body(&ground.pods[0], &ground.pods[1]));
    assert_eq!(on.expect("an answer").status, 201);
    let mut admin = other.as_admin(&other_place);
    let mut balance = |account: &str| admin.get(&ground.account_path(account))["balance"].clone();
    poll(|| (balance(&ground.pods[1]) == 200).then_some(()));
    assert_eq!(balance(&ground.pods[0]), 1_000);
    assert_eq!(balance(&ground.pay), 800);
    assert_eq!(one.terminate().code(), Some(0));
    assert_eq!(other.terminate().code(), Some(0));
    place.verify();
}

#[test]
fn another_server_secret_is_refused_with_the_file_to_copy() {
    let database = Arc::new(with_tables());
    let place = Place::over(&database);
    let process = place.serve(&[]);
    let strange = Place::over(&database);
    let said = refused(&strange, &[]);
    assert!(
        said.contains("data/server.secret is not") && said.contains("copy server.secret"),
        "{said}"
    );
    // The file that is named counts, and must be there.
    let secret = place.data().join("server.secret").display().to_string();
    let token = place.data().join("admin.token").display().to_string();
    let named = [
        "--server-secret-file",
        &secret,
        "--admin-token-file",
        &token,
    ];
    let other = strange.serve(&named);
    let token = std::fs::read_to_string(&token).expect("it was made");
    let mut admin = Http::new(&other.admin, &format!("Bearer {}", token.trim()));
    admin.get("/admin/v1/status");
    assert!(!strange.data().join("admin.token").exists());
    drop((process, other));
    let said = refused(&strange, &["--server-secret-file", "nowhere"]);
    assert!(said.contains("nowhere"), "{said}");
}

#[test]
fn tables_of_an_older_program_wait_to_be_migrated() {
    let database = Arc::new(with_tables());
    let forget = || {
        database.sql(
            "ALTER TABLE transfers DROP COLUMN card; \
             CREATE INDEX remembered_by_number ON remembered (number); \
             DELETE FROM schema_steps WHERE number >= (SELECT max(number) - 1 FROM schema_steps)",
        );
    };
    let place = Place::over(&database);
    forget();
    let said = refused(&place, &[]);
    assert!(
        said.contains("lack 2 of") && said.contains("tidegate migrate"),
        "{said}"
    );
    let planned = place.ok(&["migrate", "--dry-run"]);
    assert!(
        planned.contains("which card a transfer was made with") && planned.contains("to do: 2 of"),
        "{planned}"
    );
    let done = place.ok(&["migrate"]);
    assert!(
        done.contains("which card a transfer was made with") && done.contains("done: 2 steps"),
        "{done}"
    );
    assert!(place.ok(&["migrate"]).contains("done: 0 steps"));
    drop(place.serve(&[]));
    forget();
    drop(place.serve(&["--migrate"]));
    assert!(place.ok(&["migrate", "--dry-run"]).contains("to do: 0 of"));
}

#[test]
fn a_folder_with_a_ledger_and_a_database_are_not_mixed_up() {
    let place = Place::embedded();
    drop(place.serve(&[]));
    let database = Arc::new(with_tables());
    let said = refused(&place, &["--database-url", database.url()]);
    assert!(said.contains("has a ledger of its own"), "{said}");

    let place = Place::embedded();
    drop(place.serve(&["--database-url", database.url()]));
    let said = refused(&place, &[]);
    assert!(said.contains("--database-url"), "{said}");
    for command in [&["verify"][..], &["views", "rebuild"]] {
        let said = place.fails(1, command);
        assert!(said.contains("--database-url"), "{command:?}: {said}");
    }
    assert!(!place.data().join("journal").exists());
}

#[test]
fn the_password_is_never_shown() {
    let place = Place::embedded();
    let url = "postgres://ada:hush@127.0.0.1:1/ledger";
    let shown = "postgres://ada:***@127.0.0.1:1/ledger";
    let file = place.path().join("url");
    std::fs::write(&file, format!("{url}\n")).expect("a new file");
    let file = file.display().to_string();
    let run = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = place.command(args);
        command.envs(variables.iter().copied());
        let output = crate::process::finish(&mut command);
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(!said.contains("hush"), "{said}");
        said
    };
    let row = |args: &[&str], variables: &[(&str, &str)]| {
        let said = run(&[&["config", "check"], args].concat(), variables);
        let found = said.lines().find(|line| line.contains("database_url "));
        let words: Vec<&str> = found.expect("a row").split_whitespace().skip(1).collect();
        words.join(" ")
    };
    assert_eq!(row(&[], &[]), "- default");
    let variable = [("TIDEGATE_DATABASE_URL", url)];
    assert_eq!(
        row(&[], &variable),
        format!("{shown} environment (TIDEGATE_DATABASE_URL)")
    );
    let named = [("TIDEGATE_DATABASE_URL_FILE", file.as_str())];
    assert_eq!(
        row(&[], &named),
        format!("{shown} environment (TIDEGATE_DATABASE_URL_FILE)")
    );
    assert_eq!(
        row(&["--database-url", url], &named),
        format!("{shown} flag")
    );
    std::fs::write(
        place.path().join("tidegate.toml"),
        format!("database_url = \"{url}\"\n"),
    )
    .expect("a new file");
    assert_eq!(row(&[], &[]), format!("{shown} file (tidegate.toml)"));

    // Nobody listens there.
    for args in [&["serve"][..], &["migrate"], &["verify"]] {
        let said = run(args, &[]);
        assert!(said.contains(shown), "{args:?}: {said}");
    }
    for (variables, word) in [
        (&[variable[0], named[0]][..], "both set"),
        (&[("TIDEGATE_DATABASE_URL", "")], "postgres://"),
        (
            &[("TIDEGATE_DATABASE_URL", "postgres://ada:hush@h?hush")],
            "without a value",
        ),
        (&[("TIDEGATE_DATABASE_URL_FILE", "nowhere")], "nowhere"),
    ] {
        let said = run(&["serve"], variables);
        assert!(said.contains(word), "{said}");
    }
    assert!(!place.log().contains("hush"), "{}", place.log());
}

#[test]
fn a_migration_needs_a_database() {
    let said = Place::embedded().fails(1, &["migrate"]);
    assert!(said.contains("--database-url"), "{said}");
}

#[test]
fn while_the_database_is_away_requests_are_refused_for_a_moment() {
    let cluster = Cluster::start(&Options::default());
    let place = Place::embedded();
    let url = cluster.url("postgres");
    let process = place.serve(&["--database-url", &url]);
    let mut admin = process.as_admin(&place);
    let ground = Ground::prepare(&mut admin, 2, 1_000);
    let mut http = process.as_key(&ground.key);
    let body = |amount: i64| {
        crate::harness::transfer_body(&ground.pay, &ground.pods[0], amount).to_string()
    };
    let ready = |admin: &mut Http| admin.call("GET", "/readyz", None).status;
    assert_eq!(ready(&mut admin), 200);

    cluster.stop();
    let answer = http.transfer("away", &body(100)).expect("an answer");
    assert_eq!(answer.status, 503, "{}", text(&answer.body));
    assert!(answer.header("retry-after").is_some());
    let list = http.call("GET", "/api/v1/accounts", None);
    assert_eq!(list.status, 503);
    assert!(list.header("retry-after").is_some());
    poll(|| (ready(&mut admin) == 503).then_some(()));
    assert_eq!(admin.call("GET", "/healthz", None).status, 200);

    cluster.start_again();
    poll(|| (ready(&mut admin) == 200).then_some(()));
    let made: Value = poll(|| {
        let answer = http.transfer("away", &body(100)).expect("an answer");
        (answer.status == 201).then(|| answer.expect(201))
    });
    assert_eq!(made["data"]["amount_in_cents"], 100);
    let transfers = format!("/api/v1/transfers?account_id={}", ground.pods[0]);
    let mut list = http.get(&transfers);
    let own = |transfer: &Value| transfer["origin"] == "user";
    let found = list["data"]
        .as_array_mut()
        .map(|list| list.iter().filter(|t| own(t)).count());
    assert_eq!(found, Some(1), "it was made once");
    assert_eq!(process.terminate().code(), Some(0));
}
