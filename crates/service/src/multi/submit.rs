//! Records and claims on their way to the store.

use ledger::{OwnerId, TenantId};
use store::{
    Action, Claim, Outcome, RECORD_TAKEN, Record, RecordConflict, RecordQuery, Remembered,
    RememberedReply, Submit,
};

use super::error::{Conflict, Error, Result};
use super::stored::{Facts, Stored};
use crate::transfers::unexpected;
use crate::{Service, StoreError};

/// How often something is tried again when somebody else was faster.
pub(super) const TRIES: usize = 8;

/// What became of an action.
pub(super) enum Settled {
    /// It was done.
    Done {
        /// The records that were written.
        records: Vec<Record>,
    },
    /// It was done before, under the same reference.
    Again(Remembered),
    /// A record was not as expected any more: read it again and try again.
    Raced,
}

impl Service {
    /// Commits an action. `taken` is what it means when a unique is another record's.
    pub(super) async fn settle(
        &self,
        action: Action,
        claim: Option<Claim>,
        taken: Conflict,
    ) -> Result<Settled> {
        let body = claim.as_ref().map(|claim| claim.body);
        match self.submit(Submit { action, claim }).await? {
            Outcome::Stored { records, .. } => Ok(Settled::Done { records }),
            Outcome::Done(_) => Ok(Settled::Done {
                records: Vec::new(),
            }),
            Outcome::Refused(rejection) => Err(rejection.into()),
            Outcome::Conflict(RecordConflict::Taken(_)) => Err(taken.into()),
            Outcome::Conflict(RecordConflict::Changed(_)) => Ok(Settled::Raced),
            Outcome::Replay(used) => {
                let remembered = self.recall(used, body).await?;
                match &remembered.reply {
                    RememberedReply::Refused { code, .. } => Err(refusal(code, taken)),
                    _ => Ok(Settled::Again(remembered)),
                }
            }
            other => Err(unexpected(&other).into()),
        }
    }

    /// Answers a refusal that was decided here, and remembers it under the reference. A reference
    /// that was used before is answered as it was then.
    pub(super) async fn refuse(
        &self,
        tenant: TenantId,
        conflict: Conflict,
        claim: Claim,
    ) -> Result<Remembered> {
        let action = Action::Refuse {
            tenant,
            code: conflict.code().into(),
            message: "".into(),
        };
        match self.settle(action, Some(claim), conflict).await? {
            Settled::Again(remembered) => Ok(remembered),
            Settled::Done { .. } | Settled::Raced => Err(conflict.into()),
        }
    }

    /// One record of a kind.
    pub(super) async fn stored<T: Facts>(
        &self,
        tenant: TenantId,
        id: u64,
    ) -> Result<Option<Stored<T>>> {
        let record = self.store.record(T::KIND, tenant, id).await?;
        Ok(record.as_ref().map(Stored::read).transpose()?)
    }

    /// All records of a kind that belong to an identity, by id.
    pub(super) async fn stored_of<T: Facts>(
        &self,
        tenant: TenantId,
        owner: OwnerId,
    ) -> Result<Vec<Stored<T>>> {
        let query = RecordQuery {
            kind: T::KIND,
            tenant,
            owner: Some(owner),
            after: 0,
            before: u64::MAX,
            newest_first: false,
            limit: usize::MAX,
        };
        let records = self.store.records(query).await?;
        Ok(records
            .iter()
            .map(Stored::read)
            .collect::<std::result::Result<_, _>>()?)
    }
}

/// The refusal that is remembered with this code.
fn refusal(code: &str, taken: Conflict) -> Error {
    match Conflict::from_code(code) {
        Some(conflict) => conflict.into(),
        None if code == RECORD_TAKEN => taken.into(),
        None => StoreError::Corrupt(format!("a refusal {code} is remembered").into()).into(),
    }
}

/// What is said when something was tried again too often.
pub(super) fn busy() -> Error {
    StoreError::Unavailable {
        reason: "the same records are being changed by others".into(),
        retry_after_s: 1,
    }
    .into()
}
