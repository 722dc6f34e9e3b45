//! What operators do: tenants, owners, accounts, keys, simulated money, holds and clocks.
//!
//! Callers have shown the admin token; there is no finer permission here.

use std::sync::Arc;

use ledger::{
    Account, AccountId, AccountState, Command, CreateTransfer, ErrorCode, Hold, HoldId, KeyId,
    MoneyIn, MoneyOut, OpenAccount, Owner, OwnerKind, PlaceHold, Reply, StateReason, Tenant,
    TenantClock, TenantId, TenantMode, TransferId,
};
use store::{
    AccountQuery, AccountRow, Action, KeyRecord, Outcome, Permission, Submit, TransferRow,
};

use crate::Service;
use crate::error::{Error, Result};
use crate::keys::Secret;
use crate::transfers::unexpected;

impl Service {
    pub(crate) async fn command(&self, command: Command) -> Result<Reply> {
        match self.store.submit(Submit::command(command)).await? {
            Outcome::Done(reply) => Ok(reply),
            Outcome::Refused(rejection) => Err(rejection.into()),
            other => Err(unexpected(&other)),
        }
    }

    /// Makes a tenant.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn create_tenant(&self, name: &str, mode: TenantMode) -> Result<Tenant> {
        match self
            .command(Command::CreateTenant {
                name: Arc::from(name),
                mode,
            })
            .await?
        {
            Reply::Tenant(tenant) => Ok(tenant),
            other => Err(unexpected(&Outcome::Done(other))),
        }
    }

    /// Every tenant, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn tenants(&self) -> Result<Vec<Tenant>> {
        Ok(self.store.tenants().await?)
    }

    /// One tenant.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn tenant(&self, id: TenantId) -> Result<Tenant> {
        let tenant = self.store.tenant(id).await?;
        tenant.ok_or(Error::NotFound { what: "tenant" })
    }

    /// Sets a sandbox tenant's clock, and returns when all work that became due is done.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn set_clock(&self, tenant: TenantId, clock: TenantClock) -> Result<Tenant> {
        self.clock_command(Command::SetClock { tenant, clock })
            .await
    }

    /// Moves a sandbox tenant's clock from where it stands, likewise.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn move_clock(
        &self,
        tenant: TenantId,
        advance_ms: i64,
        frozen: Option<bool>,
    ) -> Result<Tenant> {
        self.clock_command(Command::MoveClock {
            tenant,
            advance_ms,
            frozen,
        })
        .await
    }

    /// Moves a sandbox tenant's clock to its next event, which has happened when this returns.
    ///
    /// # Errors
    /// The ledger's refusals; `nothing_due` when no work is waiting.
    pub async fn clock_to_next_due(&self, tenant: TenantId) -> Result<Tenant> {
        self.clock_command(Command::ClockToNextDue { tenant }).await
    }

    async fn clock_command(&self, command: Command) -> Result<Tenant> {
        match self.command(command).await? {
            Reply::Tenant(tenant) => {
                self.store.quiesce(tenant.id).await?;
                Ok(tenant)
            }
            other => Err(unexpected(&Outcome::Done(other))),
        }
    }

    /// Returns when no work of the tenant is due by its clock.
    ///
    /// # Errors
    /// When the store has stopped.
    pub async fn quiesce(&self, tenant: TenantId) -> Result<()> {
        Ok(self.store.quiesce(tenant).await?)
    }

    /// Makes an owner.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn create_owner(
        &self,
        tenant: TenantId,
        kind: OwnerKind,
        name: &str,
    ) -> Result<Owner> {
        match self
            .command(Command::CreateOwner {
                tenant,
                kind,
                name: Arc::from(name),
            })
            .await?
        {
            Reply::Owner(owner) => Ok(owner),
            other => Err(unexpected(&Outcome::Done(other))),
        }
    }

    /// A tenant's owners, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a tenant.
    pub async fn owners(&self, tenant: TenantId) -> Result<Vec<Owner>> {
        self.tenant(tenant).await?;
        Ok(self.store.owners(tenant).await?)
    }

    /// Opens an account.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn open_account(&self, open: OpenAccount) -> Result<Account> {
        self.account_reply(Command::OpenAccount(open)).await
    }

    /// Blocks, unblocks or closes an account.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn set_account_state(
        &self,
        tenant: TenantId,
        account: AccountId,
        state: AccountState,
    ) -> Result<Account> {
        self.account_reply(Command::SetAccountState {
            tenant,
            owner: None,
            account,
            reason: StateReason::System,
            state,
        })
        .await
    }

    async fn account_reply(&self, command: Command) -> Result<Account> {
        match self.command(command).await? {
            Reply::Account(account) => Ok(account),
            other => Err(unexpected(&Outcome::Done(other))),
        }
    }

    /// A tenant's accounts, closed ones too.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a tenant.
    pub async fn all_accounts(&self, query: AccountQuery) -> Result<Vec<AccountRow>> {
        self.tenant(query.tenant).await?;
        Ok(self.store.accounts(query).await?)
    }

    /// Makes an API key. The secret is known only to the caller from now on.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn create_key(
        &self,
        tenant: TenantId,
        name: &str,
        permissions: Vec<Permission>,
        secret: &Secret,
    ) -> Result<KeyRecord> {
        let record = KeyRecord {
            id: KeyId::new(0),
            tenant,
            name: Arc::from(name),
            hash: self.keys.hasher().hash(secret.reveal()),
            hint: Arc::from(secret.hint()),
            permissions,
            created_at: ledger::Millis(0),
            revoked_at: None,
        };
        let submit = Submit {
            action: Action::CreateKey(record),
            claim: None,
        };
        match self.store.submit(submit).await? {
            Outcome::Key(record) => {
                let is_live = self.tenant(tenant).await?.mode == TenantMode::Live;
                self.keys.add(&record, is_live);
                Ok(record)
            }
            Outcome::Refused(rejection) => Err(rejection.into()),
            other => Err(unexpected(&other)),
        }
    }

    /// A tenant's API keys, revoked ones too.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a tenant.
    pub async fn api_keys(&self, tenant: TenantId) -> Result<Vec<KeyRecord>> {
        self.tenant(tenant).await?;
        Ok(self.store.keys(Some(tenant)).await?)
    }

    /// Ends an API key, at once.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn revoke_key(&self, tenant: TenantId, key: KeyId) -> Result<()> {
        let submit = Submit {
            action: Action::RevokeKey { tenant, key },
            claim: None,
        };
        match self.store.submit(submit).await? {
            Outcome::Done(_) => {
                self.keys.remove(key);
                Ok(())
            }
            Outcome::KeyNotFound => Err(Error::NotFound { what: "api key" }),
            other => Err(unexpected(&other)),
        }
    }

    /// Simulated money in.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn money_in(&self, money: MoneyIn) -> Result<TransferRow> {
        self.transfer_reply(Command::MoneyIn(money)).await
    }

    /// Simulated money out, drawn from outside.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn money_out(&self, money: MoneyOut) -> Result<TransferRow> {
        self.transfer_reply(Command::MoneyOut(money)).await
    }

    /// Gives a pending transfer back, as its rail would.
    ///
    /// # Errors
    /// The ledger's refusals; a transfer that has ended is `transfer_not_pending`.
    pub async fn return_transfer(
        &self,
        tenant: TenantId,
        transfer: TransferId,
        code: ErrorCode,
    ) -> Result<TransferRow> {
        let done = self
            .transfer_reply(Command::ReturnTransfer {
                tenant,
                transfer,
                code,
            })
            .await;
        match done {
            Err(Error::Rejected(ledger::Rejection::TransferNotFound)) => {
                let row = self.store.transfer(tenant, transfer).await?;
                let row = row.ok_or(Error::NotFound { what: "transfer" })?;
                Err(ledger::Rejection::NotPending {
                    status: row.transfer.status,
                }
                .into())
            }
            other => other,
        }
    }

    /// Records a transfer on an operator's word, without a key.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn transfer_as_operator(
        &self,
        tenant: TenantId,
        source: AccountId,
        destination: AccountId,
        amount: ledger::Amount,
        description: Option<Arc<str>>,
    ) -> Result<TransferRow> {
        self.transfer_reply(Command::CreateTransfer(CreateTransfer {
            tenant,
            key: None,
            source,
            destination,
            amount,
            rail_delay_ms: self.settings.rail_delay_ms,
            description,
            needs_approval: false,
            fails_with: None,
        }))
        .await
    }

    pub(crate) async fn transfer_reply(&self, command: Command) -> Result<TransferRow> {
        match self.command(command).await? {
            Reply::Transfer {
                transfer,
                source,
                destination,
            } => Ok(TransferRow {
                transfer,
                source,
                destination,
            }),
            other => Err(unexpected(&Outcome::Done(other))),
        }
    }

    /// One transfer of a tenant.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn any_transfer(&self, tenant: TenantId, id: TransferId) -> Result<TransferRow> {
        let row = self.store.transfer(tenant, id).await?;
        row.ok_or(Error::NotFound { what: "transfer" })
    }

    /// One account of a tenant.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn any_account(&self, tenant: TenantId, id: AccountId) -> Result<AccountRow> {
        let row = self.store.account(tenant, id).await?;
        row.ok_or(Error::NotFound { what: "account" })
    }

    /// Reserves money.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn place_hold(&self, place: PlaceHold) -> Result<Hold> {
        match self.command(Command::PlaceHold(place)).await? {
            Reply::Hold(hold) => Ok(hold),
            other => Err(unexpected(&Outcome::Done(other))),
        }
    }

    /// Gives reserved money free.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn release_hold(&self, tenant: TenantId, hold: HoldId) -> Result<Hold> {
        match self.command(Command::ReleaseHold { tenant, hold }).await? {
            Reply::Hold(hold) => Ok(hold),
            other => Err(unexpected(&Outcome::Done(other))),
        }
    }

    /// An account's holds.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such an account.
    pub async fn holds(&self, tenant: TenantId, account: AccountId) -> Result<Vec<Hold>> {
        self.any_account(tenant, account).await?;
        Ok(self.store.holds(account).await?)
    }

    /// An account's entries, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such an account.
    pub async fn entries(
        &self,
        tenant: TenantId,
        account: AccountId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<store::EntryRow>> {
        self.any_account(tenant, account).await?;
        Ok(self.store.entries(account, before, limit).await?)
    }
}
