//! What every path of the Multi dialect has in common, known or not.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::Value;

use crate::harness::{Call, Server};

#[tokio::test]
async fn unknown_paths_have_the_dialects_shape_and_a_reference_of_their_own() {
    let server = Server::new().await;
    let mut references = BTreeSet::new();
    for path in [
        "/multi",
        "/multi/",
        "/multi/nothing",
        "/multi/transfers/1/more",
        "/multi/backoffice",
        "/multi/backoffice/",
        "/multi/backoffice/nothing",
        "/simulate/api",
        "/simulate/api/",
        "/simulate/api/nothing",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let reply = server.call(Call::new(method, path)).await;
            let body = reply.expect(404);
            assert_eq!(body["code"], "NOT_FOUND", "{path}");
            assert!(body["message"].is_string(), "{path}");
            let reference = reply.header("request-ref").expect("on every answer");
            assert!(
                references.insert(reference.to_owned()),
                "{path}: {reference}"
            );
        }
    }
}

#[tokio::test]
async fn other_dialects_keep_their_own_answers() {
    let server = Server::new().await;
    for path in ["/api/v1/nothing", "/nothing", "/multiple", "/simulate"] {
        let reply = server.call(Call::get(path)).await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.header("request-ref"), None, "{path}");
    }
}

#[tokio::test]
async fn the_document_is_served_as_it_is_printed() {
    let server = Server::new().await;
    let served = server.call(Call::get("/openapi/multi.json")).await;
    let printed: Value = serde_json::from_str(&api::multi::document()).expect("JSON");
    assert_eq!(served.expect(200), printed);
}
