//! A state, its ids and its clock, with short ways to bring it somewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::account::Reported;
use ledger::{
    Account, AccountId, AccountKind, AccountState, Amount, Bulk, BulkId, Command, Context,
    CreateTransfer, Currency, Due, Effect, ErrorCode, ExternalKind, Hold, IdSource, Millis,
    MoneyIn, MoneyOut, OpenAccount, OperationOutcome, Origin, Owner, OwnerId, OwnerKind, PlaceHold,
    Rail, Rejection, Reply, State, StateReason, Status, SystemKind, Tenant, TenantClock, TenantId,
    TenantMode, Transfer, TransferId, decide,
};

pub const USD: Currency = Currency::USD;
pub const EUR: Currency = Currency::EUR;
pub const POD: AccountKind = AccountKind::Pod;
pub const INCOME: AccountKind = AccountKind::IncomeSource;
pub const BANK: AccountKind = AccountKind::External(ExternalKind::Depository);
pub const LOAN: AccountKind = AccountKind::External(ExternalKind::Liability);

/// Where the machine's clock stands when a world begins.
pub const START: Millis = Millis(1_800_000_000_000);
/// Milliseconds that transfers over the rail take here.
pub const RAIL_MS: i64 = 5_000;

pub fn usd(minor: i64) -> Amount {
    Amount::new(minor, USD).expect("tests use positive amounts")
}

pub fn eur(minor: i64) -> Amount {
    Amount::new(minor, EUR).expect("tests use positive amounts")
}

/// A ledger with one sandbox tenant and one owner.
pub struct World {
    pub state: State,
    pub ids: IdSource,
    /// The machine's time.
    pub now: Millis,
    pub tenant: TenantId,
    pub owner: OwnerId,
    /// Everything that was applied.
    pub log: Vec<Effect>,
    /// Every transfer as its effects leave it, final ones too.
    transfers: BTreeMap<TransferId, Transfer>,
    /// Every bulk as its effects leave it, with what became of its operations.
    bulks: BTreeMap<BulkId, (Bulk, Vec<OperationOutcome>)>,
    /// When each entry was posted, in the order of posting.
    pub posted: Vec<(TransferId, Millis)>,
}

impl World {
    pub fn new() -> World {
        World::of_mode(TenantMode::Sandbox)
    }

    pub fn of_mode(mode: TenantMode) -> World {
        let mut world = World {
            state: State::default(),
            ids: IdSource::new(0, 0),
            now: START,
            tenant: TenantId::new(0),
            owner: OwnerId::new(0),
            log: Vec::new(),
            transfers: BTreeMap::new(),
            bulks: BTreeMap::new(),
            posted: Vec::new(),
        };
        world.tenant = world.new_tenant(mode).id;
        world.owner = world.new_owner(world.tenant).id;
        world
    }

