//! The Multi dialect's use cases: who is calling, and what a programme and its identities may do.
//!
//! A request shows a programme's API key and, for almost everything, the token of a session.
//! [`Service::programme`] and [`Service::caller`] turn them into a [`Programme`] and a [`Caller`];
//! every other function here takes one of the two, so that nothing is reached without them.
//!
//! Identities, users, sessions and settings are records of the store (JSON documents with a
//! version), written in one commit with whatever they belong to. Everything here goes by the
//! machine's clock; only what the ledger dates goes by the tenant's.

mod actor;
mod bulks;
mod countries;
mod error;
mod facts;
mod idempotency;
mod identities;
mod instruments;
mod lockout;
mod login;
mod password_change;
mod passwords;
mod peers;
mod profiles;
mod rates;
mod sessions;
mod settings;
mod simulator;
mod statements;
pub(crate) mod stored;
mod submit;
mod transfers;
mod users;
mod verification;

pub use actor::Actor;
pub use bulks::Operation;
pub use error::{Conflict, Error, Result};
pub use facts::{
    Address, Company, Date, IdentityFacts, IdentityKind, Mobile, Person, PersonPatch, UserFacts,
};
pub use idempotency::Reference;
pub(crate) use idempotency::ReferenceUse;
pub use identities::{Identity, IdentityPatch, IdentitySummary, NewIdentity};
pub use instruments::{Holder, InstrumentChange, NewInstrument};
pub use login::{Entropy, Login};
pub use password_change::PasswordSet;
pub use passwords::Password;
pub use rates::{Exceeded, RateLimit};
pub use sessions::TokenKind;
pub use settings::{
    FAULT_EVERY_MAX, FaultSwitch, RATE_LIMITS_MAX, RuleReading, TenantSettings, UTC_OFFSET_MAX,
};
pub use simulator::{Outside, Simulated};
pub use statements::{Movement, Statement, StatementLine, StatementQuery};
pub use stored::Stored;
pub use transfers::{InstrumentTransfer, NotCancelled};
pub use users::{User, UserPage, UserQuery};

use std::sync::Arc;

use ledger::{OwnerId, Tenant, TenantId};
use store::{Permission, Store};

use crate::Service;
use crate::keys::{ApiKey, KeyHasher};
use lockout::Lockouts;
use passwords::Hashing;
use rates::Rates;
use sessions::{Session, Sessions};
use settings::SettingsCache;

/// A programme: the tenant behind a valid API key that may speak for it.
#[derive(Clone, Debug)]
pub struct Programme {
    /// The key it was shown.
    pub key: Arc<ApiKey>,
    /// Its tenant.
    pub tenant: TenantId,
    /// The tenant's settings when the request came.
    settings: Arc<TenantSettings>,
}

impl Programme {
    /// Whether its requests may only have fields that are known.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.settings.strict
    }
}

/// Which of the dialect's APIs a token was made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Surface {
    /// For the users of an identity.
    Multi,
    /// For an embedder who acts in an identity's place.
    BackOffice,
}

/// What kind of user somebody is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Credentials {
    /// The one user an identity was made with.
    Root,
    /// One who was added.
    User,
}

/// Who is calling: a user of an identity, with a session that has not ended.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The tenant.
    pub tenant: TenantId,
    /// The identity.
    pub owner: OwnerId,
    /// Whether that is a business or a person.
    pub identity: IdentityKind,
    /// The user.
    pub user: u64,
    /// What kind of user.
    pub credentials: Credentials,
    /// Where the token may be used.
    pub surface: Surface,
    session: Arc<Session>,
}

impl Caller {
    fn of(session: Arc<Session>) -> Caller {
        Caller {
            tenant: session.tenant,
            owner: session.owner,
            identity: session.identity,
            user: session.user,
            credentials: session.credentials,
            surface: session.kind.surface(),
            session,
        }
    }
}

/// What the dialect keeps in memory.
pub(crate) struct Multi {
    sessions: Sessions,
    lockouts: Arc<Lockouts>,
    hashing: Hashing,
    pub(crate) settings: SettingsCache,
    rates: Rates,
}

impl Multi {
    /// Reads sessions and settings once.
    pub(crate) async fn open(
        store: &dyn Store,
        hasher: &KeyHasher,
        tenants: &[Tenant],
    ) -> crate::Result<Multi> {
        Ok(Multi {
            sessions: Sessions::open(store, hasher, tenants).await?,
            lockouts: Arc::default(),
            hashing: Hashing::new(hasher),
            settings: SettingsCache::open(store, tenants).await?,
            rates: Rates::default(),
        })
    }
}

impl Service {
    /// The programme behind a presented API key.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the key is unknown or revoked; [`Error::Forbidden`] when it
    /// is a key that may not speak for its programme.
    pub fn programme(&self, presented: &str) -> Result<Programme> {
        self.programme_with(presented, &[Permission::Programme])
    }

    /// The programme whose simulator a presented API key may use.
    ///
    /// # Errors
    /// As [`Service::programme`].
    pub fn simulator(&self, presented: &str) -> Result<Programme> {
        self.programme_with(presented, &[Permission::Programme, Permission::Simulator])
    }

    fn programme_with(&self, presented: &str, any_of: &[Permission]) -> Result<Programme> {
        let key = self.keys.find(presented).ok_or(Error::Unauthenticated)?;
        if !key.permissions.iter().any(|known| any_of.contains(known)) {
            return Err(Error::Forbidden);
        }
        let tenant = key.tenant;
        Ok(Programme {
            settings: self.multi.settings.get(tenant),
            key,
            tenant,
        })
    }

    /// Counts a request of the programme.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub fn spend(&self, programme: &Programme) -> Result<()> {
        let limits = programme.settings.limits(programme.key.is_live);
        let now = self.store.now();
        self.multi.rates.take(programme.tenant, limits, now)
    }

    /// Who shows this token to this API; their session lives on.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the token is unknown or has ended; [`Error::Forbidden`] when
    /// it is another programme's or for the other API; [`Error::AccessTokenRequired`] when an
    /// identity must be chosen first.
    pub fn caller(&self, programme: &Programme, token: &str, surface: Surface) -> Result<Caller> {
        let caller = self.holder(programme, token)?;
        if caller.surface != surface {
            return Err(Error::Forbidden);
        }
        if caller.session.kind == sessions::Kind::Auth {
            return Err(Error::AccessTokenRequired);
        }
        Ok(caller)
    }

    /// Whether a token is somebody's, whoever's it is and whatever it is good for.
    #[must_use]
    pub fn is_token(&self, token: &str) -> bool {
        let now = self.store.now();
        self.multi.sessions.find(token, now).is_some()
    }

    /// Who shows this token, whether or not they have chosen an identity.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the token is unknown or has ended; [`Error::Forbidden`] when
    /// it is another programme's.
    pub fn holder(&self, programme: &Programme, token: &str) -> Result<Caller> {
        let now = self.store.now();
        let session = self.multi.sessions.find(token, now);
        let session = session.ok_or(Error::Unauthenticated)?;
        if session.tenant != programme.tenant {
            return Err(Error::Forbidden);
        }
        if session.note(now) {
            sessions::save(&*self.store, &session);
        }
        Ok(Caller::of(session))
    }
}

#[cfg(test)]
pub(crate) mod bed;
#[cfg(test)]
mod ground;
