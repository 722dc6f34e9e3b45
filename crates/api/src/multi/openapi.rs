//! The dialect's OpenAPI document, made from the handlers and wire types; the bounds of texts come
//! from [`super::rules`].
//!
//! An operation describes what is its own. What every operation has in common is added here: who
//! may call, the refusals that any of them can answer with, and the headers.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::errors::{BadRequestBody, ErrorBody, ForbiddenBody, SimulatorBadRequestBody};
use super::{
    backoffice, bulks, consumers, corporates, managed_accounts, managed_cards, passwords,
    references, sign_in, simulator, transfers, users,
};
use crate::http::json_response;

#[derive(OpenApi)]
#[openapi(
    info(title = "Tidegate: Multi dialect", version = "1.0.0", description = "Identities, instruments and transfers between them. Amounts are integers in the lowest unit of their currency, times milliseconds since 1970."),
    components(schemas(BadRequestBody, ErrorBody, ForbiddenBody, SimulatorBadRequestBody)),
    modifiers(&Security),
)]
struct Document;

/// The operations of `/multi`.
#[derive(OpenApi)]
#[openapi(paths(
    sign_in::login::handle,
    sign_in::logout::handle,
    sign_in::access_token::handle,
    sign_in::list_identities::handle,
    references::handle,
    passwords::create::handle,
    passwords::update::handle,
    corporates::create::handle,
    corporates::get::handle,
    corporates::update::handle,
    corporates::send_code::handle,
    corporates::verify_code::handle,
    consumers::create::handle,
    consumers::get::handle,
    consumers::update::handle,
    consumers::send_code::handle,
    consumers::verify_code::handle,
    users::create::handle,
    users::list::handle,
    users::get::handle,
    users::update::handle,
    users::activate::handle,
    users::deactivate::handle,
    transfers::create::operation,
    transfers::list::operation,
    transfers::get::operation,
    transfers::cancel::operation,
    bulks::submit::operation,
    bulks::list::operation,
    bulks::get::operation,
    bulks::operations::operation,
    bulks::steer::execute_operation,
    bulks::steer::pause_operation,
    bulks::steer::resume_operation,
    bulks::steer::cancel_operation,
    managed_accounts::create::operation,
    managed_accounts::list::operation,
    managed_accounts::get::operation,
    managed_accounts::update::operation,
    managed_accounts::block::operation,
    managed_accounts::unblock::operation,
    managed_accounts::remove::operation,
    managed_accounts::statement::operation,
    managed_cards::create::operation,
    managed_cards::list::operation,
    managed_cards::get::operation,
    managed_cards::update::operation,
    managed_cards::block::operation,
    managed_cards::unblock::operation,
    managed_cards::remove::operation,
    managed_cards::statement::operation,
))]
struct Multi;

/// The operations of `/multi/backoffice`.
#[derive(OpenApi)]
#[openapi(paths(
    backoffice::access_token::handle,
    transfers::create::operation,
    transfers::list::operation,
    transfers::get::operation,
    managed_accounts::get::operation,
    managed_accounts::statement::operation,
    managed_cards::get::operation,
    managed_cards::statement::operation,
    managed_cards::block::operation,
    managed_cards::unblock::operation,
    managed_cards::remove::operation,
))]
struct BackOffice;

/// The operations of `/simulate/api`.
#[derive(OpenApi)]
#[openapi(paths(
    simulator::deposit::operation,
    simulator::deposit_by_iban::operation,
    simulator::purchase::operation,
    simulator::merchant_refund::operation,
    simulator::expire::operation,
    simulator::verify_corporate::handle,
    simulator::verify_consumer::handle
))]
struct Simulator;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let key = |name: &str, text: &str| {
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, text)))
        };
        components.add_security_scheme("api-key", key("api-key", "The programme's key."));
        let text = "The programme's key, as the simulator's header.";
        components.add_security_scheme("programme-key", key("programme-key", text));
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "A user's token; it lives 5 minutes from its last use.",
            ));
        components.add_security_scheme("auth_token", SecurityScheme::Http(token.build()));
    }
}

