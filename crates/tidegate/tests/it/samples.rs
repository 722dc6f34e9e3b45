//! Values that a schema allows, with every member there is, to be spoilt one place at a time.

use serde_json::{Map, Value, json};

use crate::schema::{fits, resolve};

/// Texts to try where a schema asks for one: the first that fits is taken.
const TEXTS: [&str; 16] = [
    "a",
    "1",
    "A",
    "EUR",
    "en-GB",
    "+356",
    "AA",
    "0123",
    "123456",
    "+35679797979",
    "jane.doe@example.com",
    "127.0.0.1",
    "Passw0rd!",
    "https://example.com",
    "2027-01-15",
    "a text that is long enough for whatever needs one",
];

/// A value that fits a schema of a document.
#[track_caller]
pub fn sample(document: &Value, schema: &Value) -> Value {
    let value = draft(document, schema);
    if let Err(fault) = fits(document, schema, &value) {
        panic!("no sample of {schema}: {fault}: {value}");
    }
    value
}

fn draft(document: &Value, schema: &Value) -> Value {
    let schema = resolve(document, schema);
    let first = |list: &Value| list.as_array().and_then(|list| list.first().cloned());
    if let Some(value) = schema.get("const").cloned().or(first(&schema["enum"])) {
        return value;
    }
    if let Some((name, choice, target)) = first_choice(schema) {
        let mut value = draft(document, &json!({"$ref": target}));
        value[name] = json!(choice);
        return value;
    }
    for choice in ["oneOf", "anyOf"] {
        let parts = schema[choice].as_array().into_iter().flatten();
        if let Some(part) = parts.into_iter().find(|part| part["type"] != "null") {
            let mut value = draft(document, part);
            // Rules beside a choice are of objects: each says something of the members.
            if let Value::Object(object) = &mut value {
                let mut all = members(document, schema);
                all.append(object);
                *object = all;
            }
            return value;
        }
    }
    let kind = match &schema["type"] {
        Value::Array(several) => several.iter().find(|kind| *kind != "null"),
        one => Some(one),
    };
    match kind.and_then(Value::as_str) {
        Some("string") => text(document, schema),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("array") => {
            let count = schema["minItems"].as_u64().unwrap_or(1).max(1);
            (0..count)
                .map(|_| draft(document, &schema["items"]))
                .collect()
        }
        Some("object") | None => Value::Object(members(document, schema)),
        Some(other) => panic!("a sample of {other:?}"),
    }
}

/// A discriminator's member, and its first value with the schema that it names.
fn first_choice(schema: &Value) -> Option<(&str, &str, &str)> {
    let discriminator = schema.get("discriminator")?;
    let name = discriminator["propertyName"].as_str()?;
    let (choice, target) = discriminator["mapping"].as_object()?.iter().next()?;
    Some((name, choice, target.as_str()?))
}

fn members(document: &Value, schema: &Value) -> Map<String, Value> {
    let mut object = Map::new();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        object.extend(members(document, resolve(document, part)));
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        object.insert(name.clone(), draft(document, schema));
    }
    object
}

fn text(document: &Value, schema: &Value) -> Value {
    let fitting = TEXTS.iter().map(|text| json!(text));
    let mut fitting = fitting.filter(|text| fits(document, schema, text).is_ok());
    let found = fitting.next();
    found.unwrap_or_else(|| panic!("no sample of {schema}"))
}

/// One place in a value.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// As RFC 6901 writes it.
    pub pointer: String,
    /// As a refusal names it, such as `cancellations[0].id`.
    pub field: String,
    pub value: &'a Value,
}

/// Every place below the top of a value.
pub fn places(value: &Value) -> Vec<Place<'_>> {
    fn below<'a>(pointer: &str, field: &str, value: &'a Value, found: &mut Vec<Place<'a>>) {
        let children: Vec<(String, String, &Value)> = match value {
            Value::Object(object) => object
                .iter()
                .map(|(name, value)| {
                    let field = match field {
                        "" => name.clone(),
                        _ => format!("{field}.{name}"),
                    };
                    (format!("{pointer}/{name}"), field, value)
                })
                .collect(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, value)| {
                    let field = format!("{field}[{index}]");
                    (format!("{pointer}/{index}"), field, value)
                })
                .collect(),
            _ => Vec::new(),
        };
        for (pointer, field, value) in children {
            below(&pointer, &field, value, found);
            found.push(Place {
                pointer,
                field,
                value,
            });
        }
    }
    let mut found = Vec::new();
    below("", "", value, &mut found);
    found
}

/// The schema of a place, as far as `properties`, `items` and `allOf` lead to it.
pub fn schema_at<'a>(document: &'a Value, schema: &'a Value, pointer: &str) -> Option<&'a Value> {
    fn down<'a>(document: &'a Value, schema: &'a Value, part: &str) -> Option<&'a Value> {
        let schema = but_null(document, schema);
        let own = schema.get("items").or(schema["properties"].get(part));
        own.or_else(|| {
            // A later part says more of a member than an earlier one.
            let mut parts = schema["allOf"].as_array().into_iter().flatten().rev();
            parts.find_map(|inner| down(document, inner, part))
        })
    }
    let mut parts = pointer.split('/').skip(1);
    let found = parts.try_fold(schema, |schema, part| down(document, schema, part))?;
    Some(but_null(document, found))
}

