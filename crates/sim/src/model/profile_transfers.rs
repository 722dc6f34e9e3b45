//! Transfers between two instruments of one identity, under a profile.

use ledger::profile::{FeePolicy, Pair, TransferTerms};
use ledger::{
    AccountKind, AccountState, Amount, Currency, Denial, ErrorCode, Instrument, InstrumentClass,
    Millis, OwnerId, ProfileKind, Status, TenantId, Terms, TransferId, TransferOrder,
};

use super::due::Made;
use super::{Account, Model, Refusal, Transfer, fees, fits, is_tag, is_text, refuse_when};

/// What Multi calls an account of this kind, if it shows it at all.
fn class_of(kind: AccountKind) -> Option<InstrumentClass> {
    match kind {
        AccountKind::Pod => Some(InstrumentClass::Account),
        AccountKind::PrepaidCard | AccountKind::DebitCard => Some(InstrumentClass::Card),
        AccountKind::IncomeSource | AccountKind::External(_) | AccountKind::System(_) => None,
    }
}

/// The limit in this currency, or more than there can be.
fn limit(limits: &[Amount], currency: Currency) -> i128 {
    let found = limits.iter().find(|limit| limit.currency() == currency);
    found.map_or(i128::MAX, |limit| i128::from(limit.minor()))
}

/// Notes may have line breaks and other white space: `\s` of the documented pattern.
fn is_description(text: Option<&str>) -> bool {
    text.is_none_or(|text| {
        is_text(
            &text.replace(['\t', '\n', '\u{b}', '\u{c}', '\r'], " "),
            0,
            255,
        )
    })
}

/// The texts of an order: what is wrong with them is wrong before anything is looked up.
pub(super) fn is_order(order: &TransferOrder) -> bool {
    is_tag(order.tag.as_deref()) && is_description(order.description.as_deref())
}

impl Model {
    /// Does what is ordered, at once or later. Gives the transfer's id and its first status.
    pub(super) fn order(
        &mut self,
        (tenant, owner): (TenantId, OwnerId),
        order: &TransferOrder,
        now: Millis,
        id: impl Fn() -> TransferId,
        made: &Made,
    ) -> Result<(TransferId, Status), Refusal> {
        self.identity(tenant, owner)?;
        refuse_when(!is_order(order), "invalid_parameters")?;
        let currency = self.check((tenant, owner), order, Some(now))?;
        let mut transfer = Transfer {
            tenant,
            owner,
            source: Some(order.source.id),
            destination: Some(order.destination.id),
            minor: i128::from(order.amount_minor),
            currency,
            delay_ms: 0,
            status: Status::Scheduled,
            error: None,
            next: order.scheduled_at,
            completed_at: None,
            order: Some(order.clone()),
            fee: 0,
            cancel_reason: None,
            card: None,
            run: None,
        };
        if order.scheduled_at.is_none() {
            transfer.fee = self.check_money(order, currency)?;
            transfer.status = Status::Complete;
            transfer.completed_at = Some(now);
            self.move_money(&transfer);
        }
        let (id, status, minor) = (id(), transfer.status, transfer.minor);
        self.transfers.insert(id, transfer);
        if status == Status::Complete {
            self.arrived(order.destination.id, id, minor, now, made);
        }
        Ok((id, status))
    }

    /// A scheduled transfer's time has come: everything is looked at again.
    pub(super) fn execute(&mut self, id: TransferId, at: Millis, made: &Made) {
        let transfer = self.transfers[&id].clone();
        let order = transfer.order.as_ref().expect("only orders are scheduled");
        let by = (transfer.tenant, transfer.owner);
        let checked = self.check(by, order, None);
        match checked.and_then(|currency| self.check_money(order, currency)) {
            Ok(fee) => {
                let (to, minor) = (order.destination.id, transfer.minor);
                let transfer = Transfer { fee, ..transfer };
                self.move_money(&transfer);
                self.transfers.insert(id, transfer);
                self.complete(id, at);
                self.arrived(to, id, minor, at, made);
            }
            Err(code) => {
                let denial = Denial::parse(code).expect("everything else is denied");
                self.fail(id, ErrorCode::Denied(denial));
            }
        }
    }

    pub(super) fn cancel(
        &mut self,
        (tenant, owner): (TenantId, OwnerId),
        id: TransferId,
        reason: Option<&str>,
    ) -> Result<(), Refusal> {
        self.tenant(tenant)?;
        refuse_when(!is_tag(reason), "invalid_parameters")?;
        let transfer = self.transfers.get_mut(&id).ok_or("transfer_not_found")?;
        let open = transfer.next.is_some() && transfer.tenant == tenant;
        refuse_when(!open, "transfer_not_found")?;
        refuse_when(transfer.owner != owner, "transfer_of_other")?;
        let scheduled = transfer.status == Status::Scheduled;
        refuse_when(!scheduled, "transfer_not_scheduled")?;
        transfer.status = Status::Cancelled;
        transfer.next = None;
        transfer.cancel_reason = reason.map(str::to_owned);
        Ok(())
    }

    fn transfer_terms(&self, order: &TransferOrder) -> &TransferTerms {
        match &self.profiles[&order.profile].terms {
            Terms::Transfer(terms) => terms,
            other => panic!("not for transfers: {other:?}"),
        }
    }

