//! Who is asking: the programme's key, then the user's token, then the programme's rate limit.

use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName};
use axum::response::Response;
use service::multi::{Actor, Caller, Entropy, IdentityKind, Programme, Reference, Surface};

use super::failure::Failure;
use super::invalid::InvalidField;
use super::request_ref::RequestRef;
use super::{errors, idempotency};
use crate::App;

const API_KEY: HeaderName = HeaderName::from_static("api-key");
const PROGRAMME_KEY: HeaderName = HeaderName::from_static("programme-key");

/// A call by a user of an identity.
pub(super) struct Call {
    /// The programme.
    pub programme: Programme,
    /// The user.
    pub caller: Caller,
    /// Whether fields that are not known are refused.
    pub strict: bool,
}

impl Call {
    /// The identity whose money is at stake.
    pub(super) fn actor(&self) -> Actor {
        Actor {
            tenant: self.caller.tenant,
            owner: self.caller.owner,
            key: Some(self.programme.key.id),
        }
    }
}

/// The user behind `api-key` and bearer token, with what else a call about money needs.
pub(super) fn call(app: &App, headers: &HeaderMap, surface: Surface) -> Result<Call, Failure> {
    let (programme, caller) = caller(app, headers, surface)?;
    let strict = programme.is_strict();
    Ok(Call {
        programme,
        caller,
        strict,
    })
}

/// What a handler answers.
pub(super) type Answer = Result<Response, Failure>;

/// The response of a handler.
pub(super) fn finish(answer: Answer) -> Response {
    answer.unwrap_or_else(errors::respond)
}

/// The response of a handler of the simulator.
pub(super) fn finish_simulator(answer: Answer) -> Response {
    answer.unwrap_or_else(errors::respond_simulator)
}

/// The programme behind `api-key`, for calls without a user.
pub(super) fn programme(app: &App, headers: &HeaderMap) -> Result<Programme, Failure> {
    let programme = known(app, headers)?;
    app.service().spend(&programme)?;
    Ok(programme)
}

/// The user behind `api-key` and bearer token, for operations whose 403 has a code.
pub(super) fn caller(
    app: &App,
    headers: &HeaderMap,
    surface: Surface,
) -> Result<(Programme, Caller), Failure> {
    let (programme, token) = known_with_token(app, headers)?;
    let caller = app.service().caller(&programme, token, surface)?;
    app.service().spend(&programme)?;
    Ok((programme, caller))
}

/// The user behind `api-key` and bearer token, for operations whose 403 says nothing.
pub(super) fn user(app: &App, headers: &HeaderMap) -> Result<(Programme, Caller), Failure> {
    user_of(app, headers, None)
}

/// The same, of an identity of one kind only.
pub(super) fn user_of(
    app: &App,
    headers: &HeaderMap,
    kind: Option<IdentityKind>,
) -> Result<(Programme, Caller), Failure> {
    let (programme, token) = known_with_token(app, headers)?;
    let caller = app.service().caller(&programme, token, Surface::Multi);
    let caller = caller.map_err(|error| match error.into() {
        Failure::ForbiddenUntil(_) => Failure::Forbidden,
        failure => failure,
    })?;
    if kind.is_some_and(|kind| caller.identity != kind) {
        return Err(Failure::Forbidden);
    }
    app.service().spend(&programme)?;
    Ok((programme, caller))
}

/// Whoever holds a token of the Multi API, although they may still have to choose an identity.
pub(super) fn holder(app: &App, headers: &HeaderMap) -> Result<(Programme, Caller), Failure> {
    let (programme, token) = known_with_token(app, headers)?;
    let caller = app.service().holder(&programme, token)?;
    if caller.surface != Surface::Multi {
        return Err(Failure::Forbidden);
    }
    app.service().spend(&programme)?;
    Ok((programme, caller))
}

/// The programme behind the simulator's `programme-key`, or `api-key`. Live programmes have none.
pub(super) fn simulator(app: &App, headers: &HeaderMap) -> Result<Programme, Failure> {
    let key = header(headers, &PROGRAMME_KEY).or_else(|| header(headers, &API_KEY));
    let programme = app.service().simulator(key.ok_or(Failure::Unauthorized)?)?;
    if programme.key.is_live {
        return Err(Failure::Forbidden);
    }
    app.service().spend(&programme)?;
    Ok(programme)
}

fn known(app: &App, headers: &HeaderMap) -> Result<Programme, Failure> {
    let key = header(headers, &API_KEY).ok_or(Failure::Unauthorized)?;
    Ok(app.service().programme(key)?)
}

/// The programme and the token beside its key. A token that is none is told before a key that may
/// not be used here: every 401 comes before every 403.
fn known_with_token<'h>(
    app: &App,
    headers: &'h HeaderMap,
) -> Result<(Programme, &'h str), Failure> {
    let programme = known(app, headers);
    if let Err(Failure::Unauthorized) = programme {
        return Err(Failure::Unauthorized);
    }
    let token = bearer(headers)?;
    if programme.is_err() && !app.service().is_token(token) {
        return Err(Failure::Unauthorized);
    }
    Ok((programme?, token))
}

/// A header's one value; of two none is guessed.
fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// The token of `Authorization: Bearer`.
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, Failure> {
    let (scheme, token) = header(headers, &AUTHORIZATION)
        .and_then(|text| text.split_once(' '))
        .ok_or(Failure::Unauthorized)?;
    if scheme.eq_ignore_ascii_case("Bearer") {
        Ok(token.trim())
    } else {
        Err(Failure::Unauthorized)
    }
}

/// Random bytes for a call that makes a token or a hash.
pub(super) fn entropy() -> Result<Entropy, Failure> {
    let mut bytes = [0; Entropy::BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        let reason = format!("the system gives no random bytes: {error}");
        Failure::Service(store::StoreError::Corrupt(Arc::from(reason)).into())
    })?;
    Ok(Entropy::from_bytes(bytes))
}

/// The caller's `idempotency-ref`, for the use case.
pub(super) fn reference(
    headers: &HeaderMap,
    request: &RequestRef,
) -> Result<Option<Reference>, Vec<InvalidField>> {
    let text = idempotency::reference(headers)?;
    Ok(text.map(|text| Reference::new(&text, request.text())))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_token_is_shown_as_a_bearers() {
        let read = |value: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            }
            bearer(&headers).map(str::to_owned).ok()
        };
        for good in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert_eq!(read(Some(good)).as_deref(), Some("abc"), "{good}");
        }
        for bad in [
            None,
            Some(""),
            Some("abc"),
            Some("Basic abc"),
            Some("Bearerabc"),
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
