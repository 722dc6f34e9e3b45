//! The admin API's OpenAPI document: one table of routes, schemas from the wire types.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::amounts::AmountSourceBody;
use super::approvals::ApprovalBody;
use super::events::EventBody;
use super::forecast::ForecastBody;
use super::idempotency::KeyStateBody;
use super::problem::Problem;
use super::profiles::ProfileBody;
use super::webhooks::{AttemptBody, ReplayBody, WebhookBody};
use super::wire::{
    AccountBody, EntryBody, FaultBody, HoldBody, KeyBody, OwnerBody, RateLimitBody, SettingsBody,
    TenantBody, TransferBody,
};
use crate::http::json_response;

#[derive(OpenApi)]
#[openapi(
    info(title = "Tidegate: admin API", version = "1.0.0", description = "For operators, console and command line, on its own listener. Sums are minor units, times RFC 3339 in UTC, errors RFC 9457."),
    servers((url = "/admin/v1")),
    components(schemas(
        Problem, AmountSourceBody, ApprovalBody, EventBody, ForecastBody, TenantBody, SettingsBody, RateLimitBody,
        OwnerBody, AccountBody, EntryBody, HoldBody, KeyBody, ProfileBody, TransferBody,
        WebhookBody, ReplayBody, AttemptBody, KeyStateBody, FaultBody
    )),
    security(("AdminToken" = [])),
)]
struct Document;

