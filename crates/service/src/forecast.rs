//! Looking ahead: the store lends a copy of an owner's state, the ledger drives it on.

use ledger::forecast::{Forecast, Question, forecast};

use crate::Service;
use crate::error::{Error, Result};

impl Service {
    /// What the coming days would bring. Nothing is written.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a tenant or owner; the ledger's refusals of the question.
    pub async fn forecast(&self, question: Question) -> Result<Forecast> {
        let forked = self.store.fork(question.tenant, question.owner).await?;
        let state = forked.ok_or(Error::NotFound { what: "owner" })?;
        let machine = self.store.now();
        // Up to a second of computing for an owner with many rules: not on a thread that answers.
        let told = tokio::task::spawn_blocking(move || forecast(state, &question, machine)).await;
        let told = told.map_err(|_| crate::transfers::missing("the forecast"))?;
        Ok(told?)
    }
}
