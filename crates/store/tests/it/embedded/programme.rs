//! Profiles, instruments, transfers under a profile and bulks in the views: `verify` finds what was
//! changed.

use store::embedded::{VerifyError, rebuild_views, verify};

use crate::bed::{Bed, close, dump, tamper};
use crate::programme::write_history;

async fn history(bed: &Bed) {
    let store = bed.open().await;
    write_history(bed, &store).await;
    close(store).await;
}

#[tokio::test]
async fn everything_of_a_programme_is_in_the_views() {
    let bed = Bed::embedded();
    history(&bed).await;
    let report = verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    // A deposit, an immediate one, four scheduled ones, two bulks with two transfers each.
    assert_eq!(report.transfers, 10);
    let rows = dump(bed.path());
    let count = |table: &str| rows[table].len();
    assert_eq!(count("profiles"), 6);
    assert_eq!(count("bulks"), 6);
    // Two, three, one before the stop, one; the last two bulks never ran.
    assert_eq!(count("bulk_operations"), 7);
    let (store, opened) = bed.open_folder();
    assert_eq!(opened.replayed, 0);
    close(store).await;
}

#[tokio::test]
async fn rebuilt_views_of_a_programme_have_the_same_rows() {
    let bed = Bed::embedded();
    history(&bed).await;
    let before = dump(bed.path());
    rebuild_views(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    let after = dump(bed.path());
    for (table, rows) in &before {
        assert_eq!(rows, &after[table], "{table}");
    }
}

/// Changes the views by each statement and expects the difference to name what was changed.
#[tokio::test]
async fn a_change_to_a_programme_is_found_and_named() {
    let bed = Bed::embedded();
    history(&bed).await;
    let good = std::fs::read(bed.file("views.sqlite")).expect("it is there");
    for (sql, named) in [
        (
            "UPDATE transfers SET profile = 5 WHERE profile IS NOT NULL",
            "transfer ",
        ),
        (
            "UPDATE transfers SET tag = 'x' WHERE tag IS NOT NULL AND status = 5",
            "transfer ",
        ),
        (
            "UPDATE transfers SET tag = NULL WHERE status = 9",
            "transfer ",
        ),
        (
            "UPDATE transfers SET scheduled_ms = scheduled_ms + 1 WHERE status = 5",
            "transfer ",
        ),
        (
            "UPDATE transfers SET scheduled_ms = NULL WHERE status = 7",
            "transfer ",
        ),
        (
            "UPDATE transfers SET fee = fee + 1 WHERE status = 5",
            "transfer ",
        ),
        ("UPDATE transfers SET fee = 1 WHERE status = 7", "transfer "),
        (
            "UPDATE transfers SET cancel_reason = NULL WHERE status = 9",
            "transfer ",
        ),
        (
            "UPDATE transfers SET cancel_reason = 'x' WHERE status = 5",
            "transfer ",
        ),
        (
            "UPDATE transfers SET error = 1 WHERE status = 7",
            "transfer ",
        ),
        ("UPDATE transfers SET fee = 1 WHERE status = 1", "transfer "),
        (
            "UPDATE accounts SET profile = NULL WHERE profile IS NOT NULL",
            "account ",
        ),
        (
            "UPDATE accounts SET parent = id WHERE parent IS NOT NULL",
            "account ",
        ),
        (
            "UPDATE accounts SET tag = 'x' WHERE tag IS NOT NULL",
            "account ",
        ),
        (
            "UPDATE accounts SET details = '{}' WHERE details IS NOT NULL",
            "account ",
        ),
        (
            "UPDATE accounts SET reason = 1 WHERE reason = 3",
            "account ",
        ),
        (
            "UPDATE accounts SET reason = NULL WHERE state = 3",
            "account ",
        ),
        (
            "UPDATE profiles SET name = 'mine' WHERE kind = 5",
            "profile ",
        ),
        (
            "UPDATE profiles SET active = 1 WHERE active = 0",
            "profile ",
        ),
        (
            "UPDATE profiles SET currencies = 'EUR USD' WHERE kind = 3",
            "profile ",
        ),
        (
            "UPDATE profiles SET currencies = '' WHERE kind = 3",
            "profile ",
        ),
        ("UPDATE profiles SET kind = 1 WHERE kind = 2", "profile "),
        (
            "UPDATE profiles SET terms = x'01' WHERE kind = 2",
            "profile ",
        ),
        (
            "UPDATE profiles SET updated_ms = updated_ms + 1 WHERE kind = 1",
            "profile ",
        ),
        (
            "UPDATE profiles SET created_ms = created_ms - 1 WHERE kind = 1",
            "profile ",
        ),
        (
            "DELETE FROM profiles WHERE kind = 2",
            "profiles are missing",
        ),
        ("UPDATE profiles SET id = 77 WHERE kind = 1", "profile 77 "),
        ("UPDATE bulks SET status = 5 WHERE status = 4", "bulk "),
        ("UPDATE bulks SET status = 3 WHERE status = 1", "bulk "),
        (
            "UPDATE bulks SET mode = 3 - mode WHERE mode IS NOT NULL",
            "bulk ",
        ),
        ("UPDATE bulks SET mode = 1 WHERE mode IS NULL", "bulk "),
        (
            "UPDATE bulks SET succeeded = succeeded + 1 WHERE status = 4",
            "bulk ",
        ),
        ("UPDATE bulks SET failed = 0 WHERE failed > 0", "bulk "),
        (
            "UPDATE bulks SET started_ms = started_ms + 1 WHERE status = 4",
            "bulk ",
        ),
        (
            "UPDATE bulks SET finished_ms = NULL WHERE status = 7",
            "bulk ",
        ),
        (
            "UPDATE bulks SET created_ms = created_ms + 1 WHERE status = 1",
            "bulk ",
        ),
        ("UPDATE bulks SET api_key = 9", "bulk "),
        ("UPDATE bulks SET owner = 9 WHERE status = 4", "bulk "),
        (
            "UPDATE bulks SET operations = x'00' WHERE status = 4",
            "bulk ",
        ),
        (
            "UPDATE bulks SET submitted = submitted + 1 WHERE status = 7",
            "bulk ",
        ),
        ("DELETE FROM bulks WHERE status = 7", "bulks are missing"),
        ("DELETE FROM bulks WHERE status = 1", "bulks are missing"),
        (
            "INSERT INTO bulks SELECT 77, tenant, owner, api_key, status, mode, succeeded, \
             failed, created_ms, started_ms, finished_ms, submitted, operations FROM bulks \
             WHERE status = 4",
            "bulk 77 ",
        ),
        (
            "UPDATE bulk_operations SET denial = denial + 1 WHERE denial > 0",
            "its operations",
        ),
        (
            "UPDATE bulk_operations SET status = 7 WHERE status = 5",
            "its operations",
        ),
        (
            "UPDATE bulk_operations SET transfer = transfer + 1 WHERE status = 5",
            "its operations",
        ),
        (
            "UPDATE bulk_operations SET operation = operation + 100",
            "its operations",
        ),
        (
            "UPDATE bulk_operations SET bulk = 77 WHERE operation = 2",
            "its operations",
        ),
        (
            "DELETE FROM bulk_operations WHERE operation = 1",
            "its operations",
        ),
        (
            "DELETE FROM bulk_operations WHERE denial IS NULL AND status IS NULL",
            "its operations",
        ),
        (
            "INSERT INTO bulk_operations VALUES (77, 0, NULL, NULL, 1)",
            "bulk 77: its operations",
        ),
    ] {
        std::fs::write(bed.file("views.sqlite"), &good).expect("it can be written");
        verify(bed.path()).unwrap_or_else(|error| panic!("before {sql}: {error}"));
        tamper(bed.path(), sql);
        let error = match verify(bed.path()) {
            Ok(report) => panic!("{sql} went unnoticed: {report}"),
            Err(error) => error,
        };
        let text = error.to_string();
        assert!(text.contains(named), "{sql}: {text:?} lacks {named:?}");
        let found = matches!(error, VerifyError::Difference(_));
        assert!(found, "{sql}: {text}");
    }
}
