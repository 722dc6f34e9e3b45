//! Profiles, instruments, transfers under a profile and bulks in the store: what is written comes
//! back, and `verify` finds what was changed.

use std::sync::Arc;

use ledger::profile::{
    CardMode, DepositFee, Fee, FeePolicy, Pair, Rate, Terms, TransferFee, TransferTerms,
};
use ledger::{
    AccountState, BulkId, BulkMode, ChangeAccount, ChangeProfile, Command, Currency, Denial,
    Instrument, InstrumentClass, Millis, MoneyIn, NewProfile, OpenInstrument, Origin, OwnerId,
    ProfileId, ProfileTransfer, Reply, StateReason, Status, Steer, TenantId, TransferId,
    TransferOrder,
};
use store::embedded::{VerifyError, rebuild_views, verify};
use store::{Embedded, Store};

use crate::bed::{Bed, Ground, close, done, dump, tamper, usd};

/// Milliseconds until what is scheduled here is executed.
const SOON_MS: i64 = 1_000;

/// A programme with one of everything.
#[derive(Clone)]
pub struct Programme {
    pub tenant: TenantId,
    pub owner: OwnerId,
    pub transfers: ProfileId,
    pub main: Instrument,
    pub card: Instrument,
    /// Scheduled: still waiting, called off, failed.
    waiting: TransferId,
    cancelled: TransferId,
    failed: TransferId,
}

pub fn transfer_terms() -> Terms {
    let rate = Rate::from_ppm(10_000).expect("one in a hundred");
    Terms::Transfer(TransferTerms {
        pairs: Pair::ALL.to_vec(),
        fees: vec![TransferFee {
            pair: Pair::ALL[1],
            currency: Currency::USD,
            fee: Fee::Plus(5, rate),
        }],
        fee_policy: FeePolicy::BestEffort,
        max_amounts: vec![usd(100_000)],
        deny_above: vec![usd(90_000)],
        forex: true,
    })
}

pub async fn profile(store: &Embedded, tenant: TenantId, terms: Terms) -> ProfileId {
    let new = NewProfile {
        tenant,
        name: Arc::from("Standard"),
        currencies: vec![Currency::USD, Currency::EUR],
        terms,
    };
    match done(store, Command::CreateProfile(new)).await {
        Reply::Profile(profile) => profile.id,
        other => panic!("no profile: {other:?}"),
    }
}

pub async fn instrument(store: &Embedded, open: OpenInstrument) -> Instrument {
    let class = open.class;
    match done(store, Command::OpenInstrument(open)).await {
        Reply::Account(account) => Instrument {
            id: account.id,
            class,
        },
        other => panic!("no instrument: {other:?}"),
    }
}

impl Programme {
    pub fn order(&self, minor: i64) -> TransferOrder {
        TransferOrder {
            profile: self.transfers,
            source: self.main,
            destination: self.card,
            currency: Some(Currency::USD),
            amount_minor: minor,
            tag: Some(Arc::from("rent")),
            description: Some(Arc::from("for June")),
            scheduled_at: None,
        }
    }

    pub async fn transfer(&self, store: &Embedded, order: TransferOrder) -> (TransferId, Status) {
        let command = Command::Transfer(ProfileTransfer {
            tenant: self.tenant,
            owner: self.owner,
            key: None,
            order,
        });
        match done(store, command).await {
            Reply::Transfer { transfer, .. } => (transfer.id, transfer.status),
            other => panic!("no transfer: {other:?}"),
        }
    }

    async fn schedule(&self, store: &Embedded, minor: i64, at: Millis) -> TransferId {
        let order = TransferOrder {
            scheduled_at: Some(at),
            ..self.order(minor)
        };
        let (id, status) = self.transfer(store, order).await;
        assert_eq!(status, Status::Scheduled);
        id
    }

