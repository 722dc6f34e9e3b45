//! A bulk and its operations as JSON.

use ledger::{
    BulkMode, BulkStatus, Currency, Denial, InstrumentClass, OperationOutcome, TransferOrder,
};
use serde::Serialize;
use service::multi::{InstrumentTransfer, Operation};
use store::BulkRow;
use utoipa::ToSchema;

use crate::multi::choices::choices;
use crate::multi::errors;
use crate::multi::schemas;
use crate::multi::transfers::wire::TransferBody;
use crate::multi::wire::{Id, Instrument, InstrumentBody, Millis, Text64};

choices! {
    /// Where a bulk stands.
    #[schema(as = BulkProcessStatus)]
    BulkState, STATES {
        /// Handed in; nothing runs.
        Submitted = "SUBMITTED",
        /// Its operations run.
        Running = "RUNNING",
        /// Some operations succeeded.
        PartiallyCompleted = "PARTIALLY_COMPLETED",
        /// Every operation succeeded.
        Completed = "COMPLETED",
        /// No operation succeeded.
        Failed = "FAILED",
        /// Stopped between two operations.
        Paused = "PAUSED",
        /// Called off.
        Cancelled = "CANCELLED",
    }
}

impl From<BulkStatus> for BulkState {
    fn from(status: BulkStatus) -> BulkState {
        match status {
            BulkStatus::Submitted => BulkState::Submitted,
            BulkStatus::Running => BulkState::Running,
            BulkStatus::Paused => BulkState::Paused,
            BulkStatus::Completed => BulkState::Completed,
            BulkStatus::PartiallyCompleted => BulkState::PartiallyCompleted,
            BulkStatus::Failed => BulkState::Failed,
            BulkStatus::Cancelled => BulkState::Cancelled,
        }
    }
}

impl From<BulkState> for BulkStatus {
    fn from(state: BulkState) -> BulkStatus {
        match state {
            BulkState::Submitted => BulkStatus::Submitted,
            BulkState::Running => BulkStatus::Running,
            BulkState::Paused => BulkStatus::Paused,
            BulkState::Completed => BulkStatus::Completed,
            BulkState::PartiallyCompleted => BulkStatus::PartiallyCompleted,
            BulkState::Failed => BulkStatus::Failed,
            BulkState::Cancelled => BulkStatus::Cancelled,
        }
    }
}

choices! {
    /// What a failed operation means for those after it.
    #[schema(as = BulkProcessMode)]
    Mode, MODES {
        /// The bulk ends there.
        OnFailureStop = "ON_FAILURE_STOP",
        /// They run all the same.
        OnFailureContinue = "ON_FAILURE_CONTINUE",
    }
}

impl From<Mode> for BulkMode {
    fn from(mode: Mode) -> BulkMode {
        match mode {
            Mode::OnFailureStop => BulkMode::StopOnFailure,
            Mode::OnFailureContinue => BulkMode::ContinueOnFailure,
        }
    }
}

/// A bulk.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BulkProcess)]
pub struct BulkBody {
    #[schema(value_type = schemas::Id)]
    bulk_id: Id,
    status: BulkState,
    submitted_items_count: u32,
    /// When it was executed, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Timestamp, required = false)]
    execution_start: Option<i64>,
    /// When it ended, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Timestamp, required = false)]
    execution_finish: Option<i64>,
    /// What its operations are.
    operation: &'static str,
    /// Set once it was executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Mode, required = false)]
    mode: Option<Mode>,
}

impl BulkBody {
    pub(in crate::multi) fn of(bulk: &BulkRow) -> BulkBody {
        BulkBody {
            bulk_id: Text64(bulk.id.raw()),
            status: bulk.status.into(),
            submitted_items_count: bulk.operations,
            execution_start: bulk.started_at.map(|at| at.0),
            execution_finish: bulk.finished_at.map(|at| at.0),
            operation: OPERATION,
            mode: bulk.mode.map(|mode| match mode {
                BulkMode::StopOnFailure => Mode::OnFailureStop,
                BulkMode::ContinueOnFailure => Mode::OnFailureContinue,
            }),
        }
    }
}

/// The one kind of operation there is.
const OPERATION: &str = "/transfers";

