//! A transfer as JSON, its states and its conflicts.

use ledger::{AccountId, InstrumentClass, ProfileId, Status};
use serde::Serialize;
use service::multi::InstrumentTransfer;
use utoipa::ToSchema;

use crate::multi::choices::choices;
use crate::multi::schemas;
use crate::multi::wire::{Id, Instrument, InstrumentBody, Millis, SumBody, Text64};

choices! {
    /// Where a transfer stands.
    #[schema(as = TransactionState)]
    TransferState, STATES {
        /// Recorded; the money has not moved.
        Initialised = "INITIALISED",
        /// The money has moved.
        Completed = "COMPLETED",
        /// Refused after it was pending.
        Rejected = "REJECTED",
        /// Ended without the money having moved.
        Failed = "FAILED",
        /// Waiting for something outside.
        Pending = "PENDING",
        /// To be executed at its time.
        Scheduled = "SCHEDULED",
        /// Called off before its time.
        Cancelled = "CANCELLED",
    }
}

impl TransferState {
    /// What a status of the core is shown as.
    pub(in crate::multi) fn of(status: Status) -> TransferState {
        match status {
            Status::Scheduled => TransferState::Scheduled,
            Status::Processing => TransferState::Initialised,
            Status::PendingApproval | Status::Pending => TransferState::Pending,
            Status::Complete => TransferState::Completed,
            Status::Incomplete | Status::Error => TransferState::Failed,
            Status::Rejected => TransferState::Rejected,
            Status::Cancelled => TransferState::Cancelled,
        }
    }

    /// The core's statuses that are shown so.
    pub(in crate::multi) fn statuses(self) -> impl Iterator<Item = Status> {
        Status::ALL
            .into_iter()
            .filter(move |status| TransferState::of(*status) == self)
    }
}

/// A transfer. What is absent is left out, never `null`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Transfer)]
pub struct TransferBody<'a> {
    #[schema(value_type = schemas::Id)]
    pub(in crate::multi) id: Id,
    #[schema(value_type = schemas::ProfileId)]
    pub(in crate::multi) profile_id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Tag, required = false)]
    pub(in crate::multi) tag: Option<&'a str>,
    pub(in crate::multi) source: InstrumentBody,
    pub(in crate::multi) destination: InstrumentBody,
    pub(in crate::multi) destination_amount: SumBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Description, required = false)]
    pub(in crate::multi) description: Option<&'a str>,
    pub(in crate::multi) state: TransferState,
    /// Milliseconds since 1970.
    #[schema(value_type = schemas::Timestamp)]
    pub(in crate::multi) creation_timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::TimestampText, required = false)]
    pub(in crate::multi) scheduled_timestamp: Option<Millis>,
    /// Set once the transfer is `COMPLETED`, `REJECTED` or `FAILED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::TimestampText, required = false)]
    pub(in crate::multi) execution_timestamp: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::CancellationReason, required = false)]
    pub(in crate::multi) cancellation_reason: Option<&'a str>,
}

impl TransferBody<'_> {
    /// A transfer as it is. One that was not made under a profile shows profile 0.
    pub(in crate::multi) fn of(shown: &InstrumentTransfer) -> TransferBody<'_> {
        let transfer = &shown.transfer;
        let state = TransferState::of(transfer.status);
        let end = |id: Option<AccountId>, class: InstrumentClass| {
            InstrumentBody::from(Instrument {
                id: id.map_or(0, AccountId::raw),
                class: class.into(),
            })
        };
        let executed = matches!(
            state,
            TransferState::Completed | TransferState::Rejected | TransferState::Failed
        );
        TransferBody {
            id: Text64(transfer.id.raw()),
            profile_id: Text64(transfer.profile.map_or(0, ProfileId::raw)),
            tag: transfer.tag.as_deref(),
            source: end(transfer.source, shown.source),
            destination: end(transfer.destination, shown.destination),
            destination_amount: transfer.amount.into(),
            description: transfer.description.as_deref(),
            state,
            creation_timestamp: transfer.created_at.0,
            scheduled_timestamp: transfer.scheduled_at.map(|at| Text64(at.0)),
            // What has ended does not change any more.
            execution_timestamp: executed.then_some(Text64(transfer.updated_at.0)),
            cancellation_reason: transfer.cancel_reason.as_deref(),
        }
    }
}

