//! `GET /identities`: the identities that the user may choose from.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use service::multi::IdentitySummary;
use utoipa::ToSchema;

use crate::App;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::people::IdentityIdBody;
use crate::multi::query::Query;
use crate::multi::schemas;
use crate::multi::wire::succeed;

/// An identity in the list.
#[derive(Serialize, ToSchema)]
#[schema(as = UserIdentity)]
pub struct UserIdentityBody {
    id: IdentityIdBody,
    /// The company's name, or the person's.
    name: String,
}

/// A page of identities.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UserIdentitiesGetResponse)]
pub struct UserIdentitiesBody {
    identities: Vec<UserIdentityBody>,
    /// How many there are in all.
    count: usize,
    /// How many are in this answer.
    response_count: usize,
}

impl UserIdentitiesBody {
    fn new(all: Vec<IdentitySummary>, offset: usize, limit: usize) -> UserIdentitiesBody {
        let count = all.len();
        let page = all.into_iter().skip(offset).take(limit);
        let identities: Vec<UserIdentityBody> = page
            .map(|identity| UserIdentityBody {
                id: IdentityIdBody::new(identity.identity, identity.owner.raw()),
                name: identity.name,
            })
            .collect();
        UserIdentitiesBody {
            response_count: identities.len(),
            identities,
            count,
        }
    }
}

/// Get user identities.
#[utoipa::path(
    get, path = "/identities", operation_id = "userIdentities", tag = "Access",
    params(
        ("offset" = inline(Option<schemas::Offset>), Query),
        ("limit" = inline(Option<schemas::Limit>), Query),
    ),
    responses((status = 200, description = "A page, oldest first.", body = UserIdentitiesBody)),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    finish(identities(&app, &headers, query.as_deref()).await)
}

async fn identities(app: &App, headers: &HeaderMap, query: Option<&str>) -> Answer {
    let (_, caller) = auth::holder(app, headers)?;
    let mut query = Query::parse(query);
    let (offset, limit) = (query.offset() as usize, query.limit() as usize);
    query.finish()?;
    let all = app.service().identities_of(&caller).await?;
    let body = UserIdentitiesBody::new(all, offset, limit);
    Ok(succeed(StatusCode::OK, &body))
}