choices! {
    /// Where an operation stands.
    #[schema(as = BulkProcessOperationStatus)]
    OperationState, OPERATION_STATES {
        /// It waits for its turn.
        Submitted = "SUBMITTED",
        /// It has its turn. Operations take no time that could be seen.
        Running = "RUNNING",
        /// It was answered with a transfer.
        Completed = "COMPLETED",
        /// It was refused.
        Failed = "FAILED",
        /// The bulk ended before its turn.
        Cancelled = "CANCELLED",
    }
}

impl OperationState {
    /// Where an operation of this bulk with this outcome stands.
    pub(in crate::multi) fn of(bulk: BulkStatus, outcome: Option<OperationOutcome>) -> Self {
        match outcome {
            Some(OperationOutcome::Made(..)) => OperationState::Completed,
            Some(OperationOutcome::Denied(_) | OperationOutcome::ProfileNotFound) => {
                OperationState::Failed
            }
            None if bulk.is_final() => OperationState::Cancelled,
            None => OperationState::Submitted,
        }
    }
}

impl OperationState {
    /// What the store is to look for; `None` when no operation of this bulk can stand so.
    pub(in crate::multi) fn wanted(self, bulk: BulkStatus) -> Option<store::OperationState> {
        match self {
            OperationState::Completed => Some(store::OperationState::Done),
            OperationState::Failed => Some(store::OperationState::Refused),
            OperationState::Submitted if !bulk.is_final() => Some(store::OperationState::Waiting),
            OperationState::Cancelled if bulk.is_final() => Some(store::OperationState::Waiting),
            _ => None,
        }
    }
}

/// One operation and what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BulkProcessOperation)]
pub struct OperationBody {
    /// The bulk's id and the operation's place.
    operation_id: String,
    /// Its place, from 1.
    sequence: u32,
    method: &'static str,
    path: &'static str,
    status: OperationState,
    /// The request, as JSON text.
    request_payload: String,
    /// The answer, as JSON text, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    response_payload: Option<String>,
}

impl OperationBody {
    /// An operation of a bulk.
    pub(in crate::multi) fn of(bulk: &BulkRow, operation: &Operation) -> OperationBody {
        let sequence = operation.index.saturating_add(1);
        OperationBody {
            operation_id: format!("{}-{sequence}", bulk.id),
            sequence,
            method: "POST",
            path: OPERATION,
            status: OperationState::of(bulk.status, operation.outcome),
            request_payload: json(&OrderBody::of(&operation.order)),
            response_payload: operation
                .outcome
                .map(|outcome| answer(outcome, operation.transfer.as_ref())),
        }
    }
}

/// What the operation would have been answered with by itself.
fn answer(outcome: OperationOutcome, transfer: Option<&InstrumentTransfer>) -> String {
    match (outcome, transfer) {
        (OperationOutcome::Denied(denial), _) => conflict(denial),
        (OperationOutcome::Made(..), Some(transfer)) => json(&TransferBody::of(transfer)),
        (OperationOutcome::ProfileNotFound | OperationOutcome::Made(..), _) => {
            errors::profile_not_found()
        }
    }
}

fn conflict(denial: Denial) -> String {
    errors::conflict_text(denial.name())
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("wire types have string keys only")
}

/// A request to create a transfer, as it was understood.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderBody<'a> {
    profile_id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'a str>,
    source: InstrumentBody,
    destination: InstrumentBody,
    destination_amount: OrderedSum<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_timestamp: Option<Millis>,
}

/// A sum that was asked for: perhaps of no currency, which ISO 4217 writes XXX.
#[derive(Serialize)]
struct OrderedSum<'a> {
    currency: &'a str,
    amount: i64,
}

impl OrderBody<'_> {
    fn of(order: &TransferOrder) -> OrderBody<'_> {
        let end = |instrument: ledger::Instrument| {
            let class: InstrumentClass = instrument.class;
            InstrumentBody::from(Instrument {
                id: instrument.id.raw(),
                class: class.into(),
            })
        };
        OrderBody {
            profile_id: Text64(order.profile.raw()),
            tag: order.tag.as_deref(),
            source: end(order.source),
            destination: end(order.destination),
            destination_amount: OrderedSum {
                currency: order.currency.as_ref().map_or("XXX", Currency::code),
                amount: order.amount_minor,
            },
            description: order.description.as_deref(),
            scheduled_timestamp: order.scheduled_at.map(|at| Text64(at.0)),
        }
    }
}

/// Why a bulk cannot be steered so.
pub(in crate::multi) const CONFLICTS: &[&str] = &["INVALID_STATE"];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    BulkConflict = CONFLICTS;
}
