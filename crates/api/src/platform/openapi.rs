//! The dialect's OpenAPI document: one table of operations, schemas beside it.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::{audit, ids};
use crate::http::json_response;

/// What an operation answers.
#[derive(Clone, Copy)]
enum Answer {
    One(&'static str, &'static str),
    List(&'static str),
}

struct Operation {
    method: &'static str,
    path: &'static str,
    id: &'static str,
    scope: &'static str,
    query: &'static [&'static str],
    body: Option<&'static str>,
    answer: Answer,
}

const fn operation(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    scope: &'static str,
    answer: Answer,
) -> Operation {
    Operation {
        method,
        path,
        id,
        scope,
        query: &[],
        body: None,
        answer,
    }
}

const TRANSFER_FILTER: &[&str] = &[
    "accountRole",
    "direction",
    "status",
    "executionMode",
    "from",
    "to",
    "origin",
    "rule_execution_id",
    "page",
    "pageSize",
];

const OPERATIONS: &[Operation] = &[
    Operation {
        query: &["type", "state", "page", "pageSize"],
        ..operation(
            "get",
            "/accounts",
            "listAccounts",
            "READ_ACCOUNTS",
            Answer::List("AccountSummary"),
        )
    },
    operation(
        "get",
        "/accounts/{id}",
        "getAccount",
        "READ_ACCOUNTS",
        Answer::One("200", "Account"),
    ),
    Operation {
        query: TRANSFER_FILTER,
        ..operation(
            "get",
            "/accounts/{id}/transfers",
            "listAccountTransfers",
            "READ_TRANSFERS",
            Answer::List("Transfer"),
        )
    },
    Operation {
        query: &["sourceId", "page", "pageSize"],
        ..operation(
            "get",
            "/rules",
            "listRules",
            "READ_RULES",
            Answer::List("RuleSummary"),
        )
    },
    Operation {
        body: Some("RuleRequest"),
        ..operation(
            "post",
            "/rules",
            "createRule",
            "CREATE_AND_EDIT_RULES",
            Answer::One("201", "RuleBody"),
        )
    },
    operation(
        "get",
        "/rules/{id}",
        "getRule",
        "READ_RULES",
        Answer::One("200", "RuleBody"),
    ),
    Operation {
        body: Some("RuleRequest"),
        ..operation(
            "patch",
            "/rules/{id}",
            "updateRule",
            "CREATE_AND_EDIT_RULES",
            Answer::One("200", "RuleBody"),
        )
    },
    Operation {
        body: Some("TriggerRequest"),
        ..operation(
            "post",
            "/rules/{id}/trigger",
            "triggerRule",
            "TRIGGER_RULES",
            Answer::One("202", "Triggered"),
        )
    },
    Operation {
        query: &[
            "status",
            "triggerType",
            "executionMode",
            "from",
            "to",
            "page",
            "pageSize",
        ],
        ..operation(
            "get",
            "/rules/{id}/executions",
            "listRuleExecutions",
            "READ_RULES",
            Answer::List("RuleExecutionSummary"),
        )
    },
    Operation {
        query: &["include"],
        ..operation(
            "get",
            "/rules/{id}/executions/{run}",
            "getRuleExecution",
            "READ_RULES",
            Answer::One("200", "RuleExecution"),
        )
    },
    Operation {
        query: &[
            "accountIds",
            "accountRole",
            "direction",
            "status",
            "executionMode",
            "from",
            "to",
            "origin",
            "rule_execution_id",
            "page",
            "pageSize",
        ],
        ..operation(
            "get",
            "/transfers",
            "listTransfers",
            "READ_TRANSFERS",
            Answer::List("Transfer"),
        )
    },
    Operation {
        body: Some("TransferRequest"),
        ..operation(
            "post",
            "/transfers",
            "createTransfer",
            "MANUAL_TRANSFER",
            Answer::One("201", "Transfer"),
        )
    },
    operation(
        "get",
        "/transfers/{id}",
        "getTransfer",
        "READ_TRANSFERS",
        Answer::One("200", "Transfer"),
    ),
    Operation {
        query: &[
            "accountIds",
            "direction",
            "status",
            "from",
            "to",
            "page",
            "pageSize",
        ],
        ..operation(
            "get",
            "/external-transactions",
            "listExternalTransactions",
            "READ_TRANSFERS",
            Answer::List("ExternalTransaction"),
        )
    },
    Operation {
        query: &["accountId", "cardId", "from", "to", "page", "pageSize"],
        ..operation(
            "get",
            "/card-transactions",
            "listCardTransactions",
            "READ_TRANSFERS",
            Answer::List("CardTransaction"),
        )
    },
    Operation {
        query: &["apiKeyId", "action", "from", "to", "page", "pageSize"],
        ..operation(
            "get",
            "/audit-logs",
            "listAuditLogs",
            "READ_AUDIT_LOGS",
            Answer::List("AuditLogEntry"),
        )
    },
];

