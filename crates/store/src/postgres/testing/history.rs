//! A tenant's random history: every kind of object in every state it can reach.

mod rules;

use std::sync::Arc;

use ledger::account::Reported;
use ledger::profile::{CardMode, Fee, FeePolicy, Pair, Terms, TransferFee, TransferTerms};
use ledger::{
    AccountId, AccountKind, AccountState, Amount, BulkMode, ChangeAccount, Command, CreateTransfer,
    Currency, ExecutionId, ExternalKind, HoldId, Instrument, InstrumentClass, KeyId, Millis,
    MoneyIn, MoneyOut, NewProfile, OpenAccount, OpenInstrument, Origin, OwnerId, OwnerKind,
    PlaceHold, ProfileId, ProfileTransfer, Reply, RuleId, StateReason, Steer, TenantClock,
    TenantId, TenantMode, TransferId, TransferOrder,
};
use sim::disk::SplitMix64;

use crate::{
    Action, Claim, Expect, KeyRecord, ManualClock, Outcome, Permission, Put, PutId, PutOwner,
    RecordKind, Store, Submit,
};

/// Where the machine's clock stands when a history begins.
pub(crate) const START: Millis = Millis(1_800_000_000_000);

/// An owner with its accounts.
pub(crate) struct OwnerWorld {
    pub id: OwnerId,
    pub pay: AccountId,
    pub bank: AccountId,
    /// Two pods, a prepaid card and a debit card.
    pub instruments: Vec<Instrument>,
}

/// A tenant as its history goes on.
pub(crate) struct World {
    /// Where it happens.
    store: Option<Arc<dyn Store>>,
    pub random: SplitMix64,
    pub tenant: TenantId,
    pub owners: Vec<OwnerWorld>,
    pub transfers: Vec<ProfileId>,
    pub made: Vec<TransferId>,
    holds: Vec<HoldId>,
    keys: Vec<KeyId>,
    /// Rules that may be deleted.
    rules: Vec<RuleId>,
    /// Runs that were asked for.
    asked: Vec<ExecutionId>,
    /// Records by id, with their versions.
    records: Vec<(u64, u64)>,
    seed: u64,
    claims: u64,
}

pub(crate) fn usd(minor: i64) -> Amount {
    Amount::new(minor, Currency::USD).expect("positive")
}

impl World {
    pub(crate) async fn new(store: Arc<dyn Store>, seed: u64) -> World {
        let name: Arc<str> = Arc::from(format!("Acme {seed}"));
        let mode = TenantMode::Sandbox;
        let create = Command::CreateTenant { name, mode };
        let Reply::Tenant(tenant) = done(&*store, create).await else {
            panic!("no tenant")
        };
        let mut world = World {
            store: Some(store),
            random: SplitMix64::new(seed),
            tenant: tenant.id,
            owners: Vec::new(),
            transfers: Vec::new(),
            made: Vec::new(),
            holds: Vec::new(),
            keys: Vec::new(),
            rules: Vec::new(),
            asked: Vec::new(),
            records: Vec::new(),
            seed,
            claims: seed << 32,
        };
        for _ in 0..2 {
            let terms = transfer_terms();
            let profile = world.profile(terms).await;
            world.transfers.push(profile);
        }
        world.profile(Terms::Consumer).await;
        for _ in 0..2 {
            let owner = world.owner().await;
            world.owners.push(owner);
        }
        world.begin_rules().await;
        world
    }

    async fn profile(&self, terms: Terms) -> ProfileId {
        let new = NewProfile {
            tenant: self.tenant,
            name: Arc::from("Standard"),
            currencies: vec![Currency::USD, Currency::EUR],
            terms,
        };
        match done(self.store(), Command::CreateProfile(new)).await {
            Reply::Profile(profile) => profile.id,
            other => panic!("no profile: {other:?}"),
        }
    }

