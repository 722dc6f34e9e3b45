//! Request bodies, field by field.
//!
//! [`parse`] reads one JSON object strictly (see [`crate::json`]: no key twice at any depth, no
//! deep nesting, no number out of range, no unpaired surrogate), hands its members to a closure
//! that takes out each field it knows, and ends with everything that is wrong, or with what the
//! closure built. A reader of a faulty field gives a harmless stand-in and goes on; since the
//! faults then win over the result, no stand-in leaves this module.
//!
//! `null` counts as absent. Members that nobody took are ignored, but in strict mode each is a
//! `NOT_IN`. A NUL is a fault anywhere, in ignored members too. Which rule a fault is told as
//! stands in [`super::invalid`].

use std::borrow::Cow;
use std::ops::RangeInclusive;

use serde_json::Number;

use super::invalid::{InvalidField, Rule};
use super::rules::{self, Text};
use crate::json::{self, Node, NodeMembers};

/// What faults of the body as a whole are told of.
const BODY: &str = "body";

/// The values of an enum on the wire and what each means; never empty.
pub(super) type Choices<T> = [(&'static str, T)];

/// Reads a body that must be one JSON object.
pub(super) fn parse<T>(
    bytes: &[u8],
    strict: bool,
    read: impl FnOnce(&mut Fields<'_>) -> T,
) -> Result<T, Vec<InvalidField>> {
    let node = node(bytes)?;
    let mut faults = Vec::new();
    let built = match node {
        Node::Object(members) => read_object(members, String::new(), strict, &mut faults, read),
        _ => return Err(vec![wrong_type(BODY, "a JSON object")]),
    };
    if faults.is_empty() {
        Ok(built)
    } else {
        Err(faults)
    }
}

/// Reads a body that must be a bare JSON array of `size` objects.
pub(super) fn parse_array<T>(
    bytes: &[u8],
    strict: bool,
    size: RangeInclusive<usize>,
    read: impl FnMut(&mut Fields<'_>) -> T,
) -> Result<Vec<T>, Vec<InvalidField>> {
    let Node::List(items) = node(bytes)? else {
        return Err(vec![wrong_type(BODY, "a JSON array")]);
    };
    if !size.contains(&items.len()) {
        let (min, max) = size.into_inner();
        return Err(vec![InvalidField::size(BODY, min, max, "items")]);
    }
    let mut faults = Vec::new();
    let built = read_items(items, "", strict, &mut faults, read);
    if faults.is_empty() {
        Ok(built)
    } else {
        Err(faults)
    }
}

fn node(bytes: &[u8]) -> Result<Node<'_>, Vec<InvalidField>> {
    if bytes.is_empty() {
        return Err(vec![InvalidField::required(BODY)]);
    }
    json::node(bytes).map_err(|error| {
        let reason = format!("is not acceptable: {error}");
        vec![InvalidField::new(BODY, Rule::Regex, reason)]
    })
}

/// Reads text that a query string carries for an object: the same rules, under the parameter's
/// name.
pub(super) fn parse_member<T: Default>(
    name: &str,
    text: &str,
    faults: &mut Vec<InvalidField>,
    read: impl FnOnce(&mut Fields<'_>) -> T,
) -> T {
    match json::node(text.as_bytes()) {
        Ok(Node::Object(members)) => {
            read_object(members, [name, "."].concat(), false, faults, read)
        }
        Ok(_) | Err(_) => {
            faults.push(wrong_type(name, "an object"));
            T::default()
        }
    }
}

pub(super) fn read_object<T>(
    members: NodeMembers<'_>,
    path: String,
    strict: bool,
    faults: &mut Vec<InvalidField>,
    read: impl FnOnce(&mut Fields<'_>) -> T,
) -> T {
    let mut fields = Fields {
        members,
        path,
        strict,
        faults,
    };
    let built = read(&mut fields);
    fields.close();
    built
}

fn read_items<T>(
    items: Vec<Node<'_>>,
    path: &str,
    strict: bool,
    faults: &mut Vec<InvalidField>,
    mut read: impl FnMut(&mut Fields<'_>) -> T,
) -> Vec<T> {
    let mut built = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        match item {
            Node::Object(members) => {
                let path = format!("{path}[{index}].");
                built.push(read_object(members, path, strict, faults, &mut read));
            }
            _ => faults.push(wrong_type(format!("{path}[{index}]"), "an object")),
        }
    }
    built
}

fn wrong_type(field: impl Into<String>, what: &'static str) -> InvalidField {
    InvalidField::new(field, Rule::Regex, format!("must be {what}"))
}

/// Notes what is wrong with a text. Its name is made only when something is.
pub(super) fn check_text(
    name: impl Fn() -> String,
    text: &str,
    rule: &Text,
    faults: &mut Vec<InvalidField>,
) {
    let (min, max) = rule.size;
    let length = text.chars().count();
    if length < min || max.is_some_and(|max| length > max) {
        let max = max.unwrap_or(usize::MAX);
        faults.push(InvalidField::size(name(), min, max, "characters"));
    } else if rule.has_text && text.chars().all(char::is_whitespace) {
        let reason = "must not be blank";
        faults.push(InvalidField::new(name(), Rule::HasText, reason));
    }
    match rule.class {
        Some(class) if !(class.allows)(text) => {
            let reason = format!("does not match {}", class.pattern);
            faults.push(InvalidField::new(name(), Rule::Regex, reason));
        }
        None if text.contains('\0') => faults.push(nul(name())),
        _ => {}
    }
}

fn nul(field: impl Into<String>) -> InvalidField {
    InvalidField::new(field, Rule::Regex, "must not contain NUL")
}

/// An integer written as text, as in a query string.
pub(super) fn integer_text(
    field: &str,
    text: &str,
    bounds: RangeInclusive<i64>,
    faults: &mut Vec<InvalidField>,
) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        faults.push(wrong_type(field, "an integer"));
        return None;
    }
    // Beyond 64 bits is beyond all bounds.
    let number = text.parse().ok().filter(|number| bounds.contains(number));
    if number.is_none() {
        faults.push(InvalidField::range(field, *bounds.start(), *bounds.end()));
    }
    number
}

/// The members of one JSON object that have not been taken yet.
pub(super) struct Fields<'f> {
    members: NodeMembers<'f>,
    path: String,
    strict: bool,
    faults: &'f mut Vec<InvalidField>,
}

impl<'f> Fields<'f> {
    fn name(&self, field: &str) -> String {
        [&self.path, field].concat()
    }

    /// Takes a member out; `null` counts as absent.
    fn take(&mut self, field: &str) -> Option<Node<'f>> {
        let index = self.members.iter().position(|(name, _)| name == field)?;
        let (_, node) = self.members.swap_remove(index);
        (!matches!(node, Node::Null)).then_some(node)
    }

    fn required(&mut self, field: &str) {
        let field = self.name(field);
        self.faults.push(InvalidField::required(field));
    }

    fn wrong_type(&mut self, field: &str, what: &'static str) {
        let field = self.name(field);
        self.faults.push(wrong_type(field, what));
    }

    /// Notes something that the readers here do not know of.
    pub(super) fn fault(
        &mut self,
        field: &str,
        rule: Rule,
        reason: &'static str,
        params: &[&dyn ToString],
    ) {
        let field = self.name(field);
        let fault = InvalidField::new(field, rule, reason);
        self.faults.push(fault.with(params));
    }

    /// Whether a member is there and not `null`.
    pub(super) fn has(&self, field: &str) -> bool {
        let found = self.members.iter().find(|(name, _)| name == field);
        found.is_some_and(|(_, node)| !matches!(node, Node::Null))
    }

    /// Takes a member that is known and not looked at; whether it was there.
    pub(super) fn ignored(&mut self, field: &str) -> bool {
        let node = self.take(field);
        if node.as_ref().is_some_and(has_nul) {
            let field = self.name(field);
            self.faults.push(nul(field));
        }
        node.is_some()
    }

    /// A text that may be there, as it stands in the body.
    fn optional_bare_text(&mut self, field: &str, rule: &Text) -> Option<Cow<'f, str>> {
        match self.take(field)? {
            Node::Text(text) => {
                check_text(|| [&self.path, field].concat(), &text, rule, self.faults);
                Some(text)
            }
            _ => {
                self.wrong_type(field, "a string");
                Some(Cow::Borrowed(""))
            }
        }
    }

    /// A text that may be there.
    pub(super) fn optional_text(&mut self, field: &str, rule: &Text) -> Option<String> {
        let text = self.optional_bare_text(field, rule);
        text.map(Cow::into_owned)
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, field: &str, rule: &Text) -> String {
        let text = self.optional_text(field, rule);
        text.unwrap_or_else(|| {
            self.required(field);
            String::new()
        })
    }

    /// An id that may be there; 0 for one that nobody has.
    pub(super) fn optional_id(&mut self, field: &str, rule: &Text) -> Option<u64> {
        let text = self.optional_bare_text(field, rule)?;
        Some(rules::id_number(&text).unwrap_or(0))
    }

    /// An id that must be there; 0 for one that nobody has.
    pub(super) fn id(&mut self, field: &str, rule: &Text) -> u64 {
        let id = self.optional_id(field, rule);
        id.unwrap_or_else(|| {
            self.required(field);
            0
        })
    }

    /// Milliseconds written as text, that may be there. More than 64 bits of them are well-formed: a
    /// time that no clock reaches, the last one.
    pub(super) fn optional_timestamp(&mut self, field: &str) -> Option<i64> {
        let text = self.optional_bare_text(field, &rules::TIMESTAMP)?;
        Some(text.parse().unwrap_or(i64::MAX))
    }

    /// An integer that may be there, written as one.
    pub(super) fn optional_integer(
        &mut self,
        field: &str,
        bounds: RangeInclusive<i64>,
    ) -> Option<i64> {
        let node = self.take(field)?;
        let number = match &node {
            Node::Number(number) => Some(number),
            _ => None,
        };
        match number.and_then(Number::as_i64) {
            Some(integer) if bounds.contains(&integer) => Some(integer),
            Some(_) => {
                let (min, max) = bounds.into_inner();
                let field = self.name(field);
                self.faults.push(InvalidField::range(field, min, max));
                Some(min)
            }
            None if number.is_some_and(is_beyond_64_bits) => {
                let (min, max) = bounds.into_inner();
                let field = self.name(field);
                self.faults.push(InvalidField::range(field, min, max));
                Some(min)
            }
            None => {
                self.wrong_type(field, "an integer");
                Some(*bounds.start())
            }
        }
    }

    /// An integer that must be there, written as one.
    pub(super) fn integer(&mut self, field: &str, bounds: RangeInclusive<i64>) -> i64 {
        let least = *bounds.start();
        let integer = self.optional_integer(field, bounds);
        integer.unwrap_or_else(|| {
            self.required(field);
            least
        })
    }

    /// A flag that may be there.
    pub(super) fn optional_flag(&mut self, field: &str) -> Option<bool> {
        match self.take(field) {
            Some(Node::Flag(flag)) => Some(flag),
            Some(_) => {
                self.wrong_type(field, "true or false");
                Some(false)
            }
            None => None,
        }
    }

    /// One of a closed set of values, that may be there.
    pub(super) fn optional_choice<T: Copy>(
        &mut self,
        field: &str,
        choices: &Choices<T>,
    ) -> Option<T> {
        match self.take(field) {
            Some(Node::Text(text)) => {
                let chosen = find(&text, choices);
                if chosen.is_none() {
                    let field = self.name(field);
                    self.faults.push(not_in(field, choices));
                }
                chosen.or(Some(choices[0].1))
            }
            Some(_) => {
                self.wrong_type(field, "a string");
                Some(choices[0].1)
            }
            None => None,
        }
    }

    /// One of a closed set of values, that must be there.
    pub(super) fn choice<T: Copy>(&mut self, field: &str, choices: &Choices<T>) -> T {
        let chosen = self.optional_choice(field, choices);
        chosen.unwrap_or_else(|| {
            self.required(field);
            choices[0].1
        })
    }

    /// A nested object that may be there.
    pub(super) fn optional_object<T: Default>(
        &mut self,
        field: &str,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Option<T> {
        match self.take(field) {
            Some(Node::Object(members)) => {
                let path = [&self.path, field, "."].concat();
                let (strict, faults) = (self.strict, &mut *self.faults);
                Some(read_object(members, path, strict, faults, read))
            }
            Some(_) => {
                self.wrong_type(field, "an object");
                Some(T::default())
            }
            None => None,
        }
    }

    /// A nested object that must be there.
    pub(super) fn object<T: Default>(
        &mut self,
        field: &str,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> T {
        let object = self.optional_object(field, read);
        object.unwrap_or_else(|| {
            self.required(field);
            T::default()
        })
    }

    /// A list of objects that must be there.
    pub(super) fn objects<T>(
        &mut self,
        field: &str,
        size: RangeInclusive<usize>,
        read: impl FnMut(&mut Fields<'_>) -> T,
    ) -> Vec<T> {
        let objects = self.optional_objects(field, size, read);
        objects.unwrap_or_else(|| {
            self.required(field);
            Vec::new()
        })
    }

    /// A list of objects that may be there.
    pub(super) fn optional_objects<T>(
        &mut self,
        field: &str,
        size: RangeInclusive<usize>,
        read: impl FnMut(&mut Fields<'_>) -> T,
    ) -> Option<Vec<T>> {
        let items = self.items(field, size)?;
        let path = self.name(field);
        Some(read_items(items, &path, self.strict, self.faults, read))
    }

    /// The items of a list, none when something is wrong with it; `None` when it is absent.
    fn items(&mut self, field: &str, size: RangeInclusive<usize>) -> Option<Vec<Node<'f>>> {
        match self.take(field)? {
            Node::List(items) if size.contains(&items.len()) => return Some(items),
            Node::List(_) => {
                let (min, max) = size.into_inner();
                let field = self.name(field);
                let fault = InvalidField::size(field, min, max, "items");
                self.faults.push(fault);
            }
            _ => self.wrong_type(field, "an array"),
        }
        Some(Vec::new())
    }

    /// Looks at what nobody took, in the order of the names.
    fn close(mut self) {
        self.members
            .sort_unstable_by(|one, other| one.0.cmp(&other.0));
        for (field, value) in &self.members {
            let name = self.name(field);
            if self.strict {
                let reason = "is not a known field";
                self.faults
                    .push(InvalidField::new(name, Rule::NotIn, reason));
            } else if has_nul(value) || field.contains('\0') {
                self.faults.push(nul(name));
            }
        }
    }
}

/// The value with this name.
pub(super) fn find<T: Copy>(text: &str, choices: &Choices<T>) -> Option<T> {
    let found = choices.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value)
}

/// A value outside a closed set.
pub(super) fn not_in<T>(field: impl Into<String>, choices: &Choices<T>) -> InvalidField {
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let reason = format!("must be one of {}", names.join(", "));
    InvalidField::new(field, Rule::NotIn, reason)
}

/// Whether a number was an integer too large for 64 signed bits. What is as large and was written
/// with a fraction or an exponent counts as one too.
fn is_beyond_64_bits(number: &Number) -> bool {
    const BITS_63: f64 = 9_223_372_036_854_775_808.0;
    number.is_u64()
        || number
            .as_f64()
            .is_some_and(|number| number.abs() >= BITS_63)
}

fn has_nul(node: &Node<'_>) -> bool {
    match node {
        Node::Text(text) => text.contains('\0'),
        Node::List(items) => items.iter().any(has_nul),
        Node::Object(members) => members
            .iter()
            .any(|(name, node)| name.contains('\0') || has_nul(node)),
        Node::Null | Node::Flag(_) | Node::Number(_) => false,
    }
}

#[cfg(test)]
mod tests;
