use std::sync::Arc;

use ledger::account::Reported;
use ledger::{
    Account, AccountId, AccountKind, AccountState, Amount, Currency, Direction, Due, Entry,
    ErrorCode, ExecutionId, ExternalKind, Hold, HoldId, Origin, Owner, OwnerId, OwnerKind, Party,
    Posting, Rail, RuleId, Side, Status, SystemKind, Tenant, TenantClock, TenantMode, Transfer,
    Work,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::records::{Resources, Selector, TransferSet};

mod programme;
mod rules;

const AT: Millis = Millis(1_800_000_000_000);

fn encode(at: Millis, changes: &[Change]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut e = begin(&mut out, at);
    for change in changes {
        match change {
            Change::Ledger(effect) => encode_effect(&mut e, effect),
            Change::KeyCreated(key) => encode_key_created(&mut e, key),
            Change::KeyRevoked { key, at } => encode_key_revoked(&mut e, *key, *at),
            Change::Remembered(remembered) => encode_remembered(&mut e, remembered),
            Change::Of(tenant) => encode_of(&mut e, *tenant),
            Change::RecordPut(_) | Change::RecordDeleted { .. } => {
                encode_record_change(&mut e, change);
            }
        }
    }
    out
}

/// Whatever decodes must be what encoding makes.
fn check_canonical(bytes: &[u8]) {
    if let Ok(record) = decode(bytes) {
        let again = encode(record.at, &record.changes);
        assert_eq!(again, bytes, "decoded to {record:?}");
    }
}

// --- what can be in a record ---------------------------------------------------------------------

fn text() -> impl Strategy<Value = Arc<str>> {
    vec(any::<char>(), 0..12).prop_map(|chars| chars.into_iter().collect::<String>().into())
}

fn maybe_text() -> impl Strategy<Value = Option<Arc<str>>> {
    option::of(text())
}

/// Times near the commit's are short on disk; any other must survive as well.
fn time() -> impl Strategy<Value = Millis> {
    prop_oneof![
        (-100_000..100_000_i64).prop_map(|delta| AT.plus(delta)),
        any::<i64>().prop_map(Millis),
        Just(Millis::NEVER),
        Just(Millis(i64::MIN)),
    ]
}

fn integer() -> impl Strategy<Value = i64> {
    prop_oneof![-300..300_i64, any::<i64>(), Just(i64::MIN), Just(i64::MAX)]
}

fn coded<T: Code + std::fmt::Debug + 'static>() -> impl Strategy<Value = T> {
    let all: Vec<T> = (0..=u8::MAX).filter_map(T::from_code).collect();
    proptest::sample::select(all)
}

fn currency() -> impl Strategy<Value = Currency> {
    let parse = |code| Currency::parse(code).expect("an ISO code");
    proptest::sample::select(["USD", "EUR", "GBP", "JPY", "KWD"].map(parse).to_vec())
}

fn amount() -> impl Strategy<Value = Amount> {
    let minor = prop_oneof![1..1_000_i64, 1..=i64::MAX];
    (minor, currency()).prop_map(|(minor, currency)| positive(minor, currency))
}

fn positive(minor: i64, currency: Currency) -> Amount {
    Amount::new(minor, currency).expect("greater than zero")
}

fn clock() -> impl Strategy<Value = TenantClock> {
    prop_oneof![
        integer().prop_map(|offset_ms| TenantClock::Running { offset_ms }),
        time().prop_map(|at| TenantClock::Frozen { at }),
    ]
}

fn posting() -> impl Strategy<Value = Posting> {
    let half = || (any::<u64>(), any::<u64>(), integer());
    let moved = (1..=i64::MAX, half(), half());
    (currency(), vec(moved, 1..4)).prop_map(|(currency, moves)| {
        let mut entries = Vec::new();
        for (minor, debit, credit) in moves {
            for (side, (account, sequence, balance_after)) in
                [(Side::Debit, debit), (Side::Credit, credit)]
            {
                entries.push(Entry {
                    account: AccountId::new(account),
                    sequence,
                    side,
                    amount: positive(minor, currency),
                    balance_after,
                });
            }
        }
        Posting::new(entries).expect("each debit has its credit")
    })
}

