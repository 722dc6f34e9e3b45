//! `GET /transfers`: the identity's transfers, newest first (seed 004).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{AccountId, Millis, ProfileId};
use serde::Serialize;
use service::multi::{Actor, InstrumentTransfer, Surface};
use store::OwnerTransferQuery;
use utoipa::ToSchema;

use super::wire::{STATES, TransferBody, TransferState};
use crate::multi::failure::Failure;
use crate::multi::invalid::InvalidField;
use crate::multi::query::Query;
use crate::multi::wire::{Instrument, InstrumentBody, succeed};
use crate::multi::{auth, errors, rules, schemas};
use crate::{App, metrics};

/// What is asked for. Ids of 0 are nobody's; an empty list of states is all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::multi) struct ListTransfers {
    pub offset: u32,
    /// 1 to 100.
    pub limit: u32,
    pub profile: Option<u64>,
    pub source: Option<Instrument>,
    pub states: Vec<TransferState>,
    /// Milliseconds; both ends of both windows are included.
    pub created_from: Option<i64>,
    pub created_to: Option<i64>,
    pub executed_from: Option<i64>,
    pub executed_to: Option<i64>,
    pub tag: Option<String>,
}

impl ListTransfers {
    fn query(self, actor: &Actor) -> OwnerTransferQuery {
        let statuses = self.states.iter().flat_map(|state| state.statuses());
        OwnerTransferQuery {
            tenant: actor.tenant,
            owner: actor.owner,
            instruments_only: true,
            offset: usize::try_from(self.offset).unwrap_or(usize::MAX),
            limit: usize::try_from(self.limit).unwrap_or(usize::MAX),
            profile: self.profile.map(ProfileId::new),
            source: self.source.map(|source| AccountId::new(source.id)),
            statuses: statuses.collect(),
            created_from: self.created_from.map(Millis),
            created_to: self.created_to.map(Millis),
            executed_from: self.executed_from.map(Millis),
            executed_to: self.executed_to.map(Millis),
            tag: self.tag.map(Arc::from),
        }
    }
}

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    parts: Parts,
) -> Response {
    let answer = async {
        match list(&app, surface, &parts).await {
            Ok((transfers, count)) => {
                let transfers = transfers.iter().map(TransferBody::of).collect();
                succeed(StatusCode::OK, &TransfersBody::new(transfers, count))
            }
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiListTransfers", answer).await
}

async fn list(
    app: &App,
    surface: Surface,
    parts: &Parts,
) -> Result<(Vec<InstrumentTransfer>, u64), Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let list = parse(parts.uri.query())?;
    let class = list.source.map(|source| source.class.into());
    let query = list.query(&call.actor());
    let found = app.service().instrument_transfers(query, class).await;
    Ok(found?)
}

/// Reads the query string.
pub(in crate::multi) fn parse(query: Option<&str>) -> Result<ListTransfers, Vec<InvalidField>> {
    let mut query = Query::parse(query);
    let list = ListTransfers {
        offset: query.offset(),
        limit: query.limit(),
        profile: query.id("profileId", &rules::PROFILE_ID),
        source: query.object("instrumentId", Instrument::MEMBERS, Instrument::read),
        states: query.choices("state", STATES),
        created_from: query.millis("createdFrom"),
        created_to: query.millis("createdTo"),
        executed_from: query.millis("executedFrom"),
        executed_to: query.millis("executedTo"),
        tag: query.text("tag", &rules::WANTED),
    };
    query.finish()?;
    Ok(list)
}

/// A page of transfers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TransfersGetResponse)]
pub struct TransfersBody<'a> {
    transfer: Vec<TransferBody<'a>>,
    /// How many match in all.
    count: u64,
    /// How many are in this answer.
    response_count: usize,
}

