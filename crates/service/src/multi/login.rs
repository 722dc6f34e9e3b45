//! Logging in, choosing an identity, logging out.
//!
//! Whoever begins or ends a user's sessions holds the user's gate from reading the record to the
//! commit: nobody logs in past a deactivation or a new password.

use std::sync::Arc;

use ledger::{OwnerId, TenantId};
use store::{Action, Outcome, RecordConflict, RecordKind, RecordQuery, Store, StoreError, Submit};

use super::error::{Conflict, Error, Result};
use super::facts::{Attempts, IdentityFacts, IdentityKind, UserFacts};
use super::identities::{Identity, IdentitySummary};
use super::lockout::{Lockouts, UserKey};
use super::passwords::Password;
use super::sessions::{Kind, NewSession, Session, TokenKind};
use super::stored::Stored;
use super::submit::{TRIES, busy};
use super::users::{User, email_unique};
use super::{Caller, Credentials, Programme};
use crate::Service;
use crate::transfers::unexpected;

/// Identities that one person may be the root user of, where that is allowed at all.
pub(super) const IDENTITIES_MAX: u8 = 16;

/// Random bytes for one call: a token's and a salt's. Whoever serves requests draws them.
#[derive(Clone)]
pub struct Entropy {
    token: [u8; 32],
    pub(super) salt: [u8; 16],
}

impl Entropy {
    /// How many bytes one call needs.
    pub const BYTES: usize = 48;

    /// These bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Entropy::BYTES]) -> Entropy {
        let (token, salt) = bytes.split_at(32);
        Entropy {
            token: token.try_into().expect("the first 32 of 48"),
            salt: salt.try_into().expect("the last 16 of 48"),
        }
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy(…)")
    }
}

/// A session that has begun, with its token in the one moment it is known.
#[derive(Clone)]
pub struct Login {
    /// The token.
    pub token: String,
    /// What it is for.
    pub kind: TokenKind,
    /// A business or a person.
    pub identity: IdentityKind,
    /// The identity.
    pub owner: OwnerId,
    /// What kind of user.
    pub credentials: Credentials,
    /// The user.
    pub user: u64,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({:?} {})", self.kind, self.user)
    }
}

pub(super) fn key(user: &User) -> UserKey {
    (user.tenant, user.id)
}

fn credentials(user: &User) -> Credentials {
    match user.facts.is_root {
        true => Credentials::Root,
        false => Credentials::User,
    }
}

pub(super) fn session_of(user: &User, kind: Kind) -> NewSession {
    NewSession {
        kind,
        tenant: user.tenant,
        owner: user.owner,
        identity: user.facts.identity,
        user: user.id,
        credentials: credentials(user),
    }
}

impl Service {
    /// Whoever has this e-mail address: nobody, one user, or one person's root users.
    pub(super) async fn users_by_email(&self, tenant: TenantId, email: &str) -> Result<Vec<User>> {
        let many = self.multi.settings.get(tenant).multi_identity;
        let places = if many { IDENTITIES_MAX } else { 1 };
        let mut users = Vec::new();
        for place in 0..places {
            let unique = email_unique(email, place);
            let record = self
                .store
                .record_by_unique(RecordKind::User, tenant, unique);
            if let Some(record) = record.await? {
                users.push(Stored::<UserFacts>::read(&record)?);
            }
        }
        Ok(users)
    }

    /// Everybody who is the same person, the user included.
    pub(super) async fn same_person(&self, user: &User) -> Result<Vec<User>> {
        if !user.facts.is_root || !self.multi.settings.get(user.tenant).multi_identity {
            return Ok(vec![user.clone()]);
        }
        let users = self.users_by_email(user.tenant, &user.facts.person.email);
        users.await
    }

    /// The user who keeps the password of this one.
    pub(super) async fn keeper_of(&self, user: User) -> Result<User> {
        let Some(keeper) = user.facts.keeper else {
            return Ok(user);
        };
        let keeper = self.stored(user.tenant, keeper).await?;
        Ok(keeper.ok_or_else(|| missing("the user who keeps a password"))?)
    }

