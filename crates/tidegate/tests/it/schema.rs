//! The part of JSON Schema that OpenAPI documents use here, read strictly: a member that a schema
//! does not name is a fault, and so is a null where no null is named. A keyword that is not known
//! here is a panic, so that no rule of a document is passed over.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use regex::Regex;
use serde_json::{Map, Value};

/// Keywords that say nothing of a value.
const ANNOTATIONS: [&str; 7] = [
    "title",
    "description",
    "default",
    "example",
    "examples",
    "deprecated",
    "readOnly",
];

/// Formats of texts that are only for readers.
const TOLD_FORMATS: [&str; 6] = ["date-time", "date", "password", "binary", "uri", "uuid"];

/// Whether `value` is what `schema` of `document` says; the first fault otherwise.
pub fn fits(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    Reader { document }.fits(schema, value, "$")
}

/// What a reference stands for, or the value itself.
#[track_caller]
pub fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let Some(reference) = value["$ref"].as_str() else {
        return value;
    };
    let object = value.as_object().expect("it has a member");
    let alone = object
        .keys()
        .all(|key| key == "$ref" || ANNOTATIONS.contains(&&**key));
    assert!(alone, "a reference with rules beside it: {value}");
    let pointer = reference.strip_prefix('#').expect("within the document");
    let target = document.pointer(pointer);
    resolve(document, target.unwrap_or_else(|| panic!("{reference}")))
}

/// Whether a schema tells an object's members apart at all.
pub fn names_members(document: &Value, schema: &Value) -> bool {
    let schema = resolve(document, schema);
    let parts = list(&schema["allOf"]).iter();
    let mut parts = parts.map(|part| names_members(document, part));
    ["properties", "additionalProperties"]
        .iter()
        .any(|keyword| schema.get(keyword).is_some())
        || parts.any(|names| names)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

struct Reader<'a> {
    document: &'a Value,
}

impl<'a> Reader<'a> {
    /// Every rule of a schema, and no member beside those it names.
    fn fits(&self, schema: &'a Value, value: &Value, at: &str) -> Result<(), String> {
        self.holds(schema, value, at)?;
        self.no_others(&[schema], value, at)
    }

    /// Every rule of a schema.
    fn holds(&self, schema: &'a Value, value: &Value, at: &str) -> Result<(), String> {
        self.applies(self.chosen(schema, value, at)?, value, at)
    }