fn due() -> impl Strategy<Value = Due> {
    (any::<u64>(), time(), 1..=5_u8, any::<u64>()).prop_map(|(tenant, at, kind, id)| Due {
        tenant: TenantId::new(tenant),
        at,
        work: work_of(kind, id).expect("there are five kinds"),
    })
}

fn reported() -> impl Strategy<Value = Reported> {
    let sums = [(); 4].map(|()| option::of(integer()));
    (sums, maybe_text(), maybe_text(), option::of(time())).prop_map(
        |([balance, available, last, next], statement, payment, updated_at)| Reported {
            balance,
            available,
            last_statement: last,
            next_payment_minimum: next,
            last_statement_date: statement,
            next_payment_due_date: payment,
            updated_at,
        },
    )
}

fn account() -> impl Strategy<Value = Account> {
    let ids = (any::<u64>(), any::<u64>(), any::<u64>());
    let texts = [(); 4].map(|()| maybe_text());
    let kinds = (coded::<AccountKind>(), coded::<AccountState>(), currency());
    let roles = any::<(bool, bool)>();
    (ids, kinds, text(), texts, roles, reported(), time(), time()).prop_map(
        |(ids, (kind, state, currency), name, texts, roles, reported, created, updated)| {
            let [
                description,
                institution,
                number_last_four,
                routing_last_four,
            ] = texts;
            Account {
                id: AccountId::new(ids.0),
                tenant: TenantId::new(ids.1),
                owner: OwnerId::new(ids.2),
                kind,
                name,
                description,
                institution,
                number_last_four,
                routing_last_four,
                currency,
                profile: None,
                parent: None,
                tag: None,
                details: None,
                state,
                reason: None,
                can_be_source: roles.0,
                can_be_destination: roles.1,
                reported,
                created_at: created,
                updated_at: updated,
                balance: 0,
                held: 0,
                entries: 0,
            }
        },
    )
}

fn transfer() -> impl Strategy<Value = Transfer> {
    let ids = (any::<u64>(), any::<u64>(), any::<u64>());
    let ends = (option::of(any::<u64>()), option::of(any::<u64>()));
    let kinds = (
        coded(),
        coded(),
        coded(),
        option::of(coded()),
        option::of(coded()),
    );
    let made = (
        option::of(any::<(u64, u64)>()),
        option::of(any::<u64>()),
        maybe_text(),
    );
    let times = (time(), time(), option::of(time()));
    (ids, ends, amount(), kinds, integer(), made, times).prop_map(
        |(ids, ends, amount, kinds, rail_delay_ms, (rule, key, description), times)| {
            let (direction, origin, status, rail, error) = kinds;
            Transfer {
                id: TransferId::new(ids.0),
                tenant: TenantId::new(ids.1),
                owner: OwnerId::new(ids.2),
                source: ends.0.map(AccountId::new),
                destination: ends.1.map(AccountId::new),
                amount,
                direction,
                origin,
                rail,
                rail_delay_ms,
                status,
                error,
                rule: rule.map(|(rule, run)| (RuleId::new(rule), ExecutionId::new(run))),
                key: key.map(KeyId::new),
                description,
                profile: None,
                tag: None,
                scheduled_at: None,
                fee_minor: 0,
                cancel_reason: None,
                card: None,
                created_at: times.0,
                updated_at: times.1,
                completed_at: times.2,
            }
        },
    )
}

