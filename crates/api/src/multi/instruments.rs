//! What managed accounts and managed cards have in common: state, balances, filters.

use std::sync::Arc;

use axum::body::Body;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{
    Account, AccountId, AccountKind, AccountState, Currency, InstrumentClass, Millis, ProfileId,
    StateReason,
};
use serde::Serialize;
use service::multi::{Actor, Surface};
use store::AccountQuery;
use utoipa::ToSchema;

use super::choices::choices;
use super::failure::Failure;
use super::invalid::both;
use super::query::Query;
use super::request_ref::RequestRef;
use super::wire::{done, path_id};
use super::{auth, body, errors, idempotency, rules, schemas};
use crate::App;
use crate::http::PathText;

choices! {
    /// What an instrument can do.
    InstrumentState, STATES {
        /// Everything.
        Active = "ACTIVE",
        /// Nothing for now.
        Blocked = "BLOCKED",
        /// Nothing any more.
        Destroyed = "DESTROYED",
    }
}

impl From<AccountState> for InstrumentState {
    fn from(state: AccountState) -> InstrumentState {
        match state {
            AccountState::Active => InstrumentState::Active,
            AccountState::Blocked => InstrumentState::Blocked,
            AccountState::Destroyed => InstrumentState::Destroyed,
        }
    }
}

impl From<InstrumentState> for AccountState {
    fn from(state: InstrumentState) -> AccountState {
        match state {
            InstrumentState::Active => AccountState::Active,
            InstrumentState::Blocked => AccountState::Blocked,
            InstrumentState::Destroyed => AccountState::Destroyed,
        }
    }
}

choices! {
    /// Why an instrument is blocked.
    BlockedReason, BLOCKED_REASONS {
        /// A user of its identity wished it; such a user can lift the block.
        User = "USER",
        /// The operator did it.
        System = "SYSTEM",
        /// The card was lost.
        Lost = "LOST",
    }
}

impl BlockedReason {
    /// What a reason of the core is shown as. A block without one was made before reasons were
    /// kept, by a user.
    fn of(reason: Option<StateReason>) -> BlockedReason {
        match reason {
            None | Some(StateReason::User) => BlockedReason::User,
            Some(StateReason::Lost | StateReason::Stolen) => BlockedReason::Lost,
            Some(StateReason::System | StateReason::Expired | StateReason::Compromised) => {
                BlockedReason::System
            }
        }
    }
}

choices! {
    /// Why an instrument is destroyed.
    DestroyedReason, DESTROYED_REASONS {
        /// The operator did it.
        System = "SYSTEM",
        /// A user of its identity wished it.
        User = "USER",
        /// The card was lost.
        Lost = "LOST",
        /// The card was stolen.
        Stolen = "STOLEN",
        /// The card has expired.
        Expired = "EXPIRED",
        /// The card's data became known to others.
        Compromised = "COMPROMISED",
    }
}

impl DestroyedReason {
    fn of(reason: Option<StateReason>) -> DestroyedReason {
        match reason {
            None | Some(StateReason::User) => DestroyedReason::User,
            Some(StateReason::System) => DestroyedReason::System,
            Some(StateReason::Lost) => DestroyedReason::Lost,
            Some(StateReason::Stolen) => DestroyedReason::Stolen,
            Some(StateReason::Expired) => DestroyedReason::Expired,
            Some(StateReason::Compromised) => DestroyedReason::Compromised,
        }
    }
}

/// Every reason of the core.
const REASONS: [StateReason; 6] = [
    StateReason::User,
    StateReason::System,
    StateReason::Lost,
    StateReason::Stolen,
    StateReason::Expired,
    StateReason::Compromised,
];

/// What an instrument can do, and why not everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ManagedInstrumentState)]
pub struct StateBody {
    pub(super) state: InstrumentState,
    /// Set while `BLOCKED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = BlockedReason, required = false)]
    pub(super) blocked_reason: Option<BlockedReason>,
    /// Set once `DESTROYED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = DestroyedReason, required = false)]
    pub(super) destroyed_reason: Option<DestroyedReason>,
}