/// The document as pretty JSON.
#[must_use]
pub fn document() -> String {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let item = paths.entry(operation.path).or_insert_with(|| json!({}));
        item[operation.method] = described(operation);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Tidegate: Platform dialect", "version": "1.0.0",
            "description": "Accounts, rules and transfers. Amounts are integers in cents, times RFC 3339 in UTC, ids UUIDs."},
        "servers": [{"url": "/platform/v1"}],
        "security": [{"Bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"Bearer": {"type": "http", "scheme": "bearer"}},
        },
    });
    crate::rules::insert_schemas(&mut document, &ids::RULES);
    let schemas = &mut document["components"]["schemas"];
    schemas["RuleRequest"] = crate::rules::body_schema(&ids::RULES, false);
    let text = serde_json::to_string_pretty(&document);
    format!("{}\n", text.expect("a document has string keys only"))
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn described(operation: &Operation) -> Value {
    let parts = operation.path.split('/');
    let ids = parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = ids
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}}))
        .collect();
    parameters.extend(operation.query.iter().map(|name| {
        let list = *name == "accountIds";
        let schema = match *name {
            "page" => json!({"type": "integer", "minimum": 1, "default": 1}),
            "pageSize" => json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 10}),
            "from" | "to" => json!({"type": "string", "format": "date-time"}),
            _ if list => json!({"type": "array", "items": {"type": "string"}, "minItems": 1}),
            _ => json!({"type": "string"}),
        };
        let required = list || *name == "accountId";
        json!({"name": name, "in": "query", "required": required, "schema": schema})
    }));
    if operation.method != "get" {
        parameters.push(json!({
            "name": "idempotency-key", "in": "header", "required": false,
            "schema": {"type": "string", "minLength": 1, "maxLength": 36, "pattern": "^[A-Za-z0-9._:/|-]+$"},
        }));
    }
    parameters.push(json!({
        "name": "x-called-reason", "in": "header", "required": false, "schema": {"type": "string"},
        "description": "Kept in the audit log.",
    }));
    let (status, data) = match operation.answer {
        Answer::One(status, name) => (status, reference(name)),
        Answer::List(name) => (
            "200",
            json!({"type": "object", "required": ["items", "pagination"], "properties": {
                "items": {"type": "array", "items": reference(name)},
                "pagination": reference("Pagination"),
            }}),
        ),
    };
    let envelope = json!({"type": "object", "required": ["data", "requestId"],
        "properties": {"data": data, "requestId": {"type": "string"}}});
    let mut described = json!({
        "operationId": operation.id,
        "description": format!("Scope `{}`.", operation.scope),
        "parameters": parameters,
        "responses": {
            status: {"description": "Done", "content": {"application/json": {"schema": envelope}}},
            "default": {"description": "Refused", "content": {"application/json": {"schema": reference("Error")}}},
        },
    });
    if let Some(name) = operation.body {
        described["requestBody"] = json!({
            "required": name != "TriggerRequest",
            "content": {"application/json": {"schema": reference(name)}},
        });
    }
    described
}

