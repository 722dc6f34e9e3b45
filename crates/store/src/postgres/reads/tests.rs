//! Every read against the embedded engine's, over the same histories.

use std::fmt::Debug;
use std::sync::Arc;

use ledger::{
    AccountId, AccountKind, AccountState, BulkId, BulkStatus, Currency, Direction, ExecutionId,
    ExternalKind, Millis, Origin, OwnerId, ProfileId, ProfileKind, StateReason, Status, TenantId,
    TransferId,
};
use sim::disk::SplitMix64;

use crate::postgres::testing::{Twins, World};
use crate::{
    AccountClass, AccountQuery, AccountRole, BulkOperationQuery, BulkQuery, EntryQuery,
    Fingerprint, OperationState, OwnerTransferQuery, RecordKind, RecordQuery, Store, TransferQuery,
    Used,
};

/// Queries of each kind.
const QUERIES: usize = 150;

fn same(asked: &dyn Debug, embedded: &dyn Debug, postgres: &dyn Debug) {
    assert_eq!(
        format!("{postgres:#?}"),
        format!("{embedded:#?}"),
        "{asked:?}"
    );
}

/// Asks both.
macro_rules! compare {
    ($twins:expr, $asked:expr, $read:ident($($value:expr),*), $mine:ident($($same:expr),*)) => {{
        let embedded = $twins.embedded.$read($($value),*).await.expect("reads work");
        let postgres = $twins.readers.$mine($($same),*).await.expect("reads work");
        same($asked, &embedded, &postgres);
        embedded
    }};
}

mod rules;

/// One of them, seldom: queries that ask for everything at once find nothing.
fn some<T: Clone>(random: &mut SplitMix64, values: &[T]) -> Option<T> {
    values.get(random.below(values.len() * 5)).cloned()
}

/// A few of them, or none.
fn several<T: Clone>(random: &mut SplitMix64, values: &[T]) -> Vec<T> {
    let count = [0, 0, 0, 0, 1, 2, 3][random.below(7)];
    (0..count)
        .map(|_| values[random.below(values.len())].clone())
        .collect()
}

/// A time near something that has happened, or an end of time.
fn time(random: &mut SplitMix64, times: &[Millis]) -> Option<Millis> {
    match random.below(12) {
        0..=8 => None,
        9 => Some([Millis(i64::MIN), Millis::NEVER][random.below(2)]),
        _ => Some(times[random.below(times.len())].plus(random.below(3) as i64 - 1)),
    }
}

fn page(random: &mut SplitMix64) -> (usize, usize) {
    let offset = match random.below(12) {
        0 => usize::MAX,
        1..=3 => random.below(9),
        _ => 0,
    };
    let limit = match random.below(12) {
        0 => 0,
        1..=5 => random.below(9),
        _ => usize::MAX,
    };
    (offset, limit)
}

/// Everything that queries can be about.
struct Known {
    tenants: Vec<TenantId>,
    owners: Vec<OwnerId>,
    accounts: Vec<AccountId>,
    profiles: Vec<ProfileId>,
    transfers: Vec<TransferId>,
    times: Vec<Millis>,
    bulks: Vec<BulkId>,
}

impl Known {
    async fn of(twins: &Twins) -> Known {
        let worlds = twins.worlds.iter();
        let mut tenants: Vec<TenantId> = worlds.clone().map(|world| world.tenant).collect();
        let owner =
            |world: &World| -> Vec<OwnerId> { world.owners.iter().map(|owner| owner.id).collect() };
        let mut owners: Vec<OwnerId> = worlds.clone().flat_map(owner).collect();
        let mut transfers: Vec<TransferId> = worlds.flat_map(|world| world.made.clone()).collect();
        let (mut accounts, mut profiles, mut bulks) = (Vec::new(), Vec::new(), Vec::new());
        for tenant in &tenants {
            // System accounts are not listed; they are named as well.
            let rows = twins.database.sql(&format!(
                "SELECT id FROM accounts WHERE tenant = {tenant} ORDER BY id"
            ));
            accounts.extend(rows.iter().map(|row| AccountId::new(number(row))));
            let rows = twins.embedded.profiles(*tenant, None).await;
            profiles.extend(rows.expect("reads work").iter().map(|it| it.id));
        }
        let rows = twins.database.sql("SELECT id FROM bulks ORDER BY id");
        bulks.extend(rows.iter().map(|row| BulkId::new(number(row))));
        let mut times = Vec::new();
        for row in twins.database.sql("SELECT created_ms FROM transfers UNION ALL SELECT updated_ms FROM transfers UNION ALL SELECT created_ms FROM accounts ORDER BY 1") {
            times.push(Millis(number(&row).cast_signed()));
        }
        for strange in [0, 77, u64::MAX] {
            tenants.push(TenantId::new(strange));
            owners.push(OwnerId::new(strange));
            accounts.push(AccountId::new(strange));
            profiles.push(ProfileId::new(strange));
            transfers.push(TransferId::new(strange));
            bulks.push(BulkId::new(strange));
        }
        Known {
            tenants,
            owners,
            accounts,
            profiles,
            transfers,
            times,
            bulks,
        }
    }
}

