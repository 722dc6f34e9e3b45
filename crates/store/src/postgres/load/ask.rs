//! The statements that lock and load.

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger::{AccountId, BulkId, HoldId, KeyId, Millis, OwnerId, ProfileId, TenantId, TransferId};

use super::{Besides, DUE_MAX};
use crate::codec::work_parts;
use crate::codes::Code;
use crate::postgres::due::TENANT_NOW;
use crate::postgres::plan::Wants;
use crate::postgres::rows::{self, StoredAccount};
use crate::postgres::session::Call;
use crate::postgres::sql::sql;
use crate::records::{Fingerprint, RecordKind};
use crate::words::WordMap;

const LOCK_TENANTS: &str =
    "SELECT n.id FROM tenants n WHERE n.id = ANY ($1) ORDER BY n.id FOR UPDATE";
const LOCK_PROFILES: &str = "SELECT p.id \
     FROM unnest($1::bigint[], $2::bigint[]) AS w (tenant, id) \
     JOIN profiles p ON p.tenant = w.tenant AND p.id = w.id \
     ORDER BY p.tenant, p.id FOR UPDATE OF p";
const LOCK_OWNERS: &str = sql!(
    "SELECT ",
    rows::OWNER,
    ", o.system_accounts FROM owners o WHERE o.id = ANY ($1) ORDER BY o.id FOR UPDATE"
);
const LOCK_KEYS: &str = "SELECT k.id, k.tenant \
     FROM unnest($1::bigint[], $2::bigint[]) AS w (tenant, id) \
     JOIN api_keys k ON k.tenant = w.tenant AND k.id = w.id \
     WHERE k.revoked_ms IS NULL ORDER BY k.tenant, k.id FOR UPDATE OF k";
const LOCK_RECORDS: &str = sql!(
    "SELECT ",
    rows::RECORD,
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (tenant, kind, id) \
     JOIN records r ON r.tenant = w.tenant AND r.kind = w.kind AND r.id = w.id \
     ORDER BY r.tenant, r.kind, r.id FOR UPDATE OF r"
);
/// Who has what must be unique.
const HOLDERS: &str = sql!(
    "SELECT ",
    rows::RECORD,
    " FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS w (tenant, kind, unique_key) \
     JOIN records r ON r.tenant = w.tenant AND r.kind = w.kind AND r.unique_key = w.unique_key"
);
const REMEMBERED: &str = "SELECT m.key, m.number FROM remembered m WHERE m.key = ANY ($1)";
const TENANTS: &str = sql!(
    "SELECT ",
    rows::TENANT,
    ", h.number FROM tenants n JOIN heads h ON h.tenant = n.id WHERE n.id = ANY ($1)"
);
const OWNERS: &str = sql!(
    "SELECT ",
    rows::OWNER,
    " FROM owners o WHERE o.id = ANY ($1)"
);
/// Work of owners that is due by their tenant's clock.
const NOW_DUE: &str = sql!(
    "SELECT ",
    rows::DUE,
    ", d.owner FROM owners o JOIN tenants n ON n.id = o.tenant \
     JOIN due d ON d.owner = o.id AND d.at_ms <= ",
    TENANT_NOW,
    " WHERE o.id = ANY ($2) ORDER BY d.tenant, d.at_ms, d.kind, d.object LIMIT $3"
);
const ANY_ACCOUNT: &str = sql!(
    "SELECT ",
    rows::STORED_ACCOUNT,
    " FROM accounts a WHERE a.tenant = $1 ORDER BY a.id LIMIT 1"
);
const ANY_OWNER: &str = sql!(
    "SELECT ",
    rows::OWNER,
    " FROM owners o WHERE o.id IN \
     (SELECT a.owner FROM accounts a WHERE a.tenant = $1 ORDER BY a.id LIMIT 1)"
);
const FIRST_DUE: &str = sql!(
    "SELECT ",
    rows::DUE,
    " FROM due d WHERE d.tenant = $1 ORDER BY d.at_ms, d.kind, d.object LIMIT 1"
);
const ACCOUNTS: &str = sql!(
    "SELECT ",
    rows::STORED_ACCOUNT,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w (owner, id) \
     JOIN accounts a ON a.owner = w.owner AND a.id = w.id"
);
/// Of accounts that were loaded before: what can have changed since.
const CHANGING: &str = sql!(
    "SELECT ",
    rows::CHANGING,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w (owner, id) \
     JOIN accounts a ON a.owner = w.owner AND a.id = w.id"
);
/// Cards that are not closed and spend from these accounts.
const CARDS: &str = sql!(
    "SELECT ",
    rows::STORED_ACCOUNT,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w (owner, id) \
     JOIN accounts a ON a.owner = w.owner AND a.parent = w.id WHERE a.state <> 3"
);
/// Transfers of these accounts that have not ended: each of them waits for something.
const OPEN_TRANSFERS: &str = sql!(
    "SELECT ",
    rows::TRANSFER,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w (owner, id) \
     JOIN due d ON d.owner = w.owner AND d.kind = 1 \
     JOIN transfers t ON t.owner = d.owner AND t.id = d.object \
     WHERE t.source = w.id OR t.destination = w.id"
);
const PROFILES: &str = sql!(
    "SELECT ",
    rows::PROFILE,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w (tenant, id) \
     JOIN profiles p ON p.tenant = w.tenant AND p.id = w.id"
);
const TRANSFERS: &str = sql!(
    "SELECT ",
    rows::TRANSFER,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w (owner, id) \
     JOIN transfers t ON t.owner = w.owner AND t.id = w.id WHERE t.status <= 4"
);
const HOLDS: &str = sql!("SELECT ", rows::HOLD, " FROM holds h WHERE h.id = ANY ($1)");
const BULKS: &str = sql!(
    "SELECT ",
    rows::BULK,
    " FROM unnest($1::bigint[], $2::bigint[]) AS w (owner, id) \
     JOIN bulks b ON b.owner = w.owner AND b.id = w.id WHERE b.status <= 3"
);
const WAITING: &str = sql!(
    "SELECT ",
    rows::DUE,
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (owner, kind, object) \
     JOIN due d ON d.owner = w.owner AND d.kind = w.kind AND d.object = w.object"
);

