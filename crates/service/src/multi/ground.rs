//! A verified identity with profiles for everything, for the tests of instruments.

use std::sync::Arc;

use ledger::profile::{
    CardMode, DepositFee, Fee, FeePolicy, Pair, ProfileKind, Rate, Terms, TransferFee,
    TransferTerms,
};
use ledger::{
    Account, AccountId, Amount, ChangeProfile, Command, Currency, InstrumentClass, NewProfile,
    OwnerId, ProfileId, Reply, TenantMode,
};
use store::{Outcome, Submit};

use super::bed::Bed;
use super::{Actor, Holder, IdentityKind, NewInstrument, Reference, Simulated};

pub(super) struct Ground {
    pub bed: Bed,
    pub actor: Actor,
    /// EUR and USD; a deposit costs 1 % in USD.
    pub accounts: ProfileId,
    /// EUR.
    pub prepaid: ProfileId,
    pub debit: ProfileId,
    /// From account to account 10 and 1 %, in EUR.
    pub transfers: ProfileId,
}

impl Ground {
    pub(super) async fn new() -> Ground {
        let ground = Ground::unverified(TenantMode::Sandbox).await;
        ground.verify().await;
        ground
    }

    /// A corporate that nobody has looked at yet.
    pub(super) async fn unverified(mode: TenantMode) -> Ground {
        let bed = Bed::with(mode).await;
        let identity = bed.corporate("ada@example.com").await;
        let (eur, usd) = (Currency::EUR, Currency::USD);
        let percent = Rate::from_ppm(10_000).expect("less than all");
        let accounts = Terms::ManagedAccount {
            max_balances: Vec::new(),
            deposit_fees: vec![DepositFee {
                currency: usd,
                fee: Fee::Percentage(percent),
            }],
        };
        let cards = |mode| Terms::ManagedCard {
            mode,
            max_balances: Vec::new(),
        };
        let pair = Pair {
            source: InstrumentClass::Account,
            destination: InstrumentClass::Account,
        };
        let transfers = Terms::Transfer(TransferTerms {
            pairs: Vec::new(),
            fees: vec![TransferFee {
                pair,
                currency: eur,
                fee: Fee::Plus(10, percent),
            }],
            fee_policy: FeePolicy::BestEffort,
            max_amounts: Vec::new(),
            deny_above: Vec::new(),
            forex: false,
        });
        Ground {
            actor: Actor {
                tenant: bed.programme.tenant,
                owner: identity.facts.owner,
                key: Some(bed.programme.key.id),
            },
            accounts: profile(&bed, accounts, &[eur, usd]).await,
            prepaid: profile(&bed, cards(CardMode::Prepaid), &[eur]).await,
            debit: profile(&bed, cards(CardMode::Debit), &[]).await,
            transfers: profile(&bed, transfers, &[]).await,
            bed,
        }
    }

    pub(super) async fn verify(&self) {
        let id = self.actor.owner.raw();
        let kind = IdentityKind::Corporate;
        let verified = self
            .bed
            .service
            .simulate_verification(&self.bed.programme, kind, id);
        verified.await.expect("it is a sandbox");
    }

    /// Another verified identity of the same programme.
    pub(super) async fn other(&self, email: &str) -> Actor {
        let identity = self.bed.corporate(email).await;
        let other = Actor {
            owner: OwnerId::new(identity.facts.id),
            ..self.actor
        };
        let kind = IdentityKind::Corporate;
        let service = &self.bed.service;
        let verified = service.simulate_verification(&self.bed.programme, kind, identity.facts.id);
        verified.await.expect("it is a sandbox");
        other
    }

    pub(super) async fn set_active(&self, profile: ProfileId, active: bool) {
        let change = ChangeProfile {
            tenant: self.actor.tenant,
            profile,
            name: None,
            active: Some(active),
            currencies: None,
            terms: None,
        };
        let changed = self.bed.service.change_profile(change).await;
        assert_eq!(changed.expect("it is there").active, active);
    }

    pub(super) fn account(&self) -> NewInstrument {
        NewInstrument {
            profile: self.accounts,
            class: InstrumentClass::Account,
            name: Arc::from("Main"),
            currency: Some(Currency::EUR),
            parent: None,
            tag: None,
            details: None,
            holder: Holder::default(),
            has_user_currency: false,
        }
    }

    pub(super) fn prepaid(&self) -> NewInstrument {
        NewInstrument {
            profile: self.prepaid,
            class: InstrumentClass::Card,
            details: Some(Arc::from("{}")),
            ..self.account()
        }
    }

    pub(super) fn debit(&self, parent: AccountId) -> NewInstrument {
        NewInstrument {
            profile: self.debit,
            currency: None,
            parent: Some(parent),
            ..self.prepaid()
        }
    }

    pub(super) async fn open(&self, new: NewInstrument) -> Account {
        let opened = self.bed.service.open_instrument(&self.actor, new, None);
        opened.await.expect("nothing is in the way")
    }

    pub(super) async fn deposit(&self, account: &Account, amount_minor: i64) {
        let money = Simulated {
            instrument: account.id,
            amount_minor,
            currency: Some(account.currency),
            description: None,
        };
        let done = self.bed.service.simulate_deposit(self.actor.tenant, money);
        assert_eq!(done.await.expect("a sandbox"), super::Outside::Done);
    }

    /// A command that must succeed.
    pub(super) async fn command(&self, command: Command) -> Reply {
        let done = self.bed.service.store().submit(Submit::command(command));
        match done.await {
            Ok(Outcome::Done(reply)) => reply,
            other => panic!("{other:?}"),
        }
    }

    /// An instrument as it is now.
    pub(super) async fn now(&self, account: &Account) -> Account {
        let class = account.kind.instrument().expect("an instrument");
        let found = self.bed.service.instrument(&self.actor, class, account.id);
        found.await.expect("it is there")
    }
}

async fn profile(bed: &Bed, terms: Terms, currencies: &[Currency]) -> ProfileId {
    let name = match terms.kind() {
        ProfileKind::Transfer => "transfers",
        _ => "instruments",
    };
    let new = NewProfile {
        tenant: bed.programme.tenant,
        name: Arc::from(name),
        currencies: currencies.to_vec(),
        terms,
    };
    let made = bed.service.create_profile(new).await;
    made.expect("good terms").id
}

pub(super) fn reference(text: &str) -> Reference {
    Reference::new(text, "req_1")
}

pub(super) fn eur(minor: i64) -> Amount {
    Amount::new(minor, Currency::EUR).expect("positive")
}
