//! Logging in and out, and choosing an identity.

pub(super) mod access_token;
pub(super) mod list_identities;
pub(super) mod login;
pub(super) mod logout;