    pub(super) async fn user_of(&self, caller: &Caller) -> Result<User> {
        let user = self.stored(caller.tenant, caller.user).await?;
        Ok(user.ok_or_else(|| missing("the user of a session"))?)
    }

    /// Begins a session with an e-mail address and a password. Who has several identities gets a
    /// token to choose one with.
    ///
    /// An unknown address takes as long as a wrong password.
    ///
    /// # Errors
    /// [`Error::Locked`] after too many wrong passwords in a row; [`Error::Forbidden`] when
    /// address and password are not those of an active user.
    pub async fn login(
        &self,
        programme: &Programme,
        email: &str,
        password: Password,
        entropy: Entropy,
    ) -> Result<Login> {
        let turn = self.multi.hashing.turn().await?;
        let users = self.users_by_email(programme.tenant, email).await?;
        let user = users.into_iter().find(|user| user.facts.keeper.is_none());
        let secrets = user.as_ref().map(|user| &user.facts.secrets);
        if let (Some(user), Some(secrets)) = (&user, secrets) {
            self.check_lock(user, secrets.attempts)?;
        }
        let hash = secrets.and_then(|secrets| secrets.password.clone());
        let known = hash.clone();
        let is_right = turn.run(move |hasher| hasher.is(&password, hash.as_deref()));
        let is_right = is_right.await?;
        let Some((user, known)) = user.zip(known) else {
            return Err(Error::Forbidden);
        };
        if !is_right {
            self.wrong_password(&user).await?;
            return Err(Error::Forbidden);
        }
        self.begin_login(user.tenant, user.id, &known, &entropy)
            .await
    }

    pub(super) fn check_lock(&self, user: &User, recorded: Attempts) -> Result<()> {
        let now = self.store.now();
        if self.multi.lockouts.is_locked(key(user), recorded, now) {
            return Err(Error::Locked);
        }
        Ok(())
    }

    /// Begins the session of a user who has shown the password with this hash.
    async fn begin_login(
        &self,
        tenant: TenantId,
        user: u64,
        shown: &str,
        entropy: &Entropy,
    ) -> Result<Login> {
        let _gate = self.multi.sessions.gate(user).await;
        for _ in 0..TRIES {
            let read = self.stored::<UserFacts>(tenant, user).await?;
            let mut user = read.ok_or(Error::Forbidden)?;
            self.check_lock(&user, user.facts.secrets.attempts)?;
            let is_still = user.facts.secrets.password.as_deref() == Some(shown);
            if !user.facts.active || !is_still {
                return Err(Error::Forbidden);
            }
            let several = self.same_person(&user).await?.len() > 1;
            let kind = if several { Kind::Auth } else { Kind::Access };
            user.facts.secrets.attempts = Attempts::default();
            let begun = self.begin(session_of(&user, kind), entropy, &user).await?;
            if let Some(login) = begun {
                self.multi.lockouts.cleared(key(&user));
                return Ok(login);
            }
        }
        Err(busy())
    }

    /// Counts a wrong password.
    pub(super) async fn wrong_password(&self, user: &User) -> Result<Attempts> {
        let (lockouts, now) = (&self.multi.lockouts, self.store.now());
        let recorded = user.facts.secrets.attempts;
        let attempts = lockouts.failed(key(user), recorded, now);
        let (store, lockouts) = (Arc::clone(&self.store), Arc::clone(lockouts));
        let key = key(user);
        if attempts.locked_until_ms > now.0 {
            write_attempts(&*store, &lockouts, key).await?;
        } else {
            tokio::spawn(async move {
                if let Err(error) = write_attempts(&*store, &lockouts, key).await {
                    tracing::warn!(%error, user = key.1, "a wrong password is counted in memory only");
                }
            });
        }
        Ok(attempts)
    }