    pub async fn submit(&self, store: &Embedded, orders: Vec<TransferOrder>) -> BulkId {
        let submit = Command::SubmitBulk {
            tenant: self.tenant,
            owner: self.owner,
            key: None,
            operations: Arc::from(orders),
        };
        match done(store, submit).await {
            Reply::Bulk(bulk) => bulk.id,
            other => panic!("no bulk: {other:?}"),
        }
    }

    pub async fn steer(&self, store: &Embedded, bulk: BulkId, steer: Steer) {
        let (tenant, owner) = (self.tenant, self.owner);
        let command = Command::SteerBulk {
            tenant,
            owner,
            bulk,
            steer,
        };
        done(store, command).await;
    }
}

/// Profiles of every kind, four instruments, transfers with every end, bulks with every status
/// but a paused one; the store stays open.
pub async fn write_history(bed: &Bed, store: &Embedded) -> Programme {
    let Ground { tenant, owner, .. } = Ground::new(store).await;
    let corporate = profile(store, tenant, Terms::Corporate).await;
    profile(store, tenant, Terms::Consumer).await;
    let accounts = Terms::ManagedAccount {
        max_balances: vec![usd(1_000_000)],
        deposit_fees: vec![DepositFee {
            currency: Currency::USD,
            fee: Fee::Flat(7),
        }],
    };
    let accounts = profile(store, tenant, accounts).await;
    let mode = |mode| Terms::ManagedCard {
        mode,
        max_balances: Vec::new(),
    };
    let prepaid = profile(store, tenant, mode(CardMode::Prepaid)).await;
    let debit = profile(store, tenant, mode(CardMode::Debit)).await;
    let transfers = profile(store, tenant, transfer_terms()).await;
    let switched_off = ChangeProfile {
        tenant,
        profile: corporate,
        name: Some(Arc::from("Old")),
        active: Some(false),
        currencies: None,
        terms: None,
    };
    done(store, Command::ChangeProfile(switched_off)).await;

    let opening = |profile, class| OpenInstrument {
        tenant,
        owner,
        profile,
        class,
        name: Arc::from("Main"),
        currency: Some(Currency::USD),
        parent: None,
        tag: Some(Arc::from("a")),
        details: Some(Arc::from("{}")),
    };
    let main = instrument(store, opening(accounts, InstrumentClass::Account)).await;
    let card = instrument(store, opening(prepaid, InstrumentClass::Card)).await;
    let linked = OpenInstrument {
        currency: None,
        parent: Some(main.id),
        ..opening(debit, InstrumentClass::Card)
    };
    let linked = instrument(store, linked).await;
    let spare = instrument(store, opening(accounts, InstrumentClass::Account)).await;
    let renamed = ChangeAccount {
        tenant,
        owner: Some(owner),
        account: card.id,
        name: Some(Arc::from("Travel")),
        tag: None,
        details: Some(Arc::from("{\"a\":1}")),
    };
    done(store, Command::ChangeAccount(renamed)).await;
    let deposit = MoneyIn {
        tenant,
        destination: main.id,
        amount: usd(10_000),
        origin: Origin::Deposit,
        description: None,
    };
    done(store, Command::MoneyIn(deposit)).await;
    let set = |account: Instrument, state, reason| Command::SetAccountState {
        tenant,
        owner: Some(owner),
        account: account.id,
        reason,
        state,
    };
    let (blocked, gone) = (AccountState::Blocked, AccountState::Destroyed);
    done(store, set(linked, blocked, StateReason::Lost)).await;
    done(store, set(spare, gone, StateReason::User)).await;

    let none = TransferId::new(0);
    let mut programme = Programme {
        tenant,
        owner,
        transfers,
        main,
        card,
        waiting: none,
        cancelled: none,
        failed: none,
    };
    let (_, status) = programme.transfer(store, programme.order(1_000)).await;
    assert_eq!(status, Status::Complete);
    let soon = store.now().plus(SOON_MS);
    programme.schedule(store, 500, soon).await;
    programme.failed = programme.schedule(store, 80_000, soon).await;
    programme.cancelled = programme.schedule(store, 500, soon).await;
    let cancel = Command::CancelTransfer {
        tenant,
        owner,
        transfer: programme.cancelled,
        reason: Some(Arc::from("no longer due")),
    };
    done(store, cancel).await;
    programme.waiting = programme.schedule(store, 300, soon.plus(SOON_MS)).await;
    bed.clock.advance(SOON_MS);
    store.quiesce(tenant).await.expect("writes work");

    let (good, bad) = (programme.order(100), programme.order(0));
    let lost = TransferOrder {
        profile: ProfileId::new(5),
        ..good.clone()
    };
    let stop = Steer::Execute(BulkMode::StopOnFailure);
    let go_on = Steer::Execute(BulkMode::ContinueOnFailure);
    for (orders, steer) in [
        (vec![good.clone(), good.clone()], Some(stop)),
        (vec![good.clone(), bad.clone(), good.clone()], Some(go_on)),
        (vec![bad, good.clone()], Some(stop)),
        (vec![lost], Some(go_on)),
        (vec![good.clone()], Some(Steer::Cancel)),
        (vec![good], None),
    ] {
        let bulk = programme.submit(store, orders).await;
        if let Some(steer) = steer {
            programme.steer(store, bulk, steer).await;
        }
        store.quiesce(tenant).await.expect("writes work");
    }
    programme
}

