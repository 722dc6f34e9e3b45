//! Profiles, instruments, transfers under a profile and bulks in the store: what is written comes
//! back.

use std::sync::Arc;

use ledger::profile::{
    CardMode, DepositFee, Fee, FeePolicy, Pair, Rate, Terms, TransferFee, TransferTerms,
};
use ledger::{
    AccountState, BulkId, BulkMode, BulkStatus, ChangeAccount, ChangeDetails, ChangeProfile,
    Command, Currency, Denial, Instrument, InstrumentClass, Millis, MoneyIn, NewProfile,
    OpenInstrument, Origin, OwnerId, ProfileId, ProfileTransfer, Reply, StateReason, Status, Steer,
    TenantId, TransferId, TransferOrder,
};
use store::{BulkOperationQuery, OperationState};

use crate::bed::{Bed, Ground, Opened, close, done, usd};

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

pub async fn profile(store: &Opened, tenant: TenantId, terms: Terms) -> ProfileId {
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

pub async fn instrument(store: &Opened, open: OpenInstrument) -> Instrument {
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

    pub async fn transfer(&self, store: &Opened, order: TransferOrder) -> (TransferId, Status) {
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

    async fn schedule(&self, store: &Opened, minor: i64, at: Millis) -> TransferId {
        let order = TransferOrder {
            scheduled_at: Some(at),
            ..self.order(minor)
        };
        let (id, status) = self.transfer(store, order).await;
        assert_eq!(status, Status::Scheduled);
        id
    }

    pub async fn submit(&self, store: &Opened, orders: Vec<TransferOrder>) -> BulkId {
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

    pub async fn steer(&self, store: &Opened, bulk: BulkId, steer: Steer) {
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
pub async fn write_history(bed: &Bed, store: &Opened) -> Programme {
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
        details: Some(ChangeDetails {
            was: Some(Arc::from("{}")),
            now: Arc::from("{\"a\":1}"),
        }),
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

#[tokio::test]
async fn everything_of_a_programme_comes_back_and_verifies() {
    let bed = Bed::new();
    let store = bed.open().await;
    let programme = write_history(&bed, &store).await;
    close(store).await;
    bed.verify().await;

    let store = bed.open().await;
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
    bed.verify().await;
}

/// Operations that were interrupted are done by the next start, each once.
#[tokio::test]
async fn a_bulk_goes_on_after_a_restart() {
    let bed = Bed::new();
    let store = bed.open().await;
    let programme = write_history(&bed, &store).await;
    let orders: Vec<TransferOrder> = (0..40).map(|_| programme.order(1)).collect();
    let bulk = programme.submit(&store, orders).await;
    let stop = Steer::Execute(BulkMode::StopOnFailure);
    programme.steer(&store, bulk, stop).await;
    // However far it has come: shutting down finishes what was accepted, not what is due.
    close(store).await;
    let store = bed.open().await;
    store.quiesce(programme.tenant).await.expect("writes work");
    let row = store.bulk(programme.tenant, bulk).await;
    let row = row.expect("reads work").expect("it was handed in");
    assert_eq!(row.status, BulkStatus::Completed);
    assert_eq!((row.succeeded, row.failed), (40, 0));
    let operations = BulkOperationQuery {
        tenant: programme.tenant,
        bulk,
        index: None,
        states: vec![OperationState::Done],
        offset: 0,
        limit: 100,
    };
    let page = store.bulk_operations(operations).await;
    assert_eq!(page.expect("reads work").count, 40);
    close(store).await;
    bed.verify().await;
}
