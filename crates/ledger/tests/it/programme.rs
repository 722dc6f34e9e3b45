//! A world with profiles and instruments, and short ways to order transfers between them.

use std::sync::Arc;

use ledger::profile::{
    CardMode, DepositFee, FeePolicy, Pair, Rate, Terms, TransferFee, TransferTerms,
};
use ledger::{
    AccountId, AccountState, Amount, BulkId, ChangeProfile, Command, Currency, Denial, Effect,
    Entry, Instrument, InstrumentClass, Millis, MoneyIn, NewProfile, OpenInstrument, Origin,
    ProfileId, ProfileTransfer, Rejection, Reply, StateReason, Steer, TenantMode, Transfer,
    TransferId, TransferOrder,
};

use crate::world::{USD, World};

pub const TO_ACCOUNT: Pair = Pair::ALL[0];
pub const TO_CARD: Pair = Pair::ALL[1];

/// Terms that allow everything and cost nothing.
pub fn free() -> TransferTerms {
    TransferTerms {
        pairs: Vec::new(),
        fees: Vec::new(),
        fee_policy: FeePolicy::BestEffort,
        max_amounts: Vec::new(),
        deny_above: Vec::new(),
        forex: false,
    }
}

pub fn rate(ppm: u32) -> Rate {
    Rate::from_ppm(ppm).expect("at most the whole")
}

pub fn fee(pair: Pair, currency: Currency, fee: ledger::profile::Fee) -> TransferFee {
    TransferFee {
        pair,
        currency,
        fee,
    }
}

/// A world with a profile of each kind of instrument, and one for transfers.
pub struct Programme {
    pub world: World,
    pub accounts: ProfileId,
    pub prepaid: ProfileId,
    pub debit: ProfileId,
    pub transfers: ProfileId,
}

impl Programme {
    /// A sandbox whose transfers are free.
    pub fn new() -> Programme {
        Programme::with(TenantMode::Sandbox, free())
    }

    pub fn with(mode: TenantMode, terms: TransferTerms) -> Programme {
        let none = ProfileId::new(0);
        let mut programme = Programme {
            world: World::of_mode(mode),
            accounts: none,
            prepaid: none,
            debit: none,
            transfers: none,
        };
        programme.accounts = programme.profile(Terms::ManagedAccount {
            max_balances: Vec::new(),
            deposit_fees: Vec::new(),
        });
        let cards = |mode| Terms::ManagedCard {
            mode,
            max_balances: Vec::new(),
        };
        programme.prepaid = programme.profile(cards(CardMode::Prepaid));
        programme.debit = programme.profile(cards(CardMode::Debit));
        programme.transfers = programme.profile(Terms::Transfer(terms));
        programme
    }

    pub fn new_profile(&self, terms: Terms) -> NewProfile {
        NewProfile {
            tenant: self.world.tenant,
            name: Arc::from("Standard"),
            currencies: Vec::new(),
            terms,
        }
    }

    pub fn profile(&mut self, terms: Terms) -> ProfileId {
        let new = self.new_profile(terms);
        match self.world.run(&Command::CreateProfile(new)) {
            Ok(Reply::Profile(profile)) => profile.id,
            other => panic!("no profile: {other:?}"),
        }
    }

    /// A change of nothing, to be filled in.
    pub fn changing(&self, profile: ProfileId) -> ChangeProfile {
        ChangeProfile {
            tenant: self.world.tenant,
            profile,
            name: None,
            active: None,
            currencies: None,
            terms: None,
        }
    }

    pub fn change(&mut self, change: ChangeProfile) {
        let changed = self.world.run(&Command::ChangeProfile(change));
        changed.expect("tests change profiles as they may be changed");
    }

    pub fn set_terms(&mut self, profile: ProfileId, terms: Terms) {
        self.change(ChangeProfile {
            terms: Some(terms),
            ..self.changing(profile)
        });
    }

    pub fn set_transfer_terms(&mut self, terms: TransferTerms) {
        self.set_terms(self.transfers, Terms::Transfer(terms));
    }

    pub fn switch(&mut self, profile: ProfileId, active: bool) {
        self.change(ChangeProfile {
            active: Some(active),
            ..self.changing(profile)
        });
    }

    /// What the accounts may hold in dollars, and what a deposit of dollars costs them.
    pub fn set_account_terms(&mut self, max: Option<Amount>, deposit: Option<DepositFee>) {
        let terms = Terms::ManagedAccount {
            max_balances: max.into_iter().collect(),
            deposit_fees: deposit.into_iter().collect(),
        };
        self.set_terms(self.accounts, terms);
    }

    pub fn opening(&self, class: InstrumentClass) -> OpenInstrument {
        OpenInstrument {
            tenant: self.world.tenant,
            owner: self.world.owner,
            profile: match class {
                InstrumentClass::Account => self.accounts,
                InstrumentClass::Card => self.prepaid,
            },
            class,
            name: Arc::from("Travel"),
            currency: Some(USD),
            parent: None,
            tag: None,
            details: None,
        }
    }

    pub fn open(&mut self, open: OpenInstrument) -> Instrument {
        let class = open.class;
        match self.world.run(&Command::OpenInstrument(open)) {
            Ok(Reply::Account(account)) => Instrument {
                id: account.id,
                class,
            },
            other => panic!("no instrument: {other:?}"),
        }
    }

