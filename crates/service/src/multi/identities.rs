//! Identities: corporates and consumers, each an owner of the ledger with a record beside it and a
//! root user, made in one commit.

use ledger::{Command, OwnerId, OwnerKind, ProfileId, ProfileKind, TenantId};
use serde::Serialize;
use store::{Action, Claim, Expect, Put, PutId, PutOwner, RecordKind, RememberedReply};

use super::countries::is_country;
use super::error::{Conflict, Error, Result};
use super::facts::{Address, Company, IdentityFacts, IdentityKind, Person, PersonPatch, UserFacts};
use super::idempotency::{Reference, ReferenceUse, is_fresh};
use super::login::{IDENTITIES_MAX, missing};
use super::stored::{Stored, body};
use super::submit::{Settled, TRIES, busy};
use super::users::{User, change, check_mobile, email_unique, new_user, read_one};
use super::{Caller, Programme};
use crate::Service;

/// The one fee group there is; no other is known.
const FEE_GROUP: &str = "DEFAULT";
/// Characters of an owner's name in the ledger.
const OWNER_NAME_MAX: usize = 100;

/// An identity with its root user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The identity. Its id is its owner's.
    pub facts: Stored<IdentityFacts>,
    /// The user it was made with. The id is the same.
    pub root: User,
}

impl Identity {
    /// Whether the e-mail address is verified and due diligence has ended well: what an identity
    /// needs before it can have instruments.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.root.facts.email_verified && self.facts.facts.approved
    }

    pub(super) fn summary(&self) -> IdentitySummary {
        IdentitySummary {
            identity: self.facts.facts.kind,
            owner: self.facts.owner,
            name: full_name(self.facts.facts.company.as_ref(), &self.root.facts.person),
        }
    }
}

/// An identity in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentitySummary {
    /// A business or a person.
    pub identity: IdentityKind,
    /// The identity.
    pub owner: OwnerId,
    /// What it is called.
    pub name: String,
}

/// An identity to be made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NewIdentity {
    /// A business or a person.
    pub kind: IdentityKind,
    /// A profile of that kind.
    pub profile: u64,
    /// A mark to search by.
    pub tag: Option<String>,
    /// Who it is made with.
    pub root: Person,
    /// The business, of a corporate.
    pub company: Option<Company>,
    /// Its industry, in the dialect's words.
    pub industry: Option<String>,
    /// Where its money comes from, in the dialect's words.
    pub source_of_funds: Option<String>,
    /// The same in its own words.
    pub source_of_funds_other: Option<String>,
    /// Whether terms were accepted, if that was told.
    pub accepted_terms: Option<bool>,
    /// From where it was registered.
    pub ip_address: String,
    /// ISO 4217, three capitals, perhaps of no currency.
    pub base_currency: Option<String>,
    /// Which fees it pays.
    pub fee_group: Option<String>,
}

/// What shall change of an identity and its root user. What is `None` stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct IdentityPatch {
    /// A mark to search by.
    pub tag: Option<String>,
    /// Its industry.
    pub industry: Option<String>,
    /// Where its money comes from.
    pub source_of_funds: Option<String>,
    /// The same in its own words.
    pub source_of_funds_other: Option<String>,
    /// Where the business works.
    pub business_address: Option<Address>,
    /// Which fees it pays.
    pub fee_group: Option<String>,
    /// ISO 4217.
    pub base_currency: Option<String>,
    /// The root user.
    pub root: PersonPatch,
}

fn full_name(company: Option<&Company>, person: &Person) -> String {
    match company {
        Some(company) => company.name.clone(),
        None => format!("{} {}", person.name, person.surname),
    }
}

/// A name that the ledger takes for an owner's, whatever the identity is called.
fn owner_name(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(OWNER_NAME_MAX)
        .collect();
    if name.trim().is_empty() {
        "-".to_owned()
    } else {
        name
    }
}

fn check_countries<'a>(codes: impl IntoIterator<Item = Option<&'a str>>) -> Result<()> {
    match codes.into_iter().flatten().all(is_country) {
        true => Ok(()),
        false => Err(Conflict::CountryInvalid.into()),
    }
}

fn check_fee_group(group: Option<&str>) -> Result<()> {
    match group {
        Some(group) if group != FEE_GROUP => Err(Conflict::FeeGroupInvalid.into()),
        _ => Ok(()),
    }
}

fn country(address: Option<&Address>) -> Option<&str> {
    address.and_then(|address| address.country.as_deref())
}

