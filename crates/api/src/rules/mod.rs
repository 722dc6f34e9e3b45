//! Rules and their runs as JSON, for every dialect that has them.
//!
//! The dialects say the same about rules and differ only in spelling: the case of members, the
//! names of actions, the form of ids. A [`Spelling`] has these differences; reading, rendering and
//! the schemas of the documents go by it, so that a rule written in one dialect reads back in
//! another.
//!
//! Source: sequence-api §3, §5 and §12.

mod explained;
mod read;
mod render;
mod runs;
mod schema;

use std::borrow::Cow;

use ledger::rule::action::ActionType;
use ledger::{AccountId, AccountKind};

pub(crate) use read::{Status, draft, percent_of, rate_of};
pub(crate) use render::{finding, rule, summary};
pub(crate) use runs::{Detail, execution};
pub(crate) use schema::{body_schema, insert as insert_schemas};

use crate::json::Fault;

/// How a dialect writes rules.
pub(crate) struct Spelling {
    /// Whether members are in camel case and all words in capitals (Platform), or members in snake
    /// case and words as sequence-api §0.3 has them.
    pub camel: bool,
    /// What the rule's name is called.
    pub name: &'static str,
    /// Whether rules that ask the user's own server for amounts are made here: who makes them says
    /// where it is, and only operators do.
    pub asks: bool,
    /// An account's id.
    pub account: fn(u64) -> String,
    /// The number behind an account's id.
    pub read_account: fn(&str) -> Option<u64>,
    /// A rule's id.
    pub rule: fn(u64) -> String,
    /// A run's id.
    pub execution: fn(u64) -> String,
    /// A transfer's id.
    pub transfer: fn(u64) -> String,
}

impl Spelling {
    /// A member's name, which is handed in in snake case.
    pub(crate) fn member<'a>(&self, snake: &'a str) -> Cow<'a, str> {
        match self.camel {
            true => Cow::Owned(camel(snake)),
            false => Cow::Borrowed(snake),
        }
    }

    /// A word of a closed list, which is handed in in lower case.
    pub(crate) fn word(&self, lower: &str) -> String {
        match self.camel {
            true => lower.to_ascii_uppercase(),
            false => lower.to_owned(),
        }
    }

    /// The type of an action.
    pub(crate) fn action(&self, action: ActionType) -> String {
        match (self.camel, action) {
            (true, ActionType::FixedAmount) => "FIXED".to_owned(),
            _ => self.word(action.name()),
        }
    }

    /// The type of an account. A card with a balance of its own is a pod here; a debit card, which
    /// has none, is none of a rule's accounts.
    pub(crate) fn kind(&self, kind: AccountKind) -> String {
        self.word(match kind {
            AccountKind::IncomeSource => "income_source",
            AccountKind::Pod | AccountKind::PrepaidCard | AccountKind::DebitCard => "pod",
            AccountKind::External(_) | AccountKind::System(_) => "external_account",
        })
    }

    /// The account that a text names. A text of another form is an id that nobody has.
    fn account_of(&self, text: &str) -> AccountId {
        AccountId::new((self.read_account)(text).unwrap_or(0))
    }

    /// A path inside a rule, as the core writes it, in this spelling.
    pub(crate) fn path(&self, path: &str) -> String {
        match path {
            "nickname" => self.name.to_owned(),
            path if self.camel => camel(path),
            path => path.to_owned(),
        }
    }

    /// Faults that the core found in a draft.
    pub(crate) fn faults(&self, faults: &[ledger::rule::validate::Fault]) -> Vec<Fault> {
        faults
            .iter()
            .map(|fault| Fault::new(self.path(&fault.path), fault.reason))
            .collect()
    }
}

/// `percentage_value` as `percentageValue`.
fn camel(snake: &str) -> String {
    let mut text = String::with_capacity(snake.len());
    let mut capital = false;
    for character in snake.chars() {
        match character {
            '_' => capital = true,
            letter if capital => {
                text.push(letter.to_ascii_uppercase());
                capital = false;
            }
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests;