    /// A managed account in dollars with so much on it.
    pub fn account(&mut self, minor: i64) -> Instrument {
        let account = self.open(self.opening(InstrumentClass::Account));
        self.fund(account.id, minor);
        account
    }

    /// A prepaid card in dollars with so much on it.
    pub fn card(&mut self, minor: i64) -> Instrument {
        let card = self.open(self.opening(InstrumentClass::Card));
        self.fund(card.id, minor);
        card
    }

    pub fn debit_card(&mut self, parent: Instrument) -> Instrument {
        let opening = OpenInstrument {
            profile: self.debit,
            currency: None,
            parent: Some(parent.id),
            ..self.opening(InstrumentClass::Card)
        };
        self.open(opening)
    }

    fn fund(&mut self, account: AccountId, minor: i64) {
        if minor > 0 {
            self.world.fund(account, minor);
        }
    }

    pub fn deposit(&mut self, destination: AccountId, amount: Amount) -> Transfer {
        let deposit = MoneyIn {
            tenant: self.world.tenant,
            destination,
            amount,
            origin: Origin::Deposit,
            description: None,
        };
        match self.world.run(&Command::MoneyIn(deposit)) {
            Ok(Reply::Transfer { transfer, .. }) => transfer,
            other => panic!("no deposit: {other:?}"),
        }
    }

    /// Blocks, unblocks or closes, as the owner.
    pub fn set_state(
        &mut self,
        account: Instrument,
        state: AccountState,
    ) -> Result<Reply, Rejection> {
        let command = Command::SetAccountState {
            tenant: self.world.tenant,
            owner: Some(self.world.owner),
            account: account.id,
            reason: StateReason::User,
            state,
        };
        self.world.run(&command)
    }

    pub fn block(&mut self, account: Instrument) {
        let blocked = self.set_state(account, AccountState::Blocked);
        blocked.expect("it is active");
    }

    pub fn order(&self, source: Instrument, destination: Instrument, minor: i64) -> TransferOrder {
        TransferOrder {
            profile: self.transfers,
            source,
            destination,
            currency: Some(USD),
            amount_minor: minor,
            tag: None,
            description: None,
            scheduled_at: None,
        }
    }

    pub fn asking(&self, order: TransferOrder) -> ProfileTransfer {
        ProfileTransfer {
            tenant: self.world.tenant,
            owner: self.world.owner,
            key: None,
            order,
        }
    }

    pub fn transfer(&mut self, order: TransferOrder) -> Result<Transfer, Rejection> {
        let command = Command::Transfer(self.asking(order));
        match self.world.run(&command)? {
            Reply::Transfer { transfer, .. } => {
                assert_eq!(&transfer, self.world.seen(transfer.id));
                Ok(transfer)
            }
            other => panic!("no transfer: {other:?}"),
        }
    }

    /// Like [`Programme::transfer`], which must be denied.
    pub fn denied(&mut self, order: TransferOrder) -> Denial {
        match self.transfer(order) {
            Err(Rejection::Denied(denial)) => denial,
            other => panic!("not denied: {other:?}"),
        }
    }

    /// Schedules a transfer for so many milliseconds from now.
    pub fn schedule(&mut self, order: TransferOrder, delay_ms: i64) -> TransferId {
        let order = TransferOrder {
            scheduled_at: Some(self.now().plus(delay_ms)),
            ..order
        };
        let transfer = self.transfer(order).expect("it can be scheduled");
        assert_eq!(transfer.status, ledger::Status::Scheduled);
        transfer.id
    }

    pub fn cancel(&mut self, transfer: TransferId) -> Result<Reply, Rejection> {
        let command = Command::CancelTransfer {
            tenant: self.world.tenant,
            owner: self.world.owner,
            transfer,
            reason: Some(Arc::from("not any more")),
        };
        self.world.run(&command)
    }

    pub fn submit(&mut self, orders: Vec<TransferOrder>) -> BulkId {
        let command = Command::SubmitBulk {
            tenant: self.world.tenant,
            owner: self.world.owner,
            key: None,
            operations: Arc::from(orders),
        };
        match self.world.run(&command) {
            Ok(Reply::Bulk(bulk)) => bulk.id,
            other => panic!("no bulk: {other:?}"),
        }
    }

    pub fn steer(&mut self, bulk: BulkId, steer: Steer) -> Result<Reply, Rejection> {
        let command = Command::SteerBulk {
            tenant: self.world.tenant,
            owner: self.world.owner,
            bulk,
            steer,
        };
        self.world.run(&command)
    }

    /// The tenant's time.
    pub fn now(&self) -> Millis {
        let tenant = self.world.state.tenant(self.world.tenant);
        let clock = tenant.expect("a world has its tenant").clock;
        clock.now(self.world.now)
    }

    pub fn balances<const N: usize>(&self, accounts: [Instrument; N]) -> [i64; N] {
        accounts.map(|account| self.world.balance(account.id))
    }

    /// The entries that were posted for a transfer.
    pub fn entries(&self, transfer: TransferId) -> Vec<Entry> {
        let posted = self.world.log.iter().filter_map(|effect| match effect {
            Effect::Posted {
                transfer: of,
                posting,
                ..
            } if *of == transfer => Some(posting.entries()),
            _ => None,
        });
        posted.flatten().copied().collect()
    }
}
