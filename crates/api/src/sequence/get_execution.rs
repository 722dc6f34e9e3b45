//! `GET /rule-executions/{id}`: one run of a rule (sequence-api §5.3).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{Execution, ExecutionId};

use super::errors::Failure;
use super::list_executions::detail;
use super::{auth, envelope, ids, request_id};
use crate::http::{PathText, Query, path_text};
use crate::rules::Detail;
use crate::{App, metrics, rules};

/// Get one rule execution.
#[utoipa::path(
    get, path = "/rule-executions/{id}", operation_id = "getRuleExecution", tag = "Rule executions",
    params(
        ("id" = String, Path, description = "`rex_…`"),
        ("include" = Option<String>, Query, description = "`explanation`: how it came about."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 200, description = "The execution as it is now."),
        (status = 400, description = "The request is wrong.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "Its rule is not in the key's `READ_RULE_EXECUTIONS` resources.", body = super::envelope::ErrorEnvelope),
        (status = 404, description = "No such execution.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(State(app): State<Arc<App>>, execution: PathText, parts: Parts) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match find(&app, &parts, &path_text(execution), usable).await {
            Ok((run, detail)) => {
                let data = rules::execution(&run, detail, &ids::RULES);
                envelope::succeed(StatusCode::OK, &id, &id, data, None)
            }
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "getRuleExecution", answer).await
}

async fn find(
    app: &App,
    parts: &Parts,
    execution: &str,
    usable: Result<(), Failure>,
) -> Result<(Execution, Detail), Failure> {
    let key = auth::authenticate(app, &parts.headers)?;
    usable?;
    let mut query = Query::parse(parts.uri.query());
    let detail = detail(&mut query);
    if !query.faults.is_empty() {
        return Err(Failure::Invalid(query.faults));
    }
    let id = ids::read(ids::EXECUTION, execution).map(ExecutionId::new);
    Ok((app.service().execution(&key, id).await?, detail))
}