/// What the rows of a statement are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Nothing,
    Owners,
    LockedOwners,
    Tenants,
    Remembered,
    Keys,
    Records,
    NowDue,
    Accounts,
    /// Of accounts that were loaded before.
    Changing,
    Profiles,
    Transfers,
    Holds,
    Bulks,
    Rules,
    Caps,
    Executions,
    Due,
}

/// Statements to send in the next round.
pub(super) struct Asked {
    parts: Vec<Part>,
    calls: Vec<Call>,
}

impl Asked {
    /// What comes before everything.
    pub(super) fn begin(calls: Vec<Call>) -> Asked {
        Asked {
            parts: vec![Part::Nothing; calls.len()],
            calls,
        }
    }

    /// Takes the round.
    pub(super) fn take(&mut self) -> (Vec<Part>, Vec<Call>) {
        (
            std::mem::take(&mut self.parts),
            std::mem::take(&mut self.calls),
        )
    }

    pub(super) fn push(&mut self, part: Part, call: Call) {
        self.parts.push(part);
        self.calls.push(call);
    }

    /// Locks in one order for everybody: tenants, profiles, owners, API keys, records. Then what
    /// must be read before or beside all that commands touch.
    pub(super) fn lock(
        &mut self,
        besides: &Besides,
        wants: &Wants,
        known: &mut Wants,
        now: Millis,
    ) {
        if !besides.clocks.is_empty() {
            let tenants = raw(&besides.clocks, TenantId::raw);
            self.push(Part::Nothing, Call::new(LOCK_TENANTS).with(tenants));
        }
        if !besides.profiles.is_empty() {
            let (tenants, profiles) = raws(&besides.profiles, TenantId::raw, ProfileId::raw);
            let call = Call::new(LOCK_PROFILES).with(tenants).with(profiles);
            self.push(Part::Nothing, call);
        }
        let owners = raw(&wants.owners, OwnerId::raw);
        known.owners.clone_from(&wants.owners);
        if !owners.is_empty() {
            let call = Call::new(LOCK_OWNERS).with_numbers(owners.clone());
            self.push(Part::LockedOwners, call);
        }
        if !besides.keys.is_empty() {
            let (tenants, keys) = raws(&besides.keys, TenantId::raw, KeyId::raw);
            let call = Call::new(LOCK_KEYS).with(tenants).with(keys);
            self.push(Part::Keys, call);
        }
        self.lock_records(besides);
        if !besides.claims.is_empty() {
            self.push(Part::Remembered, remembered(&besides.claims));
        }
        if !besides.owners.is_empty() {
            let owners = raw(&besides.owners, OwnerId::raw);
            self.push(Part::Owners, Call::new(OWNERS).with(owners));
        }
        // Clocks before the work that is due by them: when one is set in between, more work is
        // loaded than it says is due, never less.
        known.tenants.clone_from(&wants.tenants);
        if !wants.tenants.is_empty() {
            let tenants = raw(&wants.tenants, TenantId::raw);
            self.push(Part::Tenants, Call::new(TENANTS).with(tenants));
        }
        if !owners.is_empty() {
            let limit = i64::try_from(DUE_MAX).unwrap_or(i64::MAX);
            let call = Call::new(NOW_DUE)
                .with(now.0)
                .with_numbers(owners)
                .with(limit);
            self.push(Part::NowDue, call);
        }
    }