/// Where a new root user's e-mail address has its place, and who keeps the password there.
struct Place {
    place: u8,
    keeper: Option<User>,
}

impl Service {
    /// Makes an identity and its root user.
    ///
    /// # Errors
    /// In this order: [`Conflict::ProfileNotFound`], [`Conflict::ProfileInactive`],
    /// [`Conflict::CurrencyUnsupported`], [`Conflict::FeeGroupInvalid`],
    /// [`Conflict::CountryInvalid`], [`Conflict::MobileOrCountryCodeInvalid`], then about the root
    /// user's e-mail address [`Conflict::RootEmailNotUnique`],
    /// [`Conflict::ConsumerAlreadyExists`], [`Conflict::RootUserInactive`],
    /// [`Conflict::RootEmailNotVerified`].
    pub async fn create_identity(
        &self,
        programme: &Programme,
        new: NewIdentity,
        reference: Option<&Reference>,
    ) -> Result<Identity> {
        let tenant = programme.tenant;
        let claim = reference.map(|reference| {
            let operation = match new.kind {
                IdentityKind::Corporate => ReferenceUse::CreateCorporate,
                IdentityKind::Consumer => ReferenceUse::CreateConsumer,
            };
            reference.claim(tenant, None, operation, &new)
        });
        let place = match self.check_new(tenant, &new).await {
            Ok(place) => place,
            Err(error) => return self.refuse_identity(tenant, error, claim).await,
        };
        let action = self.create_action(tenant, new, place).await?;
        let taken = Conflict::RootEmailNotUnique;
        match self.settle(action, claim, taken).await? {
            Settled::Done { records } => read_both(&records),
            Settled::Again(remembered) => self.identity_again(remembered).await,
            Settled::Raced => Err(busy()),
        }
    }

    /// A profile for identities of this kind that something new may be made under.
    async fn check_profile(&self, tenant: TenantId, new: &NewIdentity) -> Result<()> {
        let wanted = match new.kind {
            IdentityKind::Corporate => ProfileKind::Corporate,
            IdentityKind::Consumer => ProfileKind::Consumer,
        };
        let id = ProfileId::new(new.profile);
        let profile = self.store.profile(tenant, id).await?;
        let profile = profile.filter(|profile| profile.terms.kind() == wanted);
        let profile = profile.ok_or(Conflict::ProfileNotFound)?;
        if profile.active {
            Ok(())
        } else {
            Err(Conflict::ProfileInactive.into())
        }
    }

    async fn check_new(&self, tenant: TenantId, new: &NewIdentity) -> Result<Place> {
        self.check_profile(tenant, new).await?;
        let is_currency = |code: &String| ledger::Currency::parse(code).is_ok();
        if !new.base_currency.as_ref().is_none_or(is_currency) {
            return Err(Conflict::CurrencyUnsupported.into());
        }
        check_fee_group(new.fee_group.as_deref())?;
        let company = new.company.as_ref();
        check_countries([
            company.map(|company| company.registration_country.as_str()),
            company.and_then(|company| country(company.business_address.as_ref())),
            country(new.root.address.as_ref()),
            new.root.nationality.as_deref(),
        ])?;
        check_mobile(new.root.mobile.as_ref())?;
        self.place_of(tenant, new.kind, &new.root.email).await
    }

    /// A place for a new root user: the only one, or a further one of somebody who is the root user
    /// of other identities and has shown that the address is theirs. A person is a consumer once.
    async fn place_of(&self, tenant: TenantId, kind: IdentityKind, email: &str) -> Result<Place> {
        let users = self.users_by_email(tenant, email).await?;
        let taken = |place: u8| {
            let unique = Some(email_unique(email, place));
            users.iter().any(|user| user.unique == unique)
        };
        if users.is_empty() {
            return Ok(Place {
                place: 0,
                keeper: None,
            });
        }
        let many = self.multi.settings.get(tenant).multi_identity;
        let keeper = users.iter().find(|user| user.facts.keeper.is_none());
        let place = (0..IDENTITIES_MAX).find(|place| many && !taken(*place));
        let (Some(keeper), Some(place)) = (keeper.filter(|k| k.facts.is_root), place) else {
            return Err(Conflict::RootEmailNotUnique.into());
        };
        let is_consumer = |user: &User| user.facts.identity == IdentityKind::Consumer;
        let refusal = match kind {
            IdentityKind::Consumer if users.iter().any(is_consumer) => {
                Some(Conflict::ConsumerAlreadyExists)
            }
            // Consumers have no codes for these.
            IdentityKind::Consumer => Some(Conflict::RootEmailNotUnique)
                .filter(|_| !keeper.facts.active || !keeper.facts.email_verified),
            IdentityKind::Corporate if !keeper.facts.active => Some(Conflict::RootUserInactive),
            IdentityKind::Corporate if !keeper.facts.email_verified => {
                Some(Conflict::RootEmailNotVerified)
            }
            IdentityKind::Corporate => None,
        };
        if let Some(refusal) = refusal {
            return Err(refusal.into());
        }
        Ok(Place {
            place,
            keeper: Some(keeper.clone()),
        })
    }

