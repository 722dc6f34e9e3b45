//! Authorised users: those who were added to an identity after its root user.
//!
//! The root user is looked after with the identity itself and is none of these.

use store::{Action, Expect, Fingerprint, Put, PutId, PutOwner, RecordKind, RememberedReply};

use super::Caller;
use super::countries::{is_calling_code, is_country};
use super::error::{Conflict, Error, Result};
use super::facts::{Mobile, Person, PersonPatch, UserFacts};
use super::idempotency::{Reference, ReferenceUse, is_fresh};
use super::login::missing;
use super::stored::{Stored, body};
use super::submit::{Settled, TRIES, busy};
use crate::Service;
use crate::idempotency::fingerprint;

/// Somebody who logs in.
pub type User = Stored<UserFacts>;

/// Which users.
#[derive(Clone, Debug, Default)]
pub struct UserQuery {
    /// Who may log in, or may not.
    pub active: Option<bool>,
    /// With this e-mail address.
    pub email: Option<String>,
    /// With exactly this tag.
    pub tag: Option<String>,
    /// How many to leave out, from the oldest.
    pub offset: usize,
    /// At most this many.
    pub limit: usize,
}

/// Some of the users that match.
#[derive(Clone, Debug)]
pub struct UserPage {
    /// The users, oldest first.
    pub users: Vec<User>,
    /// How many match in all.
    pub count: usize,
}

/// What a user's e-mail address occupies. Case does not tell addresses apart. A person's several
/// identities have places of their own.
pub(super) fn email_unique(email: &str, place: u8) -> Fingerprint {
    fingerprint(&[b"email", email.to_lowercase().as_bytes(), &[place]])
}

pub(super) fn check_mobile(mobile: Option<&Mobile>) -> Result<()> {
    match mobile {
        Some(mobile) if !is_calling_code(&mobile.country_code) => {
            Err(Conflict::MobileOrCountryCodeInvalid.into())
        }
        _ => Ok(()),
    }
}

/// The puts of somebody new, with the identity `owner` belongs to.
pub(super) fn new_user(
    tenant: ledger::TenantId,
    owner: PutOwner,
    id: PutId,
    facts: &UserFacts,
    place: u8,
) -> Put {
    Put {
        kind: RecordKind::User,
        id,
        tenant,
        owner,
        unique: Some(email_unique(&facts.person.email, place)),
        expect: Expect::Absent,
        body: Some(body(facts)),
    }
}

impl Service {
    /// Adds a user to the caller's identity.
    ///
    /// # Errors
    /// [`Conflict::MobileOrCountryCodeInvalid`], [`Conflict::CountryOfResidenceInvalid`],
    /// [`Conflict::EmailNotUnique`].
    pub async fn create_user(
        &self,
        caller: &Caller,
        person: Person,
        reference: Option<&Reference>,
    ) -> Result<User> {
        let claim = reference.map(|reference| {
            reference.claim(
                caller.tenant,
                Some(caller.owner),
                ReferenceUse::CreateUser,
                &person,
            )
        });
        let residence = person.country_of_residence.as_deref();
        let checked = check_mobile(person.mobile.as_ref()).and_then(|()| match residence {
            Some(code) if !is_country(code) => Err(Conflict::CountryOfResidenceInvalid.into()),
            _ => Ok(()),
        });
        match (checked, claim) {
            (Err(Error::Conflict(conflict)), Some(claim)) => {
                let remembered = self.refuse(caller.tenant, conflict, claim).await?;
                self.user_again(remembered).await
            }
            (Err(error), _) => Err(error),
            (Ok(()), claim) => {
                let facts = UserFacts::new(person, caller.identity, false);
                let owner = PutOwner::Known(caller.owner);
                let put = new_user(caller.tenant, owner, PutId::New, &facts, 0);
                let action = Action::Put(vec![put]);
                let taken = Conflict::EmailNotUnique;
                match self.settle(action, claim, taken).await? {
                    Settled::Done { records } => read_one(&records),
                    Settled::Again(remembered) => self.user_again(remembered).await,
                    Settled::Raced => Err(busy()),
                }
            }
        }
    }

    /// The user that a reference was used for: as answered then, or after a day as it is now.
    async fn user_again(&self, remembered: store::Remembered) -> Result<User> {
        let RememberedReply::Records(records) = &remembered.reply else {
            return Err(missing("the user of an idempotency record").into());
        };
        let then: User = read_one(records)?;
        if is_fresh(&remembered, self.store.now()) {
            return Ok(then);
        }
        let now = self.stored(then.tenant, then.id).await?;
        Ok(now.unwrap_or(then))
    }

