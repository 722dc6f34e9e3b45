//! Does our own document of the dialect promise what the vendor's data allows?
//!
//! Each of its operations is called as it says, and answered with each of its responses; all of
//! them must be exchanges of the contract. So a client made from the one document works with the
//! other, before a single request is sent.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;

use super::examine;
use crate::harness::{Call, Reply};
use crate::openapi::{Operation, multi, operation, operations};
use crate::samples::{sample, schema_at, variants};
use crate::schema::resolve;

fn as_text(value: &Value) -> String {
    value.as_str().map_or(value.to_string(), str::to_owned)
}

/// A call of the operation without a body, with every credential there is.
fn call(operation: &Operation<'_>) -> Call {
    let mut path = operation.template.to_owned();
    let parameters = operation.data["parameters"].as_array();
    for parameter in parameters.into_iter().flatten() {
        let parameter = resolve(multi(), parameter);
        if parameter["in"] == "path" {
            let name = parameter["name"].as_str().expect("a name");
            let value = as_text(&sample(multi(), &parameter["schema"]));
            path = path.replace(&format!("{{{name}}}"), &value);
        }
    }
    let method = Method::from_bytes(operation.method.as_bytes()).expect("a method");
    Call::new(method, path)
        .header("api-key", "k")
        .header("programme-key", "k")
        .header("authorization", "Bearer t")
}

/// The calls with each body that the document allows.
fn calls(operation: &Operation<'_>) -> Vec<Call> {
    let body = resolve(multi(), &operation.data["requestBody"]);
    match &body["content"]["application/json"]["schema"] {
        Value::Null => vec![call(operation)],
        schema => variants(multi(), schema)
            .into_iter()
            .map(|mut body| {
                of_one_mode(&mut body, &IN_CALLS);
                call(operation).json(&body)
            })
            .collect(),
    }
}

/// Each answer that the document has under a status or `default`.
fn answers(operation: &Operation<'_>, status: &str) -> Vec<Reply> {
    let responses = &operation.data["responses"];
    let response = resolve(multi(), &responses[status]);
    let status = status.parse().unwrap_or_else(|_| {
        let others = [404_u16, 405, 413, 415];
        let mut others = others.iter();
        let free = others.find(|status| responses.get(status.to_string()).is_none());
        *free.expect("none has them all")
    });
    let mut headers = HeaderMap::new();
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header");
        let value = as_text(&sample(multi(), &header["schema"]));
        headers.insert(name, HeaderValue::from_str(&value).expect("a value"));
    }
    let reply = |headers: &HeaderMap, body: String| {
        let what = format!("{} → {status}", operation.name());
        Reply::new(what, status, headers.clone(), Bytes::from(body))
    };
    let Some(content) = response["content"].as_object() else {
        return vec![reply(&headers, String::new())];
    };
    let mut replies = Vec::new();
    for (kind, media) in content {
        let kind = HeaderValue::from_str(kind).expect("a content type");
        headers.insert("content-type", kind.clone());
        match kind == "application/json" {
            true => {
                for mut body in variants(multi(), &media["schema"]) {
                    of_one_mode(&mut body, &IN_ANSWERS);
                    replies.push(reply(&headers, body.to_string()));
                }
            }
            false => replies.push(reply(&headers, "x".to_owned())),
        }
    }
    replies
}

/// What a card of one mode has and one of the other has not; our document has one schema for both.
const IN_ANSWERS: Modes = [
    ("PREPAID_MODE", &["balances"]),
    ("DEBIT_MODE", &["parentManagedAccountId", "userCurrency"]),
];
const IN_CALLS: Modes = [
    ("PREPAID_MODE", &["currency"]),
    ("DEBIT_MODE", &["parentManagedAccountId", "userCurrency"]),
];
type Modes = [(&'static str, &'static [&'static str]); 2];

/// Takes away what the other mode's cards have, wherever there is a mode.
fn of_one_mode(value: &mut Value, modes: &Modes) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|it| of_one_mode(it, modes)),
        Value::Object(object) => {
            let mode = object
                .get("mode")
                .and_then(Value::as_str)
                .map(str::to_owned);
            if let Some(mode) = mode {
                let others = modes.iter().filter(|(own, _)| *own != mode);
                for name in others.flat_map(|(_, names)| names.iter()) {
                    object.remove(*name);
                }
            }
            object.values_mut().for_each(|it| of_one_mode(it, modes));
        }
        _ => {}
    }
}

/// What is wrong with an exchange.
fn fault(call: &Call, reply: &Reply) -> Option<String> {
    let fault = examine(call, reply).err()?;
    let (method, path, status) = (&call.method, &call.path, reply.status);
    Some(format!("{method} {path} → {status}: {fault}"))
}

#[test]
fn our_document_promises_what_the_contract_allows() {
    let (mut exchanges, mut faults) = (0, BTreeSet::new());
    for operation in operations(multi()) {
        let responses = operation.data["responses"].as_object().expect("responses");
        for status in responses.keys() {
            for reply in answers(&operation, status) {
                exchanges += 1;
                faults.extend(fault(&calls(&operation)[0], &reply));
            }
        }
        let success = responses.keys().find(|status| status.starts_with('2'));
        let success = answers(&operation, success.expect("a success")).remove(0);
        for call in calls(&operation) {
            exchanges += 1;
            faults.extend(fault(&call, &success));
        }
    }
    assert!(exchanges > 0, "nothing is documented");
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// None of a transfer's conflicts is left out: each can occur.
#[test]
fn our_document_has_every_conflict_of_a_transfer() {
    let codes = |document: &Value, path: &str| {
        let ours = operation(document, "POST", path)?;
        let response = resolve(document, &ours.data["responses"]["409"]);
        let schema = &response["content"]["application/json"]["schema"];
        let code = schema_at(document, schema, "/errorCode")?;
        code["enum"].as_array().cloned()
    };
    let theirs = codes(&super::multi().document, "/transfers").expect("a closed list");
    assert_eq!(theirs.len(), 21);
    let ours = codes(multi(), "/multi/transfers");
    assert_eq!(ours, Some(theirs));
}
