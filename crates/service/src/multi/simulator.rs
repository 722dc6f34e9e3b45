//! Play money for the instruments of sandbox programmes: deposits, purchases, refunds, expiry.
//!
//! The simulator acts for the programme, not for an identity: every instrument of the tenant is in
//! reach. What it is refused for is an answer, not an error.

use std::sync::Arc;

use ledger::{
    Account, AccountId, AccountState, Amount, Command, Currency, InstrumentClass, MoneyIn,
    MoneyOut, Origin, Rejection, Reply, StateReason, TenantId, TenantMode,
};
use store::{Outcome, Submit};

use super::error::{Conflict, Error, Result};
use super::instruments::NOT_FOUND;
use crate::Service;
use crate::transfers::unexpected;

/// Money that somebody outside sends or takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Simulated {
    /// The instrument; of another class than the operation is for, it is one that nobody has.
    pub instrument: AccountId,
    /// How much, perhaps nothing or less.
    pub amount_minor: i64,
    /// In which currency; `None` for a code that is none.
    pub currency: Option<Currency>,
    /// Who or what for, up to 255 characters without control characters.
    pub description: Option<Arc<str>>,
}

/// What became of simulated money.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outside {
    /// It moved.
    Done,
    /// The programme has no such instrument.
    NotFound,
    /// There is no such amount to move.
    AmountNotPositive,
    /// The instrument, or the account that a debit card spends from, is blocked or destroyed.
    Inactive,
    /// The instrument has another currency.
    CurrencyDiffers,
    /// There is too little to spend.
    InsufficientFunds,
    /// Something else.
    Denied,
}

impl Service {
    /// Money arrives on a managed account.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a live programme.
    pub async fn simulate_deposit(&self, tenant: TenantId, money: Simulated) -> Result<Outside> {
        let to_command = |destination, amount, description| {
            Command::MoneyIn(MoneyIn {
                tenant,
                destination,
                amount,
                origin: Origin::Deposit,
                description,
            })
        };
        self.simulate(tenant, InstrumentClass::Account, money, to_command)
            .await
    }

    /// A card pays.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a live programme.
    pub async fn simulate_purchase(&self, tenant: TenantId, money: Simulated) -> Result<Outside> {
        let to_command = |source, amount, description| {
            Command::MoneyOut(MoneyOut {
                tenant,
                source,
                amount,
                origin: Origin::CardPurchase,
                description,
            })
        };
        self.simulate(tenant, InstrumentClass::Card, money, to_command)
            .await
    }

    /// A merchant gives back what a card has paid.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a live programme.
    pub async fn simulate_refund(&self, tenant: TenantId, money: Simulated) -> Result<Outside> {
        let to_command = |destination, amount, description| {
            Command::MoneyIn(MoneyIn {
                tenant,
                destination,
                amount,
                origin: Origin::CardRefund,
                description,
            })
        };
        self.simulate(tenant, InstrumentClass::Card, money, to_command)
            .await
    }

    async fn simulate(
        &self,
        tenant: TenantId,
        class: InstrumentClass,
        money: Simulated,
        to_command: impl FnOnce(AccountId, Amount, Option<Arc<str>>) -> Command,
    ) -> Result<Outside> {
        let Some(account) = self.simulated(tenant, class, money.instrument).await? else {
            return Ok(Outside::NotFound);
        };
        if money.amount_minor <= 0 {
            return Ok(Outside::AmountNotPositive);
        }
        let amount = money
            .currency
            .map(|currency| Amount::new(money.amount_minor, currency));
        let Some(Ok(amount)) = amount else {
            return Ok(Outside::CurrencyDiffers);
        };
        let command = to_command(account.id, amount, money.description);
        match self.store.submit(Submit::command(command)).await? {
            Outcome::Done(Reply::Transfer { .. }) => Ok(Outside::Done),
            Outcome::Refused(rejection) => outside(rejection),
            other => Err(unexpected(&other).into()),
        }
    }

    /// An instrument of a sandbox programme, whoever's it is.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a live programme.
    pub async fn simulated(
        &self,
        tenant: TenantId,
        class: InstrumentClass,
        id: AccountId,
    ) -> Result<Option<Account>> {
        if self.tenant(tenant).await?.mode != TenantMode::Sandbox {
            return Err(Error::Forbidden);
        }
        let row = self.store.account(tenant, id).await?;
        let account = row.map(|row| row.account);
        Ok(account.filter(|account| account.kind.instrument() == Some(class)))
    }

    /// An empty card's time is over.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a live programme; [`crate::Error::NotFound`];
    /// [`Conflict::InstrumentDestroyed`]; [`Conflict::InstrumentNotExpirable`].
    pub async fn simulate_expiry(&self, tenant: TenantId, card: AccountId) -> Result<()> {
        let found = self.simulated(tenant, InstrumentClass::Card, card).await?;
        found.ok_or(NOT_FOUND)?;
        let command = Command::SetAccountState {
            tenant,
            owner: None,
            account: card,
            reason: StateReason::Expired,
            state: AccountState::Destroyed,
        };
        match self.store.submit(Submit::command(command)).await? {
            Outcome::Done(_) => Ok(()),
            Outcome::Refused(Rejection::AlreadyInState { .. }) => {
                Err(Conflict::InstrumentDestroyed.into())
            }
            // A card is closed empty: nothing of it may be reserved, coming or going.
            Outcome::Refused(Rejection::BalanceNotZero { .. } | Rejection::AccountInUse) => {
                Err(Conflict::InstrumentNotExpirable.into())
            }
            Outcome::Refused(rejection) => Err(rejection.into()),
            other => Err(unexpected(&other).into()),
        }
    }
}

fn outside(rejection: Rejection) -> Result<Outside> {
    Ok(match rejection {
        Rejection::SandboxOnly => return Err(Error::Forbidden),
        Rejection::SourceNotFound | Rejection::DestinationNotFound => Outside::NotFound,
        Rejection::SourceNotActive { .. } | Rejection::DestinationNotActive { .. } => {
            Outside::Inactive
        }
        Rejection::CurrencyMismatch => Outside::CurrencyDiffers,
        Rejection::InsufficientFunds { .. } => Outside::InsufficientFunds,
        _ => Outside::Denied,
    })
}

#[cfg(test)]
mod tests;
