//! Damaged files, a full disk, a folder that cannot be written.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::transfer_body;
use crate::process::{Ground, Place, poll, text};
use crate::random::Random;

const SEGMENT: &str = "journal/00000001.tgj";
/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// A stopped server's folder as it was before and after one more commit.
struct Stopped {
    place: Place,
    ground: Ground,
    /// The whole folder before the last commit.
    before: PathBuf,
    /// The journal's bytes before and after it.
    journal_before: Vec<u8>,
    journal_after: Vec<u8>,
    /// The request of the last commit.
    body: String,
    /// Its transfer.
    transfer: String,
}

impl Stopped {
    fn new() -> Stopped {
        let place = Place::embedded();
        let process = place.serve(&[]);
        let ground = Ground::prepare(&mut process.as_admin(&place), 3, 100_000);
        let mut http = process.as_key(&ground.key);
        for amount in 100..120 {
            let body = transfer_body(&ground.pods[0], &ground.pods[1], amount);
            http.post("/api/v1/transfers", &body);
        }
        assert_eq!(process.terminate().code(), Some(0));
        let before = place.path().join("before");
        copy_folder(&place.data(), &before);
        let journal_before = fs::read(place.data().join(SEGMENT)).expect("the journal");

        let process = place.serve(&[]);
        let body = transfer_body(&ground.pods[0], &ground.pods[2], 777).to_string();
        let answer = process
            .as_key(&ground.key)
            .transfer("last", &body)
            .expect("an answer");
        let made = answer.expect(201);
        let transfer = made["data"]["id"].as_str().expect("an id").to_owned();
        assert_eq!(process.terminate().code(), Some(0));
        let journal_after = fs::read(place.data().join(SEGMENT)).expect("the journal");
        assert!(
            journal_after.starts_with(&journal_before),
            "the journal is only appended to"
        );
        Stopped {
            place,
            ground,
            before,
            journal_before,
            journal_after,
            body,
            transfer,
        }
    }

