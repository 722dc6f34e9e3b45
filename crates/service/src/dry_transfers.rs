//! Dry runs of transfers: what one would come to, decided by the ledger's own code on a copy of its
//! owner's state, and kept as a record. Nothing is moved, counted or held.
//!
//! A dry run is over at once. What the simulated rail would carry counts as arrived after the rail's
//! delay; what a person would have to approve stays waiting. Reasons:
//! `docs/decisions/2026-11-22-dry-transfers.md`.

use std::sync::Arc;

use ledger::{
    Account, AccountId, AccountKind, Amount, Command, Context, CreateTransfer, Currency, Direction,
    Due, Effect, ErrorCode, IdSource, KeyId, Millis, Origin, Party, Rejection, Reply, State,
    Status, Transfer, TransferId, Work, decide,
};
use serde::{Deserialize, Serialize};
use store::{
    AccountRole, Action, Expect, Outcome, Put, PutId, PutOwner, Record, RecordKind, RecordQuery,
    RememberedReply, StoreError, Submit, TransferQuery, TransferRow,
};

use crate::Service;
use crate::error::{Error, Result};
use crate::faults;
use crate::idempotency::KeyOperation;
use crate::keys::ApiKey;
use crate::multi::stored::{body, corrupt};
use crate::permission::{Wish, allows, needs_approval};
use crate::platform::Page;
use crate::rules::Request;
use crate::transfers::{Answered, NewTransfer, missing, unexpected};

/// What is kept of a dry run; its id is the transfer's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Dry {
    source: u64,
    destination: u64,
    amount_minor: i64,
    currency: String,
    status: Ended,
    error: Option<String>,
    key: u64,
    description: Option<String>,
    created_ms: i64,
    completed_ms: Option<i64>,
}

/// How a dry run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    PendingApproval,
    Complete,
    Incomplete,
    Error,
}

impl From<Ended> for Status {
    fn from(ended: Ended) -> Status {
        match ended {
            Ended::PendingApproval => Status::PendingApproval,
            Ended::Complete => Status::Complete,
            Ended::Incomplete => Status::Incomplete,
            Ended::Error => Status::Error,
        }
    }
}

/// Records that are read at once.
const RUN: usize = 500;

impl Service {
    /// What a transfer would come to.
    ///
    /// # Errors
    /// As of [`Service::create_transfer`], in the same order.
    pub async fn simulate_transfer(
        &self,
        key: &ApiKey,
        new: NewTransfer,
        request: Request<'_>,
    ) -> Result<Answered> {
        let wish = Wish::Transfer {
            source: new.source,
            destination: new.destination,
            amount_minor: new.amount_minor,
        };
        if !allows(&key.permissions, wish) {
            return Err(Error::Forbidden);
        }
        let amount = Amount::new(new.amount_minor, new.currency).map_err(|_| Error::Invalid {
            field: "amount_in_cents",
            reason: "must be greater than zero",
        })?;
        let claim = request.claim(key, KeyOperation::CreateTransfer, 0);
        let claimed = claim.as_ref().map(|claim| claim.body);
        let command = CreateTransfer {
            tenant: key.tenant,
            key: Some(key.id),
            source: new.source,
            destination: new.destination,
            amount,
            rail_delay_ms: self.settings.rail_delay_ms,
            description: new.description,
            needs_approval: needs_approval(
                &key.permissions,
                new.source,
                new.destination,
                new.amount_minor,
            ),
            fails_with: faults::asked().transfer_error,
        };
        let used_for = match &claim {
            Some(claim) => self.used_for(key.tenant, claim.key).await?,
            None => None,
        };
        let outcome = match used_for {
            // Its first answer is given again, whatever would become of it now.
            Some(used) => Outcome::Replay(used),
            None => {
                let state = self.state_for(&command).await?;
                let transfer = try_out(state, &command, self.store.now())?;
                let put = Put {
                    kind: RecordKind::DryTransfer,
                    id: PutId::New,
                    tenant: key.tenant,
                    owner: PutOwner::Known(transfer.owner),
                    unique: None,
                    expect: Expect::Absent,
                    body: Some(body(&Dry::of(&transfer))),
                };
                let action = Action::Put(vec![put]);
                self.submit(Submit { action, claim }).await?
            }
        };
        let (record, request_id) = match outcome {
            Outcome::Stored { mut records, .. } => (records.pop(), Arc::from(request.id)),
            Outcome::Refused(rejection) => return Err(rejection.into()),
            Outcome::Replay(used) => {
                let remembered = self.recall(used, claimed).await?;
                match remembered.reply {
                    RememberedReply::Records(mut records) => (records.pop(), remembered.request_id),
                    _ => return Err(missing("the dry run of an idempotency record")),
                }
            }
            other => return Err(unexpected(&other)),
        };
        let record = record.ok_or_else(|| missing("a dry run"))?;
        let row = self.dry_row(&record).await?;
        Ok(Answered {
            transfer: row.transfer,
            source: row.source,
            destination: row.destination,
            request_id,
        })
    }