    fn lock_records(&mut self, besides: &Besides) {
        let kinds = |kinds: &mut dyn Iterator<Item = RecordKind>| -> Vec<i64> {
            kinds.map(|kind| i64::from(kind.code())).collect()
        };
        let records = &besides.records;
        if !records.is_empty() {
            let tenants: Vec<i64> = records.iter().map(|key| signed(key.0.raw())).collect();
            let ids: Vec<i64> = records.iter().map(|key| signed(key.2)).collect();
            let call = Call::new(LOCK_RECORDS)
                .with(tenants)
                .with(kinds(&mut records.iter().map(|key| key.1)))
                .with(ids);
            self.push(Part::Records, call);
        }
        let uniques = &besides.uniques;
        if !uniques.is_empty() {
            let tenants: Vec<i64> = uniques.iter().map(|key| signed(key.0.raw())).collect();
            let keys: Vec<Vec<u8>> = uniques.iter().map(|key| key.2.to_vec()).collect();
            let call = Call::new(HOLDERS)
                .with(tenants)
                .with(kinds(&mut uniques.iter().map(|key| key.1)))
                .with(keys);
            self.push(Part::Records, call);
        }
    }

    /// Asks for rows. Owners that are met only now are locked only now: they are few, and when that
    /// meets another server's locks the database says so and all is done again.
    /// Accounts that were there `before` are asked only for what can change.
    pub(super) fn ask(&mut self, wants: &Wants, before: &WordMap<AccountId, Arc<StoredAccount>>) {
        if !wants.tenants.is_empty() {
            let tenants = raw(&wants.tenants, TenantId::raw);
            self.push(Part::Tenants, Call::new(TENANTS).with(tenants));
        }
        if !wants.owners.is_empty() {
            let owners = raw(&wants.owners, OwnerId::raw);
            self.push(Part::LockedOwners, Call::new(LOCK_OWNERS).with(owners));
        }
        for tenant in &wants.in_use {
            let tenant = signed(tenant.raw());
            self.push(Part::Owners, Call::new(ANY_OWNER).with(tenant));
            self.push(Part::Accounts, Call::new(ANY_ACCOUNT).with(tenant));
        }
        for tenant in &wants.first_due {
            let call = Call::new(FIRST_DUE).with(signed(tenant.raw()));
            self.push(Part::Due, call);
        }
        let account = AccountId::raw;
        let (before, new): (BTreeSet<_>, BTreeSet<_>) = wants
            .accounts
            .iter()
            .partition(|(_, id)| before.contains_key(id));
        self.by_owner(Part::Accounts, ACCOUNTS, &new, account);
        self.by_owner(Part::Changing, CHANGING, &before, account);
        self.by_owner(Part::Accounts, CARDS, &wants.uses, account);
        self.by_owner(Part::Transfers, OPEN_TRANSFERS, &wants.uses, account);
        let transfer = TransferId::raw;
        self.by_owner(Part::Transfers, TRANSFERS, &wants.transfers, transfer);
        self.by_owner(Part::Bulks, BULKS, &wants.bulks, BulkId::raw);
        self.ask_rules(wants);
        if !wants.profiles.is_empty() {
            let (tenants, profiles) = raws(&wants.profiles, TenantId::raw, ProfileId::raw);
            let call = Call::new(PROFILES).with(tenants).with(profiles);
            self.push(Part::Profiles, call);
        }
        if !wants.holds.is_empty() {
            let holds = raw(&wants.holds, HoldId::raw);
            self.push(Part::Holds, Call::new(HOLDS).with(holds));
        }
        if !wants.waiting.is_empty() {
            let mut columns: [Vec<i64>; 3] = Default::default();
            for (owner, work) in &wants.waiting {
                let (kind, object) = work_parts(*work);
                let values = [signed(owner.raw()), i64::from(kind), signed(object)];
                for (column, value) in columns.iter_mut().zip(values) {
                    column.push(value);
                }
            }
            let [owners, kinds, objects] = columns;
            let call = Call::new(WAITING).with(owners).with(kinds).with(objects);
            self.push(Part::Due, call);
        }
    }