    async fn create_action(
        &self,
        tenant: TenantId,
        new: NewIdentity,
        Place { place, keeper }: Place,
    ) -> Result<Action> {
        let name = full_name(new.company.as_ref(), &new.root);
        let command = Command::CreateOwner {
            tenant,
            kind: match new.kind {
                IdentityKind::Corporate => OwnerKind::Corporate,
                IdentityKind::Consumer => OwnerKind::Consumer,
            },
            name: owner_name(&name).into(),
        };
        let created_at = self.tenant(tenant).await?.clock.now(self.store.now());
        let identity = IdentityFacts {
            kind: new.kind,
            profile: new.profile,
            tag: new.tag,
            company: new.company,
            industry: new.industry,
            source_of_funds: new.source_of_funds,
            source_of_funds_other: new.source_of_funds_other,
            accepted_terms: new.accepted_terms,
            ip_address: new.ip_address,
            base_currency: new.base_currency,
            fee_group: new.fee_group,
            approved: false,
            created_at_ms: created_at.0,
        };
        let mut root = UserFacts::new(new.root, new.kind, true);
        if let Some(keeper) = keeper {
            root.email_verified = true;
            root.had_password = keeper.facts.secrets.password.is_some();
            root.keeper = Some(keeper.id);
        }
        let identity = Put {
            kind: RecordKind::Identity,
            id: PutId::OfReply,
            tenant,
            owner: PutOwner::OfReply,
            unique: None,
            expect: Expect::Absent,
            body: Some(body(&identity)),
        };
        let root = new_user(tenant, PutOwner::OfReply, PutId::OfReply, &root, place);
        Ok(Action::Together {
            command,
            puts: vec![identity, root],
        })
    }

    /// Answers a refusal, remembering it if it may be.
    async fn refuse_identity(
        &self,
        tenant: TenantId,
        error: Error,
        claim: Option<Claim>,
    ) -> Result<Identity> {
        match (error, claim) {
            (Error::Conflict(conflict), Some(claim)) => {
                let remembered = self.refuse(tenant, conflict, claim).await?;
                self.identity_again(remembered).await
            }
            (error, _) => Err(error),
        }
    }

    /// The identity that a reference was used for: as answered then, or after a day as it is now.
    async fn identity_again(&self, remembered: store::Remembered) -> Result<Identity> {
        let RememberedReply::Records(records) = &remembered.reply else {
            return Err(missing("the identity of an idempotency record").into());
        };
        let then = read_both(records)?;
        if is_fresh(&remembered, self.store.now()) {
            return Ok(then);
        }
        self.find_identity(then.facts.tenant, then.facts.owner)
            .await
    }

    pub(super) async fn find_identity(&self, tenant: TenantId, owner: OwnerId) -> Result<Identity> {
        let facts = self.stored(tenant, owner.raw()).await?;
        let root = self.stored(tenant, owner.raw()).await?;
        match (facts, root) {
            (Some(facts), Some(root)) => Ok(Identity { facts, root }),
            _ => Err(Error::Service(crate::Error::NotFound { what: "identity" })),
        }
    }

    /// The caller's identity.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when it is of the other kind.
    pub async fn identity(&self, caller: &Caller, kind: IdentityKind) -> Result<Identity> {
        if caller.identity != kind {
            return Err(Error::Forbidden);
        }
        self.find_identity(caller.tenant, caller.owner).await
    }

