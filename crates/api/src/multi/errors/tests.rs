use axum::http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::*;

/// Status and body of an answer.
fn shown(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let declared = response.headers().get(CONTENT_TYPE).cloned();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let collected = runtime
        .expect("a runtime without I/O")
        .block_on(response.into_body().collect());
    let bytes = collected.expect("a body in memory").to_bytes();
    let expected = (!bytes.is_empty()).then(|| HeaderValue::from_static("application/json"));
    assert_eq!(declared, expected);
    let text = String::from_utf8(bytes.to_vec()).expect("answers are UTF-8");
    (status, text)
}

#[track_caller]
fn check(failure: Failure, status: u16, body: &str) {
    let shown = shown(respond(failure.clone()));
    assert_eq!(shown, (status, body.to_owned()), "{failure:?}");
}

#[test]
fn every_failure_has_its_status_and_shape() {
    check(
        Failure::UnknownPath,
        404,
        r#"{"code":"NOT_FOUND","message":"Nothing is served at this path."}"#,
    );
    check(
        Failure::WrongMethod,
        405,
        r#"{"code":"METHOD_NOT_ALLOWED","message":"This path does not support the request's method."}"#,
    );
    check(Failure::Unauthorized, 401, "");
    check(Failure::Forbidden, 403, "");
    check(
        Failure::ForbiddenUntil("STEP_UP_REQUIRED"),
        403,
        r#"{"errorCode":"STEP_UP_REQUIRED","message":"STEP_UP_REQUIRED"}"#,
    );
    check(
        Failure::NotJson,
        415,
        r#"{"code":"UNSUPPORTED_MEDIA_TYPE","message":"Content-Type must be application/json."}"#,
    );
    check(
        Failure::TooLarge { limit: 7 },
        413,
        r#"{"code":"PAYLOAD_TOO_LARGE","message":"The body must have at most 7 bytes."}"#,
    );
    check(
        Failure::Broken,
        400,
        r#"{"message":"body broke off before its end","syntaxErrors":{"invalidFields":[{"params":[],"fieldName":"body","error":"REGEX"}]}}"#,
    );
    check(
        Failure::NotFound {
            code: "PROFILE_NOT_FOUND",
        },
        404,
        r#"{"code":"PROFILE_NOT_FOUND","message":"The requested resource couldn't be found."}"#,
    );
    check(
        Failure::Conflict("AMOUNT_INVALID"),
        409,
        r#"{"errorCode":"AMOUNT_INVALID"}"#,
    );
    assert_eq!(shown(respond(Failure::Locked)).0, 423);
}

#[test]
fn a_400_names_every_field() {
    let faults = vec![
        InvalidField::new("profileId", Rule::Regex, "does not match ^[0-9]+$"),
        InvalidField::range("limit", 1, 100),
    ];
    check(
        Failure::Invalid(faults.clone()),
        400,
        r#"{"message":"profileId does not match ^[0-9]+$; limit must be from 1 to 100","syntaxErrors":{"invalidFields":[{"params":[],"fieldName":"profileId","error":"REGEX"},{"params":["1","100"],"fieldName":"limit","error":"RANGE"}]}}"#,
    );
    let (status, text) = shown(respond_simulator(Failure::Invalid(faults)));
    let body: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(status, 400);
    let expected = json!({"invalid": true, "fields": [
        {"name": "profileId", "errors": [{"type": "REGEX", "params": []}]},
        {"name": "limit", "errors": [{"type": "RANGE", "params": ["1", "100"]}]},
    ]});
    assert_eq!(body["validation"], expected);
}

#[test]
fn a_429_tells_the_limits() {
    let response = respond(Failure::TooManyRequests(RateLimit {
        exceeded: 20,
        windows: vec![(10, 60), (20, 3_600), (200, 86_400)],
        reset_s: 7,
    }));
    let headers = response.headers();
    assert_eq!(headers[RATE_LIMIT], "20, 10;w=60, 20;w=3600, 200;w=86400");
    assert_eq!(headers[RATE_RESET], "7");
    assert_eq!(shown(response), (429, String::new()));
}

#[test]
fn what_a_use_case_said() {
    let check = |error: service::Error, status, body: &str| {
        check(Failure::Service(error), status, body);
    };
    check(service::Error::Forbidden, 403, "");
    check(
        service::Error::NotFound { what: "transfer" },
        404,
        r#"{"code":"TRANSFER_NOT_FOUND","message":"The requested resource couldn't be found."}"#,
    );
    check(
        service::Error::KeyReused,
        400,
        r#"{"message":"idempotency-ref was used for another request","syntaxErrors":{"invalidFields":[{"params":[],"fieldName":"idempotency-ref","error":"NOT_IN"}]}}"#,
    );
    let state = AccountState::Destroyed;
    check(
        service::Error::Rejected(Rejection::SourceNotActive { state }),
        409,
        r#"{"errorCode":"SOURCE_INSTRUMENT_DESTROYED"}"#,
    );
    let unavailable = store::StoreError::Unavailable {
        reason: "busy".into(),
        retry_after_s: 3,
    };
    let response = respond(Failure::Service(unavailable.into()));
    assert_eq!(response.headers()[RETRY_AFTER], "3");
    assert_eq!(shown(response), (503, String::new()));
    let corrupt = store::StoreError::Corrupt("secret detail".into());
    let response = respond(Failure::Service(corrupt.into()));
    let cause = response.extensions().get::<Cause>();
    assert!(cause.is_some_and(|Cause(text)| text.contains("secret detail")));
    assert_eq!(shown(response), (500, String::new()));
}