    /// A copy of the source's owner's state, with the destination in it whoever's it is, so that
    /// the ledger refuses here what it refuses there.
    async fn state_for(&self, command: &CreateTransfer) -> Result<State> {
        let tenant = command.tenant;
        let source = self.store.account(tenant, command.source).await?;
        let source = source.ok_or(Rejection::SourceNotFound)?.account;
        let forked = self.store.fork(tenant, source.owner).await?;
        let mut state = forked.ok_or(Rejection::SourceNotFound)?;
        let destination = self.store.account(tenant, command.destination).await?;
        if let Some(row) = destination.filter(|row| row.account.owner != source.owner) {
            let owners = self.store.owners(tenant).await?;
            let owner = owners.into_iter().find(|it| it.id == row.account.owner);
            let owner = owner.ok_or_else(|| missing("the owner of an account"))?;
            let empty = Account {
                balance: 0,
                held: 0,
                entries: 0,
                parent: None,
                ..row.account
            };
            for effect in [Effect::OwnerCreated(owner), Effect::AccountOpened(empty)] {
                let applied = state.apply(&effect);
                applied.map_err(|_| missing("a copy of the ledger's state"))?;
            }
        }
        Ok(state)
    }

    /// A page of dry runs that a key may see, newest first. With `live` those and real transfers.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when one of the accounts is outside the key's list.
    pub async fn dry_transfers_of(
        &self,
        key: &ApiKey,
        accounts: &[AccountId],
        query: &TransferQuery,
    ) -> Result<Vec<TransferRow>> {
        for account in accounts {
            if !allows(&key.permissions, Wish::ReadTransfersOf(*account)) {
                return Err(Error::Forbidden);
            }
        }
        let mut records = RecordQuery {
            newest_first: true,
            limit: RUN,
            ..RecordQuery::new(RecordKind::DryTransfer, key.tenant)
        };
        let mut found = Vec::new();
        loop {
            let run = self.store.records(records).await?;
            let is_last = run.len() < RUN;
            for record in run {
                records.before = record.id;
                let dry = Dry::read(&record)?;
                let is_of = accounts
                    .iter()
                    .any(|account| dry.is_of(*account, query.role));
                if is_of {
                    let row = self.dry_row(&record).await?;
                    found.extend(Some(row).filter(|row| matches(query, &row.transfer)));
                }
            }
            if is_last || found.len() >= query.first {
                return Ok(found);
            }
        }
    }

    /// A page of transfers and dry runs together, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when one of the accounts is outside the key's list.
    pub async fn transfers_and_dry_runs(
        &self,
        key: &ApiKey,
        accounts: &[AccountId],
        query: &TransferQuery,
        (page, live): (Page, bool),
    ) -> Result<(Vec<TransferRow>, Vec<TransferId>, bool)> {
        let upto = Page {
            offset: 0,
            size: page.end(),
        };
        let query = TransferQuery {
            first: upto.size,
            ..query.clone()
        };
        let mut rows = self.dry_transfers_of(key, accounts, &query).await?;
        let dry = rows.iter().map(|row| row.transfer.id).collect();
        if live {
            rows.extend(self.transfers_of(key, accounts, &query, upto).await?.items);
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.transfer.id));
        let (items, more) = page.of(rows);
        Ok((items, dry, more))
    }

    /// A dry run that the key may see; `None` when it is none.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when neither of its accounts is covered.
    pub async fn dry_transfer(&self, key: &ApiKey, id: TransferId) -> Result<Option<TransferRow>> {
        let kind = RecordKind::DryTransfer;
        let Some(record) = self.store.record(kind, key.tenant, id.raw()).await? else {
            return Ok(None);
        };
        let row = self.dry_row(&record).await?;
        let ends = [row.transfer.source, row.transfer.destination];
        let covered = ends
            .into_iter()
            .flatten()
            .any(|account| allows(&key.permissions, Wish::ReadTransfersOf(account)));
        match covered {
            true => Ok(Some(row)),
            false => Err(Error::Forbidden),
        }
    }

    /// A dry run as a transfer that nobody made.
    async fn dry_row(&self, record: &Record) -> Result<TransferRow> {
        let dry = Dry::read(record)?;
        let party = async |id: u64| -> Result<Account> {
            let row = self
                .store
                .account(record.tenant, AccountId::new(id))
                .await?;
            Ok(row
                .ok_or_else(|| missing("the account of a dry run"))?
                .account)
        };
        let (source, destination) = (party(dry.source).await?, party(dry.destination).await?);
        let parties: (Party, Party) = (source.party(), destination.party());
        let transfer = dry.transfer(record, (&source, &destination))?;
        Ok(TransferRow {
            transfer,
            source: Some(parties.0),
            destination: Some(parties.1),
        })
    }
}

