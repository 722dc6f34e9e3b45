//! For whom a use case is done.

use ledger::{KeyId, OwnerId, TenantId};

use super::{Caller, Programme};

/// The identity that acts, and the programme it belongs to. What is another identity's does not
/// exist for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Actor {
    /// The programme's tenant.
    pub tenant: TenantId,
    /// The identity.
    pub owner: OwnerId,
    /// The API key that asks, for the record.
    pub key: Option<KeyId>,
}

impl Actor {
    /// The identity of a caller who came with this programme's key.
    #[must_use]
    pub fn new(programme: &Programme, caller: &Caller) -> Actor {
        Actor {
            tenant: caller.tenant,
            owner: caller.owner,
            key: Some(programme.key.id),
        }
    }
}
