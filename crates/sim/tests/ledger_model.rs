//! The ledger against the model of it: random commands to both, compared after each.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::account::Reported;
use ledger::{
    AccountId, AccountKind, AccountState, Amount, Command, Context, CreateTransfer, Currency, Due,
    Effect, ErrorCode, ExternalKind, HoldId, IdSource, Millis, MoneyIn, MoneyOut, OpenAccount,
    Origin, OwnerId, OwnerKind, PlaceHold, Rail, Rejection, Reply, State, Status, SystemKind,
    TenantClock, TenantId, TenantMode, Transfer, TransferId, Work, decide,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use sim::model::Model;

const START: Millis = Millis(1_800_000_000_000);
const KINDS: [AccountKind; 6] = [
    AccountKind::IncomeSource,
    AccountKind::Pod,
    AccountKind::External(ExternalKind::Depository),
    AccountKind::External(ExternalKind::Investment),
    AccountKind::External(ExternalKind::Liability),
    AccountKind::System(SystemKind::World),
];

/// One step, with places in lists instead of ids: what they mean depends on what exists by then.
#[derive(Clone, Debug)]
enum Step {
    NewTenant(bool),
    NewOwner(Index),
    NewAccount(Index, Index, usize, bool, Option<bool>, Text),
    SetState(Index, AccountState),
    Transfer(Index, Index, i64, bool, i64, Text),
    MoneyIn(Index, i64, bool, Text),
    MoneyOut(Index, i64, bool, Text),
    Return(Index, ErrorCode),
    Hold(Index, i64, Option<i64>),
    Release(Index),
    /// Forward by so many milliseconds, running or frozen; or to an odd place.
    Clock(Index, i64, bool),
    /// The next command speaks for a tenant that may not be the right one.
    Stranger(Index),
    Pass(i64),
    RunDue,
    /// Work that was due once, or never.
    StaleDue(Index),
}

#[derive(Clone, Copy, Debug)]
enum Text {
    None,
    Good,
    Bad,
}

impl Text {
    fn note(self) -> Option<Arc<str>> {
        match self {
            Text::None => None,
            Text::Good => Some(Arc::from("x".repeat(255))),
            Text::Bad => Some(Arc::from("a\u{0}")),
        }
    }
}

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![8 => Just(Text::None), 1 => Just(Text::Good), 1 => Just(Text::Bad)]
}

fn minor() -> impl Strategy<Value = i64> {
    prop_oneof![
        10 => 1..300_i64,
        1 => i64::MAX - 300..=i64::MAX,
        1 => (i64::MAX / 2 - 300)..(i64::MAX / 2 + 300),
    ]
}

fn delay() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0..5_000_i64, 1 => Just(0), 1 => Just(-7), 1 => Just(i64::MAX)]
}

/// Dollars four times out of five.
fn euros() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.2)
}

fn step() -> impl Strategy<Value = Step> {
    let at = any::<Index>;
    let code = prop::sample::select(ErrorCode::ALL.to_vec());
    let state = prop_oneof![
        Just(AccountState::Active),
        Just(AccountState::Blocked),
        Just(AccountState::Destroyed),
    ];
    let role = prop::option::weighted(0.2, any::<bool>());
    let forward = prop_oneof![8 => 0..9_000_i64, 1 => -5_000..0_i64, 1 => Just(i64::MAX)];
    prop_oneof![
        1 => any::<bool>().prop_map(Step::NewTenant),
        1 => at().prop_map(Step::NewOwner),
        3 => (at(), at(), 0..KINDS.len(), euros(), role, text())
            .prop_map(|(t, o, k, e, r, n)| Step::NewAccount(t, o, k, e, r, n)),
        4 => (at(), state).prop_map(|(account, state)| Step::SetState(account, state)),
        16 => (at(), at(), minor(), euros(), delay(), text())
            .prop_map(|(s, d, m, e, delay, n)| Step::Transfer(s, d, m, e, delay, n)),
        6 => (at(), minor(), euros(), text()).prop_map(|(d, m, e, n)| Step::MoneyIn(d, m, e, n)),
        3 => (at(), minor(), euros(), text()).prop_map(|(s, m, e, n)| Step::MoneyOut(s, m, e, n)),
        4 => (at(), code).prop_map(|(transfer, code)| Step::Return(transfer, code)),
        4 => (at(), minor(), prop::option::of(-100..9_000_i64))
            .prop_map(|(account, m, end)| Step::Hold(account, m, end)),
        2 => at().prop_map(Step::Release),
        3 => (at(), forward, any::<bool>()).prop_map(|(t, by, run)| Step::Clock(t, by, run)),
        2 => at().prop_map(Step::Stranger),
        4 => (0..6_000_i64).prop_map(Step::Pass),
        6 => Just(Step::RunDue),
        2 => at().prop_map(Step::StaleDue),
    ]
}

