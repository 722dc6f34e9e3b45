//! The dialect's OpenAPI document, made from the handlers and wire types.

use axum::http::StatusCode;
use axum::response::Response;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use super::envelope::{ErrorEnvelope, PageInfo};
use super::wire::{AccountDetails, AccountSummary, TransferBody};
use crate::http::json_response;

/// The answer with one transfer.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the envelope, which is generic in code")]
pub(super) struct TransferSuccess {
    request_id: String,
    data: TransferBody,
}

/// The answer with a page of transfers.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the envelope, which is generic in code")]
pub(super) struct TransferList {
    request_id: String,
    data: Vec<TransferBody>,
    page_info: PageInfo,
}

/// The answer with all accounts.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the envelope, which is generic in code")]
pub(super) struct AccountList {
    request_id: String,
    data: Vec<AccountSummary>,
}

/// The answer with one account.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the envelope, which is generic in code")]
pub(super) struct AccountSuccess {
    request_id: String,
    data: AccountDetails,
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Tidegate: Sequence dialect", version = "1.0.0", description = "Accounts and asynchronous transfers. Amounts are integers in cents, times RFC 3339 in UTC."),
    servers((url = "/api/v1")),
    paths(
        super::list_accounts::handle,
        super::get_account::handle,
        super::create_transfer::handle,
        super::list_transfers::handle,
        super::get_transfer::handle,
    ),
    components(schemas(ErrorEnvelope)),
    modifiers(&Authorization),
    security(("ApiKeyAuth" = [])),
)]
struct Document;

struct Authorization;

impl Modify for Authorization {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let description = "`ApiKey <key>`. A key belongs to one organization and holds a list of \
                           permission entries.";
        let key = ApiKeyValue::with_description("Authorization", description);
        components.add_security_scheme("ApiKeyAuth", SecurityScheme::ApiKey(ApiKey::Header(key)));
    }
}

/// The document as pretty JSON.
#[must_use]
pub fn document() -> String {
    Document::openapi()
        .to_pretty_json()
        .expect("a document has string keys only")
}

pub(super) async fn serve() -> Response {
    json_response(StatusCode::OK, document().into_bytes())
}
