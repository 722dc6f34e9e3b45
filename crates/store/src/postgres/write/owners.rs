//! Tenants, owners, profiles, API keys, records, and what is remembered and noted.

use std::collections::BTreeSet;

use ledger::{TenantClock, TenantId};

use super::Write;
use super::columns::{code, line, row, signed};
use crate::codec;
use crate::postgres::failure::Failure;
use crate::postgres::session::Call;
use crate::postgres::system;
use crate::records::{Record, RecordKind};

const ADD_TENANTS: &str = "INSERT INTO tenants \
     (id, name, mode, clock_offset_ms, clock_frozen_ms, created_ms) \
     SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], \
     $6::bigint[])";
const BEGIN_HEADS: &str = "INSERT INTO heads (tenant, number) \
     SELECT w.tenant, 0 FROM unnest($1::bigint[]) AS w (tenant)";
const SET_CLOCKS: &str = "UPDATE tenants AS n \
     SET clock_offset_ms = w.clock_offset_ms, clock_frozen_ms = w.clock_frozen_ms \
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) \
     AS w (id, clock_offset_ms, clock_frozen_ms) WHERE n.id = w.id";
const ADD_OWNERS: &str = "INSERT INTO owners \
     (id, tenant, kind, name, created_ms, system_accounts) \
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], \
     $6::text[])";
const SET_SYSTEM_ACCOUNTS: &str = "UPDATE owners AS o SET system_accounts = w.system_accounts \
     FROM unnest($1::bigint[], $2::text[]) AS w (id, system_accounts) WHERE o.id = w.id";
const ADD_PROFILES: &str = "INSERT INTO profiles \
     (tenant, id, name, active, currencies, kind, terms, created_ms, updated_ms) \
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::boolean[], $5::text[], \
     $6::bigint[], $7::bytea[], $8::bigint[], $9::bigint[])";
const SET_PROFILES: &str = "UPDATE profiles AS p \
     SET name = w.name, active = w.active, currencies = w.currencies, terms = w.terms, \
     updated_ms = w.updated_ms \
     FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::boolean[], $5::text[], \
     $6::bigint[], $7::bytea[], $8::bigint[], $9::bigint[]) \
     AS w (tenant, id, name, active, currencies, kind, terms, created_ms, updated_ms) \
     WHERE p.tenant = w.tenant AND p.id = w.id";
const ADD_KEYS: &str = "INSERT INTO api_keys \
     (tenant, id, name, hash, hint, permissions, created_ms, revoked_ms) \
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bytea[], $5::text[], \
     $6::text[], $7::bigint[], $8::bigint[])";
const REVOKE_KEYS: &str = "UPDATE api_keys AS k SET revoked_ms = w.revoked_ms \
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (tenant, id, revoked_ms) \
     WHERE k.tenant = w.tenant AND k.id = w.id";
const CUT_RECORDS: &str = "DELETE FROM records AS r \
     USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (tenant, kind, id) \
     WHERE r.tenant = w.tenant AND r.kind = w.kind AND r.id = w.id";
/// What must be unique can pass from one record to another: it is given up before it is taken.
const FREE_UNIQUES: &str = "UPDATE records AS r SET unique_key = NULL \
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (tenant, kind, id) \
     WHERE r.tenant = w.tenant AND r.kind = w.kind AND r.id = w.id";
const SET_RECORDS: &str = "UPDATE records AS r \
     SET owner = w.owner, version = w.version, unique_key = w.unique_key, body = w.body, \
     at_ms = w.at_ms \
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
     $6::bytea[], $7::text[], $8::bigint[]) \
     AS w (tenant, kind, id, owner, version, unique_key, body, at_ms) \
     WHERE r.tenant = w.tenant AND r.kind = w.kind AND r.id = w.id";
const ADD_RECORDS: &str = "INSERT INTO records \
     (tenant, kind, id, owner, version, unique_key, body, at_ms) \
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
     $6::bytea[], $7::text[], $8::bigint[])";
const ADD_REMEMBERED: &str = "INSERT INTO remembered \
     (key, number, body, at_ms, request_id, reply) \
     SELECT ($4::bytea[])[w.line], ($3::bigint[])[w.place + 1], \
     ($5::bytea[])[w.line], ($3::bigint[])[w.place + 2], \
     ($6::text[])[w.line], ($7::bytea[])[w.line] \
     FROM unnest($1::bigint[], $2::bigint[]) AS w (line, place)";
const ADD_NOTICES: &str = "INSERT INTO notices (id, tenant, kind, object, at_ms) \
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])";

