//! Managed accounts and managed cards of an identity.
//!
//! Managed accounts are the ledger's pods, managed cards its two kinds of cards. An id of the other
//! class, or of another identity, is one that nobody has. Refusals that were decided are remembered
//! with the caller's reference (weavr-api §6).

mod conflicts;
mod holder;
mod open;
mod state;

pub use holder::Holder;
pub use open::NewInstrument;

use std::sync::Arc;

use ledger::{
    Account, AccountId, AccountState, ChangeAccount, ChangeDetails, Command, InstrumentClass,
    Rejection, Reply, StateReason, TenantId,
};
use store::{AccountQuery, Action, Claim, Outcome, RememberedReply, Submit};

use super::actor::Actor;
use super::error::{Conflict, Error, Result};
use super::idempotency::is_fresh;
use super::submit::{TRIES, busy};
use crate::Service;
use crate::transfers::{missing, unexpected};

/// What is to change about an instrument; what is `None` stays.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InstrumentChange {
    /// 1 to 100 characters.
    pub name: Option<Arc<str>>,
    /// Up to 50 characters.
    pub tag: Option<Arc<str>>,
    /// Who holds the card from now on.
    pub holder: Holder,
    /// Whether something shall change that only plastic cards have.
    pub needs_plastic: bool,
}

/// An instrument nobody has, or none that the caller can know of.
pub(super) const NOT_FOUND: crate::Error = crate::Error::NotFound { what: "account" };

/// Why a command about an instrument was refused.
enum Refused {
    /// By the ledger, now or when the reference was used first.
    Rejected(Rejection),
    /// Before the ledger was asked.
    Conflict(Conflict),
    /// Not refused: it could not be done.
    Error(Error),
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Refused {
        Refused::Error(error.into())
    }
}

impl Service {
    /// One instrument with its balance.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`].
    pub async fn instrument(
        &self,
        actor: &Actor,
        class: InstrumentClass,
        id: AccountId,
    ) -> Result<Account> {
        let row = self.store.account(actor.tenant, id).await?;
        let account = row.map(|row| row.account);
        let account = account
            .filter(|account| account.owner == actor.owner)
            .filter(|account| account.kind.instrument() == Some(class));
        Ok(account.ok_or(NOT_FOUND)?)
    }

    /// Accounts that match, and how many do on all pages.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn instruments(&self, query: AccountQuery) -> Result<(Vec<Account>, u64)> {
        let page = self.store.accounts_page(query).await?;
        let accounts = page.rows.into_iter().map(|row| row.account);
        Ok((accounts.collect(), page.count))
    }

    /// Changes what an instrument is called, and what is kept with it: `details` makes that, as JSON,
    /// of the instrument as it is, or `None` to leave it. It is asked again when another change was
    /// faster, so that neither undoes the other.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`], [`Conflict::InstrumentDestroyed`],
    /// [`Conflict::InstrumentNotPhysical`], then those of the holder.
    pub async fn change_instrument(
        &self,
        actor: &Actor,
        class: InstrumentClass,
        id: AccountId,
        change: InstrumentChange,
        details: impl Fn(&Account) -> Option<Arc<str>>,
    ) -> Result<Account> {
        let mut account = self.instrument(actor, class, id).await?;
        if account.state == AccountState::Destroyed {
            return Err(Conflict::InstrumentDestroyed.into());
        }
        if change.needs_plastic {
            return Err(Conflict::InstrumentNotPhysical.into());
        }
        if let Some(conflict) = self.check_holder(actor, &change.holder).await? {
            return Err(conflict.into());
        }
        for _ in 0..TRIES {
            let made = details(&account);
            let command = Command::ChangeAccount(ChangeAccount {
                tenant: actor.tenant,
                owner: Some(actor.owner),
                account: id,
                name: change.name.clone(),
                tag: change.tag.clone(),
                details: made.map(|now| ChangeDetails {
                    was: account.details.clone(),
                    now,
                }),
            });
            match self.commit_account(actor.tenant, Ok(command), None).await {
                Ok(changed) => return Ok(changed),
                Err(Refused::Rejected(Rejection::DetailsChanged)) => {}
                Err(Refused::Rejected(Rejection::AlreadyInState { .. })) => {
                    return Err(Conflict::InstrumentDestroyed.into());
                }
                Err(other) => return Err(other.into_error()),
            }
            account = self.instrument(actor, class, id).await?;
        }
        Err(busy())
    }

    /// Commits a command that answers an account, or a refusal that was decided here. Either way a
    /// reference that was used before gets its first answer.
    async fn commit_account(
        &self,
        tenant: TenantId,
        wish: std::result::Result<Command, Conflict>,
        claim: Option<Claim>,
    ) -> std::result::Result<Account, Refused> {
        let body = claim.as_ref().map(|claim| claim.body);
        let (action, refused) = match wish {
            Ok(command) => (Action::Command(command), None),
            Err(conflict) if claim.is_none() => return Err(Refused::Conflict(conflict)),
            Err(conflict) => {
                let (code, message) = (conflict.code().into(), "".into());
                let refuse = Action::Refuse {
                    tenant,
                    code,
                    message,
                };
                (refuse, Some(conflict))
            }
        };
        match (self.submit(Submit { action, claim }).await?, refused) {
            (Outcome::Done(_), Some(conflict)) => Err(Refused::Conflict(conflict)),
            (Outcome::Done(Reply::Account(account)), None) => Ok(account),
            (Outcome::Refused(rejection), _) => Err(Refused::Rejected(rejection)),
            (Outcome::Replay(used), _) => {
                let remembered = self.recall(used, body).await?;
                let fresh = is_fresh(&remembered, self.store.now());
                match remembered.reply {
                    RememberedReply::Account(account) if fresh => Ok(*account),
                    RememberedReply::Account(account) => {
                        let now = self.store.account(account.tenant, account.id).await?;
                        Ok(now.map_or(*account, |row| row.account))
                    }
                    RememberedReply::Refused { code, message } => {
                        Err(conflicts::remembered(&code, &message))
                    }
                    _ => Err(missing("the account of an idempotency record").into()),
                }
            }
            (other, _) => Err(unexpected(&other).into()),
        }
    }
}

impl Refused {
    /// What is refused for a reason that this operation has no code for.
    fn into_error(self) -> Error {
        match self {
            Refused::Rejected(Rejection::AccountNotFound) => NOT_FOUND.into(),
            Refused::Rejected(rejection) => rejection.into(),
            Refused::Conflict(conflict) => conflict.into(),
            Refused::Error(error) => error,
        }
    }
}

/// Whether a card was reported lost or stolen.
fn is_missing(account: &Account) -> bool {
    matches!(
        account.reason,
        Some(StateReason::Lost | StateReason::Stolen)
    )
}

#[cfg(test)]
mod tests;
