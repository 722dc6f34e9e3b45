//! What the vendor of the Multi dialect published, held against every exchange of the tests.
//!
//! The files beside this one are excerpts of its OpenAPI data. An answer must have a status that the
//! operation documents, its headers and its body, to the member; a call that succeeded must be one
//! that the vendor's clients could have sent. Where this server decides otherwise the row stands in
//! [`deviations::DEVIATIONS`], with its reason.

mod deviations;
mod document;
mod request;
mod tests;

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::harness::{Call, Reply};
use crate::openapi::operation;
use crate::schema;
use deviations::Instead;

/// One of the vendor's APIs.
pub struct Contract {
    /// The beginning of its paths, such as `/multi`.
    pub base: String,
    document: Value,
    /// The response to a path or method that is none.
    stray: Value,
}

/// A response as some document has it, under a status or as `default`.
struct Promise<'a> {
    document: &'a Value,
    status: String,
    response: &'a Value,
}

/// The APIs, the longer path first where one begins with another's.
pub fn contracts() -> &'static [Contract] {
    static CONTRACTS: LazyLock<[Contract; 3]> = LazyLock::new(|| {
        [
            Contract::read(include_str!("contract/backoffice.json"), "Error"),
            Contract::read(include_str!("contract/simulator.json"), "DefaultError"),
            Contract::read(include_str!("contract/multi-3.63.4.json"), "Error"),
        ]
    });
    &*CONTRACTS
}

/// The Multi API itself.
fn multi() -> &'static Contract {
    let multi = contracts().iter().find(|api| api.base == "/multi");
    multi.expect("it is one of them")
}

/// Panics unless the exchange is one of the contract, or on a path that is none of its APIs'.
#[track_caller]
pub fn check(call: &Call, reply: &Reply) {
    if let Err(fault) = examine(call, reply) {
        let (method, path, status) = (&call.method, &call.path, reply.status);
        let said = String::from_utf8_lossy(&call.body);
        panic!(
            "{method} {path} {said:.2000} → {status} {:.2000}: {fault}",
            reply.text()
        );
    }
}

/// The first fault of an exchange.
pub fn examine(call: &Call, reply: &Reply) -> Result<(), String> {
    let path = call.path.split(['?', '#']).next().unwrap_or_default();
    let found = contracts().iter().find_map(|api| {
        let rest = path.strip_prefix(&api.base)?;
        (rest.is_empty() || rest.starts_with('/')).then_some((api, rest))
    });
    let Some((api, path)) = found else {
        return Ok(());
    };
    if reply.header("request-ref").is_none_or(str::is_empty) {
        return Err("no request-ref".to_owned());
    }
    if call.method == "HEAD" {
        let empty = reply.bytes.is_empty();
        return empty.then_some(()).ok_or_else(|| "a body".to_owned());
    }
    if deviations::is_added(call.method.as_str(), path) {
        return Ok(());
    }
    let Some(operation) = operation(&api.document, call.method.as_str(), path) else {
        return match reply.status {
            404 | 405 => api.keeps("", &api.promise_of("default", &api.stray), reply),
            _ => Err("an operation that is not in the data".to_owned()),
        };
    };
    let name = operation.name();
    let promise = api.promise(&name, &operation.data["responses"], reply.status);
    let promise = promise.ok_or("a status that is not documented")?;
    api.keeps(&name, &promise, reply)?;
    if reply.status < 300 {
        let unlike = request::examine(api, &operation, path, call).err();
        return match (unlike, call.odd) {
            (Some(fault), false) => Err(format!("accepted, though no client sends it: {fault}")),
            (None, true) => Err("said to be odd, though clients may send it".to_owned()),
            _ => Ok(()),
        };
    }
    Ok(())
}