    async fn owner(&self) -> OwnerWorld {
        let create = Command::CreateOwner {
            tenant: self.tenant,
            kind: OwnerKind::Corporate,
            name: Arc::from("Ada"),
        };
        let Reply::Owner(owner) = done(self.store(), create).await else {
            panic!("no owner")
        };
        let mut opened = Vec::new();
        for kind in [
            AccountKind::IncomeSource,
            AccountKind::External(ExternalKind::Depository),
        ] {
            let open = Command::OpenAccount(OpenAccount {
                tenant: self.tenant,
                owner: owner.id,
                kind,
                name: Arc::from("Rainy days"),
                description: Some(Arc::from("it's \\ \u{e9}")),
                institution: None,
                number_last_four: None,
                routing_last_four: None,
                currency: Currency::USD,
                can_be_source: None,
                can_be_destination: None,
                reported: Reported::default(),
            });
            opened.push(self.account(open).await);
        }
        let pods = Terms::ManagedAccount {
            max_balances: Vec::new(),
            deposit_fees: Vec::new(),
        };
        let card = |mode| Terms::ManagedCard {
            mode,
            max_balances: Vec::new(),
        };
        let mut instruments: Vec<Instrument> = Vec::new();
        for (terms, class, linked) in [
            (pods.clone(), InstrumentClass::Account, false),
            (pods, InstrumentClass::Account, false),
            (card(CardMode::Prepaid), InstrumentClass::Card, false),
            (card(CardMode::Debit), InstrumentClass::Card, true),
        ] {
            let parent = instruments.first().map(|main| main.id);
            let open = Command::OpenInstrument(OpenInstrument {
                tenant: self.tenant,
                owner: owner.id,
                profile: self.profile(terms).await,
                class,
                name: Arc::from("Main"),
                currency: (!linked).then_some(Currency::USD),
                parent: parent.filter(|_| linked),
                tag: Some(Arc::from("a")),
                details: Some(Arc::from("{}")),
            });
            let id = self.account(open).await;
            instruments.push(Instrument { id, class });
        }
        OwnerWorld {
            id: owner.id,
            pay: opened[0],
            bank: opened[1],
            instruments,
        }
    }

    async fn account(&self, open: Command) -> AccountId {
        match done(self.store(), open).await {
            Reply::Account(account) => account.id,
            other => panic!("no account: {other:?}"),
        }
    }

    /// Goes on over another store that has the same history.
    pub(crate) fn move_to(&mut self, store: Arc<dyn Store>) {
        self.store = Some(store);
    }

    /// Lets the store go.
    pub(crate) fn leave(&mut self) {
        self.store = None;
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.store.as_deref().expect("it has not left")
    }

    /// Every idempotency key that may have been claimed.
    pub(crate) fn claimed(&self) -> impl Iterator<Item = Claim> {
        (self.seed << 32..=self.claims).map(claim)
    }

    /// Something that may be refused.
    pub(crate) async fn step(&mut self, clock: &ManualClock) {
        let owner = self.random.below(self.owners.len());
        match self.random.below(30) {
            0..=2 => self.money_in(owner).await,
            3..=6 => self.plain_transfer(owner).await,
            7..=12 => {
                let order = self.order(owner);
                let (tenant, owner) = (self.tenant, self.owners[owner].id);
                let transfer = ProfileTransfer {
                    tenant,
                    owner,
                    key: None,
                    order,
                };
                self.transfer(Command::Transfer(transfer)).await;
            }
            13 => self.cancel(owner).await,
            14 => self.hold(owner).await,
            15 => self.bulk(owner).await,
            16 => self.key().await,
            17 | 18 => self.put(owner).await,
            19 => self.rename(owner).await,
            20 => {
                clock.advance(self.random.below(4_000) as i64);
                self.store().wake();
            }
            21 => self.set_clock().await,
            22 => self.open_and_close(owner).await,
            24.. => self.rule_step(owner).await,
            _ => {
                self.claims += 1;
                let claim = claim(self.claims);
                let command = self.deposit(owner, 1_000_000_000_000);
                self.submit(Action::Command(command), Some(claim)).await;
            }
        }
    }

