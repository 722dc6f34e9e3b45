//! Lists of accounts.

use std::sync::Arc;

use ledger::AccountKind;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use super::{all, id};
use crate::codes::Code;
use crate::embedded::rows;
use crate::query::{AccountClass, AccountPage, AccountQuery, AccountRow};

/// A row of [`rows::ACCOUNT`] and the owner's name.
pub(super) fn account_row(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    let owner_name = Arc::from(row.get_ref(30)?.as_str()?);
    Ok(AccountRow {
        account: rows::account(row)?,
        owner_name,
    })
}

/// Conditions on accounts `a`, with their values.
struct Conditions {
    sql: String,
    values: Vec<Value>,
}

impl Conditions {
    /// Customers' accounts only: system accounts are never listed.
    fn new(query: &AccountQuery) -> Conditions {
        let mut conditions = Conditions {
            sql: "a.tenant = ?1 AND a.kind < 16".to_owned(),
            values: vec![Value::from(id(query.tenant.raw()))],
        };
        conditions.of_object(query);
        conditions.of_state(query);
        conditions
    }

    /// Adds a condition in which `?` stands for the value.
    fn add(&mut self, text: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.values.push(value.into());
            let place = format!("?{}", self.values.len());
            self.sql.push_str(" AND ");
            self.sql.push_str(&text.replace('?', &place));
        }
    }

    /// Adds that a code is among those in a list, unless that is empty.
    fn add_codes(&mut self, column: &str, codes: impl Iterator<Item = u8>) {
        let codes: Vec<String> = codes.map(|code| code.to_string()).collect();
        if !codes.is_empty() {
            let codes = codes.join(", ");
            self.sql.push_str(&format!(" AND {column} IN ({codes})"));
        }
    }

    fn of_object(&mut self, query: &AccountQuery) {
        let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        self.add("a.owner = ?", query.owner.map(|owner| id(owner.raw())));
        let currency = query.currency.map(|currency| currency.code().to_owned());
        self.add("a.currency = ?", currency);
        self.add(
            "a.profile = ?",
            query.profile.map(|profile| id(profile.raw())),
        );
        self.add("a.parent = ?", query.parent.map(|parent| id(parent.raw())));
        self.add("a.name = ?", text(&query.name));
        self.add("a.tag = ?", text(&query.tag));
        self.add("a.created_ms >= ?", query.created_from.map(|at| at.0));
        self.add("a.created_ms <= ?", query.created_to.map(|at| at.0));
        match query.class {
            None => {}
            Some(AccountClass::IncomeSource) => self.sql.push_str(" AND a.kind = 1"),
            Some(AccountClass::Pod) => self.sql.push_str(" AND a.kind IN (2, 6)"),
            Some(AccountClass::External) => self.sql.push_str(" AND a.kind IN (3, 4, 5)"),
        }
        let kinds = query.kinds.iter().copied();
        self.add_codes("a.kind", kinds.map(AccountKind::code));
    }

    fn of_state(&mut self, query: &AccountQuery) {
        if !query.include_closed {
            self.sql.push_str(" AND a.state <> 3");
        }
        self.add_codes("a.state", query.states.iter().map(|state| state.code()));
        let reasons: Vec<String> = query
            .reasons
            .iter()
            .map(|(state, reason)| format!("({}, {})", state.code(), reason.code()))
            .collect();
        if !reasons.is_empty() {
            let reasons = reasons.join(", ");
            self.sql
                .push_str(&format!(" AND (a.state, a.reason) IN (VALUES {reasons})"));
        }
    }
}

pub(crate) fn accounts(
    views: &Connection,
    query: &AccountQuery,
) -> rusqlite::Result<Vec<AccountRow>> {
    let Conditions { sql, mut values } = Conditions::new(query);
    let order = if query.newest_first { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT {}, o.name FROM accounts a JOIN owners o ON o.id = a.owner WHERE {sql} \
         ORDER BY a.created_ms {order}, a.id {order} LIMIT ?{} OFFSET ?{}",
        rows::ACCOUNT,
        values.len() + 1,
        values.len() + 2,
    );
    for number in [query.limit, query.offset] {
        values.push(Value::from(i64::try_from(number).unwrap_or(i64::MAX)));
    }
    all(views, &sql, params_from_iter(values), account_row)
}

pub(crate) fn accounts_page(
    views: &Connection,
    query: &AccountQuery,
) -> rusqlite::Result<AccountPage> {
    let Conditions { sql, values } = Conditions::new(query);
    let sql = format!("SELECT count(*) FROM accounts a WHERE {sql}");
    let mut count = views.prepare_cached(&sql)?;
    let count: i64 = count.query_row(params_from_iter(values), |row| row.get(0))?;
    Ok(AccountPage {
        rows: accounts(views, query)?,
        count: count.cast_unsigned(),
    })
}
