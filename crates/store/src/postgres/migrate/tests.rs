use std::collections::BTreeSet;

use sim::postgres::{Database, database, empty_database, run};

use super::*;
use crate::clock::ManualClock;

const NOW: Millis = Millis(1_800_000_000_000);

fn migrator(database: &Database) -> Migrator {
    migrator_at(database.url())
}

fn migrator_at(url: &str) -> Migrator {
    Migrator {
        clock: Arc::new(ManualClock::new(NOW)),
        patience: Duration::from_millis(200),
        ..Migrator::new(url.parse().expect("a URL"))
    }
}

async fn migrate(migrator: &Migrator) -> Vec<usize> {
    let mut told = Vec::new();
    let done = migrator.run(|number, _| told.push(number)).await;
    assert_eq!(done.expect("it can be migrated"), told.len());
    told
}

/// A database with the tables of this program.
pub(crate) fn complete() -> Database {
    database(&Migrator::digest(), async |url| {
        migrate(&migrator_at(&url)).await;
    })
}

fn all() -> Vec<usize> {
    (1..=STEPS.len()).collect()
}

/// This program's steps and these.
fn with(more: impl IntoIterator<Item = Step>) -> &'static [Step] {
    let ours = STEPS.iter().map(|step| Step { ..*step });
    Vec::leak(ours.chain(more).collect())
}

const NEWER: Step = Step {
    name: "newer",
    sql: "CREATE TABLE newer (id bigint NOT NULL, PRIMARY KEY (id))",
    is_breaking: false,
};

#[test]
fn every_step_makes_one_thing_with_a_name_of_its_own() {
    let makes = STEPS.iter().filter(|step| step.makes());
    let names: BTreeSet<_> = makes.clone().filter_map(Step::object).collect();
    assert_eq!(names.len(), makes.count());
    for taken in STEPS.iter().filter(|step| !step.makes()) {
        let name = taken.object().expect("an index");
        assert!(names.contains(&name), "{name} was never made");
    }
    let changed = Step {
        sql: "CREATE TABLE newer (id text NOT NULL, PRIMARY KEY (id))",
        ..NEWER
    };
    assert_eq!(changed.object().as_deref(), Some("newer"));
    assert_ne!(changed.checksum(), NEWER.checksum());
}

#[tokio::test]
async fn an_empty_database_gets_every_table_once() {
    let database = empty_database();
    let migrator = migrator(&database);
    let plan = migrator.plan().await.expect("it can be migrated");
    assert!(plan.is_new);
    assert_eq!(plan.missing.len(), STEPS.len());
    assert_eq!(plan.missing[0], (1, STEPS[0].name));
    assert_eq!(migrate(&migrator).await, all());
    let nothing = Plan {
        missing: Vec::new(),
        known: STEPS.len(),
        newer: 0,
        is_new: false,
    };
    assert_eq!(migrator.plan().await.expect("it is ours"), nothing);
    assert_eq!(migrator.check().await.expect("it is ours"), nothing);
    assert!(migrate(&migrator).await.is_empty());
}

#[tokio::test]
async fn planning_changes_nothing() {
    let database = empty_database();
    migrator(&database)
        .plan()
        .await
        .expect("it can be migrated");
    let tables = database.sql("SELECT 1 FROM pg_tables WHERE schemaname = current_schema()");
    assert!(tables.is_empty());
}

#[tokio::test]
async fn servers_that_start_at_once_share_the_work() {
    let database = empty_database();
    // Each lease is free at once when the one before it is given back.
    let migrator = Migrator {
        patience: PATIENCE,
        ..migrator(&database)
    };
    let runs = tokio::join!(
        migrate(&migrator),
        migrate(&migrator),
        migrate(&migrator),
        migrate(&migrator),
    );
    let mut told = [runs.0, runs.1, runs.2, runs.3].concat();
    told.sort_unstable();
    assert_eq!(told, all());
}