    /// Whether an identity may have instruments. An owner that an operator has made without any
    /// record of an identity answers for itself.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn may_have_instruments(&self, tenant: TenantId, owner: OwnerId) -> Result<bool> {
        match self.find_identity(tenant, owner).await {
            Ok(identity) => Ok(identity.is_verified()),
            Err(Error::Service(crate::Error::NotFound { .. })) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Changes the caller's identity and its root user. Once the identity is verified, what due
    /// diligence has looked at stays as it is. Another e-mail address must be verified anew.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when it is of the other kind. Then in this order:
    /// [`Conflict::UnsupportedCurrency`], [`Conflict::FeeGroupInvalid`],
    /// [`Conflict::CountryInvalid`], [`Conflict::MobileOrCountryCodeInvalid`],
    /// [`Conflict::RootUserAlreadyVerified`] or [`Conflict::ConsumerVerified`],
    /// [`Conflict::EmailNotUnique`].
    pub async fn change_identity(
        &self,
        caller: &Caller,
        kind: IdentityKind,
        patch: &IdentityPatch,
        reference: Option<&Reference>,
    ) -> Result<Identity> {
        let claim = |reference: &Reference| {
            let owner = Some(caller.owner);
            reference.claim(caller.tenant, owner, ReferenceUse::ChangeIdentity, patch)
        };
        for _ in 0..TRIES {
            let identity = self.identity(caller, kind).await?;
            let claim = reference.map(claim);
            let changed = match self.changed(&identity, patch).await {
                Ok(changed) => changed,
                Err(error) => return self.refuse_identity(caller.tenant, error, claim).await,
            };
            let action = Action::Put(vec![changed.facts.put(), changed.root.put()]);
            match self.settle(action, claim, Conflict::EmailNotUnique).await? {
                Settled::Done { records } => return read_both(&records),
                Settled::Again(remembered) => return self.identity_again(remembered).await,
                Settled::Raced => {}
            }
        }
        Err(busy())
    }

    /// The identity as the patch would have it.
    async fn changed(&self, identity: &Identity, patch: &IdentityPatch) -> Result<Identity> {
        let is_currency = |code: &String| ledger::Currency::parse(code).is_ok();
        if !patch.base_currency.as_ref().is_none_or(is_currency) {
            return Err(Conflict::UnsupportedCurrency.into());
        }
        check_fee_group(patch.fee_group.as_deref())?;
        check_countries([
            country(patch.business_address.as_ref()),
            country(patch.root.address.as_ref()),
            patch.root.nationality.as_deref(),
        ])?;
        check_mobile(patch.root.mobile.as_ref())?;

        let mut changed = identity.clone();
        let facts = &mut changed.facts.facts;
        let put = |to: &mut Option<String>, from: &Option<String>| {
            if from.is_some() {
                to.clone_from(from);
            }
        };
        put(&mut facts.tag, &patch.tag);
        put(&mut facts.industry, &patch.industry);
        put(&mut facts.source_of_funds, &patch.source_of_funds);
        put(
            &mut facts.source_of_funds_other,
            &patch.source_of_funds_other,
        );
        put(&mut facts.fee_group, &patch.fee_group);
        put(&mut facts.base_currency, &patch.base_currency);
        if let (Some(company), Some(address)) = (&mut facts.company, &patch.business_address) {
            company.business_address = Some(address.clone());
        }
        change(&mut changed.root, &patch.root);

        let same_business = facts.company == identity.facts.facts.company;
        let (person, before) = (&changed.root.facts.person, &identity.root.facts.person);
        if identity.is_verified() && !(same_business && person.is_same_to_due_diligence(before)) {
            return Err(match facts.kind {
                IdentityKind::Corporate => Conflict::RootUserAlreadyVerified.into(),
                IdentityKind::Consumer => Conflict::ConsumerVerified.into(),
            });
        }
        let new_address = changed.root.unique != identity.root.unique;
        if new_address && self.shares_address(&identity.root).await? {
            // It is the login of several identities and cannot be taken out of one of them.
            return Err(Conflict::EmailNotUnique.into());
        }
        Ok(changed)
    }

    async fn shares_address(&self, root: &User) -> Result<bool> {
        let users = self.users_by_email(root.tenant, &root.facts.person.email);
        Ok(users.await?.len() > 1)
    }
}

/// The identity and its root user among records that were written.
fn read_both(records: &[store::Record]) -> Result<Identity> {
    let identity = records
        .iter()
        .find(|record| record.kind == RecordKind::Identity);
    let identity = identity.ok_or_else(|| missing("an identity that was written"))?;
    Ok(Identity {
        facts: Stored::read(identity)?,
        root: read_one(records)?,
    })
}

#[cfg(test)]
mod tests;
