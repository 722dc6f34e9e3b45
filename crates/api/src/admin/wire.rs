//! The admin API's objects as JSON. Sums are minor units; times RFC 3339 in UTC.

use ledger::{
    AccountKind, AccountState, ExternalKind, Hold, Owner, OwnerKind, Party, Side, Tenant,
    TenantClock, TenantMode,
};
use serde::Serialize;
use serde_json::{Value, json};
use service::multi::TenantSettings;
use store::{AccountRow, EntryRow, KeyRecord, Permission, Resources, Selector, TransferRow};
use utoipa::ToSchema;

use super::ids::{self, spell};
use crate::time;

#[derive(Serialize, ToSchema)]
pub(super) struct TenantBody {
    id: String,
    name: String,
    /// `live` or `sandbox`.
    mode: &'static str,
    /// The tenant's time now.
    now: String,
    /// Whether its clock stands still.
    frozen: bool,
    created_at: String,
}

impl TenantBody {
    pub(super) fn new(tenant: &Tenant, machine: ledger::Millis) -> TenantBody {
        TenantBody {
            id: spell(ids::TENANT, tenant.id.raw()),
            name: tenant.name.to_string(),
            mode: match tenant.mode {
                TenantMode::Live => "live",
                TenantMode::Sandbox => "sandbox",
            },
            now: time::render(tenant.clock.now(machine)),
            frozen: matches!(tenant.clock, TenantClock::Frozen { .. }),
            created_at: time::render(tenant.created_at),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct SettingsBody {
    /// Whether requests of the Multi dialect may only have fields that are known.
    strict: bool,
    /// Whether one person may be the root user of several identities.
    multi_identity: bool,
    /// Whether the limits are those of the tenant's mode.
    default_rate_limits: bool,
    /// The limits in force; none when empty.
    rate_limits: Vec<RateLimitBody>,
    /// What rounding an account down means in rules: `MULTIPLE` or `BUFFER`.
    round_down: &'static str,
    /// Minutes that the calendar of rules is ahead of UTC.
    utc_offset_minutes: i16,
    /// What goes wrong with the tenant's writes and deliveries.
    faults: Vec<FaultBody>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct FaultBody {
    /// Such as `commit-then-500`.
    fault: String,
    /// 1 is every time, 3 the first and then every third.
    every: u32,
}

#[derive(Serialize, ToSchema)]
pub(super) struct RateLimitBody {
    requests: u32,
    /// Seconds.
    window_s: u32,
}

impl SettingsBody {
    pub(super) fn new(settings: &TenantSettings, is_live: bool) -> SettingsBody {
        let limits = settings.limits(is_live).iter();
        SettingsBody {
            strict: settings.strict,
            multi_identity: settings.multi_identity,
            default_rate_limits: settings.rate_limits.is_none(),
            round_down: match settings.rules.round_down_keeps_buffer {
                true => "BUFFER",
                false => "MULTIPLE",
            },
            utc_offset_minutes: settings.rules.utc_offset_minutes,
            faults: settings
                .faults
                .iter()
                .map(|switch| FaultBody {
                    fault: switch.fault.clone(),
                    every: switch.every,
                })
                .collect(),
            rate_limits: limits
                .map(|limit| RateLimitBody {
                    requests: limit.requests,
                    window_s: limit.window_s,
                })
                .collect(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct OwnerBody {
    id: String,
    name: String,
    /// `beneficiary`, `corporate` or `consumer`.
    kind: &'static str,
    created_at: String,
}

impl OwnerBody {
    pub(super) fn new(owner: &Owner) -> OwnerBody {
        OwnerBody {
            id: spell(ids::OWNER, owner.id.raw()),
            name: owner.name.to_string(),
            kind: match owner.kind {
                OwnerKind::Beneficiary => "beneficiary",
                OwnerKind::Corporate => "corporate",
                OwnerKind::Consumer => "consumer",
            },
            created_at: time::render(owner.created_at),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct AccountBody {
    id: String,
    owner_id: String,
    owner_name: String,
    name: String,
    /// `income_source`, `pod` or `external_account`.
    r#type: &'static str,
    #[schema(required)]
    external_account_type: Option<&'static str>,
    #[schema(required)]
    description: Option<String>,
    #[schema(required)]
    institution_name: Option<String>,
    currency: String,
    /// `active`, `blocked` or `closed`.
    state: &'static str,
    can_be_source: bool,
    can_be_destination: bool,
    /// Minor units.
    balance: i64,
    /// Minor units.
    held: i64,
    /// Minor units: balance less held.
    available: i64,
    /// What the institution reported, in minor units.
    #[schema(required)]
    reported_balance: Option<i64>,
    created_at: String,
    updated_at: String,
}

impl AccountBody {
    pub(super) fn new(row: &AccountRow) -> AccountBody {
        let account = &row.account;
        AccountBody {
            id: spell(ids::ACCOUNT, account.id.raw()),
            owner_id: spell(ids::OWNER, account.owner.raw()),
            owner_name: row.owner_name.to_string(),
            name: account.name.to_string(),
            r#type: type_text(account.kind),
            external_account_type: match account.kind {
                AccountKind::External(ExternalKind::Depository) => Some("DEPOSITORY"),
                AccountKind::External(ExternalKind::Investment) => Some("INVESTMENT"),
                AccountKind::External(ExternalKind::Liability) => Some("LIABILITY"),
                _ => None,
            },
            description: account.description.as_deref().map(str::to_owned),
            institution_name: account.institution.as_deref().map(str::to_owned),
            currency: account.currency.to_string(),
            state: match account.state {
                AccountState::Active => "active",
                AccountState::Blocked => "blocked",
                AccountState::Destroyed => "closed",
            },
            can_be_source: account.can_be_source,
            can_be_destination: account.can_be_destination,
            balance: account.balance,
            held: account.held,
            available: account.available(),
            reported_balance: account.reported.balance,
            created_at: time::render(account.created_at),
            updated_at: time::render(account.updated_at),
        }
    }
}

pub(super) fn type_text(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::IncomeSource => "income_source",
        AccountKind::Pod => "pod",
        AccountKind::PrepaidCard => "prepaid_card",
        AccountKind::DebitCard => "debit_card",
        AccountKind::External(_) => "external_account",
        AccountKind::System(_) => "system",
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct EntryBody {
    /// The entry's number within the account, from 1.
    sequence: u64,
    transfer_id: String,
    /// `debit` or `credit`.
    side: &'static str,
    /// Minor units, positive.
    amount: i64,
    /// Minor units.
    balance_after: i64,
    at: String,
}

impl EntryBody {
    pub(super) fn new(entry: &EntryRow) -> EntryBody {
        EntryBody {
            sequence: entry.sequence,
            transfer_id: spell(ids::TRANSFER, entry.transfer.raw()),
            side: match entry.side {
                Side::Debit => "debit",
                Side::Credit => "credit",
            },
            amount: entry.amount_minor,
            balance_after: entry.balance_after,
            at: time::render(entry.at),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct HoldBody {
    id: String,
    account_id: String,
    /// Minor units.
    amount: i64,
    currency: String,
    created_at: String,
    #[schema(required)]
    expires_at: Option<String>,
}

impl HoldBody {
    pub(super) fn new(hold: &Hold) -> HoldBody {
        HoldBody {
            id: spell(ids::HOLD, hold.id.raw()),
            account_id: spell(ids::ACCOUNT, hold.account.raw()),
            amount: hold.amount.minor(),
            currency: hold.amount.currency().to_string(),
            created_at: time::render(hold.created_at),
            expires_at: hold.expires_at.map(time::render),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct PartyBody {
    id: String,
    name: String,
    r#type: &'static str,
}

#[derive(Serialize, ToSchema)]
pub(super) struct TransferBody {
    id: String,
    /// Minor units, positive.
    amount: i64,
    currency: String,
    direction: String,
    origin: String,
    status: String,
    #[schema(required)]
    source: Option<PartyBody>,
    #[schema(required)]
    destination: Option<PartyBody>,
    #[schema(required)]
    error_code: Option<&'static str>,
    #[schema(required)]
    api_key_id: Option<String>,
    /// The rule that made it.
    #[schema(required)]
    rule_id: Option<String>,
    /// The run of that rule.
    #[schema(required)]
    rule_execution_id: Option<String>,
    /// What was taken for it besides, in minor units.
    fee: i64,
    /// The profile it was made under; Multi's transfers have one.
    #[schema(required)]
    profile_id: Option<String>,
    #[schema(required)]
    tag: Option<String>,
    #[schema(required)]
    description: Option<String>,
    /// Why it was called off.
    #[schema(required)]
    cancel_reason: Option<String>,
    /// The card that paid or was paid back; a debit card's money is on its account.
    #[schema(required)]
    card_id: Option<String>,
    created_at: String,
    updated_at: String,
    /// When it is to happen, if not at once.
    #[schema(required)]
    scheduled_at: Option<String>,
    #[schema(required)]
    completed_at: Option<String>,
}

impl TransferBody {
    pub(super) fn new(row: &TransferRow) -> TransferBody {
        let party = |party: &Option<Party>| {
            party.as_ref().map(|party| PartyBody {
                id: spell(ids::ACCOUNT, party.id.raw()),
                name: party.name.to_string(),
                r#type: type_text(party.kind),
            })
        };
        let transfer = &row.transfer;
        let (rule, execution) = transfer.rule.unzip();
        TransferBody {
            id: spell(ids::TRANSFER, transfer.id.raw()),
            amount: transfer.amount.minor(),
            currency: transfer.amount.currency().to_string(),
            direction: snake_case(&format!("{:?}", transfer.direction)),
            origin: snake_case(&format!("{:?}", transfer.origin)),
            status: snake_case(&format!("{:?}", transfer.status)),
            source: party(&row.source),
            destination: party(&row.destination),
            error_code: transfer.error.map(ledger::ErrorCode::name),
            api_key_id: transfer.key.map(|key| spell(ids::KEY, key.raw())),
            rule_id: rule.map(|rule| spell(ids::RULE, rule.raw())),
            rule_execution_id: execution.map(|run| spell(ids::EXECUTION, run.raw())),
            fee: transfer.fee_minor,
            profile_id: transfer
                .profile
                .map(|profile| spell(ids::PROFILE, profile.raw())),
            tag: transfer.tag.as_deref().map(str::to_owned),
            description: transfer.description.as_deref().map(str::to_owned),
            cancel_reason: transfer.cancel_reason.as_deref().map(str::to_owned),
            card_id: transfer.card.map(|card| spell(ids::ACCOUNT, card.raw())),
            created_at: time::render(transfer.created_at),
            updated_at: time::render(transfer.updated_at),
            scheduled_at: transfer.scheduled_at.map(time::render),
            completed_at: transfer.completed_at.map(time::render),
        }
    }
}

/// `MoneyIn` as `money_in`: the core's own names, spelled for the wire.
pub(super) fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 2);
    for (index, character) in name.chars().enumerate() {
        if character.is_ascii_uppercase() && index > 0 {
            text.push('_');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}

#[derive(Serialize, ToSchema)]
pub(super) struct KeyBody {
    id: String,
    name: String,
    /// The secret's last four characters.
    hint: String,
    /// Entries `{"scope", "resources"}`.
    permissions: Vec<Value>,
    created_at: String,
    #[schema(required)]
    revoked_at: Option<String>,
    /// The secret, only in the answer that makes the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl KeyBody {
    pub(super) fn new(key: &KeyRecord, secret: Option<String>) -> KeyBody {
        KeyBody {
            id: spell(ids::KEY, key.id.raw()),
            name: key.name.to_string(),
            hint: key.hint.to_string(),
            permissions: key.permissions.iter().map(permission_json).collect(),
            created_at: time::render(key.created_at),
            revoked_at: key.revoked_at.map(time::render),
            secret,
        }
    }
}

fn permission_json(permission: &Permission) -> Value {
    let resources = |scope: &str, prefix: &str, resources: &Resources| match resources {
        Resources::All => json!({"scope": scope, "resources": "*"}),
        Resources::Ids(ids) => {
            let ids: Vec<String> = ids.iter().map(|id| spell(prefix, *id)).collect();
            json!({"scope": scope, "resources": ids})
        }
    };
    let selector = |selector: Selector| match selector {
        Selector::All => "*".to_owned(),
        Selector::Id(id) => spell(ids::ACCOUNT, id),
    };
    match permission {
        Permission::ListAccounts => json!({"scope": "LIST_ACCOUNTS"}),
        Permission::ListRules => json!({"scope": "LIST_RULES"}),
        Permission::ReadAuditLogs => json!({"scope": "READ_AUDIT_LOGS", "resources": "*"}),
        Permission::Programme => json!({"scope": "PROGRAMME"}),
        Permission::Simulator => json!({"scope": "SIMULATOR"}),
        Permission::ReadAccounts(ids) => resources("READ_ACCOUNTS", ids::ACCOUNT, ids),
        Permission::ReadRules(ids) => resources("READ_RULES", ids::RULE, ids),
        Permission::TriggerRules(ids) => resources("TRIGGER_RULES", ids::RULE, ids),
        Permission::ReadRuleExecutions(ids) => resources("READ_RULE_EXECUTIONS", ids::RULE, ids),
        Permission::CreateAndEditRules(ids) => resources("CREATE_AND_EDIT_RULES", ids::RULE, ids),
        Permission::CreateAndDeleteAccounts(ids) => {
            resources("CREATE_AND_DELETE_ACCOUNTS", ids::ACCOUNT, ids)
        }
        Permission::ReadTransfers(ids) => resources("READ_TRANSFERS", ids::ACCOUNT, ids),
        Permission::ReadCards(ids) => resources("READ_CARDS", ids::ACCOUNT, ids),
        Permission::ManualTransfer(sets) => {
            let sets: Vec<Value> = sets
                .iter()
                .map(|set| {
                    let mut pair = json!({
                        "source": selector(set.source),
                        "target": selector(set.target),
                    });
                    if let Some(most) = set.max_amount {
                        pair["max_amount"] = json!(most);
                    }
                    if let Some(above) = set.approval_above {
                        pair["approval_above"] = json!(above);
                    }
                    pair
                })
                .collect();
            json!({"scope": "MANUAL_TRANSFER", "resources": sets})
        }
    }
}
