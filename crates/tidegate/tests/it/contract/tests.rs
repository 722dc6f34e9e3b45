//! The contract accepts what the data allows and sees each fault.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use super::deviations::{DEVIATIONS, Deviation, Instead};
use super::{contracts, examine, multi};
use crate::harness::{Call, Reply};
use crate::openapi::operations;
use crate::schema;

fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            let value = HeaderValue::from_str(value).expect("a header's bytes");
            (HeaderName::from_static(name), value)
        })
        .collect();
    let bytes = Bytes::copy_from_slice(body.as_bytes());
    Reply::new("a test".to_owned(), status, headers, bytes)
}

const REF: (&str, &str) = ("request-ref", "77");
const JSON: (&str, &str) = ("content-type", "application/json");

/// What is said of an answer with this body, as text; an empty one declares no content type.
fn answered(call: &Call, status: u16, body: &str) -> String {
    let headers = match body {
        "" => &[REF][..],
        _ => &[REF, JSON][..],
    };
    said(call, &reply(status, headers, body))
}

fn said(call: &Call, reply: &Reply) -> String {
    examine(call, reply).err().unwrap_or_default()
}

fn by_user(call: Call) -> Call {
    call.header("api-key", "k")
        .header("authorization", "Bearer t")
}

fn transfer_request() -> Value {
    json!({
        "profileId": "110",
        "source": {"id": "1", "type": "managed_accounts"},
        "destination": {"id": "2", "type": "managed_cards"},
        "destinationAmount": {"currency": "EUR", "amount": 1000},
    })
}

fn create() -> Call {
    by_user(Call::post("/multi/transfers")).json(&transfer_request())
}

fn transfer() -> Value {
    let mut transfer = transfer_request();
    transfer["id"] = json!("5");
    transfer["state"] = json!("COMPLETED");
    transfer["creationTimestamp"] = json!(1_800_000_000_000_u64);
    transfer["executionTimestamp"] = json!("1800000000001");
    transfer
}

/// A transfer with one member changed, or taken away by `null`.
fn transfer_with(pointer: &str, value: Value) -> String {
    let mut transfer = transfer();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = transfer.pointer_mut(parent).expect("an object");
    parent[name] = value;
    transfer.to_string()
}

#[test]
fn the_data_can_be_read_by_the_validator() {
    let bases: Vec<&str> = contracts().iter().map(|api| &*api.base).collect();
    assert_eq!(bases, ["/multi/backoffice", "/simulate/api", "/multi"]);
    for api in contracts() {
        schema::check_document(&api.document);
        for operation in operations(&api.document) {
            let responses = operation.data["responses"].as_object();
            let responses = responses.expect("responses").keys();
            assert!(responses.clone().any(|status| status.starts_with('2')));
            assert!(
                operation.data["security"].is_array(),
                "{}",
                operation.name()
            );
        }
    }
    assert_eq!(operations(&multi().document).count(), 50);
}