/// The bytes of the second column, which come as `\x` and hexadecimal digits.
fn key(row: &[Option<String>]) -> Fingerprint {
    let digits = row[1].as_deref().and_then(|text| text.strip_prefix("\\x"));
    let digits = digits.expect("bytes");
    std::array::from_fn(|at| {
        u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("hexadecimal digits")
    })
}

fn number(row: &[Option<String>]) -> u64 {
    let number: i64 = row[0]
        .as_deref()
        .expect("no null")
        .parse()
        .expect("a number");
    number.cast_unsigned()
}

fn account_query(known: &Known, random: &mut SplitMix64) -> AccountQuery {
    let states = [
        AccountState::Active,
        AccountState::Blocked,
        AccountState::Destroyed,
    ];
    let classes = [
        AccountClass::IncomeSource,
        AccountClass::Pod,
        AccountClass::External,
    ];
    let kinds = [
        AccountKind::Pod,
        AccountKind::IncomeSource,
        AccountKind::PrepaidCard,
        AccountKind::DebitCard,
        AccountKind::External(ExternalKind::Depository),
    ];
    let reasons = [
        (AccountState::Blocked, StateReason::Lost),
        (AccountState::Blocked, StateReason::User),
        (AccountState::Destroyed, StateReason::User),
        (AccountState::Active, StateReason::User),
    ];
    let (offset, limit) = page(random);
    let names: [Arc<str>; 3] = ["Main", "Travel", "main"].map(Arc::from);
    AccountQuery {
        tenant: known.tenants[random.below(9) / 4],
        owner: some(random, &known.owners),
        class: some(random, &classes),
        kinds: several(random, &kinds),
        currency: some(random, &[Currency::USD, Currency::EUR]),
        profile: some(random, &known.profiles),
        parent: some(random, &known.accounts),
        name: some(random, &names),
        tag: some(random, &["a", "b"].map(Arc::from)),
        include_closed: random.below(2) == 0,
        states: several(random, &states),
        reasons: several(random, &reasons),
        created_from: time(random, &known.times),
        created_to: time(random, &known.times),
        newest_first: random.below(2) == 0,
        offset,
        limit,
    }
}

#[tokio::test]
async fn accounts_are_the_same() {
    let twins = Twins::new(1, 2, 150).await;
    let known = Known::of(&twins).await;
    let random = &mut SplitMix64::new(1);
    let mut found = 0;
    for tenant in &known.tenants {
        let every = AccountQuery::new(*tenant);
        compare!(twins, &every, accounts(every.clone()), accounts(&every));
        for account in &known.accounts {
            let asked = (tenant, account);
            compare!(
                twins,
                &asked,
                account(*tenant, *account),
                account(*tenant, *account)
            );
        }
    }
    for _ in 0..QUERIES * 3 {
        let query = account_query(&known, random);
        compare!(twins, &query, accounts(query.clone()), accounts(&query));
        let page = compare!(
            twins,
            &query,
            accounts_page(query.clone()),
            accounts_page(&query)
        );
        found += page.rows.len();
    }
    assert!(found > QUERIES / 3, "{found} were found");
    for account in &known.accounts {
        compare!(twins, account, holds(*account), holds(*account));
    }
    for owner in &known.owners {
        compare!(twins, owner, owner_total(*owner), owner_total(*owner));
    }
    compare!(twins, &"totals", totals(), totals());
    let raised = format!(
        "UPDATE accounts SET balance = {} WHERE kind < 16",
        i64::MAX - 5
    );
    twins.database.sql(&raised);
    let totals = twins.readers.totals().await.expect("reads work");
    let usd = totals.iter().find(|(currency, _)| currency == "USD");
    assert!(
        usd.is_some_and(|(_, total)| *total > i128::from(i64::MAX)),
        "{totals:?}"
    );
}