    /// The schema that the discriminator's value names, where there is one.
    fn chosen(&self, schema: &'a Value, value: &Value, at: &str) -> Result<&'a Value, String> {
        let schema = resolve(self.document, schema);
        let discriminator = &schema["discriminator"];
        let Some(name) = discriminator["propertyName"].as_str() else {
            return Ok(schema);
        };
        let Some(mapping) = discriminator["mapping"].as_object() else {
            return Ok(schema);
        };
        if !value.is_object() {
            return Err(format!("{at} is not object"));
        }
        let Some(choice) = value[name].as_str() else {
            return Err(format!("{at}.{name} is missing"));
        };
        let target = mapping.get(choice).and_then(Value::as_str);
        let target = target.ok_or_else(|| format!("{at}.{name} is {choice:?}, no choice"))?;
        let pointer = target.strip_prefix('#').expect("within the document");
        Ok(self.document.pointer(pointer).expect("a schema"))
    }

    /// The value has no member that none of these schemas names, at any depth. They all hold.
    fn no_others(&self, schemas: &[&'a Value], value: &Value, at: &str) -> Result<(), String> {
        let mut parts = Vec::new();
        for schema in schemas {
            self.expand(self.chosen(schema, value, at)?, value, at, &mut parts);
        }
        let under = |keyword: &'static str| parts.iter().filter_map(move |it| it.get(keyword));
        match value {
            Value::Object(object) => {
                let tells = |keyword| under(keyword).next().is_some();
                if !tells("properties") && !tells("additionalProperties") {
                    return Ok(());
                }
                for (name, member) in object {
                    let at = format!("{at}.{name}");
                    let named: Vec<&Value> =
                        under("properties").filter_map(|it| it.get(name)).collect();
                    let others: Vec<&Value> = match named.is_empty() {
                        true => under("additionalProperties").collect(),
                        false => named,
                    };
                    let others = others.into_iter().filter(|it| **it != false);
                    let schemas: Vec<&Value> = others.collect();
                    match &*schemas {
                        [] => return Err(format!("{at} is not documented")),
                        schemas if schemas.iter().all(|it| it.is_object()) => {
                            self.no_others(schemas, member, &at)?;
                        }
                        _ => {}
                    }
                }
                Ok(())
            }
            Value::Array(items) => {
                let schemas: Vec<&Value> = under("items").collect();
                let mut items = items.iter().enumerate();
                items.try_for_each(|(index, item)| {
                    self.no_others(&schemas, item, &format!("{at}[{index}]"))
                })
            }
            _ => Ok(()),
        }
    }

    /// A schema and those that it is made of, as far as they are about this value.
    fn expand(&self, schema: &'a Value, value: &Value, at: &str, parts: &mut Vec<&'a Value>) {
        let schema = resolve(self.document, schema);
        parts.push(schema);
        for part in list(&schema["allOf"]) {
            self.expand(part, value, at, parts);
        }
        for part in ["oneOf", "anyOf"].iter().flat_map(|it| list(&schema[it])) {
            if self.holds(part, value, at).is_ok()
                && let Ok(part) = self.chosen(part, value, at)
            {
                self.expand(part, value, at, parts);
            }
        }
    }

    /// Every rule of a schema; members beside those it names are another's matter.
    fn applies(&self, schema: &'a Value, value: &Value, at: &str) -> Result<(), String> {
        let schema = resolve(self.document, schema);
        let rules = schema.as_object().expect("a schema is an object");
        if let Some(types) = rules.get("type") {
            has_type(types, value, at)?;
        }
        for (keyword, rule) in rules {
            match value {
                Value::Object(object) if self.of_objects(keyword, rule, schema, object, at)? => {}
                Value::Array(items) if self.of_arrays(keyword, rule, items, at)? => {}
                Value::String(text) if of_texts(keyword, rule, text, at)? => {}
                Value::Number(_) if of_numbers(keyword, rule, value, at)? => {}
                _ => self.of_all(keyword, rule, value, at)?,
            }
        }
        Ok(())
    }

    /// Whether the keyword is about objects.
    fn of_objects(
        &self,
        keyword: &str,
        rule: &'a Value,
        schema: &Value,
        object: &Map<String, Value>,
        at: &str,
    ) -> Result<bool, String> {
        match keyword {
            "required" => {
                for name in list(rule).iter().filter_map(Value::as_str) {
                    if !object.contains_key(name) {
                        return Err(format!("{at}.{name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in rule.as_object().expect("schemas by name") {
                    if let Some(member) = object.get(name) {
                        self.holds(schema, member, &format!("{at}.{name}"))?;
                    }
                }
            }
            "propertyNames" => {
                for name in object.keys() {
                    self.holds(rule, &Value::String(name.clone()), &format!("{at}.{name}"))?;
                }
            }
            "additionalProperties" if rule.is_object() => {
                let named = &schema["properties"];
                for (name, member) in object {
                    if named.get(name).is_none() {
                        self.holds(rule, member, &format!("{at}.{name}"))?;
                    }
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether the keyword is about arrays.
    fn of_arrays(
        &self,
        keyword: &str,
        rule: &'a Value,
        items: &[Value],
        at: &str,
    ) -> Result<bool, String> {
        match keyword {
            "items" => {
                for (index, item) in items.iter().enumerate() {
                    self.holds(rule, item, &format!("{at}[{index}]"))?;
                }
            }
            "minItems" => at_least(items.len(), rule, "items", at)?,
            "maxItems" => at_most(items.len(), rule, "items", at)?,
            "uniqueItems" => {
                let twice = items
                    .iter()
                    .enumerate()
                    .find(|(index, item)| items[..*index].contains(item));
                if let (true, Some((index, _))) = (*rule == Value::Bool(true), twice) {
                    return Err(format!("{at}[{index}] is there twice"));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn of_all(
        &self,
        keyword: &str,
        rule: &'a Value,
        value: &Value,
        at: &str,
    ) -> Result<(), String> {
        match keyword {
            "enum" if !list(rule).contains(value) => Err(format!("{at} is {value}, not of {rule}")),
            "const" if rule != value => Err(format!("{at} is {value}, not {rule}")),
            "allOf" => list(rule)
                .iter()
                .try_for_each(|part| self.applies(part, value, at)),
            "oneOf" | "anyOf" => {
                let holds = |part| self.holds(part, value, at).is_ok();
                match list(rule).iter().filter(|&part| holds(part)).count() {
                    0 => Err(format!("{at} fits no choice of {keyword}")),
                    2.. if keyword == "oneOf" => Err(format!("{at} fits two choices of oneOf")),
                    _ => Ok(()),
                }
            }
            _ => {
                assert!(is_known(keyword), "{at}: the keyword {keyword:?}");
                Ok(())
            }
        }
    }
}

/// Whether a keyword is obeyed here or says nothing of a value.
fn is_known(keyword: &str) -> bool {
    const OBEYED: [&str; 21] = [
        "$ref",
        "type",
        "format",
        "enum",
        "const",
        "allOf",
        "oneOf",
        "anyOf",
        "discriminator",
        "required",
        "properties",
        "additionalProperties",
        "propertyNames",
        "items",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
    ];
    OBEYED.contains(&keyword) || keyword == "pattern" || ANNOTATIONS.contains(&keyword)
}

fn has_type(types: &Value, value: &Value, at: &str) -> Result<(), String> {
    let types: Vec<&str> = match types {
        Value::String(one) => vec![one],
        several => list(several).iter().filter_map(Value::as_str).collect(),
    };
    let is = |kind: &&str| match *kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{at}: the type {other:?}"),
    };
    match types.iter().any(is) {
        true => Ok(()),
        false if value.is_null() => Err(format!("{at} is null, not left out")),
        false => Err(format!("{at} is not {}", types.join(" or "))),
    }
}

/// Whether the keyword is about texts.
fn of_texts(keyword: &str, rule: &Value, text: &str, at: &str) -> Result<bool, String> {
    match keyword {
        "minLength" => at_least(text.chars().count(), rule, "characters", at)?,
        "maxLength" => at_most(text.chars().count(), rule, "characters", at)?,
        "pattern" => {
            let rule = rule.as_str().expect("a pattern is text");
            if !pattern(rule).is_match(text) {
                return Err(format!("{at} is {text:?}, which does not match {rule}"));
            }
        }
        "format" => {
            let format = rule.as_str().expect("a format is text");
            let sides = text.split_once('@');
            match format {
                "email" if sides.is_none_or(|(name, host)| name.is_empty() || host.is_empty()) => {
                    return Err(format!("{at} is {text:?}, no email address"));
                }
                "email" => {}
                other => assert!(TOLD_FORMATS.contains(&other), "{at}: the format {other:?}"),
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Whether the keyword is about numbers.
fn of_numbers(keyword: &str, rule: &Value, value: &Value, at: &str) -> Result<bool, String> {
    let whole = |value: &Value| {
        let signed = value.as_i64().map(i128::from);
        signed.or_else(|| value.as_u64().map(i128::from))
    };
    let bound = || whole(rule).expect("bounds are integers");
    let Some(number) = whole(value) else {
        // Only integers have bounds here.
        return Ok(matches!(keyword, "minimum" | "maximum" | "format"));
    };
    let (low, high) = match keyword {
        "minimum" => (bound(), i128::MAX),
        "maximum" => (i128::MIN, bound()),
        "format" => match rule.as_str().expect("a format is text") {
            "int32" => (i32::MIN.into(), i32::MAX.into()),
            "int64" => (i64::MIN.into(), i64::MAX.into()),
            other => panic!("{at}: the format {other:?}"),
        },
        _ => return Ok(false),
    };
    match number {
        _ if number < low => Err(format!("{at} is {number}, less than {low}")),
        _ if number > high => Err(format!("{at} is {number}, more than {high}")),
        _ => Ok(true),
    }
}

fn at_least(count: usize, rule: &Value, what: &str, at: &str) -> Result<(), String> {
    match rule.as_u64().expect("a bound") {
        bound if (count as u64) < bound => Err(format!("{at} has fewer than {bound} {what}")),
        _ => Ok(()),
    }
}

fn at_most(count: usize, rule: &Value, what: &str, at: &str) -> Result<(), String> {
    match rule.as_u64().expect("a bound") {
        bound if count as u64 > bound => Err(format!("{at} has more than {bound} {what}")),
        _ => Ok(()),
    }
}

/// A compiled pattern. Those of the documents mean the same to every dialect of expressions.
fn pattern(text: &str) -> Regex {
    static COMPILED: LazyLock<Mutex<BTreeMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().expect("nothing panics in here");
    if let Some(known) = compiled.get(text) {
        return known.clone();
    }
    drop(compiled);
    let regex = Regex::new(text).unwrap_or_else(|error| panic!("{error}"));
    compiled = COMPILED.lock().expect("nothing panics in here");
    compiled.insert(text.to_owned(), regex.clone());
    regex
}

/// Checks that every schema of a document can be read here: keywords, references and patterns.
#[track_caller]
pub fn check_document(document: &Value) {
    fn everywhere(document: &Value, value: &Value, count: &mut usize) {
        match value {
            Value::Array(items) => items
                .iter()
                .for_each(|item| everywhere(document, item, count)),
            Value::Object(object) => {
                for (name, member) in object {
                    match &**name {
                        "schema" => readable(document, member, count),
                        "schemas" => {
                            let schemas = member.as_object().expect("schemas by name");
                            schemas
                                .values()
                                .for_each(|schema| readable(document, schema, count));
                        }
                        "example" | "examples" => {}
                        _ => everywhere(document, member, count),
                    }
                }
                if object.contains_key("$ref") {
                    resolve(document, value);
                }
            }
            _ => {}
        }
    }
    let mut count = 0;
    everywhere(document, document, &mut count);
    assert!(count > 0, "no schema at all");
}

fn readable(document: &Value, schema: &Value, count: &mut usize) {
    *count += 1;
    let rules = schema.as_object().expect("a schema is an object");
    resolve(document, schema);
    for (keyword, rule) in rules {
        assert!(is_known(keyword), "the keyword {keyword:?} in {schema}");
        match &**keyword {
            "pattern" => drop(pattern(rule.as_str().expect("a pattern is text"))),
            "allOf" | "oneOf" | "anyOf" => {
                list(rule)
                    .iter()
                    .for_each(|part| readable(document, part, count));
            }
            "properties" => {
                let properties = rule.as_object().expect("schemas by name");
                for (name, member) in properties {
                    readable(document, member, count);
                    assert!(!name.is_empty());
                }
            }
            "items" | "propertyNames" => readable(document, rule, count),
            "additionalProperties" if rule.is_object() => readable(document, rule, count),
            _ => {}
        }
    }
}

mod tests;
