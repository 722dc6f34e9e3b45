//! The command line against a real server.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::process::{Http, Place, Process, finish, text};

fn string<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} of {object}"))
}

/// A server with a tenant, an owner and three accounts, all made by commands.
pub struct Desk {
    pub place: Place,
    pub process: Process,
    pub pay: String,
    pub fund: String,
    bank: String,
}

impl Desk {
    fn new() -> Desk {
        Desk::at(Place::new())
    }

    pub fn at(place: Place) -> Desk {
        let process = place.serve(&["--rail-delay-ms", "3600000"]);
        let tenant = place.json(&["tenant", "create", "--name", "Acme"]);
        assert_eq!(tenant["mode"], "sandbox");
        let owner = place.json(&["owner", "create", "--name", "Ada"]);
        assert_eq!(owner["kind"], "beneficiary");
        let open = |kind: &str, name: &str| {
            let account = ["account", "create", "--type", kind, "--name", name];
            string(&place.json(&account), "id").to_owned()
        };
        let pay = open("income_source", "Main Payroll");
        let fund = open("pod", "Emergency Fund");
        let bank = open("external_account", "Chase");
        place.ok(&[
            "simulate",
            "paycheck",
            "--account",
            &pay,
            "--amount",
            "500000",
        ]);
        Desk {
            place,
            process,
            pay,
            fund,
            bank,
        }
    }

    fn list(&self, args: &[&str]) -> Vec<Value> {
        self.place.json(args)["data"]
            .as_array()
            .expect("a list")
            .clone()
    }
}

#[test]
fn everything_can_be_made_listed_and_moved() {
    let desk = Desk::new();
    let Desk {
        place,
        process,
        pay,
        fund,
        bank,
    } = &desk;
    let (pay, fund, bank) = (&**pay, &**fund, &**bank);
    assert_eq!(desk.list(&["tenant", "list"]).len(), 1);
    assert_eq!(desk.list(&["owner", "list"])[0]["name"], "Ada");
    let accounts = desk.list(&["account", "list"]);
    let ids: Vec<&str> = accounts
        .iter()
        .map(|account| string(account, "id"))
        .collect();
    assert_eq!(ids, [pay, fund, bank]);
    assert_eq!(place.json(&["account", "show", pay])["balance"], 500_000);

    let made = place.json(&[
        "transfer", "create", "--from", pay, "--to", fund, "--amount", "2500",
    ]);
    assert_eq!(made["amount"], 2_500);
    let made = string(&made, "id");
    // Internal transfers settle at once; moving the clock waits for that.
    place.ok(&["clock", "advance", "--by", "1s"]);
    let shown = place.json(&["transfer", "show", made]);
    assert_eq!(shown["status"], "complete");
    assert_eq!(desk.list(&["transfer", "list", "--account", fund]), [shown]);
    let entries = desk.list(&["account", "entries", fund]);
    assert_eq!(entries[0]["balance_after"], 2_500);

    // Every kind of simulated money, and a payment that comes back.
    for (what, account, balance) in [
        ("check-deposit", fund, 2_600),
        ("cashback", fund, 2_700),
        ("external-pull", fund, 2_600),
        ("paycheck", pay, 497_600),
    ] {
        let args = ["simulate", what, "--account", account, "--amount", "100"];
        assert_eq!(place.json(&args)["status"], "complete");
        assert_eq!(
            place.json(&["account", "show", account])["balance"],
            balance
        );
    }
    let sent = place.json(&[
        "transfer", "create", "--from", fund, "--to", bank, "--amount", "600",
    ]);
    place.ok(&["clock", "advance", "--by", "1s"]);
    assert_eq!(place.json(&["account", "show", fund])["balance"], 2_000);
    let back = [
        "simulate",
        "return",
        "--transfer",
        string(&sent, "id"),
        "--code",
        "NAME_MISMATCH",
    ];
    let returned = place.json(&back);
    assert_eq!(returned["status"], "error");
    assert_eq!(returned["error_code"], "NAME_MISMATCH");

    // The rail takes an hour by this tenant's clock.
    let sent = place.json(&[
        "transfer", "create", "--from", fund, "--to", bank, "--amount", "700",
    ]);
    place.ok(&["clock", "advance", "--by", "59 minutes"]);
    assert_eq!(
        place.json(&["transfer", "show", string(&sent, "id")])["status"],
        "pending"
    );
    place.ok(&["clock", "advance", "--by", "2m"]);
    assert_eq!(
        place.json(&["transfer", "show", string(&sent, "id")])["status"],
        "complete"
    );

    let hold = place.json(&["hold", "place", "--account", fund, "--amount", "1000"]);
    assert_eq!(place.json(&["account", "show", fund])["available"], 900);
    assert_eq!(
        desk.list(&["hold", "list", "--account", fund]),
        std::slice::from_ref(&hold)
    );
    assert_eq!(
        place.ok(&["hold", "release", string(&hold, "id")]),
        "done\n"
    );
    assert!(desk.list(&["hold", "list", "--account", fund]).is_empty());

    for (action, state) in [("block", "blocked"), ("unblock", "active")] {
        assert_eq!(place.json(&["account", action, fund])["state"], state);
    }
    let said = place.fails(1, &["account", "close", fund]);
    assert!(said.contains("balance_not_zero, HTTP 409"), "{said}");
    assert_eq!(place.json(&["account", "close", bank])["state"], "closed");

    let settings = ["tenant", "settings"];
    assert_eq!(place.json(&settings)["strict"], false);
    let limits = ["--strict", "true", "--rate-limits", "5/60,100/3600"];
    let set = place.json(&[&settings[..], &limits].concat());
    let expected = json!([
        {"requests": 5, "window_s": 60}, {"requests": 100, "window_s": 3600},
    ]);
    assert_eq!(set["rate_limits"], expected);
    assert_eq!(place.json(&settings), set);
    for (limits, by_default) in [("none", false), ("default", true)] {
        let set = place.json(&[&settings[..], &["--rate-limits", limits]].concat());
        assert_eq!(set["default_rate_limits"], by_default);
        assert_eq!(
            (&set["rate_limits"], &set["strict"]),
            (&json!([]), &json!(true))
        );
    }
    let said = place.fails(
        1,
        &[&settings[..], &["--rate-limits", "5 a minute"]].concat(),
    );
    assert!(said.contains("100/60"), "{said}");

    let status = place.json(&["status"]);
    assert_eq!(status["sum_of_all_balances"], json!({"USD": "0"}));
    place.verify();
    let _ = process;
}