/// Why a transfer can be refused by the state of things, in the seed's order.
pub(in crate::multi) const CONFLICTS: &[&str] = &[
    "PROFILE_INACTIVE",
    "MODEL_CONSTRAINTS_VIOLATED",
    "INTERCEPTOR_DENIED_TRANSACTION",
    "INSTRUMENT_DENIED_TRANSACTION",
    "SOURCE_INSTRUMENT_DESTROYED",
    "DESTINATION_INSTRUMENT_DESTROYED",
    "FOREX_TRADE_DENIED_TRANSACTION",
    "CURRENCY_MISMATCH",
    "SOURCE_INSTRUMENT_BLOCKED",
    "DESTINATION_INSTRUMENT_BLOCKED",
    "FUNDS_INSUFFICIENT",
    "AMOUNT_INVALID",
    "SOURCE_NOT_FOUND",
    "DESTINATION_NOT_FOUND",
    "FEE_NOT_CONFIGURED_FOR_CURRENCY",
    "DESTINATION_LIMIT_EXCEEDED",
    "SOURCE_CANNOT_BE_DEBIT_MODE_CARD",
    "DESTINATION_CANNOT_BE_DEBIT_MODE_CARD",
    "TRANSFER_BETWEEN_INSTRUMENTS_UNSUPPORTED",
    "SOURCE_AND_DESTINATION_MUST_BE_DIFFERENT",
    "SCHEDULED_TIMESTAMP_INVALID",
];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    TransferConflict = CONFLICTS;
}

#[cfg(test)]
mod tests {
    use ledger::Currency;

    use super::*;
    use crate::multi::wire::{Instrument, InstrumentType, Text64};

    #[test]
    fn every_state_is_written_as_it_is_read_and_shows_some_status() {
        let mut shown = 0;
        for (name, state) in STATES {
            assert_eq!(serde_json::to_value(state).expect("a name"), *name);
            shown += state.statuses().count();
        }
        assert_eq!(shown, Status::ALL.len());
    }

    #[test]
    fn fields_come_in_the_seeds_order_and_absent_ones_not_at_all() {
        let instrument = |id, class| Instrument { id, class }.into();
        let mut transfer = TransferBody {
            id: Text64(u64::MAX),
            profile_id: Text64(7),
            tag: None,
            source: instrument(1, InstrumentType::ManagedAccounts),
            destination: instrument(2, InstrumentType::ManagedCards),
            destination_amount: SumBody::new(Currency::EUR, 1000),
            description: None,
            state: TransferState::Completed,
            creation_timestamp: 1_800_000_000_000,
            scheduled_timestamp: None,
            execution_timestamp: None,
            cancellation_reason: None,
        };
        let text =
            |transfer: &TransferBody<'_>| serde_json::to_string(transfer).expect("names are texts");
        assert_eq!(
            text(&transfer),
            r#"{"id":"18446744073709551615","profileId":"7","source":{"id":"1","type":"managed_accounts"},"destination":{"id":"2","type":"managed_cards"},"destinationAmount":{"currency":"EUR","amount":1000},"state":"COMPLETED","creationTimestamp":1800000000000}"#
        );
        transfer.tag = Some("t");
        transfer.description = Some("Rent");
        transfer.state = TransferState::Cancelled;
        transfer.scheduled_timestamp = Some(Text64(5));
        transfer.execution_timestamp = Some(Text64(6));
        transfer.cancellation_reason = Some("changed my mind");
        assert_eq!(
            text(&transfer),
            r#"{"id":"18446744073709551615","profileId":"7","tag":"t","source":{"id":"1","type":"managed_accounts"},"destination":{"id":"2","type":"managed_cards"},"destinationAmount":{"currency":"EUR","amount":1000},"description":"Rent","state":"CANCELLED","creationTimestamp":1800000000000,"scheduledTimestamp":"5","executionTimestamp":"6","cancellationReason":"changed my mind"}"#
        );
    }
}
