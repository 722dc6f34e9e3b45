//! Query strings, in every encoding that callers use.
//!
//! - lists: `state=A&state=B`, `state[]=A&state[]=B`, `state[0]=A`, `state=A,B`;
//! - objects: `id=1&type=…`, `instrumentId[id]=…`, `instrumentId.id=…`, `instrumentId={…}` (JSON);
//! - members of a list's owner: `state.blockedReason[]=…`, `state[blockedReason]=…`.
//!
//! A value that stands twice, or an object in two encodings, is an `AT_MOST`. Parameters that
//! nobody asked for are ignored, NULs in them too.

use std::ops::RangeInclusive;

use super::fields::{self, Choices, Fields};
use super::invalid::InvalidField;
use super::rules::{self, Text};
use crate::json::{Node, NodeMembers};

/// Items on a page unless asked otherwise, and at most.
pub(super) const LIMIT_MAX: i64 = 100;

/// The parameters of a query string, and the faults found in them so far.
pub(super) struct Query {
    pairs: Vec<(String, String)>,
    faults: Vec<InvalidField>,
}

impl Query {
    /// Takes a query string apart.
    pub(super) fn parse(query: Option<&str>) -> Query {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Query {
            pairs: pairs.into_owned().collect(),
            faults: Vec::new(),
        }
    }

