//! `POST /users`: adds a user to the caller's identity.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use service::multi::Person;
use utoipa::ToSchema;

use super::wire::UserBody;
use crate::App;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::body::{self, BODY_MAX};
use crate::multi::invalid::{InvalidField, both};
use crate::multi::people::{DateBody, MobileBody, person};
use crate::multi::request_ref::RequestRef;
use crate::multi::wire::succeed;
use crate::multi::{fields, rules, schemas};

/// A user to add.
#[derive(ToSchema)]
#[schema(as = UserCreateRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct CreateUserBody {
    #[schema(value_type = schemas::PersonName)]
    name: String,
    #[schema(value_type = schemas::PersonName)]
    surname: String,
    #[schema(value_type = schemas::Email)]
    email: String,
    mobile: Option<MobileBody<'static>>,
    date_of_birth: Option<DateBody>,
    #[schema(value_type = Option<schemas::Tag>)]
    tag: Option<String>,
    #[schema(value_type = Option<schemas::Country>)]
    country_of_residence: Option<String>,
    #[schema(value_type = Option<schemas::Locale>)]
    locale: Option<String>,
    #[schema(value_type = Option<schemas::Brand>)]
    brand: Option<String>,
}

/// Why it can be refused by the state of things.
pub(in crate::multi) const CONFLICTS: &[&str] = &[
    "EMAIL_NOT_UNIQUE",
    "MOBILE_OR_COUNTRY_CODE_INVALID",
    "COUNTRY_OF_RESIDENCE_INVALID",
];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    UserCreateConflict = CONFLICTS;
}

/// Reads the body.
pub(in crate::multi) fn parse(bytes: &[u8], strict: bool) -> Result<Person, Vec<InvalidField>> {
    fields::parse(bytes, strict, |fields| Person {
        country_of_residence: fields.optional_text("countryOfResidence", &rules::COUNTRY),
        ..person(fields, false)
    })
}

/// Create a user.
#[utoipa::path(
    post, path = "/users", operation_id = "userCreate", tag = "Authorised Users",
    params(("idempotency-ref" = inline(Option<schemas::IdempotencyRef>), Header)),
    request_body = CreateUserBody,
    responses(
        (status = 200, description = "Added. They may log in once they have a password.", body = UserBody),
        (status = 409, description = "The state of things does not allow it.", body = UserCreateConflict),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    Extension(request): Extension<RequestRef>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(create(&app, &request, &headers, body).await)
}

async fn create(app: &App, request: &RequestRef, headers: &HeaderMap, body: Body) -> Answer {
    let (programme, caller) = auth::user(app, headers)?;
    let bytes = body::json(headers, body, BODY_MAX).await?;
    let strict = programme.is_strict();
    let reference = auth::reference(headers, request);
    let (reference, new) = both(reference, parse(&bytes, strict))?;
    let made = app.service().create_user(&caller, new, reference.as_ref());
    Ok(succeed(StatusCode::OK, &UserBody::from(&made.await?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi::invalid::message;

    #[test]
    fn a_user_needs_a_name_and_an_address() {
        let body = r#"{"name":"Ada","surname":"Byron","email":"ada@example.com",
            "countryOfResidence":"MT"}"#;
        let person = parse(body.as_bytes(), true).expect("it is good");
        assert_eq!(person.country_of_residence.as_deref(), Some("MT"));
        assert!(person.mobile.is_none());
        let faults = parse(br#"{"mobile":{}}"#, true).expect_err("much is required");
        assert_eq!(
            message(&faults),
            "name is required; surname is required; email is required; \
             mobile.countryCode is required; mobile.number is required"
        );
    }
}
