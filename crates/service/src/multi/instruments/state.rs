//! Blocking, unblocking and removing.

use ledger::{AccountId, AccountState, Command, InstrumentClass, StateReason};

use super::{Refused, conflicts};
use crate::Service;
use crate::multi::actor::Actor;
use crate::multi::error::Result;
use crate::multi::idempotency::{Reference, ReferenceUse};

/// An instrument of a class.
type Instrument = (InstrumentClass, AccountId);

impl Service {
    /// Stops an instrument for now.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`]; the conflicts of the published data.
    pub async fn block_instrument(
        &self,
        actor: &Actor,
        class: InstrumentClass,
        id: AccountId,
        reference: Option<&Reference>,
    ) -> Result<()> {
        self.set_instrument(actor, (class, id), AccountState::Blocked, reference)
            .await
    }

    /// Lifts a block of the user's own.
    ///
    /// # Errors
    /// As [`Service::block_instrument`].
    pub async fn unblock_instrument(
        &self,
        actor: &Actor,
        class: InstrumentClass,
        id: AccountId,
        reference: Option<&Reference>,
    ) -> Result<()> {
        self.set_instrument(actor, (class, id), AccountState::Active, reference)
            .await
    }

    /// Closes an empty instrument for good.
    ///
    /// # Errors
    /// As [`Service::block_instrument`].
    pub async fn remove_instrument(
        &self,
        actor: &Actor,
        class: InstrumentClass,
        id: AccountId,
    ) -> Result<()> {
        self.set_instrument(actor, (class, id), AccountState::Destroyed, None)
            .await
    }

    async fn set_instrument(
        &self,
        actor: &Actor,
        (class, id): Instrument,
        wanted: AccountState,
        reference: Option<&Reference>,
    ) -> Result<()> {
        let account = self.instrument(actor, class, id).await?;
        let operation = match wanted {
            AccountState::Active => ReferenceUse::Unblock,
            AccountState::Blocked => ReferenceUse::Block,
            AccountState::Destroyed => ReferenceUse::Remove,
        };
        // An id is of one class only, so that the class need not be part of what is claimed.
        let claim = reference.map(|reference| {
            reference.claim(actor.tenant, Some(actor.owner), operation, &id.raw())
        });
        let command = Command::SetAccountState {
            tenant: actor.tenant,
            owner: Some(actor.owner),
            account: id,
            reason: StateReason::User,
            state: wanted,
        };
        let done = self.commit_account(actor.tenant, Ok(command), claim).await;
        done.map(drop).map_err(|refused| match &refused {
            Refused::Rejected(rejection) => {
                match conflicts::of_state(class, &account, wanted, rejection) {
                    Some(conflict) => conflict.into(),
                    None => refused.into_error(),
                }
            }
            _ => refused.into_error(),
        })
    }
}
