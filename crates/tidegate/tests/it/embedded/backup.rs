//! `backup` beside a running server, and `restore` into an empty folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::harness::transfer_body;
use crate::process::{Ground, Http, Place};

/// A server with money, and a client that moves some of it.
struct Bank {
    place: Place,
    ground: Ground,
    moved: u64,
}

impl Bank {
    fn move_money(&mut self, http: &mut Http, times: u64) {
        for _ in 0..times {
            self.moved += 1;
            let body = transfer_body(&self.ground.pods[0], &self.ground.pods[1], 100);
            let key = format!("move-{}", self.moved);
            let answer = http.transfer(&key, &body.to_string()).expect("an answer");
            answer.expect(201);
        }
    }
}

#[test]
fn a_backup_of_a_running_server_comes_back_with_every_cent_and_key() {
    let place = Place::embedded();
    let process = place.serve(&[]);
    let ground = Ground::prepare(&mut process.as_admin(&place), 2, 100_000);
    let mut http = process.as_key(&ground.key);
    let mut bank = Bank {
        place,
        ground,
        moved: 0,
    };
    bank.move_money(&mut http, 20);
    let first = bank.place.ok(&["backup", "--to", "kept"]);
    assert!(first.starts_with("backed up: "), "{first}");
    bank.move_money(&mut http, 5);
    let second = bank.place.ok(&["backup", "--to", "kept"]);
    assert_ne!(first, second);
    let bytes = |line: &str| -> u64 {
        let (before, _) = line.split_once(" bytes written").expect("it says so");
        let (_, number) = before.rsplit_once(' ').expect("words");
        number.parse().expect("a number")
    };
    assert!(bytes(&second) < bytes(&first), "{first}{second}");

    // The machine burns down.
    process.kill();
    let kept = bank.place.path().join("kept");
    let new = bank.place.path().join("new");
    let (kept, new) = (kept.to_str().expect("text"), new.to_str().expect("text"));
    fs::remove_dir_all(bank.place.data()).expect("it is there");
    let said = bank
        .place
        .ok(&["restore", "--from", kept, "--data-dir", new]);
    let mut lines = said.lines();
    assert!(
        lines.next().expect("a line").starts_with("restored: "),
        "{said}"
    );
    assert!(
        lines.next().expect("a line").starts_with("verified: "),
        "{said}"
    );

    fs::rename(new, bank.place.data()).expect("an empty place");
    let process = bank.place.serve(&[]);
    let mut admin = process.as_admin(&bank.place);
    let mut http = process.as_key(&bank.ground.key);
    let pods = bank.ground.pods.clone();
    assert_eq!(bank.ground.balance(&mut admin, &pods[0]), 100_000 - 2_500);
    assert_eq!(bank.ground.balance(&mut admin, &pods[1]), 2_500);
    // A retry of a request from before the fire moves nothing.
    let body = transfer_body(&pods[0], &pods[1], 100);
    http.transfer("move-25", &body.to_string())
        .expect("an answer")
        .expect(201);
    assert_eq!(bank.ground.balance(&mut admin, &pods[1]), 2_500);
    bank.move_money(&mut http, 1);
    bank.place.verify();
}

#[test]
fn secrets_in_a_backup_are_nobody_elses() {
    let place = Place::embedded();
    drop(place.serve(&[]));
    place.ok(&["backup", "--to", "kept"]);
    let kept = place.path().join("kept");
    for (name, mode) in [
        ("", 0o700),
        ("server.secret", 0o600),
        ("admin.token", 0o600),
    ] {
        let found = fs::metadata(kept.join(name)).expect("it is there");
        assert_eq!(found.permissions().mode() & 0o777, mode, "{name}");
    }
    let secret = |folder: &std::path::Path| fs::read(folder.join("server.secret")).expect("bytes");
    assert_eq!(secret(&kept), secret(&place.data()));
}

#[test]
fn backups_and_restores_that_would_lose_something_are_refused() {
    let place = Place::embedded();
    let process = place.serve(&[]);
    let ground = Ground::prepare(&mut process.as_admin(&place), 2, 100_000);
    place.ok(&["backup", "--to", "kept"]);
    drop(ground);

    let within = place.data().join("backup");
    let said = place.fails(1, &["backup", "--to", within.to_str().expect("text")]);
    assert!(said.contains("within the data folder"), "{said}");
    assert!(!within.exists());

    let said = place.fails(1, &["restore", "--from", "kept"]);
    assert!(said.contains("has a ledger already"), "{said}");

    let said = place.fails(1, &["restore", "--from", "nowhere", "--data-dir", "new"]);
    assert!(said.contains("nowhere holds no ledger"), "{said}");
    assert!(!place.path().join("new").exists());

    // Into the backup of another ledger.
    let other = Place::embedded();
    let another = other.serve(&[]);
    Ground::prepare(&mut another.as_admin(&other), 2, 100_000);
    let kept = place.path().join("kept");
    let said = other.fails(1, &["backup", "--to", kept.to_str().expect("text")]);
    assert!(said.contains("another journal"), "{said}");

    // A backup that was cut short is none, and is finished by the next one.
    fs::write(kept.join("journal/copying"), "").expect("it is there");
    let said = place.fails(1, &["restore", "--from", "kept", "--data-dir", "new"]);
    assert!(said.contains("cut short"), "{said}");
    let said = place.fails(1, &["verify", "--data-dir", "kept"]);
    assert!(said.contains("cut short"), "{said}");
    place.ok(&["backup", "--to", "kept"]);
    place.ok(&["restore", "--from", "kept", "--data-dir", "other"]);
    let damaged = kept.join("journal/00000001.tgj");
    let mut bytes = fs::read(&damaged).expect("bytes");
    bytes[200] ^= 1;
    fs::write(&damaged, bytes).expect("a file");
    let said = place.fails(1, &["restore", "--from", "kept", "--data-dir", "third"]);
    assert!(said.contains("00000001.tgj"), "{said}");
    let said = place.fails(1, &["backup", "--to", "kept"]);
    assert!(said.contains("00000001.tgj"), "{said}");
}