    pub(super) fn by_owner<T: Copy>(
        &mut self,
        part: Part,
        sql: &'static str,
        keys: &BTreeSet<(OwnerId, T)>,
        id: impl Fn(T) -> u64,
    ) {
        if !keys.is_empty() {
            let (owners, ids) = raws(keys, OwnerId::raw, id);
            self.push(part, Call::new(sql).with_numbers(owners).with_numbers(ids));
        }
    }
}

/// What can have changed of these accounts.
pub(crate) fn changing(accounts: &BTreeSet<(OwnerId, AccountId)>) -> Call {
    let (owners, ids) = raws(accounts, OwnerId::raw, AccountId::raw);
    Call::new(CHANGING).with_numbers(owners).with_numbers(ids)
}

/// Which of these idempotency keys were used.
pub(crate) fn remembered(keys: &BTreeSet<Fingerprint>) -> Call {
    let keys: Vec<Vec<u8>> = keys.iter().map(|key| key.to_vec()).collect();
    Call::new(REMEMBERED).with(keys)
}

pub(super) fn signed(raw: u64) -> i64 {
    raw.cast_signed()
}

fn raw<T: Copy>(keys: &BTreeSet<T>, raw: impl Fn(T) -> u64) -> Vec<i64> {
    keys.iter().map(|key| signed(raw(*key))).collect()
}

pub(super) fn raws<A: Copy, B: Copy>(
    keys: &BTreeSet<(A, B)>,
    first: impl Fn(A) -> u64,
    second: impl Fn(B) -> u64,
) -> (Vec<i64>, Vec<i64>) {
    let pairs = keys.iter();
    pairs
        .map(|(a, b)| (signed(first(*a)), signed(second(*b))))
        .unzip()
}

#[cfg(test)]
mod tests {
    use ledger::rule::TriggerKind;
    use ledger::{AccountState, BulkStatus, ExecutionMode, ExecutionStatus, Status};

    use crate::codes::Code;

    /// The statements say it in numbers.
    #[test]
    fn what_is_open_has_the_lowest_numbers() {
        for status in Status::ALL {
            assert_eq!(status.code() <= 4, !status.is_final(), "{status:?}");
        }
        for code in 1..=7 {
            let status = BulkStatus::from_code(code).expect("seven of them");
            assert_eq!(code <= 3, !status.is_final(), "{status:?}");
        }
        assert_eq!(AccountState::Destroyed.code(), 3);
        assert_eq!(
            crate::codec::work_parts(ledger::Work::Settle(ledger::TransferId::new(9))),
            (1, 9)
        );
        let turn = ledger::Work::RunExecution(ledger::ExecutionId::new(9));
        assert_eq!(crate::codec::work_parts(turn), (5, 9));
        assert_eq!(ExecutionStatus::InProgress.code(), 1);
        assert_eq!(TriggerKind::Manual.code(), 1);
        assert_eq!(ExecutionMode::Live.code(), 1);
    }
}
