//! The dialect's OpenAPI document, made from the handlers and wire types.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
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

/// The values that a text may have: where it stands in the document, and which.
const ENUMS: &[(&str, &[&str])] = &[
    (
        "/components/schemas/TransferBody/properties/direction",
        DIRECTIONS,
    ),
    (
        "/components/schemas/TransferBody/properties/origin",
        ORIGINS,
    ),
    (
        "/components/schemas/TransferBody/properties/status",
        STATUSES,
    ),
    (
        "/components/schemas/PartyBody/properties/type",
        ACCOUNT_TYPES,
    ),
    (
        "/components/schemas/AccountSummary/properties/type",
        ACCOUNT_TYPES,
    ),
    (
        "/paths/~1transfers/get/parameters/account_role",
        &["source", "destination", "either"],
    ),
    ("/paths/~1transfers/get/parameters/direction", DIRECTIONS),
    ("/paths/~1transfers/get/parameters/origin", ORIGINS),
    ("/paths/~1transfers/get/parameters/status", STATUSES),
    ("/paths/~1accounts/get/parameters/type", ACCOUNT_TYPES),
];
const ACCOUNT_TYPES: &[&str] = &["income_source", "pod", "external_account"];
const DIRECTIONS: &[&str] = &["money_in", "money_out", "internal"];
const ORIGINS: &[&str] = &[
    "paycheck",
    "check_deposit",
    "cashback",
    "user_pull",
    "rule",
    "user",
    "external_pull",
];
const STATUSES: &[&str] = &[
    "pending_approval",
    "processing",
    "pending",
    "complete",
    "incomplete",
    "error",
    "cancelled",
];

/// The document as pretty JSON.
#[must_use]
pub fn document() -> String {
    let mut document =
        serde_json::to_value(Document::openapi()).expect("a document has string keys only");
    for (place, values) in ENUMS {
        let schema = find(&mut document, place).expect("the table names what is there");
        schema["enum"] = json!(values);
    }
    bound_parameters(&mut document);
    let text = serde_json::to_string_pretty(&document);
    format!("{}\n", text.expect("a document has string keys only"))
}

/// What the parameters' types leave open: lengths, patterns and formats.
fn bound_parameters(document: &mut Value) {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    let operations = paths.flat_map(|(_, path)| path.as_object_mut().into_iter().flatten());
    for (_, operation) in operations {
        let parameters = operation["parameters"].as_array_mut().into_iter().flatten();
        for parameter in parameters {
            let bounds = match parameter["name"].as_str() {
                Some("X-Request-ID") => json!({"maxLength": 255, "pattern": "^[ -~]*$"}),
                Some("Idempotency-Key") => json!({"minLength": 1, "maxLength": 255}),
                Some("account_id") => json!({"minLength": 1}),
                Some("from" | "to") => json!({"format": "date-time"}),
                Some("after") => json!({"pattern": "^cursor_[0-9A-HJKMNP-TV-Z]{13}$"}),
                _ => continue,
            };
            for (name, bound) in bounds.as_object().into_iter().flatten() {
                parameter["schema"][name] = bound.clone();
            }
        }
    }
}

/// A schema by its pointer; a parameter's by its name instead of its number.
fn find<'a>(document: &'a mut Value, place: &str) -> Option<&'a mut Value> {
    let Some((operation, name)) = place.split_once("/parameters/") else {
        return document.pointer_mut(place);
    };
    let parameters = document.pointer_mut(operation)?.get_mut("parameters")?;
    let mut parameters = parameters.as_array_mut()?.iter_mut();
    parameters
        .find(|parameter| parameter["name"] == name)
        .map(|parameter| &mut parameter["schema"])
}

pub(super) async fn serve() -> Response {
    json_response(StatusCode::OK, document().into_bytes())
}
