//! Accounts and their holds.

use ledger::{AccountId, AccountKind, AccountState, Currency, ExternalKind, Hold, TenantId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{codes, count, id, number, time};
use crate::Result;
use crate::codes::Code;
use crate::postgres::error::{Damaged, DbError};
use crate::postgres::pool::{Ask, Plan, Readers, all};
use crate::postgres::rows::{self, ACCOUNT_LEN};
use crate::postgres::sql::sql;
use crate::query::{AccountClass, AccountPage, AccountQuery, AccountRow};

const COLUMNS: &str = sql!(rows::ACCOUNT, ", o.name");

const ACCOUNT: &str = sql!(
    "SELECT ",
    COLUMNS,
    " FROM accounts a JOIN owners o ON o.id = a.owner \
     WHERE a.id = $2 AND a.tenant = $1 AND a.kind < 16"
);

const HOLDS: &str = sql!(
    "SELECT ",
    rows::HOLD,
    " FROM accounts a JOIN holds h ON h.owner = a.owner AND h.account = a.id \
     WHERE a.id = $1 ORDER BY h.id"
);

/// Two ways to the accounts, so that each is found by its index.
const OF_TENANT: &str = "a.tenant = $1 AND $2::bigint IS NULL";
const OF_OWNER: &str = "a.owner = $2 AND a.tenant = $1";
/// Customers' accounts only: system accounts are never listed.
const FILTER: &str = " AND a.kind < 16 AND ($3::bigint[] IS NULL OR a.kind = ANY ($3)) \
     AND ($4::bigint[] IS NULL OR a.state = ANY ($4)) \
     AND ($5::bigint[] IS NULL OR a.state * 256 + a.reason = ANY ($5)) \
     AND ($6::text IS NULL OR a.currency = $6) AND ($7::bigint IS NULL OR a.profile = $7) \
     AND ($8::bigint IS NULL OR a.parent = $8) AND ($9::text IS NULL OR a.name = $9) \
     AND ($10::text IS NULL OR a.tag = $10) \
     AND ($11::bigint IS NULL OR a.created_ms >= $11) \
     AND ($12::bigint IS NULL OR a.created_ms <= $12)";
const OLDEST: &str = "a.created_ms, a.id";
const NEWEST: &str = "a.created_ms DESC, a.id DESC";

macro_rules! count_sql {
    ($which:expr) => {
        sql!("SELECT count(*) FROM accounts a WHERE ", $which, FILTER)
    };
}

/// Owners are looked up for the accounts of the page only.
macro_rules! page_sql {
    ($which:expr, $order:expr) => {
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM (SELECT a.* FROM accounts a WHERE ",
            $which,
            FILTER,
            " ORDER BY ",
            $order,
            " LIMIT $13 OFFSET $14) a JOIN owners o ON o.id = a.owner ORDER BY ",
            $order
        )
    };
}

const COUNT_OF_TENANT: &str = count_sql!(OF_TENANT);
const COUNT_OF_OWNER: &str = count_sql!(OF_OWNER);
const OLDEST_OF_TENANT: &str = page_sql!(OF_TENANT, OLDEST);
const OLDEST_OF_OWNER: &str = page_sql!(OF_OWNER, OLDEST);
const NEWEST_OF_TENANT: &str = page_sql!(OF_TENANT, NEWEST);
const NEWEST_OF_OWNER: &str = page_sql!(OF_OWNER, NEWEST);

/// A row of [`COLUMNS`].
fn account_row(row: &Row) -> std::result::Result<AccountRow, Damaged> {
    Ok(AccountRow {
        account: rows::account(row)?,
        owner_name: rows::text(row, ACCOUNT_LEN)?,
    })
}

/// What a query asks for, as the statements take it. Empty lists let nothing through.
struct Values<'a> {
    tenant: i64,
    owner: Option<i64>,
    kinds: Option<Vec<i64>>,
    states: Option<Vec<i64>>,
    reasons: Option<Vec<i64>>,
    currency: Option<String>,
    profile: Option<i64>,
    parent: Option<i64>,
    name: Option<&'a str>,
    tag: Option<&'a str>,
    created: (Option<i64>, Option<i64>),
    limit: i64,
    offset: i64,
}

