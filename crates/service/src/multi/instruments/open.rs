//! Opening managed accounts and managed cards.

use std::sync::Arc;

use ledger::DETAILS_MAX;
use ledger::{
    Account, AccountId, Command, Currency, InstrumentClass, OpenInstrument, ProfileId, Rejection,
};
use store::Claim;

use super::{Holder, Refused, conflicts};
use crate::Service;
use crate::multi::actor::Actor;
use crate::multi::error::{Conflict, Result};
use crate::multi::idempotency::{Reference, ReferenceUse};

/// An instrument that an identity asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewInstrument {
    /// A profile for this class of instrument.
    pub profile: ProfileId,
    /// Account or card.
    pub class: InstrumentClass,
    /// 1 to 50 characters, none of them a control character.
    pub name: Arc<str>,
    /// `None` for a debit card, which has its parent's, and for a code of no currency.
    pub currency: Option<Currency>,
    /// The account that a debit card spends from.
    pub parent: Option<AccountId>,
    /// Up to 50 characters.
    pub tag: Option<Arc<str>>,
    /// What the dialect keeps with it, as JSON.
    pub details: Option<Arc<str>>,
    /// Who holds it, for cards.
    pub holder: Holder,
    /// Whether a debit card shall show its purchases in a currency of its own.
    pub has_user_currency: bool,
}

impl NewInstrument {
    fn claim(&self, actor: &Actor, reference: &Reference) -> Claim {
        let operation = match self.class {
            InstrumentClass::Account => ReferenceUse::CreateAccount,
            InstrumentClass::Card => ReferenceUse::CreateCard,
        };
        let payload = (
            self.profile.raw(),
            &*self.name,
            self.currency.map(Currency::bytes),
            self.parent.map(AccountId::raw),
            self.tag.as_deref(),
            self.details.as_deref(),
            self.has_user_currency,
        );
        reference.claim(actor.tenant, Some(actor.owner), operation, &payload)
    }
}

impl Service {
    /// Opens an instrument, if its identity has been verified.
    ///
    /// # Errors
    /// The conflicts of the published data, in this order: the identity, the holder, the currency
    /// to show, the profile, the parent, the currency.
    pub async fn open_instrument(
        &self,
        actor: &Actor,
        new: NewInstrument,
        reference: Option<&Reference>,
    ) -> Result<Account> {
        check(&new)?;
        let standing = self.standing(actor, &new).await?;
        let claim = reference.map(|reference| new.claim(actor, reference));
        let command = Command::OpenInstrument(OpenInstrument {
            tenant: actor.tenant,
            owner: actor.owner,
            profile: new.profile,
            class: new.class,
            name: new.name,
            currency: new.currency,
            parent: new.parent,
            tag: new.tag,
            details: new.details,
        });
        let wish = match standing {
            Some(conflict) => Err(conflict),
            None => Ok(command),
        };
        let opened = self.commit_account(actor.tenant, wish, claim).await;
        opened.map_err(|refused| match &refused {
            Refused::Rejected(rejection) => match conflicts::of_opening(rejection) {
                Some(conflict) => conflict.into(),
                None => refused.into_error(),
            },
            _ => refused.into_error(),
        })
    }
}

impl Service {
    /// What is in the way before the ledger is asked.
    async fn standing(&self, actor: &Actor, new: &NewInstrument) -> Result<Option<Conflict>> {
        if !self.may_have_instruments(actor.tenant, actor.owner).await? {
            return Ok(Some(Conflict::OwnerIdentityNotVerified));
        }
        if let Some(conflict) = self.check_holder(actor, &new.holder).await? {
            return Ok(Some(conflict));
        }
        Ok(new
            .has_user_currency
            .then_some(Conflict::UserCurrencyNotEnabled))
    }
}

/// What the ledger would call malformed is said before a reference is bound to it.
fn check(new: &NewInstrument) -> Result<()> {
    let invalid = |field, reason| Err(Rejection::Invalid { field, reason }.into());
    if new.name.chars().any(char::is_control) {
        return invalid("friendlyName", "must not have control characters");
    }
    if new
        .details
        .as_ref()
        .is_some_and(|text| text.len() > DETAILS_MAX)
    {
        return invalid("body", "is too large to be kept");
    }
    Ok(())
}