    /// Puts the folder back to before the last commit, with these bytes as its journal.
    fn restore(&self, journal: &[u8]) {
        let data = self.place.data();
        fs::remove_dir_all(&data).expect("a folder of ours");
        copy_folder(&self.before, &data);
        fs::write(data.join(SEGMENT), journal).expect("a file of ours");
        let _ = fs::remove_file(self.place.path().join("server.log"));
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a new folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else if entry.file_name() == "ballast" {
            // Sparse again: only its length matters.
            let length = entry.metadata().expect("a file").len();
            let ballast = File::create(&target).expect("a new file");
            ballast.set_len(length).expect("room for nothing");
        } else {
            fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}

/// The first batch of some, by the length of its payload (`crates/journal/FORMAT.md`).
fn first_batch(batches: &[u8]) -> &[u8] {
    let length: [u8; 4] = batches[16..20].try_into().expect("four bytes");
    let payload = u32::from_le_bytes(length) as usize;
    &batches[..24 + payload + 36]
}

#[test]
fn a_torn_tail_is_cut_and_told_and_the_retry_moves_money_once() {
    let stopped = Stopped::new();
    let Stopped {
        place,
        ground,
        journal_before,
        journal_after,
        body,
        ..
    } = &stopped;
    // The settlement may be a batch of its own: what is torn here is the batch before it.
    let added = first_batch(&journal_after[journal_before.len()..]);
    let mut torn: Vec<Vec<u8>> = [1, 4, 23, 24, 25, 40, added.len() / 2]
        .map(|length| added[..length].to_vec())
        .to_vec();
    // Blocks that were allotted and not written: zeros, alone or behind what arrived.
    torn.push(vec![0; 1]);
    torn.push(vec![0; 4096]);
    // A disk writes sectors whole: what arrived ends with one, the next is still empty.
    let arrived = SECTOR - journal_before.len() % SECTOR;
    if arrived < added.len() {
        let empty = vec![0; added.len() - arrived];
        torn.push([&added[..arrived], &empty].concat());
    }
    for tail in torn {
        stopped.restore(&[journal_before, &tail[..]].concat());
        let what = format!("{} bytes", tail.len());
        // Looked at alone it is told and left as it is.
        place.verify();
        let process = place.serve(&[]);
        let log = place.log();
        // Zeros are what every crash leaves behind the last batch: they are not told of.
        let arrived = tail.iter().rposition(|byte| *byte != 0);
        let bytes = arrived.map(|last| format!("bytes={}", last + 1));
        match bytes {
            Some(bytes) => {
                let told = log.contains("was cut off") && log.contains(&bytes);
                assert!(told, "{what}: {bytes}: {log}");
            }
            None => assert!(!log.contains("was cut off"), "{what}: {log}"),
        }
        let mut admin = process.as_admin(place);
        assert_eq!(ground.balance(&mut admin, &ground.pods[2]), 0, "{what}");
        let mut http = process.as_key(&ground.key);
        let answer = http.transfer("last", body).expect("an answer");
        let made = answer.expect(201);
        let again = http.transfer("last", body).expect("an answer");
        assert_eq!(again.body, answer.body);
        settled(&mut admin, ground, &made["data"]["id"]);
        assert_eq!(ground.balance(&mut admin, &ground.pods[2]), 777, "{what}");
        assert_eq!(process.terminate().code(), Some(0));
        place.verify();
    }
}

/// Waits until a transfer is complete.
fn settled(admin: &mut crate::process::Http, ground: &Ground, transfer: &Value) {
    let path = format!("/admin/v1/tenants/{}", ground.tenant);
    // Moving the clock returns when everything due has happened.
    let clock = format!("{path}/clock");
    admin
        .call("PUT", &clock, Some(&json!({"advance_ms": 1})))
        .expect(200);
    let id = transfer.as_str().expect("an id");
    let shown = admin.get(&format!("{path}/transfers/{id}"));
    assert_eq!(shown["status"], "complete");
}

#[test]
fn a_whole_tail_that_nobody_has_indexed_is_kept() {
    let stopped = Stopped::new();
    let Stopped {
        place,
        ground,
        journal_after,
        body,
        transfer,
        ..
    } = &stopped;
    // The views end before the last commit, as after a crash between the two.
    stopped.restore(journal_after);
    place.verify();
    let process = place.serve(&[]);
    let mut http = process.as_key(&ground.key);
    let found = http.get(&format!("/api/v1/transfers/{transfer}"));
    assert_eq!(found["data"]["amount_in_cents"], 777);
    let again = http.transfer("last", body).expect("an answer").expect(201);
    assert_eq!(again["data"]["id"], **transfer);
    assert_eq!(process.terminate().code(), Some(0));
    place.verify();
}

#[test]
fn a_flipped_bit_anywhere_stops_the_start_with_the_place_and_the_repair() {
    let stopped = Stopped::new();
    let Stopped {
        place,
        journal_before,
        journal_after,
        ..
    } = &stopped;
    let mut random = Random::seeded("FLIP_SEED", 7);
    let length = journal_after.len();
    let mut places = vec![
        0,
        8,
        30,
        59,
        60,
        64,
        83,
        84,
        length / 2,
        journal_before.len(),
        length - 1,
    ];
    places.extend((0..12).map(|_| random.below(length)));
    for at in places {
        let mut damaged = journal_after.clone();
        damaged[at] ^= 1 << random.below(8);
        stopped.restore(&damaged);
        for views in [true, false] {
            if !views {
                for name in ["views.sqlite", "views.sqlite-wal", "views.sqlite-shm"] {
                    let _ = fs::remove_file(place.data().join(name));
                }
            }
            let what = format!("byte {at} of {length}, views: {views}");
            let (status, said) = match place.try_serve(&[]) {
                Err(ended) => ended,
                Ok(_) => panic!("{what}: it started"),
            };
            assert_eq!(status.code(), Some(1), "{what}: {said}");
            for word in ["00000001.tgj", "backup"] {
                assert!(said.contains(word), "{what}: {word}: {said}");
            }
            assert!(said.contains("byte "), "{what}: {said}");
            let line = place.fails(1, &["verify"]);
            assert!(line.contains("00000001.tgj"), "{what}: {line}");
            assert_eq!(line.lines().count(), 1, "{line}");
            let untouched = fs::read(place.data().join(SEGMENT)).expect("the journal");
            assert_eq!(untouched, damaged, "{what}: damage is left as it was found");
        }
    }
}

#[test]
fn a_journal_that_lost_what_was_seen_is_refused() {
    let stopped = Stopped::new();
    let Stopped {
        place,
        journal_before,
        journal_after,
        ..
    } = &stopped;
    // Views and answers have seen the last commit; the journal ends before it.
    let process = place.serve(&[]);
    assert_eq!(process.terminate().code(), Some(0));
    for shorter in [
        &journal_before[..],
        &journal_after[..journal_after.len() - 1],
        &[],
    ] {
        fs::write(place.data().join(SEGMENT), shorter).expect("a file of ours");
        let _ = fs::remove_file(place.path().join("server.log"));
        let (status, said) = place.try_serve(&[]).err().expect("it started");
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains("backup"), "{said}");
        place.fails(1, &["verify"]);
    }
    fs::remove_file(place.data().join(SEGMENT)).expect("it was there");
    let (status, said) = place.try_serve(&[]).err().expect("it started");
    assert_eq!(status.code(), Some(1), "{said}");
}

#[test]
fn damaged_views_are_made_anew() {
    let stopped = Stopped::new();
    let Stopped {
        place,
        ground,
        transfer,
        ..
    } = &stopped;
    for damage in [
        &b"no database at all, just some text that is long enough"[..],
        b"",
    ] {
        fs::write(place.data().join("views.sqlite"), damage).expect("a file of ours");
        let process = place.serve(&[]);
        let mut http = process.as_key(&ground.key);
        settled(&mut process.as_admin(place), ground, &json!(transfer));
        let found = http.get(&format!("/api/v1/transfers/{transfer}"));
        assert_eq!(found["data"]["status"], "complete");
        assert_eq!(process.terminate().code(), Some(0));
        place.verify();
    }
}

#[test]
fn secrets_that_cannot_be_right_stop_the_start() {
    let place = Place::embedded();
    let process = place.serve(&[]);
    assert_eq!(process.terminate().code(), Some(0));
    fs::write(place.data().join("server.secret"), b"short").expect("a file of ours");
    let (status, said) = place.try_serve(&[]).err().expect("it started");
    assert_eq!(status.code(), Some(1));
    assert!(
        said.contains("server.secret") && said.contains("32 bytes"),
        "{said}"
    );
}

// --- disks ------------------------------------------------------------------------------------

/// A small file system of its own, unmounted at the end.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, with a note, where file systems cannot be mounted.
    fn mount(at: &Path, options: &str) -> Option<SmallDisk> {
        fs::create_dir_all(at).expect("a folder of ours");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at);
        match mount.output() {
            Ok(output) if output.status.success() => Some(SmallDisk(at.to_owned())),
            Ok(output) => {
                println!(
                    "skipped: no file system can be mounted: {}",
                    text(&output.stderr).trim()
                );
                None
            }
            Err(error) => {
                println!("skipped: no file system can be mounted: {error}");
                None
            }
        }
    }

    fn remount(&self, options: &str) -> bool {
        let mut mount = Command::new("mount");
        mount
            .args(["-o", &format!("remount,{options}")])
            .arg(&self.0);
        mount.status().is_ok_and(|status| status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_stops_writes_and_not_reads_and_goes_on_when_there_is_room() {
    let place = Place::embedded();
    fs::remove_dir_all(place.data()).expect("a folder of ours");
    let Some(_disk) = SmallDisk::mount(&place.data(), "size=24m") else {
        return;
    };
    let process = place.serve(&[]);
    let mut admin = process.as_admin(&place);
    let ground = Ground::prepare(&mut admin, 3, 100_000);
    let mut http = process.as_key(&ground.key);
    let body = |amount: i64| transfer_body(&ground.pods[0], &ground.pods[1], amount).to_string();
    http.transfer("before", &body(100))
        .expect("an answer")
        .expect(201);

    let filler = place.data().join("filler");
    fill(&filler, 512 << 10);

    // The space is looked at every tenth of a second; then the writes stop.
    let mut made = 0;
    let refused = poll(|| {
        let answer = http
            .transfer(&format!("full-{made}"), &body(200))
            .expect("an answer");
        match answer.status {
            201 => {
                made += 1;
                None
            }
            _ => Some(answer),
        }
    });
    let told = refused.expect(503);
    assert_eq!(told["error"]["code"], "service_unavailable");
    let seconds: u32 = refused
        .header("retry-after")
        .expect("told")
        .parse()
        .expect("seconds");
    assert!(seconds > 0);
    let path = format!("/admin/v1/tenants/{}/simulate/paycheck", ground.tenant);
    let pay = json!({"account_id": ground.pay, "amount_in_cents": 100});
    let problem = admin.call("POST", &path, Some(&pay)).expect(503);
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|text| text.contains("disk is full")),
        "{problem}"
    );
    let ready = admin.call("GET", "/readyz", None);
    assert_eq!(ready.status, 503, "{}", text(&ready.body));
    assert!(text(&ready.body).contains("full"), "{}", text(&ready.body));
    assert_eq!(admin.call("GET", "/healthz", None).status, 200);

    // Reads go on.
    assert_eq!(
        http.get("/api/v1/accounts")["data"]
            .as_array()
            .map(Vec::len),
        Some(5)
    );
    let list = format!("/api/v1/transfers?account_id={}&first=100", ground.pods[1]);
    let seen = http.get(&list)["data"].as_array().expect("a list").len();
    assert_eq!(
        seen,
        2 + made,
        "a paycheck, the first transfer and what fitted"
    );
    admin.get("/admin/v1/status");
    place.verify();

    // With room again they go on without a restart, and the refused one was never made.
    fs::remove_file(&filler).expect("it was there");
    let done = poll(|| {
        let answer = http
            .transfer(&format!("full-{made}"), &body(200))
            .expect("an answer");
        (answer.status != 503).then_some(answer)
    });
    done.expect(201);
    let seen = http.get(&list)["data"].as_array().expect("a list").len();
    assert_eq!(seen, 3 + made);
    assert_eq!(admin.call("GET", "/readyz", None).status, 200);
    place.verify();
    assert_eq!(process.terminate().code(), Some(0));
    place.verify();
}

