//! Opening, renaming, blocking and closing accounts; holds on them.

use ledger::profile::CardMode;
use ledger::{
    AccountId, AccountKind, AccountState, ChangeAccount, ExternalKind, HoldId, InstrumentClass,
    Millis, OpenAccount, OpenInstrument, OwnerId, PlaceHold, ProfileKind, StateReason, TenantId,
    Terms,
};

use super::{Account, Hold, Model, Refusal, is_held, is_note, is_tag, is_text, refuse_when};

fn are_digits(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.len() == 4 && text.chars().all(|c| c.is_ascii_digit()))
}

fn are_details(details: Option<&str>) -> bool {
    details.is_none_or(|details| details.len() <= 32_768)
}

impl Model {
    pub(super) fn open_account(
        &mut self,
        open: &OpenAccount,
        id: impl Fn() -> u64,
    ) -> Result<(), Refusal> {
        self.identity(open.tenant, open.owner)?;
        let external = matches!(open.kind, AccountKind::External(_));
        let pays_in_only = external && open.kind != AccountKind::External(ExternalKind::Depository);
        let possible = match open.kind {
            AccountKind::IncomeSource | AccountKind::Pod | AccountKind::External(_) => true,
            // Cards are opened under a profile, system accounts by nobody.
            AccountKind::PrepaidCard | AccountKind::DebitCard | AccountKind::System(_) => false,
        };
        let valid = possible
            && is_text(&open.name, 1, 100)
            && is_note(open.description.as_deref())
            && open
                .institution
                .as_deref()
                .is_none_or(|name| is_text(name, 1, 100))
            && are_digits(open.number_last_four.as_deref())
            && are_digits(open.routing_last_four.as_deref())
            && (external || open.reported == ledger::account::Reported::default())
            && !(open.can_be_source == Some(true) && pays_in_only);
        refuse_when(!valid, "invalid_parameters")?;
        let usual = match open.kind {
            AccountKind::IncomeSource => (true, false),
            _ => (!pays_in_only, true),
        };
        let account = Account {
            tenant: open.tenant,
            owner: open.owner,
            kind: open.kind,
            currency: open.currency,
            state: AccountState::Active,
            reason: None,
            roles: (
                open.can_be_source.unwrap_or(usual.0),
                open.can_be_destination.unwrap_or(usual.1),
            ),
            profile: None,
            parent: None,
            texts: (open.name.to_string(), None, None),
            balance: 0,
        };
        self.accounts.insert(AccountId::new(id()), account);
        Ok(())
    }

    /// Refused in this order: owner, profile (missing, switched off), texts, parent, currency.
    pub(super) fn open_instrument(
        &mut self,
        open: &OpenInstrument,
        id: impl Fn() -> u64,
    ) -> Result<(), Refusal> {
        self.identity(open.tenant, open.owner)?;
        let wanted = match open.class {
            InstrumentClass::Account => ProfileKind::ManagedAccount,
            InstrumentClass::Card => ProfileKind::ManagedCard,
        };
        let profile = self.profile(open.tenant, open.profile, wanted)?;
        refuse_when(!profile.active, "profile_inactive")?;
        let (tag, details) = (open.tag.as_deref(), open.details.as_deref());
        let valid = is_text(&open.name, 1, 100) && is_tag(tag) && are_details(details);
        refuse_when(!valid, "invalid_parameters")?;
        let kind = match profile.terms {
            Terms::ManagedCard {
                mode: CardMode::Debit,
                ..
            } => AccountKind::DebitCard,
            Terms::ManagedCard { .. } => AccountKind::PrepaidCard,
            _ => AccountKind::Pod,
        };
        let currency = if kind == AccountKind::DebitCard {
            let parent = open.parent.ok_or("invalid_parameters")?;
            let parent = self.account(open.tenant, parent, "parent_not_found")?;
            let suits = parent.owner == open.owner && parent.kind == AccountKind::Pod;
            refuse_when(!suits, "parent_not_found")?;
            let active = parent.state == AccountState::Active;
            refuse_when(!active, "parent_not_active")?;
            let other = open.currency.is_some_and(|c| c != parent.currency);
            refuse_when(other, "currency_mismatch")?;
            parent.currency
        } else {
            refuse_when(open.parent.is_some(), "invalid_parameters")?;
            open.currency.ok_or("invalid_parameters")?
        };
        let allowed = profile.currencies.is_empty() || profile.currencies.contains(&currency);
        refuse_when(!allowed, "currency_not_in_profile")?;
        // A debit card has no balance that a transfer could move.
        let moves = kind != AccountKind::DebitCard;
        let account = Account {
            tenant: open.tenant,
            owner: open.owner,
            kind,
            currency,
            state: AccountState::Active,
            reason: None,
            roles: (moves, moves),
            profile: Some(open.profile),
            parent: open.parent,
            texts: (
                open.name.to_string(),
                tag.map(str::to_owned),
                details.map(str::to_owned),
            ),
            balance: 0,
        };
        self.accounts.insert(AccountId::new(id()), account);
        Ok(())
    }