    /// All is well, or everything that is not.
    pub(super) fn finish(self) -> Result<(), Vec<InvalidField>> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(self.faults)
        }
    }

    /// Notes something that the readers here do not know of.
    pub(super) fn fault(&mut self, fault: InvalidField) {
        self.faults.push(fault);
    }

    /// A parameter's value; a second one is a fault.
    fn take(&mut self, name: &str) -> Option<String> {
        let mut values = self.pairs.iter().filter(|(key, _)| key == name);
        let first = values.next().map(|(_, value)| value.clone());
        if values.next().is_some() {
            self.faults.push(InvalidField::twice(name));
        }
        first
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str, rule: &Text) -> Option<String> {
        let text = self.take(name)?;
        fields::check_text(|| name.to_owned(), &text, rule, &mut self.faults);
        Some(text)
    }

    /// An id; 0 for one that nobody has.
    pub(super) fn id(&mut self, name: &str, rule: &Text) -> Option<u64> {
        let text = self.text(name, rule)?;
        Some(rules::id_number(&text).unwrap_or(0))
    }

    /// An integer.
    pub(super) fn integer(&mut self, name: &str, bounds: RangeInclusive<i64>) -> Option<i64> {
        let text = self.take(name)?;
        fields::integer_text(name, &text, bounds, &mut self.faults)
    }

    /// A time in milliseconds, any 64-bit integer.
    pub(super) fn millis(&mut self, name: &str) -> Option<i64> {
        self.integer(name, i64::MIN..=i64::MAX)
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.choice(name, &[("true", true), ("false", false)])
    }

    /// How many items to leave out from the front.
    pub(super) fn offset(&mut self) -> u32 {
        let offset = self.integer("offset", 0..=i64::from(i32::MAX));
        offset
            .and_then(|offset| u32::try_from(offset).ok())
            .unwrap_or(0)
    }

    /// How many items to answer with: 1 to 100, more are capped, 100 when not given.
    pub(super) fn limit(&mut self) -> u32 {
        self.capped("limit", LIMIT_MAX)
    }

    /// How many items to answer with, at most `most`, which is also what is meant when not given.
    pub(super) fn capped(&mut self, name: &str, most: i64) -> u32 {
        let limit = match self.take(name) {
            // However long: it is capped.
            Some(text) if is_beyond(&text, most) => most,
            Some(text) => {
                fields::integer_text(name, &text, 1..=most, &mut self.faults).unwrap_or(most)
            }
            None => most,
        };
        u32::try_from(limit).unwrap_or(u32::MAX)
    }

    /// One of a closed set of values.
    pub(super) fn choice<T: Copy>(&mut self, name: &str, choices: &Choices<T>) -> Option<T> {
        let text = self.take(name)?;
        let chosen = fields::find(&text, choices);
        if chosen.is_none() {
            self.faults.push(fields::not_in(name, choices));
        }
        chosen
    }

    /// A set of values of a closed set, each once, in the order given.
    pub(super) fn choices<T: Copy + PartialEq>(
        &mut self,
        name: &str,
        choices: &Choices<T>,
    ) -> Vec<T> {
        let mut chosen = Vec::new();
        for text in self.list(name) {
            match fields::find(&text, choices) {
                Some(value) if chosen.contains(&value) => {}
                Some(value) => chosen.push(value),
                None => {
                    let fault = fields::not_in(name, choices);
                    if !self.faults.contains(&fault) {
                        self.faults.push(fault);
                    }
                }
            }
        }
        chosen
    }

    /// The values of a list in whichever encoding. `a.b` is also read from `a[b]`.
    fn list(&self, name: &str) -> Vec<String> {
        let bracketed = name
            .split_once('.')
            .map(|(owner, member)| format!("{owner}[{member}]"));
        let names = |key: &str| {
            let key = without_index(key);
            key == name || bracketed.as_deref() == Some(key)
        };
        let values = self.pairs.iter().filter(|(key, _)| names(key));
        values
            .flat_map(|(_, value)| value.split(',').map(str::to_owned))
            .collect()
    }

    /// An object in whichever encoding. `members` are the names of its members; those that no other
    /// parameter has are also read bare, `id=1&type=…`.
    pub(super) fn object<T: Default>(
        &mut self,
        name: &str,
        members: &[&str],
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Option<T> {
        if let Some(text) = self.take(name) {
            let parts = self.parts(name, members, |name, member| {
                [format!("{name}[{member}]"), format!("{name}.{member}")]
            });
            if !parts.is_empty() {
                self.faults.push(InvalidField::twice(name));
            }
            return Some(fields::parse_member(name, &text, &mut self.faults, read));
        }
        let encodings: [fn(&str, &str) -> [String; 1]; 3] = [
            |name, member| [format!("{name}[{member}]")],
            |name, member| [format!("{name}.{member}")],
            |_, member| [member.to_owned()],
        ];
        let found = encodings
            .into_iter()
            .map(|spell| self.parts(name, members, spell))
            .find(|parts| !parts.is_empty())?;
        let mut object = NodeMembers::new();
        for (member, value) in found {
            if object.iter().any(|(other, _)| other == member) {
                let field = format!("{name}.{member}");
                self.faults.push(InvalidField::twice(field));
                object.retain(|(other, _)| other != member);
            }
            object.push((member.into(), Node::Text(value.into())));
        }
        let (path, faults) = (format!("{name}."), &mut self.faults);
        Some(fields::read_object(object, path, false, faults, read))
    }

    /// The members that are given in one encoding.
    fn parts<'m, const N: usize>(
        &self,
        name: &str,
        members: &[&'m str],
        spell: impl Fn(&str, &str) -> [String; N],
    ) -> Vec<(&'m str, String)> {
        let mut found = Vec::new();
        for member in members {
            let names = spell(name, member);
            let pairs = self.pairs.iter().filter(|(key, _)| names.contains(key));
            found.extend(pairs.map(|(_, value)| (*member, value.clone())));
        }
        found
    }
}

/// `state[]` and `state[12]` without what stands in the last brackets.
fn without_index(key: &str) -> &str {
    let Some((front, index)) = key.strip_suffix(']').and_then(|key| key.rsplit_once('[')) else {
        return key;
    };
    if index.bytes().all(|byte| byte.is_ascii_digit()) {
        front
    } else {
        key
    }
}

/// Whether a text is an integer of more than `most`, however long.
fn is_beyond(text: &str, most: i64) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse().ok().is_none_or(|number: i64| number > most)
}

#[cfg(test)]
mod tests;
