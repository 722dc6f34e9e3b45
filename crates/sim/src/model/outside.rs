//! Play money from and to the outside, settled at once.

use ledger::{
    AccountId, AccountKind, AccountState, Currency, Millis, MoneyIn, MoneyOut, Origin, Status,
    TenantId, Terms, TransferId,
};

use super::due::Made;
use super::{Model, Refusal, Transfer, fees, fits, is_held, is_note, refuse_when};

impl Model {
    pub(super) fn money_in(
        &mut self,
        money: &MoneyIn,
        machine: Millis,
        id: impl Fn() -> u64,
        made: &Made,
    ) -> Result<(), Refusal> {
        self.sandbox(money.tenant)?;
        let no_destination = "transfer_destination_not_found";
        self.account(money.tenant, money.destination, no_destination)?;
        let to = self.behind(money.destination);
        let account = &self.accounts[&to];
        refuse_when(!is_held(account.kind), "destination_not_allowed")?;
        let active = account.state == AccountState::Active;
        refuse_when(!active, "destination_not_active")?;
        let note = money.description.as_deref();
        refuse_when(!is_note(note), "invalid_parameters")?;
        let currency = money.amount.currency();
        refuse_when(account.currency != currency, "currency_mismatch")?;
        let minor = i128::from(money.amount.minor());
        let fee = self.deposit_fee(to, money.origin, minor);
        let owner = self.accounts[&to].owner;
        let pot = (owner, currency);
        let of = |pots: &std::collections::BTreeMap<_, i128>| pots.get(&pot).copied().unwrap_or(0);
        let possible = fits(self.accounts[&to].balance + minor - fee)
            && fits(of(&self.world) - minor)
            && fits(of(&self.fees) + fee);
        refuse_when(!possible, "balance_overflow")?;
        self.add(to, minor - fee);
        *self.world.entry(pot).or_default() -= minor;
        *self.fees.entry(pot).or_default() += fee;
        let ends = (None, Some(to));
        let id = id();
        let card = self.card(money.destination, money.origin);
        self.record_done(
            id,
            money.tenant,
            ends,
            card,
            (minor, currency, fee),
            machine,
        );
        let now = self.now(money.tenant, machine)?;
        self.arrived(to, TransferId::new(id), minor - fee, now, made);
        Ok(())
    }

    pub(super) fn money_out(
        &mut self,
        money: &MoneyOut,
        machine: Millis,
        id: impl Fn() -> u64,
    ) -> Result<(), Refusal> {
        self.sandbox(money.tenant)?;
        let presented = self.account(money.tenant, money.source, "transfer_source_not_found")?;
        let works = presented.state == AccountState::Active;
        let from = self.behind(money.source);
        let account = &self.accounts[&from];
        refuse_when(!is_held(account.kind), "source_not_allowed")?;
        // Neither a blocked card nor a card of a blocked account spends anything.
        let active = works && account.state == AccountState::Active;
        refuse_when(!active, "source_not_active")?;
        let currency = money.amount.currency();
        let minor = i128::from(money.amount.minor());
        let mismatch = account.currency != currency;
        let owner = account.owner;
        // Another currency is never enough nor too little: that is said further down.
        let lacking = !mismatch && self.available(from) < minor;
        refuse_when(lacking, "insufficient_funds")?;
        let note = money.description.as_deref();
        refuse_when(!is_note(note), "invalid_parameters")?;
        refuse_when(mismatch, "currency_mismatch")?;
        self.add(from, -minor);
        *self.world.entry((owner, currency)).or_default() += minor;
        let ends = (Some(from), None);
        let card = self.card(money.source, money.origin);
        let sum = (minor, currency, 0);
        self.record_done(id(), money.tenant, ends, card, sum, machine);
        Ok(())
    }

    /// Where the money of a card is: a debit card has none, its parent has.
    fn behind(&self, id: AccountId) -> AccountId {
        let account = &self.accounts[&id];
        match account.kind {
            AccountKind::DebitCard => account.parent.expect("none is opened without"),
            _ => id,
        }
    }

    /// Which card it was, of what only cards do.
    fn card(&self, presented: AccountId, origin: Origin) -> Option<AccountId> {
        let by_card = [Origin::CardPurchase, Origin::CardRefund].contains(&origin);
        let kind = self.accounts[&presented].kind;
        let is_card = [AccountKind::DebitCard, AccountKind::PrepaidCard].contains(&kind);
        (by_card && is_card).then_some(presented)
    }

    /// Deposits are credited in full, unless the profile has a fee for them in this currency that
    /// leaves something of the deposit.
    fn deposit_fee(&self, to: AccountId, origin: Origin, minor: i128) -> i128 {
        let account = &self.accounts[&to];
        let profile = account.profile.and_then(|id| self.profiles.get(&id));
        let Some(Terms::ManagedAccount { deposit_fees, .. }) = profile.map(|p| &p.terms) else {
            return 0;
        };
        let line = deposit_fees.iter().find(|l| l.currency == account.currency);
        let fee = line.map_or(0, |line| fees::on(line.fee, minor));
        if origin == Origin::Deposit && fee < minor {
            fee
        } else {
            0
        }
    }

    fn record_done(
        &mut self,
        id: u64,
        tenant: TenantId,
        (source, destination): (Option<AccountId>, Option<AccountId>),
        card: Option<AccountId>,
        (minor, currency, fee): (i128, Currency, i128),
        machine: Millis,
    ) {
        let end = source.or(destination).expect("one end is here");
        let transfer = Transfer {
            tenant,
            owner: self.accounts[&end].owner,
            source,
            destination,
            minor,
            currency,
            delay_ms: 0,
            status: Status::Complete,
            error: None,
            next: None,
            completed_at: Some(self.now(tenant, machine).expect("it exists")),
            order: None,
            fee,
            cancel_reason: None,
            card,
            run: None,
        };
        self.transfers.insert(TransferId::new(id), transfer);
    }
}