impl<'a> TransfersBody<'a> {
    /// A page out of `count` matching transfers.
    pub(in crate::multi) fn new(transfer: Vec<TransferBody<'a>>, count: u64) -> TransfersBody<'a> {
        TransfersBody {
            response_count: transfer.len(),
            transfer,
            count,
        }
    }
}

/// Get all transfer transactions.
#[utoipa::path(
    get, path = "/transfers", operation_id = "transfersGet", tag = "Transfers",
    params(
        ("offset" = inline(Option<schemas::Offset>), Query),
        ("limit" = inline(Option<schemas::Limit>), Query),
        ("profileId" = Option<schemas::ProfileId>, Query, description = "Of this profile."),
        ("instrumentId" = Option<InstrumentBody>, Query, description = "From this instrument. Also as `instrumentId[id]`, `instrumentId.id` or JSON."),
        ("state" = Option<Vec<TransferState>>, Query, description = "In one of these states. Also as `state[]` or separated by commas."),
        ("createdFrom" = inline(Option<schemas::Timestamp>), Query, description = "Created at or after."),
        ("createdTo" = inline(Option<schemas::Timestamp>), Query, description = "Created at or before."),
        ("executedFrom" = inline(Option<schemas::Timestamp>), Query, description = "Executed at or after."),
        ("executedTo" = inline(Option<schemas::Timestamp>), Query, description = "Executed at or before."),
        ("tag" = inline(Option<schemas::Wanted>), Query, description = "With exactly this tag."),
    ),
    responses((status = 200, description = "A page, newest first.", body = TransfersBody)),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi::invalid::message;
    use crate::multi::wire::InstrumentType;

    const ALL: ListTransfers = ListTransfers {
        offset: 0,
        limit: 100,
        profile: None,
        source: None,
        states: Vec::new(),
        created_from: None,
        created_to: None,
        executed_from: None,
        executed_to: None,
        tag: None,
    };

    #[test]
    fn nothing_asked_is_everything() {
        assert_eq!(parse(None), Ok(ALL));
        assert_eq!(parse(Some("")), Ok(ALL));
    }

    #[test]
    fn every_filter_is_read() {
        let query = "offset=5&limit=10&profileId=7&id=1&type=managed_cards&state=FAILED,PENDING\
                     &createdFrom=1&createdTo=2&executedFrom=3&executedTo=4&tag=t%20u";
        let expected = ListTransfers {
            offset: 5,
            limit: 10,
            profile: Some(7),
            source: Some(Instrument {
                id: 1,
                class: InstrumentType::ManagedCards,
            }),
            states: vec![TransferState::Failed, TransferState::Pending],
            created_from: Some(1),
            created_to: Some(2),
            executed_from: Some(3),
            executed_to: Some(4),
            tag: Some("t u".to_owned()),
        };
        assert_eq!(parse(Some(query)), Ok(expected));
    }

    /// The notes' example, as the official demo sends it.
    #[test]
    fn the_demos_encodings_are_read() {
        let query = "offset=0&limit=10&instrumentId=%7B%22id%22:%221%22,%22type%22:\
                     %22managed_accounts%22%7D&state[]=COMPLETED&state[]=SCHEDULED&createdFrom=1";
        let expected = ListTransfers {
            limit: 10,
            source: Some(Instrument {
                id: 1,
                class: InstrumentType::ManagedAccounts,
            }),
            states: vec![TransferState::Completed, TransferState::Scheduled],
            created_from: Some(1),
            ..ALL
        };
        assert_eq!(parse(Some(query)), Ok(expected));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let query =
            "offset=-1&limit=0&profileId=x&type=cards&id=1&state=DONE&createdFrom=now&tag=%00";
        let faults = parse(Some(query)).expect_err("all is wrong");
        let names: Vec<&str> = faults.iter().map(|fault| fault.parts().0).collect();
        assert_eq!(
            names,
            [
                "offset",
                "limit",
                "profileId",
                "instrumentId.type",
                "state",
                "createdFrom",
                "tag"
            ]
        );
        assert!(message(&faults).starts_with("offset must be from 0 to 2147483647; limit must"));
    }

    #[test]
    fn a_page_counts_itself() {
        let page = serde_json::to_string(&TransfersBody::new(Vec::new(), 3));
        let expected = r#"{"transfer":[],"count":3,"responseCount":0}"#;
        assert_eq!(page.expect("names are texts"), expected);
    }
}
