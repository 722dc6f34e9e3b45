//! The dialect's OpenAPI document, made from the handlers and wire types.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use super::card_wire::{self, CardBody, CardTransactionBody};
use super::envelope::{ErrorEnvelope, PageInfo};
use super::ids;
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

/// The answer about an idempotency key.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the envelope, which is generic in code")]
pub(super) struct KeySuccess {
    request_id: String,
    data: super::look_up_key::KeyBody,
}

/// The answer with one account.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the envelope, which is generic in code")]
pub(super) struct AccountSuccess {
    request_id: String,
    data: AccountDetails,
}

/// The answer with the cards of an account.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the envelope, which is generic in code")]
pub(super) struct CardList {
    request_id: String,
    data: Vec<CardBody>,
}

/// The answer with one card.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the envelope, which is generic in code")]
pub(super) struct CardSuccess {
    request_id: String,
    data: CardBody,
}

/// The answer with a page of what a card paid.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the envelope, which is generic in code")]
pub(super) struct CardTransactionList {
    request_id: String,
    data: Vec<CardTransactionBody>,
    page_info: PageInfo,
}

/// What an income source is called.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
pub(super) struct IncomeSourceRequest {
    #[schema(min_length = 1, max_length = 100)]
    nickname: String,
    #[schema(max_length = 100)]
    icon: Option<String>,
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Tidegate: Sequence dialect", version = "1.0.0", description = "Accounts and asynchronous transfers. Amounts are integers in cents, times RFC 3339 in UTC."),
    servers((url = "/api/v1")),
    paths(
        super::list_accounts::handle,
        super::get_account::handle,
        super::create_income_source::handle,
        super::delete_account::handle,
        super::create_transfer::handle,
        super::list_transfers::handle,
        super::get_transfer::handle,
        super::list_rules::handle,
        super::get_rule::handle,
        super::create_rule::handle,
        super::update_rule::handle,
        super::delete_rule::handle,
        super::trigger_rule::handle,
        super::list_executions::handle,
        super::get_execution::handle,
        super::look_up_key::handle,
        super::list_cards::handle,
        super::get_card::handle,
        super::list_card_transactions::handle,
    ),
    components(schemas(ErrorEnvelope, PageInfo)),
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
    (
        "/components/schemas/CardBody/properties/type",
        card_wire::TYPES,
    ),
    (
        "/components/schemas/CardBody/properties/status",
        card_wire::STATUSES,
    ),
    (
        "/components/schemas/CardTransactionBody/properties/direction",
        card_wire::DIRECTIONS,
    ),
    (
        "/components/schemas/CardTransactionBody/properties/status",
        &["complete"],
    ),
    ("/paths/~1cards/get/parameters/status", card_wire::STATUSES),
    ("/paths/~1cards/get/parameters/type", card_wire::TYPES),
    (
        "/paths/~1cards~1{id}~1transactions/get/parameters/direction",
        card_wire::DIRECTIONS,
    ),
    ("/paths/~1accounts/get/parameters/type", ACCOUNT_TYPES),
    (
        "/paths/~1rule-executions/get/parameters/status",
        &["in_progress", "executed", "partial", "failed"],
    ),
    (
        "/paths/~1rule-executions/get/parameters/trigger_type",
        &["manual", "scheduled", "on_funds_transferred"],
    ),
    ("/paths/~1rule-executions/get/parameters/include", INCLUDED),
    (
        "/paths/~1rule-executions~1{id}/get/parameters/include",
        INCLUDED,
    ),
];
const INCLUDED: &[&str] = &["explanation"];
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
    rules(&mut document);
    bound_parameters(&mut document);
    let text = serde_json::to_string_pretty(&document);
    format!("{}\n", text.expect("a document has string keys only"))
}

/// What is answered with rules and their runs: where, and with which schema.
const RULE_ANSWERS: &[(&str, &str, Shape)] = &[
    ("/rules/get", "200", Shape::List("RuleSummary")),
    ("/rules/post", "201", Shape::One("RuleBody")),
    ("/rules/{id}/get", "200", Shape::One("RuleBody")),
    ("/rules/{id}/put", "200", Shape::One("RuleBody")),
    (
        "/rules/{id}/trigger/post",
        "202",
        Shape::One("RuleTriggered"),
    ),
    ("/rule-executions/get", "200", Shape::Page("RuleExecution")),
    (
        "/rule-executions/{id}/get",
        "200",
        Shape::One("RuleExecution"),
    ),
];

#[derive(Clone, Copy)]
enum Shape {
    One(&'static str),
    List(&'static str),
    Page(&'static str),
}

impl Shape {
    fn envelope(self) -> Value {
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let (data, paged) = match self {
            Shape::One(name) => (reference(name), false),
            Shape::List(name) => (json!({"type": "array", "items": reference(name)}), false),
            Shape::Page(name) => (json!({"type": "array", "items": reference(name)}), true),
        };
        let mut schema = json!({
            "type": "object",
            "required": ["request_id", "data"],
            "properties": {"request_id": {"type": "string"}, "data": data},
        });
        if paged {
            schema["required"] = json!(["request_id", "data", "page_info"]);
            schema["properties"]["page_info"] = reference("PageInfo");
        }
        schema
    }
}

/// The schemas of rules, which are made from the lists of words of the core.
fn rules(document: &mut Value) {
    crate::rules::insert_schemas(document, &ids::RULES);
    let schemas = &mut document["components"]["schemas"];
    schemas["RuleTriggered"] = json!({
        "type": "object",
        "required": ["execution_id"],
        "properties": {"execution_id": {"type": "string", "description": "`rex_…`"}},
    });
    schemas["RuleRequest"] = crate::rules::body_schema(&ids::RULES, true);
    schemas["TriggerRequest"] = json!({
        "type": "object",
        "properties": {"manual_execute_amount": {
            "type": ["integer", "null"], "format": "int64", "minimum": 0,
            "description": "Cents that are taken as having come in.",
        }},
    });
    for (place, status, shape) in RULE_ANSWERS {
        let response = &mut operation(document, place)["responses"][status];
        response["content"]["application/json"]["schema"] = shape.envelope();
    }
    for (place, name, required) in [
        ("/rules/post", "RuleRequest", true),
        ("/rules/{id}/put", "RuleRequest", true),
        ("/rules/{id}/trigger/post", "TriggerRequest", false),
    ] {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        operation(document, place)["requestBody"] = json!({
            "required": required,
            "content": {"application/json": {"schema": schema}},
        });
    }
}

/// An operation by its path and method.
fn operation<'a>(document: &'a mut Value, place: &str) -> &'a mut Value {
    let (path, method) = place.rsplit_once('/').expect("a path and a method");
    &mut document["paths"][path][method]
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
                Some("account_id" | "rule_id") => json!({"minLength": 1}),
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