    /// Decides and applies.
    pub fn run(&mut self, command: &Command) -> Result<Reply, Rejection> {
        let mut context = Context {
            now: self.now,
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
        self.check_sums();
        Ok(decision.reply)
    }

    fn note(&mut self, effect: &Effect) {
        match effect {
            Effect::TransferRecorded(transfer) => {
                self.transfers.insert(transfer.id, transfer.clone());
            }
            Effect::TransferMoved {
                transfer,
                to,
                error,
                fee_minor,
                cancel_reason,
                at,
                ..
            } => {
                let known = self
                    .transfers
                    .get_mut(transfer)
                    .expect("recorded before it moves");
                assert!(!known.status.is_final(), "a final transfer moves");
                known.status = *to;
                known.error = *error;
                known.fee_minor += fee_minor;
                known.cancel_reason.clone_from(cancel_reason);
                known.updated_at = *at;
                if *to == Status::Complete {
                    known.completed_at = Some(*at);
                }
            }
            Effect::Posted { transfer, at, .. } => self.posted.push((*transfer, *at)),
            Effect::BulkSubmitted(bulk) => {
                self.bulks.insert(bulk.id, (bulk.clone(), Vec::new()));
            }
            Effect::BulkMoved {
                bulk, to, mode, at, ..
            } => {
                let (known, _) = self.bulks.get_mut(bulk).expect("handed in before it moves");
                known.moved(*to, *mode, *at);
            }
            Effect::BulkStepped { bulk, outcome, .. } => {
                let (known, outcomes) = self.bulks.get_mut(bulk).expect("handed in before");
                known.stepped(*outcome);
                outcomes.push(*outcome);
            }
            _ => {}
        }
    }

    /// All money is somewhere: every currency adds up to zero.
    fn check_sums(&self) {
        let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
        for account in self.state.accounts() {
            *sums.entry(account.currency).or_default() += i128::from(account.balance);
        }
        assert!(sums.values().all(|sum| *sum == 0), "off balance: {sums:?}");
    }

    /// Does all work that is due, and what that makes due.
    pub fn run_due(&mut self) {
        while let Some(due) = self.state.next_due(self.now) {
            self.run(&Command::RunDue(due))
                .expect("due work is never refused");
        }
    }

    /// Lets machine time pass, then does what is due.
    pub fn pass(&mut self, delta_ms: i64) {
        self.now = self.now.plus(delta_ms);
        self.run_due();
    }

    pub fn new_tenant(&mut self, mode: TenantMode) -> Tenant {
        let name = Arc::from("Acme");
        match self.run(&Command::CreateTenant { name, mode }) {
            Ok(Reply::Tenant(tenant)) => tenant,
            other => panic!("no tenant: {other:?}"),
        }
    }

    pub fn new_owner(&mut self, tenant: TenantId) -> Owner {
        let kind = OwnerKind::Beneficiary;
        let name = Arc::from("Ada");
        match self.run(&Command::CreateOwner { tenant, kind, name }) {
            Ok(Reply::Owner(owner)) => owner,
            other => panic!("no owner: {other:?}"),
        }
    }

    pub fn opening(&self, kind: AccountKind, currency: Currency) -> OpenAccount {
        OpenAccount {
            tenant: self.tenant,
            owner: self.owner,
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
        }
    }

    pub fn open(&mut self, opening: OpenAccount) -> AccountId {
        match self.run(&Command::OpenAccount(opening)) {
            Ok(Reply::Account(account)) => account.id,
            other => panic!("no account: {other:?}"),
        }
    }

    pub fn account(&mut self, kind: AccountKind) -> AccountId {
        self.open(self.opening(kind, USD))
    }

    /// An account with money on it.
    pub fn funded(&mut self, kind: AccountKind, minor: i64) -> AccountId {
        let account = self.account(kind);
        self.fund(account, minor);
        account
    }

    pub fn fund(&mut self, account: AccountId, minor: i64) {
        let command = self.paycheck(account, minor);
        self.run(&command).expect("a sandbox takes any paycheck");
    }

    pub fn paycheck(&self, destination: AccountId, minor: i64) -> Command {
        Command::MoneyIn(MoneyIn {
            tenant: self.tenant,
            destination,
            amount: usd(minor),
            origin: Origin::Paycheck,
            description: None,
        })
    }

    pub fn withdrawal(&self, source: AccountId, minor: i64) -> Command {
        Command::MoneyOut(MoneyOut {
            tenant: self.tenant,
            source,
            amount: usd(minor),
            origin: Origin::ExternalPull,
            description: None,
        })
    }

    pub fn transfer_of(
        &self,
        source: AccountId,
        destination: AccountId,
        minor: i64,
    ) -> CreateTransfer {
        CreateTransfer {
            tenant: self.tenant,
            key: None,
            source,
            destination,
            amount: usd(minor),
            rail_delay_ms: RAIL_MS,
            description: None,
            needs_approval: false,
            fails_with: None,
        }
    }

    /// Records a transfer; it is `processing` and no money has moved.
    pub fn transfer(
        &mut self,
        source: AccountId,
        destination: AccountId,
        minor: i64,
    ) -> TransferId {
        let create = self.transfer_of(source, destination, minor);
        match self.run(&Command::CreateTransfer(create)) {
            Ok(Reply::Transfer { transfer, .. }) => {
                assert_eq!(transfer.status, Status::Processing);
                transfer.id
            }
            other => panic!("no transfer: {other:?}"),
        }
    }

    pub fn give_back(&mut self, transfer: TransferId, code: ErrorCode) -> Result<Reply, Rejection> {
        let tenant = self.tenant;
        self.run(&Command::ReturnTransfer {
            tenant,
            transfer,
            code,
        })
    }

    pub fn hold(
        &mut self,
        account: AccountId,
        minor: i64,
        expires_at: Option<Millis>,
    ) -> Result<Hold, Rejection> {
        let tenant = self.tenant;
        let amount = usd(minor);
        let place = PlaceHold {
            tenant,
            account,
            amount,
            expires_at,
        };
        match self.run(&Command::PlaceHold(place))? {
            Reply::Hold(hold) => Ok(hold),
            other => panic!("no hold: {other:?}"),
        }
    }

    pub fn set_state(
        &mut self,
        account: AccountId,
        state: AccountState,
    ) -> Result<Reply, Rejection> {
        let tenant = self.tenant;
        self.run(&Command::SetAccountState {
            tenant,
            owner: None,
            account,
            reason: StateReason::System,
            state,
        })
    }

    pub fn set_clock(&mut self, clock: TenantClock) {
        let tenant = self.tenant;
        self.run(&Command::SetClock { tenant, clock })
            .expect("forward");
    }

    pub fn get(&self, account: AccountId) -> &Account {
        self.state
            .account(account)
            .expect("tests name their accounts")
    }

    pub fn balance(&self, account: AccountId) -> i64 {
        self.get(account).balance
    }

    pub fn available(&self, account: AccountId) -> i64 {
        self.get(account).available()
    }

    fn system(&self, kind: SystemKind) -> i64 {
        self.state
            .system_account(self.owner, kind, USD)
            .map_or(0, |account| account.balance)
    }

    pub fn in_transit(&self) -> i64 {
        self.system(SystemKind::InTransit(Rail::Simulated))
    }

    pub fn outside(&self) -> i64 {
        self.system(SystemKind::World)
    }

    pub fn fee_income(&self) -> i64 {
        self.system(SystemKind::FeeIncome)
    }

    /// A transfer as its effects left it.
    pub fn seen(&self, transfer: TransferId) -> &Transfer {
        &self.transfers[&transfer]
    }

    /// A bulk as its effects left it, and what became of its operations.
    pub fn bulk(&self, bulk: BulkId) -> (&Bulk, &[OperationOutcome]) {
        let (bulk, outcomes) = &self.bulks[&bulk];
        (bulk, outcomes)
    }

    /// Every transfer ever recorded, oldest first.
    pub fn all_transfers(&self) -> impl Iterator<Item = &Transfer> {
        self.transfers.values()
    }

    pub fn status(&self, transfer: TransferId) -> (Status, Option<ErrorCode>) {
        let seen = self.seen(transfer);
        (seen.status, seen.error)
    }

    pub fn due(&self) -> Vec<Due> {
        self.state.due_of(self.tenant).copied().collect()
    }
}
