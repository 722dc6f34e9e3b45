//! `/simulate/api`: play money for sandbox programmes.
//!
//! The programme's key is enough: every instrument of the programme is in reach. What the simulated
//! world refuses is an answer with status 200. There are no card numbers, so that cards are known
//! by their ids only.

mod at_merchant;
pub(super) mod deposit;
pub(super) mod deposit_by_iban;
pub(super) mod expire;
pub(super) mod merchant_refund;
pub(super) mod money;
pub(super) mod purchase;
pub(super) mod verify_consumer;
pub(super) mod verify_corporate;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderName};
use axum::routing::post;

use super::fields::check_text;
use super::invalid::InvalidField;
use super::rules;
use super::wire::path_id;
use crate::App;
use crate::http::PathText;

/// The routes.
pub(super) fn routes(router: Router<Arc<App>>, base: &str) -> Router<Arc<App>> {
    let at = |path: &str| [base, path].concat();
    router
        .route(&at("/accounts/deposit"), post(deposit_by_iban::handle))
        .route(&at("/accounts/{account_id}/deposit"), post(deposit::handle))
        .route(&at("/cards/{card_id}/purchase"), post(purchase::handle))
        .route(
            &at("/cards/{card_id}/merchant_refund"),
            post(merchant_refund::handle),
        )
        .route(&at("/cards/{card_id}/expire"), post(expire::handle))
        .route(
            &at("/corporates/{corporate_id}/verify"),
            post(verify_corporate::handle),
        )
        .route(
            &at("/consumers/{consumer_id}/verify"),
            post(verify_consumer::handle),
        )
}

/// A caller's own mark: nothing depends on it, but its length has a limit.
const CALL_REF: HeaderName = HeaderName::from_static("call-ref");

/// The id in a path, and the header that every call may have.
fn target(name: &str, id: PathText, headers: &HeaderMap) -> Result<u64, Vec<InvalidField>> {
    match (path_id(name, id), call_ref(headers)) {
        (Ok(id), Ok(())) => Ok(id),
        (Err(mut faults), Err(more)) => {
            faults.extend(more);
            Err(faults)
        }
        (Err(faults), Ok(())) | (Ok(_), Err(faults)) => Err(faults),
    }
}

/// Looks at the header that every call may have.
fn call_ref(headers: &HeaderMap) -> Result<(), Vec<InvalidField>> {
    let mut faults = Vec::new();
    for value in headers.get_all(CALL_REF) {
        let text = String::from_utf8_lossy(value.as_bytes());
        check_text(
            || CALL_REF.as_str().to_owned(),
            &text,
            &rules::CALL_REF,
            &mut faults,
        );
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}