impl StateBody {
    /// An account's state.
    pub(super) fn of(account: &Account) -> StateBody {
        let (state, reason) = (account.state, account.reason);
        StateBody {
            state: state.into(),
            blocked_reason: (state == AccountState::Blocked).then(|| BlockedReason::of(reason)),
            destroyed_reason: (state == AccountState::Destroyed)
                .then(|| DestroyedReason::of(reason)),
        }
    }
}

/// What is on an instrument, in the lowest unit of its currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ManagedInstrumentBalance)]
pub struct BalancesBody {
    /// What can be spent.
    #[schema(value_type = schemas::Minor)]
    pub(super) available_balance: i64,
    /// The same with what is held back.
    #[schema(value_type = schemas::Minor)]
    pub(super) actual_balance: i64,
}

impl BalancesBody {
    /// An account's balances.
    pub(super) fn of(account: &Account) -> BalancesBody {
        BalancesBody {
            available_balance: account.available(),
            actual_balance: account.balance,
        }
    }
}

/// The filters that both lists have. Ids of 0 are nobody's; empty lists are everything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct InstrumentFilter {
    pub offset: u32,
    /// 1 to 100.
    pub limit: u32,
    pub profile: Option<u64>,
    pub friendly_name: Option<String>,
    pub states: Vec<InstrumentState>,
    pub blocked_reasons: Vec<BlockedReason>,
    pub destroyed_reasons: Vec<DestroyedReason>,
    /// Three capitals, perhaps of no currency.
    pub currency: Option<String>,
    /// Milliseconds; both ends are included.
    pub created_from: Option<i64>,
    pub created_to: Option<i64>,
    pub tag: Option<String>,
}

impl InstrumentFilter {
    /// Reads them from a query string.
    pub(super) fn read(query: &mut Query) -> InstrumentFilter {
        InstrumentFilter {
            offset: query.offset(),
            limit: query.limit(),
            profile: query.id("profileId", &rules::PROFILE_ID),
            friendly_name: query.text("friendlyName", &rules::FRIENDLY_NAME),
            states: query.choices("state", STATES),
            blocked_reasons: query.choices("state.blockedReason", BLOCKED_REASONS),
            destroyed_reasons: query.choices("state.destroyedReason", DESTROYED_REASONS),
            currency: query.text("currency", &rules::CURRENCY),
            created_from: query.millis("createdFrom"),
            created_to: query.millis("createdTo"),
            tag: query.text("tag", &rules::WANTED),
        }
    }
}

impl InstrumentFilter {
    /// The identity's accounts of these kinds that match; `None` when none can.
    pub(super) fn query(self, actor: &Actor, kinds: Vec<AccountKind>) -> Option<AccountQuery> {
        let currency = match self.currency.as_deref().map(Currency::parse) {
            None => None,
            Some(Ok(currency)) => Some(currency),
            Some(Err(_)) => return None,
        };
        let blocked = REASONS.into_iter().filter(|reason| {
            self.blocked_reasons
                .contains(&BlockedReason::of(Some(*reason)))
        });
        let blocked = blocked.map(|reason| (AccountState::Blocked, reason));
        let destroyed = REASONS.into_iter().filter(|reason| {
            self.destroyed_reasons
                .contains(&DestroyedReason::of(Some(*reason)))
        });
        let destroyed = destroyed.map(|reason| (AccountState::Destroyed, reason));
        Some(AccountQuery {
            owner: Some(actor.owner),
            kinds,
            currency,
            profile: self.profile.map(ProfileId::new),
            name: self.friendly_name.map(Arc::from),
            tag: self.tag.map(Arc::from),
            states: self.states.into_iter().map(AccountState::from).collect(),
            reasons: blocked.chain(destroyed).collect(),
            created_from: self.created_from.map(Millis),
            created_to: self.created_to.map(Millis),
            newest_first: true,
            offset: usize::try_from(self.offset).unwrap_or(usize::MAX),
            limit: usize::try_from(self.limit).unwrap_or(usize::MAX),
            ..AccountQuery::new(actor.tenant)
        })
    }
}

