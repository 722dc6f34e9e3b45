//! Request bodies, field by field.
//!
//! A body is read into its members first (a key that stands twice is refused), then each expected
//! field is taken out. Every fault is collected, so that one answer names them all. A number is an
//! integer only if it is written as one: `100.0` and `1e2` are not, nor is anything beyond 64 bits.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

/// One thing wrong with a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    /// The field, as the caller would write it; empty for the body as a whole.
    pub field: String,
    /// What is wrong, to be read after the field's name.
    pub reason: String,
}

impl Fault {
    pub(crate) fn new(field: impl Into<String>, reason: impl Into<String>) -> Fault {
        Fault {
            field: field.into(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.reason)
        } else {
            write!(f, "{} {}", self.field, self.reason)
        }
    }
}

/// All faults in one sentence.
pub(crate) fn sentence(faults: &[Fault]) -> String {
    let parts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    parts.join("; ")
}

/// The members of one JSON object, and the faults found in them so far.
#[derive(Debug)]
pub(crate) struct Fields {
    members: Vec<(String, Value)>,
    prefix: String,
    faults: Vec<Fault>,
}

impl Fields {
    /// Reads a body that must be one JSON object.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Fields, Vec<Fault>> {
        match serde_json::from_slice::<Members>(bytes) {
            Ok(Members(members)) => Ok(Fields {
                members,
                prefix: String::new(),
                faults: Vec::new(),
            }),
            Err(error) => Err(vec![Fault::new(
                "",
                format!("the body is not acceptable: {error}"),
            )]),
        }
    }

    /// The members of a nested object.
    pub(crate) fn nested(&self, field: &str, value: Value) -> Fields {
        let prefix = format!("{}{field}.", self.prefix);
        match value {
            Value::Object(map) => Fields {
                members: map.into_iter().collect(),
                prefix,
                faults: Vec::new(),
            },
            _ => Fields {
                members: Vec::new(),
                prefix,
                faults: vec![Fault::new(
                    format!("{}{field}", self.prefix),
                    "must be an object",
                )],
            },
        }
    }

    /// Notes something wrong with a field.
    pub(crate) fn fault(&mut self, field: &str, reason: impl Into<String>) {
        self.faults
            .push(Fault::new(format!("{}{field}", self.prefix), reason));
    }

    /// Notes a fault whose field is already written in full.
    pub(crate) fn absolute_fault(&mut self, field: String, reason: String) {
        self.faults.push(Fault { field, reason });
    }

    /// Takes a member out; `null` counts as absent.
    pub(crate) fn take(&mut self, field: &str) -> Option<Value> {
        let index = self.members.iter().position(|(name, _)| name == field)?;
        Some(self.members.swap_remove(index).1).filter(|value| !value.is_null())
    }

    /// A text that must be there.
    pub(crate) fn text(&mut self, field: &str) -> String {
        match self.take(field) {
            Some(Value::String(text)) => return text,
            Some(_) => self.fault(field, "must be a string"),
            None => self.fault(field, "is required"),
        }
        String::new()
    }

    /// A text that may be there.
    pub(crate) fn optional_text(&mut self, field: &str) -> Option<String> {
        match self.take(field) {
            Some(Value::String(text)) => return Some(text),
            Some(_) => self.fault(field, "must be a string"),
            None => {}
        }
        None
    }

    /// A flag that may be there.
    pub(crate) fn optional_flag(&mut self, field: &str) -> Option<bool> {
        match self.take(field) {
            Some(Value::Bool(flag)) => return Some(flag),
            Some(_) => self.fault(field, "must be true or false"),
            None => {}
        }
        None
    }

    /// An integer that may be there.
    pub(crate) fn optional_integer(&mut self, field: &str) -> Option<i64> {
        match self.take(field) {
            Some(Value::Number(number)) => {
                if let Some(integer) = number.as_i64() {
                    return Some(integer);
                }
                self.fault(field, "must be an integer of at most 64 bits");
            }
            Some(_) => self.fault(field, "must be an integer"),
            None => {}
        }
        None
    }

    /// An integer of at least `least` that must be there.
    pub(crate) fn integer(&mut self, field: &str, least: i64) -> i64 {
        let before = self.faults.len();
        match self.optional_integer(field) {
            Some(integer) if integer >= least => integer,
            Some(_) => {
                self.fault(field, format!("must be at least {least}"));
                least
            }
            None => {
                if self.faults.len() == before {
                    self.fault(field, "is required");
                }
                least
            }
        }
    }

    /// Notes that a field is missing.
    pub(crate) fn require(&mut self, field: &str) {
        self.fault(field, "is required");
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_faultless(&self) -> bool {
        self.faults.is_empty()
    }

    /// The faults so far, for a caller that goes on collecting elsewhere.
    pub(crate) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// All is well, or everything that is not.
    pub(crate) fn finish(self) -> Result<(), Vec<Fault>> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(self.faults)
        }
    }
}

/// One whole JSON value in which no object, however deep, has a key twice; why not, otherwise.
pub(crate) fn strict(bytes: &[u8]) -> Result<Value, String> {
    node(bytes).map(Value::from)
}

/// The same, borrowing from the bytes.
pub(crate) fn node(bytes: &[u8]) -> Result<Node<'_>, String> {
    serde_json::from_slice(bytes).map_err(|error: serde_json::Error| error.to_string())
}

struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members: Vec<(String, Value)> = Vec::with_capacity(4);
                while let Some(key) = map.next_key::<String>()? {
                    if members.iter().any(|(name, _)| *name == key) {
                        return Err(A::Error::custom(format!("`{key}` stands twice")));
                    }
                    if members.len() == MEMBERS_MAX {
                        return Err(A::Error::custom("too many members"));
                    }
                    // What is wrong within a member is told with its name.
                    let value: Node<'_> = map
                        .next_value()
                        .map_err(|error| A::Error::custom(format!("{key}: {error}")))?;
                    members.push((key, value.into()));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A JSON value in which no object, however deep, has a key twice: of two limits none is guessed.
/// Texts without escapes are not copied out of the bytes that were read.
#[derive(Debug)]
pub(crate) enum Node<'de> {
    Null,
    Flag(bool),
    Number(Number),
    Text(Cow<'de, str>),
    List(Vec<Node<'de>>),
    Object(NodeMembers<'de>),
}

/// The members of an object in the order in which they stand.
pub(crate) type NodeMembers<'de> = Vec<(Cow<'de, str>, Node<'de>)>;

impl From<Node<'_>> for Value {
    fn from(node: Node<'_>) -> Value {
        match node {
            Node::Null => Value::Null,
            Node::Flag(flag) => Value::Bool(flag),
            Node::Number(number) => Value::Number(number),
            Node::Text(text) => Value::String(text.into_owned()),
            Node::List(items) => Value::Array(items.into_iter().map(Value::from).collect()),
            Node::Object(members) => {
                let owned =
                    |(name, node): (Cow<'_, str>, Node<'_>)| (name.into_owned(), node.into());
                Value::Object(members.into_iter().map(owned).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node<'de>, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'de>, E> {
        Ok(Number::from_f64(value).map_or(Node::Null, Node::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node<'de>, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut members = NodeMembers::with_capacity(MEMBERS_USUAL);
        // The names of an object with unusually many members.
        let mut names = BTreeSet::new();
        while let Some(Name(name)) = map.next_key()? {
            let is_new = if members.len() < MEMBERS_USUAL {
                members.iter().all(|(other, _)| *other != name)
            } else {
                if names.is_empty() {
                    names.extend(members.iter().map(|(other, _)| other.clone()));
                }
                names.insert(name.clone())
            };
            if !is_new {
                return Err(A::Error::custom(format!("`{name}` stands twice")));
            }
            members.push((name, map.next_value()?));
        }
        Ok(Node::Object(members))
    }
}

/// A member's name, borrowed where it can be.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name<'de>, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// Members up to which their names are compared one by one.
const MEMBERS_USUAL: usize = 8;
/// Members of one object; no request has nearly as many.
const MEMBERS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &[&str]) {
        let faults = match Fields::parse(body.as_bytes()) {
            Ok(mut fields) => {
                fields.text("name");
                fields.integer("amount", 100);
                fields.into_faults()
            }
            Err(faults) => faults,
        };
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        for (fault, start) in faults.iter().zip(expected) {
            assert!(fault.starts_with(start), "{fault}");
        }
    }

    #[test]
    fn every_fault_is_named() {
        check(r#"{"name":"x","amount":100}"#, &[]);
        check("{}", &["name is required", "amount is required"]);
        check(
            r#"{"name":null,"amount":null}"#,
            &["name is required", "amount is required"],
        );
        check(
            r#"{"name":1,"amount":"1"}"#,
            &["name must be a string", "amount must be an integer"],
        );
        check(
            r#"{"name":"x","amount":99}"#,
            &["amount must be at least 100"],
        );
    }

    #[test]
    fn an_integer_is_written_as_one() {
        for number in [
            "100.0",
            "1e2",
            "9223372036854775808",
            "1e400",
            "-99999999999999999999",
        ] {
            let body = format!(r#"{{"name":"x","amount":{number}}}"#);
            if number == "1e400" {
                check(
                    &body,
                    &["the body is not acceptable: amount: number out of range"],
                );
            } else {
                check(&body, &["amount must be an integer of at most 64 bits"]);
            }
        }
        check(r#"{"name":"x","amount":9223372036854775807}"#, &[]);
    }

    #[test]
    fn a_name_that_stands_twice_is_found_among_few_and_many() {
        for count in 1..40 {
            let names: Vec<String> = (0..count).map(|n| format!(r#""n{n}":{n}"#)).collect();
            let once = format!("{{{}}}", names.join(","));
            let value = strict(once.as_bytes()).expect("each stands once");
            assert_eq!(value.as_object().map(serde_json::Map::len), Some(count));
            for again in 0..count {
                // Spelt with an escape, which is the same name.
                let twice = format!(r#"{{{},"\u006e{again}":0}}"#, names.join(","));
                let error = strict(twice.as_bytes()).expect_err("one stands twice");
                assert!(
                    error.starts_with(&format!("`n{again}` stands twice")),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let deep = "[".repeat(100_000);
        for body in [
            "",
            "null",
            "[]",
            "1",
            "{",
            r#"{"name":"a","name":"b"}"#,
            r#"{"name":"a","amount":100,"more":[{"most":1,"most":2}]}"#,
            "\u{0}",
            &deep,
        ] {
            check(body, &["the body is not acceptable"]);
        }
        let surrogate = r#"{"name":"\ud800","amount":100}"#;
        check(surrogate, &["the body is not acceptable"]);
    }
}
