//! Does an answer have the members and types that its own document promises?

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::Value;

use crate::harness::{Call, Reply};
use crate::schema;

/// The document of the Sequence dialect.
pub fn sequence() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::from_str(&api::sequence::document()).expect("JSON"))
}

/// The document of the admin API.
pub fn admin() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::from_str(&api::admin::document()).expect("JSON"))
}

/// The document of the Multi dialect.
pub fn multi() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::from_str(&api::multi::document()).expect("JSON"))
}

/// An operation as a document has it.
pub struct Operation<'a> {
    /// In capitals.
    pub method: String,
    /// Such as `/accounts/{id}`.
    pub template: &'a str,
    pub data: &'a Value,
}

impl Operation<'_> {
    /// Such as `GET /accounts/{id}`.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }
}

/// The document of the Platform dialect.
pub fn platform() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::from_str(&api::platform::document()).expect("JSON"))
}

/// The operations of a document.
pub fn operations(document: &Value) -> impl Iterator<Item = Operation<'_>> {
    let paths = document["paths"].as_object().expect("paths");
    paths.iter().flat_map(|(template, item)| {
        let operations = item.as_object().expect("operations");
        operations.iter().map(move |(method, data)| Operation {
            method: method.to_uppercase(),
            template,
            data,
        })
    })
}

/// The operation of a call; a path that is written out goes before one with a parameter.
pub fn operation<'a>(document: &'a Value, method: &str, path: &str) -> Option<Operation<'a>> {
    operations(document)
        .filter(|operation| operation.method == method && matches(operation.template, path))
        .min_by_key(|operation| operation.template.matches('{').count())
}

/// Each operation of a document as `GET /accounts/{id}`.
pub fn routes(document: &Value) -> BTreeSet<String> {
    operations(document)
        .map(|operation| operation.name())
        .collect()
}

/// Checks an answer of the public listener.
#[track_caller]
pub fn check_sequence(call: &Call, reply: &Reply) {
    let Some(path) = call.path.strip_prefix("/api/v1") else {
        return;
    };
    check(sequence(), "ErrorEnvelope", path, call, reply);
}

/// Checks an answer of the Platform dialect. What it does not list is answered in plain text.
#[track_caller]
pub fn check_platform(call: &Call, reply: &Reply) {
    let Some(path) = call.path.strip_prefix("/platform/v1") else {
        return;
    };
    let plain = reply
        .header("content-type")
        .is_some_and(|it| it.starts_with("text/plain"));
    if !(plain && reply.status == 404) {
        let path = format!("/{}", path.trim_start_matches('/'));
        check(platform(), "Error", &path, call, reply);
    }
}

/// Checks an answer of the Multi dialect.
#[track_caller]
pub fn check_multi(call: &Call, reply: &Reply) {
    if ["/multi/", "/simulate/api/"]
        .iter()
        .any(|base| call.path.starts_with(base))
    {
        check(multi(), "Error", &call.path, call, reply);
    }
}

/// Checks an answer of the admin listener.
#[track_caller]
pub fn check_admin(call: &Call, reply: &Reply) {
    let Some(path) = call.path.strip_prefix("/admin/v1") else {
        return;
    };
    check(admin(), "Problem", path, call, reply);
}

#[track_caller]
fn check(document: &Value, error: &str, path: &str, call: &Call, reply: &Reply) {
    let what = format!("{} {} → {}", call.method, call.path, reply.status);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if call.method == "HEAD" {
        assert!(reply.bytes.is_empty(), "{what}: a body");
        return;
    }
    let operation = operation(document, call.method.as_str(), path);
    let Some(operation) = operation else {
        let refused = matches!(reply.status, 401 | 404 | 405);
        assert!(refused, "{what}: an operation that is not documented");
        let schema = &document["components"]["schemas"][error];
        validate(document, schema, &reply.json(), &what);
        return;
    };
    let responses = &operation.data["responses"];
    let response = responses
        .get(reply.status.to_string())
        .or_else(|| responses.get("default"))
        .unwrap_or_else(|| panic!("{what}: a status that is not documented"));
    match response["content"].as_object() {
        // In Multi a refusal that no other step would lift has nothing to say.
        Some(_) if reply.status == 403 && reply.bytes.is_empty() => {
            assert_eq!(reply.header("content-type"), None, "{what}");
        }
        Some(content) => {
            let declared = reply.header("content-type").unwrap_or("nothing");
            let media = content.get(declared);
            let media = media.unwrap_or_else(|| panic!("{what}: {declared} as content type"));
            if declared.ends_with("json") {
                validate(document, &media["schema"], &reply.json(), &what);
            }
        }
        None => assert!(
            reply.bytes.is_empty(),
            "{what}: a body that is not documented"
        ),
    }
}

/// Whether some operation of the document may answer so.
pub fn is_some_answer(document: &Value, value: &Value) -> bool {
    operations(document)
        .flat_map(|operation| {
            operation.data["responses"]
                .as_object()
                .expect("responses")
                .values()
        })
        .filter_map(|response| response["content"].as_object()?.values().next())
        .any(|media| schema::fits(document, &media["schema"], value).is_ok())
}

/// Whether a path is one of a template such as `/accounts/{id}`.
pub fn matches(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(expected), Some(part)) => {
                let placeholder = expected.starts_with('{') && !part.is_empty();
                if !placeholder && expected != part {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// Panics unless `value` has the shape of `schema`: types, required members, and no others.
#[track_caller]
pub fn validate(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Err(fault) = schema::fits(document, schema, value) {
        panic!("{place}: {fault}: {value}");
    }
    assert!(
        schema::names_members(document, schema) || !value.is_object() || schema["type"] == "object",
        "{place}: an object whose members are not documented"
    );
}

#[test]
fn the_documents_can_be_read_by_their_validator() {
    schema::check_document(sequence());
    schema::check_document(admin());
    schema::check_document(platform());
    schema::check_document(multi());
}