fn effect() -> impl Strategy<Value = Effect> {
    let tenant = (any::<u64>(), text(), coded(), clock(), time()).prop_map(
        |(id, name, mode, clock, created_at)| {
            let id = TenantId::new(id);
            Effect::TenantCreated(Tenant {
                id,
                name,
                mode,
                clock,
                created_at,
            })
        },
    );
    let owner = (any::<u64>(), any::<u64>(), coded(), text(), time()).prop_map(
        |(id, tenant, kind, name, created_at)| {
            let (id, tenant) = (OwnerId::new(id), TenantId::new(tenant));
            Effect::OwnerCreated(Owner {
                id,
                tenant,
                kind,
                name,
                created_at,
            })
        },
    );
    let set = (any::<u64>(), clock()).prop_map(|(id, clock)| Effect::ClockSet {
        tenant: TenantId::new(id),
        clock,
    });
    let state =
        (any::<u64>(), coded(), time()).prop_map(|(id, state, at)| Effect::AccountStateSet {
            account: AccountId::new(id),
            state,
            reason: None,
            at,
        });
    let moved = (any::<u64>(), coded(), coded(), option::of(coded()), time()).prop_map(
        |(id, from, to, error, at)| Effect::TransferMoved {
            transfer: TransferId::new(id),
            from,
            to,
            error,
            fee_minor: 0,
            cancel_reason: None,
            at,
        },
    );
    let posted = (any::<u64>(), time(), posting()).prop_map(|(id, at, posting)| Effect::Posted {
        transfer: TransferId::new(id),
        at,
        posting,
    });
    let hold = (
        any::<(u64, u64, u64)>(),
        amount(),
        time(),
        option::of(time()),
    )
        .prop_map(|(ids, amount, created_at, expires_at)| {
            Effect::HoldPlaced(Hold {
                id: HoldId::new(ids.0),
                tenant: TenantId::new(ids.1),
                account: AccountId::new(ids.2),
                amount,
                created_at,
                expires_at,
            })
        });
    prop_oneof![
        1 => tenant,
        1 => set,
        1 => owner,
        1 => account().prop_map(Effect::AccountOpened),
        1 => state,
        1 => transfer().prop_map(Effect::TransferRecorded),
        1 => moved,
        1 => posted,
        1 => hold,
        1 => any::<u64>().prop_map(|id| Effect::HoldReleased(HoldId::new(id))),
        1 => due().prop_map(Effect::DueAdded),
        1 => due().prop_map(Effect::DueRemoved),
        8 => programme::effect(),
        8 => rules::effect(),
    ]
}

fn permission() -> impl Strategy<Value = Permission> {
    let resources = || {
        prop_oneof![
            Just(Resources::All),
            vec(any::<u64>(), 0..3).prop_map(Resources::Ids)
        ]
    };
    let selector = || prop_oneof![Just(Selector::All), any::<u64>().prop_map(Selector::Id)];
    let set = (
        selector(),
        selector(),
        option::of(integer()),
        option::of(integer()),
    )
        .prop_map(|(source, target, max_amount, approval_above)| TransferSet {
            source,
            target,
            max_amount,
            approval_above,
        });
    prop_oneof![
        Just(Permission::ListAccounts),
        resources().prop_map(Permission::ReadAccounts),
        Just(Permission::ListRules),
        Just(Permission::ReadAuditLogs),
        resources().prop_map(Permission::ReadRules),
        resources().prop_map(Permission::TriggerRules),
        resources().prop_map(Permission::ReadRuleExecutions),
        resources().prop_map(Permission::CreateAndEditRules),
        resources().prop_map(Permission::ReadTransfers),
        vec(set, 0..3).prop_map(Permission::ManualTransfer),
        resources().prop_map(Permission::ReadCards),
        resources().prop_map(Permission::CreateAndDeleteAccounts),
        Just(Permission::Programme),
        Just(Permission::Simulator),
    ]
}

fn key() -> impl Strategy<Value = KeyRecord> {
    let hash = any::<[u8; 32]>();
    let times = (time(), option::of(time()));
    (
        any::<(u64, u64)>(),
        text(),
        hash,
        text(),
        vec(permission(), 0..4),
        times,
    )
        .prop_map(
            |(ids, name, hash, hint, permissions, (created_at, revoked_at))| KeyRecord {
                id: KeyId::new(ids.0),
                tenant: TenantId::new(ids.1),
                name,
                hash,
                hint,
                permissions,
                created_at,
                revoked_at,
            },
        )
}

fn party() -> impl Strategy<Value = Party> {
    (any::<u64>(), coded(), text()).prop_map(|(id, kind, name)| Party {
        id: AccountId::new(id),
        kind,
        name,
    })
}