    /// The rows of the documented table down to where money begins, in their order. `made_at` is
    /// when the transfer is made; `None` when its time has come.
    fn check(
        &self,
        by: (TenantId, OwnerId),
        order: &TransferOrder,
        made_at: Option<Millis>,
    ) -> Result<Currency, Refusal> {
        let profile = self.profile(by.0, order.profile, ProfileKind::Transfer)?;
        refuse_when(!profile.active, "PROFILE_INACTIVE")?;
        refuse_when(order.amount_minor <= 0, "AMOUNT_INVALID")?;
        let source = self.instrument(by, order.source, "SOURCE_NOT_FOUND")?;
        let destination = self.instrument(by, order.destination, "DESTINATION_NOT_FOUND")?;
        let same = order.source.id == order.destination.id;
        refuse_when(same, "SOURCE_AND_DESTINATION_MUST_BE_DIFFERENT")?;
        for (is, codes) in [
            (
                (|a| a.kind == AccountKind::DebitCard) as fn(&Account) -> bool,
                [
                    "SOURCE_CANNOT_BE_DEBIT_MODE_CARD",
                    "DESTINATION_CANNOT_BE_DEBIT_MODE_CARD",
                ],
            ),
            (
                |a| a.state == AccountState::Destroyed,
                [
                    "SOURCE_INSTRUMENT_DESTROYED",
                    "DESTINATION_INSTRUMENT_DESTROYED",
                ],
            ),
            (
                |a| a.state == AccountState::Blocked,
                [
                    "SOURCE_INSTRUMENT_BLOCKED",
                    "DESTINATION_INSTRUMENT_BLOCKED",
                ],
            ),
        ] {
            refuse_when(is(source), codes[0])?;
            refuse_when(is(destination), codes[1])?;
        }
        let take_part = source.roles.0 && destination.roles.1;
        refuse_when(!take_part, "INSTRUMENT_DENIED_TRANSACTION")?;
        let terms = self.transfer_terms(order);
        let trade = source.currency != destination.currency
            && order.currency == Some(destination.currency)
            && terms.forex;
        refuse_when(trade, "FOREX_TRADE_DENIED_TRANSACTION")?;
        let one =
            order.currency == Some(source.currency) && order.currency == Some(destination.currency);
        refuse_when(!one, "CURRENCY_MISMATCH")?;
        let past = |at: Millis| made_at.is_some_and(|now| at <= now);
        // Nothing can be scheduled for after the year 9999.
        let beyond = |at: Millis| at.0 >= 253_402_300_800_000;
        let late = order.scheduled_at.is_some_and(|at| past(at) || beyond(at));
        refuse_when(late, "SCHEDULED_TIMESTAMP_INVALID")?;
        let pair = self.pair(order);
        let supported = terms.pairs.is_empty() || terms.pairs.contains(&pair);
        refuse_when(!supported, "TRANSFER_BETWEEN_INSTRUMENTS_UNSUPPORTED")?;
        let (currency, minor) = (source.currency, i128::from(order.amount_minor));
        let fee = fees::of_pair(terms, pair, currency, minor);
        refuse_when(fee.is_err(), "FEE_NOT_CONFIGURED_FOR_CURRENCY")?;
        let allowed = profile.currencies.is_empty() || profile.currencies.contains(&currency);
        let too_much = minor > limit(&terms.max_amounts, currency);
        refuse_when(!allowed || too_much, "MODEL_CONSTRAINTS_VIOLATED")?;
        let risky = minor > limit(&terms.deny_above, currency);
        refuse_when(risky, "INTERCEPTOR_DENIED_TRANSACTION")?;
        Ok(currency)
    }

    fn pair(&self, order: &TransferOrder) -> Pair {
        Pair {
            source: order.source.class,
            destination: order.destination.class,
        }
    }

    /// The identity's instrument of this class: others do not exist.
    fn instrument(
        &self,
        (tenant, owner): (TenantId, OwnerId),
        named: Instrument,
        code: Refusal,
    ) -> Result<&Account, Refusal> {
        let account = self.account(tenant, named.id, code)?;
        let own = account.owner == owner && class_of(account.kind) == Some(named.class);
        refuse_when(!own, code)?;
        Ok(account)
    }

    /// The last two rows of the table: is there enough, and is there room? Gives the fee to take.
    fn check_money(&self, order: &TransferOrder, currency: Currency) -> Result<i128, Refusal> {
        let terms = self.transfer_terms(order);
        let minor = i128::from(order.amount_minor);
        let fee = fees::of_pair(terms, self.pair(order), currency, minor);
        let fee = fee.expect("it was looked at before");
        let available = self.available(order.source.id);
        let enough = available >= minor + fee;
        let required = terms.fee_policy == FeePolicy::Required;
        let lacking = available < minor || (required && !enough);
        refuse_when(lacking, "FUNDS_INSUFFICIENT")?;
        // As much as possible of what is due, and a fee is due whole or not at all.
        let fee = if enough { fee } else { 0 };

        let destination = &self.accounts[&order.destination.id];
        let profile = destination.profile.and_then(|id| self.profiles.get(&id));
        let most = match profile.map(|profile| &profile.terms) {
            Some(
                Terms::ManagedAccount { max_balances, .. }
                | Terms::ManagedCard { max_balances, .. },
            ) => limit(max_balances, currency),
            _ => i128::MAX,
        };
        let after = destination.balance + minor;
        let room = after <= most && fits(after);
        refuse_when(!room, "DESTINATION_LIMIT_EXCEEDED")?;
        Ok(fee)
    }

    fn move_money(&mut self, transfer: &Transfer) {
        let both = transfer.source.zip(transfer.destination);
        let (source, destination) = both.expect("it has two ends");
        self.add(source, -transfer.minor - transfer.fee);
        self.add(destination, transfer.minor);
        let pot = (transfer.owner, transfer.currency);
        *self.fees.entry(pot).or_default() += transfer.fee;
    }
}