#[tokio::test]
async fn transfers_are_the_same() {
    let twins = Twins::new(2, 2, 500).await;
    let known = Known::of(&twins).await;
    let random = &mut SplitMix64::new(2);
    for tenant in &known.tenants {
        for transfer in &known.transfers {
            let asked = (tenant, transfer);
            compare!(
                twins,
                &asked,
                transfer(*tenant, *transfer),
                transfer(*tenant, *transfer)
            );
        }
        let ids = several(random, &known.transfers);
        let twice = [ids.clone(), ids].concat();
        compare!(
            twins,
            &twice,
            transfers_by_id(*tenant, twice.clone()),
            transfers_by_id(*tenant, &twice)
        );
    }
    let (mut found, mut counted) = (0, 0);
    for _ in 0..QUERIES * 3 {
        let query = TransferQuery {
            tenant: known.tenants[random.below(9) / 4],
            account: known.accounts[random.below(known.accounts.len())],
            role: [
                AccountRole::Source,
                AccountRole::Destination,
                AccountRole::Either,
            ][random.below(3)],
            direction: some(
                random,
                &[Direction::MoneyIn, Direction::MoneyOut, Direction::Internal],
            ),
            origin: several(random, &[Origin::Paycheck, Origin::User, Origin::Deposit]),
            status: several(random, &Status::ALL),
            execution: (random.below(9) == 0).then(|| ExecutionId::new(random.below(2) as u64)),
            card: (random.below(9) == 0)
                .then(|| known.accounts[random.below(known.accounts.len())]),
            from: time(random, &known.times),
            to: time(random, &known.times),
            after: some(random, &known.transfers),
            first: page(random).1,
        };
        let rows = compare!(twins, &query, transfers(query.clone()), transfers(&query));
        found += rows.len();
        let (offset, limit) = page(random);
        let filtered = random.below(4) > 0;
        let query = OwnerTransferQuery {
            tenant: known.tenants[random.below(9) / 4],
            owner: known.owners[random.below(known.owners.len())],
            instruments_only: random.below(2) == 0,
            offset,
            limit,
            profile: some(random, &known.profiles).filter(|_| filtered && random.below(3) == 0),
            source: some(random, &known.accounts).filter(|id| filtered && id.raw() != 0),
            statuses: match filtered {
                true => several(random, &Status::ALL),
                false => Vec::new(),
            },
            created_from: time(random, &known.times).filter(|_| filtered),
            created_to: time(random, &known.times).filter(|_| filtered),
            executed_from: time(random, &known.times).filter(|_| filtered),
            executed_to: time(random, &known.times).filter(|_| filtered),
            tag: some(random, &["rent", "food", "Rent"].map(Arc::from)).filter(|_| filtered),
        };
        let page = compare!(
            twins,
            &query,
            owner_transfers(query.clone()),
            owner_transfers(&query)
        );
        counted += page.count;
    }
    assert!(
        found > QUERIES / 3 && counted > 5 * QUERIES as u64,
        "{found}, {counted}"
    );
}

#[tokio::test]
async fn entries_are_the_same() {
    let twins = Twins::new(3, 2, 400).await;
    let known = Known::of(&twins).await;
    let random = &mut SplitMix64::new(3);
    let mut found = 0;
    for _ in 0..QUERIES * 2 {
        let account = known.accounts[random.below(known.accounts.len())];
        let before = [None, Some(random.below(50) as u64), Some(u64::MAX)][random.below(3)];
        let limit = page(random).1;
        let asked = (account, before, limit);
        let rows = compare!(
            twins,
            &asked,
            entries(account, before, limit),
            entries(account, before, limit)
        );
        found += rows.len();
        let (offset, limit) = page(random);
        let query = EntryQuery {
            account,
            from: time(random, &known.times),
            to: time(random, &known.times),
            newest_first: random.below(2) == 0,
            offset,
            limit,
        };
        let page = compare!(
            twins,
            &query,
            entries_between(query.clone()),
            entries_between(&query)
        );
        found += page.rows.len();
    }
    assert!(found > QUERIES / 3, "{found} were found");
}