/// Both ledgers, and everything that was ever seen of the real one.
struct Pair {
    state: State,
    model: Model,
    ids: IdSource,
    machine: Millis,
    log: Vec<Effect>,
    transfers: BTreeMap<TransferId, Transfer>,
    /// Ids to choose from: those that exist, and at the end one that does not.
    tenants: Vec<TenantId>,
    owners: Vec<(OwnerId, TenantId)>,
    accounts: Vec<(AccountId, TenantId)>,
    holds: Vec<(HoldId, TenantId)>,
    due: Vec<Due>,
    stranger: Option<TenantId>,
}

/// A number that is the id of nothing.
const NOTHING: u64 = 5;

impl Pair {
    fn new() -> Pair {
        let mut pair = Pair {
            state: State::default(),
            model: Model::default(),
            ids: IdSource::new(0, 0),
            machine: START,
            log: Vec::new(),
            transfers: BTreeMap::new(),
            tenants: vec![TenantId::new(NOTHING)],
            owners: vec![(OwnerId::new(NOTHING), TenantId::new(NOTHING))],
            accounts: vec![(AccountId::new(NOTHING), TenantId::new(NOTHING))],
            holds: vec![(HoldId::new(NOTHING), TenantId::new(NOTHING))],
            due: Vec::new(),
            stranger: None,
        };
        pair.begin();
        pair
    }

    /// Two sandboxes and a live tenant, each with an owner and some accounts with money.
    fn begin(&mut self) {
        for mode in [TenantMode::Sandbox, TenantMode::Sandbox, TenantMode::Live] {
            let name = Arc::from("Acme");
            self.run(&Command::CreateTenant { name, mode });
            let tenant = *self.tenants.last().expect("just made");
            let kind = OwnerKind::Consumer;
            let name = Arc::from("Ada");
            self.run(&Command::CreateOwner { tenant, kind, name });
            let (owner, _) = *self.owners.last().expect("just made");
            for kind in [KINDS[0], KINDS[1], KINDS[1], KINDS[2], KINDS[4]] {
                self.run(&opening(tenant, owner, kind, Currency::USD));
                let (account, _) = *self.accounts.last().expect("just made");
                self.run(&paycheck(tenant, account, 500));
            }
        }
    }

    /// The tenant to speak for: the object's own, unless a stranger was announced.
    fn speaker(&mut self, own: TenantId) -> TenantId {
        self.stranger.take().unwrap_or(own)
    }