impl<'a> Values<'a> {
    fn of(query: &'a AccountQuery) -> Values<'a> {
        let reasons = query.reasons.iter().map(|(state, reason)| {
            let (state, reason) = (i64::from(state.code()), i64::from(reason.code()));
            state * 256 + reason
        });
        Values {
            tenant: id(query.tenant.raw()),
            owner: query.owner.map(|owner| id(owner.raw())),
            kinds: kinds(query),
            states: states(query),
            reasons: (!query.reasons.is_empty()).then(|| reasons.collect()),
            currency: query.currency.map(|code| Currency::code(&code).to_owned()),
            profile: query.profile.map(|profile| id(profile.raw())),
            parent: query.parent.map(|parent| id(parent.raw())),
            name: query.name.as_deref(),
            tag: query.tag.as_deref(),
            created: (time(query.created_from), time(query.created_to)),
            limit: number(query.limit),
            offset: number(query.offset),
        }
    }

    /// In the order of the parameters; the last two are those of pages.
    fn all(&self) -> [&(dyn ToSql + Sync); 14] {
        [
            &self.tenant,
            &self.owner,
            &self.kinds,
            &self.states,
            &self.reasons,
            &self.currency,
            &self.profile,
            &self.parent,
            &self.name,
            &self.tag,
            &self.created.0,
            &self.created.1,
            &self.limit,
            &self.offset,
        ]
    }
}

/// The kinds that are both of the class and among those asked for; `None` for any.
fn kinds(query: &AccountQuery) -> Option<Vec<i64>> {
    let class: &[AccountKind] = match query.class {
        None => return codes(&query.kinds),
        Some(AccountClass::IncomeSource) => &[AccountKind::IncomeSource],
        Some(AccountClass::Pod) => &[AccountKind::Pod, AccountKind::PrepaidCard],
        Some(AccountClass::External) => &[
            AccountKind::External(ExternalKind::Depository),
            AccountKind::External(ExternalKind::Investment),
            AccountKind::External(ExternalKind::Liability),
        ],
    };
    let wanted = |kind: &&AccountKind| query.kinds.is_empty() || query.kinds.contains(kind);
    let kinds = class.iter().filter(wanted);
    Some(kinds.map(|kind| i64::from(kind.code())).collect())
}

/// The states asked for, without closed accounts unless these are wished; `None` for any.
fn states(query: &AccountQuery) -> Option<Vec<i64>> {
    if query.include_closed {
        return codes(&query.states);
    }
    let states = [AccountState::Active, AccountState::Blocked].into_iter();
    let wanted = |state: &AccountState| query.states.is_empty() || query.states.contains(state);
    let states = states.filter(wanted);
    Some(states.map(|state| i64::from(state.code())).collect())
}

fn page_of(query: &AccountQuery) -> &'static str {
    match (query.owner.is_some(), query.newest_first) {
        (false, false) => OLDEST_OF_TENANT,
        (false, true) => NEWEST_OF_TENANT,
        (true, false) => OLDEST_OF_OWNER,
        (true, true) => NEWEST_OF_OWNER,
    }
}

fn count_of(query: &AccountQuery) -> &'static str {
    match query.owner {
        None => COUNT_OF_TENANT,
        Some(_) => COUNT_OF_OWNER,
    }
}

impl Readers {
    pub(crate) async fn account(
        &self,
        tenant: TenantId,
        account: AccountId,
    ) -> Result<Option<AccountRow>> {
        let ask = Ask {
            sql: ACCOUNT,
            values: &[&id(tenant.raw()), &id(account.raw())],
        };
        Ok(self.one(ask, account_row).await?)
    }

    pub(crate) async fn accounts(&self, query: &AccountQuery) -> Result<Vec<AccountRow>> {
        let values = Values::of(query);
        let ask = Ask {
            sql: page_of(query),
            values: &values.all(),
        };
        Ok(all(&self.rows(Plan::Anew, ask).await?, account_row)?)
    }

    pub(crate) async fn accounts_page(&self, query: &AccountQuery) -> Result<AccountPage> {
        let values = Values::of(query);
        let values = values.all();
        let counting = Ask {
            sql: count_of(query),
            values: &values[..12],
        };
        let page = Ask {
            sql: page_of(query),
            values: &values,
        };
        let (counted, page) = self.rows_at_once(Plan::Anew, counting, page).await?;
        Ok(AccountPage {
            rows: all(&page, account_row)?,
            count: count(&counted)?,
        })
    }

    pub(crate) async fn holds(&self, account: AccountId) -> Result<Vec<Hold>> {
        let ask = Ask {
            sql: HOLDS,
            values: &[&id(account.raw())],
        };
        Ok(self.all(ask, rows::hold).await?)
    }

    /// The owner of an account and the number of its last entry.
    pub(super) async fn owner_and_entries(
        &self,
        account: AccountId,
    ) -> std::result::Result<Option<(i64, u64)>, DbError> {
        const FIND: &str = "SELECT a.owner, a.entries FROM accounts a WHERE a.id = $1";
        let ask = Ask {
            sql: FIND,
            values: &[&id(account.raw())],
        };
        self.one(ask, |row| Ok((rows::get(row, 0)?, rows::raw(row, 1)?)))
            .await
    }
}
