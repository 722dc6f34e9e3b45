//! The dialect's objects as JSON. Every field is present; what is absent is `null`, as in the
//! seeds' examples.

use ledger::{AccountKind, ExternalKind, Party, Transfer};
use serde::Serialize;
use store::AccountRow;
use utoipa::ToSchema;

use super::ids::{self, spell};
use super::params::{direction_text, error_text, origin_text, status_text};
use crate::time;

/// One end of a transfer.
#[derive(Serialize, ToSchema)]
pub struct PartyBody {
    /// `acc_…`
    id: String,
    name: String,
    /// `income_source`, `pod` or `external_account`.
    r#type: &'static str,
}

impl PartyBody {
    fn new(party: &Party) -> PartyBody {
        PartyBody {
            id: spell(ids::ACCOUNT, party.id.raw()),
            name: party.name.to_string(),
            r#type: type_text(party.kind),
        }
    }
}

/// A transfer (seed 000, 001).
#[derive(Serialize, ToSchema)]
pub struct TransferBody {
    /// `txr_…`
    id: String,
    /// Cents, always positive; the direction carries the sign.
    amount_in_cents: i64,
    /// `money_in`, `money_out` or `internal`.
    direction: &'static str,
    /// `paycheck`, `check_deposit`, `cashback`, `user_pull`, `rule`, `user` or `external_pull`.
    origin: &'static str,
    /// `pending_approval`, `processing`, `pending`, `complete`, `incomplete`, `error` or
    /// `cancelled`.
    status: &'static str,
    /// Null for senders outside that are not linked.
    #[schema(required)]
    source: Option<PartyBody>,
    /// Null when the money was drawn from outside.
    #[schema(required)]
    destination: Option<PartyBody>,
    /// Set when `origin` is `rule`.
    #[schema(required)]
    rule_id: Option<String>,
    /// Set when `origin` is `rule`.
    #[schema(required)]
    rule_execution_id: Option<String>,
    /// Set when `status` is `incomplete` or `error`.
    #[schema(required)]
    error_code: Option<&'static str>,
    /// RFC 3339, UTC.
    created_at: String,
    /// Set when `status` is `complete`.
    #[schema(required)]
    completed_at: Option<String>,
}

impl TransferBody {
    pub(super) fn new(
        transfer: &Transfer,
        source: Option<&Party>,
        destination: Option<&Party>,
    ) -> TransferBody {
        let (rule, execution) = transfer.rule.unzip();
        TransferBody {
            id: spell(ids::TRANSFER, transfer.id.raw()),
            amount_in_cents: transfer.amount.minor(),
            direction: direction_text(transfer.direction),
            origin: origin_text(transfer.origin),
            status: status_text(transfer.status),
            source: source.map(PartyBody::new),
            destination: destination.map(PartyBody::new),
            rule_id: rule.map(|rule| spell(ids::RULE, rule.raw())),
            rule_execution_id: execution.map(|run| spell(ids::EXECUTION, run.raw())),
            error_code: transfer.error.map(error_text),
            created_at: time::render(transfer.created_at),
            completed_at: transfer.completed_at.map(time::render),
        }
    }
}

/// An account in a list (seed 002).
#[derive(Serialize, ToSchema)]
pub struct AccountSummary {
    /// `acc_…`
    id: String,
    name: String,
    /// `income_source`, `pod` or `external_account`.
    r#type: &'static str,
    #[schema(required)]
    description: Option<String>,
    /// `DEPOSITORY`, `INVESTMENT`, `LIABILITY`, or null for accounts that are not external.
    #[schema(required)]
    external_account_type: Option<&'static str>,
    #[schema(required)]
    beneficiary_name: Option<String>,
    #[schema(required)]
    institution_name: Option<String>,
    can_be_source: bool,
    can_be_destination: bool,
    /// RFC 3339, UTC.
    created_at: String,
    /// RFC 3339, UTC.
    updated_at: String,
}

impl AccountSummary {
    pub(super) fn new(row: &AccountRow) -> AccountSummary {
        let account = &row.account;
        AccountSummary {
            id: spell(ids::ACCOUNT, account.id.raw()),
            name: account.name.to_string(),
            r#type: type_text(account.kind),
            description: account.description.as_deref().map(str::to_owned),
            external_account_type: external_text(account.kind),
            beneficiary_name: Some(row.owner_name.to_string()),
            institution_name: account.institution.as_deref().map(str::to_owned),
            can_be_source: account.can_be_source,
            can_be_destination: account.can_be_destination,
            created_at: time::render(account.created_at),
            updated_at: time::render(account.updated_at),
        }
    }
}