async fn history(bed: &Bed) -> Programme {
    let store = bed.open();
    let programme = write_history(bed, &store).await;
    close(store).await;
    programme
}

#[tokio::test]
async fn everything_of_a_programme_is_in_the_views_and_verifies() {
    let bed = Bed::new();
    let programme = history(&bed).await;
    let report = verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    // A deposit, an immediate one, four scheduled ones, two bulks with two transfers each.
    assert_eq!(report.transfers, 10);
    let rows = dump(bed.path());
    let count = |table: &str| rows[table].len();
    assert_eq!(count("profiles"), 6);
    assert_eq!(count("bulks"), 6);
    // Two, three, one before the stop, one; the last two bulks never ran.
    assert_eq!(count("bulk_operations"), 7);

    let store = bed.open();
    assert_eq!(store.opened().replayed, 0);
    let seen = async |id| {
        let row = store.transfer(programme.tenant, id).await;
        row.expect("reads work").expect("it was recorded").transfer
    };
    let cancelled = seen(programme.cancelled).await;
    assert_eq!(cancelled.status, Status::Cancelled);
    assert_eq!(cancelled.cancel_reason.as_deref(), Some("no longer due"));
    assert_eq!(cancelled.profile, Some(programme.transfers));
    assert_eq!(cancelled.tag.as_deref(), Some("rent"));
    let failed = seen(programme.failed).await;
    let denied = ledger::ErrorCode::Denied(Denial::FundsInsufficient);
    assert_eq!((failed.status, failed.error), (Status::Error, Some(denied)));
    // What waited before the restart is done after it, with its fee of 5 and 1 %.
    assert_eq!(seen(programme.waiting).await.status, Status::Scheduled);
    bed.clock.advance(SOON_MS);
    store.quiesce(programme.tenant).await.expect("writes work");
    let done = seen(programme.waiting).await;
    assert_eq!((done.status, done.fee_minor), (Status::Complete, 8));
    close(store).await;
    verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn rebuilt_views_of_a_programme_have_the_same_rows() {
    let bed = Bed::new();
    history(&bed).await;
    let before = dump(bed.path());
    rebuild_views(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    let after = dump(bed.path());
    for (table, rows) in &before {
        assert_eq!(rows, &after[table], "{table}");
    }
}

/// Operations that were interrupted are done by the next start, each once.
#[tokio::test]
async fn a_bulk_goes_on_after_a_restart() {
    let bed = Bed::new();
    let store = bed.open();
    let programme = write_history(&bed, &store).await;
    let orders: Vec<TransferOrder> = (0..40).map(|_| programme.order(1)).collect();
    let bulk = programme.submit(&store, orders).await;
    let stop = Steer::Execute(BulkMode::StopOnFailure);
    programme.steer(&store, bulk, stop).await;
    // However far it has come: shutting down finishes what was accepted, not what is due.
    close(store).await;
    let store = bed.open();
    store.quiesce(programme.tenant).await.expect("writes work");
    close(store).await;
    let rows = dump(bed.path());
    let of_bulk = format!("[Integer({})", bulk.raw());
    let mine = |table: &str| -> Vec<String> {
        let rows = rows[table].iter();
        rows.filter(|row| row.starts_with(&of_bulk))
            .cloned()
            .collect()
    };
    assert_eq!(mine("bulk_operations").len(), 40);
    let connection = rusqlite::Connection::open(bed.file("views.sqlite")).expect("it is there");
    let sql = "SELECT status, succeeded, failed FROM bulks WHERE id = ?1";
    let end: (u8, u32, u32) = connection
        .query_row(sql, [bulk.raw().cast_signed()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .expect("one row");
    assert_eq!(end, (4, 40, 0));
    verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
}

/// Changes the views by each statement and expects the difference to name what was changed.
#[tokio::test]
async fn a_change_to_a_programme_is_found_and_named() {
    let bed = Bed::new();
    history(&bed).await;
    let good = std::fs::read(bed.file("views.sqlite")).expect("it is there");
    for (sql, named) in [
        (
            "UPDATE transfers SET profile = 5 WHERE profile IS NOT NULL",
            "transfer ",
        ),
        (
            "UPDATE transfers SET tag = 'x' WHERE tag IS NOT NULL AND status = 5",
            "transfer ",
        ),
        (
            "UPDATE transfers SET tag = NULL WHERE status = 9",
            "transfer ",
        ),
        (
            "UPDATE transfers SET scheduled_ms = scheduled_ms + 1 WHERE status = 5",
            "transfer ",
        ),
        (
            "UPDATE transfers SET scheduled_ms = NULL WHERE status = 7",
            "transfer ",
        ),
        (
            "UPDATE transfers SET fee = fee + 1 WHERE status = 5",
            "transfer ",
        ),
        ("UPDATE transfers SET fee = 1 WHERE status = 7", "transfer "),
        (
            "UPDATE transfers SET cancel_reason = NULL WHERE status = 9",
            "transfer ",
        ),
        (
            "UPDATE transfers SET cancel_reason = 'x' WHERE status = 5",
            "transfer ",
        ),
        (
            "UPDATE transfers SET error = 1 WHERE status = 7",
            "transfer ",
        ),
        ("UPDATE transfers SET fee = 1 WHERE status = 1", "transfer "),
        (
            "UPDATE accounts SET profile = NULL WHERE profile IS NOT NULL",
            "account ",
        ),
        (
            "UPDATE accounts SET parent = id WHERE parent IS NOT NULL",
            "account ",
        ),
        (
            "UPDATE accounts SET tag = 'x' WHERE tag IS NOT NULL",
            "account ",
        ),
        (
            "UPDATE accounts SET details = '{}' WHERE details IS NOT NULL",
            "account ",
        ),
        (
            "UPDATE accounts SET reason = 1 WHERE reason = 3",
            "account ",
        ),
        (
            "UPDATE accounts SET reason = NULL WHERE state = 3",
            "account ",
        ),
        (
            "UPDATE profiles SET name = 'mine' WHERE kind = 5",
            "profile ",
        ),
        (
            "UPDATE profiles SET active = 1 WHERE active = 0",
            "profile ",
        ),
        (
            "UPDATE profiles SET currencies = 'EUR USD' WHERE kind = 3",
            "profile ",
        ),
        (
            "UPDATE profiles SET currencies = '' WHERE kind = 3",
            "profile ",
        ),
        ("UPDATE profiles SET kind = 1 WHERE kind = 2", "profile "),
        (
            "UPDATE profiles SET terms = x'01' WHERE kind = 2",
            "profile ",
        ),
        (
            "UPDATE profiles SET updated_ms = updated_ms + 1 WHERE kind = 1",
            "profile ",
        ),
        (
            "UPDATE profiles SET created_ms = created_ms - 1 WHERE kind = 1",
            "profile ",
        ),
        (
            "DELETE FROM profiles WHERE kind = 2",
            "profiles are missing",
        ),
        ("UPDATE profiles SET id = 77 WHERE kind = 1", "profile 77 "),
        ("UPDATE bulks SET status = 5 WHERE status = 4", "bulk "),
        ("UPDATE bulks SET status = 3 WHERE status = 1", "bulk "),
        (
            "UPDATE bulks SET mode = 3 - mode WHERE mode IS NOT NULL",
            "bulk ",
        ),
        ("UPDATE bulks SET mode = 1 WHERE mode IS NULL", "bulk "),
        (
            "UPDATE bulks SET succeeded = succeeded + 1 WHERE status = 4",
            "bulk ",
        ),
        ("UPDATE bulks SET failed = 0 WHERE failed > 0", "bulk "),
        (
            "UPDATE bulks SET started_ms = started_ms + 1 WHERE status = 4",
            "bulk ",
        ),
        (
            "UPDATE bulks SET finished_ms = NULL WHERE status = 7",
            "bulk ",
        ),
        (
            "UPDATE bulks SET created_ms = created_ms + 1 WHERE status = 1",
            "bulk ",
        ),
        ("UPDATE bulks SET api_key = 9", "bulk "),
        ("UPDATE bulks SET owner = 9 WHERE status = 4", "bulk "),
        (
            "UPDATE bulks SET operations = x'00' WHERE status = 4",
            "bulk ",
        ),
        (
            "UPDATE bulks SET submitted = submitted + 1 WHERE status = 7",
            "bulk ",
        ),
        ("DELETE FROM bulks WHERE status = 7", "bulks are missing"),
        ("DELETE FROM bulks WHERE status = 1", "bulks are missing"),
        (
            "INSERT INTO bulks SELECT 77, tenant, owner, api_key, status, mode, succeeded, \
             failed, created_ms, started_ms, finished_ms, submitted, operations FROM bulks \
             WHERE status = 4",
            "bulk 77 ",
        ),
        (
            "UPDATE bulk_operations SET denial = denial + 1 WHERE denial > 0",
            "its operations",
        ),
        (
            "UPDATE bulk_operations SET status = 7 WHERE status = 5",
            "its operations",
        ),
        (
            "UPDATE bulk_operations SET transfer = transfer + 1 WHERE status = 5",
            "its operations",
        ),
        (
            "UPDATE bulk_operations SET operation = operation + 100",
            "its operations",
        ),
        (
            "UPDATE bulk_operations SET bulk = 77 WHERE operation = 2",
            "its operations",
        ),
        (
            "DELETE FROM bulk_operations WHERE operation = 1",
            "its operations",
        ),
        (
            "DELETE FROM bulk_operations WHERE denial IS NULL AND status IS NULL",
            "its operations",
        ),
        (
            "INSERT INTO bulk_operations VALUES (77, 0, NULL, NULL, 1)",
            "bulk 77: its operations",
        ),
    ] {
        std::fs::write(bed.file("views.sqlite"), &good).expect("it can be written");
        verify(bed.path()).unwrap_or_else(|error| panic!("before {sql}: {error}"));
        tamper(bed.path(), sql);
        let error = match verify(bed.path()) {
            Ok(report) => panic!("{sql} went unnoticed: {report}"),
            Err(error) => error,
        };
        let text = error.to_string();
        assert!(text.contains(named), "{sql}: {text:?} lacks {named:?}");
        let found = matches!(error, VerifyError::Difference(_));
        assert!(found, "{sql}: {text}");
    }
}
