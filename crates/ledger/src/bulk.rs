//! Bulks: many transfers handed in together and run one after the other by due work.
//!
//! Source: weavr-api §9. Each operation is decided like any other transfer and in a commit of its
//! own, so that a bulk that is interrupted has done a whole number of operations.

use std::sync::Arc;

use crate::command::TransferOrder;
use crate::id::{BulkId, KeyId, OwnerId, TenantId, TransferId};
use crate::time::Millis;
use crate::transfer::{Denial, Status};

/// Operations of one bulk (weavr-api §9).
pub const OPERATIONS_MAX: usize = 10_000;

/// Where a bulk stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum BulkStatus {
    /// Handed in; nothing runs.
    Submitted,
    /// Its operations run.
    Running,
    /// Stopped between two operations.
    Paused,
    /// Every operation succeeded.
    Completed,
    /// Some operations succeeded.
    PartiallyCompleted,
    /// No operation succeeded.
    Failed,
    /// Called off.
    Cancelled,
}

impl BulkStatus {
    /// Whether nothing can happen to the bulk any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        !BULK_TRANSITIONS.iter().any(|(from, _)| *from == self)
    }
}

/// Every change of status there is.
pub const BULK_TRANSITIONS: &[(BulkStatus, BulkStatus)] = &[
    (BulkStatus::Submitted, BulkStatus::Running),
    (BulkStatus::Submitted, BulkStatus::Cancelled),
    (BulkStatus::Running, BulkStatus::Paused),
    (BulkStatus::Running, BulkStatus::Completed),
    (BulkStatus::Running, BulkStatus::PartiallyCompleted),
    (BulkStatus::Running, BulkStatus::Failed),
    (BulkStatus::Running, BulkStatus::Cancelled),
    (BulkStatus::Paused, BulkStatus::Running),
    (BulkStatus::Paused, BulkStatus::Cancelled),
];

/// What a failed operation means for those after it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BulkMode {
    /// The bulk ends there.
    StopOnFailure,
    /// They run all the same.
    ContinueOnFailure,
}

/// What became of one operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OperationOutcome {
    /// A transfer was made, with this status.
    Made(TransferId, Status),
    /// It was refused.
    Denied(Denial),
    /// Its profile does not exist.
    ProfileNotFound,
}

/// Many transfers, and how far they have come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bulk {
    /// Its id.
    pub id: BulkId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The identity whose money it moves.
    pub owner: OwnerId,
    /// The API key that handed it in.
    pub key: Option<KeyId>,
    /// What is to be done, in order; 1 to [`OPERATIONS_MAX`].
    pub operations: Arc<[TransferOrder]>,
    /// Where it stands.
    pub status: BulkStatus,
    /// What a failure means; chosen when it is executed.
    pub mode: Option<BulkMode>,
    /// Operations that made a transfer.
    pub succeeded: u32,
    /// Operations that were refused.
    pub failed: u32,
    /// When it was handed in, by the tenant's clock.
    pub created_at: Millis,
    /// When it was first executed.
    pub started_at: Option<Millis>,
    /// When it ended.
    pub finished_at: Option<Millis>,
}

impl Bulk {
    /// The index of the next operation; the number of operations when all are done.
    #[must_use]
    pub fn next(&self) -> usize {
        usize::try_from(self.succeeded.saturating_add(self.failed)).unwrap_or(usize::MAX)
    }

    /// Takes a change of status over.
    pub fn moved(&mut self, to: BulkStatus, mode: Option<BulkMode>, at: Millis) {
        self.status = to;
        if mode.is_some() {
            self.mode = mode;
            self.started_at = Some(at);
        }
        if to.is_final() {
            self.finished_at = Some(at);
        }
    }

    /// Counts an operation.
    pub fn stepped(&mut self, outcome: OperationOutcome) {
        match outcome {
            OperationOutcome::Made(..) => self.succeeded = self.succeeded.saturating_add(1),
            OperationOutcome::Denied(_) | OperationOutcome::ProfileNotFound => {
                self.failed = self.failed.saturating_add(1);
            }
        }
    }

    /// What it has come to once nothing more is run.
    #[must_use]
    pub fn result(&self) -> BulkStatus {
        match (self.succeeded, self.failed, self.next()) {
            (0, _, _) => BulkStatus::Failed,
            (_, 0, next) if next == self.operations.len() => BulkStatus::Completed,
            _ => BulkStatus::PartiallyCompleted,
        }
    }
}