    /// The identity's users that match.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn users(&self, caller: &Caller, query: &UserQuery) -> Result<UserPage> {
        let mut users: Vec<User> = self.stored_of(caller.tenant, caller.owner).await?;
        let email = query.email.as_ref().map(|email| email.to_lowercase());
        users.retain(|user| {
            let person = &user.facts.person;
            !user.facts.is_root
                && query
                    .active
                    .is_none_or(|active| user.facts.active == active)
                && email
                    .as_ref()
                    .is_none_or(|email| person.email.to_lowercase() == *email)
                && (query.tag.is_none() || person.tag == query.tag)
        });
        let count = users.len();
        let users = users.into_iter().skip(query.offset).take(query.limit);
        Ok(UserPage {
            users: users.collect(),
            count,
        })
    }

    /// One user of the caller's identity.
    ///
    /// # Errors
    /// Not found; another identity's user does not exist, nor does the root user here.
    pub async fn user(&self, caller: &Caller, id: u64) -> Result<User> {
        let user = self.stored::<UserFacts>(caller.tenant, id).await?;
        let user = user.filter(|user| user.owner == caller.owner && !user.facts.is_root);
        user.ok_or(Error::Service(crate::Error::NotFound { what: "user" }))
    }

    /// Changes a user. With another e-mail address it must be verified anew.
    ///
    /// # Errors
    /// Not found, then [`Conflict::MobileOrCountryCodeInvalid`], [`Conflict::EmailNotUnique`].
    pub async fn change_user(
        &self,
        caller: &Caller,
        id: u64,
        patch: &PersonPatch,
        reference: Option<&Reference>,
    ) -> Result<User> {
        let operation = ReferenceUse::ChangeUser(id);
        let claim = |reference: &Reference| {
            reference.claim(caller.tenant, Some(caller.owner), operation, patch)
        };
        for _ in 0..TRIES {
            let mut user = self.user(caller, id).await?;
            let claim = reference.map(claim);
            if let Err(error) = check_mobile(patch.mobile.as_ref()) {
                return match (error, claim) {
                    (Error::Conflict(conflict), Some(claim)) => {
                        let remembered = self.refuse(caller.tenant, conflict, claim).await?;
                        self.user_again(remembered).await
                    }
                    (error, _) => Err(error),
                };
            }
            change(&mut user, patch);
            let action = Action::Put(vec![user.put()]);
            match self.settle(action, claim, Conflict::EmailNotUnique).await? {
                Settled::Done { records } => return read_one(&records),
                Settled::Again(remembered) => return self.user_again(remembered).await,
                Settled::Raced => {}
            }
        }
        Err(busy())
    }

    /// Lets a user log in, or lets them no more; then their sessions end too. Who is locked out
    /// after wrong passwords is not any more when activated.
    ///
    /// # Errors
    /// Not found.
    pub async fn set_user_active(&self, caller: &Caller, id: u64, active: bool) -> Result<()> {
        self.user(caller, id).await?;
        let _gate = self.multi.sessions.gate(id).await;
        for _ in 0..TRIES {
            let mut user = self.user(caller, id).await?;
            user.facts.active = active;
            if active {
                user.facts.secrets.attempts = super::facts::Attempts::default();
                self.multi.lockouts.cleared((user.tenant, user.id));
            }
            let done = match active {
                true => {
                    let action = Action::Put(vec![user.put()]);
                    let settled = self.settle(action, None, Conflict::EmailNotUnique).await?;
                    !matches!(settled, Settled::Raced)
                }
                false => self.put_and_end(&user, None).await?,
            };
            if done {
                return Ok(());
            }
        }
        Err(busy())
    }
}

/// Takes over what a patch says; another e-mail address is not verified, another number neither.
pub(super) fn change(user: &mut User, patch: &PersonPatch) {
    let before = user.facts.person.clone();
    user.facts.person.change(patch);
    let person = &user.facts.person;
    if email_unique(&person.email, 0) != email_unique(&before.email, 0) {
        user.facts.email_verified = false;
        user.unique = Some(email_unique(&person.email, 0));
    }
    if person.mobile != before.mobile {
        user.facts.mobile_verified = false;
    }
}

/// The user among records that were written.
pub(super) fn read_one(records: &[store::Record]) -> Result<User> {
    let user = records
        .iter()
        .find(|record| record.kind == RecordKind::User);
    let user = user.ok_or_else(|| missing("a user that was written"))?;
    Ok(Stored::read(user)?)
}

#[cfg(test)]
mod tests;