/// Fills the file system of a new file until about this many bytes are left.
fn fill(filler: &Path, left: u64) {
    let mut file = File::create(filler).expect("a new file");
    let free = || {
        let system = rustix::fs::statvfs(filler).expect("it is there");
        system.f_bavail * system.f_frsize
    };
    while free() > left && file.write_all(&[1; 1 << 12]).is_ok() {}
}

#[test]
fn a_disk_that_fills_to_the_last_byte_loses_nothing() {
    let place = Place::embedded();
    fs::remove_dir_all(place.data()).expect("a folder of ours");
    let Some(_disk) = SmallDisk::mount(&place.data(), "size=24m") else {
        return;
    };
    let process = place.serve(&[]);
    let ground = Ground::prepare(&mut process.as_admin(&place), 3, 100_000);
    let mut http = process.as_key(&ground.key);
    let body = transfer_body(&ground.pods[0], &ground.pods[1], 100).to_string();
    http.transfer("before", &body)
        .expect("an answer")
        .expect(201);
    let filler = place.data().join("filler");
    fill(&filler, 0);
    // Noticed before the write or by it: what does not fit is not acknowledged. A few may fit into
    // the room that the files have already.
    let mut made = 0;
    let refused = poll(|| {
        let answer = http.transfer(&format!("full-{made}"), &body);
        let answer = answer.expect("an answer");
        made += usize::from(answer.status == 201);
        (answer.status != 201).then_some(answer)
    });
    refused.expect(503);
    let list = format!("/api/v1/transfers?account_id={}&first=100", ground.pods[1]);
    let listed =
        |http: &mut crate::process::Http| http.get(&list)["data"].as_array().expect("a list").len();
    assert_eq!(listed(&mut http), 2 + made, "reads go on");
    process.kill();
    place.verify();
    fs::remove_file(&filler).expect("it was there");
    let process = place.serve(&[]);
    let mut http = process.as_key(&ground.key);
    assert_eq!(listed(&mut http), 2 + made);
    let last = http.transfer(&format!("full-{made}"), &body);
    last.expect("an answer").expect(201);
    assert_eq!(listed(&mut http), 3 + made);
    place.verify();
}

