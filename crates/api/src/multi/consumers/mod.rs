//! `/consumers`: identities of persons.

pub(super) mod create;
pub(super) mod get;
pub(super) mod send_code;
pub(super) mod update;
pub(super) mod verify_code;
pub(super) mod wire;