/// The document as pretty JSON.
#[must_use]
pub fn document() -> String {
    let document = Document::openapi()
        .nest("/multi", Multi::openapi())
        .nest("/multi/backoffice", BackOffice::openapi())
        .nest("/simulate/api", Simulator::openapi());
    let mut document = serde_json::to_value(document).expect("a document has string keys only");
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        let simulator = path.starts_with("/simulate/");
        let backoffice = path.starts_with("/multi/backoffice/");
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            if backoffice && let Some(id) = operation["operationId"].as_str() {
                // The same operation in another place; a document has each name once.
                operation["operationId"] = json!(format!("backoffice_{id}"));
            }
            complete(operation, simulator);
            if !backoffice && is_about_money(operation) {
                say_what_is_required(operation);
            }
        }
    }
    state_unique_entries(&mut document);
    document["components"]["schemas"]["ManagedCardRequest"]["oneOf"] = json!([
        needs("PREPAID_MODE", "currency", "Currency"),
        needs("DEBIT_MODE", "parentManagedAccountId", "Id"),
    ]);
    let codes = json!(["STEP_UP_REQUIRED", "ACCESS_TOKEN_REQUIRED"]);
    document["components"]["schemas"]["Forbidden"]["properties"]["errorCode"]["enum"] = codes;
    let text = serde_json::to_string_pretty(&document);
    format!("{}\n", text.expect("a document has string keys only"))
}

/// What a card of one mode must have.
fn needs(mode: &str, field: &str, schema: &str) -> Value {
    let reference = format!("#/components/schemas/{schema}");
    json!({
        "properties": {"mode": {"const": mode}, field: {"$ref": reference}},
        "required": ["mode", field],
    })
}

/// Adds what every operation has in common; what an operation says itself stays.
fn complete(operation: &mut Value, simulator: bool) {
    if operation.get("security").is_none() {
        operation["security"] = if simulator {
            json!([{"programme-key": []}, {"api-key": []}])
        } else {
            json!([{"api-key": [], "auth_token": []}])
        };
    }
    let bad_request = if simulator {
        "SimulatorBadRequest"
    } else {
        "BadRequest"
    };
    let parameters = operation.get_mut("parameters");
    for parameter in parameters
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        // A header is there or not; it has no `null`.
        if parameter["in"] == "header"
            && let Some(given) = parameter.pointer("/schema/oneOf/0").cloned()
        {
            parameter["schema"] = given;
        }
    }
    let has_body = operation.get("requestBody").is_some();
    let mut common = vec![
        ("401", "Credentials or access token are invalid.", None),
        (
            "403",
            "Access to the resource or action is forbidden.",
            None,
        ),
        ("429", "Too many requests.", None),
        ("500", "There is a problem with the server.", None),
        ("503", "Not now; try again later.", None),
        ("default", "Any other refusal.", Some("Error")),
    ];
    if has_body || operation.get("parameters").is_some() {
        common.push(("400", "The request is invalid.", Some(bad_request)));
    }
    if has_body {
        common.push(("413", "The body is too large.", Some("Error")));
        common.push(("415", "The body is not JSON.", Some("Error")));
    }
    let responses = &mut operation["responses"];
    for (status, description, schema) in common {
        if responses.get(status).is_none() {
            responses[status] = json!({"description": description});
            if let Some(schema) = schema {
                let reference = format!("#/components/schemas/{schema}");
                responses[status]["content"] =
                    json!({"application/json": {"schema": {"$ref": reference}}});
            }
        }
    }
    for (status, response) in responses.as_object_mut().into_iter().flatten() {
        response["headers"]["request-ref"] = json!({
            "description": "This request's id.",
            "required": true,
            "schema": {"type": "string"},
        });
        if status == "429" {
            response["headers"]["x-ratelimit-limit"] = json!({
                "description": "The exceeded limit, then all limits and their windows in seconds.",
                "required": true,
                "schema": {"type": "string"},
            });
            response["headers"]["x-ratelimit-reset"] = json!({
                "description": "Seconds until the window is over.",
                "required": true,
                "schema": {"type": "integer", "minimum": 0},
            });
        }
    }
}

/// No entry of a card's external data may stand twice.
fn state_unique_entries(document: &mut Value) {
    for schema in ["ManagedCardRequest", "ManagedCardUpdateRequest"] {
        document["components"]["schemas"][schema]["properties"]["externalData"]["uniqueItems"] =
            json!(true);
    }
}

/// Tags of the operations that [`super::auth::call`] lets in.
const ABOUT_MONEY: [&str; 4] = [
    "Bulk processes",
    "Managed Accounts",
    "Managed Cards",
    "Transfers",
];

/// Whether an operation's 403 may say what is required; that of any other never has a body.
fn is_about_money(operation: &Value) -> bool {
    operation["operationId"] == "idempotencyRefGet"
        || ABOUT_MONEY.iter().any(|tag| operation["tags"][0] == *tag)
}

/// A token with which an identity must be chosen first is told so.
fn say_what_is_required(operation: &mut Value) {
    let reference = json!({"$ref": "#/components/schemas/Forbidden"});
    operation["responses"]["403"]["content"] = json!({"application/json": {"schema": reference}});
}

pub(super) async fn serve() -> Response {
    json_response(StatusCode::OK, document().into_bytes())
}

#[cfg(test)]
mod tests;