#[test]
fn a_folder_that_cannot_be_written_stops_the_start() {
    let place = Place::embedded();
    fs::remove_dir_all(place.data()).expect("a folder of ours");
    let Some(disk) = SmallDisk::mount(&place.data(), "size=24m") else {
        return;
    };
    let process = place.serve(&[]);
    Ground::prepare(&mut process.as_admin(&place), 2, 1_000);
    assert_eq!(process.terminate().code(), Some(0));
    assert!(disk.remount("ro"), "nothing is open there any more");
    let (status, said) = place.try_serve(&[]).err().expect("it started");
    assert_eq!(status.code(), Some(1));
    let data = place.data().display().to_string();
    let last = said.lines().last().expect("a message");
    let names = last.contains("data") && last.to_lowercase().contains("read-only");
    assert!(names, "{data}: {last}");
    // To look is still possible.
    place.verify();
    assert!(disk.remount("rw"));
    let process = place.serve(&[]);
    assert_eq!(process.terminate().code(), Some(0));
}

/// A file of the journal that takes no more writes, as after an error of the disk.
struct Immutable(PathBuf);

impl Immutable {
    /// `None`, with a note, where files cannot be made immutable.
    fn make(path: &Path) -> Option<Immutable> {
        let made = Command::new("chattr").arg("+i").arg(path).output();
        if made.is_ok_and(|output| output.status.success()) {
            return Some(Immutable(path.to_owned()));
        }
        println!("skipped: files cannot be made immutable here");
        None
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        let _ = Command::new("chattr").arg("-i").arg(&self.0).status();
    }
}

