//! What a step of a programme asks for, given what exists.

use std::sync::Arc;

use ledger::profile::{CardMode, Terms};
use ledger::{
    AccountId, AccountKind, AccountState, ChangeAccount, ChangeDetails, ChangeProfile, Command,
    Currency, Instrument, InstrumentClass, NewProfile, OpenInstrument, OwnerId, ProfileId,
    ProfileKind, ProfileTransfer, Status, TenantId, TransferOrder,
};
use proptest::sample::Index;

use super::{Money, Odd, Opening, Order, ProfileChange, ProgrammeStep};
use crate::pair::Pair;
use crate::steps::{Text, Voice};

pub fn apply(pair: &mut Pair, step: &ProgrammeStep) {
    match step {
        ProgrammeStep::NewProfile(tenant, currencies, terms, name) => {
            let tenant = pair.pick_tenant(tenant);
            pair.run(&Command::CreateProfile(NewProfile {
                tenant,
                name: name.of(100).unwrap_or(Arc::from("Standard")),
                currencies: currencies.clone(),
                terms: terms.clone(),
            }));
        }
        ProgrammeStep::ChangeProfile(profile, change) => change_profile(pair, profile, change),
        ProgrammeStep::Open(opening) => open(pair, opening),
        ProgrammeStep::Rename(account, voice, name, tag, (details, was)) => {
            let (account, own) = pair.pick_account(account);
            let owner = pair.voice(*voice, account);
            let tenant = pair.speaker(own);
            let was = match was {
                Text::Bad => Some(Arc::from("others")),
                Text::Good | Text::None => {
                    let known = pair.state.account(account);
                    known.and_then(|account| account.details.clone())
                }
            };
            pair.run(&Command::ChangeAccount(ChangeAccount {
                tenant,
                owner,
                account,
                name: name.of(100),
                tag: tag.of(50),
                details: details.of(32_768).map(|now| ChangeDetails { was, now }),
            }));
        }
        ProgrammeStep::Transfer(order, voice) => {
            let (order, own) = pair.order_of(order);
            let owner = pair.asking(*voice, pair.owner_of(order.source.id));
            let tenant = pair.speaker(own);
            pair.run(&Command::Transfer(ProfileTransfer {
                tenant,
                owner,
                key: None,
                order,
            }));
        }
        ProgrammeStep::Cancel(transfer, voice, reason) => cancel(pair, transfer, *voice, *reason),
        ProgrammeStep::Submit(orders, voice) => {
            let orders: Vec<_> = orders.iter().map(|order| pair.order_of(order)).collect();
            let (owner, own) = match orders.first() {
                Some((order, own)) => (pair.owner_of(order.source.id), *own),
                None => pair.owners[1],
            };
            let owner = pair.asking(*voice, owner);
            let tenant = pair.speaker(own);
            pair.run(&Command::SubmitBulk {
                tenant,
                owner,
                key: None,
                operations: orders.into_iter().map(|(order, _)| order).collect(),
            });
        }
        ProgrammeStep::Steer(bulk, voice, steer) => {
            let (bulk, own, tenant) = pair.pick_bulk(bulk);
            let owner = pair.asking(*voice, own);
            let tenant = pair.speaker(tenant);
            pair.run(&Command::SteerBulk {
                tenant,
                owner,
                bulk,
                steer: *steer,
            });
        }
    }
}

fn change_profile(pair: &mut Pair, profile: &Index, change: &ProfileChange) {
    let (profile, own) = *profile.get(&pair.profiles);
    let tenant = pair.speaker(own);
    let mut command = ChangeProfile {
        tenant,
        profile,
        name: None,
        active: None,
        currencies: None,
        terms: None,
    };
    match change {
        ProfileChange::Switch(active) => command.active = Some(*active),
        ProfileChange::Currencies(currencies) => command.currencies = Some(currencies.clone()),
        ProfileChange::Terms(terms) => command.terms = Some(terms.clone()),
        ProfileChange::Name(name) => command.name = name.of(100),
    }
    pair.run(&Command::ChangeProfile(command));
}

fn open(pair: &mut Pair, opening: &Opening) {
    let (owner, own) = *opening.owner.get(&pair.owners);
    let is = |odd: fn(&Odd) -> bool| opening.odd.as_ref().is_some_and(odd);
    // A profile of the owner's tenant for instruments, or any.
    let suits = |id: &ProfileId| {
        let known = pair.state.profile(*id);
        let kind = known.map(|profile| profile.terms.kind());
        matches!(
            kind,
            Some(ProfileKind::ManagedAccount | ProfileKind::ManagedCard)
        )
    };
    let near = pair
        .profiles
        .iter()
        .filter(|(id, tenant)| *tenant == own && suits(id));
    let near: Vec<_> = near.copied().collect();
    let list = if near.is_empty() || is(|odd| matches!(odd, Odd::Tenant)) {
        &pair.profiles
    } else {
        &near
    };
    let (profile, _) = *opening.profile.get(list);
    let terms = pair.state.profile(profile).map(|profile| &profile.terms);
    let debit = matches!(
        terms,
        Some(Terms::ManagedCard {
            mode: CardMode::Debit,
            ..
        })
    );
    let card = matches!(terms, Some(Terms::ManagedCard { .. })) != is(|o| matches!(o, Odd::Class));
    let linked = debit != is(|odd| matches!(odd, Odd::Linked));
    let parent = linked.then(|| {
        let mut pods = pair
            .state
            .accounts()
            .filter(|account| account.owner == owner);
        let mut pods: Vec<_> = pods
            .by_ref()
            .filter(|account| account.kind == AccountKind::Pod)
            .map(|account| (account.id, own))
            .collect();
        pods.sort();
        let strange = pods.is_empty() || is(|odd| matches!(odd, Odd::Parent));
        let list = if strange { &pair.accounts } else { &pods };
        opening.parent.get(list).0
    });
    let currency = if opening.euros {
        Currency::EUR
    } else {
        Currency::USD
    };
    // A debit card need not say in what it is counted.
    let says = debit == is(|odd| matches!(odd, Odd::Currency));
    let tenant = pair.speaker(own);
    pair.run(&Command::OpenInstrument(OpenInstrument {
        tenant,
        owner,
        profile,
        class: if card {
            InstrumentClass::Card
        } else {
            InstrumentClass::Account
        },
        name: Arc::from("Travel"),
        currency: says.then_some(currency),
        parent,
        tag: opening.tag.of(50),
        details: opening.details.of(32_768),
    }));
}

