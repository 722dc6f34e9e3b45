//! Runs of rules: why, how far, and what came of them.
//!
//! A run is recorded in the commit of what causes it and is then due work, so that it happens once
//! whatever breaks in between. All that it moves and counts is one more commit. It is over when
//! its last transfer has ended.
//!
//! Source: sequence-api §5.

use std::sync::Arc;

use crate::id::{ExecutionId, KeyId, OwnerId, RuleId, TenantId, TransferId};
use crate::rule::TriggerKind;
use crate::rule::explain::Explanation;
use crate::rule::failure::Failure;
use crate::rule::snapshot::Incoming;
use crate::time::Millis;

/// Milliseconds from each try of a run to the next, while it waits for something that passes by
/// itself. After the last one it runs, or fails, as things are.
pub const RETRIES_MS: [i64; 3] = [60_000, 300_000, 1_800_000];

/// Why a rule runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cause {
    /// Somebody asked for it.
    Manual {
        /// What was said to have come in.
        incoming: Incoming,
        /// The API key that asked.
        key: Option<KeyId>,
    },
    /// A transfer brought money to the account that the rule waits on.
    FundsTransferred {
        /// The transfer.
        transfer: TransferId,
        /// What arrived, in minor units.
        minor: i64,
    },
    /// Its time came.
    Scheduled {
        /// When it was due.
        at: Millis,
    },
}

impl Cause {
    /// Its kind.
    #[must_use]
    pub fn kind(self) -> TriggerKind {
        match self {
            Cause::Manual { .. } => TriggerKind::Manual,
            Cause::FundsTransferred { .. } => TriggerKind::OnFundsTransferred,
            Cause::Scheduled { .. } => TriggerKind::Scheduled,
        }
    }

    /// What is known of the money that came in.
    #[must_use]
    pub fn incoming(self) -> Incoming {
        match self {
            Cause::Manual { incoming, .. } => incoming,
            Cause::FundsTransferred { minor, .. } => Incoming::Amount(minor),
            Cause::Scheduled { .. } => Incoming::Unknown,
        }
    }
}

/// Whether money moves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ExecutionMode {
    /// It does.
    Live,
    /// It does not: the run is only reckoned and explained.
    Simulation,
}

/// Where a run stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ExecutionStatus {
    /// It waits, or transfers of it have not ended.
    InProgress,
    /// Nothing failed.
    Executed,
    /// Something was moved and something failed.
    Partial,
    /// Something failed and nothing was moved.
    Failed,
}

/// Why a run failed or was cut short.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ExecutionError {
    /// An action failed.
    Action(Failure),
    /// The rule had been switched off.
    RuleDisabled,
    /// The rule was gone.
    RuleDeleted,
    /// Too many rules in a row set each other off.
    CascadeTooLong,
}

impl ExecutionError {
    /// The error as it is shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ExecutionError::Action(failure) => failure.name(),
            ExecutionError::RuleDisabled => "RULE_DEACTIVATED",
            ExecutionError::RuleDeleted => "RULE_DELETED",
            ExecutionError::CascadeTooLong => "RULE_CASCADE_TOO_LONG",
        }
    }

    /// A sentence for the user.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            ExecutionError::Action(failure) => failure.sentence(),
            ExecutionError::RuleDisabled => "The rule was switched off before it could run.",
            ExecutionError::RuleDeleted => "The rule was deleted before it could run.",
            ExecutionError::CascadeTooLong => "Too many rules set each other off.",
        }
    }
}

/// How many transfers a run came to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Counts {
    /// All that were reckoned, those too that had nothing to move and were not made.
    pub attempted: u32,
    /// Those that have settled.
    pub completed: u32,
    /// Those that failed.
    pub failed: u32,
    /// Those that are on their way.
    pub pending: u32,
}

