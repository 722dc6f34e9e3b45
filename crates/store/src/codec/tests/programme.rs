//! Profiles, instruments, transfers under a profile, and bulks: what can be in a record, and the
//! bytes of each.

use ledger::profile::{
    CardMode, DepositFee, Fee, FeePolicy, Pair, Rate, TransferFee, TransferTerms,
};
use ledger::{
    Bulk, BulkId, BulkMode, BulkStatus, Denial, Instrument, InstrumentClass, OperationOutcome,
    Profile, ProfileId, ProfileKind, StateReason, Terms, TransferOrder,
};

use super::*;

// --- what can be in a record ---------------------------------------------------------------------

fn profile_id() -> impl Strategy<Value = ProfileId> {
    any::<u64>().prop_map(ProfileId::new)
}

fn fee() -> impl Strategy<Value = Fee> {
    let rate = (0..=1_000_000_u32).prop_map(|ppm| Rate::from_ppm(ppm).expect("at most the whole"));
    (0..5_u8, integer(), rate).prop_map(|(kind, flat, rate)| match kind {
        0 => Fee::Flat(flat),
        1 => Fee::Percentage(rate),
        2 => Fee::Plus(flat, rate),
        3 => Fee::Min(flat, rate),
        _ => Fee::Max(flat, rate),
    })
}

fn pair() -> impl Strategy<Value = Pair> {
    proptest::sample::select(Pair::ALL.to_vec())
}

fn terms() -> impl Strategy<Value = Terms> {
    let amounts = || vec(amount(), 0..3);
    let deposits = vec((currency(), fee()), 0..3);
    let deposits = deposits.prop_map(|lines| {
        let line = |(currency, fee)| DepositFee { currency, fee };
        lines.into_iter().map(line).collect()
    });
    let fees = vec((pair(), currency(), fee()), 0..3).prop_map(|lines| {
        let line = |(pair, currency, fee)| TransferFee {
            pair,
            currency,
            fee,
        };
        lines.into_iter().map(line).collect::<Vec<_>>()
    });
    let transfer = (
        vec(pair(), 0..3),
        fees,
        coded(),
        amounts(),
        amounts(),
        any::<bool>(),
    );
    prop_oneof![
        Just(Terms::Corporate),
        Just(Terms::Consumer),
        (amounts(), deposits).prop_map(|(max_balances, deposit_fees)| Terms::ManagedAccount {
            max_balances,
            deposit_fees,
        }),
        (coded(), amounts())
            .prop_map(|(mode, max_balances)| Terms::ManagedCard { mode, max_balances }),
        transfer.prop_map(
            |(pairs, fees, fee_policy, max_amounts, deny_above, forex)| {
                Terms::Transfer(TransferTerms {
                    pairs,
                    fees,
                    fee_policy,
                    max_amounts,
                    deny_above,
                    forex,
                })
            }
        ),
    ]
}

fn profile() -> impl Strategy<Value = Profile> {
    let ids = (profile_id(), any::<u64>());
    let currencies = vec(currency(), 0..3);
    let rest = (currencies, terms(), time(), time());
    (ids, text(), any::<bool>(), rest).prop_map(
        |((id, tenant), name, active, (currencies, terms, created_at, updated_at))| Profile {
            id,
            tenant: TenantId::new(tenant),
            name,
            active,
            currencies,
            terms,
            created_at,
            updated_at,
        },
    )
}

fn instrument() -> impl Strategy<Value = Instrument> {
    (any::<u64>(), coded()).prop_map(|(id, class)| Instrument {
        id: AccountId::new(id),
        class,
    })
}

fn order() -> impl Strategy<Value = TransferOrder> {
    let texts = (maybe_text(), maybe_text());
    let amount = (option::of(currency()), integer());
    let ends = (instrument(), instrument());
    (profile_id(), ends, amount, texts, option::of(time())).prop_map(
        |(profile, (source, destination), (currency, amount_minor), texts, scheduled_at)| {
            TransferOrder {
                profile,
                source,
                destination,
                currency,
                amount_minor,
                tag: texts.0,
                description: texts.1,
                scheduled_at,
            }
        },
    )
}