/// What a schema says of values other than null, where that is the only choice it leaves.
fn but_null<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = resolve(document, schema);
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    let mut choices = choices.filter(|choice| choice["type"] != "null");
    match (choices.next(), choices.next()) {
        (Some(only), None) => but_null(document, only),
        _ => schema,
    }
}

/// The sample of a schema, and one more for each other value of each of its enumerations.
pub fn variants(document: &Value, schema: &Value) -> Vec<Value> {
    let first = sample(document, schema);
    let mut found = vec![first.clone()];
    for place in places(&first) {
        let schema = schema_at(document, schema, &place.pointer);
        let values = schema.and_then(|schema| schema["enum"].as_array());
        for value in values.into_iter().flatten().skip(1) {
            let mut other = first.clone();
            *other.pointer_mut(&place.pointer).expect("a place of it") = value.clone();
            found.push(other);
        }
    }
    found
}

/// The value as JSON text with the text `instead` at one place.
pub fn with_text_at(value: &Value, pointer: &str, instead: &str) -> String {
    const MARK: &str = "\u{1}the place\u{1}";
    let mut marked = value.clone();
    *marked.pointer_mut(pointer).expect("a place of it") = json!(MARK);
    marked
        .to_string()
        .replacen(&json!(MARK).to_string(), instead, 1)
}

/// The value without the member or item at one place.
pub fn without(value: &Value, pointer: &str) -> Value {
    let mut changed = value.clone();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    match changed.pointer_mut(parent).expect("a place of it") {
        Value::Object(object) => drop(object.remove(name)),
        Value::Array(items) => drop(items.remove(name.parse().expect("an index"))),
        other => panic!("{pointer} in {other}"),
    }
    changed
}

#[test]
fn a_sample_has_every_member() {
    let document = json!({"components": {"schemas": {
        "Sum": {"type": "object", "properties": {
            "currency": {"type": "string", "minLength": 3, "maxLength": 3, "pattern": "^[A-Z]*$"},
            "amount": {"type": "integer", "minimum": 5},
        }},
        "Whole": {"allOf": [
            {"properties": {"sum": {"$ref": "#/components/schemas/Sum"}}},
            {"properties": {
                "mode": {"type": "string", "enum": ["A", "B"]},
                "digits": {"type": "string", "pattern": "^[0-9]+$"},
                "flags": {"type": "array", "items": {"type": ["boolean", "null"]}},
                "either": {"oneOf": [{"type": "null"}, {"type": "string", "format": "email"}]},
            }},
        ]},
    }}});
    let schema = json!({"$ref": "#/components/schemas/Whole"});
    let needs = |mode: &str, name: &str| json!({"required": [name], "properties": {"mode": {"const": mode}, name: {}}});
    let card = json!({"type": "object", "properties": {"x": {"type": "boolean"}},
        "oneOf": [needs("A", "a"), needs("B", "b")]});
    assert_eq!(
        sample(&document, &card),
        json!({"x": true, "mode": "A", "a": {}})
    );
    let expected = json!({
        "sum": {"currency": "EUR", "amount": 5}, "mode": "A", "digits": "1", "flags": [true],
        "either": "jane.doe@example.com",
    });
    assert_eq!(sample(&document, &schema), expected);
    let nullable = json!({"properties": {"x": {"oneOf": [{"type": "null"}, {"enum": ["Y"]}]}}});
    let found = schema_at(&document, &nullable, "/x");
    assert_eq!(found, Some(&json!({"enum": ["Y"]})));
    assert_eq!(schema_at(&document, &nullable, "/y"), None);
    let mut other = expected.clone();
    other["mode"] = json!("B");
    assert_eq!(variants(&document, &schema), [expected, other]);
}

#[test]
fn places_are_named_as_callers_write_them() {
    let value = json!({"a": [{"b": 1}], "c": {"d": "x"}});
    let places = places(&value);
    let named: Vec<(&str, &str)> = places
        .iter()
        .map(|place| (&*place.pointer, &*place.field))
        .collect();
    let expected = [
        ("/a/0/b", "a[0].b"),
        ("/a/0", "a[0]"),
        ("/a", "a"),
        ("/c/d", "c.d"),
        ("/c", "c"),
    ];
    assert_eq!(named, expected);
    let spoilt = with_text_at(&value, "/c/d", r#""\ud800""#);
    assert_eq!(spoilt, r#"{"a":[{"b":1}],"c":{"d":"\ud800"}}"#);
    assert_eq!(without(&value, "/a/0"), json!({"a": [], "c": {"d": "x"}}));
    assert_eq!(without(&value, "/c"), json!({"a": [{"b": 1}]}));
}
