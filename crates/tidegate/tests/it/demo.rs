//! `serve --demo`, and the way into it that the README shows.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::transfer_body;
use crate::process::{Http, Place, Process, finish, text};
use crate::shape::assert_like;

struct Demo {
    place: Place,
    process: Process,
    file: Value,
}

impl Demo {
    fn start(place: Place) -> Demo {
        let process = place.serve(&["--demo"]);
        let file = std::fs::read_to_string(place.data().join("demo.json"));
        let file = serde_json::from_str(&file.expect("written before it listens")).expect("JSON");
        Demo {
            place,
            process,
            file,
        }
    }

    fn key(&self, name: &str) -> Http {
        let secret = self.file["sequence"][name].as_str().expect("a key");
        self.process.as_key(secret)
    }

    fn account(&self, name: &str) -> &str {
        let id = &self.file["sequence"]["accounts"][name];
        id.as_str().unwrap_or_else(|| panic!("no account {name}"))
    }
}

fn members(object: &Value) -> Vec<&str> {
    let object = object.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

#[test]
fn the_file_is_the_documented_way_in() {
    let demo = Demo::start(Place::new());
    let Demo {
        file,
        process,
        place,
    } = &demo;
    assert_eq!(
        members(file),
        [
            "admin",
            "admin_token",
            "api",
            "multi",
            "platform",
            "sequence",
            "tenant"
        ]
    );
    let sequence = &file["sequence"];
    let expected = ["accounts", "api_key", "base_url", "narrow_api_key", "rules"];
    assert_eq!(members(sequence), expected);
    assert_eq!(file["api"], format!("http://{}", process.api));
    assert_eq!(file["admin"], format!("http://{}", process.admin));
    assert_eq!(
        sequence["base_url"],
        format!("http://{}/api/v1", process.api)
    );
    assert!(sequence["rules"]["Paycheck split"].is_string());
    let platform = &file["platform"];
    assert_eq!(
        platform["base_url"],
        format!("http://{}/platform/v1", process.api)
    );
    assert!(
        platform["api_key"]
            .as_str()
            .is_some_and(|key| key.starts_with("sk_"))
    );
    let token = std::fs::read_to_string(place.data().join("admin.token")).expect("made");
    assert_eq!(file["admin_token"], token.trim());
    assert!(
        file["tenant"]
            .as_str()
            .is_some_and(|id| id.starts_with("ten_"))
    );

    // It names every account of the tenant, by the ids that the API has.
    let accounts = demo.key("api_key").get("/api/v1/accounts")["data"].clone();
    let accounts = accounts.as_array().expect("a list");
    let told = sequence["accounts"].as_object().expect("an object");
    assert_eq!(told.len(), accounts.len());
    for account in accounts {
        let name = account["name"].as_str().expect("a name");
        assert_eq!(told[name], account["id"]);
    }
    for name in ["Main Payroll", "Emergency Fund", "Vacation"] {
        assert!(demo.account(name).starts_with("acc_"));
    }
}

#[test]
fn a_second_start_keeps_the_keys_and_the_story_and_tells_the_new_addresses() {
    let demo = Demo::start(Place::new());
    let path = format!(
        "/api/v1/transfers?first=100&account_id={}",
        demo.account("Vacation")
    );
    let story = demo.key("api_key").get(&path)["data"].clone();
    let before = demo.file.clone();
    assert_eq!(demo.process.terminate().code(), Some(0));
    let demo = Demo::start(demo.place);
    assert_eq!(demo.file["tenant"], before["tenant"]);
    for name in ["api_key", "narrow_api_key", "accounts", "rules"] {
        assert_eq!(
            demo.file["sequence"][name], before["sequence"][name],
            "{name}"
        );
    }
    assert_eq!(demo.file["api"], format!("http://{}", demo.process.api));
    assert_eq!(demo.file["admin"], format!("http://{}", demo.process.admin));
    assert_eq!(demo.key("api_key").get(&path)["data"], story);
    let tenants = demo.process.as_admin(&demo.place).get("/admin/v1/tenants");
    assert_eq!(tenants["data"].as_array().map(Vec::len), Some(1));
    // The shell's file says the same.
    let shell = std::fs::read_to_string(demo.place.data().join("demo.env")).expect("made");
    let has = |line: String| shell.lines().any(|found| found == line);
    assert!(
        has(format!("API=http://{}/api/v1", demo.process.api)),
        "{shell}"
    );
    assert!(
        has(format!("VACATION={}", demo.account("Vacation"))),
        "{shell}"
    );
    demo.place.verify();
}

#[test]
fn a_paycheck_splits_itself_over_the_pods() {
    let demo = Demo::start(Place::new());
    let mut key = demo.key("api_key");
    let rule = demo.file["sequence"]["rules"]["Paycheck split"].as_str();
    let rule = rule.expect("an id");
    let runs = key.get(&format!("/api/v1/rule-executions?rule_id={rule}"));
    let runs = runs["data"].as_array().expect("a list").clone();
    assert_eq!(runs.len(), 3, "three paydays");
    for run in &runs {
        assert_eq!(run["status"], "executed");
        assert_eq!(run["transfers_completed"], 4);
    }
    let balance = |key: &mut Http, name: &str| {
        let account = key.get(&format!("/api/v1/accounts/{}", demo.account(name)));
        account["data"]["balance"]["balance_in_cents"]
            .as_i64()
            .expect("known")
    };
    let before = balance(&mut key, "Taxes");
    demo.place.ok(&[
        "simulate",
        "paycheck",
        "--account",
        demo.account("Main Payroll"),
        "--amount",
        "500000",
    ]);
    // Answers when all that is due has happened.
    demo.place.ok(&["clock", "advance", "--by", "1s"]);
    assert_eq!(balance(&mut key, "Taxes"), before + 100_000);
    demo.place.verify();
}

#[test]
fn a_store_that_is_in_use_is_left_as_it_is() {
    let place = Place::new();
    let process = place.serve(&[]);
    place.ok(&["tenant", "create", "--name", "Mine"]);
    assert_eq!(process.terminate().code(), Some(0));
    let process = place.serve(&["--demo"]);
    assert!(!place.data().join("demo.json").exists());
    assert!(place.log().contains("not empty"), "{}", place.log());
    let tenants = process.as_admin(&place).get("/admin/v1/tenants");
    assert_eq!(tenants["data"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_start_that_was_cut_short_begins_again() {
    let place = Place::new();
    let process = place.serve(&["--demo"]);
    process.kill();
    // As if it had been killed just before its last step.
    std::fs::remove_file(place.data().join("demo.json")).expect("it was there");
    let demo = Demo::start(place);
    assert_eq!(
        demo.key("api_key").get("/api/v1/accounts")["data"]
            .as_array()
            .map(Vec::len),
        Some(10)
    );
}

#[test]
fn the_wide_key_may_do_everything_and_the_narrow_one_a_single_thing() {
    let demo = Demo::start(Place::new());
    let (fund, trip) = (demo.account("Emergency Fund"), demo.account("Vacation"));
    let mut wide = demo.key("api_key");
    let accounts = wide.get("/api/v1/accounts")["data"].clone();
    for account in accounts.as_array().expect("a list") {
        let id = account["id"].as_str().expect("an id");
        wide.get(&format!("/api/v1/accounts/{id}"));
        wide.get(&format!("/api/v1/transfers?account_id={id}"));
    }
    wide.post("/api/v1/transfers", &transfer_body(fund, trip, 5_001));

    let mut narrow = demo.key("narrow_api_key");
    narrow.post("/api/v1/transfers", &transfer_body(fund, trip, 100));
    narrow.post("/api/v1/transfers", &transfer_body(fund, trip, 5_000));
    for body in [
        transfer_body(fund, trip, 5_001),
        transfer_body(trip, fund, 100),
        transfer_body(demo.account("Main Payroll"), trip, 100),
        transfer_body(fund, demo.account("Taxes"), 100),
    ] {
        narrow
            .call("POST", "/api/v1/transfers", Some(&body))
            .expect(403);
    }
    for path in [
        "/api/v1/accounts".to_owned(),
        format!("/api/v1/accounts/{fund}"),
        format!("/api/v1/transfers?account_id={fund}"),
    ] {
        narrow.call("GET", &path, None).expect(403);
    }
    // The scopes of routes to come as well.
    let path = format!(
        "/admin/v1/tenants/{}/keys",
        demo.file["tenant"].as_str().expect("an id")
    );
    let keys = demo.process.as_admin(&demo.place).get(&path);
    let of = |name: &str| {
        let mut all = keys["data"].as_array().expect("a list").iter();
        let key = all.find(|key| key["name"].as_str().is_some_and(|n| n.contains(name)));
        key.expect(name)["permissions"].clone()
    };
    assert_eq!(of("everything"), crate::harness::everything());
    let set = json!([{"source": fund, "target": trip, "max_amount": 5000}]);
    assert_eq!(
        of("Emergency Fund"),
        json!([{"scope": "MANUAL_TRANSFER", "resources": set}])
    );
}

#[test]
fn the_story_has_every_origin_direction_and_outcome() {
    let demo = Demo::start(Place::new());
    let mut http = demo.key("api_key");
    let mut transfers = std::collections::BTreeMap::new();
    let accounts = demo.file["sequence"]["accounts"]
        .as_object()
        .expect("an object");
    for account in accounts.values() {
        let id = account.as_str().expect("an id");
        let path = format!("/api/v1/transfers?account_id={id}&first=100");
        for transfer in http.get(&path)["data"].as_array().expect("a list") {
            transfers.insert(transfer["id"].to_string(), transfer.clone());
        }
    }
    let found = |name: &str| -> BTreeSet<String> {
        let of = |t: &Value| t[name].as_str().expect("a text").to_owned();
        transfers.values().map(of).collect()
    };
    let set = |items: &[&str]| {
        items
            .iter()
            .map(|item| (*item).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let origins = [
        "paycheck",
        "check_deposit",
        "cashback",
        "user_pull",
        "rule",
        "user",
        "external_pull",
    ];
    assert_eq!(found("origin"), set(&origins));
    assert_eq!(
        found("direction"),
        set(&["money_in", "money_out", "internal"])
    );
    let statuses = ["complete", "incomplete", "error", "cancelled"];
    assert_eq!(found("status"), set(&statuses));
    assert!(transfers.len() >= 20, "some weeks of history");
    let times: BTreeSet<String> = found("created_at")
        .iter()
        .map(|at| at[..10].to_owned())
        .collect();
    assert!(times.len() >= 10, "on many days: {times:?}");
    let example: Value =
        serde_json::from_str(include_str!("seeds/list_transfers.json")).expect("JSON");
    let all: Vec<&Value> = transfers.values().collect();
    assert_like(&example["data"], &json!(all));
    demo.place.verify();
}

// --- the README -------------------------------------------------------------------------------

/// The text between two marks, which must stand in the README exactly once.
fn marked(readme: &str) -> &str {
    let (open, close) = ("<!-- test: curl -->", "<!-- /test -->");
    assert_eq!(readme.matches(open).count(), 1, "one block marked {open}");
    let (_, rest) = readme.split_once(open).expect("counted");
    let (block, _) = rest.split_once(close).expect("a mark that closes it");
    block
}

/// The content of the first fence of this language.
fn fence<'a>(text: &'a str, language: &str) -> &'a str {
    let (_, rest) = text
        .split_once(&format!("```{language}\n"))
        .unwrap_or_else(|| panic!("no {language} fence"));
    rest.split_once("```").expect("a fence that closes").0
}

#[test]
fn the_readmes_curl_moves_money_and_answers_as_printed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(path).expect("the README");
    assert!(
        readme.contains("cargo run --release -- serve --demo"),
        "the command that starts it"
    );
    let block = marked(&readme);
    let script = fence(block, "sh");
    assert_eq!(
        script.lines().next(),
        Some(". data/demo.env"),
        "the way to the demo"
    );
    let printed: Value = serde_json::from_str(fence(block, "json")).expect("the printed answer");

    let demo = Demo::start(Place::new());
    let before = demo.key("api_key").get("/api/v1/accounts");
    let run = || {
        let mut command = Command::new("sh");
        command
            .args(["-euc", script])
            .current_dir(demo.place.path());
        let output = finish(&mut command);
        assert!(output.status.success(), "{}", text(&output.stderr));
        output.stdout
    };
    let first = run();
    let answer: Value = serde_json::from_slice(&first).expect("the script prints the answer");
    assert_like(&printed, &answer);
    for name in ["amount_in_cents", "direction", "origin", "status"] {
        assert_eq!(answer["data"][name], printed["data"][name], "{name}");
    }
    for end in ["source", "destination"] {
        assert_eq!(answer["data"][end]["name"], printed["data"][end]["name"]);
    }
    // Money has moved, once: the idempotency key makes the second run a repetition.
    assert_eq!(run(), first);
    let path = format!(
        "/api/v1/transfers?account_id={}&first=100",
        demo.account("Vacation")
    );
    let transfers = demo.key("api_key").get(&path)["data"].clone();
    let id = &answer["data"]["id"];
    let found: Vec<&Value> = transfers
        .as_array()
        .expect("a list")
        .iter()
        .filter(|t| t["id"] == *id)
        .collect();
    assert_eq!(found.len(), 1);
    assert!(before["data"].is_array());
    demo.place.verify();
}