/// As it is handed in: that is all its effect has room for.
fn bulk() -> impl Strategy<Value = Bulk> {
    let ids = any::<(u64, u64, u64)>();
    let key = option::of(any::<u64>());
    (ids, key, vec(order(), 0..4), time()).prop_map(|(ids, key, operations, created_at)| Bulk {
        id: BulkId::new(ids.0),
        tenant: TenantId::new(ids.1),
        owner: OwnerId::new(ids.2),
        key: key.map(KeyId::new),
        operations: Arc::from(operations),
        status: BulkStatus::Submitted,
        mode: None,
        succeeded: 0,
        failed: 0,
        created_at,
        started_at: None,
        finished_at: None,
    })
}

fn outcome() -> impl Strategy<Value = OperationOutcome> {
    prop_oneof![
        (any::<u64>(), coded())
            .prop_map(|(id, status)| OperationOutcome::Made(TransferId::new(id), status)),
        coded().prop_map(OperationOutcome::Denied),
        Just(OperationOutcome::ProfileNotFound),
    ]
}

/// An account with any of what only instruments have, or with none of it.
fn instrument_account() -> impl Strategy<Value = Account> {
    let ids = (option::of(profile_id()), option::of(any::<u64>()));
    let texts = (maybe_text(), maybe_text());
    (account(), ids, texts, option::of(coded())).prop_map(
        |(account, (profile, parent), (tag, details), reason)| Account {
            profile,
            parent: parent.map(AccountId::new),
            tag,
            details,
            reason,
            ..account
        },
    )
}

/// A transfer with any of what only those under a profile have, or with none of it.
fn profile_transfer() -> impl Strategy<Value = Transfer> {
    let when = (option::of(profile_id()), option::of(time()));
    let texts = (maybe_text(), maybe_text());
    let fee = prop_oneof![Just(0), integer()];
    let card = option::of(any::<u64>());
    (transfer(), when, texts, fee, card).prop_map(
        |(transfer, (profile, scheduled_at), (tag, cancel_reason), fee_minor, card)| Transfer {
            profile,
            tag,
            scheduled_at,
            fee_minor,
            cancel_reason,
            card: card.map(AccountId::new),
            ..transfer
        },
    )
}