fn reply() -> impl Strategy<Value = RememberedReply> {
    let ends = (option::of(party()), option::of(party()));
    let transfer = (any::<u64>(), coded(), option::of(time()), ends).prop_map(
        |(id, status, completed_at, (source, destination))| RememberedReply::Transfer {
            id: TransferId::new(id),
            status,
            completed_at,
            source,
            destination,
        },
    );
    let refused =
        (text(), text()).prop_map(|(code, message)| RememberedReply::Refused { code, message });
    prop_oneof![
        transfer,
        refused,
        Just(RememberedReply::Done),
        vec(kept_record(), 0..3).prop_map(RememberedReply::Records),
        account().prop_map(|account| RememberedReply::Account(Box::new(account))),
        rules::reply(),
    ]
}

fn kept_record() -> impl Strategy<Value = crate::Record> {
    let ids = (any::<u64>(), any::<u64>(), option::of(any::<u64>()));
    let unique = option::of(any::<[u8; 16]>());
    (coded(), ids, 1..=u64::MAX, unique, text(), time()).prop_map(
        |(kind, (id, tenant, owner), version, unique, body, at)| crate::Record {
            kind,
            id,
            tenant: TenantId::new(tenant),
            owner: owner.map(OwnerId::new),
            version,
            unique,
            body,
            at,
        },
    )
}

fn remembered() -> impl Strategy<Value = Remembered> {
    (
        any::<u64>(),
        any::<[u8; 16]>(),
        any::<[u8; 16]>(),
        time(),
        text(),
        reply(),
    )
        .prop_map(|(number, key, body, at, request_id, reply)| Remembered {
            number,
            key,
            body,
            at,
            request_id,
            reply,
        })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => effect().prop_map(Change::Ledger),
        1 => key().prop_map(Change::KeyCreated),
        1 => (any::<u64>(), time())
            .prop_map(|(key, at)| Change::KeyRevoked { key: KeyId::new(key), at }),
        1 => remembered().prop_map(Change::Remembered),
        1 => kept_record().prop_map(Change::RecordPut),
        1 => (coded(), any::<u64>()).prop_map(|(kind, id)| Change::RecordDeleted { kind, id }),
        1 => any::<u64>().prop_map(|id| Change::Of(TenantId::new(id))),
    ]
}

fn record() -> impl Strategy<Value = (Millis, Vec<Change>)> {
    (time(), vec(change(), 0..5))
}