fn cancel(pair: &mut Pair, transfer: &Index, voice: Voice, reason: Text) {
    let (transfer, own, tenant) = pair.pick_transfer(transfer, Status::Scheduled);
    let owner = pair.asking(voice, own);
    let tenant = pair.speaker(tenant);
    pair.run(&Command::CancelTransfer {
        tenant,
        owner,
        transfer,
        reason: reason.of(50),
    });
}

impl Pair {
    /// Whose an account is; of one that does not exist, the first identity's.
    fn owner_of(&self, account: AccountId) -> OwnerId {
        let known = self.state.account(account);
        known.map_or(self.owners[1].0, |account| account.owner)
    }

    /// The order, and the tenant that its source belongs to.
    fn order_of(&self, order: &Order) -> (TransferOrder, TenantId) {
        let is_instrument = |id: &AccountId| {
            let account = self.state.account(*id);
            account.is_some_and(|account| account.kind.instrument().is_some())
        };
        let near = self.accounts.iter().filter(|(id, _)| is_instrument(id));
        let near: Vec<_> = near.copied().collect();
        let balanced = near.iter().filter(|(id, _)| self.has_balance(*id));
        let balanced: Vec<_> = balanced.copied().collect();
        let from = match (order.far, order.fits) {
            (true, _) => &self.accounts,
            (false, true) => &balanced,
            (false, false) => &near,
        };
        let (source, own) = *order.source.get(from);
        let known = |id: AccountId| self.state.account(id);
        let suits = |id: &AccountId| {
            let (Some(source), Some(account)) = (known(source), known(*id)) else {
                return false;
            };
            let currency = !order.fits || source.currency == account.currency;
            source.owner == account.owner && currency && source.id != *id
        };
        let neighbours: Vec<_> = from.iter().filter(|(id, _)| suits(id)).copied().collect();
        let list = match (order.far, neighbours.is_empty()) {
            (true, _) => &self.accounts,
            (false, true) => &near,
            (false, false) => &neighbours,
        };
        let (destination, _) = *order.destination.get(list);
        let destination = if order.same { source } else { destination };
        let is_for_transfers = |id: &ProfileId| {
            let profile = self.state.profile(*id);
            profile.is_some_and(|profile| profile.terms.kind() == ProfileKind::Transfer)
        };
        let profiles = self.profiles.iter();
        let profiles = profiles.filter(|(id, tenant)| *tenant == own && is_for_transfers(id));
        let profiles: Vec<_> = profiles.copied().collect();
        let list = if order.far || profiles.is_empty() {
            &self.profiles
        } else {
            &profiles
        };
        let (profile, _) = *order.profile.get(list);
        let currency_of = |id| self.state.account(id).map(|account| account.currency);
        let available = known(source).map_or(0, |account| account.available());
        let all_but = |rest: i64| available - rest;
        let scheduled_at = order.schedule.map(|by| self.time_of(own).plus(by));
        let order = TransferOrder {
            profile,
            source: self.named(source, order.wrong_class),
            destination: self.named(destination, order.wrong_class && order.minor % 2 == 0),
            currency: match order.currency {
                Money::OfSource => currency_of(source),
                Money::OfDestination => currency_of(destination),
                Money::None => None,
                Money::Pounds => Some(Currency::GBP),
            },
            amount_minor: order.all_but.map_or(order.minor, all_but),
            tag: order.tag.of(50),
            description: order.description.note(),
            scheduled_at,
        };
        (order, own)
    }

    /// Play money's, and none of a card that has none.
    fn has_balance(&self, id: AccountId) -> bool {
        self.state.account(id).is_some_and(|account| {
            let sandbox = self.is_sandbox(account.tenant);
            sandbox
                && account.kind != AccountKind::DebitCard
                && account.state != AccountState::Destroyed
        })
    }

    fn named(&self, id: AccountId, wrongly: bool) -> Instrument {
        let account = self.state.account(id);
        let class = account.and_then(|account| account.kind.instrument());
        let class = match (class, wrongly) {
            (Some(InstrumentClass::Card), false) | (Some(InstrumentClass::Account), true) => {
                InstrumentClass::Card
            }
            _ => InstrumentClass::Account,
        };
        Instrument { id, class }
    }
}
