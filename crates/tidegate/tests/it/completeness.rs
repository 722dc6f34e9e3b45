//! Nothing is served that is not documented and tested.

use std::collections::BTreeSet;

use crate::harness::{Call, Server};
use crate::{openapi, permissions, platform_refusals, sequence_refusals};

fn served_routes() -> BTreeSet<String> {
    let routes = openapi::routes(openapi::sequence());
    assert!(!routes.is_empty());
    routes
}

#[test]
fn every_route_has_a_table_of_refusals() {
    let tables: BTreeSet<String> = [
        sequence_refusals::ROUTES,
        sequence_refusals::accounts::ROUTES,
        sequence_refusals::cards::ROUTES,
        sequence_refusals::rules::ROUTES,
    ]
    .into_iter()
    .flatten()
    .map(|&route| route.to_owned())
    .collect();
    assert_eq!(tables, served_routes(), "see sequence_refusals.rs");
}

#[test]
fn every_route_of_the_platform_dialect_has_a_table_of_refusals() {
    let tables: BTreeSet<String> = platform_refusals::ROUTES
        .iter()
        .map(|&route| route.to_owned())
        .collect();
    let served = openapi::routes(openapi::platform());
    assert_eq!(tables, served, "see platform_refusals.rs");
}

#[test]
fn every_route_has_a_permission_test() {
    let tested: BTreeSet<String> = permissions::routes().map(str::to_owned).collect();
    assert_eq!(tested, served_routes(), "see permissions.rs");
}

/// What is documented is routed: no documented operation is an unknown path or method.
#[tokio::test]
async fn every_documented_operation_is_served() {
    let server = Server::new().await;
    for (document, base) in [
        (openapi::sequence(), "/api/v1"),
        (openapi::platform(), "/platform/v1"),
        (openapi::admin(), "/admin/v1"),
    ] {
        assert_eq!(document["servers"][0]["url"], base);
        assert_eq!(document["openapi"].as_str().map(|v| &v[..3]), Some("3.1"));
        for route in openapi::routes(document) {
            let (method, path) = route.split_once(' ').expect("method and path");
            let mut path = path.to_owned();
            while let (Some(open), Some(close)) = (path.find('{'), path.find('}')) {
                path.replace_range(open..=close, "x");
            }
            let method = axum::http::Method::from_bytes(method.as_bytes()).expect("a method");
            let call = Call::new(method, format!("{base}{path}"));
            let reply = match base {
                "/admin/v1" => server.call_admin(call).await,
                _ => server.call(call).await,
            };
            assert_eq!(reply.status, 401, "{route}");
        }
    }
}

#[tokio::test]
async fn the_documents_are_served_as_they_are_printed() {
    let server = Server::new().await;
    let sequence = server.call(Call::get("/openapi/sequence.json")).await;
    assert_eq!(sequence.expect(200), *openapi::sequence());
    let platform = server.call(Call::get("/openapi/platform.json")).await;
    assert_eq!(platform.expect(200), *openapi::platform());
    let multi = server.call(Call::get("/openapi/multi.json")).await;
    assert_eq!(multi.expect(200), *openapi::multi());
    let admin = server.call_admin(Call::get("/openapi/admin.json")).await;
    assert_eq!(admin.expect(200), *openapi::admin());
}

fn committed(dialect: &str, printed: &str) {
    let path = format!("docs/openapi/{dialect}.json");
    let full = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    let committed = std::fs::read_to_string(full).unwrap_or_default();
    assert!(
        committed == printed,
        "{path} is not what the server serves; run `tidegate openapi {dialect} > {path}`"
    );
}

#[test]
fn the_committed_document_of_the_sequence_dialect_is_current() {
    committed("sequence", &api::sequence::document());
}

#[test]
fn the_committed_document_of_the_admin_api_is_current() {
    committed("admin", &api::admin::document());
}

#[test]
fn the_committed_document_of_the_platform_dialect_is_current() {
    committed("platform", &api::platform::document());
}
