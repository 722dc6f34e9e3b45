//! Runs of rules, as keys read them.

use ledger::{Execution, ExecutionId};
use store::ExecutionQuery;

use crate::Service;
use crate::error::{Error, Result};
use crate::keys::ApiKey;
use crate::permission::{Wish, allows};

/// One page of runs.
#[derive(Clone, Debug)]
pub struct ExecutionPage {
    /// The runs, newest first.
    pub items: Vec<Execution>,
    /// Whether there are older ones.
    pub more: bool,
}

impl Service {
    /// Whether the key has the scope to see runs at all.
    #[must_use]
    pub fn may_read_executions(&self, key: &ApiKey) -> bool {
        allows(&key.permissions, Wish::ReadSomeExecutions)
    }

    /// A page of one rule's runs, as many as the query's limit. `after` is the last run of the page
    /// before.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when the rule is outside the key's list; [`Error::Invalid`] when
    /// `after` is no run of this tenant.
    pub async fn executions(
        &self,
        key: &ApiKey,
        mut query: ExecutionQuery,
        after: Option<ExecutionId>,
    ) -> Result<ExecutionPage> {
        let rule = query.rule.unwrap_or(crate::rules::NO_RULE);
        if !allows(&key.permissions, Wish::ReadExecutionsOf(rule)) {
            return Err(Error::Forbidden);
        }
        if let Some(id) = after {
            let row = self.store.execution(key.tenant, id).await?;
            let last = row.ok_or(Error::Invalid {
                field: "after",
                reason: "is not a cursor",
            })?;
            query.after = Some(last.id);
        }
        self.execution_page(query).await
    }

    pub(crate) async fn execution_page(&self, mut query: ExecutionQuery) -> Result<ExecutionPage> {
        let first = query.limit;
        query.limit = first.saturating_add(1);
        let mut items = self.store.executions(query).await?;
        let more = items.len() > first;
        items.truncate(first);
        Ok(ExecutionPage { items, more })
    }

    /// A run that the key may see.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the scope, or when its rule is not covered;
    /// [`Error::NotFound`].
    pub async fn execution(&self, key: &ApiKey, id: Option<ExecutionId>) -> Result<Execution> {
        if !self.may_read_executions(key) {
            return Err(Error::Forbidden);
        }
        let not_found = Error::NotFound {
            what: "rule execution",
        };
        let Some(id) = id else { return Err(not_found) };
        let run = self.store.execution(key.tenant, id).await?;
        let run = run.ok_or(not_found)?;
        match allows(&key.permissions, Wish::ReadExecutionsOf(run.rule)) {
            true => Ok(run),
            false => Err(Error::Forbidden),
        }
    }
}