/// What can be done to an instrument without a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Stop it for now.
    Block,
    /// Lift the user's block.
    Unblock,
    /// Close it for good.
    Remove,
}

/// Answers a request to block, unblock or remove an instrument of this class.
pub(super) async fn step(
    app: &App,
    (class, step): (InstrumentClass, Step),
    (surface, request): (Surface, RequestRef),
    id: PathText,
    parts: &Parts,
    body: Body,
) -> Response {
    let asked: Result<(), Failure> = async {
        let call = auth::call(app, &parts.headers, surface)?;
        body::nothing(body).await?;
        // Removing has no reference: doing it again is refused by itself.
        let reference = match step {
            Step::Block | Step::Unblock => idempotency::reference(&parts.headers),
            Step::Remove => Ok(None),
        };
        let (id, reference) = both(path_id("id", id), reference)?;
        let reference = idempotency::bind(reference, request);
        let (actor, id, reference) = (call.actor(), AccountId::new(id), reference.as_ref());
        let service = app.service();
        match step {
            Step::Block => service.block_instrument(&actor, class, id, reference).await,
            Step::Unblock => {
                service
                    .unblock_instrument(&actor, class, id, reference)
                    .await
            }
            Step::Remove => service.remove_instrument(&actor, class, id).await,
        }?;
        Ok(())
    }
    .await;
    match asked {
        Ok(()) => done(),
        Err(failure) => errors::respond(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_is_read() {
        let text = "offset=1&limit=2&profileId=3&friendlyName=Main&state[]=ACTIVE&state=BLOCKED\
                    &state.blockedReason[]=USER&state.blockedReason[]=LOST\
                    &state.destroyedReason=EXPIRED&currency=EUR&createdFrom=4&createdTo=5&tag=t";
        let mut query = Query::parse(Some(text));
        let filter = InstrumentFilter::read(&mut query);
        assert_eq!(query.finish(), Ok(()));
        let expected = InstrumentFilter {
            offset: 1,
            limit: 2,
            profile: Some(3),
            friendly_name: Some("Main".to_owned()),
            states: vec![InstrumentState::Active, InstrumentState::Blocked],
            blocked_reasons: vec![BlockedReason::User, BlockedReason::Lost],
            destroyed_reasons: vec![DestroyedReason::Expired],
            currency: Some("EUR".to_owned()),
            created_from: Some(4),
            created_to: Some(5),
            tag: Some("t".to_owned()),
        };
        assert_eq!(filter, expected);
    }

    #[test]
    fn every_wrong_filter_is_told() {
        let text = "offset=-1&limit=0&profileId=x&friendlyName=&state=ALIVE\
                    &state.blockedReason=STOLEN&state.destroyedReason=BORED&currency=eur\
                    &createdFrom=x&createdTo=&tag=%00";
        let mut query = Query::parse(Some(text));
        InstrumentFilter::read(&mut query);
        let faults = query.finish().expect_err("all is wrong");
        assert_eq!(faults.len(), 11, "{faults:?}");
    }

    #[test]
    fn reasons_are_left_out_while_active() {
        let state = StateBody {
            state: AccountState::Active.into(),
            blocked_reason: None,
            destroyed_reason: None,
        };
        let text = serde_json::to_string(&state).expect("names are texts");
        assert_eq!(text, r#"{"state":"ACTIVE"}"#);
        let state = StateBody {
            state: AccountState::Blocked.into(),
            blocked_reason: Some(BlockedReason::User),
            destroyed_reason: None,
        };
        let text = serde_json::to_string(&state).expect("names are texts");
        assert_eq!(text, r#"{"state":"BLOCKED","blockedReason":"USER"}"#);
    }
}