/// Wherever a run dies, the next one does what is left.
#[tokio::test]
async fn a_run_that_died_is_gone_on_with() {
    let database = empty_database();
    for known in 0..STEPS.len() {
        let upto = Migrator {
            steps: &STEPS[..known],
            ..migrator(&database)
        };
        migrate(&upto).await;
        // Its next step: begun and not made; then made and not marked.
        let step = &STEPS[known];
        let number = known + 1;
        let begin = format!(
            "UPDATE schema_state SET complete = false; \
             INSERT INTO schema_steps VALUES ({number}, 'x', decode('{}', 'hex'), 0, 1)",
            hex(&step.checksum())
        );
        database.sql(&begin);
        if known % 2 == 1 {
            database.sql(step.sql);
        }
        let plan = migrator(&database).plan().await.expect("it is ours");
        assert!(plan.is_new, "it was never complete");
        assert_eq!(plan.missing[0].0, number);
    }
    assert_eq!(migrate(&migrator(&database)).await, [STEPS.len()]);
    let rows = database.sql("SELECT 1 FROM schema_steps WHERE applied_ms IS NULL");
    assert!(rows.is_empty(), "every step is marked");
}

/// What was done and not marked is seen, of columns that are added and indexes that are taken away, too.
#[tokio::test]
async fn nothing_is_added_or_taken_away_twice() {
    for verb in ["ALTER", "DROP"] {
        let database = empty_database();
        let place = STEPS.iter().position(|step| step.sql.starts_with(verb));
        let place = place.expect("there is such a step");
        let upto = Migrator {
            steps: &STEPS[..place],
            ..migrator(&database)
        };
        migrate(&upto).await;
        let (number, sum) = (place + 1, hex(&STEPS[place].checksum()));
        database.sql(&format!(
            "INSERT INTO schema_steps VALUES ({number}, 'x', decode('{sum}', 'hex'), 0, 1)"
        ));
        database.sql(STEPS[place].sql);
        assert_eq!(migrate(&migrator(&database)).await, all()[place..]);
        for taken in STEPS.iter().filter(|step| !step.makes()) {
            let name = taken.object().expect("an index");
            let rows = database.sql(&format!("SELECT to_regclass('{name}') IS NULL"));
            assert_eq!(rows[0][0].as_deref(), Some("t"), "{name} is there");
        }
    }
}

