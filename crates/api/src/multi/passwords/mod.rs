//! `/passwords`: creating and changing one.

pub(super) mod create;
pub(super) mod update;
pub(super) mod wire;