    fn apply(&mut self, step: &Step) {
        let pick_account = |pair: &Pair, index: &Index| *index.get(&pair.accounts);
        let money = |minor: i64, euro: bool| {
            let currency = if euro { Currency::EUR } else { Currency::USD };
            Amount::new(minor, currency).expect("positive")
        };
        match step {
            Step::NewTenant(sandbox) => {
                let mode = if *sandbox {
                    TenantMode::Sandbox
                } else {
                    TenantMode::Live
                };
                let name = Arc::from(if *sandbox { "Acme" } else { "" });
                self.run(&Command::CreateTenant { name, mode });
            }
            Step::NewOwner(tenant) => {
                let tenant = *tenant.get(&self.tenants);
                let kind = OwnerKind::Corporate;
                let name = Arc::from("Corp");
                self.run(&Command::CreateOwner { tenant, kind, name });
            }
            Step::NewAccount(tenant, owner, kind, euro, role, note) => {
                let (owner, own) = *owner.get(&self.owners);
                let strange = *tenant.get(&self.tenants);
                let tenant = if matches!(note, Text::Good) {
                    strange
                } else {
                    own
                };
                let currency = money(1, *euro).currency();
                let Command::OpenAccount(open) = opening(tenant, owner, KINDS[*kind], currency)
                else {
                    unreachable!("it opens an account")
                };
                self.run(&Command::OpenAccount(OpenAccount {
                    can_be_source: *role,
                    can_be_destination: *role,
                    description: note.note(),
                    ..open
                }));
            }
            Step::SetState(account, state) => {
                let (account, own) = pick_account(self, account);
                let tenant = self.speaker(own);
                let state = *state;
                self.run(&Command::SetAccountState {
                    tenant,
                    account,
                    state,
                });
            }
            Step::Transfer(source, destination, minor, euro, rail_delay_ms, note) => {
                let (source, own) = pick_account(self, source);
                // Mostly between accounts of one tenant, or nearly nothing would be accepted.
                let near: Vec<AccountId> = self
                    .accounts
                    .iter()
                    .filter(|(_, tenant)| *tenant == own)
                    .map(|(id, _)| *id)
                    .collect();
                let destination = match minor % 10 {
                    0 => pick_account(self, destination).0,
                    _ => *destination.get(&near),
                };
                let tenant = self.speaker(own);
                self.run(&Command::CreateTransfer(CreateTransfer {
                    tenant,
                    key: None,
                    source,
                    destination,
                    amount: money(*minor, *euro),
                    rail_delay_ms: *rail_delay_ms,
                    description: note.note(),
                }));
            }
            Step::MoneyIn(account, minor, euro, note) => {
                let (destination, own) = pick_account(self, account);
                let tenant = self.speaker(own);
                self.run(&Command::MoneyIn(MoneyIn {
                    tenant,
                    destination,
                    amount: money(*minor, *euro),
                    origin: Origin::Cashback,
                    description: note.note(),
                }));
            }
            Step::MoneyOut(account, minor, euro, note) => {
                let (source, own) = pick_account(self, account);
                let tenant = self.speaker(own);
                self.run(&Command::MoneyOut(MoneyOut {
                    tenant,
                    source,
                    amount: money(*minor, *euro),
                    description: note.note(),
                }));
            }
            Step::Return(transfer, code) => {
                let open = self.state.open_transfers().map(|t| (t.id, t.tenant));
                let mut known: Vec<_> = open.collect();
                known.sort_unstable();
                known.extend(self.transfers.iter().next().map(|(id, t)| (*id, t.tenant)));
                known.push((TransferId::new(NOTHING), self.tenants[0]));
                let (transfer, own) = *transfer.get(&known);
                let tenant = self.speaker(own);
                let code = *code;
                self.run(&Command::ReturnTransfer {
                    tenant,
                    transfer,
                    code,
                });
            }
            Step::Hold(account, minor, end) => {
                let (account, own) = pick_account(self, account);
                let tenant = self.speaker(own);
                let now = self
                    .state
                    .tenant(own)
                    .map_or(self.machine, |tenant| tenant.clock.now(self.machine));
                self.run(&Command::PlaceHold(PlaceHold {
                    tenant,
                    account,
                    amount: money(*minor, false),
                    expires_at: end.map(|end| now.plus(end)),
                }));
            }
            Step::Release(hold) => {
                let (hold, own) = *hold.get(&self.holds);
                let tenant = self.speaker(own);
                self.run(&Command::ReleaseHold { tenant, hold });
            }
            Step::Clock(tenant, by, running) => {
                let tenant = *tenant.get(&self.tenants);
                let now = self
                    .state
                    .tenant(tenant)
                    .map_or(self.machine, |tenant| tenant.clock.now(self.machine));
                let at = now.plus(*by);
                let clock = if *running {
                    let offset_ms = at.since(self.machine);
                    TenantClock::Running { offset_ms }
                } else {
                    TenantClock::Frozen { at }
                };
                // A change is said in three ways: where to, by how much, or to the next event.
                if by % 5 == 0 {
                    self.run(&Command::ClockToNextDue { tenant });
                } else if at.0 % 2 == 0 {
                    self.run(&Command::SetClock { tenant, clock });
                } else {
                    self.run(&Command::MoveClock {
                        tenant,
                        advance_ms: *by,
                        frozen: Some(!*running),
                    });
                }
            }
            Step::Stranger(tenant) => self.stranger = Some(*tenant.get(&self.tenants)),
            Step::Pass(ms) => self.machine = self.machine.plus(*ms),
            Step::RunDue => self.run_due(),
            Step::StaleDue(which) => {
                let waiting = |due: &&Due| !self.state.is_due(due);
                let mut stale: Vec<Due> = self.due.iter().filter(waiting).copied().collect();
                stale.push(Due {
                    tenant: self.tenants[0],
                    at: START,
                    work: Work::Settle(TransferId::new(NOTHING)),
                });
                let due = *which.get(&stale);
                let before = self.log.len();
                self.run(&Command::RunDue(due));
                assert_eq!(self.log.len(), before, "stale work did something");
            }
        }
    }

