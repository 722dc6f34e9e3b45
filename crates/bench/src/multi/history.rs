//! Transfers that an identity has behind it, made through the store itself.
//!
//! The world was made over HTTP and its server has ended; here the same folder is opened, filled
//! and closed. The programme's clock goes a day ahead for each step, so that the history covers
//! years: most transfers are executed at once, some are scheduled and executed, fail for lack of
//! money, are called off, or still wait at the end. Values are spread unevenly, as in life: one
//! profile, one account and one tag have most of the transfers.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use ledger::{
    AccountId, Command, Currency, Instrument, InstrumentClass, Millis, OwnerId, ProfileId,
    ProfileTransfer, Reply, TenantId, Transfer, TransferId, TransferOrder,
};
use store::{Action, Claim, Embedded, Options, Outcome, Store, Submit};
use tokio::task::JoinSet;

use super::world::World;
use crate::random::{Random, fingerprint};

/// Days that the history covers, if there are enough transfers to cover them.
const DAYS: u64 = 1_000;
/// Transfers of one day: fewer are a waste of syncs, more do not fit the store's queue.
const DAY_MIN: u64 = 16;
const DAY_MAX: u64 = 4_096;
const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Minor units of the largest transfer.
const AMOUNT_MAX: u64 = 1_000;
/// Different tags besides the common one.
pub const TAGS: u64 = 1_000;

/// How a transfer ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The money moved.
    Completed,
    /// There was too little money at its time.
    Failed,
    /// Called off.
    Cancelled,
    /// It still waits.
    Scheduled,
}

/// A transfer as it must be found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Made {
    /// Its id.
    pub id: u64,
    /// Which of the world's profiles.
    pub profile: usize,
    /// Which of the world's accounts it comes from.
    pub source: usize,
    /// Its tag, if it has one.
    pub tag: Option<u64>,
    /// How it ended.
    pub end: End,
    /// By the programme's clock.
    pub created_at: i64,
    /// When it came to its end, if not by being called off.
    pub executed_at: Option<i64>,
}

/// A tag as it is written; 0 is the common one.
pub fn tag_text(tag: u64) -> String {
    match tag {
        0 => "salary".to_owned(),
        rare => format!("invoice-{rare}"),
    }
}

/// Makes `count` transfers in the closed data folder of a world whose last account is empty.
///
/// # Errors
/// When the store does not take one of them.
pub async fn fill(data: &Path, world: &World, count: u64) -> Result<Vec<Made>> {
    let filler = Arc::new(Filler::open(data, world)?);
    let mut random = Random::new(count);
    let mut made = Vec::new();
    let day = (count / DAYS).clamp(DAY_MIN, DAY_MAX);
    while (made.len() as u64) < count {
        let today = filler.next_day().await?;
        let mut tasks = JoinSet::new();
        for number in (made.len() as u64..count).take(usize::try_from(day)?) {
            let draft = Draft::new(&mut random, world);
            tasks.spawn(Arc::clone(&filler).one(number, today, draft));
        }
        while let Some(ended) = tasks.join_next().await {
            made.push(ended??);
        }
    }
    // The last day's scheduled transfers.
    filler.next_day().await?;
    filler.store.quiesce(filler.tenant).await?;
    filler.store.shut_down().await?;
    Ok(made)
}

/// What a transfer shall be.
#[derive(Clone, Copy)]
struct Draft {
    profile: usize,
    source: usize,
    destination: usize,
    amount_minor: i64,
    tag: Option<u64>,
    end: End,
    scheduled: bool,
}

impl Draft {
    fn new(random: &mut Random, world: &World) -> Draft {
        let empty = world.accounts.len() - 1;
        let rest = |random: &mut Random, count: usize| random.below(count as u64) as usize;
        let profile = match random.below(10) {
            0..7 => 0,
            _ => rest(random, world.profiles.len()),
        };
        let source = match random.below(10) {
            0..3 => 0,
            _ => rest(random, empty),
        };
        let other = rest(random, empty - 1);
        let tag = match random.below(10) {
            0..2 => None,
            2..6 => Some(0),
            _ => Some(1 + random.below(TAGS)),
        };
        let (end, scheduled) = match random.below(100) {
            0..95 => (End::Completed, false),
            95..97 => (End::Completed, true),
            97 => (End::Failed, true),
            98 => (End::Cancelled, true),
            _ => (End::Scheduled, true),
        };
        Draft {
            profile,
            source: if end == End::Failed { empty } else { source },
            destination: if other < source { other } else { other + 1 },
            amount_minor: 1 + i64::try_from(random.below(AMOUNT_MAX)).unwrap_or(0),
            tag,
            end,
            scheduled,
        }
    }
}