/// Decides the transfer and its settlement, and gives it as it then is.
fn try_out(
    mut state: State,
    create: &CreateTransfer,
    now: Millis,
) -> std::result::Result<Transfer, Rejection> {
    let mut ids = IdSource::new(0, state.last_id());
    let mut context = Context { now, ids: &mut ids };
    let command = Command::CreateTransfer(create.clone());
    let decision = decide(&state, &command, &mut context)?;
    let Reply::Transfer { mut transfer, .. } = decision.reply else {
        return Err(Rejection::TransferNotFound);
    };
    let fits = decision.effects.iter().all(|it| state.apply(it).is_ok());
    follow(&mut transfer, decision.effects);
    // What waits for approval, or has failed as it was asked to, is not settled.
    if !fits || transfer.status != Status::Processing {
        return Ok(transfer);
    }
    let due = Due {
        tenant: transfer.tenant,
        at: transfer.created_at,
        work: Work::Settle(transfer.id),
    };
    let settled = decide(&state, &Command::RunDue(due), &mut context)?;
    follow(&mut transfer, settled.effects);
    if transfer.status == Status::Pending {
        transfer.status = Status::Complete;
        transfer.completed_at = Some(transfer.created_at.plus(transfer.rail_delay_ms));
    }
    Ok(transfer)
}

/// Moves the transfer to where effects have moved it.
fn follow(transfer: &mut Transfer, effects: Vec<Effect>) {
    for effect in effects {
        let Effect::TransferMoved {
            transfer: moved,
            to,
            error,
            at,
            ..
        } = effect
        else {
            continue;
        };
        if moved == transfer.id {
            transfer.status = to;
            transfer.error = error;
            transfer.completed_at = (to == Status::Complete).then_some(at);
        }
    }
}

impl Dry {
    fn of(transfer: &Transfer) -> Dry {
        Dry {
            source: transfer.source.map_or(0, AccountId::raw),
            destination: transfer.destination.map_or(0, AccountId::raw),
            amount_minor: transfer.amount.minor(),
            currency: transfer.amount.currency().code().to_owned(),
            status: match transfer.status {
                Status::PendingApproval => Ended::PendingApproval,
                Status::Complete => Ended::Complete,
                Status::Incomplete => Ended::Incomplete,
                _ => Ended::Error,
            },
            error: transfer.error.map(|error| error.name().to_owned()),
            key: transfer.key.map_or(0, KeyId::raw),
            description: transfer.description.as_deref().map(str::to_owned),
            created_ms: transfer.created_at.0,
            completed_ms: transfer.completed_at.map(|at| at.0),
        }
    }

    fn read(record: &Record) -> std::result::Result<Dry, StoreError> {
        serde_json::from_str(&record.body)
            .map_err(|_| corrupt(RecordKind::DryTransfer.word(), record.id))
    }

    fn is_of(&self, account: AccountId, role: AccountRole) -> bool {
        let is_source = self.source == account.raw();
        let is_destination = self.destination == account.raw();
        match role {
            AccountRole::Source => is_source,
            AccountRole::Destination => is_destination,
            AccountRole::Either => is_source || is_destination,
        }
    }

    fn transfer(
        self,
        record: &Record,
        (source, destination): (&Account, &Account),
    ) -> std::result::Result<Transfer, StoreError> {
        let damaged = || corrupt(RecordKind::DryTransfer.word(), record.id);
        let currency = Currency::parse(&self.currency).map_err(|_| damaged())?;
        let outside = |account: &Account| matches!(account.kind, AccountKind::External(_));
        let direction = match (outside(source), outside(destination)) {
            (false, false) => Direction::Internal,
            (_, true) => Direction::MoneyOut,
            (true, false) => Direction::MoneyIn,
        };
        let created_at = Millis(self.created_ms);
        Ok(Transfer {
            id: TransferId::new(record.id),
            tenant: record.tenant,
            owner: source.owner,
            source: Some(source.id),
            destination: Some(destination.id),
            amount: Amount::new(self.amount_minor, currency).map_err(|_| damaged())?,
            direction,
            origin: match direction {
                Direction::MoneyIn => Origin::UserPull,
                Direction::MoneyOut | Direction::Internal => Origin::User,
            },
            rail: None,
            rail_delay_ms: 0,
            status: self.status.into(),
            error: self.error.as_deref().and_then(ErrorCode::parse),
            rule: None,
            key: Some(KeyId::new(self.key)),
            description: self.description.map(Arc::from),
            profile: None,
            tag: None,
            scheduled_at: None,
            fee_minor: 0,
            cancel_reason: None,
            card: None,
            created_at,
            updated_at: created_at,
            completed_at: self.completed_ms.map(Millis),
        })
    }
}

fn matches(query: &TransferQuery, transfer: &Transfer) -> bool {
    query.direction.is_none_or(|it| it == transfer.direction)
        && (query.origin.is_empty() || query.origin.contains(&transfer.origin))
        && (query.status.is_empty() || query.status.contains(&transfer.status))
        && query.execution.is_none()
        && query.from.is_none_or(|from| transfer.created_at >= from)
        && query.to.is_none_or(|to| transfer.created_at <= to)
}