/// Every effect that the shorter forms have no room for, and its neighbours that they have.
pub(super) fn effect() -> impl Strategy<Value = Effect> {
    let state =
        (any::<u64>(), coded(), option::of(coded()), time()).prop_map(|(id, state, reason, at)| {
            Effect::AccountStateSet {
                account: AccountId::new(id),
                state,
                reason,
                at,
            }
        });
    let changed = (any::<u64>(), text(), maybe_text(), maybe_text(), time()).prop_map(
        |(id, name, tag, details, at)| Effect::AccountChanged {
            account: AccountId::new(id),
            name,
            tag,
            details,
            at,
        },
    );
    let steps = (coded(), coded(), option::of(coded()));
    let fee = prop_oneof![Just(0), integer()];
    let moved = (any::<u64>(), steps, fee, maybe_text(), time()).prop_map(
        |(id, (from, to, error), fee_minor, cancel_reason, at)| Effect::TransferMoved {
            transfer: TransferId::new(id),
            from,
            to,
            error,
            fee_minor,
            cancel_reason,
            at,
        },
    );
    let bulk_moved = (any::<u64>(), coded(), coded(), option::of(coded()), time()).prop_map(
        |(id, from, to, mode, at)| Effect::BulkMoved {
            bulk: BulkId::new(id),
            from,
            to,
            mode,
            at,
        },
    );
    let stepped = (any::<u64>(), any::<u32>(), outcome()).prop_map(|(id, operation, outcome)| {
        Effect::BulkStepped {
            bulk: BulkId::new(id),
            operation,
            outcome,
        }
    });
    prop_oneof![
        instrument_account().prop_map(Effect::AccountOpened),
        state,
        changed,
        profile().prop_map(Effect::ProfileSet),
        profile_transfer().prop_map(Effect::TransferRecorded),
        moved,
        bulk().prop_map(Effect::BulkSubmitted),
        bulk_moved,
        stepped,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        rng_seed: RngSeed::Fixed(20_261_121),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn terms_and_operations_come_back_from_the_views(
        terms in terms(),
        operations in vec(order(), 0..4),
        spot in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let bytes = terms_to_bytes(&terms);
        prop_assert_eq!(terms_from_bytes(&bytes), Ok(terms));
        prop_assert!(terms_from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        let mut spoiled = bytes.clone();
        spoiled[spot.index(bytes.len())] = byte;
        if let Ok(other) = terms_from_bytes(&spoiled) {
            prop_assert_eq!(terms_to_bytes(&other), spoiled);
        }

        let bytes = operations_to_bytes(&operations);
        prop_assert_eq!(operations_from_bytes(&bytes), Ok(Arc::from(operations)));
        prop_assert!(operations_from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        let mut spoiled = bytes.clone();
        spoiled[spot.index(bytes.len())] = byte;
        if let Ok(other) = operations_from_bytes(&spoiled) {
            prop_assert_eq!(operations_to_bytes(&other), spoiled);
        }
    }
}

// --- the longer forms ----------------------------------------------------------------------------

/// What fits a shorter form has only that one: the longer with nothing in it is refused.
#[test]
fn a_longer_form_that_says_no_more_is_refused() {
    let head = encode(AT, &[]).len();
    for (name, longer, fields) in [
        // Profile, parent, tag, details, reason.
        ("account opened", 13, 5),
        // Profile, tag, scheduled time, fee, reason of the cancellation.
        ("transfer recorded", 17, 5),
        // Fee, reason of the cancellation.
        ("transfer moved", 18, 2),
    ] {
        let samples = plain_samples();
        let (_, change, _) = samples
            .iter()
            .find(|(known, ..)| *known == name)
            .expect("a sample of the shorter form");
        let mut bytes = encode(AT, std::slice::from_ref(change));
        assert!(decode(&bytes).is_ok());
        bytes[head] = longer;
        assert!(decode(&bytes).is_err(), "{name}: the part is missing");
        bytes.extend(vec![0; fields]);
        assert_eq!(
            decode(&bytes).err(),
            Some(CodecError::Value("form")),
            "{name}"
        );
        // With the second field set, a parent, a tag or a reason, there is more to say.
        let flag = bytes.len() - fields + 1;
        bytes[flag] = 1;
        bytes.insert(flag + 1, 1);
        bytes.insert(flag + 2, b'x');
        if name == "account opened" {
            bytes.splice(flag + 1..flag + 3, [9, 0, 0, 0, 0, 0, 0, 0]);
        }
        assert!(decode(&bytes).is_ok(), "{name}: {bytes:02x?}");
        check_canonical(&bytes);
    }
}

/// A reason has no form for "none": every byte that is no reason is refused.
#[test]
fn a_state_with_a_reason_has_one() {
    let head = encode(AT, &[]).len();
    let samples = plain_samples();
    let (_, plain, _) = samples
        .iter()
        .find(|(name, ..)| *name == "account state set")
        .expect("it is there");
    let mut bytes = encode(AT, std::slice::from_ref(plain));
    bytes[head] = 14;
    assert_eq!(decode(&bytes).err(), Some(CodecError::Short));
    for reason in 0..=u8::MAX {
        let longer = [&bytes[..], &[reason]].concat();
        let known = StateReason::from_code(reason).is_some();
        assert_eq!(decode(&longer).is_ok(), known, "{reason}");
        check_canonical(&longer);
    }
}

#[test]
fn rates_and_counts_out_of_range_are_refused() {
    // A percentage of 1,000,000 parts and of one more.
    let terms = Terms::ManagedAccount {
        max_balances: Vec::new(),
        deposit_fees: vec![DepositFee {
            currency: Currency::EUR,
            fee: Fee::Percentage(Rate::from_ppm(1_000_000).expect("the whole")),
        }],
    };
    let mut bytes = terms_to_bytes(&terms);
    assert_eq!(hex(&bytes), "03000145555202c0843d");
    let last = bytes.len() - 3;
    bytes[last] += 1;
    assert_eq!(terms_from_bytes(&bytes), Err(CodecError::Value("rate")));
    // The index of an operation has 32 bits.
    let head = encode(AT, &[]).len();
    let stepped = Effect::BulkStepped {
        bulk: BulkId::new(1),
        operation: u32::MAX,
        outcome: OperationOutcome::ProfileNotFound,
    };
    let mut bytes = encode(AT, &[Change::Ledger(stepped)]);
    assert!(decode(&bytes).is_ok());
    bytes[head + 13] += 1;
    assert_eq!(decode(&bytes).err(), Some(CodecError::Value("operation")));
    // A false count of operations runs out of bytes, however large it is.
    let many = [0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3];
    assert_eq!(operations_from_bytes(&many), Err(CodecError::Short));
}

#[test]
fn every_code_is_its_own() {
    fn check<T: Code + PartialEq + std::fmt::Debug>(known: &[T]) {
        let found: Vec<T> = (0..=u8::MAX).filter_map(T::from_code).collect();
        assert_eq!(found.len(), known.len(), "{}", T::WHAT);
        for value in known {
            assert_eq!(T::from_code(value.code()).as_ref(), Some(value));
        }
    }
    check(&Denial::ALL);
    check(&Status::ALL);
    let denied = Denial::ALL.map(ErrorCode::Denied);
    let of_rules = [ErrorCode::LessThanOneDollar];
    check(&[&ErrorCode::ALL[..], &of_rules, &denied].concat());
    check(&[
        StateReason::User,
        StateReason::System,
        StateReason::Lost,
        StateReason::Stolen,
        StateReason::Expired,
        StateReason::Compromised,
    ]);
    check(&[InstrumentClass::Account, InstrumentClass::Card]);
    check(&[
        ProfileKind::Corporate,
        ProfileKind::Consumer,
        ProfileKind::ManagedAccount,
        ProfileKind::ManagedCard,
        ProfileKind::Transfer,
    ]);
    check(&[CardMode::Prepaid, CardMode::Debit]);
    check(&[FeePolicy::BestEffort, FeePolicy::Required]);
    check(&[
        BulkStatus::Submitted,
        BulkStatus::Running,
        BulkStatus::Paused,
        BulkStatus::Completed,
        BulkStatus::PartiallyCompleted,
        BulkStatus::Failed,
        BulkStatus::Cancelled,
    ]);
    check(&[BulkMode::StopOnFailure, BulkMode::ContinueOnFailure]);
}

// --- the format, pinned --------------------------------------------------------------------------

fn rate(ppm: u32) -> Rate {
    Rate::from_ppm(ppm).expect("at most the whole")
}

fn profile_of(id: u64, terms: Terms) -> Change {
    Change::Ledger(Effect::ProfileSet(Profile {
        id: ProfileId::new(id),
        tenant: TenantId::new(0x11),
        name: Arc::from("P"),
        active: true,
        currencies: vec![Currency::EUR, Currency::GBP],
        terms,
        created_at: AT,
        updated_at: AT.plus(100),
    }))
}

fn order_of(scheduled_at: Option<Millis>) -> TransferOrder {
    TransferOrder {
        profile: ProfileId::new(0x41),
        source: Instrument {
            id: AccountId::new(0x13),
            class: InstrumentClass::Account,
        },
        destination: Instrument {
            id: AccountId::new(0x14),
            class: InstrumentClass::Card,
        },
        currency: scheduled_at.map(|_| Currency::EUR),
        amount_minor: -1,
        tag: scheduled_at.map(|_| Arc::from("t")),
        description: None,
        scheduled_at,
    }
}

/// Like [`super::samples`], which these belong to.
/// What a debit card paid.
pub(super) fn card_sample(recorded: &Transfer) -> (&'static str, Change, &'static str) {
    let paid = Transfer {
        destination: None,
        direction: ledger::Direction::MoneyOut,
        origin: Origin::CardPurchase,
        status: Status::Complete,
        error: None,
        rail: None,
        rail_delay_ms: 0,
        rule: None,
        key: None,
        card: Some(AccountId::new(0x15)),
        ..recorded.clone()
    };
    (
        "card transfer recorded",
        Change::Ledger(Effect::TransferRecorded(paid)),
        "46080706050403020111000000000000001200000000000000011300000000000000005553447e02 \
         090000050000000102c3a900c8010000000000001500000000000000",
    )
}

pub(super) fn longer_samples(
    opened: &Account,
    recorded: &Transfer,
) -> Vec<(&'static str, Change, &'static str)> {
    let later = AT.plus(100);
    let (account, transfer) = (opened.id, recorded.id);
    let bulk = BulkId::new(0x51);
    let pair = |source, destination| Pair {
        source,
        destination,
    };
    let stepped = |operation, outcome| {
        Change::Ledger(Effect::BulkStepped {
            bulk,
            operation,
            outcome,
        })
    };
    vec![
        (
            "instrument opened",
            Change::Ledger(Effect::AccountOpened(Account {
                kind: AccountKind::DebitCard,
                profile: Some(ProfileId::new(0x41)),
                parent: Some(AccountId::new(0x14)),
                tag: Some(Arc::from("t")),
                details: Some(Arc::from("{}")),
                reason: Some(StateReason::Lost),
                reported: Reported::default(),
                ..opened.clone()
            })),
            "0d13000000000000001100000000000000120000000000000007044361726400 \
             010442616e6b010431323334004555520100010000000000000000c801014100 \
             00000000000001140000000000000001017401027b7d0103",
        ),
        (
            "account state set with a reason",
            Change::Ledger(Effect::AccountStateSet {
                account,
                state: AccountState::Destroyed,
                reason: Some(StateReason::Stolen),
                at: later,
            }),
            "0e130000000000000003c80104",
        ),
        (
            "account changed",
            Change::Ledger(Effect::AccountChanged {
                account,
                name: Arc::from("Card"),
                tag: None,
                details: Some(Arc::from("{}")),
                at: later,
            }),
            "0f130000000000000004436172640001027b7dc801",
        ),
        (
            "corporate profile set",
            profile_of(0x41, Terms::Corporate),
            "1041000000000000001100000000000000015001024555524742500100c801",
        ),
        (
            "consumer profile set",
            profile_of(0x42, Terms::Consumer),
            "1042000000000000001100000000000000015001024555524742500200c801",
        ),
        (
            "account profile set",
            profile_of(
                0x43,
                Terms::ManagedAccount {
                    max_balances: vec![positive(63, Currency::EUR)],
                    deposit_fees: vec![
                        DepositFee {
                            currency: Currency::EUR,
                            fee: Fee::Flat(5),
                        },
                        DepositFee {
                            currency: Currency::GBP,
                            fee: Fee::Percentage(rate(12_500)),
                        },
                    ],
                },
            ),
            "1043000000000000001100000000000000015001024555524742500301455552 \
             7e02455552010a47425002d46100c801",
        ),
        (
            "card profile set",
            profile_of(
                0x44,
                Terms::ManagedCard {
                    mode: CardMode::Debit,
                    max_balances: vec![positive(64, Currency::GBP)],
                },
            ),
            "1044000000000000001100000000000000015001024555524742500402014742 \
             50800100c801",
        ),
        (
            "transfer profile set",
            profile_of(
                0x45,
                Terms::Transfer(TransferTerms {
                    pairs: vec![pair(InstrumentClass::Account, InstrumentClass::Card)],
                    fees: vec![
                        TransferFee {
                            pair: pair(InstrumentClass::Account, InstrumentClass::Card),
                            currency: Currency::EUR,
                            fee: Fee::Plus(5, rate(1)),
                        },
                        TransferFee {
                            pair: pair(InstrumentClass::Card, InstrumentClass::Account),
                            currency: Currency::EUR,
                            fee: Fee::Min(5, rate(1_000_000)),
                        },
                        TransferFee {
                            pair: pair(InstrumentClass::Card, InstrumentClass::Card),
                            currency: Currency::GBP,
                            fee: Fee::Max(6, rate(0)),
                        },
                    ],
                    fee_policy: FeePolicy::Required,
                    max_amounts: vec![positive(63, Currency::EUR)],
                    deny_above: vec![positive(64, Currency::EUR)],
                    forex: true,
                }),
            ),
            "1045000000000000001100000000000000015001024555524742500501010203 \
             0102455552030a010201455552040ac0843d0202474250050c0002014555527e \
             0145555280010100c801",
        ),
        (
            "profile transfer recorded",
            Change::Ledger(Effect::TransferRecorded(Transfer {
                profile: Some(ProfileId::new(0x45)),
                tag: Some(Arc::from("t")),
                scheduled_at: Some(later),
                fee_minor: 5,
                cancel_reason: Some(Arc::from("no")),
                error: Some(ErrorCode::Denied(Denial::FundsInsufficient)),
                rail: None,
                rule: None,
                origin: Origin::User,
                ..recorded.clone()
            })),
            "1108070605040302011100000000000000120000000000000001130000000000 \
             0000005553447e020600a01f06014b000121000000000000000102c3a900c801 \
             0001450000000000000001017401c8010a01026e6f",
        ),
        (
            "profile transfer moved with its fee",
            Change::Ledger(Effect::TransferMoved {
                transfer,
                from: Status::Scheduled,
                to: Status::Complete,
                error: None,
                fee_minor: 5,
                cancel_reason: None,
                at: later,
            }),
            "120807060504030201010500c8010a00",
        ),
        (
            "profile transfer cancelled",
            Change::Ledger(Effect::TransferMoved {
                transfer,
                from: Status::Scheduled,
                to: Status::Cancelled,
                error: None,
                fee_minor: 0,
                cancel_reason: Some(Arc::from("no")),
                at: later,
            }),
            "120807060504030201010900c8010001026e6f",
        ),
        (
            "bulk submitted",
            Change::Ledger(Effect::BulkSubmitted(Bulk {
                id: bulk,
                tenant: TenantId::new(0x11),
                owner: OwnerId::new(0x12),
                key: Some(KeyId::new(0x21)),
                operations: Arc::from([order_of(None), order_of(Some(later))]),
                status: BulkStatus::Submitted,
                mode: None,
                succeeded: 0,
                failed: 0,
                created_at: AT,
                started_at: None,
                finished_at: None,
            })),
            "1351000000000000001100000000000000120000000000000001210000000000 \
             0000000241000000000000001300000000000000011400000000000000020001 \
             0000004100000000000000130000000000000001140000000000000002014555 \
             52010101740001c801",
        ),
        (
            "bulk moved",
            Change::Ledger(Effect::BulkMoved {
                bulk,
                from: BulkStatus::Submitted,
                to: BulkStatus::Running,
                mode: Some(BulkMode::ContinueOnFailure),
                at: later,
            }),
            "14510000000000000001020102c801",
        ),
        (
            "bulk stepped",
            stepped(300, OperationOutcome::Made(transfer, Status::Complete)),
            "155100000000000000ac0201080706050403020105",
        ),
        (
            "bulk stepped in vain",
            stepped(0, OperationOutcome::Denied(Denial::ScheduledTimeInvalid)),
            "155100000000000000000215",
        ),
        (
            "bulk stepped without a profile",
            stepped(1, OperationOutcome::ProfileNotFound),
            "1551000000000000000103",
        ),
    ]
}