    /// Begins a session and writes its user's record with it, so that whatever changes the user on
    /// another server at the same time, a password above all, comes clearly before or after. `None`
    /// when that record is not as it was read. The user's gate must be held.
    pub(super) async fn begin(
        &self,
        new: NewSession,
        entropy: &Entropy,
        user: &User,
    ) -> Result<Option<Login>> {
        let (sessions, now) = (&self.multi.sessions, self.store.now());
        let token = sessions.token(&entropy.token);
        let session = sessions.draft(new, &token, now);
        let gone = sessions.make_room(new.tenant, new.user, now);
        let mut puts = vec![user.put(), session.begin()];
        let needed = puts.len();
        puts.extend(gone.iter().map(|session| session.end()));
        loop {
            let action = Action::Put(puts.clone());
            let outcome = self.store.submit(Submit {
                action,
                claim: None,
            });
            match outcome.await? {
                Outcome::Stored { records, .. } => {
                    let record = records
                        .iter()
                        .find(|record| record.kind == RecordKind::Session);
                    let record = record.ok_or_else(|| missing("the record of a new session"))?;
                    let session = sessions.insert(session, record.id);
                    return Ok(Some(login(&session, token.text)));
                }
                // One of those that make room was ended by somebody else.
                Outcome::Conflict(RecordConflict::Changed(RecordKind::Session))
                    if puts.len() > needed =>
                {
                    puts.truncate(needed);
                }
                Outcome::Conflict(RecordConflict::Changed(RecordKind::User)) => return Ok(None),
                Outcome::Refused(rejection) => return Err(rejection.into()),
                other => return Err(unexpected(&other).into()),
            }
        }
    }

    /// The identities that the holder of a token may choose from, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn identities_of(&self, caller: &Caller) -> Result<Vec<IdentitySummary>> {
        let user = self.user_of(caller).await?;
        let mut identities = Vec::new();
        for user in self.same_person(&user).await? {
            identities.push(self.summary(&user).await?);
        }
        identities.sort_unstable_by_key(|identity| identity.owner);
        Ok(identities)
    }

    /// Begins a session for one of the holder's identities.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when the identity is none of the holder's, or the user of it may not
    /// log in.
    pub async fn access_token(
        &self,
        caller: &Caller,
        identity: IdentityKind,
        owner: OwnerId,
        entropy: Entropy,
    ) -> Result<Login> {
        let user = self.user_of(caller).await?;
        let users = self.same_person(&user).await?;
        let chosen = users.into_iter().find(|user| user.owner == owner);
        let chosen = chosen.filter(|user| user.facts.identity == identity);
        let id = chosen.ok_or(Error::Forbidden)?.id;
        let _gate = self.multi.sessions.gate(id).await;
        for _ in 0..TRIES {
            let chosen = self.stored::<UserFacts>(caller.tenant, id).await?;
            let chosen = chosen.filter(|user| user.facts.active);
            let chosen = chosen.ok_or(Error::Forbidden)?;
            let new = session_of(&chosen, Kind::Access);
            if let Some(login) = self.begin(new, &entropy, &chosen).await? {
                return Ok(login);
            }
        }
        Err(busy())
    }

    /// Begins a session that acts in an identity's place, for the Back Office.
    ///
    /// # Errors
    /// [`Conflict::UnresolvedIdentity`] without such an identity.
    pub async fn backoffice_token(
        &self,
        programme: &Programme,
        identity: IdentityKind,
        id: u64,
        entropy: Entropy,
    ) -> Result<Login> {
        let _gate = self.multi.sessions.gate(id).await;
        for _ in 0..TRIES {
            // A root user's id is its identity's.
            let root = self.stored::<UserFacts>(programme.tenant, id).await?;
            let root = root
                .filter(|root| root.facts.is_root && root.facts.identity == identity)
                .ok_or(Conflict::UnresolvedIdentity)?;
            let new = session_of(&root, Kind::BackOffice);
            if let Some(login) = self.begin(new, &entropy, &root).await? {
                return Ok(login);
            }
        }
        Err(busy())
    }

    /// Ends the caller's session, durably.
    ///
    /// # Errors
    /// When the store cannot be written; the session then lives on.
    pub async fn logout(&self, caller: &Caller) -> Result<()> {
        let _gate = self.multi.sessions.gate(caller.user).await;
        self.end(std::slice::from_ref(&caller.session)).await
    }

    /// Ends sessions, durably.
    pub(super) async fn end(&self, sessions: &[Arc<Session>]) -> Result<()> {
        for session in sessions {
            let submit = Submit {
                action: Action::Put(vec![session.end()]),
                claim: None,
            };
            match self.store.submit(submit).await? {
                // It may have ended already.
                Outcome::Stored { .. } | Outcome::Conflict(_) => {}
                other => return Err(unexpected(&other).into()),
            }
            self.multi.sessions.remove(std::slice::from_ref(session));
        }
        Ok(())
    }

    /// The user's sessions, with those that other servers have begun.
    pub(super) async fn sessions_of(&self, user: &User) -> Result<Vec<Arc<Session>>> {
        if self.has_peers() {
            let records = self.store.records(RecordQuery {
                kind: RecordKind::Session,
                tenant: user.tenant,
                owner: Some(user.owner),
                after: 0,
                before: u64::MAX,
                newest_first: false,
                limit: usize::MAX,
            });
            for record in records.await? {
                self.multi.sessions.learn(&record)?;
            }
        }
        Ok(self.multi.sessions.of_user(user.tenant, user.id))
    }

    /// Writes a user and ends the user's sessions but `kept`, in one commit. `false` when the
    /// record is not as it was read. The user's gate must be held.
    pub(super) async fn put_and_end(
        &self,
        user: &User,
        kept: Option<&Arc<Session>>,
    ) -> Result<bool> {
        let mut ending = self.sessions_of(user).await?;
        ending.retain(|session| kept.is_none_or(|kept| !Arc::ptr_eq(kept, session)));
        let mut puts = vec![user.put()];
        puts.extend(ending.iter().map(|session| session.end()));
        loop {
            let action = Action::Put(puts.clone());
            let outcome = self.store.submit(Submit {
                action,
                claim: None,
            });
            match outcome.await? {
                Outcome::Stored { .. } => {
                    let one_by_one = puts.len() == 1 && !ending.is_empty();
                    if one_by_one {
                        self.end(&ending).await?;
                    }
                    self.multi.sessions.remove(&ending);
                    return Ok(true);
                }
                Outcome::Conflict(RecordConflict::Changed(RecordKind::User)) => return Ok(false),
                // One of them has just expired and been deleted with another user's login.
                Outcome::Conflict(RecordConflict::Changed(RecordKind::Session))
                    if puts.len() > 1 =>
                {
                    puts.truncate(1);
                }
                Outcome::Refused(rejection) => return Err(rejection.into()),
                other => return Err(unexpected(&other).into()),
            }
        }
    }

    async fn summary(&self, user: &User) -> Result<IdentitySummary> {
        let identity = self
            .stored::<IdentityFacts>(user.tenant, user.owner.raw())
            .await?;
        let facts = identity.ok_or_else(|| missing("the identity of a user"))?;
        let root = match user.facts.is_root {
            true => user.clone(),
            false => {
                let root = self.stored(user.tenant, user.owner.raw()).await?;
                root.ok_or_else(|| missing("the root user of an identity"))?
            }
        };
        Ok(Identity { facts, root }.summary())
    }
}

