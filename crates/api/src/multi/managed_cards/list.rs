//! `GET /managed_cards`: the identity's cards, newest first.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{Account, AccountId, AccountKind};
use serde::Serialize;
use service::multi::{Actor, Surface};
use store::AccountQuery;
use utoipa::ToSchema;

use super::details::{RENEWAL_TYPES, RenewalType};
use super::issue::{CardType, StoredCard, TYPES, id_of};
use super::wire::{CardMode, MODES, ManagedCardBody};
use crate::multi::choices::choices;
use crate::multi::failure::Failure;
use crate::multi::instruments::{
    BlockedReason, DestroyedReason, InstrumentFilter, InstrumentState,
};
use crate::multi::invalid::InvalidField;
use crate::multi::query::Query;
use crate::multi::wire::succeed;
use crate::multi::{auth, errors, rules, schemas};
use crate::{App, metrics};

choices! {
    /// How far a plastic card has come; no card here is plastic.
    ManufacturingState, MANUFACTURING_STATES {
        /// Asked for.
        Requested = "REQUESTED",
        /// Being made.
        SentForFulfillment = "SENT_FOR_FULFILLMENT",
        /// Sent.
        Dispatched = "DISPATCHED",
        /// Arrived.
        Delivered = "DELIVERED",
    }
}

/// What is asked for. Ids of 0 are nobody's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::multi) struct ListCards {
    pub filter: InstrumentFilter,
    pub r#type: Option<CardType>,
    pub renewal_type: Option<RenewalType>,
    pub external_handle: Option<String>,
    pub first_six: Option<String>,
    pub last_four: Option<String>,
    pub mode: Option<CardMode>,
    pub parent: Option<u64>,
    /// Not empty: only plastic cards, of which there are none.
    pub manufacturing_states: Vec<ManufacturingState>,
    pub user: Option<u64>,
}

/// What is asked of cards beyond their accounts.
struct CardFilter {
    renewal_type: Option<RenewalType>,
    id: Option<u64>,
    first_six: Option<String>,
    last_four: Option<String>,
    user: Option<u64>,
}

impl CardFilter {
    fn is_empty(&self) -> bool {
        self.renewal_type.is_none()
            && self.id.is_none()
            && self.first_six.is_none()
            && self.last_four.is_none()
            && self.user.is_none()
    }

    fn matches(&self, card: &Account) -> bool {
        let stored = StoredCard::of(card);
        let user = stored.details.user_id.as_deref().and_then(rules::id_number);
        let first_six = stored.brand.first_six();
        self.renewal_type
            .is_none_or(|wanted| wanted == stored.details.renewal_type)
            && self.id.is_none_or(|wanted| wanted == card.id.raw())
            && self
                .first_six
                .as_deref()
                .is_none_or(|wanted| wanted == first_six)
            && (self.last_four.is_none()
                || self.last_four.as_deref() == card.number_last_four.as_deref())
            && self.user.is_none_or(|wanted| user == Some(wanted))
    }
}

impl ListCards {
    /// The query for accounts and what is asked beyond; `None` when no card can match.
    fn split(self, actor: &Actor) -> Option<(AccountQuery, CardFilter)> {
        let plastic = self.r#type == Some(CardType::Physical);
        if plastic || !self.manufacturing_states.is_empty() {
            return None;
        }
        let id = match self.external_handle.as_deref().map(id_of) {
            Some(None) => return None,
            None => None,
            Some(id) => id,
        };
        let filter = CardFilter {
            renewal_type: self.renewal_type,
            id,
            first_six: self.first_six,
            last_four: self.last_four,
            user: self.user,
        };
        let kinds = match self.mode {
            Some(mode) => vec![mode.kind()],
            None => vec![AccountKind::PrepaidCard, AccountKind::DebitCard],
        };
        let query = AccountQuery {
            parent: self.parent.map(AccountId::new),
            ..self.filter.query(actor, kinds)?
        };
        Some((query, filter))
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
            Ok((cards, count)) => {
                let cards = cards.iter().map(ManagedCardBody::of).collect();
                succeed(StatusCode::OK, &ManagedCardsBody::new(cards, count))
            }
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiListCards", answer).await
}

async fn list(app: &App, surface: Surface, parts: &Parts) -> Result<(Vec<Account>, u64), Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let asked = parse(parts.uri.query())?;
    let Some((query, filter)) = asked.split(&call.actor()) else {
        return Ok((Vec::new(), 0));
    };
    if filter.is_empty() {
        return Ok(app.service().instruments(query).await?);
    }
    search(app, query, &filter).await
}

/// Cards that are read at a time when their details must be looked at.
const SEARCH_RUN: usize = 500;

/// Looks at the details of every card that matches otherwise: an identity has few.
async fn search(
    app: &App,
    query: AccountQuery,
    filter: &CardFilter,
) -> Result<(Vec<Account>, u64), Failure> {
    let (mut found, mut count, mut seen) = (Vec::new(), 0_u64, 0);
    loop {
        let run = AccountQuery {
            offset: seen,
            limit: SEARCH_RUN,
            ..query.clone()
        };
        let (cards, _) = app.service().instruments(run).await?;
        let is_last = cards.len() < SEARCH_RUN;
        seen = seen.saturating_add(cards.len());
        for card in cards.into_iter().filter(|card| filter.matches(card)) {
            if count >= query.offset as u64 && found.len() < query.limit {
                found.push(card);
            }
            count = count.saturating_add(1);
        }
        if is_last {
            return Ok((found, count));
        }
    }
}