#[test]
fn what_the_data_allows_is_accepted() {
    let get = by_user(Call::get("/multi/transfers/5"));
    let cancel = json!({"cancellations": [{"id": "5", "cancellationReason": "not now"}]});
    let cancel = by_user(Call::post("/multi/transfers/bulk/cancel")).json(&cancel);
    let cancelled = r#"{"cancellations":[{"id":"5","state":"ERROR","errorCode":"FORBIDDEN"}]}"#;
    let block = by_user(Call::post("/multi/managed_accounts/9/block"));
    let deposit = json!({"depositAmount": {"currency": "EUR", "amount": 100}});
    let deposit = Call::post("/simulate/api/accounts/9/deposit")
        .header("programme-key", "k")
        .json(&deposit);
    let whole = transfer().to_string();
    let faults = json!({"message": "no", "syntaxErrors": {"invalidFields": [
        {"fieldName": "tag", "error": "SIZE", "params": ["1", "50"]},
    ]}});
    for (call, status, body) in [
        (&create(), 200, &*whole),
        (&get, 200, &*whole),
        (&create(), 400, &*faults.to_string()),
        (&create(), 401, ""),
        (&create(), 403, ""),
        (&create(), 404, r#"{"code":"PROFILE_NOT_FOUND"}"#),
        (&create(), 409, r#"{"errorCode":"FUNDS_INSUFFICIENT"}"#),
        (&create(), 413, r#"{"code":"x","message":"too large"}"#),
        (&cancel, 200, cancelled),
        (&block, 204, ""),
        (&deposit, 200, r#"{"code":"COMPLETED"}"#),
        (&Call::get("/multi/nothing"), 404, r#"{"message":"no"}"#),
        (
            &Call::get("/simulate/api/nothing"),
            404,
            r#"{"message":"no"}"#,
        ),
    ] {
        let call = call.clone();
        assert_eq!(answered(&call, status, body), "", "{} {status}", call.path);
    }
    // Other paths are other tests' matter.
    let stranger = Call::get("/multiple");
    assert_eq!(said(&stranger, &reply(200, &[], "x")), "");
}

#[test]
fn each_fault_of_an_answer_is_seen() {
    for (status, body, fault) in [
        (200, "", "nothing as content type"),
        (200, "{", "the body is no JSON"),
        (204, "", "nothing as content type"),
        (401, "{}", "a body that is not documented"),
        (
            409,
            r#"{"errorCode":"BALANCE_NOT_ZERO"}"#,
            r#"$.errorCode is "BALANCE_NOT_ZERO""#,
        ),
        (
            409,
            r#"{"errorCode":"AMOUNT_INVALID","message":"no"}"#,
            "$.message is not documented",
        ),
        (
            400,
            r#"{"syntaxErrors":{"invalidFields":[{"params":[1]}]}}"#,
            "$.syntaxErrors.invalidFields[0].params[0] is not string",
        ),
        (404, r#"{"error":"x"}"#, "$.error is not documented"),
        (500, "{}", "a body that is not documented"),
    ] {
        let found = answered(&create(), status, body);
        assert!(found.starts_with(fault), "{status} {body}: {found}");
    }
    for (pointer, value, fault) in [
        ("/id", json!(5), "$.id is not string"),
        ("/id", json!("x5"), r#"$.id is "x5", which does not match"#),
        ("/tag", Value::Null, "$.tag is null, not left out"),
        (
            "/creationTimestamp",
            json!("1"),
            "$.creationTimestamp is not integer",
        ),
        (
            "/executionTimestamp",
            json!(1),
            "$.executionTimestamp is not string",
        ),
        ("/state", json!("DONE"), r#"$.state is "DONE", not of"#),
        ("/fee", json!(1), "$.fee is not documented"),
        ("/source/type", json!("pods"), r#"$.source.type is "pods""#),
        (
            "/destinationAmount/amount",
            json!("1"),
            "$.destinationAmount.amount is not integer",
        ),
        (
            "/destinationAmount/scale",
            json!(1),
            "$.destinationAmount.scale is not documented",
        ),
    ] {
        let found = answered(&create(), 200, &transfer_with(pointer, value));
        assert!(found.starts_with(fault), "{pointer}: {found}");
    }
}

#[test]
fn headers_are_part_of_an_answer() {
    let whole = transfer().to_string();
    let found = said(&create(), &reply(200, &[JSON], &whole));
    assert_eq!(found, "no request-ref");
    let text = ("content-type", "text/plain");
    let found = said(&create(), &reply(200, &[REF, text], &whole));
    assert_eq!(found, "text/plain as content type");
    let found = said(&create(), &reply(401, &[REF, JSON], ""));
    assert_eq!(found, "application/json of nothing");

    let limit = ("x-ratelimit-limit", "20, 20;w=60");
    for (headers, fault) in [
        (&[REF, limit, ("x-ratelimit-reset", "9")][..], ""),
        (&[REF, limit], "no header x-ratelimit-reset"),
        (
            &[REF, limit, ("x-ratelimit-reset", "-1")],
            "header x-ratelimit-reset: $ is -1, less than 0",
        ),
        (
            &[REF, limit, ("x-ratelimit-reset", "soon")],
            r#"header x-ratelimit-reset: "soon" is of another type"#,
        ),
    ] {
        assert_eq!(said(&create(), &reply(429, headers, "")), fault);
    }
}

#[test]
fn what_is_no_operation_is_refused() {
    let other = "an operation that is not in the data";
    for (method, path, status, body, fault) in [
        (Method::GET, "/multi/nothing", 200, "{}", other),
        (Method::PUT, "/multi/transfers", 400, "{}", other),
        (
            Method::PUT,
            "/multi/transfers",
            405,
            r#"{"error":1}"#,
            "$.error is not documented",
        ),
        (
            Method::PUT,
            "/multi/transfers",
            405,
            "",
            "nothing as content type",
        ),
        (
            Method::PUT,
            "/simulate/api/x",
            404,
            r#"{"error":"x"}"#,
            "$.error is not documented",
        ),
        (Method::HEAD, "/multi/transfers", 200, "{}", "a body"),
    ] {
        let found = answered(&Call::new(method, path), status, body);
        assert!(found.starts_with(fault), "{path} {status}: {found}");
    }
}

#[test]
fn a_call_that_succeeds_is_one_of_the_clients() {
    let whole = transfer().to_string();
    let unlike = |fault: &str| format!("accepted, though no client sends it: {fault}");
    let mut extra = transfer_request();
    extra["fee"] = json!(1);
    let mut text = transfer_request();
    text["destinationAmount"]["amount"] = json!("1000");
    let mut none = transfer_request();
    none["tag"] = Value::Null;
    for (call, fault) in [
        (create().json(&extra), "$.fee is not documented"),
        (
            create().json(&text),
            "$.destinationAmount.amount is not integer",
        ),
        (create().json(&none), "$.tag is null, not left out"),
        (create().body(""), "no body"),
        (create().without("content-type"), "nothing as content type"),
        (
            create().without("authorization"),
            "no set of credentials is whole",
        ),
        (
            create().without("api-key"),
            "no set of credentials is whole",
        ),
    ] {
        assert_eq!(answered(&call, 200, &whole), unlike(fault));
        assert_eq!(answered(&call.odd(), 200, &whole), "", "{fault}");
    }
    let odd = "said to be odd, though clients may send it";
    assert_eq!(answered(&create().odd(), 200, &whole), odd);
    // What is refused may be anything.
    assert_eq!(answered(&create().body("["), 413, "{}"), "");
    let get = by_user(Call::get("/multi/transfers/5").body("{}"));
    let fault = unlike("a body where there is none");
    assert_eq!(answered(&get, 200, &whole), fault);
}

#[test]
fn parameters_are_read_in_the_default_form() {
    let page = r#"{"transfer":[],"count":0,"responseCount":0}"#;
    for (query, fault) in [
        ("", ""),
        ("?offset=0&limit=100&tag=a%20b", ""),
        ("?state=COMPLETED&state=FAILED", ""),
        ("?id=1&type=managed_accounts", ""),
        (
            "?limit=101",
            "query parameter limit: $ is 101, more than 100",
        ),
        (
            "?limit=x",
            r#"query parameter limit: "x" is of another type"#,
        ),
        ("?limit=1&limit=2", "query parameter limit: there twice"),
        ("?limits=1", "query parameter limits is not documented"),
        (
            "?state[]=FAILED",
            "query parameter state[] is not documented",
        ),
        (
            "?state=FAILED&state=FAILED",
            "query parameter state: $[1] is there twice",
        ),
        (
            "?type=managed_accounts",
            "query parameter instrumentId: $.id is missing",
        ),
    ] {
        let call = by_user(Call::get(format!("/multi/transfers{query}")));
        let found = answered(&call, 200, page);
        let found = found.trim_start_matches("accepted, though no client sends it: ");
        assert_eq!(found, fault, "{query}");
    }
    let call = by_user(Call::get("/multi/transfers/x5"));
    let found = answered(&call, 200, &transfer().to_string());
    assert!(found.contains("path parameter id: "), "{found}");
}

#[test]
fn what_the_api_decides_otherwise_is_accepted_where_it_says_so() {
    let user = |path: &str| by_user(Call::get(path));
    let step_up = r#"{"errorCode":"STEP_UP_REQUIRED"}"#;
    let twice = r#"{"errorCode":"STEP_UP_REQUIRED","message":"STEP_UP_REQUIRED"}"#;
    let bulk = by_user(Call::post("/multi/bulks/transfers"));
    let verify = Call::post("/simulate/api/corporates/1/verify");
    let impersonate = Call::post("/multi/backoffice/access_token");
    for (call, status, body, fault) in [
        (user("/multi/transfers"), 403, step_up, ""),
        (user("/multi/transfers"), 403, twice, ""),
        (user("/multi/transfers"), 403, "", ""),
        (user("/multi/identities"), 403, twice, ""),
        (
            user("/multi/identities"),
            403,
            r#"{"code":"no"}"#,
            "$.code is not documented",
        ),
        (
            user("/multi/backoffice/access_token"),
            403,
            twice,
            "an operation that is not in the data",
        ),
        (
            user("/multi/transfers"),
            403,
            r#"{"message":"no","more":1}"#,
            "$.message is not documented",
        ),
        (bulk.clone(), 400, r#"{"message":"no"}"#, ""),
        (bulk.clone(), 401, "", ""),
        (bulk.clone(), 413, r#"{"message":"no"}"#, ""),
        (bulk, 401, "{}", "a body that is not documented"),
        (verify.clone(), 401, "", ""),
        (verify.clone(), 503, "", ""),
        (verify.clone(), 404, "", "nothing as content type"),
        (verify.clone(), 404, r#"{"code":"x","message":"no"}"#, ""),
        (verify, 404, r#"{"codes":"x"}"#, "$.codes is not documented"),
        (
            impersonate.clone(),
            400,
            r#"{"message":"no","syntaxErrors":{"invalidFields":[]}}"#,
            "",
        ),
        (
            impersonate,
            400,
            r#"{"validationErrors":[]}"#,
            "$.validationErrors is not documented",
        ),
        (user("/multi/bulks"), 429, "", "no header x-ratelimit-limit"),
    ] {
        assert_eq!(
            answered(&call, status, body),
            fault,
            "{} {status}",
            call.path
        );
    }
}

/// Whether a row says anything that the data does not.
fn differs(row: &Deviation) -> bool {
    contracts().iter().any(|api| {
        let here = row.base == "*" || row.base == api.base;
        here && operations(&api.document).any(|operation| {
            let named = row.operation == "*" || row.operation == operation.name();
            let responses = &operation.data["responses"];
            let own = responses.get(row.status);
            let or_default = own.or_else(|| responses.get("default"));
            let response = or_default.map(|it| schema::resolve(&api.document, it));
            let differs = match row.instead {
                Instead::Response(name) => {
                    response != Some(&multi().document["components"]["responses"][name])
                }
                Instead::NoBody => response.is_some_and(|it| it["content"].is_object()),
                Instead::Member(name) => response.is_some_and(|it| {
                    let schema = &it["content"]["application/json"]["schema"];
                    let schema = schema::resolve(&api.document, schema);
                    schema["properties"].is_object() && schema["properties"].get(name).is_none()
                }),
            };
            named && differs
        })
    })
}

#[test]
fn every_deviation_is_one_and_has_a_reason() {
    for row in DEVIATIONS {
        assert!(differs(row), "{row:?}");
        assert!(row.reason.len() > 20, "{row:?}");
        if let Instead::Response(name) = row.instead {
            let responses = &multi().document["components"]["responses"];
            assert!(responses.get(name).is_some(), "{name}");
        }
    }
}