    /// Something of every kind that is still there at the end.
    pub(crate) async fn finish(&mut self) {
        let tenant = self.tenant;
        let place = Command::PlaceHold(PlaceHold {
            tenant,
            account: self.owners[0].pay,
            amount: usd(1),
            expires_at: Some(START.plus(1 << 40)),
        });
        done(self.store(), self.paycheck(0, 10)).await;
        done(self.store(), place).await;
        self.finish_rules().await;
    }

    async fn submit(&self, action: Action, claim: Option<Claim>) -> Option<Outcome> {
        let outcome = self.store().submit(Submit { action, claim }).await;
        match outcome.expect("writes work") {
            Outcome::Refused(_) | Outcome::Conflict(_) => None,
            outcome => Some(outcome),
        }
    }

    async fn command(&self, command: Command) -> Option<Reply> {
        match self.submit(Action::Command(command), None).await? {
            Outcome::Done(reply) => Some(reply),
            _ => None,
        }
    }

    async fn transfer(&mut self, command: Command) {
        self.claims += 1;
        let claim = (self.random.below(3) == 0).then(|| claim(self.claims));
        let outcome = self.submit(Action::Command(command), claim).await;
        if let Some(Outcome::Done(Reply::Transfer { transfer, .. })) = outcome {
            self.made.push(transfer.id);
        }
    }

    fn deposit(&self, owner: usize, minor: i64) -> Command {
        Command::MoneyIn(MoneyIn {
            tenant: self.tenant,
            destination: self.owners[owner].instruments[0].id,
            amount: usd(minor),
            origin: Origin::Deposit,
            description: None,
        })
    }

    fn paycheck(&self, owner: usize, minor: i64) -> Command {
        Command::MoneyIn(MoneyIn {
            tenant: self.tenant,
            destination: self.owners[owner].pay,
            amount: usd(minor),
            origin: Origin::Paycheck,
            description: Some(Arc::from("May")),
        })
    }

    /// With one of the owner's two cards, of which the second is a debit card.
    fn purchase(&self, owner: usize, minor: i64) -> Command {
        Command::MoneyOut(MoneyOut {
            tenant: self.tenant,
            source: self.card(owner, minor),
            amount: usd(minor / 10),
            origin: Origin::CardPurchase,
            description: Some(Arc::from("Books")),
        })
    }

    fn refund(&self, owner: usize, minor: i64) -> Command {
        Command::MoneyIn(MoneyIn {
            tenant: self.tenant,
            destination: self.card(owner, minor),
            amount: usd(minor / 100),
            origin: Origin::CardRefund,
            description: None,
        })
    }

    fn card(&self, owner: usize, minor: i64) -> AccountId {
        let cards = &self.owners[owner].instruments[1..=2];
        cards[usize::from(minor % 2 == 0)].id
    }

    async fn money_in(&mut self, owner: usize) {
        let minor = 1_000 + self.random.below(9_000) as i64;
        // Cents decide whether a card is used, so that the years of other seeds stay as they are.
        let command = match (minor % 5, self.random.below(2)) {
            (0, _) => self.purchase(owner, minor),
            (1, _) => self.refund(owner, minor),
            (_, 0) => self.deposit(owner, minor),
            _ => self.paycheck(owner, minor),
        };
        self.transfer(command).await;
    }

    async fn plain_transfer(&mut self, owner: usize) {
        let it = &self.owners[owner];
        let accounts = [it.pay, it.bank, it.instruments[0].id, it.instruments[1].id];
        let source = accounts[self.random.below(4)];
        let destination = accounts[self.random.below(4)];
        let minor = 1 + self.random.below(2_000) as i64;
        let command = Command::CreateTransfer(CreateTransfer {
            tenant: self.tenant,
            key: self.keys.first().copied(),
            source,
            destination,
            amount: usd(minor),
            rail_delay_ms: 2_000,
            description: None,
            needs_approval: false,
            fails_with: None,
        });
        self.transfer(command).await;
    }