/// What a route answers when all is well.
#[derive(Clone, Copy)]
enum Answer {
    /// 201 with this schema.
    Made(&'static str),
    /// 200 with this schema.
    One(&'static str),
    /// 200 with a list of this schema in `data`.
    Many(&'static str),
    /// 200 with a list of this schema in `data`, and where the next one begins.
    Page(&'static str),
    /// 200 with server-sent events.
    Stream,
    /// 200 with an object of any members.
    Object,
    /// 204.
    Nothing,
}

/// A body field: name, JSON type (`strings`: a list of texts), whether it is required, what it is.
type Field = (&'static str, &'static str, bool, &'static str);

struct Route {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    body: &'static [Field],
    query: &'static [Field],
    answer: Answer,
}

const fn route(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    answer: Answer,
) -> Route {
    Route {
        method,
        path,
        summary,
        body: &[],
        query: &[],
        answer,
    }
}

const SIMULATED: &[Field] = &[
    ("account_id", "string", true, "The account, acc_…"),
    (
        "amount_in_cents",
        "integer",
        true,
        "Minor units of the account's currency, at least 1",
    ),
    (
        "description",
        "string",
        false,
        "A note, up to 255 characters",
    ),
];
const APPROVAL_FILTER: &[Field] = &[("limit", "integer", false, "1 to 1000; 100 unless given")];
const APPROVAL: &[Field] = &[DECIDER];
const DENIAL: &[Field] = &[
    ("reason", "string", false, "Why, up to 50 characters"),
    DECIDER,
];
const DECIDER: Field = (
    "by",
    "string",
    false,
    "Who decides, for the audit log, up to 100 characters",
);
const AMOUNT_SOURCE: &[Field] = &[(
    "url",
    "string",
    true,
    "Where questions are sent: an https URL, or one in a network that the server allows",
)];
const RULE_APPROVAL: &[Field] = &[(
    "approval_above",
    "integer",
    false,
    "Transfers of more than so many minor units wait; null or absent for none",
)];
const FORECAST: &[Field] = &[
    ("days", "integer", false, "1 to 366; 90 unless given"),
    (
        "utc_offset_minutes",
        "integer",
        false,
        "Minutes that local time is ahead of UTC, which decides where days end; 0 unless given",
    ),
    (
        "income",
        "array",
        false,
        "What comes in besides, up to 100 entries: account_id, amount_in_cents, schedule_type \
         (ONE_TIME, DAILY, WEEKLY, BI_WEEKLY, MONTHLY, EVERY_OTHER_WEEK), start_date",
    ),
];
const TENANT: &[Field] = &[
    ("name", "string", true, "1 to 100 characters"),
    ("mode", "string", false, "`sandbox` (the default) or `live`"),
];
const OWNER: &[Field] = &[
    ("name", "string", true, "1 to 100 characters"),
    (
        "kind",
        "string",
        false,
        "`beneficiary` (the default), `corporate` or `consumer`",
    ),
];
const CLOCK: &[Field] = &[
    (
        "frozen",
        "boolean",
        false,
        "Whether it stands still afterwards; unchanged when absent",
    ),
    (
        "at",
        "string",
        false,
        "The time it shall show, not before the time it shows",
    ),
    (
        "advance_ms",
        "integer",
        false,
        "Milliseconds to move forward; not together with `at`",
    ),
];
const SETTINGS: &[Field] = &[
    (
        "strict",
        "boolean",
        false,
        "Whether requests of the Multi dialect may only have fields that are known",
    ),
    (
        "multi_identity",
        "boolean",
        false,
        "Whether one person may be the root user of several identities",
    ),
    (
        "rate_limits",
        "array",
        false,
        "At most 8 of {requests, window_s}; none when empty",
    ),
    (
        "default_rate_limits",
        "boolean",
        false,
        "`true` for the limits of the tenant's mode; not together with `rate_limits`",
    ),
    (
        "round_down",
        "string",
        false,
        "What rounding an account down means in rules that are written from now on: `MULTIPLE` or `BUFFER`",
    ),
    (
        "utc_offset_minutes",
        "integer",
        false,
        "Minutes, -840 to 840, that their calendar is ahead of UTC",
    ),
    (
        "faults",
        "array",
        false,
        "At most 8 of {fault, every}: what goes wrong with a sandbox tenant's writes and deliveries; none when empty",
    ),
];
const KEY_STATE: &[Field] = &[
    ("key_id", "string", false, "Used by this API key only"),
    (
        "owner_id",
        "string",
        false,
        "Used by this identity's users only; not together with `key_id`",
    ),
];
const ACCOUNT: &[Field] = &[
    ("owner_id", "string", true, "The owner, own_…"),
    (
        "type",
        "string",
        true,
        "`income_source`, `pod` or `external_account`",
    ),
    (
        "external_account_type",
        "string",
        false,
        "`DEPOSITORY`, `INVESTMENT` or `LIABILITY`",
    ),
    ("name", "string", true, "1 to 100 characters"),
    ("description", "string", false, "Up to 255 characters"),
    ("institution_name", "string", false, "Up to 100 characters"),
    ("account_number_last_four", "string", false, "Four digits"),
    ("routing_number_last_four", "string", false, "Four digits"),
    ("currency", "string", false, "ISO 4217; USD when absent"),
    (
        "can_be_source",
        "boolean",
        false,
        "The kind's default when absent",
    ),
    (
        "can_be_destination",
        "boolean",
        false,
        "The kind's default when absent",
    ),
    (
        "reported_balance",
        "integer",
        false,
        "External accounts: what the institution reports",
    ),
    ("reported_available_balance", "integer", false, "Likewise"),
    (
        "reported_last_statement_balance",
        "integer",
        false,
        "Likewise",
    ),
    (
        "reported_next_payment_minimum",
        "integer",
        false,
        "Likewise",
    ),
    (
        "reported_last_statement_date",
        "string",
        false,
        "Likewise, YYYY-MM-DD",
    ),
    (
        "reported_next_payment_due_date",
        "string",
        false,
        "Likewise, YYYY-MM-DD",
    ),
];
const RULE: &[Field] = &[
    (
        "owner_id",
        "string",
        false,
        "The owner, own_…, when making a rule; by default that of its accounts",
    ),
    ("nickname", "string", false, "1 to 100 characters"),
    ("description", "string", false, "Up to 255 characters"),
    (
        "trigger",
        "object",
        true,
        "{type, account_id?, schedule_type?, start_date?}; never changes",
    ),
    ("steps", "array", true, "1 to 20 of {conditions?, actions}"),
];
const TEMPLATE: &[Field] = &[
    (
        "template",
        "string",
        true,
        "`profit_first`, `tax_reserve`, `emergency_fund`, `debt_avalanche`, `debt_snowball`, `wallet_refill` or `bill_pay_ahead`",
    ),
    ("nickname", "string", false, "The template's when absent"),
    (
        "source_id",
        "string",
        true,
        "Where the money comes from, acc_…",
    ),
    (
        "destinations",
        "array",
        false,
        "Where it goes: {id, percentage_value?}",
    ),
    (
        "amount_in_cents",
        "integer",
        false,
        "Up to where is filled up, or the sum a month for debts",
    ),
    (
        "liabilities",
        "array",
        false,
        "Debts: {id, interest_rate_percentage?}",
    ),
    (
        "start_date",
        "string",
        false,
        "When a rule by the time runs first",
    ),
];
const LINT: &[Field] = &[
    (
        "owner_id",
        "string",
        false,
        "Whose rules are linted; required without a rule",
    ),
    (
        "rule",
        "object",
        false,
        "A draft, to be linted beside the owner's rules that are on",
    ),
    (
        "rule_id",
        "string",
        false,
        "The rule that the draft shall replace; that one is left aside",
    ),
];
const RUN: &[Field] = &[(
    "amount_in_cents",
    "integer",
    false,
    "Minor units that are taken as having come in, from 0",
)];
const RULE_FILTER: &[Field] = &[
    ("owner_id", "string", false, "Of this owner"),
    (
        "source_id",
        "string",
        false,
        "With this account in their trigger",
    ),
    ("enabled", "boolean", false, "That are on, or off"),
];
const RUN_FILTER: &[Field] = &[
    ("rule_id", "string", false, "Of this rule"),
    (
        "status",
        "string",
        false,
        "`in_progress`, `executed`, `partial` or `failed`",
    ),
    ("execution_mode", "string", false, "`live` or `simulation`"),
    ("after", "string", false, "Older than this one, rex_…"),
    ("limit", "integer", false, "1 to 1000, 100 when absent"),
];
const HOLD: &[Field] = &[
    (
        "amount_in_cents",
        "integer",
        true,
        "Minor units, at least 1",
    ),
    (
        "expires_at",
        "string",
        false,
        "When it ends by itself, by the tenant's clock",
    ),
];
const KEY: &[Field] = &[
    ("name", "string", true, "Up to 100 characters"),
    (
        "permissions",
        "array",
        true,
        "Entries {scope, resources}: resources are absent for LIST_ACCOUNTS, LIST_RULES, PROGRAMME \
         and SIMULATOR, a \
         list of {source, target, max_amount?, approval_above?} for MANUAL_TRANSFER, otherwise \"*\" or a list of ids",
    ),
];
const PROFILE: &[Field] = &[
    ("name", "string", true, "1 to 100 characters"),
    (
        "type",
        "string",
        true,
        "`corporate`, `consumer`, `managed_account`, `managed_card` or `transfer`",
    ),
    CURRENCIES,
    (
        "mode",
        "string",
        false,
        "`managed_card`, required there: `prepaid` or `debit`",
    ),
    MAX_BALANCES,
    DEPOSIT_FEES,
    PAIRS,
    FEES,
    FEE_POLICY,
    MAX_AMOUNTS,
    DENY_ABOVE,
    FOREX,
];
const PROFILE_CHANGE: &[Field] = &[
    ("name", "string", false, "1 to 100 characters"),
    (
        "active",
        "boolean",
        false,
        "Whether anything new can be made under it",
    ),
    CURRENCIES,
    MAX_BALANCES,
    DEPOSIT_FEES,
    PAIRS,
    FEES,
    FEE_POLICY,
    MAX_AMOUNTS,
    DENY_ABOVE,
    FOREX,
];
const CURRENCIES: Field = (
    "currencies",
    "strings",
    false,
    "ISO 4217; any when empty or absent",
);
const MAX_BALANCES: Field = (
    "max_balances",
    "array",
    false,
    "`managed_account`, `managed_card`: the most an instrument may hold, {currency, amount}",
);
const DEPOSIT_FEES: Field = (
    "deposit_fees",
    "array",
    false,
    "`managed_account`: {currency, type, flat?, percent?}, as `fees`",
);
const PAIRS: Field = (
    "pairs",
    "array",
    false,
    "`transfer`: {source, destination}, each `managed_accounts` or `managed_cards`; all when empty \
     or absent",
);
const FEES: Field = (
    "fees",
    "array",
    false,
    "`transfer`: {source, destination, currency, type, flat?, percent?}; type FLAT, PERCENTAGE, \
     PLUS, MIN or MAX; flat in minor units, percent as text such as \"1.25\"",
);
const FEE_POLICY: Field = (
    "fee_policy",
    "string",
    false,
    "`transfer`: `best_effort` (the default) or `required`",
);
const MAX_AMOUNTS: Field = (
    "max_amounts",
    "array",
    false,
    "`transfer`: the most one transfer may move, {currency, amount}",
);
const DENY_ABOVE: Field = (
    "deny_above",
    "array",
    false,
    "`transfer`: amounts above are refused as by a risk assessment, {currency, amount}",
);
const FOREX: Field = (
    "forex",
    "boolean",
    false,
    "`transfer`: whether instruments of two currencies are a refused trade, not a mismatch",
);
const TRANSFER: &[Field] = &[
    ("source_account_id", "string", true, "acc_…"),
    ("destination_account_id", "string", true, "acc_…"),
    (
        "amount_in_cents",
        "integer",
        true,
        "Minor units of the source's currency, at least 1",
    ),
    (
        "description",
        "string",
        false,
        "A note, up to 255 characters",
    ),
];
const RETURN: &[Field] = &[(
    "error_code",
    "string",
    false,
    "INSUFFICIENT_FUNDS, DISCONNECTED_ACCOUNT, NAME_MISMATCH, PAYMENT_FAILED (the default), \
     PAYMENT_NOT_SUPPORTED or RESOURCE_DELETED",
)];
const ACCOUNT_FILTER: &[Field] = &[
    ("owner_id", "string", false, "Of this owner"),
    (
        "type",
        "string",
        false,
        "`income_source`, `pod` or `external_account`",
    ),
];
const ENTRY_PAGE: &[Field] = &[
    (
        "before",
        "integer",
        false,
        "Entries with a smaller sequence number than this",
    ),
    ("limit", "integer", false, "1 to 1000; 100 when absent"),
];
const TRANSFER_FILTER: &[Field] = &[
    (
        "account_id",
        "string",
        true,
        "That this account takes part in",
    ),
    ("limit", "integer", false, "1 to 1000; 100 when absent"),
];

const WEBHOOK_URL: Field = (
    "url",
    "string",
    true,
    "https; http and private networks only where the configuration allows it",
);
const DESCRIPTION: Field = ("description", "string", false, "A note");
const FORMAT: Field = (
    "format",
    "string",
    false,
    "`standard` (the default), `sequence` or `multi`",
);
const FORM: Field = ("form", "string", false, "`thin` (the default) or `full`");
const NAMES: Field = (
    "events",
    "strings",
    false,
    "Names such as `transfer.created`, or `transfer.*`; all when empty",
);
const ACCOUNTS: Field = ("accounts", "strings", false, "About these, acc_…");
const OWNERS: Field = ("owners", "strings", false, "About these, own_…");
const CONCURRENCY: Field = (
    "concurrency",
    "integer",
    false,
    "Deliveries under way at once: 1 to 64; 8 when absent",
);
const DISABLE_AFTER: Field = (
    "disable_after_s",
    "integer",
    false,
    "How long it may fail before it is switched off: 60 to 2592000 seconds; five days when absent",
);
const WEBHOOK: &[Field] = &[
    WEBHOOK_URL,
    DESCRIPTION,
    FORMAT,
    FORM,
    NAMES,
    ACCOUNTS,
    OWNERS,
    CONCURRENCY,
    DISABLE_AFTER,
];
const WEBHOOK_CHANGE: &[Field] = &[
    ("url", "string", false, "As when it is made"),
    DESCRIPTION,
    FORM,
    NAMES,
    ACCOUNTS,
    OWNERS,
    CONCURRENCY,
    DISABLE_AFTER,
    (
        "enabled",
        "boolean",
        false,
        "Whether anything is delivered; switched on again it goes on where it was",
    ),
];
const ROTATE: &[Field] = &[(
    "overlap_s",
    "integer",
    false,
    "How long both secrets are live: 0 to 2592000 seconds; a day when absent",
)];
const DELIVERIES: &[Field] = &[
    ("event", "string", false, "Of this event, evt_…"),
    ("before", "string", false, "Before this one, att_…"),
    ("limit", "integer", false, "1 to 1000; 100 when absent"),
];
const REPLAY: &[Field] = &[
    ("webhook_id", "string", false, "To this endpoint, whk_…"),
    ("url", "string", false, "Or to this URL"),
    FORMAT,
    FORM,
    (
        "after",
        "string",
        false,
        "After this event (evt_…); from the first when absent",
    ),
    (
        "until",
        "string",
        false,
        "Up to this event; up to the newest when absent",
    ),
    ("event", "string", false, "Only this event, to an endpoint"),
    NAMES,
    ACCOUNTS,
    OWNERS,
];

const EVENTS: &[Field] = &[
    ("tenant", "string", true, "Of this tenant, ten_…"),
    (
        "after",
        "string",
        false,
        "After this event (evt_…, or what `next` said), `start` or `now`",
    ),
    ("limit", "integer", false, "1 to 1000; 100 when absent"),
    ("form", "string", false, "`thin` (the default) or `full`"),
    (
        "types",
        "string",
        false,
        "Names such as `transfer.created`, or `transfer.*`, with commas",
    ),
    (
        "accounts",
        "string",
        false,
        "About these accounts, acc_…, with commas",
    ),
    (
        "owners",
        "string",
        false,
        "About these owners, own_…, with commas",
    ),
];

const ROUTES: &[Route] = &[
    route(
        "get",
        "/status",
        "The store's state and the sum of all balances",
        Answer::Object,
    ),
    Route {
        body: TENANT,
        ..route(
            "post",
            "/tenants",
            "Make a tenant",
            Answer::Made("TenantBody"),
        )
    },
    route(
        "get",
        "/tenants",
        "List tenants",
        Answer::Many("TenantBody"),
    ),
    route(
        "get",
        "/tenants/{tenant}",
        "Show a tenant",
        Answer::One("TenantBody"),
    ),
    route(
        "get",
        "/tenants/{tenant}/clock",
        "Show a tenant's time",
        Answer::One("TenantBody"),
    ),
    Route {
        body: CLOCK,
        ..route(
            "put",
            "/tenants/{tenant}/clock",
            "Set a sandbox tenant's clock; answers when what became due is done",
            Answer::One("TenantBody"),
        )
    },
    route(
        "post",
        "/tenants/{tenant}/clock/next",
        "Move a sandbox tenant's clock to its next event; answers when that has happened",
        Answer::One("TenantBody"),
    ),
    route(
        "get",
        "/tenants/{tenant}/settings",
        "Show a tenant's settings",
        Answer::One("SettingsBody"),
    ),
    Route {
        body: SETTINGS,
        ..route(
            "put",
            "/tenants/{tenant}/settings",
            "Change a tenant's settings; what is absent stays as it is",
            Answer::One("SettingsBody"),
        )
    },
    Route {
        body: OWNER,
        ..route(
            "post",
            "/tenants/{tenant}/owners",
            "Make an owner",
            Answer::Made("OwnerBody"),
        )
    },
    route(
        "get",
        "/tenants/{tenant}/owners",
        "List owners",
        Answer::Many("OwnerBody"),
    ),
    Route {
        body: ACCOUNT,
        ..route(
            "post",
            "/tenants/{tenant}/accounts",
            "Open an account",
            Answer::Made("AccountBody"),
        )
    },
    Route {
        query: ACCOUNT_FILTER,
        ..route(
            "get",
            "/tenants/{tenant}/accounts",
            "List accounts",
            Answer::Many("AccountBody"),
        )
    },
    route(
        "get",
        "/tenants/{tenant}/accounts/{account}",
        "Show an account",
        Answer::One("AccountBody"),
    ),
    Route {
        query: ENTRY_PAGE,
        ..route(
            "get",
            "/tenants/{tenant}/accounts/{account}/entries",
            "List an account's entries, newest first",
            Answer::Many("EntryBody"),
        )
    },
    route(
        "post",
        "/tenants/{tenant}/accounts/{account}/block",
        "Stop an account from taking part in transfers",
        Answer::One("AccountBody"),
    ),
    route(
        "post",
        "/tenants/{tenant}/accounts/{account}/unblock",
        "Let a blocked account take part again",
        Answer::One("AccountBody"),
    ),
    route(
        "post",
        "/tenants/{tenant}/accounts/{account}/close",
        "Close an empty account for good",
        Answer::One("AccountBody"),
    ),
    Route {
        body: HOLD,
        ..route(
            "post",
            "/tenants/{tenant}/accounts/{account}/holds",
            "Reserve money",
            Answer::Made("HoldBody"),
        )
    },
    route(
        "get",
        "/tenants/{tenant}/accounts/{account}/holds",
        "List an account's holds",
        Answer::Many("HoldBody"),
    ),
    route(
        "delete",
        "/tenants/{tenant}/holds/{hold}",
        "Give reserved money free",
        Answer::Nothing,
    ),
    Route {
        body: KEY,
        ..route(
            "post",
            "/tenants/{tenant}/keys",
            "Make an API key; its secret is in this answer only",
            Answer::Made("KeyBody"),
        )
    },
    route(
        "get",
        "/tenants/{tenant}/keys",
        "List API keys",
        Answer::Many("KeyBody"),
    ),
    route(
        "delete",
        "/tenants/{tenant}/keys/{key}",
        "Revoke an API key at once",
        Answer::Nothing,
    ),
    Route {
        body: PROFILE,
        ..route(
            "post",
            "/tenants/{tenant}/profiles",
            "Make a profile",
            Answer::Made("ProfileBody"),
        )
    },
    route(
        "get",
        "/tenants/{tenant}/profiles",
        "List profiles",
        Answer::Many("ProfileBody"),
    ),
    route(
        "get",
        "/tenants/{tenant}/profiles/{profile}",
        "Show a profile",
        Answer::One("ProfileBody"),
    ),
    Route {
        body: PROFILE_CHANGE,
        ..route(
            "patch",
            "/tenants/{tenant}/profiles/{profile}",
            "Change a profile; what was made under it stays",
            Answer::One("ProfileBody"),
        )
    },
    Route {
        body: TRANSFER,
        ..route(
            "post",
            "/tenants/{tenant}/transfers",
            "Record a transfer; it settles after the answer",
            Answer::Made("TransferBody"),
        )
    },
    Route {
        query: TRANSFER_FILTER,
        ..route(
            "get",
            "/tenants/{tenant}/transfers",
            "List an account's transfers, newest first",
            Answer::Many("TransferBody"),
        )
    },
    route(
        "get",
        "/tenants/{tenant}/transfers/{transfer}",
        "Show a transfer",
        Answer::One("TransferBody"),
    ),
    Route {
        body: RETURN,
        ..route(
            "post",
            "/tenants/{tenant}/transfers/{transfer}/return",
            "Give a pending transfer back, as its rail would",
            Answer::One("TransferBody"),
        )
    },
    Route {
        query: APPROVAL_FILTER,
        ..route(
            "get",
            "/tenants/{tenant}/approvals",
            "List the transfers that wait for approval, oldest first",
            Answer::Many("TransferBody"),
        )
    },
    Route {
        body: APPROVAL,
        ..route(
            "post",
            "/tenants/{tenant}/transfers/{transfer}/approve",
            "Let a transfer go that waits for approval; it settles after the answer",
            Answer::One("TransferBody"),
        )
    },
    Route {
        body: DENIAL,
        ..route(
            "post",
            "/tenants/{tenant}/transfers/{transfer}/deny",
            "Call a transfer off that waits for approval",
            Answer::One("TransferBody"),
        )
    },
    Route {
        body: AMOUNT_SOURCE,
        ..route(
            "put",
            "/tenants/{tenant}/rules/{rule}/amount-source",
            "Say where a rule asks for amounts",
            Answer::One("AmountSource"),
        )
    },
    route(
        "get",
        "/tenants/{tenant}/rules/{rule}/amount-source",
        "Show where a rule asks for amounts, and with which secret",
        Answer::One("AmountSource"),
    ),
    route(
        "delete",
        "/tenants/{tenant}/rules/{rule}/amount-source",
        "A rule asks for amounts no more",
        Answer::Nothing,
    ),
    Route {
        body: RULE_APPROVAL,
        ..route(
            "put",
            "/tenants/{tenant}/rules/{rule}/approval",
            "Say above which amount a rule's transfers wait for approval",
            Answer::One("ApprovalBody"),
        )
    },
    Route {
        body: FORECAST,
        ..route(
            "post",
            "/tenants/{tenant}/owners/{owner}/forecast",
            "Look ahead: schedules, rules and assumed income; nothing is written",
            Answer::One("ForecastBody"),
        )
    },
    Route {
        body: RULE,
        ..route(
            "post",
            "/tenants/{tenant}/rules",
            "Make a rule, which is off",
            Answer::Made("RuleBody"),
        )
    },
    Route {
        query: RULE_FILTER,
        ..route(
            "get",
            "/tenants/{tenant}/rules",
            "List rules, oldest first",
            Answer::Many("RuleBody"),
        )
    },
    Route {
        body: LINT,
        ..route(
            "post",
            "/tenants/{tenant}/rules/lint",
            "Say what will not work in a draft, or in an owner's rules taken together",
            Answer::One("LintBody"),
        )
    },
    Route {
        body: TEMPLATE,
        ..route(
            "post",
            "/tenants/{tenant}/rules/from-template",
            "Make a rule from a template; it is off",
            Answer::Made("RuleBody"),
        )
    },
    route(
        "get",
        "/tenants/{tenant}/rules/{rule}",
        "Show a rule, a deleted one too",
        Answer::One("RuleBody"),
    ),
    Route {
        body: RULE,
        ..route(
            "put",
            "/tenants/{tenant}/rules/{rule}",
            "Replace all that a rule says but its trigger; it is off afterwards",
            Answer::One("RuleBody"),
        )
    },
    route(
        "delete",
        "/tenants/{tenant}/rules/{rule}",
        "Delete a rule; what it did stays",
        Answer::Nothing,
    ),
    route(
        "post",
        "/tenants/{tenant}/rules/{rule}/enable",
        "Switch a rule on, if the linter finds no error in the owner's rules",
        Answer::One("RuleBody"),
    ),
    route(
        "post",
        "/tenants/{tenant}/rules/{rule}/disable",
        "Switch a rule off",
        Answer::One("RuleBody"),
    ),
    Route {
        body: RUN,
        ..route(
            "post",
            "/tenants/{tenant}/rules/{rule}/trigger",
            "Run a rule that is on; it runs after the answer",
            Answer::Made("RuleExecution"),
        )
    },
    Route {
        body: RUN,
        ..route(
            "post",
            "/tenants/{tenant}/rules/{rule}/simulate",
            "Reckon what a run would do, as if the amount were all that is on the trigger's account",
            Answer::Made("RuleExecution"),
        )
    },
    Route {
        query: RUN_FILTER,
        ..route(
            "get",
            "/tenants/{tenant}/rule-executions",
            "List runs of rules with their explanations, newest first",
            Answer::One("RuleExecutionPage"),
        )
    },
    route(
        "get",
        "/tenants/{tenant}/rule-executions/{execution}",
        "Show a run with its explanation",
        Answer::One("RuleExecution"),
    ),
    Route {
        body: SIMULATED,
        ..route(
            "post",
            "/tenants/{tenant}/simulate/paycheck",
            "Pay arrives",
            Answer::Made("TransferBody"),
        )
    },
    Route {
        body: SIMULATED,
        ..route(
            "post",
            "/tenants/{tenant}/simulate/check-deposit",
            "A check is paid in",
            Answer::Made("TransferBody"),
        )
    },
    Route {
        body: SIMULATED,
        ..route(
            "post",
            "/tenants/{tenant}/simulate/cashback",
            "A reward arrives",
            Answer::Made("TransferBody"),
        )
    },
    Route {
        body: SIMULATED,
        ..route(
            "post",
            "/tenants/{tenant}/simulate/external-pull",
            "Somebody outside draws money",
            Answer::Made("TransferBody"),
        )
    },
    Route {
        query: EVENTS,
        ..route(
            "get",
            "/events",
            "Read a tenant's event log, oldest first",
            Answer::Page("EventBody"),
        )
    },
    Route {
        query: EVENTS,
        ..route(
            "get",
            "/events/stream",
            "Follow a tenant's event log; from now on, or after `after` or the header Last-Event-ID",
            Answer::Stream,
        )
    },
    route(
        "get",
        "/tenants/{tenant}/events/{event}",
        "Show an event in its full form",
        Answer::One("EventBody"),
    ),
    Route {
        body: WEBHOOK,
        ..route(
            "post",
            "/tenants/{tenant}/webhooks",
            "Make a webhook endpoint; it is told of everything from now on",
            Answer::Made("WebhookBody"),
        )
    },
    route(
        "get",
        "/tenants/{tenant}/webhooks",
        "List webhook endpoints",
        Answer::Many("WebhookBody"),
    ),
    route(
        "get",
        "/tenants/{tenant}/webhooks/{webhook}",
        "Show a webhook endpoint with its secrets, and how far it has come",
        Answer::One("WebhookBody"),
    ),
    Route {
        body: WEBHOOK_CHANGE,
        ..route(
            "patch",
            "/tenants/{tenant}/webhooks/{webhook}",
            "Change a webhook endpoint; what is absent stays as it is",
            Answer::One("WebhookBody"),
        )
    },
    route(
        "delete",
        "/tenants/{tenant}/webhooks/{webhook}",
        "Delete a webhook endpoint",
        Answer::Nothing,
    ),
    Route {
        body: ROTATE,
        ..route(
            "post",
            "/tenants/{tenant}/webhooks/{webhook}/rotate",
            "Make a new secret; the one before it stays live for a while",
            Answer::One("WebhookBody"),
        )
    },
    route(
        "post",
        "/tenants/{tenant}/webhooks/{webhook}/test",
        "Send a delivery that only shows that deliveries arrive, and tell what became of it",
        Answer::One("AttemptBody"),
    ),
    Route {
        query: DELIVERIES,
        ..route(
            "get",
            "/tenants/{tenant}/webhooks/{webhook}/deliveries",
            "List the attempts of an endpoint (whk_…) or of a replay (rpl_…), newest first",
            Answer::Many("AttemptBody"),
        )
    },
    Route {
        body: REPLAY,
        ..route(
            "post",
            "/tenants/{tenant}/replays",
            "Send events once more, to an endpoint or to a URL",
            Answer::Made("ReplayBody"),
        )
    },
    route(
        "get",
        "/tenants/{tenant}/replays",
        "List replays",
        Answer::Many("ReplayBody"),
    ),
    Route {
        query: KEY_STATE,
        ..route(
            "get",
            "/tenants/{tenant}/idempotency-keys/{key}",
            "What became of an idempotency key",
            Answer::One("KeyStateBody"),
        )
    },
    route(
        "get",
        "/tenants/{tenant}/replays/{replay}",
        "Show a replay and how far it has come",
        Answer::One("ReplayBody"),
    ),
    route(
        "delete",
        "/tenants/{tenant}/replays/{replay}",
        "Stop a replay, or forget one that is over",
        Answer::Nothing,
    ),
];

/// The document as pretty JSON.
#[must_use]
pub fn document() -> String {
    let mut document =
        serde_json::to_value(Document::openapi()).expect("a document has string keys only");
    rules(&mut document);
    let mut paths = Map::new();
    for route in ROUTES {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.method] = operation(route);
    }
    document["paths"] = Value::Object(paths);
    document["components"]["securitySchemes"] = json!({
        "AdminToken": {"type": "http", "scheme": "bearer"},
    });
    format!(
        "{}\n",
        serde_json::to_string_pretty(&document).expect("string keys only")
    )
}

/// The schemas of rules: those of the Sequence API, and what operators see besides.
fn rules(document: &mut Value) {
    crate::rules::insert_schemas(document, &super::ids::RULES);
    let text = || json!({"type": "string"});
    let list = |name: &str| {
        let items = json!({"$ref": format!("#/components/schemas/{name}")});
        json!({"type": "array", "items": items})
    };
    let schemas = &mut document["components"]["schemas"];
    schemas["RuleBody"]["properties"]["owner_id"] = text();
    schemas["RuleBody"]["properties"]["approval_above"] = json!({
        "type": ["integer", "null"],
        "format": "int64",
        "description": "Transfers of more than so many minor units wait for a person; none do when null.",
    });
    if let Some(required) = schemas["RuleBody"]["required"].as_array_mut() {
        required.extend([json!("owner_id"), json!("approval_above")]);
    }
    schemas["RuleFinding"]["properties"]["rule_id"] = json!({"type": ["string", "null"]});
    schemas["RuleExecution"]["properties"]["execution_mode"] =
        json!({"type": "string", "enum": ["live", "simulation"]});
    schemas["RuleFault"] = json!({
        "type": "object",
        "required": ["code", "path", "message"],
        "properties": {"code": text(), "path": text(), "message": text()},
    });
    schemas["LintBody"] = json!({
        "type": "object",
        "required": ["faults", "findings"],
        "properties": {"faults": list("RuleFault"), "findings": list("RuleFinding")},
    });
    schemas["RuleExecutionPage"] = json!({
        "type": "object",
        "required": ["data", "more"],
        "properties": {"data": list("RuleExecution"), "more": {"type": "boolean"}},
    });
}

fn operation(route: &Route) -> Value {
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    parameters.extend(route.query.iter().map(|(name, kind, required, about)| {
        json!({"name": name, "in": "query", "required": required, "description": about,
               "schema": {"type": kind}})
    }));
    let mut operation = json!({
        "summary": route.summary,
        "parameters": parameters,
        "responses": {
            "default": {
                "description": "An error, RFC 9457",
                "content": {"application/problem+json":
                    {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    });
    let schema = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let (status, schema) = match route.answer {
        Answer::Made(name) => ("201", schema(name)),
        Answer::One(name) => ("200", schema(name)),
        Answer::Many(name) => (
            "200",
            json!({"type": "object", "required": ["data"],
                   "properties": {"data": {"type": "array", "items": schema(name)}}}),
        ),
        Answer::Page(name) => (
            "200",
            json!({"type": "object", "required": ["data", "next", "more"],
                   "properties": {"data": {"type": "array", "items": schema(name)},
                                  "next": {"type": "string"}, "more": {"type": "boolean"}}}),
        ),
        Answer::Stream => ("200", json!({"type": "string"})),
        Answer::Object => ("200", json!({"type": "object"})),
        Answer::Nothing => ("204", Value::Null),
    };
    operation["responses"][status] = if matches!(route.answer, Answer::Stream) {
        json!({"description": "Server-sent events",
               "content": {"text/event-stream": {"schema": schema}}})
    } else if schema.is_null() {
        json!({"description": "Done"})
    } else {
        json!({"description": "Done", "content": {"application/json": {"schema": schema}}})
    };
    if !route.body.is_empty() {
        operation["requestBody"] = request_body(route.body);
    }
    operation
}

fn request_body(fields: &[Field]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, kind, needed, about) in fields {
        let schema = match *kind {
            "array" => json!({"type": "array", "description": about, "items": {"type": "object"}}),
            "strings" => {
                json!({"type": "array", "description": about, "items": {"type": "string"}})
            }
            kind => json!({"type": kind, "description": about}),
        };
        properties.insert((*name).to_owned(), schema);
        if *needed {
            required.push(*name);
        }
    }
    json!({
        "required": true,
        "content": {"application/json": {"schema": {
            "type": "object", "properties": properties, "required": required,
        }}},
    })
}

pub(super) async fn serve() -> Response {
    json_response(StatusCode::OK, document().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        let document: Value = serde_json::from_str(&document()).expect("JSON");
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().expect("a closing quote");
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
        assert_eq!(document["paths"].as_object().map(Map::len), Some(53));
    }
}
