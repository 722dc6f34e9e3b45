//! `POST /transfers/bulk/cancel`: calls off scheduled transfers, each for itself (seed 004).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::TransferId;
use serde::Serialize;
use service::multi::{NotCancelled, Surface};
use utoipa::ToSchema;

use crate::multi::body::{self, BODY_MAX};
use crate::multi::failure::Failure;
use crate::multi::invalid::InvalidField;
use crate::multi::wire::succeed;
use crate::multi::{auth, errors, fields, rules, schemas};
use crate::{App, metrics};

/// Transfers to call off.
#[derive(ToSchema)]
#[schema(as = TransactionBulkCancelRequest)]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct CancelTransfersBody {
    cancellations: Vec<CancelTransferBody>,
}

/// A transfer to call off.
#[derive(ToSchema)]
#[schema(as = TransactionCancelRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct CancelTransferBody {
    #[schema(value_type = schemas::Id)]
    id: String,
    #[schema(value_type = Option<schemas::CancellationReason>)]
    cancellation_reason: Option<String>,
}

/// One transfer to call off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::multi) struct CancelTransfer {
    /// Its id; 0 for one that nobody has.
    pub id: u64,
    /// The same as the caller wrote it, to answer with.
    pub written: String,
    /// The caller's reason.
    pub reason: Option<String>,
}

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    parts: Parts,
    body: Body,
) -> Response {
    let answer = async {
        match cancel(&app, surface, &parts, body).await {
            Ok(cancelled) => succeed(StatusCode::OK, &cancelled),
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiCancelTransfers", answer).await
}

async fn cancel(
    app: &App,
    surface: Surface,
    parts: &Parts,
    body: Body,
) -> Result<CancelledAllBody, Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let bytes = body::json(&parts.headers, body, BODY_MAX).await?;
    let wanted = parse(&bytes, call.strict)?;
    let asked = wanted.iter().map(|one| {
        let reason = one.reason.as_deref().map(Arc::from);
        (TransferId::new(one.id), reason)
    });
    let (service, actor) = (app.service(), call.actor());
    let outcomes = service.cancel_transfers(&actor, asked.collect());
    let outcomes = outcomes.await?.into_iter();
    let cancellations = wanted.into_iter().zip(outcomes);
    let cancellations = cancellations
        .map(|(one, outcome)| CancelledBody::new(one.written, outcome.map_err(CancelError::from)));
    Ok(CancelledAllBody {
        cancellations: cancellations.collect(),
    })
}

impl From<NotCancelled> for CancelError {
    fn from(reason: NotCancelled) -> CancelError {
        match reason {
            NotCancelled::Unavailable => CancelError::Generic,
            NotCancelled::NotScheduled => CancelError::TransactionNotScheduled,
            NotCancelled::OfOther => CancelError::Forbidden,
            NotCancelled::NotFound => CancelError::NotFound,
        }
    }
}

/// Reads the body. An empty list is one that is done at once.
pub(in crate::multi) fn parse(
    bytes: &[u8],
    strict: bool,
) -> Result<Vec<CancelTransfer>, Vec<InvalidField>> {
    fields::parse(bytes, strict, |fields| {
        fields.objects("cancellations", 0..=usize::MAX, |fields| {
            let written = fields.text("id", &rules::ID);
            let rule = &rules::CANCELLATION_REASON;
            CancelTransfer {
                id: rules::id_number(&written).unwrap_or(0),
                written,
                reason: fields.optional_text("cancellationReason", rule),
            }
        })
    })
}

/// What became of one cancellation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancelState {
    /// The transfer will not be executed.
    Success,
    /// Nothing has changed.
    Error,
}

/// Why a transfer could not be called off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancelError {
    /// Something else.
    Generic,
    /// It is not waiting for its time: executed, called off, or never scheduled.
    TransactionNotScheduled,
    /// It is another identity's.
    Forbidden,
    /// There is none.
    NotFound,
}

/// What became of one cancellation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TransactionCancelResponse)]
pub struct CancelledBody {
    #[schema(value_type = schemas::Id)]
    id: String,
    state: CancelState,
    /// Set when `state` is `ERROR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = CancelError, required = false)]
    error_code: Option<CancelError>,
}

impl CancelledBody {
    /// The outcome for an id as it was written.
    pub(in crate::multi) fn new(
        written: String,
        outcome: Result<(), CancelError>,
    ) -> CancelledBody {
        let error_code = outcome.err();
        CancelledBody {
            id: written,
            state: match error_code {
                None => CancelState::Success,
                Some(_) => CancelState::Error,
            },
            error_code,
        }
    }
}

/// What became of each cancellation, in the request's order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = TransactionBulkCancelResponse)]
pub struct CancelledAllBody {
    pub(in crate::multi) cancellations: Vec<CancelledBody>,
}

/// Cancel transfer transactions.
#[utoipa::path(
    post, path = "/transfers/bulk/cancel", operation_id = "transferCancel", tag = "Transfers",
    request_body = CancelTransfersBody,
    responses((status = 200, description = "What became of each, in the request's order.", body = CancelledAllBody)),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi::invalid::message;

    fn read(body: &str) -> Result<Vec<CancelTransfer>, String> {
        parse(body.as_bytes(), true).map_err(|faults| message(&faults))
    }

    #[test]
    fn cancellations_are_read_in_order() {
        let body = r#"{"cancellations":[{"id":"2","cancellationReason":"no need"},{"id":"007"}]}"#;
        let expected = vec![
            CancelTransfer {
                id: 2,
                written: "2".to_owned(),
                reason: Some("no need".to_owned()),
            },
            CancelTransfer {
                id: 0,
                written: "007".to_owned(),
                reason: None,
            },
        ];
        assert_eq!(read(body), Ok(expected));
        assert_eq!(read(r#"{"cancellations":[]}"#), Ok(vec![]));
    }

    #[test]
    fn a_malformed_item_fails_the_whole_call() {
        for (body, wrong) in [
            ("{}", "cancellations is required"),
            (r#"{"cancellations":{}}"#, "cancellations must be an array"),
            (
                r#"{"cancellations":[{"id":"1"},{}]}"#,
                "cancellations[1].id is required",
            ),
            (
                r#"{"cancellations":[{"id":"x","cancellationReason":""}]}"#,
                "cancellations[0].id does not match ^[0-9]+$; \
                 cancellations[0].cancellationReason does not match ^[ a-zA-Z0-9_-]+$",
            ),
            (
                r#"{"cancellations":["1"]}"#,
                "cancellations[0] must be an object",
            ),
        ] {
            assert_eq!(read(body), Err(wrong.to_owned()), "{body}");
        }
        let reason = |length: usize| {
            let text = "r".repeat(length);
            read(&format!(
                r#"{{"cancellations":[{{"id":"1","cancellationReason":"{text}"}}]}}"#
            ))
        };
        assert!(reason(50).is_ok());
        assert!(reason(51).is_err());
    }

    #[test]
    fn each_outcome_is_written_for_itself() {
        let cancellations = vec![
            CancelledBody::new("1".to_owned(), Ok(())),
            CancelledBody::new("2".to_owned(), Err(CancelError::TransactionNotScheduled)),
        ];
        let body = serde_json::to_string(&CancelledAllBody { cancellations });
        assert_eq!(
            body.expect("names are texts"),
            r#"{"cancellations":[{"id":"1","state":"SUCCESS"},{"id":"2","state":"ERROR","errorCode":"TRANSACTION_NOT_SCHEDULED"}]}"#
        );
    }
}
