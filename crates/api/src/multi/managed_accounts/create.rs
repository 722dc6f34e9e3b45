//! `POST /managed_accounts`: opens an account under a profile.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{Account, Currency, InstrumentClass, ProfileId};
use service::multi::{Holder, NewInstrument, Surface};
use utoipa::ToSchema;

use super::wire::ManagedAccountBody;
use crate::multi::body::{self, BODY_MAX};
use crate::multi::failure::Failure;
use crate::multi::invalid::{InvalidField, both};
use crate::multi::request_ref::RequestRef;
use crate::multi::wire::succeed;
use crate::multi::{auth, errors, fields, idempotency, rules, schemas};
use crate::{App, metrics};

/// An account to open.
#[derive(ToSchema)]
#[schema(as = ManagedAccountCreateRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct CreateAccountBody {
    #[schema(value_type = schemas::ProfileId)]
    profile_id: String,
    #[schema(value_type = schemas::FriendlyName)]
    friendly_name: String,
    #[schema(value_type = schemas::Currency)]
    currency: String,
    #[schema(value_type = Option<schemas::Tag>)]
    tag: Option<String>,
}

/// What is asked for. Ids of 0 are nobody's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::multi) struct CreateAccount {
    pub profile: u64,
    pub friendly_name: String,
    /// Three capitals, perhaps of no currency.
    pub currency: String,
    pub tag: Option<String>,
}

impl CreateAccount {
    fn new_instrument(self) -> NewInstrument {
        NewInstrument {
            profile: ProfileId::new(self.profile),
            class: InstrumentClass::Account,
            name: Arc::from(self.friendly_name),
            currency: Currency::parse(&self.currency).ok(),
            parent: None,
            tag: self.tag.map(Arc::from),
            details: None,
            holder: Holder::default(),
            has_user_currency: false,
        }
    }
}

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    Extension(request): Extension<RequestRef>,
    parts: Parts,
    body: Body,
) -> Response {
    let answer = async {
        match create(&app, surface, request, &parts, body).await {
            Ok(account) => succeed(StatusCode::OK, &ManagedAccountBody::of(&account)),
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiCreateAccount", answer).await
}

async fn create(
    app: &App,
    surface: Surface,
    request: RequestRef,
    parts: &Parts,
    body: Body,
) -> Result<Account, Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let bytes = body::json(&parts.headers, body, BODY_MAX).await?;
    let (reference, new) = both(
        idempotency::reference(&parts.headers),
        parse(&bytes, call.strict),
    )?;
    let reference = idempotency::bind(reference, request);
    let (actor, new) = (call.actor(), new.new_instrument());
    let opened = app
        .service()
        .open_instrument(&actor, new, reference.as_ref());
    Ok(opened.await?)
}

/// Reads the body.
pub(in crate::multi) fn parse(
    bytes: &[u8],
    strict: bool,
) -> Result<CreateAccount, Vec<InvalidField>> {
    fields::parse(bytes, strict, |fields| CreateAccount {
        profile: fields.id("profileId", &rules::PROFILE_ID),
        friendly_name: fields.text("friendlyName", &rules::FRIENDLY_NAME),
        currency: fields.text("currency", &rules::CURRENCY),
        tag: fields.optional_text("tag", &rules::TAG),
    })
}

/// Why an account can be refused by the state of things.
pub(in crate::multi) const CONFLICTS: &[&str] = &[
    "PROFILE_NOT_FOUND",
    "PROFILE_INACTIVE",
    "MODEL_CONSTRAINTS_VIOLATED",
    "CURRENCY_NOT_SUPPORTED_BY_PROFILE",
    "PROVIDER_NOT_SUPPORTED_BY_PROFILE",
    "INSTRUMENT_NOT_FOUND",
    "OWNER_IDENTITY_NOT_VERIFIED",
    "IDENTITY_LIMITS_EXCEEDED",
    "PROGRAMME_LIMITS_EXCEEDED",
    "INNOVATOR_LIMITS_EXCEEDED",
    "SYSTEM_LIMITS_EXCEEDED",
];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    ManagedAccountCreateConflict = CONFLICTS;
}

/// Create a managed account.
#[utoipa::path(
    post, path = "/managed_accounts", operation_id = "managedAccountCreate", tag = "Managed Accounts",
    params(("idempotency-ref" = inline(Option<schemas::IdempotencyRef>), Header)),
    request_body = CreateAccountBody,
    responses(
        (status = 200, description = "Opened.", body = ManagedAccountBody),
        (status = 409, description = "The state of things does not allow it.", body = ManagedAccountCreateConflict),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi::invalid::message;

    #[test]
    fn every_field_is_read() {
        let body = r#"{"profileId":"1","friendlyName":"Main","currency":"EUR","tag":"t"}"#;
        let expected = CreateAccount {
            profile: 1,
            friendly_name: "Main".to_owned(),
            currency: "EUR".to_owned(),
            tag: Some("t".to_owned()),
        };
        assert_eq!(parse(body.as_bytes(), true), Ok(expected));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let faults = parse(b"{}", true).expect_err("three are required");
        assert_eq!(
            message(&faults),
            "profileId is required; friendlyName is required; currency is required"
        );
        let body = r#"{"profileId":1,"friendlyName":"","currency":"E","tag":"!","x":1}"#;
        let faults = parse(body.as_bytes(), true).expect_err("all is wrong");
        assert_eq!(faults.len(), 5);
    }
}
