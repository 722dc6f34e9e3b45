//! `/users`: those who were added to an identity.

pub(super) mod activate;
pub(super) mod create;
pub(super) mod deactivate;
pub(super) mod get;
pub(super) mod list;
pub(super) mod update;
pub(super) mod wire;
