//! Accounts of every kind, with their balances and states.

use std::sync::Arc;

use crate::id::{AccountId, OwnerId, ProfileId, TenantId};
use crate::money::Currency;
use crate::time::Millis;

/// How money reaches an external account.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Rail {
    /// A timed imitation: settles after a configured delay, or is returned.
    Simulated,
}

/// What an external account is at its institution.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ExternalKind {
    /// Checking or savings.
    Depository,
    /// A brokerage account: money goes in only.
    Investment,
    /// A credit card or loan: money goes in only.
    Liability,
}

/// Accounts that make every posting sum to zero. Kept per owner and currency, summed on read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum SystemKind {
    /// Everything outside: the other side of money that comes in or has left.
    World,
    /// Money that left an account and has not yet arrived over this rail.
    InTransit(Rail),
    /// What the owner has paid in fees.
    FeeIncome,
}

/// The two classes of instruments that Multi moves money between.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum InstrumentClass {
    /// A managed account: a pod.
    Account,
    /// A managed card, prepaid or debit.
    Card,
}

/// What kind of account it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AccountKind {
    /// Where pay arrives.
    IncomeSource,
    /// Money set aside for a purpose; Multi calls it a managed account.
    Pod,
    /// A card with a balance of its own.
    PrepaidCard,
    /// A card that spends from its parent account and has no balance of its own.
    DebitCard,
    /// An account held elsewhere; its money is not ours to hold.
    External(ExternalKind),
    /// One of the owner's own balancing accounts.
    System(SystemKind),
}

impl AccountKind {
    /// Whether the ledger holds this account's money (income sources, pods and prepaid cards).
    #[must_use]
    pub fn is_held(self) -> bool {
        matches!(
            self,
            AccountKind::IncomeSource | AccountKind::Pod | AccountKind::PrepaidCard
        )
    }

    /// What Multi calls it; `None` for what is no instrument there.
    #[must_use]
    pub fn instrument(self) -> Option<InstrumentClass> {
        match self {
            AccountKind::Pod => Some(InstrumentClass::Account),
            AccountKind::PrepaidCard | AccountKind::DebitCard => Some(InstrumentClass::Card),
            _ => None,
        }
    }

    /// Whether it can be the source and the destination of transfers unless said otherwise.
    ///
    /// Source: the seed's examples of `GET /accounts`; investment accounts and liabilities only
    /// take money in (sequence-api §2.2).
    #[must_use]
    pub fn default_roles(self) -> (bool, bool) {
        match self {
            AccountKind::IncomeSource => (true, false),
            AccountKind::Pod
            | AccountKind::PrepaidCard
            | AccountKind::External(ExternalKind::Depository) => (true, true),
            AccountKind::External(_) => (false, true),
            AccountKind::DebitCard | AccountKind::System(_) => (false, false),
        }
    }

    /// The least an account of this kind may have available, in minor units; `None`: no limit.
    #[must_use]
    pub fn floor(self) -> Option<i64> {
        match self {
            AccountKind::System(_) => None,
            _ => Some(0),
        }
    }
}

/// Whether an account takes part in transfers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AccountState {
    /// In use.
    Active,
    /// Stopped for now; may become active again.
    Blocked,
    /// Closed for good, with a balance of zero.
    Destroyed,
}

/// Why an account is blocked or closed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StateReason {
    /// Its owner wished it.
    User,
    /// The operator did it.
    System,
    /// The card was lost.
    Lost,
    /// The card was stolen.
    Stolen,
    /// The card has expired.
    Expired,
    /// The card's data became known to others.
    Compromised,
}

/// What an institution last reported of an external account. All sums in minor units.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reported {
    /// The balance; for a liability the amount owed, positive.
    pub balance: Option<i64>,
    /// What can be spent.
    pub available: Option<i64>,
    /// The balance of the last statement.
    pub last_statement: Option<i64>,
    /// The least to pay next.
    pub next_payment_minimum: Option<i64>,
    /// The day of the last statement, `YYYY-MM-DD`.
    pub last_statement_date: Option<Arc<str>>,
    /// The day the next payment is due, `YYYY-MM-DD`.
    pub next_payment_due_date: Option<Arc<str>>,
    /// When it was reported.
    pub updated_at: Option<Millis>,
}

/// An account: what it is, and how much is in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The owner, and so the only one whose accounts it can exchange money with.
    pub owner: OwnerId,
    /// What kind of account it is.
    pub kind: AccountKind,
    /// Its name, 1 to 100 characters.
    pub name: Arc<str>,
    /// The user's note, up to 255 characters.
    pub description: Option<Arc<str>>,
    /// The bank, up to 100 characters.
    pub institution: Option<Arc<str>>,
    /// The last four digits of its account number; longer numbers are never stored.
    pub number_last_four: Option<Arc<str>>,
    /// The last four digits of its routing number.
    pub routing_last_four: Option<Arc<str>>,
    /// The currency of its balance.
    pub currency: Currency,
    /// The profile it was opened under, for instruments.
    pub profile: Option<ProfileId>,
    /// The account that a debit card spends from.
    pub parent: Option<AccountId>,
    /// The user's own mark to search by, up to 50 characters.
    pub tag: Option<Arc<str>>,
    /// What a dialect keeps with the account and the ledger does not look at, as JSON.
    pub details: Option<Arc<str>>,
    /// Whether it takes part in transfers.
    pub state: AccountState,
    /// Why it is blocked or closed; `None` while it is active, and where no reason was kept.
    pub reason: Option<StateReason>,
    /// Whether money may be taken from it by a transfer.
    pub can_be_source: bool,
    /// Whether money may be put into it by a transfer.
    pub can_be_destination: bool,
    /// What an institution reported, for external accounts.
    pub reported: Reported,
    /// When it was opened, by the tenant's clock.
    pub created_at: Millis,
    /// When anything but its balance last changed.
    pub updated_at: Millis,
    /// The sum of its entries in minor units, credits positive.
    pub balance: i64,
    /// The sum of its holds in minor units, never negative.
    pub held: i64,
    /// The sequence number of its last entry; the first entry has number 1.
    pub entries: u64,
}

impl Account {
    /// What can be spent: the balance less what is held, in minor units.
    #[must_use]
    pub fn available(&self) -> i64 {
        self.balance.saturating_sub(self.held)
    }

    /// How the account appears in a transfer.
    #[must_use]
    pub fn party(&self) -> Party {
        Party {
            id: self.id,
            kind: self.kind,
            name: Arc::clone(&self.name),
        }
    }
}

/// One end of a transfer as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Party {
    /// The account.
    pub id: AccountId,
    /// Its kind.
    pub kind: AccountKind,
    /// Its name when the transfer was answered.
    pub name: Arc<str>,
}