// --- properties ----------------------------------------------------------------------------------

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        rng_seed: RngSeed::Fixed(20_261_121),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_record_comes_back_as_it_was((at, changes) in record()) {
        let bytes = encode(at, &changes);
        let decoded = decode(&bytes).expect("what was encoded");
        prop_assert_eq!(decoded.at, at);
        prop_assert_eq!(decoded.changes, changes);
    }

    #[test]
    fn a_remembered_reply_comes_back_as_it_was(reply in reply(), at in time()) {
        let bytes = reply_to_bytes(&reply, at);
        prop_assert_eq!(reply_from_bytes(&bytes, at), Ok(reply));
        let longer = [&bytes[..], &[0]].concat();
        prop_assert!(reply_from_bytes(&longer, at).is_err());
    }

    #[test]
    fn a_kept_transfer_comes_back_as_it_was(transfer in transfer()) {
        let bytes = transfer_to_bytes(&transfer);
        prop_assert_eq!(transfer_from_bytes(&bytes), Ok(transfer));
        prop_assert!(transfer_from_bytes(&bytes[..bytes.len() - 1]).is_err());
        prop_assert!(transfer_from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn a_record_cut_short_is_another_or_none((at, changes) in record(), cut in any::<prop::sample::Index>()) {
        let bytes = encode(at, &changes);
        let short = &bytes[..cut.index(bytes.len())];
        if let Ok(record) = decode(short) {
            // A record may end after any whole change: its length is the journal's to keep.
            prop_assert!(changes.starts_with(&record.changes));
            prop_assert!(record.changes.len() < changes.len());
        }
        check_canonical(short);
    }

    #[test]
    fn a_spoiled_record_is_refused_or_means_what_it_says(
        (at, changes) in record(),
        spots in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = encode(at, &changes);
        for (spot, byte) in spots {
            let spot = spot.index(bytes.len());
            bytes[spot] = byte;
        }
        check_canonical(&bytes);
    }

    #[test]
    fn noise_is_refused_or_means_what_it_says(noise in vec(any::<u8>(), 0..80), tag in 1..70_u8) {
        check_canonical(&noise);
        let mut bytes = encode(AT, &[]);
        bytes.push(tag);
        bytes.extend(noise);
        check_canonical(&bytes);
    }
}

#[test]
fn another_version_is_refused() {
    let mut bytes = encode(AT, &[]);
    assert!(decode(&bytes).is_ok());
    for version in (0..=u8::MAX).filter(|version| *version != VERSION) {
        bytes[0] = version;
        assert_eq!(decode(&bytes).err(), Some(CodecError::Version(version)));
    }
    assert_eq!(decode(&[]).err(), Some(CodecError::Short));
    assert_eq!(decode(&[VERSION, 0, 0]).err(), Some(CodecError::Short));
}

#[test]
fn unknown_tags_are_refused() {
    let known: Vec<u8> = (1..=26).chain(64..=70).collect();
    for tag in (0..=u8::MAX).filter(|tag| !known.contains(tag)) {
        let mut bytes = encode(AT, &[]);
        bytes.push(tag);
        assert_eq!(
            decode(&bytes).err(),
            Some(CodecError::Tag {
                what: "change",
                tag
            })
        );
    }
}

#[test]
fn a_number_has_one_spelling() {
    for (bytes, expected) in [
        (&[0x00][..], Some(0)),
        (&[0x7f], Some(127)),
        (&[0x80, 0x01], Some(128)),
        (&[0x80, 0x00], None), // zero, padded
        (&[0xff, 0x00], None), // 127, padded
        (
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            Some(u64::MAX),
        ),
        (
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
            None,
        ),
        (
            &[
                0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01,
            ],
            None,
        ),
        (&[0x80], None),
    ] {
        assert_eq!(
            Decoder::new(bytes, AT).uint().ok(),
            expected,
            "{bytes:02x?}"
        );
    }
}

#[test]
fn permissions_have_one_spelling() {
    let key = sample_key();
    let good = encode(AT, &[Change::KeyCreated(key)]);
    let text = br#"["ListAccounts""#;
    let at = good
        .windows(text.len())
        .position(|window| window == text)
        .expect("it is JSON");
    let mut spaced = good.clone();
    spaced.insert(at + 1, b' ');
    spaced[at - 1] += 1; // the length of the text, below 127
    assert_eq!(
        decode(&spaced).err(),
        Some(CodecError::Value("permissions"))
    );
    assert!(decode(&good).is_ok());
}

#[test]
fn a_posting_off_balance_is_refused() {
    let samples = samples();
    let posted = samples
        .iter()
        .find(|(name, ..)| *name == "posted")
        .expect("it is there");
    let mut bytes = encode(AT, std::slice::from_ref(&posted.1));
    let last = bytes.len() - 1;
    bytes[last] ^= 2; // balance_after is not a matter of balance
    assert!(decode(&bytes).is_ok());
    let amount = b"USD\x7e";
    let place = bytes
        .windows(4)
        .position(|window| window == amount)
        .expect("63 in zigzag");
    bytes[place + 3] = 0x7c;
    assert_eq!(decode(&bytes).err(), Some(CodecError::Value("posting")));
}

// --- the format, pinned --------------------------------------------------------------------------

fn sample_key() -> KeyRecord {
    KeyRecord {
        id: KeyId::new(0x21),
        tenant: TenantId::new(0x11),
        name: Arc::from("ci"),
        hash: [0xAB; 32],
        hint: Arc::from("x9z2"),
        permissions: vec![
            Permission::ListAccounts,
            Permission::ReadAccounts(Resources::All),
        ],
        created_at: AT,
        revoked_at: None,
    }
}

/// One change of each kind, with the hex of its record after version and time.
///
/// These bytes are in journals on disk: they never change. A new kind gets a new tag.
fn samples() -> Vec<(&'static str, Change, &'static str)> {
    let mut samples = plain_samples();
    let of = |name: &str| {
        let (_, change, _) = samples.iter().find(|(known, ..)| *known == name)?;
        match change {
            Change::Ledger(effect) => Some(effect),
            _ => None,
        }
    };
    let (Some(Effect::AccountOpened(opened)), Some(Effect::TransferRecorded(recorded))) =
        (of("account opened"), of("transfer recorded"))
    else {
        unreachable!("both are there")
    };
    let longer = programme::longer_samples(opened, recorded);
    let paid = programme::card_sample(recorded);
    let ledger = samples.iter().filter(|(_, change, _)| tag_of(change) <= 12);
    let at = ledger.count();
    samples.splice(at..at, longer);
    let at = samples.iter().filter(|(_, change, _)| tag_of(change) < 64);
    let at = at.count();
    samples.splice(at..at, rules::samples());
    let after_remembered = |(_, change, _): &&(_, Change, _)| tag_of(change) <= 66;
    let at = samples.iter().take_while(after_remembered).count();
    let replies = rules::replies().into_iter();
    let replies = replies.map(|(name, reply, bytes)| (name, answered(reply), bytes));
    samples.splice(at..at, replies);
    samples.push(paid);
    samples
}

/// An answer as it is remembered.
fn answered(reply: RememberedReply) -> Change {
    Change::Remembered(Remembered {
        number: 200,
        key: [0xCD; 16],
        body: [0xEF; 16],
        at: AT,
        request_id: Arc::from("req"),
        reply,
    })
}

fn plain_samples() -> Vec<(&'static str, Change, &'static str)> {
    let tenant = TenantId::new(0x11);
    let (account, other) = (AccountId::new(0x13), AccountId::new(0x14));
    let transfer = TransferId::new(0x0102_0304_0506_0708);
    let later = AT.plus(100);
    let amount = positive(63, Currency::USD);
    let due = Due {
        tenant,
        at: later,
        work: Work::Settle(transfer),
    };
    let entry = |account, side, balance_after| Entry {
        account,
        sequence: 300,
        side,
        amount,
        balance_after,
    };
    let entries = vec![
        entry(account, Side::Debit, -1),
        entry(other, Side::Credit, 1_000_000),
    ];
    let opened = Account {
        id: account,
        tenant,
        owner: OwnerId::new(0x12),
        kind: AccountKind::External(ExternalKind::Liability),
        name: Arc::from("Card"),
        description: None,
        institution: Some(Arc::from("Bank")),
        number_last_four: Some(Arc::from("1234")),
        routing_last_four: None,
        currency: Currency::EUR,
        profile: None,
        parent: None,
        tag: None,
        details: None,
        state: AccountState::Active,
        reason: None,
        can_be_source: false,
        can_be_destination: true,
        reported: Reported {
            balance: Some(-64),
            next_payment_due_date: Some(Arc::from("2027-01-31")),
            updated_at: Some(AT),
            ..Reported::default()
        },
        created_at: AT,
        updated_at: later,
        balance: 0,
        held: 0,
        entries: 0,
    };
    let recorded = Transfer {
        id: transfer,
        tenant,
        owner: OwnerId::new(0x12),
        source: Some(account),
        destination: None,
        amount,
        direction: Direction::MoneyOut,
        origin: Origin::Rule,
        rail: Some(Rail::Simulated),
        rail_delay_ms: 2_000,
        status: Status::Incomplete,
        error: Some(ErrorCode::InsufficientFunds),
        rule: Some((RuleId::new(0x31), ExecutionId::new(0x32))),
        key: Some(KeyId::new(0x21)),
        description: Some(Arc::from("é")),
        profile: None,
        tag: None,
        scheduled_at: None,
        fee_minor: 0,
        cancel_reason: None,
        card: None,
        created_at: AT,
        updated_at: later,
        completed_at: None,
    };
    let party = |kind| {
        Some(Party {
            id: account,
            kind,
            name: Arc::from("A"),
        })
    };
    let replied = answered;
    let kept = crate::Record {
        kind: crate::RecordKind::User,
        id: 0x41,
        tenant,
        owner: Some(OwnerId::new(0x12)),
        version: 3,
        unique: Some([0xDE; 16]),
        body: Arc::from(r#"{"a":1}"#),
        at: AT,
    };
    let in_transit = AccountKind::System(SystemKind::InTransit(Rail::Simulated));
    vec![
        (
            "tenant created",
            Change::Ledger(Effect::TenantCreated(Tenant {
                id: tenant,
                name: Arc::from("Acme"),
                mode: TenantMode::Sandbox,
                clock: TenantClock::MACHINE,
                created_at: AT,
            })),
            "0111000000000000000441636d6502010000",
        ),
        (
            "clock set",
            Change::Ledger(Effect::ClockSet {
                tenant,
                clock: TenantClock::Frozen { at: later },
            }),
            "02110000000000000002c801",
        ),
        (
            "owner created",
            Change::Ledger(Effect::OwnerCreated(Owner {
                id: OwnerId::new(0x12),
                tenant,
                kind: OwnerKind::Corporate,
                name: Arc::from("Ada"),
                created_at: AT,
            })),
            "0312000000000000001100000000000000020341646100",
        ),
        (
            "account opened",
            Change::Ledger(Effect::AccountOpened(opened)),
            "0413000000000000001100000000000000120000000000000005044361726400 \
             010442616e6b01043132333400455552010001017f00000000010a323032372d \
             30312d3331010000c801",
        ),
        (
            "account state set",
            Change::Ledger(Effect::AccountStateSet {
                account,
                state: AccountState::Blocked,
                reason: None,
                at: AT,
            }),
            "0513000000000000000200",
        ),
        (
            "transfer recorded",
            Change::Ledger(Effect::TransferRecorded(recorded)),
            "0608070605040302011100000000000000120000000000000001130000000000 \
             0000005553447e02050101a01f06010101310000000000000032000000000000 \
             000121000000000000000102c3a900c80100",
        ),
        (
            "transfer moved",
            Change::Ledger(Effect::TransferMoved {
                transfer,
                from: Status::Pending,
                to: Status::Error,
                error: Some(ErrorCode::NameMismatch),
                fee_minor: 0,
                cancel_reason: None,
                at: later,
            }),
            "07080706050403020104070103c801",
        ),
        (
            "posted",
            Change::Ledger(Effect::Posted {
                transfer,
                at: AT,
                posting: Posting::new(entries).expect("on balance"),
            }),
            "08080706050403020100021300000000000000ac02015553447e011400000000 \
             000000ac02025553447e80897a",
        ),
        (
            "hold placed",
            Change::Ledger(Effect::HoldPlaced(Hold {
                id: HoldId::new(0x15),
                tenant,
                account,
                amount,
                created_at: AT,
                expires_at: Some(later),
            })),
            "091500000000000000110000000000000013000000000000005553447e0001c8 \
             01",
        ),
        (
            "hold released",
            Change::Ledger(Effect::HoldReleased(HoldId::new(0x15))),
            "0a1500000000000000",
        ),
        (
            "due added",
            Change::Ledger(Effect::DueAdded(due)),
            "0b1100000000000000c801010807060504030201",
        ),
        (
            "due removed",
            Change::Ledger(Effect::DueRemoved(Due {
                work: Work::ExpireHold(HoldId::new(0x15)),
                ..due
            })),
            "0c1100000000000000c801021500000000000000",
        ),
        (
            "key created",
            Change::KeyCreated(sample_key()),
            "4021000000000000001100000000000000026369abababababababababababab \
             abababababababababababababababababababab0478397a32275b224c697374 \
             4163636f756e7473222c7b22526561644163636f756e7473223a22416c6c227d \
             5d0000",
        ),
        (
            "key revoked",
            Change::KeyRevoked {
                key: KeyId::new(0x21),
                at: later,
            },
            "412100000000000000c801",
        ),
        (
            "transfer remembered",
            replied(RememberedReply::Transfer {
                id: transfer,
                status: Status::Complete,
                completed_at: Some(AT),
                source: party(AccountKind::IncomeSource),
                destination: party(in_transit),
            }),
            "42c801cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdefefefefefefefefefefefefef \
             efefef0003726571010807060504030201050100011300000000000000010141 \
             011300000000000000110141",
        ),
        (
            "refusal remembered",
            replied(RememberedReply::Refused {
                code: Arc::from("no"),
                message: Arc::from("not"),
            }),
            "42c801cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdefefefefefefefefefefefefef \
             efefef000372657102026e6f036e6f74",
        ),
        (
            "nothing remembered",
            replied(RememberedReply::Done),
            "42c801cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdefefefefefefefefefefefefef \
             efefef000372657103",
        ),
        (
            "records remembered",
            replied(RememberedReply::Records(vec![kept.clone()])),
            "42c801cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdefefefefefefefefefefefefef \
             efefef0003726571040102410000000000000011000000000000000112000000 \
             000000000301dededededededededededededededede077b2261223a317d00",
        ),
        (
            "record put",
            Change::RecordPut(kept),
            "4302410000000000000011000000000000000112000000000000000301dedede \
             dedededededededededededede077b2261223a317d00",
        ),
        (
            "record deleted",
            Change::RecordDeleted {
                kind: crate::RecordKind::Session,
                id: 0x41,
            },
            "44034100000000000000",
        ),
        (
            "whose it is",
            Change::Of(TenantId::new(0x11)),
            "451100000000000000",
        ),
    ]
}

/// Cut anywhere a sample is refused; with any one bit flipped it is refused or says another thing.
#[test]
fn no_sample_survives_a_cut_or_a_flip() {
    let head = encode(AT, &[]).len();
    for (name, change, _) in samples() {
        let bytes = encode(AT, std::slice::from_ref(&change));
        for end in head + 1..bytes.len() {
            assert!(decode(&bytes[..end]).is_err(), "{name} cut at {end}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            if let Ok(record) = decode(&bad) {
                let same = record.at == AT && record.changes == [change.clone()];
                assert!(!same, "{name}: bit {bit} means nothing");
                assert_eq!(encode(record.at, &record.changes), bad, "{name}: bit {bit}");
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes everything");
        hex
    })
}

#[test]
fn the_bytes_of_each_kind_of_change_are_pinned() {
    let head = encode(AT, &[]);
    assert_eq!(hex(&head), "0100505c18a3010000");
    for (name, change, expected) in samples() {
        let bytes = encode(AT, std::slice::from_ref(&change));
        assert_eq!(
            hex(&bytes[head.len()..]),
            expected.replace(' ', ""),
            "{name}"
        );
        let decoded = decode(&bytes).expect("what was encoded");
        assert_eq!(decoded.changes, [change], "{name}");
    }
}

#[test]
fn every_kind_of_change_has_a_sample() {
    let mut tags: Vec<u8> = samples()
        .iter()
        .map(|(_, change, _)| tag_of(change))
        .collect();
    tags.dedup();
    assert_eq!(tags, (1..=26).chain(64..=70).collect::<Vec<u8>>());
}

/// Written as a match, so that a new kind does not compile until it is here and has a sample.
fn tag_of(change: &Change) -> u8 {
    match change {
        Change::Ledger(effect) => match effect {
            Effect::TenantCreated(_) => 1,
            Effect::ClockSet { .. } => 2,
            Effect::OwnerCreated(_) => 3,
            Effect::AccountOpened(account) => match account.profile {
                None => 4,
                Some(_) => 13,
            },
            Effect::AccountStateSet { reason, .. } => match reason {
                None => 5,
                Some(_) => 14,
            },
            Effect::TransferRecorded(transfer) => match (transfer.profile, transfer.card) {
                (_, Some(_)) => 70,
                (None, None) => 6,
                (Some(_), None) => 17,
            },
            Effect::TransferMoved {
                fee_minor,
                cancel_reason,
                ..
            } => match (fee_minor, cancel_reason) {
                (0, None) => 7,
                _ => 18,
            },
            Effect::Posted { .. } => 8,
            Effect::HoldPlaced(_) => 9,
            Effect::HoldReleased(_) => 10,
            Effect::DueAdded(_) => 11,
            Effect::DueRemoved(_) => 12,
            Effect::AccountChanged { .. } => 15,
            Effect::ProfileSet(_) => 16,
            Effect::BulkSubmitted(_) => 19,
            Effect::BulkMoved { .. } => 20,
            Effect::BulkStepped { .. } => 21,
            Effect::RuleSet(_) => 22,
            Effect::RuleDeleted { .. } => 23,
            Effect::CapCounted { .. } => 24,
            Effect::ExecutionRecorded(_) => 25,
            Effect::ExecutionMoved { .. } => 26,
        },
        Change::KeyCreated(_) => 64,
        Change::KeyRevoked { .. } => 65,
        Change::Remembered(_) => 66,
        Change::RecordPut(_) => 67,
        Change::RecordDeleted { .. } => 68,
        Change::Of(_) => 69,
    }
}