    /// Gives one command to both and compares what they answer and what they then hold.
    fn run(&mut self, command: &Command) {
        let answer = self.decide(command);
        let id = answer.as_ref().ok().and_then(|reply| match reply {
            Reply::Done => None,
            Reply::Tenant(tenant) => Some(tenant.id.raw()),
            Reply::Owner(owner) => Some(owner.id.raw()),
            Reply::Account(account) => Some(account.id.raw()),
            Reply::Transfer { transfer, .. } => Some(transfer.id.raw()),
            Reply::Hold(hold) => Some(hold.id.raw()),
        });
        let answer = answer.map(|_| ()).map_err(|rejection| rejection.code());
        if answer.is_err() {
            // The model must refuse before it asks for an id.
            assert!(id.is_none());
        }
        let modelled = self.model.run(command, self.machine, id);
        assert_eq!(answer, modelled, "{command:?}");
        self.compare();
    }

    fn decide(&mut self, command: &Command) -> Result<Reply, Rejection> {
        let mut context = Context {
            now: self.machine,
            ids: &mut self.ids,
        };
        let decision = decide(&self.state, command, &mut context)?;
        for effect in decision.effects {
            self.state
                .apply(&effect)
                .expect("what was decided fits the state");
            self.note(&effect);
            self.log.push(effect);
        }
        Ok(decision.reply)
    }

    fn note(&mut self, effect: &Effect) {
        match effect {
            Effect::TenantCreated(tenant) => self.tenants.push(tenant.id),
            Effect::OwnerCreated(owner) => self.owners.push((owner.id, owner.tenant)),
            // System accounts too: nobody may use them.
            Effect::AccountOpened(account) => self.accounts.push((account.id, account.tenant)),
            Effect::HoldPlaced(hold) => self.holds.push((hold.id, hold.tenant)),
            Effect::DueAdded(due) => self.due.push(*due),
            Effect::TransferRecorded(transfer) => {
                let twin = self.transfers.insert(transfer.id, transfer.clone());
                assert!(twin.is_none(), "recorded twice");
            }
            Effect::TransferMoved {
                transfer,
                to,
                error,
                at,
                ..
            } => {
                let known = self.transfers.get_mut(transfer).expect("it was recorded");
                assert!(!known.status.is_final(), "a final transfer moves");
                known.status = *to;
                known.error = *error;
                known.updated_at = *at;
                if *to == Status::Complete {
                    known.completed_at = Some(*at);
                }
            }
            _ => {}
        }
    }

    fn run_due(&mut self) {
        while let Some(due) = self.state.next_due(self.machine) {
            self.decide(&Command::RunDue(due))
                .expect("due work is never refused");
            assert!(self.log.len() < 100_000, "work without an end");
        }
        self.model.run_due(self.machine);
        self.compare();
    }

