//! The examples in the documents are run as they are written.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::openapi;
use crate::process::{Place, Process, finish, text};

fn document(path: &str) -> String {
    let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The contents of all fences of a language, in order.
fn fences<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let open = format!("```{language}\n");
    text.split(&*open)
        .skip(1)
        .map(|rest| rest.split_once("```").expect("a fence that closes").0)
        .collect()
}

/// Prints one text member of the JSON object on standard input: as much of `jq -r .name` as the
/// documents use, for machines that have none.
const JQ: &str = r#"#!/bin/sh
name=${2#.}
sed -n "s/^ *\"$name\": \"\(.*\)\",\{0,1\}$/\1/p"
"#;

/// Runs a script in a place, with the program under its own name.
fn run(place: &Place, script: &str) -> String {
    let tools = place.path().join("target/release");
    std::fs::create_dir_all(&tools).expect("a new folder");
    let program = tools.join("tidegate");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tidegate"), program).expect("a new link");
    let jq = tools.join("jq");
    std::fs::write(&jq, JQ).expect("a new file");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(jq, executable).expect("a file of ours");
    std::fs::write(place.path().join("script"), script).expect("a new file");
    let mut command = Command::new("sh");
    command.args(["-eu", "script"]).current_dir(place.path());
    place.set_up(&mut command);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", tools.display()));
    let output = finish(&mut command);
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn the_readmes_commands_work() {
    let readme = document("README.md");
    let (_, section) = readme
        .split_once("\n## The command line\n")
        .expect("the section");
    let script = fences(section, "sh")[0];
    assert!(script.contains("tidegate transfer create"), "{script}");
    let place = Place::new();
    let _process = place.serve(&["--demo"]);
    let said = run(&place, &format!(". data/demo.env\n{script}"));
    assert!(said.contains("paycheck"), "{said}");
    place.verify();
}

fn on_free_ports(text: &str, process: &Process) -> String {
    text.replace("127.0.0.1:8080", &process.api)
        .replace("127.0.0.1:8081", &process.admin)
}

#[test]
fn the_quick_start_works_step_by_step() {
    let guide = document("docs/guide/quickstart.md");
    let steps = fences(&guide, "sh");
    assert!(
        steps[0].contains("tidegate serve"),
        "the first step starts the server"
    );
    assert!(steps.len() > 5);
    let place = Place::new();
    let process = place.serve(&[]);
    let said = run(&place, &on_free_ports(&steps[1..].join("\n"), &process));
    assert!(said.contains("\"status\":\"processing\""), "{said}");
    assert!(
        said.lines()
            .last()
            .is_some_and(|line| line.starts_with("verified: ")),
        "{said}"
    );
}

#[test]
fn the_references_examples_have_the_documented_shape() {
    let reference = document("docs/reference/sequence.md");
    let examples = fences(&reference, "json");
    assert!(examples.len() >= 4);
    for example in examples {
        let value: Value =
            serde_json::from_str(example).unwrap_or_else(|error| panic!("{error}: {example}"));
        assert!(
            openapi::is_some_answer(openapi::sequence(), &value),
            "{example}"
        );
    }
}
