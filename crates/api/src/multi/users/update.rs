//! `PATCH /users/{user_id}`: changes a user of the caller's identity.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use service::multi::PersonPatch;
use utoipa::ToSchema;

use super::wire::UserBody;
use crate::App;
use crate::http::PathText;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::body::{self, BODY_MAX};
use crate::multi::errors::ErrorBody;
use crate::multi::invalid::{InvalidField, both};
use crate::multi::people::{DateBody, MobileBody, patch};
use crate::multi::request_ref::RequestRef;
use crate::multi::wire::{path_id, succeed};
use crate::multi::{fields, rules, schemas};

/// What to change; what is absent stays.
#[derive(ToSchema)]
#[schema(as = UserUpdateRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct UpdateUserBody {
    #[schema(value_type = Option<schemas::PersonName>)]
    name: Option<String>,
    #[schema(value_type = Option<schemas::PersonName>)]
    surname: Option<String>,
    #[schema(value_type = Option<schemas::Email>)]
    email: Option<String>,
    mobile: Option<MobileBody<'static>>,
    date_of_birth: Option<DateBody>,
    #[schema(value_type = Option<schemas::Tag>)]
    tag: Option<String>,
    #[schema(value_type = Option<schemas::Locale>)]
    locale: Option<String>,
    #[schema(value_type = Option<schemas::Brand>)]
    brand: Option<String>,
}

/// Why it can be refused by the state of things.
pub(in crate::multi) const CONFLICTS: &[&str] =
    &["EMAIL_NOT_UNIQUE", "MOBILE_OR_COUNTRY_CODE_INVALID"];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    UserPatchConflict = CONFLICTS;
}

/// Reads the body.
pub(in crate::multi) fn parse(
    bytes: &[u8],
    strict: bool,
) -> Result<PersonPatch, Vec<InvalidField>> {
    fields::parse(bytes, strict, |fields| {
        patch(fields, &rules::PERSON_NAME, "tag")
    })
}

/// Update a user.
#[utoipa::path(
    patch, path = "/users/{user_id}", operation_id = "userUpdate", tag = "Authorised Users",
    params(
        ("user_id" = schemas::Id, Path, description = "The user."),
        ("idempotency-ref" = inline(Option<schemas::IdempotencyRef>), Header),
    ),
    request_body = UpdateUserBody,
    responses(
        (status = 200, description = "As it is now.", body = UserBody),
        (status = 404, description = "The caller's identity has no such user.", body = ErrorBody),
        (status = 409, description = "The state of things does not allow it.", body = UserPatchConflict),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    Extension(request): Extension<RequestRef>,
    id: PathText,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(update(&app, &request, id, &headers, body).await)
}

async fn update(
    app: &App,
    request: &RequestRef,
    id: PathText,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let (programme, caller) = auth::user(app, headers)?;
    let bytes = body::json(headers, body, BODY_MAX).await?;
    let strict = programme.is_strict();
    let reference = auth::reference(headers, request);
    let (reference, (id, wanted)) = both(
        reference,
        both(path_id("user_id", id), parse(&bytes, strict)),
    )?;
    let changed = app
        .service()
        .change_user(&caller, id, &wanted, reference.as_ref());
    Ok(succeed(StatusCode::OK, &UserBody::from(&changed.await?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_stays() {
        let nothing = parse(b"{}", true).expect("nothing is required");
        assert_eq!(nothing, PersonPatch::default());
        let patch = parse(br#"{"tag":"t","name":"Ada 2nd"}"#, true).expect("it is good");
        assert_eq!(patch.tag.as_deref(), Some("t"));
        assert_eq!(patch.name.as_deref(), Some("Ada 2nd"));
        assert!(parse(br#"{"name":""}"#, true).is_err());
    }
}