    /// The account, unless it is another's than `owner`'s.
    fn seen_by(
        &self,
        (tenant, owner): (TenantId, Option<OwnerId>),
        id: AccountId,
    ) -> Result<&Account, Refusal> {
        self.tenant(tenant)?;
        let code = "account_not_found";
        let account = self.account(tenant, id, code)?;
        let others = owner.is_some_and(|owner| owner != account.owner);
        refuse_when(others, code)?;
        Ok(account)
    }

    pub(super) fn change_account(&mut self, change: &ChangeAccount) -> Result<(), Refusal> {
        let account = self.seen_by((change.tenant, change.owner), change.account)?;
        let closed = account.state == AccountState::Destroyed;
        refuse_when(closed, "already_in_state")?;
        let name = change.name.as_deref();
        let valid = name.is_none_or(|name| is_text(name, 1, 100))
            && is_tag(change.tag.as_deref())
            && are_details(change.details.as_ref().map(|details| &*details.now));
        refuse_when(!valid, "invalid_parameters")?;
        let stale = change
            .details
            .as_ref()
            .is_some_and(|details| details.was.as_deref() != account.texts.2.as_deref());
        refuse_when(stale, "details_changed")?;
        let account = self.accounts.get_mut(&change.account).expect("found above");
        let (old_name, old_tag, old_details) = &mut account.texts;
        if let Some(name) = name {
            *old_name = name.to_owned();
        }
        if let Some(tag) = change.tag.as_deref() {
            *old_tag = Some(tag.to_owned());
        }
        if let Some(details) = &change.details {
            *old_details = Some(details.now.to_string());
        }
        Ok(())
    }

    pub(super) fn set_state(
        &mut self,
        by: (TenantId, Option<OwnerId>),
        id: AccountId,
        (wanted, reason): (AccountState, StateReason),
    ) -> Result<(), Refusal> {
        self.check_state(by, id, (wanted, reason))?;
        let account = self.accounts.get_mut(&id).expect("found above");
        account.state = wanted;
        account.reason = (wanted != AccountState::Active).then_some(reason);
        Ok(())
    }

    fn check_state(
        &self,
        by: (TenantId, Option<OwnerId>),
        id: AccountId,
        (wanted, reason): (AccountState, StateReason),
    ) -> Result<(), Refusal> {
        let account = self.seen_by(by, id)?;
        let closed = account.state == AccountState::Destroyed;
        refuse_when(closed || account.state == wanted, "already_in_state")?;
        if wanted == AccountState::Active {
            // A user lifts the user's own blocks; the operator lifts any.
            let own = matches!(account.reason, None | Some(StateReason::User));
            refuse_when(reason == StateReason::User && !own, "blocked_by_other")?;
        }
        if wanted == AccountState::Destroyed {
            refuse_when(account.balance != 0, "balance_not_zero")?;
            let mut open = self.transfers.values().filter(|t| t.next.is_some());
            let used = open.any(|t| t.source == Some(id) || t.destination == Some(id));
            refuse_when(used || self.held(id) != 0, "account_in_use")?;
            let mut cards = self.accounts.values().filter(|a| a.parent == Some(id));
            let linked = cards.any(|card| card.state != AccountState::Destroyed);
            refuse_when(linked, "linked_cards")?;
        }
        Ok(())
    }

    /// A user gives an account up, which no rule may name.
    pub(super) fn delete_account(
        &mut self,
        tenant: TenantId,
        id: AccountId,
    ) -> Result<(), Refusal> {
        let wanted = (AccountState::Destroyed, StateReason::User);
        self.check_state((tenant, None), id, wanted)?;
        let mut rules = self.rules.values();
        let named = rules.any(|rule| rule.said.accounts().contains(&id));
        refuse_when(named, "named_by_rule")?;
        self.set_state((tenant, None), id, wanted)
    }

    pub(super) fn place_hold(
        &mut self,
        place: &PlaceHold,
        machine: Millis,
        id: impl Fn() -> u64,
    ) -> Result<(), Refusal> {
        let now = self.now(place.tenant, machine)?;
        let account = self.account(place.tenant, place.account, "account_not_found")?;
        refuse_when(!is_held(account.kind), "source_not_allowed")?;
        let active = account.state == AccountState::Active;
        refuse_when(!active, "source_not_active")?;
        let currency = place.amount.currency();
        refuse_when(account.currency != currency, "currency_mismatch")?;
        let past = place.expires_at.is_some_and(|at| at <= now);
        refuse_when(past, "invalid_parameters")?;
        let minor = i128::from(place.amount.minor());
        let lacking = self.available(place.account) < minor;
        refuse_when(lacking, "insufficient_funds")?;
        let hold = Hold {
            tenant: place.tenant,
            account: place.account,
            minor,
            expires_at: place.expires_at,
        };
        self.holds.insert(HoldId::new(id()), hold);
        Ok(())
    }
}
