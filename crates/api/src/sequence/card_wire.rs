//! Cards and what was paid with them as JSON (sequence-api §6).

use ledger::{AccountState, Direction, StateReason};
use serde::Serialize;
use service::CardView;
use store::TransferRow;
use utoipa::ToSchema;

use super::ids::{self, spell};
use crate::cards::{Face, Month};
use crate::time;

/// A card.
#[derive(Serialize, ToSchema)]
pub struct CardBody {
    /// `card_…`
    id: String,
    /// `virtual` or `physical`.
    r#type: &'static str,
    /// `active`, `inactive`, `frozen`, `stolen` or `lost`.
    status: &'static str,
    last_four: String,
    holder_name: String,
    /// Month and year, `MM/YY`.
    expiration_date: String,
    /// The account it spends from: `acc_…`.
    account_id: String,
    /// RFC 3339, UTC.
    created_at: String,
}

impl CardBody {
    /// No card here is plastic. One without a name on it is its owner's.
    pub(super) fn new(view: &CardView) -> CardBody {
        let card = &view.card;
        let face = Face::of(card);
        let Month { month, year } = face.expires;
        CardBody {
            id: spell(ids::CARD, card.id.raw()),
            r#type: VIRTUAL,
            status: status_text(view),
            last_four: card
                .number_last_four
                .as_deref()
                .unwrap_or("0000")
                .to_owned(),
            holder_name: face.holder.unwrap_or_else(|| view.owner_name.to_string()),
            expiration_date: format!("{month:02}/{year:02}"),
            account_id: spell(ids::ACCOUNT, view.account.raw()),
            created_at: time::render(card.created_at),
        }
    }
}

/// What every card here is made of: data.
pub(super) const VIRTUAL: &str = "virtual";
pub(super) const TYPES: &[&str] = &[VIRTUAL, "physical"];
pub(super) const STATUSES: &[&str] = &["active", "inactive", "frozen", "stolen", "lost"];

/// A blocked card is frozen; one that ended, by its time or by its owner, is inactive. What was lost
/// or stolen is that for good.
pub(super) fn status_text(view: &CardView) -> &'static str {
    match (view.card.state, view.card.reason) {
        (AccountState::Active, _) => "active",
        (_, Some(StateReason::Lost)) => "lost",
        (_, Some(StateReason::Stolen)) => "stolen",
        (AccountState::Blocked, _) => "frozen",
        (AccountState::Destroyed, _) => "inactive",
    }
}

/// Something that was paid with a card, or paid back.
#[derive(Serialize, ToSchema)]
pub struct CardTransactionBody {
    /// `ctx_…`
    id: String,
    /// `card_…`
    card_id: String,
    /// `debit` for what was paid, `credit` for what was paid back.
    direction: &'static str,
    /// `complete`
    status: &'static str,
    /// Cents, always positive; the direction carries the sign.
    amount_in_cents: i64,
    /// The merchant.
    #[schema(required)]
    description: Option<String>,
    /// RFC 3339, UTC.
    created_at: String,
    /// RFC 3339, UTC.
    #[schema(required)]
    completed_at: Option<String>,
}

pub(super) const DIRECTIONS: &[&str] = &["debit", "credit"];

impl CardTransactionBody {
    /// `card` made the transfer.
    pub(super) fn new(card: u64, row: &TransferRow) -> CardTransactionBody {
        let transfer = &row.transfer;
        CardTransactionBody {
            id: spell(ids::CARD_TRANSACTION, transfer.id.raw()),
            card_id: spell(ids::CARD, card),
            direction: match transfer.direction {
                Direction::MoneyIn => "credit",
                Direction::MoneyOut | Direction::Internal => "debit",
            },
            // What is paid with a card is settled at once.
            status: "complete",
            amount_in_cents: transfer.amount.minor(),
            description: transfer.description.as_deref().map(str::to_owned),
            created_at: time::render(transfer.created_at),
            completed_at: transfer.completed_at.map(time::render),
        }
    }
}
