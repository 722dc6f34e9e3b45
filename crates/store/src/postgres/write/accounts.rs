//! Accounts, their balances, entries and holds.

use std::collections::BTreeMap;

use ledger::{Account, AccountId, Millis, OwnerId};

use super::Write;
use super::columns::{code, line, row, signed, text};
use crate::postgres::chain::{self, Chain};
use crate::postgres::failure::Failure;
use crate::postgres::session::Call;
use crate::query::EntryRow;

const ADD_ACCOUNTS: &str = "INSERT INTO accounts \
     (owner, id, tenant, kind, name, description, institution, number_last_four, \
     routing_last_four, currency, state, can_be_source, can_be_destination, reported_balance, \
     reported_available, reported_last_statement, reported_next_payment_minimum, \
     reported_last_statement_date, reported_next_payment_due_date, reported_updated_ms, \
     created_ms, updated_ms, balance, held, entries, profile, parent, tag, details, reason, \
     chain, entries_until_ms) \
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], \
     $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[], \
     $12::boolean[], $13::boolean[], $14::bigint[], $15::bigint[], $16::bigint[], \
     $17::bigint[], $18::text[], $19::text[], $20::bigint[], $21::bigint[], $22::bigint[], \
     $23::bigint[], $24::bigint[], $25::bigint[], $26::bigint[], $27::bigint[], $28::text[], \
     $29::text[], $30::bigint[], $31::bytea[], $32::bigint[])";
const SET_BALANCES: &str = "UPDATE accounts AS a \
     SET balance = ($3::bigint[])[w.place + 3], held = ($3::bigint[])[w.place + 4], \
     entries = ($3::bigint[])[w.place + 5], chain = ($4::bytea[])[w.line], \
     entries_until_ms = ($3::bigint[])[w.place + 6] \
     FROM unnest($1::bigint[], $2::bigint[]) AS w (line, place) \
     WHERE a.owner = ($3::bigint[])[w.place + 1] AND a.id = ($3::bigint[])[w.place + 2]";
/// The same, if the accounts are as they are believed to be: one that is not has no number of entries
/// then, which is refused. Who moves money looks at nothing else that can change.
const SET_TRUSTED_BALANCES: &str = "UPDATE accounts AS a \
     SET balance = ($3::bigint[])[w.place + 3], held = ($3::bigint[])[w.place + 4], \
     entries = CASE WHEN a.entries = ($3::bigint[])[w.place + 7] \
     AND a.held = ($3::bigint[])[w.place + 8] AND a.updated_ms = ($3::bigint[])[w.place + 9] \
     AND a.state = ($3::bigint[])[w.place + 10] AND a.name = ($5::text[])[w.line] THEN ($3::bigint[])[w.place + 5] END, \
     chain = ($4::bytea[])[w.line], entries_until_ms = ($3::bigint[])[w.place + 6] \
     FROM unnest($1::bigint[], $2::bigint[]) AS w (line, place) \
     WHERE a.owner = ($3::bigint[])[w.place + 1] AND a.id = ($3::bigint[])[w.place + 2]";
/// What can change of an account besides its balance.
const SET_ACCOUNTS: &str = "UPDATE accounts AS a \
     SET name = w.name, tag = w.tag, details = w.details, state = w.state, reason = w.reason, \
     updated_ms = w.updated_ms \
     FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], \
     $7::bigint[], $8::bigint[]) \
     AS w (owner, id, name, tag, details, state, reason, updated_ms) \
     WHERE a.owner = w.owner AND a.id = w.id";
const ADD_ENTRIES: &str = "INSERT INTO entries \
     (owner, account, sequence, transfer, side, amount, balance_after, at_ms, until_ms, chain) \
     SELECT ($3::bigint[])[w.place + 1], ($3::bigint[])[w.place + 2], \
     ($3::bigint[])[w.place + 3], ($3::bigint[])[w.place + 4], ($3::bigint[])[w.place + 5], \
     ($3::bigint[])[w.place + 6], ($3::bigint[])[w.place + 7], ($3::bigint[])[w.place + 8], \
     ($3::bigint[])[w.place + 9], ($4::bytea[])[w.line] \
     FROM unnest($1::bigint[], $2::bigint[]) AS w (line, place)";
const ADD_HOLDS: &str = "INSERT INTO holds \
     (owner, account, id, tenant, currency, amount, created_ms, expires_ms) \
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], \
     $6::bigint[], $7::bigint[], $8::bigint[])";
const CUT_HOLDS: &str = "DELETE FROM holds AS h \
     USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (owner, account, id) \
     WHERE h.owner = w.owner AND h.account = w.account AND h.id = w.id";