#[test]
fn a_journal_that_takes_no_writes_stops_them_until_a_restart() {
    let place = Place::embedded();
    let process = place.serve(&[]);
    let mut admin = process.as_admin(&place);
    let ground = Ground::prepare(&mut admin, 3, 100_000);
    let mut http = process.as_key(&ground.key);
    let body = |amount: i64| transfer_body(&ground.pods[0], &ground.pods[1], amount).to_string();
    let first = http.transfer("first", &body(100)).expect("an answer");
    settled(&mut admin, &ground, &first.expect(201)["data"]["id"]);
    let Some(immutable) = Immutable::make(&place.data().join(SEGMENT)) else {
        return;
    };
    if File::options().append(true).open(&immutable.0).is_ok() {
        println!("skipped: immutable files can be written here");
        return;
    }
    let refused = http.transfer("second", &body(200)).expect("an answer");
    if refused.status == 201 {
        println!("skipped: files that are open stay writable here");
        return;
    }
    refused.expect(503);
    assert!(refused.header("retry-after").is_some());
    // It stays so, also when the disk is well again: memory may be ahead of it.
    drop(immutable);
    http.transfer("third", &body(300))
        .expect("an answer")
        .expect(503);
    let again = http.transfer("first", &body(100)).expect("an answer");
    assert_eq!(
        again.status, 503,
        "a writer that has stopped answers nothing"
    );
    let ready = admin.call("GET", "/readyz", None);
    assert_eq!(ready.status, 503);
    assert!(
        text(&ready.body).contains("writes stopped"),
        "{}",
        text(&ready.body)
    );
    let status = admin.get("/admin/v1/status");
    assert_eq!(status["writable"], false);
    // Reads go on, and show what is durable.
    assert_eq!(ground.balance(&mut admin, &ground.pods[1]), 100_100);
    let list = format!("/api/v1/transfers?account_id={}", ground.pods[1]);
    assert_eq!(http.get(&list)["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(process.terminate().code(), Some(0));
    assert!(place.log().contains("verify"), "{}", place.log());
    place.verify();

    let process = place.serve(&[]);
    let mut http = process.as_key(&ground.key);
    let repeated = http.transfer("first", &body(100)).expect("an answer");
    assert_eq!(repeated.body, first.body);
    let second = http.transfer("second", &body(200)).expect("an answer");
    settled(
        &mut process.as_admin(&place),
        &ground,
        &second.expect(201)["data"]["id"],
    );
    assert_eq!(http.get(&list)["data"].as_array().map(Vec::len), Some(3));
    place.verify();
}
