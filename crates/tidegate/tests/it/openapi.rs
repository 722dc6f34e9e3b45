//! A light validator: does an answer have the members and types that its document promises?

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::harness::{Call, Reply};

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

/// Each operation of a document as `GET /accounts/{id}`.
pub fn routes(document: &Value) -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            routes.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    routes
}

/// Checks an answer of the public listener.
#[track_caller]
pub fn check_sequence(call: &Call, reply: &Reply) {
    let Some(path) = call.path.strip_prefix("/api/v1") else {
        return;
    };
    check(sequence(), "ErrorEnvelope", path, call, reply);
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
    let method = call.method.as_str().to_lowercase();
    if method == "head" {
        assert!(reply.bytes.is_empty(), "{what}: a body");
        return;
    }
    let operation = document["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .find(|(template, item)| matches(template, path) && item.get(&method).is_some())
        .map(|(_, item)| &item[&method]);
    let Some(operation) = operation else {
        let refused = matches!(reply.status, 401 | 404 | 405);
        assert!(refused, "{what}: an operation that is not documented");
        let schema = &document["components"]["schemas"][error];
        validate(document, schema, &reply.json(), &what);
        return;
    };
    let responses = &operation["responses"];
    let response = responses
        .get(reply.status.to_string())
        .or_else(|| responses.get("default"))
        .unwrap_or_else(|| panic!("{what}: a status that is not documented"));
    let content = response["content"].as_object();
    match content.and_then(|content| content.iter().next()) {
        Some((content_type, media)) => {
            let declared = reply.header("content-type");
            assert_eq!(declared, Some(content_type.as_str()), "{what}");
            validate(document, &media["schema"], &reply.json(), &what);
        }
        None => assert!(
            reply.bytes.is_empty(),
            "{what}: a body that is not documented"
        ),
    }
}

/// Whether some operation of the document may answer so.
pub fn is_some_answer(document: &Value, value: &Value) -> bool {
    let paths = document["paths"].as_object().expect("paths");
    paths
        .values()
        .flat_map(|item| item.as_object().expect("operations").values())
        .flat_map(|operation| {
            operation["responses"]
                .as_object()
                .expect("responses")
                .values()
        })
        .filter_map(|response| response["content"].as_object()?.values().next())
        .any(|media| fits(document, &media["schema"], value, "$").is_ok())
}

fn matches(template: &str, path: &str) -> bool {
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
    if let Err(fault) = fits(document, schema, value, "$") {
        panic!("{place}: {fault}: {value}");
    }
    let known = members(document, schema);
    assert!(
        known.is_some() || !value.is_object() || schema["type"] == "object",
        "{place}: an object whose members are not documented"
    );
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').expect("within the document");
            let target = document.pointer(pointer);
            resolve(document, target.unwrap_or_else(|| panic!("{reference}")))
        }
        None => schema,
    }
}

/// The members an object of this schema may have; `None` when it says nothing of them.
fn members<'a>(document: &'a Value, schema: &'a Value) -> Option<BTreeSet<&'a str>> {
    let schema = resolve(document, schema);
    let mut names: Option<BTreeSet<&str>> = schema["properties"]
        .as_object()
        .map(|properties| properties.keys().map(String::as_str).collect());
    for part in schema["allOf"].as_array().into_iter().flatten() {
        if let Some(more) = members(document, part) {
            names.get_or_insert_default().extend(more);
        }
    }
    names
}

fn fits(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let schema = resolve(document, schema);
    for part in schema["allOf"].as_array().into_iter().flatten() {
        constraints(document, resolve(document, part), value, at)?;
    }
    for choice in ["oneOf", "anyOf"] {
        let Some(parts) = schema[choice].as_array() else {
            continue;
        };
        if !parts
            .iter()
            .any(|part| fits(document, part, value, at).is_ok())
        {
            return Err(format!("{at} fits no choice of {choice}"));
        }
    }
    constraints(document, schema, value, at)?;
    if let (Some(object), Some(known)) = (value.as_object(), members(document, schema)) {
        unknown_members(object, &known, at)?;
    }
    Ok(())
}

fn unknown_members(
    object: &Map<String, Value>,
    known: &BTreeSet<&str>,
    at: &str,
) -> Result<(), String> {
    match object.keys().find(|key| !known.contains(key.as_str())) {
        Some(key) => Err(format!("{at}.{key} is not documented")),
        None => Ok(()),
    }
}

fn constraints(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|kind| has_type(value, kind)) {
        return Err(format!("{at} is not {}", types.join(" or ")));
    }
    if let Some(object) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().expect("names are texts");
            if !object.contains_key(name) {
                return Err(format!("{at}.{name} is missing"));
            }
        }
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(member) = object.get(name) {
                fits(document, schema, member, &format!("{at}.{name}"))?;
            }
        }
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        for (index, item) in items.iter().enumerate() {
            fits(document, schema, item, &format!("{at}[{index}]"))?;
        }
    }
    Ok(())
}

fn has_type(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

#[test]
fn the_validator_sees_what_is_wrong() {
    let document = serde_json::json!({"components": {"schemas": {"Thing": {
        "type": "object", "required": ["id", "note"],
        "properties": {"id": {"type": "string"}, "note": {"type": ["string", "null"]}},
    }}}});
    let schema = serde_json::json!({"allOf": [
        {"$ref": "#/components/schemas/Thing"},
        {"type": "object", "required": ["sum"], "properties": {"sum": {"type": "integer"}}},
    ]});
    for (value, fault) in [
        (r#"{"id": "x", "note": null, "sum": 1}"#, None),
        (
            r#"{"id": 1, "note": null, "sum": 1}"#,
            Some("$.id is not string"),
        ),
        (r#"{"id": "x", "sum": 1}"#, Some("$.note is missing")),
        (
            r#"{"id": "x", "note": "", "sum": 1.5}"#,
            Some("$.sum is not integer"),
        ),
        (
            r#"{"id": "x", "note": "", "sum": 1, "more": 1}"#,
            Some("$.more is not documented"),
        ),
        ("[]", Some("$ is not object")),
    ] {
        let value: Value = serde_json::from_str(value).expect("JSON");
        let found = fits(&document, &schema, &value, "$").err();
        assert_eq!(found.as_deref(), fault, "{value}");
    }
}