    fn compare(&self) {
        let mut totals: BTreeMap<Currency, i128> = BTreeMap::new();
        let mut customers = 0;
        for account in self.state.accounts() {
            *totals.entry(account.currency).or_default() += i128::from(account.balance);
            let pot = (account.owner, account.currency);
            let modelled = match account.kind {
                AccountKind::System(SystemKind::World) => self.model.world.get(&pot),
                AccountKind::System(SystemKind::InTransit(Rail::Simulated)) => {
                    self.model.transit.get(&pot)
                }
                _ => {
                    customers += 1;
                    let known = &self.model.accounts[&account.id];
                    assert_eq!(account.state, known.state);
                    assert_eq!(i128::from(account.held), self.model.held(account.id));
                    assert!(account.available() >= 0, "{account:?}");
                    Some(&known.balance)
                }
            };
            let modelled = modelled.copied().unwrap_or(0);
            assert_eq!(i128::from(account.balance), modelled, "{account:?}");
        }
        assert_eq!(customers, self.model.accounts.len());
        for (currency, total) in totals {
            assert_eq!((total, self.model.total(currency)), (0, 0), "{currency}");
        }
        assert_eq!(self.transfers.len(), self.model.transfers.len());
        for (id, transfer) in &self.transfers {
            let known = &self.model.transfers[id];
            assert_eq!(
                (transfer.status, transfer.error, transfer.completed_at),
                (known.status, known.error, known.completed_at),
                "{transfer:?}"
            );
            let open = self.state.open_transfer(*id);
            assert_eq!(open.is_some(), !transfer.status.is_final());
            assert!(open.is_none_or(|open| open == transfer));
        }
        assert_eq!(self.state.holds().count(), self.model.holds.len());
        for hold in self.state.holds() {
            assert!(self.model.holds.contains_key(&hold.id));
        }
        assert_eq!(self.state.due_len(), self.model.waiting());
    }

    /// Applying every effect again, from nothing, gives the same state.
    fn check_replay(&self) {
        let mut again = State::default();
        for effect in &self.log {
            again.apply(effect).expect("it fitted the first time");
        }
        assert_eq!(contents(&again), contents(&self.state));
        assert_eq!(again.last_id(), self.state.last_id());
        assert_eq!(again.next_due_at(), self.state.next_due_at());
    }
}

/// Everything in a state, in a fixed order.
fn contents(state: &State) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    all.extend(state.accounts().map(|account| format!("{account:?}")));
    all.extend(state.open_transfers().map(|open| format!("{open:?}")));
    all.extend(state.holds().map(|hold| format!("{hold:?}")));
    for tenant in state.tenants() {
        all.push(format!("{tenant:?}"));
        all.extend(state.due_of(tenant.id).map(|due| format!("{due:?}")));
    }
    all.sort();
    all
}

fn opening(tenant: TenantId, owner: OwnerId, kind: AccountKind, currency: Currency) -> Command {
    Command::OpenAccount(OpenAccount {
        tenant,
        owner,
        kind,
        name: Arc::from("Rainy days"),
        description: None,
        institution: None,
        number_last_four: None,
        routing_last_four: None,
        currency,
        can_be_source: None,
        can_be_destination: None,
        reported: Reported::default(),
    })
}

fn paycheck(tenant: TenantId, destination: AccountId, minor: i64) -> Command {
    Command::MoneyIn(MoneyIn {
        tenant,
        destination,
        amount: Amount::new(minor, Currency::USD).expect("positive"),
        origin: Origin::Paycheck,
        description: None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        rng_seed: RngSeed::Fixed(20_261_121),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_ledger_does_what_the_model_does(steps in prop::collection::vec(step(), 1..120)) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.apply(step);
        }
        pair.run_due();
        pair.check_replay();
    }
}

/// The comparison is worth something only if commands get far: most kinds of end are reached.
#[test]
fn random_steps_reach_every_end() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let steps = prop::collection::vec(step(), 120);
    let mut reached: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..100 {
        let steps = steps.new_tree(&mut runner).expect("no filters").current();
        let mut pair = Pair::new();
        for step in &steps {
            pair.apply(step);
        }
        pair.run_due();
        for transfer in pair.transfers.values() {
            let end = format!("{:?} {:?}", transfer.status, transfer.error);
            *reached.entry(end).or_default() += 1;
        }
    }
    for end in [
        "Complete None",
        "Pending None",
        "Incomplete Some(InsufficientFunds)",
        "Error Some(PaymentNotSupported)",
        "Error Some(PaymentFailed)",
        "Error Some(NameMismatch)",
    ] {
        assert!(reached.contains_key(end), "never {end}: {reached:?}");
    }
}
