//! What an identity must go through before it may have instruments: its root user's e-mail address
//! is verified, and due diligence has ended well.

use ledger::{OwnerId, TenantId, TenantMode};
use store::Action;

use super::Programme;
use super::error::{Conflict, Error, Result};
use super::facts::IdentityKind;
use super::submit::{Settled, TRIES, busy};
use super::users::User;
use crate::Service;

/// The code that verifies e-mail addresses in sandboxes, where nothing is sent.
const SANDBOX_CODE: &str = "123456";

impl Service {
    /// The root user of an identity of this kind who has the address.
    async fn root_by_email(
        &self,
        tenant: TenantId,
        kind: IdentityKind,
        email: &str,
    ) -> Result<Option<User>> {
        let users = self.users_by_email(tenant, email).await?;
        let mut roots = users
            .into_iter()
            .filter(|user| user.facts.is_root && user.facts.identity == kind);
        Ok(roots.next())
    }

    /// Sends a code to a root user's e-mail address; in a sandbox nothing is sent, and the code is
    /// always the same.
    ///
    /// # Errors
    /// [`Conflict::EmailNotFound`], [`Conflict::AlreadyVerified`]; for live tenants
    /// [`Error::NotConfigured`].
    pub async fn send_email_code(
        &self,
        programme: &Programme,
        kind: IdentityKind,
        email: &str,
    ) -> Result<()> {
        let root = self.root_by_email(programme.tenant, kind, email).await?;
        let root = root.ok_or(Conflict::EmailNotFound)?;
        if root.facts.email_verified {
            return Err(Conflict::AlreadyVerified.into());
        }
        if programme.key.is_live {
            return Err(Error::NotConfigured {
                what: "sending e-mail",
            });
        }
        Ok(())
    }

    /// Takes the code that was sent to a root user's e-mail address: it is verified. Doing so again
    /// changes nothing.
    ///
    /// # Errors
    /// [`Conflict::VerificationCodeInvalid`], also when nobody has the address: nothing was sent
    /// there.
    pub async fn verify_email(
        &self,
        programme: &Programme,
        kind: IdentityKind,
        email: &str,
        code: &str,
    ) -> Result<()> {
        if programme.key.is_live || code != SANDBOX_CODE {
            return Err(Conflict::VerificationCodeInvalid.into());
        }
        for _ in 0..TRIES {
            let root = self.root_by_email(programme.tenant, kind, email).await?;
            let mut root = root.ok_or(Conflict::VerificationCodeInvalid)?;
            if root.facts.email_verified {
                return Ok(());
            }
            root.facts.email_verified = true;
            let action = Action::Put(vec![root.put()]);
            let settled = self.settle(action, None, Conflict::EmailNotUnique).await?;
            if !matches!(settled, Settled::Raced) {
                return Ok(());
            }
        }
        Err(busy())
    }

    /// Does at once what verifying an identity takes: its addresses are verified and due diligence
    /// has ended well. Doing so again changes nothing.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a live programme; not found.
    pub async fn simulate_verification(
        &self,
        programme: &Programme,
        kind: IdentityKind,
        id: u64,
    ) -> Result<()> {
        let tenant = self.tenant(programme.tenant).await?;
        if tenant.mode == TenantMode::Live {
            return Err(Error::Forbidden);
        }
        for _ in 0..TRIES {
            let mut identity = self.find_identity(tenant.id, OwnerId::new(id)).await?;
            if identity.facts.facts.kind != kind {
                return Err(Error::Service(crate::Error::NotFound { what: "identity" }));
            }
            let root = &mut identity.root.facts;
            if identity.facts.facts.approved && root.email_verified && root.mobile_verified {
                return Ok(());
            }
            (root.email_verified, root.mobile_verified) = (true, true);
            identity.facts.facts.approved = true;
            let action = Action::Put(vec![identity.facts.put(), identity.root.put()]);
            let settled = self.settle(action, None, Conflict::EmailNotUnique).await?;
            if !matches!(settled, Settled::Raced) {
                return Ok(());
            }
        }
        Err(busy())
    }
}