#[tokio::test]
async fn everything_else_is_the_same() {
    let twins = Twins::new(4, 2, 400).await;
    let known = Known::of(&twins).await;
    let random = &mut SplitMix64::new(4);
    compare!(twins, &"tenants", tenants(), tenants());
    let keys = compare!(twins, &"keys", keys(None), keys(None));
    assert!(keys.len() > 2 && keys.iter().any(|key| key.revoked_at.is_some()));
    for tenant in &known.tenants {
        compare!(twins, tenant, tenant(*tenant), tenant(*tenant));
        compare!(twins, tenant, owners(*tenant), owners(*tenant));
        compare!(twins, tenant, keys(Some(*tenant)), keys(Some(*tenant)));
        for kind in [
            None,
            Some(ProfileKind::Transfer),
            Some(ProfileKind::Corporate),
        ] {
            compare!(
                twins,
                &(tenant, kind),
                profiles(*tenant, kind),
                profiles(*tenant, kind)
            );
        }
        for profile in &known.profiles {
            let asked = (tenant, profile);
            compare!(
                twins,
                &asked,
                profile(*tenant, *profile),
                profile(*tenant, *profile)
            );
        }
        for bulk in &known.bulks {
            compare!(
                twins,
                &(tenant, bulk),
                bulk(*tenant, *bulk),
                bulk(*tenant, *bulk)
            );
        }
    }
    let used = twins.database.sql("SELECT number, key FROM remembered");
    for row in &used {
        let used = Used {
            key: key(row),
            number: number(row),
        };
        let it = compare!(twins, &used, remembered(used), remembered(used));
        assert_eq!(it.map(|it| it.key), Some(used.key));
        let never = Used { number: 0, ..used };
        let it = compare!(twins, &never, remembered(never), remembered(never));
        assert_eq!(it, None);
    }
    let mut found = used.len();
    assert!(found > 10, "{found} were remembered");
    let states = [
        OperationState::Waiting,
        OperationState::Done,
        OperationState::Refused,
    ];
    let statuses = [
        BulkStatus::Completed,
        BulkStatus::PartiallyCompleted,
        BulkStatus::Cancelled,
    ];
    for _ in 0..QUERIES {
        let (offset, limit) = page(random);
        let query = BulkQuery {
            tenant: known.tenants[random.below(9) / 4],
            owner: known.owners[random.below(known.owners.len())],
            statuses: several(random, &statuses),
            offset,
            limit,
        };
        compare!(twins, &query, bulks(query.clone()), bulks(&query));
        let (offset, limit) = page(random);
        let query = BulkOperationQuery {
            tenant: known.tenants[random.below(9) / 4],
            bulk: known.bulks[random.below(known.bulks.len())],
            index: some(random, &[0, 1, 7]),
            states: several(random, &states),
            offset,
            limit,
        };
        let page = compare!(
            twins,
            &query,
            bulk_operations(query.clone()),
            bulk_operations(&query)
        );
        found += page.rows.len();
    }
    assert!(found > QUERIES / 3, "{found} were found");
    records(&twins, &known, random).await;
}

async fn records(twins: &Twins, known: &Known, random: &mut SplitMix64) {
    let mut all = Vec::new();
    for tenant in &known.tenants {
        for kind in [RecordKind::User, RecordKind::Session, RecordKind::Identity] {
            let query = RecordQuery {
                kind,
                tenant: *tenant,
                owner: None,
                after: 0,
                before: u64::MAX,
                newest_first: false,
                limit: usize::MAX,
            };
            all.extend(compare!(twins, &query, records(query), records(&query)));
        }
    }
    assert!(all.len() > 5, "{} records", all.len());
    for _ in 0..QUERIES {
        let one = &all[random.below(all.len())];
        let tenant = known.tenants[random.below(known.tenants.len())];
        let kind = [RecordKind::User, one.kind][random.below(2)];
        let query = RecordQuery {
            kind,
            tenant,
            owner: some(random, &known.owners),
            after: [0, one.id, one.id.saturating_sub(1), u64::MAX][random.below(4)],
            before: u64::MAX,
            newest_first: false,
            limit: page(random).1,
        };
        compare!(twins, &query, records(query), records(&query));
        let tenant = [tenant, one.tenant][random.below(2)];
        let asked = (kind, tenant, one.id);
        compare!(
            twins,
            &asked,
            record(kind, tenant, one.id),
            record(kind, tenant, one.id)
        );
        let unique = one.unique.unwrap_or([random.below(40) as u8; 16]);
        let asked = (kind, tenant, unique);
        compare!(
            twins,
            &asked,
            record_by_unique(kind, tenant, unique),
            record_by_unique(kind, tenant, unique)
        );
    }
}
