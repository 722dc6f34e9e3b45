//! Where every sequence begins.

use std::sync::Arc;

use ledger::profile::{
    CardMode, DepositFee, Fee, FeePolicy, Pair as Classes, Rate, Terms, TransferFee, TransferTerms,
};
use ledger::{
    AccountId, AccountKind, AccountState, Command, Currency, InstrumentClass, MoneyIn, NewProfile,
    OpenAccount, OpenInstrument, Origin, OwnerId, OwnerKind, ProfileId, StateReason, TenantId,
};

use super::usual;
use crate::apply::{opening, paycheck};
use crate::pair::Pair;

/// What instruments are opened under.
struct Profiles {
    accounts: ProfileId,
    prepaid: ProfileId,
    debit: ProfileId,
}

/// Profiles with and without fees and limits, and two identities with instruments under them.
pub fn begin(pair: &mut Pair, tenant: TenantId, owner: OwnerId) {
    let profiles = instrument_profiles(pair, tenant);
    transfer_profiles(pair, tenant);
    let (kind, name) = (OwnerKind::Corporate, Arc::from("Corp"));
    pair.run(&Command::CreateOwner { tenant, kind, name });
    let (corporate, _) = *pair.owners.last().expect("just made");
    for owner in [owner, corporate] {
        instruments(pair, (tenant, owner), &profiles);
        oddities(pair, (tenant, owner), &profiles);
    }
}

fn usd(minor: i64) -> ledger::Amount {
    usual(minor, Currency::USD)
}

fn profile(pair: &mut Pair, tenant: TenantId, terms: Terms) -> ProfileId {
    pair.run(&Command::CreateProfile(NewProfile {
        tenant,
        name: Arc::from("Standard"),
        currencies: Vec::new(),
        terms,
    }));
    pair.profiles.last().expect("just made").0
}

fn instrument_profiles(pair: &mut Pair, tenant: TenantId) -> Profiles {
    let accounts = Terms::ManagedAccount {
        max_balances: vec![usd(900)],
        deposit_fees: vec![DepositFee {
            currency: Currency::USD,
            fee: Fee::Flat(3),
        }],
    };
    let cards = |mode| Terms::ManagedCard {
        mode,
        max_balances: vec![usd(300)],
    };
    Profiles {
        accounts: profile(pair, tenant, accounts),
        prepaid: profile(pair, tenant, cards(CardMode::Prepaid)),
        debit: profile(pair, tenant, cards(CardMode::Debit)),
    }
}

/// One without fees, one with some as far as they can be had, one strict one.
fn transfer_profiles(pair: &mut Pair, tenant: TenantId) {
    let plain = TransferTerms {
        pairs: Vec::new(),
        fees: Vec::new(),
        fee_policy: FeePolicy::BestEffort,
        max_amounts: Vec::new(),
        deny_above: Vec::new(),
        forex: false,
    };
    let rate = |ppm| Rate::from_ppm(ppm).expect("at most the whole");
    let fee = |pair, currency, fee| TransferFee {
        pair,
        currency,
        fee,
    };
    let [both_accounts, to_card, to_account, both_cards] = Classes::ALL;
    let fees = vec![
        fee(both_accounts, Currency::USD, Fee::Plus(2, rate(15_000))),
        fee(to_card, Currency::USD, Fee::Max(4, rate(25_000))),
        fee(to_account, Currency::USD, Fee::Min(4, rate(25_000))),
        fee(both_cards, Currency::EUR, Fee::Flat(1)),
    ];
    let lenient = TransferTerms {
        fees: fees.clone(),
        ..plain.clone()
    };
    let strict = TransferTerms {
        pairs: vec![to_card, both_accounts],
        fees,
        fee_policy: FeePolicy::Required,
        max_amounts: vec![usd(250)],
        deny_above: vec![usd(200)],
        forex: true,
    };
    for terms in [plain, lenient, strict] {
        profile(pair, tenant, Terms::Transfer(terms));
    }
}

/// Opens an instrument and, with a currency, pays something in.
fn open(
    pair: &mut Pair,
    (tenant, owner): (TenantId, OwnerId),
    (profile, class): (ProfileId, InstrumentClass),
    currency: Option<Currency>,
    parent: Option<AccountId>,
) -> AccountId {
    pair.run(&Command::OpenInstrument(OpenInstrument {
        tenant,
        owner,
        profile,
        class,
        name: Arc::from("Main"),
        currency,
        parent,
        tag: None,
        details: None,
    }));
    let (account, _) = *pair.accounts.last().expect("just made");
    if let Some(currency) = currency {
        pair.run(&Command::MoneyIn(MoneyIn {
            tenant,
            destination: account,
            amount: usual(250, currency),
            origin: Origin::Deposit,
            description: None,
        }));
    }
    account
}

fn instruments(pair: &mut Pair, by: (TenantId, OwnerId), profiles: &Profiles) {
    let accounts = (profiles.accounts, InstrumentClass::Account);
    let prepaid = (profiles.prepaid, InstrumentClass::Card);
    let debit = (profiles.debit, InstrumentClass::Card);
    let (usd, eur) = (Some(Currency::USD), Some(Currency::EUR));
    let main = open(pair, by, accounts, usd, None);
    open(pair, by, accounts, usd, None);
    open(pair, by, accounts, eur, None);
    open(pair, by, prepaid, usd, None);
    open(pair, by, prepaid, eur, None);
    open(pair, by, debit, None, Some(main));
}

/// Money that a transfer may not take, an empty account with cards, and a closed one.
fn oddities(pair: &mut Pair, (tenant, owner): (TenantId, OwnerId), profiles: &Profiles) {
    let pod = opening(tenant, owner, AccountKind::Pod, Currency::USD);
    let open_pod = |pair: &mut Pair, pod: OpenAccount| {
        pair.run(&Command::OpenAccount(pod));
        pair.accounts.last().expect("just made").0
    };
    let shut = OpenAccount {
        can_be_source: Some(false),
        ..pod.clone()
    };
    let shut = open_pod(pair, shut);
    pair.run(&paycheck(tenant, shut, 100));
    let empty = open_pod(pair, pod.clone());
    let debit = (profiles.debit, InstrumentClass::Card);
    for _ in 0..2 {
        open(pair, (tenant, owner), debit, None, Some(empty));
    }
    let gone = open_pod(pair, pod);
    pair.run(&Command::SetAccountState {
        tenant,
        owner: Some(owner),
        account: gone,
        reason: StateReason::User,
        state: AccountState::Destroyed,
    });
}
