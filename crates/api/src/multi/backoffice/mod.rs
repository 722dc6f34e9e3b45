//! `/multi/backoffice`: acting in an identity's place.

pub(super) mod access_token;