    fn order(&mut self, owner: usize) -> TransferOrder {
        let random = &mut self.random;
        let instruments = &self.owners[owner].instruments;
        let tag = ["rent", "food"].get(random.below(3));
        let soon = START.plus(random.below(80_000) as i64);
        TransferOrder {
            profile: self.transfers[random.below(2)],
            source: instruments[random.below(3)],
            destination: instruments[random.below(3)],
            currency: Some(Currency::USD),
            amount_minor: random.below(3_000) as i64,
            tag: tag.map(|tag| Arc::from(*tag)),
            description: None,
            scheduled_at: (random.below(3) == 0).then_some(soon),
        }
    }

    async fn cancel(&mut self, owner: usize) {
        if self.made.is_empty() {
            return;
        }
        let recent = self.made.len() - 1 - self.random.below(self.made.len().min(5));
        let cancel = Command::CancelTransfer {
            tenant: self.tenant,
            owner: self.owners[owner].id,
            transfer: self.made[recent],
            reason: Some(Arc::from("no longer due")),
        };
        self.command(cancel).await;
    }

    async fn hold(&mut self, owner: usize) {
        let tenant = self.tenant;
        if self.random.below(3) == 0
            && let Some(hold) = self.holds.pop()
        {
            self.command(Command::ReleaseHold { tenant, hold }).await;
            return;
        }
        let later = self.store().now().plus(self.random.below(9_000) as i64);
        let place = Command::PlaceHold(PlaceHold {
            tenant,
            account: self.owners[owner].pay,
            amount: usd(1 + self.random.below(30) as i64),
            expires_at: (self.random.below(2) == 0).then_some(later),
        });
        if let Some(Reply::Hold(hold)) = self.command(place).await {
            self.holds.push(hold.id);
        }
    }

    async fn bulk(&mut self, owner: usize) {
        let count = 1 + self.random.below(4);
        let operations: Vec<TransferOrder> = (0..count).map(|_| self.order(owner)).collect();
        let (tenant, owner) = (self.tenant, self.owners[owner].id);
        let submit = Command::SubmitBulk {
            tenant,
            owner,
            key: None,
            operations: Arc::from(operations),
        };
        let Some(Reply::Bulk(bulk)) = self.command(submit).await else {
            return;
        };
        let steer = match self.random.below(5) {
            0 => return,
            1 => Steer::Cancel,
            2 => Steer::Execute(BulkMode::StopOnFailure),
            _ => Steer::Execute(BulkMode::ContinueOnFailure),
        };
        let bulk = bulk.id;
        let steer = Command::SteerBulk {
            tenant,
            owner,
            bulk,
            steer,
        };
        self.command(steer).await;
    }

    async fn key(&mut self) {
        let tenant = self.tenant;
        if self.random.below(3) == 0
            && let Some(key) = self.keys.pop()
        {
            self.submit(Action::RevokeKey { tenant, key }, None).await;
            return;
        }
        let record = KeyRecord {
            id: KeyId::new(0),
            tenant,
            name: Arc::from("till"),
            hash: [self.random.below(256) as u8; 32],
            hint: Arc::from("abcd"),
            permissions: vec![Permission::ListAccounts, Permission::Programme],
            created_at: Millis(0),
            revoked_at: None,
        };
        if let Some(Outcome::Key(key)) = self.submit(Action::CreateKey(record), None).await {
            self.keys.push(key.id);
        }
    }