row!(NewAccount {
    owner: i64,
    id: i64,
    tenant: i64,
    kind: i64,
    name: String,
    description: Option<String>,
    institution: Option<String>,
    number_last_four: Option<String>,
    routing_last_four: Option<String>,
    currency: String,
    state: i64,
    can_be_source: bool,
    can_be_destination: bool,
    reported_balance: Option<i64>,
    reported_available: Option<i64>,
    reported_last_statement: Option<i64>,
    reported_next_payment_minimum: Option<i64>,
    reported_last_statement_date: Option<String>,
    reported_next_payment_due_date: Option<String>,
    reported_updated_ms: Option<i64>,
    created_ms: i64,
    updated_ms: i64,
    balance: i64,
    held: i64,
    entries: i64,
    profile: Option<i64>,
    parent: Option<i64>,
    tag: Option<String>,
    details: Option<String>,
    reason: Option<i64>,
    chain: Vec<u8>,
    entries_until_ms: i64,
});
line!(Balance {
    numbers {
        owner: i64,
        id: i64,
        balance: i64,
        held: i64,
        entries: i64,
        entries_until_ms: i64,
    }
    texts {
        chain: Vec<u8>,
    }
});
line!(TrustedBalance {
    numbers {
        owner: i64,
        id: i64,
        balance: i64,
        held: i64,
        entries: i64,
        entries_until_ms: i64,
        before_entries: i64,
        before_held: i64,
        before_updated_ms: i64,
        before_state: i64,
    }
    texts {
        chain: Vec<u8>,
        before_name: String,
    }
});
row!(ChangedAccount {
    owner: i64,
    id: i64,
    name: String,
    tag: Option<String>,
    details: Option<String>,
    state: i64,
    reason: Option<i64>,
    updated_ms: i64,
});
line!(Entry {
    numbers {
        owner: i64,
        account: i64,
        sequence: i64,
        transfer: i64,
        side: i64,
        amount: i64,
        balance_after: i64,
        at_ms: i64,
        until_ms: i64,
    }
    texts {
        chain: Vec<u8>,
    }
});
row!(HoldRow {
    owner: i64,
    account: i64,
    id: i64,
    tenant: i64,
    currency: String,
    amount: i64,
    created_ms: i64,
    expires_ms: Option<i64>,
});
row!(HoldKey {
    owner: i64,
    account: i64,
    id: i64,
});

/// Where an account's entries end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct End {
    /// The hash of the newest one.
    pub chain: Chain,
    /// The latest time of any.
    pub until: Millis,
}

impl Default for End {
    /// Of an account without entries.
    fn default() -> End {
        End {
            chain: chain::EMPTY,
            until: Millis(i64::MIN),
        }
    }
}