row!(TenantRow {
    id: i64,
    name: String,
    mode: i64,
    clock_offset_ms: Option<i64>,
    clock_frozen_ms: Option<i64>,
    created_ms: i64,
});
row!(ClockRow {
    id: i64,
    clock_offset_ms: Option<i64>,
    clock_frozen_ms: Option<i64>,
});
row!(HeadRow { tenant: i64 });
row!(OwnerRow {
    id: i64,
    tenant: i64,
    kind: i64,
    name: String,
    created_ms: i64,
    system_accounts: String,
});
row!(SystemRow {
    id: i64,
    system_accounts: String,
});
row!(ProfileRow {
    tenant: i64,
    id: i64,
    name: String,
    active: bool,
    currencies: String,
    kind: i64,
    terms: Vec<u8>,
    created_ms: i64,
    updated_ms: i64,
});
row!(KeyRow {
    tenant: i64,
    id: i64,
    name: String,
    hash: Vec<u8>,
    hint: String,
    permissions: String,
    created_ms: i64,
    revoked_ms: Option<i64>,
});
row!(RevokedRow {
    tenant: i64,
    id: i64,
    revoked_ms: i64,
});
row!(RecordKey {
    tenant: i64,
    kind: i64,
    id: i64,
});
row!(RecordRow {
    tenant: i64,
    kind: i64,
    id: i64,
    owner: Option<i64>,
    version: i64,
    unique_key: Option<Vec<u8>>,
    body: String,
    at_ms: i64,
});
line!(RememberedRow {
    numbers {
        number: i64,
        at_ms: i64,
    }
    texts {
        key: Vec<u8>,
        body: Vec<u8>,
        request_id: String,
        reply: Vec<u8>,
    }
});
row!(NoticeRow {
    id: i64,
    tenant: i64,
    kind: i64,
    object: i64,
    at_ms: i64,
});

