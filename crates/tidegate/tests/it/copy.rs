//! A ledger that moves from a data folder into a database, and back.

use std::sync::Arc;

use serde_json::json;
use sim::postgres::{Database, empty_database};

use crate::process::{Ground, Place, Process, text};

struct Answers {
    accounts: serde_json::Value,
    transfer: Vec<u8>,
}

/// What a key sees, and the answer to a request that may be a repeated one.
fn ask(process: &Process, ground: &Ground) -> Answers {
    let body = json!({
        "source_account_id": ground.pay,
        "destination_account_id": ground.pods[0],
        "amount_in_cents": 200,
    });
    let mut key = process.as_key(&ground.key);
    let transfer = key.transfer("k", &body.to_string()).expect("an answer");
    assert_eq!(transfer.status, 201, "{}", text(&transfer.body));
    Answers {
        accounts: key.get("/api/v1/accounts")["data"].clone(),
        transfer: transfer.body,
    }
}

#[test]
fn a_ledger_moves_into_a_database_and_back() {
    let place = Place::embedded();
    let process = place.serve(&[]);
    let ground = Ground::prepare(&mut process.as_admin(&place), 2, 1_000);
    let before = ask(&process, &ground);
    let database: Arc<Database> = Arc::new(empty_database());
    let url = database.url();
    let into = ["copy", "--from", "data", "--to", url];
    let said = place.fails(1, &into);
    assert!(said.contains("data is in use by another"), "{said}");
    assert_eq!(process.terminate().code(), Some(0));
    let line = place.ok(&into);
    assert!(
        line.starts_with("copied: 1 tenants, ") && line.contains("both sides agree; "),
        "{line}"
    );
    let said = place.fails(1, &into);
    assert!(said.contains("has a ledger already"), "{said}");

    // Only a server with the same secret may work there; then everything is as it was.
    let there = Place::over(&database);
    there.verify();
    let (_, said) = there.try_serve(&[]).err().expect("it started");
    assert!(said.contains("copy server.secret"), "{said}");
    let secret = place.data().join("server.secret");
    std::fs::copy(&secret, there.data().join("server.secret")).expect("it was made");
    let process = there.serve(&[]);
    let after = ask(&process, &ground);
    assert_eq!(after.transfer, before.transfer);
    assert_eq!(after.accounts, before.accounts);
    let out_of = ["copy", "--from", url, "--to", "back"];
    let secret = secret.display().to_string();
    let with_secret = [&out_of[..], &["--server-secret-file", &secret]].concat();
    let said = place.fails(1, &with_secret);
    assert!(said.contains("stop every server first"), "{said}");
    assert_eq!(process.terminate().code(), Some(0));

    // The database does not have the secret.
    let said = place.fails(1, &out_of);
    assert!(said.contains("--server-secret-file"), "{said}");
    let strange = place.path().join("strange");
    std::fs::write(&strange, [7; 32]).expect("a new file");
    let strange = strange.display().to_string();
    let said = place.fails(
        1,
        &[&out_of[..], &["--server-secret-file", &strange]].concat(),
    );
    assert!(said.contains("is not the one"), "{said}");
    place.ok(&with_secret);
    assert!(!place.path().join("back.partial").exists());
    place.ok(&["verify", "--data-dir", "back"]);
    let process = place.serve(&["--data-dir", "back"]);
    let after = ask(&process, &ground);
    assert_eq!(after.transfer, before.transfer);
    assert_eq!(after.accounts, before.accounts);
    drop(process);

    for sides in [["data", "other"], [url, url]] {
        let said = place.fails(1, &["copy", "--from", sides[0], "--to", sides[1]]);
        assert!(said.contains("into a database, or back"), "{said}");
    }
    let said = place.fails(1, &["copy", "--from", "data", "--to", "mysql://x"]);
    assert!(said.contains("--to"), "{said}");
}