/// The opened folder, and the world's ids as numbers.
struct Filler {
    store: Embedded,
    tenant: TenantId,
    owner: OwnerId,
    profiles: Vec<ProfileId>,
    accounts: Vec<AccountId>,
    currency: Currency,
}

impl Filler {
    fn open(data: &Path, world: &World) -> Result<Filler> {
        ensure!(
            world.accounts.len() >= 3,
            "a history needs two funded accounts and an empty one"
        );
        let number = |id: &String| {
            let number: Result<u64, _> = id.parse();
            number.with_context(|| format!("the id {id}"))
        };
        let numbers = |ids: &[String]| ids.iter().map(number).collect::<Result<Vec<u64>>>();
        let profiles = numbers(&world.profiles)?.into_iter();
        let accounts = numbers(&world.accounts)?.into_iter();
        Ok(Filler {
            store: Embedded::open(&Options::new(data))?,
            tenant: TenantId::new(world.tenant_number()?),
            owner: OwnerId::new(number(&world.identity)?),
            profiles: profiles.map(ProfileId::new).collect(),
            accounts: accounts.map(AccountId::new).collect(),
            currency: Currency::EUR,
        })
    }

    /// Moves the clock a day ahead; everything that fell due is done. The new time.
    async fn next_day(&self) -> Result<i64> {
        let command = Command::MoveClock {
            tenant: self.tenant,
            advance_ms: DAY_MS,
            frozen: None,
        };
        match self.submit(Submit::command(command)).await? {
            Reply::Tenant(tenant) => Ok(tenant.clock.now(self.store.now()).0),
            other => bail!("unexpected: {other:?}"),
        }
    }

    async fn one(self: Arc<Filler>, number: u64, today: i64, draft: Draft) -> Result<Made> {
        let scheduled_at = draft.scheduled.then(|| match draft.end {
            End::Completed | End::Failed => today + 6 * HOUR_MS,
            // Later than the history ends, however long it is.
            End::Cancelled | End::Scheduled => today + 100_000 * DAY_MS,
        });
        let transfer = self.transfer(number, draft, scheduled_at).await?;
        if draft.end == End::Cancelled {
            self.cancel(transfer.id).await?;
        }
        Ok(Made {
            id: transfer.id.raw(),
            profile: draft.profile,
            source: draft.source,
            tag: draft.tag,
            end: draft.end,
            created_at: transfer.created_at.0,
            executed_at: match (draft.end, scheduled_at) {
                (End::Cancelled | End::Scheduled, _) => None,
                (End::Completed | End::Failed, Some(at)) => Some(at),
                (End::Completed | End::Failed, None) => transfer.completed_at.map(|at| at.0),
            },
        })
    }

    async fn transfer(
        &self,
        number: u64,
        draft: Draft,
        scheduled_at: Option<i64>,
    ) -> Result<Transfer> {
        let instrument = |index: usize| Instrument {
            id: self.accounts[index],
            class: InstrumentClass::Account,
        };
        let command = Command::Transfer(ProfileTransfer {
            tenant: self.tenant,
            owner: self.owner,
            key: None,
            order: TransferOrder {
                profile: self.profiles[draft.profile],
                source: instrument(draft.source),
                destination: instrument(draft.destination),
                currency: Some(self.currency),
                amount_minor: draft.amount_minor,
                tag: draft.tag.map(|tag| Arc::from(tag_text(tag))),
                description: None,
                scheduled_at: scheduled_at.map(Millis),
            },
        });
        let claim = Claim {
            key: fingerprint(number),
            body: fingerprint(!number),
            request_id: Arc::from(format!("req_{number:013}")),
            remember_refusals: true,
        };
        let submit = Submit {
            action: Action::Command(command),
            claim: Some(claim),
        };
        match self.submit(submit).await? {
            Reply::Transfer { transfer, .. } => Ok(transfer),
            other => bail!("unexpected: {other:?}"),
        }
    }

    async fn cancel(&self, transfer: TransferId) -> Result<()> {
        let command = Command::CancelTransfer {
            tenant: self.tenant,
            owner: self.owner,
            transfer,
            reason: None,
        };
        self.submit(Submit::command(command)).await?;
        Ok(())
    }

    async fn submit(&self, submit: Submit) -> Result<Reply> {
        match self.store.submit(submit).await? {
            Outcome::Done(reply) => Ok(reply),
            other => bail!("unexpected: {other:?}"),
        }
    }
}

#[cfg(test)]
mod tests;