/// An object all of whose members are there. A type that begins with `?` may be null.
fn object(members: &[(&str, &str)]) -> Value {
    let mut properties = Map::new();
    for (name, kind) in members {
        let schema = match kind.strip_prefix('?') {
            Some("Party" | "Balance") => {
                json!({"oneOf": [reference(&kind[1..]), {"type": "null"}]})
            }
            Some(kind) => json!({"type": [kind, "null"]}),
            None if kind.starts_with(char::is_uppercase) => reference(kind),
            None => json!({"type": kind}),
        };
        properties.insert((*name).to_owned(), schema);
    }
    let required: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn one_of(schema: &mut Value, member: &str, words: &[&str]) {
    schema["properties"][member]["enum"] = json!(words);
}

fn schemas() -> Value {
    let mut summary = object(SUMMARY);
    one_of(
        &mut summary,
        "type",
        &["INCOME_SOURCE", "POD", "EXTERNAL_ACCOUNT"],
    );
    let mut account = summary.clone();
    for (name, kind) in ACCOUNT {
        let more = object(&[(name, kind)]);
        account["properties"][name] = more["properties"][name].clone();
        account["required"]
            .as_array_mut()
            .into_iter()
            .for_each(|it| it.push(json!(name)));
    }
    let mut transfer = object(TRANSFER);
    one_of(
        &mut transfer,
        "direction",
        &["MONEY_IN", "MONEY_OUT", "INTERNAL"],
    );
    one_of(&mut transfer, "executionMode", &["LIVE", "SIMULATION"]);
    one_of(
        &mut transfer,
        "status",
        &[
            "PENDING_APPROVAL",
            "PROCESSING",
            "PENDING",
            "COMPLETE",
            "INCOMPLETE",
            "ERROR",
            "CANCELLED",
        ],
    );
    one_of(
        &mut transfer,
        "origin",
        &[
            "DIRECT_DEPOSIT",
            "CHECK_DEPOSIT",
            "CASHBACK",
            "USER_PULL",
            "RULE",
            "USER",
            "EXTERNAL_PULL",
            "UNKNOWN",
        ],
    );
    let mut party = object(&[
        ("id", "?string"),
        ("name", "string"),
        ("type", "string"),
        ("isDeleted", "?boolean"),
    ]);
    one_of(
        &mut party,
        "type",
        &[
            "INCOME_SOURCE",
            "POD",
            "EXTERNAL_ACCOUNT",
            "EXTERNAL_ENTITY",
        ],
    );
    let mut transaction = object(TRANSACTION);
    one_of(&mut transaction, "direction", &["MONEY_IN", "MONEY_OUT"]);
    one_of(&mut transaction, "status", &["PENDING", "COMPLETE"]);
    let mut paid = object(CARD_TRANSACTION);
    one_of(&mut paid, "cardType", &["DEBIT_CARD", "OMNI_CARD"]);
    one_of(&mut paid, "direction", &["MONEY_IN", "MONEY_OUT"]);
    one_of(&mut paid, "subtype", &["PURCHASE", "REFUND"]);
    one_of(&mut paid, "status", &["COMPLETE"]);
    let mut entry = object(ENTRY);
    one_of(&mut entry, "outcome", &["SUCCESS", "FAILURE"]);
    let actions: Vec<Value> = audit::ACTIONS.iter().map(|(name, _)| json!(name)).collect();
    entry["properties"]["action"]["enum"] = Value::Array([actions, vec![Value::Null]].concat());
    json!({
        "Error": {"type": "object", "required": ["error"], "properties": {
            "error": object(&[("code", "string"), ("message", "string")])}},
        "Pagination": object(&[("page", "integer"), ("pageSize", "integer"), ("hasNextPage", "boolean")]),
        "AccountSummary": summary,
        "Account": account,
        "Balance": object(BALANCE),
        "Party": party,
        "Transfer": transfer,
        "ExternalTransaction": transaction,
        "CardTransaction": paid,
        "AuditLogEntry": entry,
        "Triggered": object(&[("executionId", "string")]),
        "TriggerRequest": {"type": "object", "properties": {
            "executeAmount": {"type": ["integer", "null"], "minimum": 0},
            "simulation": {"type": ["boolean", "null"], "default": false}}},
        "TransferRequest": {"type": "object",
            "required": ["sourceAccountId", "destinationAccountId", "amountInCents"],
            "properties": {
                "sourceAccountId": {"type": "string"},
                "destinationAccountId": {"type": "string"},
                "amountInCents": {"type": "integer", "minimum": 100},
                "description": {"type": ["string", "null"], "maxLength": 10, "pattern": "^[a-zA-Z0-9 ]*$"},
                "simulation": {"type": ["boolean", "null"], "default": false}}},
    })
}

type Members = &'static [(&'static str, &'static str)];

const SUMMARY: Members = &[
    ("id", "string"),
    ("name", "string"),
    ("type", "string"),
    ("description", "?string"),
    ("externalAccountType", "?string"),
    ("beneficiaryName", "?string"),
    ("institutionName", "?string"),
    ("canBeSource", "boolean"),
    ("canBeDestination", "boolean"),
    ("linkedAccount", "?object"),
    ("createdAt", "string"),
    ("updatedAt", "string"),
    ("deletedAt", "?string"),
];
const ACCOUNT: Members = &[
    ("routingNumber", "?string"),
    ("bankAccountNumber", "?string"),
    ("balance", "?Balance"),
    ("savingsTargetInCents", "?integer"),
];
const BALANCE: Members = &[
    ("balanceInCents", "?integer"),
    ("availableBalanceInCents", "?integer"),
    ("lastStatementBalanceInCents", "?integer"),
    ("lastStatementDate", "?string"),
    ("nextPaymentMinimumInCents", "?integer"),
    ("nextPaymentDueDate", "?string"),
    ("balanceLastUpdatedAt", "?string"),
    ("error", "?string"),
    ("interestRatePercentage", "?number"),
    ("originalLoanAmountInCents", "?integer"),
];
const TRANSFER: Members = &[
    ("id", "string"),
    ("amountInCents", "integer"),
    ("direction", "string"),
    ("origin", "string"),
    ("status", "string"),
    ("executionMode", "string"),
    ("source", "Party"),
    ("destination", "Party"),
    ("ruleId", "?string"),
    ("ruleExecutionId", "?string"),
    ("errorCode", "?string"),
    ("description", "?string"),
    ("createdAt", "string"),
    ("completedAt", "?string"),
];
const TRANSACTION: Members = &[
    ("id", "string"),
    ("accountId", "string"),
    ("amountInCents", "integer"),
    ("direction", "string"),
    ("status", "string"),
    ("description", "string"),
    ("transactionDate", "string"),
];
const CARD_TRANSACTION: Members = &[
    ("id", "string"),
    ("cardId", "string"),
    ("cardType", "string"),
    ("account", "Party"),
    ("direction", "string"),
    ("subtype", "string"),
    ("status", "string"),
    ("amountInCents", "integer"),
    ("description", "string"),
    ("createdAt", "string"),
    ("completedAt", "?string"),
];
const ENTRY: Members = &[
    ("id", "string"),
    ("createdAt", "string"),
    ("apiKeyId", "string"),
    ("apiKeyName", "string"),
    ("path", "string"),
    ("action", "?string"),
    ("requestId", "string"),
    ("outcome", "string"),
    ("errorCode", "?string"),
    ("calledReason", "?string"),
];

pub(super) async fn serve() -> Response {
    json_response(StatusCode::OK, document().into_bytes())
}