/// Reads the query string.
pub(in crate::multi) fn parse(query: Option<&str>) -> Result<ListCards, Vec<InvalidField>> {
    let mut query = Query::parse(query);
    let list = ListCards {
        filter: InstrumentFilter::read(&mut query),
        r#type: query.choice("type", TYPES),
        renewal_type: query.choice("renewalType", RENEWAL_TYPES),
        external_handle: query.text("externalHandle", &rules::WANTED),
        first_six: query.text("cardNumberFirstSix", &rules::FIRST_SIX),
        last_four: query.text("cardNumberLastFour", &rules::LAST_FOUR),
        mode: query.choice("mode", MODES),
        parent: query.id("parentManagedAccountId", &rules::ID),
        manufacturing_states: query.choices("manufacturingState", MANUFACTURING_STATES),
        user: query.id("userId", &rules::ID),
    };
    query.finish()?;
    Ok(list)
}

/// A page of cards.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ManagedCardsGetResponse)]
pub struct ManagedCardsBody<'a> {
    cards: Vec<ManagedCardBody<'a>>,
    /// How many match in all.
    count: u64,
    /// How many are in this answer.
    response_count: usize,
}

impl<'a> ManagedCardsBody<'a> {
    /// A page out of `count` matching cards.
    pub(in crate::multi) fn new(cards: Vec<ManagedCardBody<'a>>, count: u64) -> Self {
        ManagedCardsBody {
            response_count: cards.len(),
            cards,
            count,
        }
    }
}

/// Get all managed cards.
#[utoipa::path(
    get, path = "/managed_cards", operation_id = "managedCardsGet", tag = "Managed Cards",
    params(
        ("offset" = inline(Option<schemas::Offset>), Query),
        ("limit" = inline(Option<schemas::Limit>), Query),
        ("profileId" = Option<schemas::ProfileId>, Query, description = "Of this profile."),
        ("friendlyName" = Option<schemas::FriendlyName>, Query, description = "With exactly this name."),
        ("state" = Option<Vec<InstrumentState>>, Query, description = "In one of these states."),
        ("state.blockedReason" = Option<Vec<BlockedReason>>, Query, description = "Blocked for one of these reasons."),
        ("state.destroyedReason" = Option<Vec<DestroyedReason>>, Query, description = "Destroyed for one of these reasons."),
        ("currency" = Option<schemas::Currency>, Query, description = "In this currency."),
        ("type" = Option<CardType>, Query, description = "Of this type."),
        ("renewalType" = Option<RenewalType>, Query, description = "With this renewal."),
        ("externalHandle" = inline(Option<schemas::Wanted>), Query, description = "With exactly this handle."),
        ("cardNumberFirstSix" = Option<schemas::FirstSix>, Query, description = "With these first digits."),
        ("cardNumberLastFour" = Option<schemas::LastFour>, Query, description = "With these last digits."),
        ("createdFrom" = inline(Option<schemas::Timestamp>), Query, description = "Created at or after."),
        ("createdTo" = inline(Option<schemas::Timestamp>), Query, description = "Created at or before."),
        ("mode" = Option<CardMode>, Query, description = "Of this mode."),
        ("tag" = inline(Option<schemas::Wanted>), Query, description = "With exactly this tag."),
        ("parentManagedAccountId" = Option<schemas::Id>, Query, description = "Spending from this account."),
        ("manufacturingState" = inline(Option<Vec<ManufacturingState>>), Query, description = "So far along in being made."),
        ("userId" = Option<schemas::Id>, Query, description = "Linked to this user."),
    ),
    responses((status = 200, description = "A page, newest first.", body = ManagedCardsBody)),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_is_read() {
        let query = "limit=5&type=VIRTUAL&renewalType=RENEW&externalHandle=h&mode=DEBIT_MODE\
                     &cardNumberFirstSix=222222&cardNumberLastFour=0042&parentManagedAccountId=9\
                     &manufacturingState[]=DELIVERED&userId=8";
        let expected = ListCards {
            filter: InstrumentFilter {
                limit: 5,
                ..InstrumentFilter::default()
            },
            r#type: Some(CardType::Virtual),
            renewal_type: Some(RenewalType::Renew),
            external_handle: Some("h".to_owned()),
            first_six: Some("222222".to_owned()),
            last_four: Some("0042".to_owned()),
            mode: Some(CardMode::Debit),
            parent: Some(9),
            manufacturing_states: vec![ManufacturingState::Delivered],
            user: Some(8),
        };
        assert_eq!(parse(Some(query)), Ok(expected));
    }

    #[test]
    fn every_wrong_filter_is_told() {
        let query = "type=GOLD&renewalType=x&externalHandle=%00&mode=CREDIT&cardNumberFirstSix=1\
                     &cardNumberLastFour=00421&parentManagedAccountId=x&manufacturingState=LOST\
                     &userId=me&limit=0";
        let faults = parse(Some(query)).expect_err("all is wrong");
        assert_eq!(faults.len(), 10, "{faults:?}");
    }
}
