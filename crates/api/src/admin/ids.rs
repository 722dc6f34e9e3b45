//! Ids as the admin API spells them: a prefix and 13 characters of base 32.

use service::spelling::{parse_id, spelled};

use crate::rules::Spelling;

pub(super) const TENANT: &str = "ten_";
pub(super) const OWNER: &str = "own_";
pub(super) const ACCOUNT: &str = "acc_";
pub(super) const TRANSFER: &str = "txr_";
pub(super) const KEY: &str = "key_";
pub(super) const HOLD: &str = "hold_";
pub(super) const PROFILE: &str = "prf_";
pub(super) const EVENT: &str = "evt_";
pub(super) const BULK: &str = "blk_";
pub(super) const USER: &str = "usr_";
pub(super) const SESSION: &str = "ses_";
pub(super) const WEBHOOK: &str = "whk_";
pub(super) const REPLAY: &str = "rpl_";
pub(super) const ATTEMPT: &str = "att_";
pub(super) const AUDIT: &str = "aud_";
pub(super) const RULE: &str = "rule_";
pub(super) const EXECUTION: &str = "rex_";

/// How rules are written here: as in the Sequence API.
pub(super) const RULES: Spelling = Spelling {
    camel: false,
    name: "nickname",
    asks: true,
    account: |id| spell(ACCOUNT, id),
    read_account: |text| Some(read(ACCOUNT, text)),
    rule: |id| spell(RULE, id),
    execution: |id| spell(EXECUTION, id),
    transfer: |id| spell(TRANSFER, id),
};

pub(super) fn spell(prefix: &str, id: u64) -> String {
    spelled(prefix, id)
}

/// The number behind a spelled id, or 0, which nobody has.
pub(super) fn read(prefix: &str, text: &str) -> u64 {
    text.strip_prefix(prefix).and_then(parse_id).unwrap_or(0)
}