impl Write<'_> {
    pub(super) fn tenants(&self, calls: &mut Vec<Call>) {
        let clock = |clock| match clock {
            TenantClock::Running { offset_ms } => (Some(offset_ms), None),
            TenantClock::Frozen { at } => (None, Some(at.0)),
        };
        let tenants = self.changed.gathered.tenants.values();
        let (known, new): (Vec<_>, Vec<_>) =
            tenants.partition(|tenant| self.stored.has_tenant(tenant.id));
        let rows = new.iter().map(|tenant| TenantRow {
            id: signed(tenant.id.raw()),
            name: tenant.name.to_string(),
            mode: code(tenant.mode),
            clock_offset_ms: clock(tenant.clock).0,
            clock_frozen_ms: clock(tenant.clock).1,
            created_ms: tenant.created_at.0,
        });
        TenantRow::call(ADD_TENANTS, rows, calls);
        let heads = new.iter().map(|tenant| HeadRow {
            tenant: signed(tenant.id.raw()),
        });
        HeadRow::call(BEGIN_HEADS, heads, calls);
        let rows = known.iter().map(|tenant| ClockRow {
            id: signed(tenant.id.raw()),
            clock_offset_ms: clock(tenant.clock).0,
            clock_frozen_ms: clock(tenant.clock).1,
        });
        ClockRow::call(SET_CLOCKS, rows, calls);
    }

    pub(super) fn owners(&self, calls: &mut Vec<Call>) {
        let owners = &self.changed.gathered.owners;
        let systems = &self.changed.systems;
        let rows = owners.values().map(|owner| OwnerRow {
            id: signed(owner.id.raw()),
            tenant: signed(owner.tenant.raw()),
            kind: code(owner.kind),
            name: owner.name.to_string(),
            created_ms: owner.created_at.0,
            system_accounts: systems
                .get(&owner.id)
                .map(|s| system::to_text(s))
                .unwrap_or_default(),
        });
        OwnerRow::call(ADD_OWNERS, rows, calls);
        let known = systems.iter().filter(|(id, _)| !owners.contains_key(id));
        let rows = known.map(|(id, accounts)| SystemRow {
            id: signed(id.raw()),
            system_accounts: system::to_text(accounts),
        });
        SystemRow::call(SET_SYSTEM_ACCOUNTS, rows, calls);
    }

    pub(super) fn profiles(&self, calls: &mut Vec<Call>) {
        let profiles = self.changed.gathered.profiles.values();
        let (known, new): (Vec<_>, Vec<_>) =
            profiles.partition(|profile| self.stored.has_profile(profile.id));
        for (sql, profiles) in [(ADD_PROFILES, new), (SET_PROFILES, known)] {
            let rows = profiles.into_iter().map(|profile| ProfileRow {
                tenant: signed(profile.tenant.raw()),
                id: signed(profile.id.raw()),
                name: profile.name.to_string(),
                active: profile.active,
                currencies: codec::currencies_text(&profile.currencies),
                kind: code(profile.terms.kind()),
                terms: codec::terms_to_bytes(&profile.terms),
                created_ms: profile.created_at.0,
                updated_ms: profile.updated_at.0,
            });
            ProfileRow::call(sql, rows, calls);
        }
    }

    pub(super) fn keys(&self, calls: &mut Vec<Call>) {
        let gathered = &self.changed.gathered;
        let rows = gathered.keys.values().map(|key| KeyRow {
            tenant: signed(key.tenant.raw()),
            id: signed(key.id.raw()),
            name: key.name.to_string(),
            hash: key.hash.to_vec(),
            hint: key.hint.to_string(),
            permissions: codec::permissions_text(&key.permissions),
            created_ms: key.created_at.0,
            revoked_ms: key.revoked_at.map(|at| at.0),
        });
        KeyRow::call(ADD_KEYS, rows, calls);
        let rows = gathered.revoked.iter().filter_map(|(key, at)| {
            Some(RevokedRow {
                tenant: signed(self.changed.revoked.get(key)?.raw()),
                id: signed(key.raw()),
                revoked_ms: at.0,
            })
        });
        RevokedRow::call(REVOKE_KEYS, rows, calls);
    }

    pub(super) fn records(&self, calls: &mut Vec<Call>) {
        let written = &self.changed.gathered.records;
        let existed = |(kind, id): &(RecordKind, u64)| self.stored.record(*kind, *id);
        let key = |(kind, id): &(RecordKind, u64), tenant: TenantId| RecordKey {
            tenant: signed(tenant.raw()),
            kind: code(*kind),
            id: signed(*id),
        };
        let cut = written.iter().filter(|(_, record)| record.is_none());
        let cut = cut.filter_map(|(at, _)| Some(key(at, existed(at)?.0)));
        RecordKey::call(CUT_RECORDS, cut, calls);
        let kept = || {
            written
                .iter()
                .filter_map(|(at, record)| Some((at, record.as_ref()?)))
        };
        let freed = kept().filter_map(|(at, record)| {
            let (tenant, unique) = existed(at)?;
            (unique.is_some() && unique != record.unique).then(|| key(at, tenant))
        });
        RecordKey::call(FREE_UNIQUES, freed, calls);
        let row = |record: &Record| RecordRow {
            tenant: signed(record.tenant.raw()),
            kind: code(record.kind),
            id: signed(record.id),
            owner: record.owner.map(|owner| signed(owner.raw())),
            version: signed(record.version),
            unique_key: record.unique.map(|unique| unique.to_vec()),
            body: record.body.to_string(),
            at_ms: record.at.0,
        };
        let known: BTreeSet<_> = kept()
            .map(|(at, _)| *at)
            .filter(|at| existed(at).is_some())
            .collect();
        let set = kept().filter(|(at, _)| known.contains(at));
        RecordRow::call(SET_RECORDS, set.map(|(_, record)| row(record)), calls);
        let add = kept().filter(|(at, _)| !known.contains(at));
        RecordRow::call(ADD_RECORDS, add.map(|(_, record)| row(record)), calls);
    }

    /// In the order of the keys: two servers that remember the same ones wait for each other, not
    /// both.
    pub(super) fn remembered(&self, calls: &mut Vec<Call>) -> Result<(), Failure> {
        let mut remembered: Vec<_> = self.changed.remembered.iter().collect();
        remembered.sort_unstable_by_key(|remembered| remembered.key);
        let rows = remembered.into_iter().map(|remembered| RememberedRow {
            key: remembered.key.to_vec(),
            number: signed(remembered.number),
            body: remembered.body.to_vec(),
            at_ms: remembered.at.0,
            request_id: remembered.request_id.to_string(),
            reply: codec::reply_to_bytes(&remembered.reply, remembered.at),
        });
        RememberedRow::call(ADD_REMEMBERED, rows, calls)
    }

    pub(super) fn notices(&self, calls: &mut Vec<Call>) {
        let rows = self.changed.noted.iter().map(|noted| NoticeRow {
            id: signed(noted.id),
            tenant: signed(noted.tenant.raw()),
            kind: noted.kind,
            object: signed(noted.object),
            at_ms: self.now.0,
        });
        NoticeRow::call(ADD_NOTICES, rows, calls);
    }
}