impl Contract {
    fn read(text: &str, error: &'static str) -> Contract {
        let document: Value = serde_json::from_str(text).expect("JSON");
        let url = document["servers"][0]["url"].as_str().expect("a server");
        let host = url.strip_prefix("https://").expect("a whole address");
        let (_, base) = host.split_once('/').expect("a path");
        let schema = json!({"$ref": format!("#/components/schemas/{error}")});
        Contract {
            base: format!("/{base}"),
            document,
            stray: json!({"content": {"application/json": {"schema": schema}}}),
        }
    }

    fn promise_of<'a>(&'a self, status: &str, response: &'a Value) -> Promise<'a> {
        Promise {
            document: &self.document,
            status: status.to_owned(),
            response: schema::resolve(&self.document, response),
        }
    }

    /// What answers a status: what a deviation says, the data for it, or the data for all others.
    fn promise<'a>(
        &'a self,
        operation: &str,
        responses: &'a Value,
        status: u16,
    ) -> Option<Promise<'a>> {
        [&*status.to_string(), "default"].iter().find_map(|status| {
            let instead = deviations::of(&self.base, operation, status)
                .find_map(|row| match row.instead {
                    Instead::Response(name) => Some(name),
                    _ => None,
                })
                .map(|name| {
                    let response = &multi().document["components"]["responses"][name];
                    multi().promise_of(status, response)
                });
            instead.or_else(|| Some(self.promise_of(status, responses.get(status)?)))
        })
    }

    /// Whether an answer is as promised, or as this server decides.
    fn keeps(&self, operation: &str, promise: &Promise<'_>, reply: &Reply) -> Result<(), String> {
        promise.headers(reply)?;
        let kept = promise.body(reply, None);
        if kept.is_ok() {
            return kept;
        }
        let status = reply.status.to_string();
        let decided = [&status, &promise.status].into_iter().any(|status| {
            deviations::of(&self.base, operation, status).any(|row| match row.instead {
                Instead::NoBody => nothing(reply).is_ok(),
                Instead::Member(name) => promise.body(reply, Some(name)).is_ok(),
                Instead::Response(_) => false,
            })
        });
        if decided { Ok(()) } else { kept }
    }
}

impl Promise<'_> {
    fn headers(&self, reply: &Reply) -> Result<(), String> {
        let headers = self.response["headers"].as_object();
        for (name, header) in headers.into_iter().flatten() {
            let header = schema::resolve(self.document, header);
            match reply.header(name) {
                None if header["required"] == true => return Err(format!("no header {name}")),
                None => {}
                Some(text) => request::fits_text(self.document, &header["schema"], text)
                    .map_err(|fault| format!("header {name}: {fault}"))?,
            }
        }
        Ok(())
    }

    /// Checks a body, but for one member.
    fn body(&self, reply: &Reply, but: Option<&str>) -> Result<(), String> {
        let Some(content) = self.response["content"].as_object() else {
            return nothing(reply);
        };
        let declared = reply.header("content-type").unwrap_or("nothing");
        let essence = declared.split(';').next().unwrap_or_default().trim();
        let Some(media) = content.get(essence) else {
            return Err(format!("{declared} as content type"));
        };
        match essence {
            "application/json" => self.json(&media["schema"], reply, but),
            _ if reply.bytes.is_empty() => Err("no body".to_owned()),
            _ => Ok(()),
        }
    }

    fn json(&self, schema: &Value, reply: &Reply, but: Option<&str>) -> Result<(), String> {
        let body = serde_json::from_slice(&reply.bytes);
        let mut body: Value = body.map_err(|error| format!("the body is no JSON: {error}"))?;
        if let (Some(name), Some(object)) = (but, body.as_object_mut()) {
            object.remove(name);
        }
        schema::fits(self.document, schema, &body)
    }
}

/// An answer without a body declares none.
fn nothing(reply: &Reply) -> Result<(), String> {
    match (reply.bytes.is_empty(), reply.header("content-type")) {
        (false, _) => Err("a body that is not documented".to_owned()),
        (true, Some(declared)) => Err(format!("{declared} of nothing")),
        (true, None) => Ok(()),
    }
}