/// One account with masked details and its balance (sequence-api §2.4).
#[derive(Serialize, ToSchema)]
pub struct AccountDetails {
    #[serde(flatten)]
    summary: AccountSummary,
    /// Masked to the last four digits.
    #[schema(required)]
    routing_number: Option<String>,
    /// Masked to the last four digits.
    #[schema(required)]
    bank_account_number: Option<String>,
    /// Null when nothing is known of the balance.
    #[schema(required)]
    balance: Option<BalanceBody>,
}

/// What is on an account.
#[derive(Serialize, ToSchema)]
pub struct BalanceBody {
    /// Cents; for a liability what is owed, positive.
    #[schema(required)]
    balance_in_cents: Option<i64>,
    /// Cents that can be spent.
    #[schema(required)]
    available_balance_in_cents: Option<i64>,
    #[schema(required)]
    last_statement_balance_in_cents: Option<i64>,
    /// `YYYY-MM-DD`
    #[schema(required)]
    last_statement_date: Option<String>,
    #[schema(required)]
    next_payment_minimum_in_cents: Option<i64>,
    /// `YYYY-MM-DD`
    #[schema(required)]
    next_payment_due_date: Option<String>,
    /// RFC 3339, UTC.
    #[schema(required)]
    balance_last_updated_at: Option<String>,
    #[schema(required)]
    error: Option<String>,
    #[schema(required)]
    interest_rate_percentage: Option<i64>,
    #[schema(required)]
    original_loan_amount_in_cents: Option<i64>,
}

impl AccountDetails {
    /// `now` is the tenant's time: a held account's balance is current as of it.
    pub(super) fn new(row: &AccountRow, now: ledger::Millis) -> AccountDetails {
        let account = &row.account;
        let mask = |digits: &Option<std::sync::Arc<str>>| {
            digits.as_deref().map(|digits| format!("••••{digits}"))
        };
        let reported = &account.reported;
        let balance = if account.kind.is_held() {
            Some(BalanceBody {
                balance_in_cents: Some(account.balance),
                available_balance_in_cents: Some(account.available()),
                balance_last_updated_at: Some(time::render(now)),
                ..BalanceBody::NOTHING
            })
        } else {
            reported.updated_at.map(|at| BalanceBody {
                balance_in_cents: reported.balance,
                available_balance_in_cents: reported.available,
                last_statement_balance_in_cents: reported.last_statement,
                last_statement_date: reported.last_statement_date.as_deref().map(str::to_owned),
                next_payment_minimum_in_cents: reported.next_payment_minimum,
                next_payment_due_date: reported.next_payment_due_date.as_deref().map(str::to_owned),
                balance_last_updated_at: Some(time::render(at)),
                ..BalanceBody::NOTHING
            })
        };
        AccountDetails {
            summary: AccountSummary::new(row),
            routing_number: mask(&account.routing_last_four),
            bank_account_number: mask(&account.number_last_four),
            balance,
        }
    }
}

impl BalanceBody {
    const NOTHING: BalanceBody = BalanceBody {
        balance_in_cents: None,
        available_balance_in_cents: None,
        last_statement_balance_in_cents: None,
        last_statement_date: None,
        next_payment_minimum_in_cents: None,
        next_payment_due_date: None,
        balance_last_updated_at: None,
        error: None,
        interest_rate_percentage: None,
        original_loan_amount_in_cents: None,
    };
}

fn type_text(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::IncomeSource => "income_source",
        // A card with a balance of its own is money set aside like any pod; a debit card has none
        // and never is an end of a transfer.
        AccountKind::Pod | AccountKind::PrepaidCard | AccountKind::DebitCard => "pod",
        AccountKind::External(_) | AccountKind::System(_) => "external_account",
    }
}

fn external_text(kind: AccountKind) -> Option<&'static str> {
    match kind {
        AccountKind::External(ExternalKind::Depository) => Some("DEPOSITORY"),
        AccountKind::External(ExternalKind::Investment) => Some("INVESTMENT"),
        AccountKind::External(ExternalKind::Liability) => Some("LIABILITY"),
        _ => None,
    }
}