impl Counts {
    /// What the run has come to, as far as its transfers say.
    #[must_use]
    pub fn status(self) -> ExecutionStatus {
        match (self.pending, self.completed, self.failed) {
            (1.., _, _) => ExecutionStatus::InProgress,
            (0, _, 0) => ExecutionStatus::Executed,
            (0, 0, _) => ExecutionStatus::Failed,
            _ => ExecutionStatus::Partial,
        }
    }

    /// After one that was on its way has ended.
    #[must_use]
    pub fn ended(self, completed: bool) -> Counts {
        let (good, bad) = (u32::from(completed), u32::from(!completed));
        Counts {
            attempted: self.attempted,
            completed: self.completed.saturating_add(good),
            failed: self.failed.saturating_add(bad),
            pending: self.pending.saturating_sub(1),
        }
    }
}

/// What a run did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ran {
    /// The version of the rule.
    pub version: u32,
    /// How many transfers it came to.
    pub counts: Counts,
    /// The transfers that were made, failed ones too, in order.
    pub transfers: Arc<[TransferId]>,
    /// How it came about.
    pub explanation: Arc<Explanation>,
}

/// A run of a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Execution {
    /// Its id.
    pub id: ExecutionId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Whose money it moves.
    pub owner: OwnerId,
    /// The rule.
    pub rule: RuleId,
    /// The rule's name when it was recorded.
    pub rule_name: Arc<str>,
    /// Why it runs.
    pub cause: Cause,
    /// Whether money moves.
    pub mode: ExecutionMode,
    /// How many rules in a row led to it; 0 when none did.
    pub depth: u8,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// Why it failed or was cut short.
    pub error: Option<ExecutionError>,
    /// How often it was put off.
    pub delays: u8,
    /// When it is tried next.
    pub next_attempt_at: Option<Millis>,
    /// The step and action whose amount it waits for.
    pub asks: Option<(u16, u16)>,
    /// What it did, once it has run.
    pub ran: Option<Ran>,
    /// When it was recorded, by the tenant's clock.
    pub created_at: Millis,
    /// When it last changed.
    pub updated_at: Millis,
}

/// What can happen to a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExecutionStep {
    /// It ran. It may have failed, and transfers may be on their way.
    Ran(Ran, Option<ExecutionError>),
    /// It was put off until a time.
    PutOff {
        /// When it is tried again, by the tenant's clock.
        until: Millis,
        /// The step and action whose amount it waits for.
        asks: Option<(u16, u16)>,
    },
    /// One of its transfers ended; this many there are now.
    TransferEnded(Counts),
    /// It cannot run.
    Failed(ExecutionError),
}

impl Execution {
    /// Takes a step over.
    pub fn moved(&mut self, step: &ExecutionStep, at: Millis) {
        self.updated_at = at;
        match step {
            ExecutionStep::Ran(ran, error) => {
                self.status = ran.counts.status();
                self.error = *error;
                self.next_attempt_at = None;
                self.asks = None;
                self.ran = Some(ran.clone());
            }
            ExecutionStep::PutOff { until, asks } => {
                self.delays = self.delays.saturating_add(1);
                self.next_attempt_at = Some(*until);
                self.asks = *asks;
            }
            ExecutionStep::TransferEnded(counts) => {
                if let Some(ran) = &mut self.ran {
                    ran.counts = *counts;
                }
                self.status = counts.status();
            }
            ExecutionStep::Failed(error) => {
                self.status = ExecutionStatus::Failed;
                self.error = Some(*error);
                self.next_attempt_at = None;
                self.asks = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_follows_from_the_counts() {
        use ExecutionStatus::{Executed, Failed, InProgress, Partial};
        for ((completed, failed, pending), status) in [
            ((0, 0, 0), Executed),
            ((2, 0, 0), Executed),
            ((0, 1, 0), Failed),
            ((2, 1, 0), Partial),
            ((0, 0, 1), InProgress),
            ((2, 1, 1), InProgress),
        ] {
            let counts = Counts {
                attempted: 9,
                completed,
                failed,
                pending,
            };
            assert_eq!(counts.status(), status, "{counts:?}");
        }
    }
}
