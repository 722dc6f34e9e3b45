//! Ids as Sequence spells them: a prefix and 13 characters of base 32.

use service::spelling::{id_text, parse_id};

use crate::rules::Spelling;

/// `prefix` and the number.
pub(super) fn spell(prefix: &str, id: u64) -> String {
    let text = id_text(id);
    let mut spelled = String::with_capacity(prefix.len() + text.len());
    spelled.push_str(prefix);
    spelled.extend(text.iter().map(|byte| char::from(*byte)));
    spelled
}

/// The number behind a spelled id. A text of another form is an id that nobody has.
pub(super) fn read(prefix: &str, text: &str) -> Option<u64> {
    text.strip_prefix(prefix).and_then(parse_id)
}

pub(super) const ACCOUNT: &str = "acc_";
pub(super) const TRANSFER: &str = "txr_";
pub(super) const RULE: &str = "rule_";
pub(super) const EXECUTION: &str = "rex_";
pub(super) const CARD: &str = "card_";
pub(super) const CARD_TRANSACTION: &str = "ctx_";
pub(super) const CURSOR: &str = "cursor_";

/// How rules are written here.
pub(super) const RULES: Spelling = Spelling {
    camel: false,
    name: "nickname",
    asks: false,
    account: |id| spell(ACCOUNT, id),
    read_account: |text| read(ACCOUNT, text),
    rule: |id| spell(RULE, id),
    execution: |id| spell(EXECUTION, id),
    transfer: |id| spell(TRANSFER, id),
};