impl Write<'_> {
    fn end_of(&self, account: AccountId) -> End {
        self.stored.end_of(account).unwrap_or_default()
    }

    /// Chains the new entries up and hands each out with the account's owner and the end that it
    /// makes. Gives the ends of accounts that have new ones.
    pub(crate) fn chain(
        &self,
        mut each: impl FnMut(OwnerId, AccountId, &EntryRow, End),
    ) -> BTreeMap<AccountId, End> {
        let mut entries: Vec<_> = self.changed.gathered.entries.iter().collect();
        entries.sort_unstable_by_key(|(account, entry)| (*account, entry.sequence));
        let mut ends: BTreeMap<AccountId, End> = BTreeMap::new();
        for (account, entry) in entries {
            let Some(owner) = self.state.account(*account).map(|account| account.owner) else {
                continue;
            };
            let end = ends
                .entry(*account)
                .or_insert_with(|| self.end_of(*account));
            end.chain = chain::next(&end.chain, *account, entry);
            end.until = end.until.max(entry.at);
            each(owner, *account, entry, *end);
        }
        ends
    }

    /// Accounts and entries: the entries are chained, and the ends of the chains are written with
    /// the balances. Gives the ends of accounts that have new entries.
    pub(super) fn accounts(
        &self,
        calls: &mut Vec<Call>,
    ) -> Result<BTreeMap<AccountId, End>, Failure> {
        let gathered = &self.changed.gathered;
        let mut rows = Vec::with_capacity(gathered.entries.len());
        let ends = self.chain(|owner, account, entry, end| {
            rows.push(Entry {
                owner: signed(owner.raw()),
                account: signed(account.raw()),
                sequence: signed(entry.sequence),
                transfer: signed(entry.transfer.raw()),
                side: code(entry.side),
                amount: entry.amount_minor,
                balance_after: entry.balance_after,
                at_ms: entry.at.0,
                until_ms: end.until.0,
                chain: end.chain.to_vec(),
            });
        });
        let end_of = |id: &AccountId| ends.get(id).copied().unwrap_or_else(|| self.end_of(*id));
        let is_new = |id: &&AccountId| self.stored.end_of(**id).is_none();
        let account = |id: &AccountId| self.state.account(*id).map(|account| (account, end_of(id)));

        let new = gathered.accounts.iter().filter(is_new).filter_map(account);
        NewAccount::call(
            ADD_ACCOUNTS,
            new.map(|(a, end)| NewAccount::of(a, end)),
            calls,
        );
        let moved = gathered.moved();
        let known = moved.iter().filter(|id| !is_new(id)).filter_map(account);
        if self.stored.is_trusted() {
            let trusted = known.map(|(account, end)| self.trusted_balance(account, end));
            TrustedBalance::call(SET_TRUSTED_BALANCES, trusted, calls)?;
        } else {
            let balances = known.map(|(account, end)| Balance {
                owner: signed(account.owner.raw()),
                id: signed(account.id.raw()),
                balance: account.balance,
                held: account.held,
                entries: signed(account.entries),
                entries_until_ms: end.until.0,
                chain: end.chain.to_vec(),
            });
            Balance::call(SET_BALANCES, balances, calls)?;
        }
        let known = gathered.accounts.iter().filter(|id| !is_new(id));
        let changed = known
            .filter_map(account)
            .map(|(account, _)| ChangedAccount {
                owner: signed(account.owner.raw()),
                id: signed(account.id.raw()),
                name: account.name.to_string(),
                tag: text(&account.tag),
                details: text(&account.details),
                state: code(account.state),
                reason: account.reason.map(code),
                updated_ms: account.updated_at.0,
            });
        ChangedAccount::call(SET_ACCOUNTS, changed, calls);
        Entry::call(ADD_ENTRIES, rows, calls)?;
        Ok(ends)
    }

    fn trusted_balance(&self, account: &Account, end: End) -> TrustedBalance {
        let before = self.stored.account(account.id).unwrap_or(account);
        TrustedBalance {
            owner: signed(account.owner.raw()),
            id: signed(account.id.raw()),
            balance: account.balance,
            held: account.held,
            entries: signed(account.entries),
            entries_until_ms: end.until.0,
            before_entries: signed(before.entries),
            before_held: before.held,
            before_updated_ms: before.updated_at.0,
            before_state: code(before.state),
            chain: end.chain.to_vec(),
            before_name: before.name.to_string(),
        }
    }

    pub(super) fn holds(&self, calls: &mut Vec<Call>) {
        let (mut placed, mut ended) = (Vec::new(), Vec::new());
        for (hold, lasts) in self.changed.gathered.holds.values() {
            let Some(account) = self.state.account(hold.account) else {
                continue;
            };
            let key = HoldKey {
                owner: signed(account.owner.raw()),
                account: signed(account.id.raw()),
                id: signed(hold.id.raw()),
            };
            if *lasts {
                placed.push(HoldRow {
                    owner: key.owner,
                    account: key.account,
                    id: key.id,
                    tenant: signed(hold.tenant.raw()),
                    currency: hold.amount.currency().code().to_owned(),
                    amount: hold.amount.minor(),
                    created_ms: hold.created_at.0,
                    expires_ms: hold.expires_at.map(|at| at.0),
                });
            } else if self.stored.has_hold(hold.id) {
                ended.push(key);
            }
        }
        HoldRow::call(ADD_HOLDS, placed, calls);
        HoldKey::call(CUT_HOLDS, ended, calls);
    }
}

impl NewAccount {
    fn of(account: &Account, end: End) -> NewAccount {
        let reported = &account.reported;
        NewAccount {
            owner: signed(account.owner.raw()),
            id: signed(account.id.raw()),
            tenant: signed(account.tenant.raw()),
            kind: code(account.kind),
            name: account.name.to_string(),
            description: text(&account.description),
            institution: text(&account.institution),
            number_last_four: text(&account.number_last_four),
            routing_last_four: text(&account.routing_last_four),
            currency: account.currency.code().to_owned(),
            state: code(account.state),
            can_be_source: account.can_be_source,
            can_be_destination: account.can_be_destination,
            reported_balance: reported.balance,
            reported_available: reported.available,
            reported_last_statement: reported.last_statement,
            reported_next_payment_minimum: reported.next_payment_minimum,
            reported_last_statement_date: text(&reported.last_statement_date),
            reported_next_payment_due_date: text(&reported.next_payment_due_date),
            reported_updated_ms: reported.updated_at.map(|at| at.0),
            created_ms: account.created_at.0,
            updated_ms: account.updated_at.0,
            balance: account.balance,
            held: account.held,
            entries: signed(account.entries),
            profile: account.profile.map(|id| signed(id.raw())),
            parent: account.parent.map(|id| signed(id.raw())),
            tag: text(&account.tag),
            details: text(&account.details),
            reason: account.reason.map(code),
            chain: end.chain.to_vec(),
            entries_until_ms: end.until.0,
        }
    }
}