#[test]
fn keys_are_made_with_permissions_used_and_revoked() {
    let desk = Desk::new();
    let Desk {
        place,
        process,
        pay,
        fund,
        bank,
    } = &desk;
    let sets = format!("MANUAL_TRANSFER={pay}>{fund}:5000,*>{bank}");
    let read = format!("READ_ACCOUNTS={pay},{fund}");
    let made = place.json(&[
        "key",
        "create",
        "--name",
        "reports",
        "--permission",
        "LIST_ACCOUNTS",
        "--permission",
        "READ_TRANSFERS=*",
        "--permission",
        &read,
        "--permission",
        &sets,
    ]);
    let permissions = json!([
        {"scope": "LIST_ACCOUNTS"},
        {"scope": "READ_TRANSFERS", "resources": "*"},
        {"scope": "READ_ACCOUNTS", "resources": [pay, fund]},
        {"scope": "MANUAL_TRANSFER", "resources": [
            {"source": pay, "target": fund, "max_amount": 5000}, {"source": "*", "target": bank},
        ]},
    ]);
    assert_eq!(made["permissions"], permissions);
    let secret = string(&made, "secret");
    let listed = place.ok(&["key", "list"]);
    assert!(listed.contains("reports"));
    assert!(!listed.contains(secret));

    let mut http = process.as_key(secret);
    assert_eq!(
        http.get("/api/v1/accounts")["data"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
    let body = |amount: i64| crate::harness::transfer_body(pay, fund, amount);
    http.post("/api/v1/transfers", &body(5_000));
    http.call("POST", "/api/v1/transfers", Some(&body(5_001)))
        .expect(403);
    assert_eq!(place.ok(&["key", "revoke", string(&made, "id")]), "done\n");
    http.call("GET", "/api/v1/accounts", None).expect(401);
    for (entry, word) in [
        ("ROOT", "scope"),
        ("READ_ACCOUNTS=x", "resources"),
        ("MANUAL_TRANSFER=x", "source>target"),
        ("MANUAL_TRANSFER=*>*:much", "amount"),
    ] {
        let said = place.fails(1, &["key", "create", "--name", "k", "--permission", entry]);
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn the_clock_is_shown_frozen_and_let_run() {
    let desk = Desk::new();
    let place = &desk.place;
    let frozen = place.json(&["clock", "freeze", "--at", "2100-01-01T00:00:00Z"]);
    assert_eq!(frozen["frozen"], true);
    assert_eq!(
        place.json(&["clock", "show"])["now"],
        "2100-01-01T00:00:00Z"
    );
    let moved = place.json(&["clock", "advance", "--by", "30 days"]);
    assert_eq!(moved["now"], "2100-01-31T00:00:00Z");
    let moved = place.json(&["clock", "advance", "--to", "2100-03-01T12:00:00Z"]);
    assert_eq!(moved["now"], "2100-03-01T12:00:00Z");
    assert_eq!(place.json(&["clock", "resume"])["frozen"], false);
    let said = place.fails(1, &["clock", "freeze", "--at", "2100-01-01T00:00:00Z"]);
    assert!(said.contains("clock_backwards"), "{said}");
    for by in ["soon", "1 month", "-1h", "1 year"] {
        place.fails(1, &["clock", "advance", &format!("--by={by}")]);
    }
    place.fails(2, &["clock", "advance"]);
}

#[test]
fn tables_are_for_people_and_mistakes_are_explained() {
    let desk = Desk::new();
    let Desk { place, pay, .. } = &desk;
    let table = place.ok(&["account", "list"]);
    let mut lines = table.lines();
    assert!(
        lines
            .next()
            .is_some_and(|header| header.trim_start().starts_with("id")),
        "{table}"
    );
    let row = lines
        .find(|line| line.contains("Main Payroll"))
        .expect("a row");
    assert!(
        row.contains(pay.as_str()) && row.contains("500000"),
        "{row}"
    );
    assert!(!table.contains('\u{1b}'), "colour in a pipe");

    let said = place.fails(1, &["account", "show", "acc_0000000000009"]);
    assert!(
        said.starts_with("tidegate: ") && said.contains("not_found, HTTP 404"),
        "{said}"
    );
    place.fails(2, &["account", "show"]);
    place.fails(2, &["nonsense"]);
    let said = place.fails(1, &["--admin-token", "wrong", "tenant", "list"]);
    assert!(said.contains("HTTP 401"), "{said}");
    // With two tenants one must be chosen.
    let second = place.json(&["tenant", "create", "--name", "Second", "--mode", "live"]);
    let said = place.fails(1, &["account", "list"]);
    assert!(said.contains("--tenant"), "{said}");
    let second = string(&second, "id");
    assert!(
        desk.list(&["account", "list", "--tenant", second])
            .is_empty()
    );
    let mut command = place.command(&["account", "list", "--output", "json"]);
    let output = finish(command.env("TIDEGATE_TENANT", second));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = place.fails(
        1,
        &[
            "account", "create", "--tenant", second, "--type", "pod", "--name", "P",
        ],
    );
    assert!(said.contains("no owner"), "{said}");
}

#[test]
fn a_server_is_found_by_its_address_too() {
    let desk = Desk::new();
    let token = std::fs::read_to_string(desk.place.data().join("admin.token")).expect("made");
    let elsewhere = Place::new();
    let url = format!("http://{}/", desk.process.admin);
    let args = [
        "tenant",
        "list",
        "--admin-url",
        &url,
        "--admin-token",
        token.trim(),
    ];
    assert!(elsewhere.ok(&args).contains("Acme"));
    let mut command = elsewhere.command(&["tenant", "list"]);
    command.env("TIDEGATE_ADMIN_URL", &url);
    command.env("TIDEGATE_ADMIN_TOKEN", token.trim());
    let output = finish(&mut command);
    assert!(
        text(&output.stdout).contains("Acme"),
        "{}",
        text(&output.stderr)
    );
    let said = elsewhere.fails(1, &["tenant", "list"]);
    assert!(
        said.contains("no server is running") && said.contains("serve"),
        "{said}"
    );
    let said = elsewhere.fails(1, &["tenant", "list", "--admin-url", &url]);
    assert!(said.contains("--admin-token"), "{said}");
}

// --- the server's life ------------------------------------------------------------------------

#[test]
fn told_to_stop_it_ends_in_order_and_what_it_knew_is_there_again() {
    let desk = Desk::new();
    let Desk {
        place,
        process,
        pay,
        ..
    } = desk;
    let contact = place.data().join("server.json");
    assert!(contact.exists());
    // An idle connection does not hold it up.
    let mut idle = process.as_admin(&place);
    idle.get("/admin/v1/tenants");
    assert_eq!(process.terminate().code(), Some(0));
    assert!(!contact.exists(), "nobody is there any more");
    assert!(idle.send("GET", "/admin/v1/tenants", &[], None).is_err());
    place.verify();
    let process = place.serve(&[]);
    assert_eq!(place.json(&["account", "show", &pay])["balance"], 500_000);
    process.signal(rustix::process::Signal::INT);
    assert_eq!(process.wait().code(), Some(0));
}

#[test]
fn verify_is_one_line_offline_and_beside_a_server() {
    let desk = Desk::new();
    let Desk { place, process, .. } = desk;
    let beside = place.verify();
    assert!(
        beside.contains("3 accounts") || beside.contains("4 accounts"),
        "{beside}"
    );
    assert!(beside.contains("1 transfers"), "{beside}");
    assert!(beside.contains("sum 0"), "{beside}");
    assert_eq!(process.terminate().code(), Some(0));
    place.verify();
}

#[test]
fn a_second_server_on_the_folder_is_refused() {
    let desk = Desk::new();
    let Desk { place, process, .. } = &desk;
    let (status, said) = place
        .try_serve(&[])
        .err()
        .expect("two servers on one folder");
    assert_eq!(status.code(), Some(1));
    let data = "data is in use by another tidegate process";
    assert!(said.contains(data) && said.contains("--data-dir"), "{said}");
    // The first one was not disturbed.
    process.as_admin(place).get("/admin/v1/status");
    place.verify();
}

#[test]
fn a_port_that_is_taken_is_named() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let mut command = place.command(&["serve", "--listen", &address]);
    let output = finish(&mut command);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(
        said.contains(&address) && said.contains("--listen"),
        "{said}"
    );
}

#[test]
fn live_money_is_not_served_in_the_open_by_accident() {
    let place = Place::new();
    let process = place.serve(&[]);
    place.ok(&["tenant", "create", "--name", "Real", "--mode", "live"]);
    assert_eq!(process.terminate().code(), Some(0));
    let open = ["--listen", "0.0.0.0:0"];
    let mut args = vec!["serve", "--admin-listen", "127.0.0.1:0"];
    args.extend(open);
    let output = place.run(&args);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(
        said.contains("Real") && said.contains("--allow-plain-listener"),
        "{said}"
    );
}

#[test]
fn a_server_that_was_killed_is_missed_by_name() {
    let Desk { place, process, .. } = Desk::new();
    let admin = process.admin.clone();
    process.kill();
    let said = place.fails(1, &["tenant", "list"]);
    assert!(said.contains(&admin), "{said}");
    let process = place.serve(&[]);
    assert!(place.ok(&["tenant", "list"]).contains("Acme"));
    assert_eq!(process.terminate().code(), Some(0));
}

// --- settings ---------------------------------------------------------------------------------

#[test]
fn a_flag_goes_over_the_environment_over_the_file_over_the_default() {
    let place = Place::new();
    let row = |args: &[&str], variables: &[(&str, &str)], name: &str| {
        let mut all = vec!["config", "check"];
        all.extend(args);
        let mut command = place.command(&all);
        command.envs(variables.iter().copied());
        let output = finish(&mut command);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let table = text(&output.stdout);
        let row = table
            .lines()
            .find(|line| line.trim_start().starts_with(&format!("{name} ")));
        let row = row.unwrap_or_else(|| panic!("{name}: {table}"));
        row.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    let variable = [("TIDEGATE_RAIL_DELAY_MS", "7")];
    let flag = ["--rail-delay-ms", "8"];
    assert_eq!(row(&[], &[], "rail_delay_ms"), "2000 default");
    std::fs::write(
        place.path().join("tidegate.toml"),
        "rail_delay_ms = 6\nlisten = \"127.0.0.1:7000\"\n",
    )
    .expect("a new file");
    assert_eq!(row(&[], &[], "rail_delay_ms"), "6 file (tidegate.toml)");
    let from = "environment (TIDEGATE_RAIL_DELAY_MS)";
    assert_eq!(row(&[], &variable, "rail_delay_ms"), format!("7 {from}"));
    assert_eq!(row(&flag, &variable, "rail_delay_ms"), "8 flag");
    assert_eq!(
        row(&[], &[], "listen"),
        "127.0.0.1:7000 file (tidegate.toml)"
    );
    assert_eq!(row(&[], &[], "admin_listen"), "127.0.0.1:8081 default");
    assert_eq!(row(&[], &[], "data_dir"), "./data default");
    assert_eq!(
        row(&[], &[("TIDEGATE_DATA_DIR", "x")], "data_dir"),
        "x environment (TIDEGATE_DATA_DIR)"
    );
    assert_eq!(
        row(
            &["--data-dir", "y"],
            &[("TIDEGATE_DATA_DIR", "x")],
            "data_dir"
        ),
        "y flag"
    );
    assert_eq!(row(&["--demo"], &[], "demo"), "true flag");
    // Another file by name.
    std::fs::write(place.path().join("other.toml"), "log_format = \"json\"\n").expect("a new file");
    assert_eq!(
        row(&["--config", "other.toml"], &[], "log_format"),
        "json file (other.toml)"
    );
    assert_eq!(
        row(&["--config", "other.toml"], &[], "rail_delay_ms"),
        "2000 default"
    );
}

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    let place = Place::new();
    let check = |file: &str, variables: &[(&str, &str)], words: &[&str]| {
        std::fs::write(place.path().join("tidegate.toml"), file).expect("a file of ours");
        for command in [
            &["config", "check"][..],
            &["serve", "--admin-listen", "127.0.0.1:0"],
        ] {
            let mut command = place.command(command);
            command.envs(variables.iter().copied());
            let output = finish(&mut command);
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{said}");
            for word in words {
                assert!(said.contains(word), "{word}: {said}");
            }
        }
    };
    check(
        "raildelay = 5\n",
        &[],
        &["raildelay", "tidegate.toml", "rail_delay_ms"],
    );
    check("[serve]\nlisten = 1\n", &[], &["serve", "tidegate.toml"]);
    check("listen = \n", &[], &["tidegate.toml", "TOML"]);
    check(
        "listen = \"somewhere\"\n",
        &[],
        &["listen", "tidegate.toml", "127.0.0.1:8080"],
    );
    check("rail_delay_ms = -1\n", &[], &["rail_delay_ms"]);
    check(
        "rail_delay_ms = 604800001\n",
        &[],
        &["rail_delay_ms", "604800000"],
    );
    check("demo = \"perhaps\"\n", &[], &["demo", "true or false"]);
    check("", &[("TIDEGATE_LISTEN", "x")], &["TIDEGATE_LISTEN"]);
    check(
        "",
        &[("TIDEGATE_LOG_FORMAT", "xml")],
        &["TIDEGATE_LOG_FORMAT", "text or json"],
    );
    std::fs::write(place.path().join("tidegate.toml"), "").expect("a file of ours");
    let said = place.fails(1, &["config", "check", "--config", "missing.toml"]);
    assert!(said.contains("missing.toml"), "{said}");
    place.fails(2, &["config", "check", "--listen", "x"]);
}

#[test]
fn the_rail_is_as_slow_as_configured() {
    let place = Place::new();
    std::fs::write(
        place.path().join("tidegate.toml"),
        "rail_delay_ms = 90000\n",
    )
    .expect("a new file");
    let _process = place.serve(&[]);
    let output = |args: &[&str]| place.json(args);
    output(&["tenant", "create", "--name", "Acme"]);
    output(&["owner", "create", "--name", "Ada"]);
    let pod = output(&["account", "create", "--type", "pod", "--name", "P"]);
    let bank = output(&[
        "account",
        "create",
        "--type",
        "external_account",
        "--name",
        "B",
    ]);
    let (pod, bank) = (string(&pod, "id"), string(&bank, "id"));
    output(&["simulate", "paycheck", "--account", pod, "--amount", "100"]);
    output(&["clock", "freeze", "--at", "2100-01-01T00:00:00Z"]);
    let sent = output(&[
        "transfer", "create", "--from", pod, "--to", bank, "--amount", "100",
    ]);
    let sent = string(&sent, "id");
    output(&["clock", "advance", "--by", "89s"]);
    assert_eq!(output(&["transfer", "show", sent])["status"], "pending");
    output(&["clock", "advance", "--by", "1s"]);
    let done = output(&["transfer", "show", sent]);
    assert_eq!(done["completed_at"], "2100-01-01T00:01:30Z");
}

// --- documents, log, sockets ------------------------------------------------------------------

#[test]
fn documents_are_printed_as_they_are_served() {
    let place = Place::new();
    let process = place.serve(&[]);
    let mut public = Http::new(&process.api, "");
    let mut admin = Http::new(&process.admin, "");
    for (dialect, http) in [("sequence", &mut public), ("admin", &mut admin)] {
        let printed = place.ok(&["openapi", dialect]);
        let served = http.call("GET", &format!("/openapi/{dialect}.json"), None);
        assert_eq!(text(&served.body), printed);
    }
}

#[test]
fn secrets_are_for_the_owner_only_and_never_logged() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let process = place.serve(&["--demo", "--log-format", "json"]);
    let folder = place.data();
    for name in [
        "admin.token",
        "server.secret",
        "demo.json",
        "demo.env",
        "server.json",
    ] {
        let mode = std::fs::metadata(folder.join(name))
            .expect(name)
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let token = std::fs::read_to_string(folder.join("admin.token")).expect("made");
    let demo = std::fs::read_to_string(folder.join("demo.json")).expect("made");
    let demo: Value = serde_json::from_str(&demo).expect("JSON");
    let key = string(&demo["sequence"], "api_key");
    process.as_key(key).get("/api/v1/accounts");
    process
        .as_key(&key[1..])
        .call("GET", "/api/v1/accounts", None)
        .expect(401);
    assert_eq!(process.terminate().code(), Some(0));
    let log = place.log();
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(entry["level"].is_string(), "{line}");
    }
    assert!(!log.contains(token.trim()) && !log.contains(&key[..20]));
}

#[test]
fn limits_hold_over_a_socket_too() {
    let place = Place::new();
    let process = place.serve(&["--demo"]);
    let demo = std::fs::read_to_string(place.data().join("demo.json")).expect("made");
    let demo: Value = serde_json::from_str(&demo).expect("JSON");
    let mut http = process.as_key(string(&demo["sequence"], "api_key"));
    let padded = |length: usize| format!("{{}}{}", " ".repeat(length - 2));
    let limit = 64 * 1024;
    let post = |http: &mut Http, body: &str| {
        let answer = http.send("POST", "/api/v1/transfers", &[], Some(body));
        answer.expect("an answer").status
    };
    assert_eq!(post(&mut http, &padded(limit)), 400);
    assert_eq!(post(&mut http, &padded(limit + 1)), 413);
    // The connection, or a new one, goes on.
    http.get("/api/v1/accounts");
}
