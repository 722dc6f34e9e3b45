//! A run of a rule as it is shown.

use ledger::execution::{Cause, Counts, Execution, ExecutionError, ExecutionMode, ExecutionStatus};
use ledger::rule::TriggerKind;
use serde_json::{Map, Value, json};

use super::Spelling;
use super::explained::explanation;
use super::render::respell;
use crate::time;

/// How much of a run is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Detail {
    /// What lists of the Platform dialect show.
    Summary,
    /// All of it.
    Whole,
    /// All of it and how it came about.
    Explained,
}

/// A run.
pub(crate) fn execution(run: &Execution, detail: Detail, spelling: &Spelling) -> Value {
    let mut object = Map::new();
    let mut member = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    member("id", json!((spelling.execution)(run.id.raw())));
    member("rule_id", json!((spelling.rule)(run.rule.raw())));
    member("status", json!(status(run.status, spelling)));
    member("created_at", json!(time::render(run.created_at)));
    if spelling.camel {
        member("execution_mode", json!(mode(run.mode, spelling)));
    }
    if detail == Detail::Summary {
        return respell(Value::Object(object), spelling);
    }
    let ran = run.ran.as_ref();
    let explained = ran.map(|ran| &*ran.explanation);
    let Counts {
        attempted,
        completed,
        failed,
        pending,
    } = ran.map(|ran| ran.counts).unwrap_or_default();
    let step = explained.and_then(|explained| explained.step);
    let transfers = ran.iter().flat_map(|ran| ran.transfers.iter());
    let transfers: Vec<String> = transfers
        .map(|transfer| (spelling.transfer)(transfer.raw()))
        .collect();
    member("rule_name", json!(&*run.rule_name));
    if !spelling.camel {
        member("trigger_type", json!(cause_word(run.cause, spelling)));
    }
    member("trigger_details", trigger_details(run.cause, spelling));
    member("step_index_matched", json!(step));
    member("conditions_not_met", json!(ran.is_some() && step.is_none()));
    member("transfers_attempted", json!(attempted));
    member("transfers_completed", json!(completed));
    member("transfers_failed", json!(failed));
    member("transfers_pending", json!(pending));
    member("transfer_ids", json!(transfers));
    member(
        "error_message",
        json!(run.error.map(ExecutionError::sentence)),
    );
    member(
        "next_attempt_at",
        json!(run.next_attempt_at.map(time::render)),
    );
    if detail == Detail::Explained {
        let shown = explained.map(|explained| explanation(explained, spelling));
        member("explanation", json!(shown));
    }
    respell(Value::Object(object), spelling)
}

/// A status.
pub(crate) fn status(status: ExecutionStatus, spelling: &Spelling) -> String {
    spelling.word(match status {
        ExecutionStatus::InProgress => "in_progress",
        ExecutionStatus::Executed => "executed",
        ExecutionStatus::Partial => "partial",
        ExecutionStatus::Failed => "failed",
    })
}

fn mode(mode: ExecutionMode, spelling: &Spelling) -> String {
    spelling.word(match mode {
        ExecutionMode::Live => "live",
        ExecutionMode::Simulation => "simulation",
    })
}

/// Platform tells runs that a key asked for from those that somebody asked for by hand.
fn cause_word(cause: Cause, spelling: &Spelling) -> String {
    spelling.word(match cause {
        Cause::Manual { key: Some(_), .. } if spelling.camel => "sequence_api",
        other => match other.kind() {
            TriggerKind::Manual => "manual",
            TriggerKind::OnFundsTransferred => "on_funds_transferred",
            TriggerKind::Scheduled => "scheduled",
        },
    })
}

fn trigger_details(cause: Cause, spelling: &Spelling) -> Value {
    let mut details = json!({"type": cause_word(cause, spelling)});
    match cause {
        Cause::Scheduled { at } => details["scheduled_time"] = json!(time::render(at)),
        other => details["amount_in_cents"] = json!(other.incoming().minor()),
    }
    details
}