    async fn put(&mut self, owner: usize) {
        let old = self.records.len().checked_sub(1);
        let old = old.map(|last| self.random.below(last + 1));
        let old = old.filter(|_| self.random.below(2) == 0);
        let (id, expect) = match old.map(|index| self.records[index]) {
            Some((id, version)) => (PutId::Known(id), Expect::Version(version)),
            None => (PutId::New, Expect::Absent),
        };
        let gone = old.is_some() && self.random.below(3) == 0;
        let unique = [self.random.below(40) as u8; 16];
        let put = Put {
            kind: [RecordKind::User, RecordKind::Session][owner],
            id,
            tenant: self.tenant,
            owner: match self.random.below(2) {
                0 => PutOwner::None,
                _ => PutOwner::Known(self.owners[owner].id),
            },
            unique: (self.random.below(2) == 0).then_some(unique),
            expect,
            body: (!gone).then(|| Arc::from("{\"a\":\"'\\\\\"}")),
        };
        let Some(Outcome::Stored { records, .. }) = self.submit(Action::Put(vec![put]), None).await
        else {
            return;
        };
        if let Some(index) = old {
            self.records.remove(index);
        }
        let stored = records.iter().map(|record| (record.id, record.version));
        self.records.extend(stored);
    }

    async fn rename(&mut self, owner: usize) {
        let account = self.owners[owner].instruments[self.random.below(4)].id;
        let change = Command::ChangeAccount(ChangeAccount {
            tenant: self.tenant,
            owner: None,
            account,
            name: Some(Arc::from(["Travel", "Food"][self.random.below(2)])),
            tag: Some(Arc::from(["a", "b"][self.random.below(2)])),
            details: None,
        });
        self.command(change).await;
    }

    async fn set_clock(&mut self) {
        let now = self.store().now();
        let clock = match self.random.below(2) {
            0 => TenantClock::Running {
                offset_ms: self.random.below(60_000) as i64,
            },
            _ => TenantClock::Frozen {
                at: now.plus(self.random.below(60_000) as i64),
            },
        };
        let tenant = self.tenant;
        self.command(Command::SetClock { tenant, clock }).await;
    }

    /// A pod that is blocked or closed.
    async fn open_and_close(&mut self, owner: usize) {
        let it = &self.owners[owner];
        let open = Command::OpenAccount(OpenAccount {
            tenant: self.tenant,
            owner: it.id,
            kind: AccountKind::Pod,
            name: Arc::from("Spare"),
            description: None,
            institution: None,
            number_last_four: None,
            routing_last_four: None,
            currency: [Currency::USD, Currency::EUR][self.random.below(2)],
            can_be_source: None,
            can_be_destination: None,
            reported: Reported::default(),
        });
        let Some(Reply::Account(account)) = self.command(open).await else {
            return;
        };
        let (state, reason) = match self.random.below(3) {
            0 => (AccountState::Blocked, StateReason::Lost),
            1 => (AccountState::Blocked, StateReason::User),
            _ => (AccountState::Destroyed, StateReason::User),
        };
        let close = Command::SetAccountState {
            tenant: self.tenant,
            owner: None,
            account: account.id,
            reason,
            state,
        };
        self.command(close).await;
    }
}

/// An idempotency key; refusals are remembered too.
fn claim(number: u64) -> Claim {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    key[8..].copy_from_slice(&number.to_le_bytes());
    Claim {
        key,
        body: key,
        request_id: Arc::from(format!("req-{number}")),
        remember_refusals: true,
    }
}

async fn done(store: &dyn Store, command: Command) -> Reply {
    match store.submit(Submit::command(command)).await {
        Ok(Outcome::Done(reply)) => reply,
        other => panic!("not done: {other:?}"),
    }
}

fn transfer_terms() -> Terms {
    Terms::Transfer(TransferTerms {
        pairs: Pair::ALL.to_vec(),
        fees: vec![TransferFee {
            pair: Pair::ALL[1],
            currency: Currency::USD,
            fee: Fee::Flat(5),
        }],
        fee_policy: FeePolicy::BestEffort,
        max_amounts: Vec::new(),
        deny_above: Vec::new(),
        forex: false,
    })
}
