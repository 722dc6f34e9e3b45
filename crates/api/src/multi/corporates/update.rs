//! `PATCH /corporates`: changes the caller's business identity and its root user.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use service::multi::{IdentityKind, IdentityPatch};
use utoipa::ToSchema;

use super::wire::{
    CorporateBody, CorporateOf, CorporateRootUserBody, CorporateSourceOfFunds, INDUSTRIES,
    Industry, SOURCES,
};
use crate::App;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::body::{self, BODY_MAX};
use crate::multi::invalid::{InvalidField, both};
use crate::multi::people::{
    BusinessAddressBody, DateBody, MobileBody, business_address, kept, patch,
};
use crate::multi::request_ref::RequestRef;
use crate::multi::wire::succeed;
use crate::multi::{fields, rules, schemas};

/// What to change; what is absent stays. The first name to the brand are the root user's.
#[derive(ToSchema)]
#[schema(as = CorporateUpdateRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct UpdateCorporateBody {
    #[schema(value_type = Option<schemas::Tag>)]
    tag: Option<String>,
    industry: Option<Industry>,
    source_of_funds: Option<CorporateSourceOfFunds>,
    #[schema(value_type = Option<schemas::Free>)]
    source_of_funds_other: Option<String>,
    company_business_address: Option<BusinessAddressBody>,
    #[schema(value_type = Option<schemas::Free>)]
    fee_group: Option<String>,
    #[schema(value_type = Option<schemas::Currency>)]
    base_currency: Option<String>,
    #[schema(value_type = Option<schemas::ChangedName>)]
    name: Option<String>,
    #[schema(value_type = Option<schemas::ChangedName>)]
    surname: Option<String>,
    #[schema(value_type = Option<schemas::Email>)]
    email: Option<String>,
    mobile: Option<MobileBody<'static>>,
    date_of_birth: Option<DateBody>,
    /// Nothing is counted; not looked at.
    reset_mobile_counter: Option<bool>,
    #[schema(value_type = Option<schemas::Tag>)]
    user_tag: Option<String>,
    #[schema(value_type = Option<schemas::Locale>)]
    locale: Option<String>,
    #[schema(value_type = Option<schemas::Brand>)]
    brand: Option<String>,
}

/// Why it can be refused by the state of things.
pub(in crate::multi) const CONFLICTS: &[&str] = &[
    "FEE_GROUP_INVALID",
    "COUNTRY_INVALID",
    "EMAIL_NOT_UNIQUE",
    "ROOT_USER_ALREADY_VERIFIED",
    "MOBILE_OR_COUNTRY_CODE_INVALID",
    "UNSUPPORTED_CURRENCY",
];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    CorporateUpdateConflict = CONFLICTS;
}

/// Reads the body.
pub(in crate::multi) fn parse(
    bytes: &[u8],
    strict: bool,
) -> Result<IdentityPatch, Vec<InvalidField>> {
    fields::parse(bytes, strict, |fields| {
        fields.optional_flag("resetMobileCounter");
        IdentityPatch {
            tag: fields.optional_text("tag", &rules::TAG),
            industry: kept(
                fields.optional_choice("industry", INDUSTRIES),
                Industry::name,
            ),
            source_of_funds: kept(
                fields.optional_choice("sourceOfFunds", SOURCES),
                CorporateSourceOfFunds::name,
            ),
            source_of_funds_other: fields.optional_text("sourceOfFundsOther", &rules::FREE),
            business_address: fields.optional_object("companyBusinessAddress", business_address),
            fee_group: fields.optional_text("feeGroup", &rules::FREE),
            base_currency: fields.optional_text("baseCurrency", &rules::CURRENCY),
            root: patch(fields, &rules::CHANGED_NAME, "userTag"),
        }
    })
}

/// Update a corporate.
#[utoipa::path(
    patch, path = "/corporates", operation_id = "corporateUpdate", tag = "Corporates",
    params(("idempotency-ref" = inline(Option<schemas::IdempotencyRef>), Header)),
    request_body = UpdateCorporateBody,
    responses(
        (status = 200, description = "As it is now.", body = CorporateOf<'static, CorporateRootUserBody<'static>>),
        (status = 403, description = "The user's identity is no corporate."),
        (status = 409, description = "The state of things does not allow it. Once the corporate is verified, name, address, e-mail, number and birth of its root user and its own address stay.", body = CorporateUpdateConflict),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    Extension(request): Extension<RequestRef>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(update(&app, &request, &headers, body).await)
}

async fn update(app: &App, request: &RequestRef, headers: &HeaderMap, body: Body) -> Answer {
    let kind = IdentityKind::Corporate;
    let (programme, caller) = auth::user_of(app, headers, Some(kind))?;
    let bytes = body::json(headers, body, BODY_MAX).await?;
    let strict = programme.is_strict();
    let reference = auth::reference(headers, request);
    let (reference, wanted) = both(reference, parse(&bytes, strict))?;
    let changed = app
        .service()
        .change_identity(&caller, kind, &wanted, reference.as_ref());
    let changed = changed.await?;
    Ok(succeed(StatusCode::OK, &CorporateBody::new(&changed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_stays() {
        let nothing = parse(b"{}", true).expect("nothing is required");
        assert_eq!(nothing, IdentityPatch::default());
        let body = r#"{
            "tag": "t", "userTag": "u", "name": "Ada", "resetMobileCounter": true,
            "companyBusinessAddress": {"addressLine1": "1", "city": "V", "postCode": "",
                "country": "MT"}
        }"#;
        let patch = parse(body.as_bytes(), true).expect("it is good");
        assert_eq!(patch.tag.as_deref(), Some("t"));
        assert_eq!(patch.root.tag.as_deref(), Some("u"));
        assert_eq!(patch.root.name.as_deref(), Some("Ada"));
        assert!(patch.business_address.is_some());
        let faults = parse(br#"{"name":"Ada1","surname":"","industry":"X"}"#, true);
        assert_eq!(faults.map_err(|faults| faults.len()), Err(3));
    }
}
