//! Opening and deleting accounts, as keys do it.

use std::sync::Arc;

use ledger::account::Reported;
use ledger::{AccountId, AccountKind, Command, Currency, OpenAccount, Rejection, Reply};
use store::{AccountRow, Action, Outcome, RememberedReply, Submit};

use crate::Service;
use crate::error::{Error, Result};
use crate::idempotency::KeyOperation;
use crate::keys::ApiKey;
use crate::permission::{Wish, allows};
use crate::reads::{NOBODY, is_shown};
use crate::rules::Request;
use crate::transfers::{missing, unexpected};

/// An account as it was answered when it was opened, the first time or again.
#[derive(Clone, Debug)]
pub struct AccountAnswer {
    /// The account, with nothing on it.
    pub row: AccountRow,
    /// The request id of the original answer.
    pub request_id: Arc<str>,
}

const NOT_FOUND: Error = Error::NotFound { what: "account" };

impl Service {
    /// Opens an income source for the tenant's first owner: the notes know of one beneficiary, and
    /// who has several opens the accounts of the others through Admin.
    ///
    /// # Errors
    /// In this order: [`Error::Forbidden`], [`Error::KeyReused`], the ledger's refusals, among them
    /// that the tenant has no owner.
    pub async fn create_income_source(
        &self,
        key: &ApiKey,
        name: Arc<str>,
        currency: Currency,
        request: Request<'_>,
    ) -> Result<AccountAnswer> {
        if !allows(&key.permissions, Wish::CreateAccount) {
            return Err(Error::Forbidden);
        }
        let owners = self.store.owners(key.tenant).await?;
        let owner = owners.into_iter().min_by_key(|owner| owner.id);
        let owner = owner.ok_or(Rejection::OwnerNotFound)?;
        let claim = request.claim(key, KeyOperation::CreateIncomeSource, 0);
        let body = claim.as_ref().map(|claim| claim.body);
        let command = Command::OpenAccount(OpenAccount {
            tenant: key.tenant,
            owner: owner.id,
            kind: AccountKind::IncomeSource,
            name,
            description: None,
            institution: None,
            number_last_four: None,
            routing_last_four: None,
            currency,
            can_be_source: None,
            can_be_destination: None,
            reported: Reported::default(),
        });
        let submit = Submit {
            action: Action::Command(command),
            claim,
        };
        let (account, request_id) = match self.submit(submit).await? {
            Outcome::Done(Reply::Account(account)) => (account, Arc::from(request.id)),
            Outcome::Refused(rejection) => return Err(rejection.into()),
            Outcome::Replay(used) => {
                let remembered = self.recall(used, body).await?;
                match remembered.reply {
                    RememberedReply::Account(account) => (*account, remembered.request_id),
                    _ => return Err(missing("the account of an idempotency record")),
                }
            }
            other => return Err(unexpected(&other)),
        };
        Ok(AccountAnswer {
            row: AccountRow {
                account,
                owner_name: owner.name,
            },
            request_id,
        })
    }

    /// Deletes an account for good. What it did stays.
    ///
    /// # Errors
    /// In this order: [`Error::Forbidden`], [`Error::NotFound`], [`Error::KeyReused`], the ledger's
    /// refusals: money on it, open transfers or holds, cards that spend from it, rules that name it.
    pub async fn delete_account(
        &self,
        key: &ApiKey,
        id: Option<AccountId>,
        currency: Currency,
        request: Request<'_>,
    ) -> Result<()> {
        if !allows(&key.permissions, Wish::DeleteAccount(id.unwrap_or(NOBODY))) {
            return Err(Error::Forbidden);
        }
        let Some(id) = id else { return Err(NOT_FOUND) };
        // One that is deleted already is looked for too: its deletion may be asked for again.
        let row = self.store.account(key.tenant, id).await?;
        row.filter(|row| row.account.currency == currency && is_shown(row))
            .ok_or(NOT_FOUND)?;
        let claim = request.claim(key, KeyOperation::DeleteAccount, id.raw());
        let body = claim.as_ref().map(|claim| claim.body);
        let submit = Submit {
            action: Action::Command(Command::DeleteAccount {
                tenant: key.tenant,
                account: id,
            }),
            claim,
        };
        match self.submit(submit).await? {
            Outcome::Done(_) => Ok(()),
            Outcome::Refused(Rejection::AlreadyInState { .. } | Rejection::AccountNotFound) => {
                Err(NOT_FOUND)
            }
            Outcome::Refused(rejection) => Err(rejection.into()),
            Outcome::Replay(used) => self.recall(used, body).await.map(|_| ()),
            other => Err(unexpected(&other)),
        }
    }
}