#[tokio::test]
async fn a_run_that_died_between_its_own_tables_is_gone_on_with() {
    let database = empty_database();
    database.sql(MAKE_STEPS);
    assert!(migrator(&database).plan().await.expect("it is ours").is_new);
    assert_eq!(migrate(&migrator(&database)).await, all());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn the_lease_of_a_dead_run_ends_by_its_time() {
    let database = empty_database();
    database.sql(&format!("{MAKE_STEPS}; {MAKE_STATE}"));
    let Millis(now) = NOW;
    let lease = |until: i64| {
        let sql = format!(
            "DELETE FROM schema_state; \
             INSERT INTO schema_state VALUES (1, 'the dead one', {until}, false)"
        );
        database.sql(&sql);
    };
    lease(now + 1);
    let waiting = migrator(&database);
    let error = waiting.run(|_, _| ()).await.expect_err("it is held");
    assert!(
        matches!(&error, MigrateError::Busy { holder } if holder == "the dead one"),
        "{error}"
    );
    lease(now - 1);
    assert_eq!(migrate(&waiting).await, all());
}

#[tokio::test]
async fn a_changed_step_is_refused() {
    let database = complete();
    database.sql("UPDATE schema_steps SET checksum = decode('00', 'hex') WHERE number = 2");
    for error in [
        migrator(&database).plan().await.expect_err("it is changed"),
        migrator(&database)
            .run(|_, _| ())
            .await
            .expect_err("it is changed"),
    ] {
        assert!(
            matches!(error, MigrateError::Changed { number: 2, .. }),
            "{error}"
        );
    }
    database.sql("DELETE FROM schema_steps WHERE number = 2");
    let error = migrator(&database)
        .plan()
        .await
        .expect_err("one is missing");
    assert!(
        matches!(error, MigrateError::Changed { number: 3, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_used_unless_that_breaks() {
    let database = complete();
    let newer = Migrator {
        steps: with([NEWER]),
        ..migrator(&database)
    };
    let plan = newer.check().await.expect("it is ours");
    assert_eq!(plan.missing, [(STEPS.len() + 1, "newer")]);
    assert!(!plan.is_new, "it has data");
    assert_eq!(migrate(&newer).await, [STEPS.len() + 1]);
    let plan = migrator(&database).check().await.expect("it still fits");
    assert_eq!((plan.missing.len(), plan.newer), (0, 1));

    let breaking = Step {
        name: "breaking",
        sql: "CREATE INDEX breaking ON newer (id)",
        is_breaking: true,
    };
    migrate(&Migrator {
        steps: with([NEWER, breaking]),
        ..migrator(&database)
    })
    .await;
    for old in [migrator(&database), newer] {
        let error = old.check().await.expect_err("it does not fit any more");
        assert!(matches!(error, MigrateError::TooNew { .. }), "{error}");
        let error = old
            .run(|_, _| ())
            .await
            .expect_err("nothing to be done here");
        assert!(matches!(error, MigrateError::TooNew { .. }), "{error}");
    }
}

#[tokio::test]
async fn tables_of_somebody_else_are_left_alone() {
    let database = empty_database();
    database.sql("CREATE TABLE accounts (id int)");
    for error in [
        migrator(&database)
            .plan()
            .await
            .expect_err("it is not ours"),
        migrator(&database)
            .run(|_, _| ())
            .await
            .expect_err("it is not ours"),
    ] {
        assert!(
            matches!(&error, MigrateError::Foreign(name) if name == "accounts"),
            "{error}"
        );
    }
    let database = complete();
    database.sql("CREATE TABLE newer (id int)");
    let migrator = Migrator {
        steps: with([NEWER]),
        ..migrator(&database)
    };
    let error = migrator.run(|_, _| ()).await.expect_err("it is not ours");
    assert!(
        matches!(&error, MigrateError::Foreign(name) if name == "newer"),
        "{error}"
    );
}

/// A role that can log in and nothing else, and the URL with it in place of the superuser.
fn role(database: &Database, name: &str) -> String {
    let name = format!("{name}_{}", database.name());
    // A role belongs to the whole cluster, which another test may have left it in.
    drop(run(database.url(), &format!("CREATE ROLE {name} LOGIN")));
    let (_, place) = database.url().split_once('@').expect("a URL with a user");
    format!("postgres://{name}@{place}")
}

#[tokio::test]
async fn missing_rights_come_with_the_statement_that_gives_them() {
    let database = empty_database();
    let maker = role(&database, "maker");
    let refused = |error: MigrateError| match error {
        MigrateError::Rights { statement, .. } => statement,
        error => panic!("{error}"),
    };
    let error = migrator_at(&maker)
        .run(|_, _| ())
        .await
        .expect_err("it may not");
    let statement = refused(error);
    assert!(
        statement.starts_with("GRANT USAGE, CREATE ON SCHEMA public TO"),
        "{statement}"
    );
    database.sql(&statement);
    assert_eq!(migrate(&migrator_at(&maker)).await, all());

    let server = role(&database, "server");
    let statement = refused(migrator_at(&server).check().await.expect_err("it may not"));
    let grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO";
    assert!(statement.starts_with(grant), "{statement}");
    database.sql(&format!(
        "{statement}; REVOKE DELETE ON due FROM {}",
        user(&server)
    ));
    let error = migrator_at(&server)
        .check()
        .await
        .expect_err("it may not delete");
    assert!(error.to_string().contains("the table due"), "{error}");
    database.sql(&refused(error));
    let plan = migrator_at(&server)
        .check()
        .await
        .expect("it may do all it must");
    assert!(plan.missing.is_empty());
    database.sql(&format!(
        "REVOKE USAGE ON SCHEMA public FROM PUBLIC, {}",
        user(&server)
    ));
    let error = migrator_at(&server)
        .check()
        .await
        .expect_err("there is no schema for it");
    assert!(error.to_string().contains("search_path"), "{error}");
}

fn user(url: &str) -> &str {
    let rest = url.strip_prefix("postgres://").expect("a URL");
    rest.split_once('@').expect("a URL with a user").0
}

#[tokio::test]
async fn a_database_that_cannot_hold_the_ledger_is_refused() {
    let database = complete();
    let read_only = format!(
        "{}?options=-cdefault_transaction_read_only%3Don",
        database.url()
    );
    let error = migrator_at(&read_only)
        .check()
        .await
        .expect_err("it is read only");
    assert!(error.to_string().contains("read only"), "{error}");
    let name = format!("{}_latin", database.name());
    database.sql(&format!(
        "CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
    ));
    let latin = database.url().replace(database.name(), &name);
    let error = migrator_at(&latin)
        .plan()
        .await
        .expect_err("it has not every letter");
    assert!(error.to_string().contains("LATIN1"), "{error}");
    database.sql(&format!("DROP DATABASE {name} WITH (FORCE)"));
}
