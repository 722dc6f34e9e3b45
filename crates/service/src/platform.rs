//! What the Platform dialect asks besides what keys ask in every dialect: lists by page, over
//! several accounts at once.

use std::collections::BTreeMap;

use ledger::{AccountId, AccountKind, Currency, ExecutionId, RuleId};
use store::{AccountClass, AccountQuery, AccountRow, ExecutionQuery, TransferQuery, TransferRow};

use crate::Service;
use crate::error::{Error, Result};
use crate::executions::ExecutionPage;
use crate::keys::ApiKey;
use crate::permission::{Wish, allows};
use crate::reads::{TransferPage, is_shown};
use crate::rules::{NO_RULE, NOT_FOUND, RuleView};

/// Objects before a page and on it together: what a list by page reads grows with this.
pub const DEPTH_MAX: usize = 10_000;

/// Which page of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    /// Objects to pass over.
    pub offset: usize,
    /// Objects on it.
    pub size: usize,
}

impl Page {
    /// Up to where the list is read: one more than the page, to tell that there are more.
    pub(crate) fn end(self) -> usize {
        self.offset.saturating_add(self.size).saturating_add(1)
    }

    /// The page of a list that was read so far, and whether there are more.
    pub fn of<T>(self, items: Vec<T>) -> (Vec<T>, bool) {
        let more = items.len() > self.offset.saturating_add(self.size);
        let page = items.into_iter().skip(self.offset).take(self.size);
        (page.collect(), more)
    }
}

impl Service {
    /// The tenant's accounts that the key may read, oldest first; closed ones too if so wished.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the scope.
    pub async fn readable_accounts(
        &self,
        key: &ApiKey,
        class: Option<AccountClass>,
        include_closed: bool,
        currency: Currency,
    ) -> Result<Vec<AccountRow>> {
        if !allows(&key.permissions, Wish::ReadSomeAccounts) {
            return Err(Error::Forbidden);
        }
        let query = AccountQuery {
            class,
            currency: Some(currency),
            include_closed,
            ..AccountQuery::new(key.tenant)
        };
        let mut rows = self.store.accounts(query).await?;
        rows.retain(|row| {
            is_shown(row) && allows(&key.permissions, Wish::ReadAccount(row.account.id))
        });
        Ok(rows)
    }

    /// A page of the transfers of several accounts, newest first, each once.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when one of the accounts is outside the key's list.
    pub async fn transfers_of(
        &self,
        key: &ApiKey,
        accounts: &[AccountId],
        query: &TransferQuery,
        page: Page,
    ) -> Result<TransferPage> {
        for account in accounts {
            if !allows(&key.permissions, Wish::ReadTransfersOf(*account)) {
                return Err(Error::Forbidden);
            }
        }
        let mut newest = BTreeMap::new();
        for account in accounts {
            let query = TransferQuery {
                account: *account,
                first: page.end(),
                ..query.clone()
            };
            for row in self.store.transfers(query).await? {
                newest.insert(std::cmp::Reverse(row.transfer.id), row);
            }
        }
        let rows: Vec<TransferRow> = newest.into_values().collect();
        let (items, more) = page.of(rows);
        Ok(TransferPage { items, more })
    }

    /// Those of the accounts that are held elsewhere.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when one of the accounts is outside the key's list.
    pub async fn external_among(
        &self,
        key: &ApiKey,
        accounts: &[AccountId],
    ) -> Result<Vec<AccountId>> {
        let mut found = Vec::new();
        for account in accounts {
            if !allows(&key.permissions, Wish::ReadTransfersOf(*account)) {
                return Err(Error::Forbidden);
            }
            let row = self.store.account(key.tenant, *account).await?;
            let external = |row: &AccountRow| matches!(row.account.kind, AccountKind::External(_));
            found.extend(row.filter(external).map(|row| row.account.id));
        }
        Ok(found)
    }

    /// Whether the key may move money between the two, however little.
    #[must_use]
    pub fn may_transfer(&self, key: &ApiKey, source: AccountId, destination: AccountId) -> bool {
        let wish = Wish::Transfer {
            source,
            destination,
            amount_minor: 0,
        };
        allows(&key.permissions, wish)
    }

    /// The tenant's rules that the key may read, oldest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the scope.
    pub async fn readable_rules(
        &self,
        key: &ApiKey,
        source: Option<AccountId>,
        currency: Currency,
    ) -> Result<Vec<RuleView>> {
        if !allows(&key.permissions, Wish::ReadSomeRules) {
            return Err(Error::Forbidden);
        }
        let query = store::RuleQuery {
            source,
            ..store::RuleQuery::new(key.tenant)
        };
        let mut rows = self.store.rules(query).await?;
        rows.retain(|row| {
            row.rule.currency == currency && allows(&key.permissions, Wish::ReadRule(row.rule.id))
        });
        self.rule_views(rows).await
    }

    /// A page of a rule's runs, for a key that may read the rule.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::NotFound`] without such a rule.
    pub async fn runs_of(
        &self,
        key: &ApiKey,
        rule: Option<RuleId>,
        query: ExecutionQuery,
        page: Page,
    ) -> Result<ExecutionPage> {
        let rule = self.readable_rule(key, rule).await?;
        let query = ExecutionQuery {
            rule: Some(rule),
            offset: page.offset,
            limit: page.size,
            ..query
        };
        self.execution_page(query).await
    }

    /// A run of a rule, for a key that may read the rule.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::NotFound`] without such a rule or run.
    pub async fn run_of(
        &self,
        key: &ApiKey,
        rule: Option<RuleId>,
        run: Option<ExecutionId>,
    ) -> Result<ledger::Execution> {
        let rule = self.readable_rule(key, rule).await?;
        let not_found = Error::NotFound {
            what: "rule execution",
        };
        let Some(run) = run else {
            return Err(not_found);
        };
        let run = self.store.execution(key.tenant, run).await?;
        run.filter(|run| run.rule == rule).ok_or(not_found)
    }

    async fn readable_rule(&self, key: &ApiKey, rule: Option<RuleId>) -> Result<RuleId> {
        if !allows(&key.permissions, Wish::ReadRule(rule.unwrap_or(NO_RULE))) {
            return Err(Error::Forbidden);
        }
        let Some(rule) = rule else {
            return Err(NOT_FOUND);
        };
        let row = self.store.rule(key.tenant, rule).await?;
        row.map(|_| rule).ok_or(NOT_FOUND)
    }
}
