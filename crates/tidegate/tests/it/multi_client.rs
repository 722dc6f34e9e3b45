//! Calls of the Multi dialect as its clients make them, and its answers as tests expect them.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, Reply, Server};

/// The API of users.
const MULTI: &str = "/multi";
/// The API of the programme itself.
const BACK_OFFICE: &str = "/multi/backoffice";
/// What the world outside does.
const SIMULATOR: &str = "/simulate/api";

/// The password of users made here.
pub const PASSWORD: &str = "Pa55word!";

/// A programme's key and perhaps a user's token, to call one of the APIs with.
#[derive(Clone)]
pub struct MultiClient<'a> {
    server: &'a Server,
    base: &'static str,
    key: String,
    token: Option<String>,
}

impl<'a> MultiClient<'a> {
    /// With a key that is there, and no token.
    pub fn new(server: &'a Server, key: &str) -> MultiClient<'a> {
        MultiClient {
            server,
            base: MULTI,
            key: key.to_owned(),
            token: None,
        }
    }

    /// The programme at its Back Office, without a token.
    pub fn back_office(&self) -> MultiClient<'a> {
        MultiClient {
            base: BACK_OFFICE,
            token: None,
            ..self.clone()
        }
    }

    /// The programme at the simulator.
    pub fn simulator(&self) -> MultiClient<'a> {
        MultiClient {
            base: SIMULATOR,
            token: None,
            ..self.clone()
        }
    }

    /// The same caller at another server.
    pub fn at<'b>(&self, server: &'b Server) -> MultiClient<'b> {
        MultiClient {
            server,
            base: self.base,
            key: self.key.clone(),
            token: self.token.clone(),
        }
    }

    /// The same programme with a token.
    pub fn with_token(&self, token: &str) -> MultiClient<'a> {
        MultiClient {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same programme as a user.
    pub async fn login(&self, email: &str, password: &str) -> MultiClient<'a> {
        let body = json!({"email": email, "password": {"value": password}});
        let answer = self.post("/login_with_password", &body).await.expect(200);
        self.with_token(answer["token"].as_str().expect("a token"))
    }

    /// Makes a corporate that is verified in every way, and answers it as the API does. Its root
    /// user has [`PASSWORD`].
    pub async fn corporate(&self, profile: &str, email: &str) -> Value {
        let body = corporate(profile, email);
        self.ready("corporates", &body).await
    }

    /// Makes a consumer that is verified in every way, and answers it as the API does. The consumer
    /// has [`PASSWORD`].
    pub async fn consumer(&self, profile: &str, email: &str) -> Value {
        let body = json!({
            "profileId": profile,
            "rootUser": {
                "name": "John", "surname": "Doe", "email": email,
                "mobile": {"countryCode": "+44", "number": "7979797979"},
                "dateOfBirth": {"year": 1990, "month": 1, "day": 31},
                "address": {"addressLine1": "1 High Street", "city": "London",
                            "postCode": "N1 1AA", "country": "GB"},
            },
            "acceptedTerms": true, "ipAddress": "127.0.0.1", "baseCurrency": "GBP",
        });
        self.ready("consumers", &body).await
    }

    /// Makes an identity and does all that it takes before it can have instruments.
    async fn ready(&self, plural: &str, body: &Value) -> Value {
        let identity = self.post(&format!("/{plural}"), body).await.expect(200);
        let verify = format!("/{plural}/verification/email");
        let email = json!({"email": body["rootUser"]["email"]});
        self.post(&format!("{verify}/send"), &email).await.bare(204);
        let code = json!({"email": email["email"], "verificationCode": "123456"});
        self.post(&format!("{verify}/verify"), &code)
            .await
            .bare(204);
        let id = identity["id"]["id"].as_str().expect("an id");
        let simulator = self.simulator();
        let path = format!("/{plural}/{id}/verify");
        simulator.act(&path).await.bare(204);
        let user = identity["rootUser"]["id"]["id"].as_str().expect("an id");
        let password = json!({"password": {"value": PASSWORD}});
        let path = format!("/passwords/{user}/create");
        self.post(&path, &password).await.expect(200);
        identity
    }

    /// At the Back Office, in the place of an identity: `{"type": …, "id": …}`.
    pub async fn acting_for(&self, identity: &Value) -> MultiClient<'a> {
        let office = self.back_office();
        let body = json!({"identity": identity});
        let answer = office.post("/access_token", &body).await.expect(200);
        office.with_token(answer["token"]["token"].as_str().expect("a token"))
    }

    /// The token.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("it has one")
    }

    /// A call with the credentials, to be changed before it is sent.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let call = Call::new(method, format!("{}{path}", self.base));
        let call = match self.base {
            SIMULATOR => call.header("programme-key", &self.key),
            _ => call.header("api-key", &self.key),
        };
        match &self.token {
            Some(token) => call.header("authorization", format!("Bearer {token}")),
            None => call,
        }
    }

    /// Sends a call, and holds it and its answer against the documents.
    pub async fn send(&self, call: Call) -> Reply {
        self.server.call(call).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.call(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(self.call(Method::POST, path).json(body)).await
    }

    /// `POST` with an `idempotency-ref`.
    pub async fn post_once(&self, reference: &str, path: &str, body: &Value) -> Reply {
        let call = self.call(Method::POST, path).json(body);
        self.send(call.header("idempotency-ref", reference)).await
    }

    /// `POST` without a body, as `/managed_accounts/9/block`.
    pub async fn act(&self, path: &str) -> Reply {
        self.send(self.call(Method::POST, path)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(self.call(Method::PATCH, path).json(body)).await
    }
}

/// The body of `POST /corporates`.
pub fn corporate(profile: &str, email: &str) -> Value {
    json!({
        "profileId": profile,
        "rootUser": {
            "name": "Jane", "surname": "Doe", "email": email, "companyPosition": "DIRECTOR",
            "mobile": {"countryCode": "+356", "number": "79797979"},
        },
        "company": {
            "name": "Acme Ltd", "type": "LLC", "registrationNumber": "C12345",
            "registrationCountry": "MT",
        },
        "acceptedTerms": true, "ipAddress": "127.0.0.1", "baseCurrency": "EUR",
    })
}

/// One entry of a 400: field, rule, bounds.
pub type FieldFault = (String, String, Vec<String>);

impl Reply {
    /// Checks an answer that has a status and nothing to say.
    #[track_caller]
    pub fn bare(&self, status: u16) {
        assert_eq!(self.expect(status), Value::Null, "a body");
    }

    /// Checks a refusal by the state of things: `{"errorCode": …}` and nothing else.
    #[track_caller]
    pub fn conflict(&self, code: &str) {
        assert_eq!(self.expect(409), json!({"errorCode": code}));
    }

    /// Checks a refusal with a code and a message.
    #[track_caller]
    pub fn coded(&self, status: u16, code: &str) {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{body}");
        assert!(
            body["message"].as_str().is_some_and(|it| !it.is_empty()),
            "{body}"
        );
    }

    /// The entries of a 400, in the form of any of the APIs. There is at least one, and a message.
    #[track_caller]
    pub fn faults(&self) -> Vec<FieldFault> {
        let body = self.expect(400);
        let message = body["message"].as_str().expect("a message");
        assert!(!message.is_empty(), "{body}");
        let entry = |name: &Value, error: &Value, params: &Value| {
            let params = params.as_array().expect("a list").iter();
            let params = params.map(|param| param.as_str().expect("a text").to_owned());
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            (text(name), text(error), params.collect())
        };
        let faults: Vec<FieldFault> = match &body["validation"] {
            Value::Null => list(&body["syntaxErrors"]["invalidFields"])
                .map(|it| entry(&it["fieldName"], &it["error"], &it["params"]))
                .collect(),
            validation => {
                assert_eq!(validation["invalid"], true, "{body}");
                list(&validation["fields"])
                    .flat_map(|field| list(&field["errors"]).map(move |it| (&field["name"], it)))
                    .map(|(name, it)| entry(name, &it["type"], &it["params"]))
                    .collect()
            }
        };
        assert!(!faults.is_empty(), "{body}");
        faults
    }

    /// Checks that exactly these fields are refused, each by its rule, in this order.
    #[track_caller]
    pub fn invalid(&self, expected: &[(&str, &str)]) {
        let faults = self.faults();
        let found: Vec<(&str, &str)> = faults
            .iter()
            .map(|(field, rule, _)| (&**field, &**rule))
            .collect();
        assert_eq!(found, expected, "{}", self.text());
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[tokio::test]
async fn a_client_shows_what_it_has() {
    let server = Server::new().await;
    let programme = MultiClient::new(&server, "k");
    let user = programme.with_token("t");
    let shown = |client: &MultiClient<'_>, path: &str| {
        let call = client.call(Method::GET, path);
        let named = |name: &&str| call.headers.iter().any(|(known, _)| known == *name);
        let names = ["api-key", "programme-key", "authorization"];
        let names: Vec<&str> = names.iter().filter(|name| named(name)).copied().collect();
        (call.path, names)
    };
    let path = |path: &str| path.to_owned();
    assert_eq!(
        shown(&programme, "/transfers"),
        (path("/multi/transfers"), vec!["api-key"])
    );
    assert_eq!(
        shown(&user, "/transfers"),
        (path("/multi/transfers"), vec!["api-key", "authorization"])
    );
    assert_eq!(
        shown(&user.back_office(), "/transfers"),
        (path("/multi/backoffice/transfers"), vec!["api-key"])
    );
    assert_eq!(
        shown(&user.simulator(), "/x"),
        (path("/simulate/api/x"), vec!["programme-key"])
    );
    // Every way of calling reaches the server and its contract.
    let (nothing, body) = ("/nothing", json!({}));
    user.get(nothing).await.coded(404, "NOT_FOUND");
    user.act(nothing).await.coded(404, "NOT_FOUND");
    user.post(nothing, &body).await.coded(404, "NOT_FOUND");
    user.patch(nothing, &body).await.coded(404, "NOT_FOUND");
    user.post_once("1", nothing, &body)
        .await
        .coded(404, "NOT_FOUND");
}

#[cfg(test)]
mod expectations {
    use axum::body::Bytes;
    use axum::http::HeaderMap;

    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        let bytes = Bytes::copy_from_slice(body.as_bytes());
        Reply::new("a test".to_owned(), status, HeaderMap::new(), bytes)
    }

    const FAULTS: &str = r#"{"message":"no","syntaxErrors":{"invalidFields":[
        {"fieldName":"tag","error":"SIZE","params":["0","50"]},
        {"fieldName":"tag","error":"REGEX","params":[]}]}}"#;

    #[test]
    fn what_is_expected_is_found() {
        reply(409, r#"{"errorCode":"AMOUNT_INVALID"}"#).conflict("AMOUNT_INVALID");
        reply(404, r#"{"code":"X","message":"no"}"#).coded(404, "X");
        reply(401, "").bare(401);
        reply(400, FAULTS).invalid(&[("tag", "SIZE"), ("tag", "REGEX")]);
        assert_eq!(reply(400, FAULTS).faults()[0].2, ["0", "50"]);
        let simulator = r#"{"message":"no","validation":{"invalid":true,"fields":[
            {"name":"x","errors":[{"type":"REQUIRED","params":[]}]}]}}"#;
        reply(400, simulator).invalid(&[("x", "REQUIRED")]);
    }

    #[test]
    #[should_panic(expected = "REGEX")]
    fn a_fault_too_many_is_seen() {
        reply(400, FAULTS).invalid(&[("tag", "SIZE")]);
    }

    #[test]
    #[should_panic(expected = "AMOUNT_INVALID")]
    fn another_conflict_is_seen() {
        reply(409, r#"{"errorCode":"AMOUNT_INVALID"}"#).conflict("FUNDS_INSUFFICIENT");
    }

    #[test]
    #[should_panic(expected = "a body")]
    fn a_body_is_seen() {
        reply(401, "{}").bare(401);
    }
}
