//! `tidegate rule` against a real server.

use serde_json::{Value, json};

use crate::cli::Desk;
use crate::process::Place;
use crate::sequence_rules::split;

/// Writes a rule to a file of the place and answers its path.
fn file(place: &Place, name: &str, rule: &Value) -> String {
    let path = place.data().join(name);
    std::fs::write(&path, rule.to_string()).expect("a writable folder");
    path.to_str().expect("a UTF-8 path").to_owned()
}

#[test]
fn a_rule_is_linted_tried_switched_on_and_run() {
    let desk = Desk::at(Place::new());
    let (place, pay, fund) = (&desk.place, &*desk.pay, &*desk.fund);
    let rule = file(place, "rule.json", &split(pay, fund));
    let lint = place.json(&["rule", "lint", "--file", &rule]);
    assert_eq!(lint["data"], json!([]));
    let made = place.json(&["rule", "create", "--file", &rule]);
    assert_eq!(made["status"], "disabled");
    let id = made["id"].as_str().expect("an id");
    let tried = place.json(&["rule", "simulate", id, "--amount", "10000"]);
    assert_eq!(tried["explanation"]["actions"][0]["moved_in_cents"], 2_000);
    let said = place.fails(1, &["rule", "trigger", id]);
    assert!(said.contains("rule_deactivated"), "{said}");
    assert_eq!(place.json(&["rule", "enable", id])["status"], "enabled");
    place.ok(&["rule", "trigger", id, "--amount", "10000"]);
    // Answers when all that is due has happened.
    place.ok(&["clock", "advance", "--by", "1s"]);
    let runs = place.json(&["rule", "runs", "--rule", id]);
    let runs = runs["data"].as_array().expect("a list");
    assert_eq!(runs.len(), 2, "and what was tried");
    let run = runs[0]["id"].as_str().expect("an id");
    let run = place.json(&["rule", "run", run]);
    assert_eq!(run["trigger_details"]["amount_in_cents"], 10_000);
    assert_eq!(place.json(&["account", "show", fund])["balance"], 2_000);
    let table = place.ok(&["rule", "list"]);
    assert!(
        table.contains("Auto-save on deposit") && table.contains("enabled"),
        "{table}"
    );

    let template = place.json(&[
        "rule",
        "template",
        "tax_reserve",
        "--from",
        pay,
        "--to",
        &format!("{fund}=12.5"),
    ]);
    assert_eq!(template["nickname"], "Tax reserve");
    assert_eq!(template["steps"][0]["actions"][0]["percentage_value"], 12.5);
    place.ok(&["rule", "delete", template["id"].as_str().expect("an id")]);

    // What would go round is told before it is made, with its path and a failing exit.
    let mut own = split(pay, fund);
    own["trigger"]["account_id"] = json!(fund);
    let round = file(place, "round.json", &own);
    let said = place.fails(1, &["rule", "lint", "--file", &round]);
    assert!(
        said.contains("steps[0].actions[0].destination") && said.contains("cycle"),
        "{said}"
    );
    let said = place.fails(1, &["rule", "create", "--file", &round]);
    assert!(said.contains("rule_unsound"), "{said}");
    assert_eq!(place.json(&["rule", "lint"])["data"], json!([]));
    let said = place.fails(1, &["rule", "lint", "--file", "/nowhere/rule.json"]);
    assert!(said.contains("/nowhere/rule.json"), "{said}");

    let mut other = split(pay, fund);
    other["nickname"] = json!("Renamed");
    let other = file(place, "other.json", &other);
    let changed = place.json(&["rule", "change", id, "--file", &other]);
    assert_eq!(
        (&changed["nickname"], &changed["status"]),
        (&json!("Renamed"), &json!("disabled"))
    );
    assert_eq!(place.ok(&["rule", "delete", id]), "done\n");
    assert_eq!(place.json(&["rule", "list"])["data"], json!([]));
    let set = place.json(&[
        "tenant",
        "settings",
        "--round-down",
        "BUFFER",
        "--utc-offset-minutes",
        "-60",
    ]);
    assert_eq!(
        (&set["round_down"], &set["utc_offset_minutes"]),
        (&json!("BUFFER"), &json!(-60))
    );
}
