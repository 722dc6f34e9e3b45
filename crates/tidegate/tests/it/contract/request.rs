//! Is a call one that the vendor's clients could have sent?

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Contract;
use crate::harness::Call;
use crate::openapi::Operation;
use crate::schema::{fits, resolve};

/// The first fault of a call.
pub fn examine(
    api: &Contract,
    operation: &Operation<'_>,
    path: &str,
    call: &Call,
) -> Result<(), String> {
    credentials(api, operation, call)?;
    parameters(api, operation, path, call)?;
    body(api, operation, call)
}

fn header<'a>(call: &'a Call, wanted: &str) -> Option<&'a str> {
    let found = call.headers.iter().find(|(name, _)| name == wanted);
    found?.1.to_str().ok()
}

/// One of the documented sets of credentials is there, and nothing of another.
fn credentials(api: &Contract, operation: &Operation<'_>, call: &Call) -> Result<(), String> {
    let schemes = &api.document["components"]["securitySchemes"];
    let shown = |name: &String| match schemes[name]["type"].as_str() {
        Some("apiKey") => header(call, schemes[name]["name"].as_str().expect("a header")).is_some(),
        Some("http") => header(call, "authorization").is_some_and(|it| it.starts_with("Bearer ")),
        other => panic!("{name}: {other:?}"),
    };
    let sets = operation.data["security"]
        .as_array()
        .expect("sets of schemes");
    let sets = sets.iter().map(|set| set.as_object().expect("schemes"));
    match sets.clone().any(|set| set.keys().all(shown)) {
        true => Ok(()),
        false => Err("no set of credentials is whole".to_owned()),
    }
}

fn parameters(
    api: &Contract,
    operation: &Operation<'_>,
    path: &str,
    call: &Call,
) -> Result<(), String> {
    let query = call.path.split_once('?').map_or("", |(_, query)| query);
    let mut query = pairs(query);
    let document = &api.document;
    for parameter in operation.data["parameters"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let parameter = resolve(document, parameter);
        let name = parameter["name"].as_str().expect("a name");
        let schema = &parameter["schema"];
        let place = parameter["in"].as_str().expect("a place");
        let checked = match place {
            "path" => {
                let value = in_path(operation.template, path, name);
                Some(fits_text(document, schema, value))
            }
            "header" => header(call, name).map(|text| fits_text(document, schema, text)),
            "query" => in_query(document, schema, name, &mut query),
            other => panic!("{name}: {other:?}"),
        };
        match checked {
            Some(Ok(())) => {}
            Some(Err(fault)) => return Err(format!("{place} parameter {name}: {fault}")),
            None if parameter["required"] == true => return Err(format!("no {name}")),
            None => {}
        }
    }
    match query.into_keys().next() {
        Some(name) => Err(format!("query parameter {name} is not documented")),
        None => Ok(()),
    }
}

fn pairs(query: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
        found.entry(name).or_default().push(value);
    }
    found
}

/// The part of a path that stands where the template has `{name}`.
fn in_path<'a>(template: &str, path: &'a str, name: &str) -> &'a str {
    let wanted = format!("{{{name}}}");
    let mut parts = template.split('/').zip(path.split('/'));
    let found = parts.find(|(expected, _)| *expected == wanted);
    found.expect("the template has its parameters").1
}

/// Takes a parameter out of a query in OpenAPI's default form: an array's items under one name, an
/// object's members under theirs.
fn in_query(
    document: &Value,
    schema: &Value,
    name: &str,
    query: &mut BTreeMap<String, Vec<String>>,
) -> Option<Result<(), String>> {
    let schema = resolve(document, schema);
    match schema["type"].as_str() {
        Some("array") => {
            let items = query.remove(name)?;
            let items: Result<Vec<Value>, String> = items
                .iter()
                .map(|item| from_text(document, &schema["items"], item))
                .collect();
            Some(items.and_then(|items| fits(document, schema, &json!(items))))
        }
        Some("object") => {
            let members = schema["properties"].as_object().expect("members");
            let mut object = Map::new();
            for (member, schema) in members {
                let value = query.remove(member).map(|values| values.concat());
                match value.map(|value| from_text(document, schema, &value)) {
                    Some(Ok(value)) => drop(object.insert(member.clone(), value)),
                    Some(Err(fault)) => return Some(Err(fault)),
                    None => {}
                }
            }
            (!object.is_empty()).then(|| fits(document, schema, &Value::Object(object)))
        }
        _ => match &*query.remove(name)? {
            [one] => Some(fits_text(document, schema, one)),
            _ => Some(Err("there twice".to_owned())),
        },
    }
}

/// Checks a text that stands for a value, as in a header or a path.
pub fn fits_text(document: &Value, schema: &Value, text: &str) -> Result<(), String> {
    fits(document, schema, &from_text(document, schema, text)?)
}

fn from_text(document: &Value, schema: &Value, text: &str) -> Result<Value, String> {
    let read = match resolve(document, schema)["type"].as_str() {
        Some("string") => Some(json!(text)),
        Some("integer") => text.parse::<i64>().ok().map(|number| json!(number)),
        Some("boolean") => text.parse::<bool>().ok().map(|is| json!(is)),
        other => panic!("a text for {other:?}"),
    };
    read.ok_or_else(|| format!("{text:?} is of another type"))
}

fn body(api: &Contract, operation: &Operation<'_>, call: &Call) -> Result<(), String> {
    let documented = resolve(&api.document, &operation.data["requestBody"]);
    if documented.is_null() {
        return match call.body.is_empty() {
            true => Ok(()),
            false => Err("a body where there is none".to_owned()),
        };
    }
    if call.body.is_empty() {
        return match documented["required"] == true {
            true => Err("no body".to_owned()),
            false => Ok(()),
        };
    }
    let declared = header(call, "content-type").unwrap_or("nothing");
    let media = documented["content"].get(declared);
    let media = media.ok_or_else(|| format!("{declared} as content type"))?;
    let body = serde_json::from_slice(&call.body);
    let body: Value = body.map_err(|error| format!("the body is no JSON: {error}"))?;
    fits(&api.document, &media["schema"], &body)
}
