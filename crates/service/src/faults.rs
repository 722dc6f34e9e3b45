//! Misbehaviour on demand: what a sandbox tenant can have go wrong, so that its programs learn to live
//! with it.
//!
//! A request asks with the header `Tidegate-Fault`; an operator switches a fault on for a tenant's
//! writes and deliveries. The work itself is never faulty: what is committed is right and durable, and
//! the fault is in how it is told, or in an end that the simulated rail could have had by itself. On
//! live tenants there are none: the header is refused, a switch cannot be set, and the ledger says no.

mod marks;
mod plan;

use std::time::Duration;

use ledger::{Denial, ErrorCode};

use marks::Marks;
use plan::Counts;
pub(crate) use plan::asked;
pub use plan::{Asked, Ending, FaultPlan, with_asked};

/// Faults that one header, or one tenant's switches, may name.
pub const FAULTS_MAX: usize = 8;
/// The longest delay of an answer or a delivery: a minute.
pub const DELAY_MAX: Duration = Duration::from_secs(60);
/// The longest burst of refused requests.
pub const BURST_MAX: u32 = 1_000;
/// A reordered delivery does not wait longer than this for a later one, in milliseconds.
pub(crate) const REORDER_MS: i64 = 5_000;

/// What this server keeps in mind of faults.
#[derive(Default)]
pub(crate) struct Faults {
    pub counts: Counts,
    pub marks: Marks,
}

/// Something that goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// `commit-then-500`: everything is done, the answer is a 500.
    CommitThen500,
    /// `commit-then-drop`: everything is done, the connection is closed without an answer.
    CommitThenDrop,
    /// `delay=1500`: everything is done, the answer comes so many milliseconds later.
    Delay(Duration),
    /// `429` or `429=5`: this request, and the next ones of the tenant, so many in all, are refused.
    Refuse(u32),
    /// `transfer-error=PAYMENT_FAILED`: the transfer that is made ends so; Multi refuses with this
    /// conflict.
    TransferError(ErrorCode),
    /// `webhook=duplicate` and others: the deliveries about the transfer that is made.
    Delivery(DeliveryFault),
}

/// What goes wrong with the first attempt of a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DeliveryFault {
    /// Sent twice, with the same id.
    Duplicate,
    /// Sent after a later one, or after five seconds.
    Reorder,
    /// Sent so long after its time, and with it what comes after it for the same accounts.
    Late(Duration),
    /// Without signatures.
    Unsigned,
    /// Signed with another secret.
    BadSignature,
}

/// Why a text names no fault.
pub const NO_FAULT: &str = "must be faults such as commit-then-500, commit-then-drop, delay=1500, 429=3, \
     transfer-error=PAYMENT_FAILED, webhook=duplicate, webhook=reorder, webhook=late:5000, webhook=unsigned \
     or webhook=bad-signature, with commas";

impl Fault {
    /// The fault that is written so; see each variant.
    #[must_use]
    pub fn parse(text: &str) -> Option<Fault> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        match (name, value) {
            ("commit-then-500", None) => Some(Fault::CommitThen500),
            ("commit-then-drop", None) => Some(Fault::CommitThenDrop),
            ("delay", Some(ms)) => delay(ms).map(Fault::Delay),
            ("429", None) => Some(Fault::Refuse(1)),
            ("429", Some(count)) => {
                let count = count.parse().ok()?;
                (1..=BURST_MAX)
                    .contains(&count)
                    .then_some(Fault::Refuse(count))
            }
            ("transfer-error", Some(code)) => error_code(code).map(Fault::TransferError),
            ("webhook", Some(what)) => delivery(what).map(Fault::Delivery),
            _ => None,
        }
    }

    /// Everything that a header names.
    #[must_use]
    pub fn parse_all(text: &str) -> Option<Vec<Fault>> {
        let faults: Option<Vec<Fault>> = text
            .split(',')
            .map(|one| Fault::parse(one.trim()))
            .collect();
        faults.filter(|faults| faults.len() <= FAULTS_MAX)
    }
}

fn delay(ms: &str) -> Option<Duration> {
    let delay = Duration::from_millis(ms.parse().ok()?);
    (!delay.is_zero() && delay <= DELAY_MAX).then_some(delay)
}

/// A code of a transfer's error, or of Multi's conflicts.
fn error_code(name: &str) -> Option<ErrorCode> {
    let denial = || Denial::ALL.into_iter().find(|denial| denial.name() == name);
    ErrorCode::parse(name).or_else(|| denial().map(ErrorCode::Denied))
}

fn delivery(what: &str) -> Option<DeliveryFault> {
    match what {
        "duplicate" => Some(DeliveryFault::Duplicate),
        "reorder" => Some(DeliveryFault::Reorder),
        "unsigned" => Some(DeliveryFault::Unsigned),
        "bad-signature" => Some(DeliveryFault::BadSignature),
        _ => delay(what.strip_prefix("late:")?).map(DeliveryFault::Late),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_as_they_are_documented() {
        let ms = Duration::from_millis;
        for (text, fault) in [
            ("commit-then-500", Fault::CommitThen500),
            ("commit-then-drop", Fault::CommitThenDrop),
            ("delay=1500", Fault::Delay(ms(1_500))),
            ("429", Fault::Refuse(1)),
            ("429=1000", Fault::Refuse(1_000)),
            (
                "transfer-error=NAME_MISMATCH",
                Fault::TransferError(ErrorCode::NameMismatch),
            ),
            (
                "transfer-error=PROFILE_INACTIVE",
                Fault::TransferError(ErrorCode::Denied(Denial::ProfileInactive)),
            ),
            (
                "webhook=duplicate",
                Fault::Delivery(DeliveryFault::Duplicate),
            ),
            (
                "webhook=late:60000",
                Fault::Delivery(DeliveryFault::Late(ms(60_000))),
            ),
        ] {
            assert_eq!(Fault::parse(text), Some(fault), "{text}");
        }
        for text in [
            "",
            "crash",
            "delay",
            "delay=0",
            "delay=60001",
            "delay=-1",
            "429=0",
            "429=1001",
            "commit-then-500=1",
            "transfer-error=BAD_LUCK",
            "webhook=late:0",
            "webhook",
        ] {
            assert_eq!(Fault::parse(text), None, "{text}");
        }
        let both = Fault::parse_all("delay=5 , 429");
        assert_eq!(both, Some(vec![Fault::Delay(ms(5)), Fault::Refuse(1)]));
        assert_eq!(Fault::parse_all("429,"), None);
        assert_eq!(Fault::parse_all(&["429"; FAULTS_MAX + 1].join(",")), None);
    }
}
