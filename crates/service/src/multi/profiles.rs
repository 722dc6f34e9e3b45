//! Profiles: made and changed by operators, looked up by everything that is made under one.

use ledger::{ChangeProfile, Command, NewProfile, Profile, ProfileId, Reply, TenantId};
use store::Outcome;

use crate::Service;
use crate::error::{Error, Result};
use crate::transfers::unexpected;

impl Service {
    /// Makes a profile.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn create_profile(&self, new: NewProfile) -> Result<Profile> {
        self.profile_reply(Command::CreateProfile(new)).await
    }

    /// Changes a profile. What was made under it stays as it is.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn change_profile(&self, change: ChangeProfile) -> Result<Profile> {
        self.profile_reply(Command::ChangeProfile(change)).await
    }

    async fn profile_reply(&self, command: Command) -> Result<Profile> {
        match self.command(command).await? {
            Reply::Profile(profile) => Ok(profile),
            other => Err(unexpected(&Outcome::Done(other))),
        }
    }

    /// A tenant's profiles, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a tenant.
    pub async fn profiles(&self, tenant: TenantId) -> Result<Vec<Profile>> {
        self.tenant(tenant).await?;
        Ok(self.store.profiles(tenant, None).await?)
    }

    /// One profile of a tenant.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn profile(&self, tenant: TenantId, id: ProfileId) -> Result<Profile> {
        let profile = self.store.profile(tenant, id).await?;
        profile.ok_or(Error::NotFound { what: "profile" })
    }
}
