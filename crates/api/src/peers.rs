//! Before authentication, where several servers share a store: a key or token that another server
//! has just made is looked for. With one server there is nothing to look for and nothing is wrapped.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn};
use axum::response::Response;

use crate::App;

/// How a dialect answers when the store cannot be asked.
pub(crate) type Refuse = fn(&App, &HeaderMap, service::Error) -> Response;

/// Wraps a dialect's routes.
pub(crate) fn acquainted(router: Router, app: &Arc<App>, refuse: Refuse) -> Router {
    if !app.service().has_peers() {
        return router;
    }
    let app = Arc::clone(app);
    router.layer(from_fn(move |request: Request, next: Next| {
        let app = Arc::clone(&app);
        async move {
            let (key, token) = shown(request.headers());
            match app.service().acquaint(key, token).await {
                Ok(()) => next.run(request).await,
                Err(error) => refuse(&app, request.headers(), error),
            }
        }
    }))
}

/// The key and the token of a request, if it has any. What is malformed is told later.
pub(crate) fn shown(headers: &HeaderMap) -> (Option<&str>, Option<&str>) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = header(AUTHORIZATION.as_str()).and_then(|text| text.split_once(' '));
    let credential = authorization.map(|(_, credential)| credential.trim());
    let own = header("programme-key").or_else(|| header("api-key"));
    match own {
        Some(key) => (Some(key), credential),
        None => (credential, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_shows_its_credentials_in_its_own_way() {
        let read = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().expect("a value"));
            }
            let (key, token) = shown(&headers);
            (key.map(str::to_owned), token.map(str::to_owned))
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(read(&[]), (None, None));
        assert_eq!(read(&[("authorization", "ApiKey k")]), (text("k"), None));
        let multi = [("api-key", "k"), ("authorization", "Bearer  t ")];
        assert_eq!(read(&multi), (text("k"), text("t")));
        assert_eq!(read(&[("programme-key", "p")]), (text("p"), None));
        assert_eq!(read(&[("authorization", "nothing")]), (None, None));
    }
}
