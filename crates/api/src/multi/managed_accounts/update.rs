//! `PATCH /managed_accounts/{id}`: changes a tag or a name.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{Account, AccountId, InstrumentClass};
use service::multi::{InstrumentChange, Surface};
use utoipa::ToSchema;

use super::wire::ManagedAccountBody;
use crate::http::PathText;
use crate::multi::body::{self, BODY_MAX};
use crate::multi::errors::{self, ErrorBody};
use crate::multi::failure::Failure;
use crate::multi::invalid::{InvalidField, both};
use crate::multi::wire::{path_id, succeed};
use crate::multi::{auth, fields, rules, schemas};
use crate::{App, metrics};

/// What to change; what is absent stays.
#[derive(ToSchema)]
#[schema(as = ManagedAccountUpdateRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct UpdateAccountBody {
    #[schema(value_type = Option<schemas::Tag>)]
    tag: Option<String>,
    #[schema(value_type = Option<schemas::FriendlyName>)]
    friendly_name: Option<String>,
}

/// What is asked for; `None` leaves a field as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::multi) struct UpdateAccount {
    pub tag: Option<String>,
    pub friendly_name: Option<String>,
}

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    id: PathText,
    parts: Parts,
    body: Body,
) -> Response {
    let answer = async {
        match update(&app, surface, id, &parts, body).await {
            Ok(account) => succeed(StatusCode::OK, &ManagedAccountBody::of(&account)),
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiUpdateAccount", answer).await
}

async fn update(
    app: &App,
    surface: Surface,
    id: PathText,
    parts: &Parts,
    body: Body,
) -> Result<Account, Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let bytes = body::json(&parts.headers, body, BODY_MAX).await?;
    let (id, update) = both(path_id("id", id), parse(&bytes, call.strict))?;
    let change = InstrumentChange {
        name: update.friendly_name.map(Arc::from),
        tag: update.tag.map(Arc::from),
        ..InstrumentChange::default()
    };
    let (actor, id) = (call.actor(), AccountId::new(id));
    let class = InstrumentClass::Account;
    let changed = app
        .service()
        .change_instrument(&actor, class, id, change, |_| None);
    changed.await.map_err(|error| match error {
        // Changing an account has no conflict codes in the published data.
        service::multi::Error::Conflict(conflict) => Failure::State(conflict.code()),
        other => other.into(),
    })
}

/// Reads the body.
pub(in crate::multi) fn parse(
    bytes: &[u8],
    strict: bool,
) -> Result<UpdateAccount, Vec<InvalidField>> {
    fields::parse(bytes, strict, |fields| UpdateAccount {
        tag: fields.optional_text("tag", &rules::TAG),
        friendly_name: fields.optional_text("friendlyName", &rules::FRIENDLY_NAME),
    })
}

/// Update a managed account.
#[utoipa::path(
    patch, path = "/managed_accounts/{id}", operation_id = "managedAccountUpdate", tag = "Managed Accounts",
    params(("id" = schemas::Id, Path, description = "The account.")),
    request_body = UpdateAccountBody,
    responses(
        (status = 200, description = "As it is now.", body = ManagedAccountBody),
        (status = 404, description = "The caller's identity has no such account.", body = ErrorBody),
        (status = 409, description = "The account is gone for good.", body = ErrorBody),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_given_changes_nothing() {
        let read = |body: &str| parse(body.as_bytes(), true);
        let nothing = UpdateAccount {
            tag: None,
            friendly_name: None,
        };
        assert_eq!(read("{}"), Ok(nothing.clone()));
        assert_eq!(read(r#"{"tag":null,"friendlyName":null}"#), Ok(nothing));
        let both = read(r#"{"tag":"t","friendlyName":"n"}"#).expect("both are fine");
        assert_eq!(
            (both.tag.as_deref(), both.friendly_name.as_deref()),
            (Some("t"), Some("n"))
        );
        assert_eq!(
            read(r#"{"tag":"","friendlyName":""}"#).map_err(|f| f.len()),
            Err(2)
        );
    }
}