fn login(session: &Session, token: String) -> Login {
    Login {
        token,
        kind: match session.kind {
            Kind::Auth => TokenKind::Auth,
            Kind::Access | Kind::BackOffice => TokenKind::Access,
        },
        identity: session.identity,
        owner: session.owner,
        credentials: session.credentials,
        user: session.user,
    }
}

/// Writes how often a user was wrong, as memory has it by now.
async fn write_attempts(store: &dyn Store, lockouts: &Lockouts, user: UserKey) -> Result<()> {
    for _ in 0..TRIES {
        let record = store.record(RecordKind::User, user.0, user.1).await?;
        let Some(record) = record else { return Ok(()) };
        let mut known = Stored::<UserFacts>::read(&record)?;
        let Some(attempts) = lockouts.of(user) else {
            return Ok(());
        };
        if known.facts.secrets.attempts == attempts {
            return Ok(());
        }
        known.facts.secrets.attempts = attempts;
        let submit = Submit {
            action: Action::Put(vec![known.put()]),
            claim: None,
        };
        if let Outcome::Stored { .. } = store.submit(submit).await? {
            return Ok(());
        }
    }
    Err(busy())
}

pub(super) fn missing(what: &str) -> StoreError {
    StoreError::Corrupt(Arc::from(format!("{what} is missing")))
}

#[cfg(test)]
mod tests;
