//! Giving a user the first password, and changing it.

use std::sync::Arc;

use ledger::OwnerId;

use super::error::{Conflict, Error, Result};
use super::facts::{Attempts, IdentityKind, UserFacts};
use super::login::{Entropy, Login, key, missing, session_of};
use super::passwords::Password;
use super::sessions::Kind;
use super::submit::{TRIES, busy};
use super::users::User;
use super::{Caller, Programme};
use crate::Service;

/// A password was set.
#[derive(Clone, Debug)]
pub struct PasswordSet {
    /// A business or a person.
    pub identity: IdentityKind,
    /// The identity.
    pub owner: OwnerId,
    /// The session that began with it, if the user may log in.
    pub login: Option<Login>,
}

impl Service {
    /// Gives a user the first password; a session begins with it.
    ///
    /// # Errors
    /// In this order: [`Conflict::UnresolvedIdentity`] without such a user, what is wrong with the
    /// password, [`Conflict::PasswordAlreadyCreated`].
    pub async fn create_password(
        &self,
        programme: &Programme,
        user: u64,
        password: Password,
        entropy: Entropy,
    ) -> Result<PasswordSet> {
        let read = self.stored::<UserFacts>(programme.tenant, user).await?;
        let asked = read.ok_or(Conflict::UnresolvedIdentity)?;
        password.check()?;
        let keeper = self.keeper_of(asked.clone()).await?;
        if keeper.facts.secrets.password.is_some() {
            return Err(Conflict::PasswordAlreadyCreated.into());
        }
        let turn = self.multi.hashing.turn().await?;
        let salt = entropy.salt;
        let hash = turn
            .run(move |hasher| hasher.hash(&password, &salt))
            .await?;

        let _gate = self.multi.sessions.gate(keeper.id).await;
        for _ in 0..TRIES {
            let read = self.stored::<UserFacts>(keeper.tenant, keeper.id).await?;
            let mut user = read.ok_or(Conflict::UnresolvedIdentity)?;
            if user.facts.secrets.password.is_some() {
                return Err(Conflict::PasswordAlreadyCreated.into());
            }
            user.facts.secrets.set_password(hash.clone());
            let set = |login| PasswordSet {
                identity: asked.facts.identity,
                owner: asked.owner,
                login,
            };
            if !user.facts.active {
                if self.put_and_end(&user, None).await? {
                    return Ok(set(None));
                }
                continue;
            }
            let several = self.same_person(&user).await?.len() > 1;
            let kind = if several { Kind::Auth } else { Kind::Access };
            let new = session_of(&user, kind);
            if let Some(login) = self.begin(new, &entropy, &user).await? {
                return Ok(set(Some(login)));
            }
        }
        Err(busy())
    }

    /// Changes the caller's password. The caller's session lives on, the user's others end.
    ///
    /// # Errors
    /// In this order: what is wrong with the new password, [`Error::Forbidden`] while the user is
    /// locked out, [`Conflict::PasswordIncorrect`], which counts as a wrong password at login does,
    /// [`Conflict::PasswordAlreadyUsed`].
    pub async fn update_password(
        &self,
        caller: &Caller,
        old: Password,
        new: Password,
        entropy: Entropy,
    ) -> Result<PasswordSet> {
        new.check()?;
        let turn = self.multi.hashing.turn().await?;
        let user = self.user_of(caller).await?;
        let user = self.keeper_of(user).await?;
        self.check_lock(&user, user.facts.secrets.attempts)
            .map_err(|_| Error::Forbidden)?;
        let known = user.facts.secrets.password.clone();
        let (secrets, salt) = (user.facts.secrets.clone(), entropy.salt);
        let looked_at = turn.run(move |hasher| {
            if !hasher.is(&old, secrets.password.as_deref()) {
                return Err(Conflict::PasswordIncorrect);
            }
            if hasher.was_used(&new, &secrets) {
                return Err(Conflict::PasswordAlreadyUsed);
            }
            Ok(hasher.hash(&new, &salt))
        });
        let hash = match looked_at.await? {
            Ok(hash) => hash,
            Err(conflict) => {
                if conflict == Conflict::PasswordIncorrect {
                    self.wrong_old_password(caller, &user).await?;
                }
                return Err(conflict.into());
            }
        };
        self.replace_password(caller, &user, known.as_deref(), &hash)
            .await?;
        Ok(PasswordSet {
            identity: caller.identity,
            owner: caller.owner,
            login: None,
        })
    }

    /// A session that guesses at its own password ends when the user is locked.
    async fn wrong_old_password(&self, caller: &Caller, user: &User) -> Result<()> {
        let attempts = self.wrong_password(user).await?;
        if attempts.locked_until_ms > self.store.now().0 {
            let _gate = self.multi.sessions.gate(caller.user).await;
            let sessions = self.sessions_of(user).await?;
            self.end(&sessions).await?;
        }
        Ok(())
    }

    async fn replace_password(
        &self,
        caller: &Caller,
        user: &User,
        known: Option<&str>,
        hash: &str,
    ) -> Result<()> {
        let _gate = self.multi.sessions.gate(user.id).await;
        for _ in 0..TRIES {
            let read = self.stored::<UserFacts>(user.tenant, user.id).await?;
            let mut user = read.ok_or_else(|| missing("a user"))?;
            if user.facts.secrets.password.as_deref() != known {
                // Somebody else has changed it meanwhile.
                return Err(Conflict::PasswordIncorrect.into());
            }
            user.facts.secrets.set_password(hash.to_owned());
            user.facts.secrets.attempts = Attempts::default();
            if !self.put_and_end(&user, Some(&caller.session)).await? {
                continue;
            }
            self.multi.lockouts.cleared(key(&user));
            for other in self.same_person(&user).await? {
                let mut sessions = self.sessions_of(&other).await?;
                sessions.retain(|session| !Arc::ptr_eq(session, &caller.session));
                self.end(&sessions).await?;
            }
            return Ok(());
        }
        Err(busy())
    }
}
