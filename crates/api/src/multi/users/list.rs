//! `GET /users`: the users that were added to the caller's identity.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use service::multi::{UserPage, UserQuery};
use utoipa::ToSchema;

use super::wire::UserBody;
use crate::App;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::invalid::InvalidField;
use crate::multi::query::Query;
use crate::multi::wire::succeed;
use crate::multi::{rules, schemas};

/// A page of users.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UsersGetResponse)]
pub struct UsersBody<'a> {
    users: Vec<UserBody<'a>>,
    /// How many match in all.
    count: usize,
    /// How many are in this answer.
    response_count: usize,
}

impl<'a> From<&'a UserPage> for UsersBody<'a> {
    fn from(page: &'a UserPage) -> UsersBody<'a> {
        UsersBody {
            users: page.users.iter().map(UserBody::from).collect(),
            count: page.count,
            response_count: page.users.len(),
        }
    }
}

/// Reads the query string.
pub(in crate::multi) fn parse(query: Option<&str>) -> Result<UserQuery, Vec<InvalidField>> {
    let mut query = Query::parse(query);
    let list = UserQuery {
        offset: query.offset() as usize,
        limit: query.limit() as usize,
        active: query.flag("active"),
        email: query.text("email", &rules::EMAIL),
        tag: query.text("tag", &rules::WANTED),
    };
    query.finish()?;
    Ok(list)
}

/// Get all users.
#[utoipa::path(
    get, path = "/users", operation_id = "usersGet", tag = "Authorised Users",
    params(
        ("offset" = inline(Option<schemas::Offset>), Query),
        ("limit" = inline(Option<schemas::Limit>), Query),
        ("active" = Option<bool>, Query, description = "Who may log in, or may not."),
        ("email" = Option<schemas::Email>, Query, description = "With this address."),
        ("tag" = inline(Option<schemas::Wanted>), Query, description = "With exactly this tag."),
    ),
    responses((status = 200, description = "A page, oldest first.", body = UsersBody)),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    finish(list(&app, &headers, query.as_deref()).await)
}

async fn list(app: &App, headers: &HeaderMap, query: Option<&str>) -> Answer {
    let (_, caller) = auth::user(app, headers)?;
    let query = parse(query)?;
    let page = app.service().users(&caller, &query).await?;
    Ok(succeed(StatusCode::OK, &UsersBody::from(&page)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read() {
        let query = parse(Some("offset=2&limit=500&active=false&email=a%40b&tag=t"));
        let query = query.expect("they are good");
        assert_eq!((query.offset, query.limit), (2, 100));
        assert_eq!(query.active, Some(false));
        assert_eq!(query.email.as_deref(), Some("a@b"));
        assert_eq!(query.tag.as_deref(), Some("t"));
        let faults = parse(Some("offset=-1&limit=0&active=yes&email=a"));
        let faults = faults.expect_err("all are wrong");
        let names: Vec<&str> = faults.iter().map(|fault| fault.parts().0).collect();
        assert_eq!(names, ["offset", "limit", "active", "email", "email"]);
    }
}
