//! What becomes of a submit, the same for every engine.
//!
//! An engine lends its state, its records and its ids as a [`Desk`]; what is decided goes back to it
//! as whole commits, each with everything that belongs together. A refusal leaves nothing but, when
//! its claim asks for that, the memory of it.

use std::sync::Arc;

use ledger::rule::validate::Fault;
use ledger::{
    Command, Context, Effect, IdSource, KeyId, Millis, Rejection, Reply, State, TenantId, decide,
};

use crate::codec::{self, Change};
use crate::records::{
    Fingerprint, KeyRecord, Put, RECORD_TAKEN, Record, RecordConflict, Remembered, RememberedFault,
    RememberedReply, Used,
};
use crate::shelf::{Refusal, Shelf};
use crate::{Action, Claim, Outcome, Submit};

/// Everything that one command changes: it becomes durable as a whole.
#[derive(Default)]
pub(crate) struct Commit {
    /// In whose history it is, if the tenant exists. Effects tell it by themselves.
    pub of: Option<TenantId>,
    /// What it does to the ledger.
    pub effects: Vec<Effect>,
    /// What it does to records and API keys.
    pub changes: Vec<Change>,
    /// What its idempotency key was used for.
    pub remembered: Option<Remembered>,
}

impl Commit {
    /// Appends it as a record of the journal, made at `now`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>, now: Millis) {
        let mut encoder = codec::begin(out, now);
        if let Some(tenant) = self.of
            && self.effects.is_empty()
        {
            codec::encode_of(&mut encoder, tenant);
        }
        for effect in &self.effects {
            codec::encode_effect(&mut encoder, effect);
        }
        for change in &self.changes {
            codec::encode_change(&mut encoder, change);
        }
        if let Some(remembered) = &self.remembered {
            codec::encode_remembered(&mut encoder, remembered);
        }
    }
}

/// The tenant in whose history a submit goes.
pub(crate) fn tenant_of(submit: &Submit) -> Option<TenantId> {
    let of_puts = |puts: &[Put]| puts.first().map(|put| put.tenant);
    match &submit.action {
        Action::Command(command) => command.tenant(),
        Action::Together { command, puts } => command.tenant().or_else(|| of_puts(puts)),
        Action::Put(puts) => of_puts(puts),
        Action::CreateKey(key) => Some(key.tenant),
        Action::RevokeKey { tenant, .. }
        | Action::Refuse { tenant, .. }
        | Action::Look { tenant } => Some(*tenant),
    }
}

/// What an engine lends for deciding, and where it takes what was decided.
pub(crate) trait Desk {
    /// Why nothing more can be decided.
    type Stop;

    /// The state, as every commit so far has left it.
    fn state(&self) -> &State;
    /// The records, as every commit so far has left them.
    fn shelf(&self) -> &Shelf;
    /// The state and where new ids come from.
    fn state_and_ids(&mut self) -> (&State, &mut IdSource);
    /// The number of the answer that this idempotency key was used for.
    fn remembered(&self, key: &Fingerprint) -> Option<u64>;
    /// A number for the next answer to remember.
    fn next_remembered(&mut self, now: Millis) -> u64;
    /// The tenant of an API key that has not been revoked.
    fn key_tenant(&self, key: KeyId) -> Option<TenantId>;
    /// Takes a commit and applies it.
    ///
    /// # Errors
    /// When it does not fit what is there.
    fn record(&mut self, now: Millis, commit: Commit) -> Result<(), Self::Stop>;
    /// A tenant's clock was set: what it has passed happens before anything that is asked later.
    fn clock_was_set(&mut self, now: Millis) -> Result<(), Self::Stop>;
}

/// Decides one submit at machine time `now`.
pub(crate) fn settle<D: Desk>(
    desk: &mut D,
    submit: Submit,
    now: Millis,
) -> Result<Outcome, D::Stop> {
    let of = tenant_of(&submit).filter(|id| desk.state().tenant(*id).is_some());
    let Submit { action, claim } = submit;
    if let Some(claim) = &claim
        && let Some(number) = desk.remembered(&claim.key)
    {
        let key = claim.key;
        return Ok(Outcome::Replay(Used { key, number }));
    }
    let (command, puts) = match action {
        Action::Command(command) => (Some(command), Vec::new()),
        Action::Together { command, puts } => (Some(command), puts),
        Action::Put(puts) => (None, puts),
        Action::Look { .. } => return Ok(Outcome::Done(Reply::Done)),
        Action::CreateKey(key) => return create_key(desk, key, now),
        Action::RevokeKey { tenant, key } => return revoke_key(desk, tenant, key, now),
        Action::Refuse { code, message, .. } => {
            refused(
                desk,
                of,
                claim,
                RememberedReply::Refused { code, message },
                now,
            )?;
            return Ok(Outcome::Done(Reply::Done));
        }
    };
    if let Err(refusal) = desk.shelf().check(&puts, desk.state()) {
        return refuse_puts(desk, of, refusal, claim, now);
    }
    let (effects, reply) = match command {
        None => (Vec::new(), Reply::Done),
        Some(command) => {
            let (state, ids) = desk.state_and_ids();
            match decide(state, &command, &mut Context { now, ids }) {
                Ok(decision) => (decision.effects, decision.reply),
                Err(rejection) => {
                    refused(desk, of, claim, refusal_of(&rejection), now)?;
                    return Ok(Outcome::Refused(rejection));
                }
            }
        }
    };
    let changes = match changes(desk, &puts, &reply, now) {
        Ok(changes) => changes,
        Err(refusal) => return refuse_puts(desk, of, refusal, claim, now),
    };
    let records = written(&changes);
    let remembered = claim.map(|claim| {
        let facts = facts_of(&reply, &changes, &records);
        remember(desk, claim, facts, now)
    });
    let sets_clock = effects
        .iter()
        .any(|effect| matches!(effect, Effect::ClockSet { .. }));
    let commit = Commit {
        of,
        effects,
        changes,
        remembered,
    };
    desk.record(now, commit)?;
    if sets_clock {
        desk.clock_was_set(now)?;
    }
    if puts.is_empty() {
        return Ok(Outcome::Done(reply));
    }
    Ok(Outcome::Stored { reply, records })
}

/// What `puts` change beside a command that answers `reply`.
fn changes<D: Desk>(
    desk: &mut D,
    puts: &[Put],
    reply: &Reply,
    now: Millis,
) -> Result<Vec<Change>, Refusal> {
    let mut changes = Vec::with_capacity(puts.len());
    for put in puts {
        let new_id = match put.id {
            crate::PutId::New => desk.state_and_ids().1.issue(now),
            _ => 0,
        };
        changes.push(desk.shelf().record(put, reply, now, new_id)?);
    }
    Ok(changes)
}

/// Remembers a refusal when its claim asks for that.
fn refused<D: Desk>(
    desk: &mut D,
    of: Option<TenantId>,
    claim: Option<Claim>,
    refusal: RememberedReply,
    now: Millis,
) -> Result<(), D::Stop> {
    let Some(claim) = claim.filter(|claim| claim.remember_refusals) else {
        return Ok(());
    };
    let remembered = Some(remember(desk, claim, refusal, now));
    let commit = Commit {
        of,
        remembered,
        ..Commit::default()
    };
    desk.record(now, commit)
}

fn refuse_puts<D: Desk>(
    desk: &mut D,
    of: Option<TenantId>,
    refusal: Refusal,
    claim: Option<Claim>,
    now: Millis,
) -> Result<Outcome, D::Stop> {
    match refusal {
        Refusal::Rejected(rejection) => {
            refused(desk, of, claim, refusal_of(&rejection), now)?;
            Ok(Outcome::Refused(rejection))
        }
        Refusal::Conflict(conflict) => {
            // Being slower than somebody else is no answer to keep: the caller tries again.
            if let RecordConflict::Taken(kind) = conflict {
                let taken = RememberedReply::Refused {
                    code: Arc::from(RECORD_TAKEN),
                    message: Arc::from(kind.word()),
                };
                refused(desk, of, claim, taken, now)?;
            }
            Ok(Outcome::Conflict(conflict))
        }
    }
}

fn remember<D: Desk>(
    desk: &mut D,
    claim: Claim,
    reply: RememberedReply,
    now: Millis,
) -> Remembered {
    Remembered {
        number: desk.next_remembered(now),
        key: claim.key,
        body: claim.body,
        at: now,
        request_id: claim.request_id,
        reply,
    }
}

fn create_key<D: Desk>(desk: &mut D, key: KeyRecord, now: Millis) -> Result<Outcome, D::Stop> {
    if desk.state().tenant(key.tenant).is_none() {
        return Ok(Outcome::Refused(Rejection::TenantNotFound));
    }
    let key = KeyRecord {
        id: KeyId::new(desk.state_and_ids().1.issue(now)),
        created_at: now,
        revoked_at: None,
        ..key
    };
    let commit = Commit {
        of: Some(key.tenant),
        changes: vec![Change::KeyCreated(key.clone())],
        ..Commit::default()
    };
    desk.record(now, commit)?;
    Ok(Outcome::Key(key))
}

fn revoke_key<D: Desk>(
    desk: &mut D,
    tenant: TenantId,
    key: KeyId,
    now: Millis,
) -> Result<Outcome, D::Stop> {
    if desk.key_tenant(key) != Some(tenant) {
        return Ok(Outcome::KeyNotFound);
    }
    let commit = Commit {
        of: Some(tenant),
        changes: vec![Change::KeyRevoked { key, at: now }],
        ..Commit::default()
    };
    desk.record(now, commit)?;
    Ok(Outcome::Done(Reply::Done))
}

/// Decides what is due with an object whose time has come, as one commit.
///
/// # Errors
/// The rejection, which due work never gets.
pub(crate) fn run_due(
    state: &State,
    due: ledger::Due,
    ids: &mut IdSource,
    now: Millis,
) -> Result<Commit, Rejection> {
    let decision = decide(state, &Command::RunDue(due), &mut Context { now, ids })?;
    Ok(Commit {
        effects: decision.effects,
        ..Commit::default()
    })
}

fn refusal_of(rejection: &Rejection) -> RememberedReply {
    let code = Arc::from(rejection.code());
    let message = Arc::from(rejection.to_string());
    let faults = match rejection {
        Rejection::RuleFaulty(faults) => faults.iter().map(fault_of).collect(),
        Rejection::RuleUnsound { code, path, text } => vec![RememberedFault {
            path: Arc::from(path.as_str()),
            code: Arc::from(code.name()),
            reason: Arc::clone(text),
        }],
        _ => return RememberedReply::Refused { code, message },
    };
    RememberedReply::RuleRefused {
        code,
        message,
        faults,
    }
}

fn fault_of(fault: &Fault) -> RememberedFault {
    RememberedFault {
        path: Arc::from(fault.path.as_str()),
        code: Arc::from(fault.code.name()),
        reason: Arc::from(fault.reason),
    }
}

/// What is kept of an answer so that it can be given again.
fn facts_of(reply: &Reply, changes: &[Change], records: &[Record]) -> RememberedReply {
    match reply {
        _ if !changes.is_empty() => RememberedReply::Records(records.to_vec()),
        Reply::Transfer {
            transfer,
            source,
            destination,
        } => RememberedReply::Transfer {
            id: transfer.id,
            status: transfer.status,
            completed_at: transfer.completed_at,
            source: source.clone(),
            destination: destination.clone(),
        },
        Reply::Account(account) => RememberedReply::Account(Box::new(account.clone())),
        Reply::Bulk(bulk) => RememberedReply::Bulk(bulk.id),
        Reply::Rule(rule) => RememberedReply::Rule(Box::new(rule.clone())),
        Reply::Execution(execution) => RememberedReply::Execution(Box::new(execution.clone())),
        Reply::Done | Reply::Tenant(_) | Reply::Owner(_) | Reply::Hold(_) | Reply::Profile(_) => {
            RememberedReply::Done
        }
    }
}

/// The records that are written, without those that are deleted.
fn written(changes: &[Change]) -> Vec<Record> {
    let records = changes.iter().filter_map(|change| match change {
        Change::RecordPut(record) => Some(record.clone()),
        _ => None,
    });
    records.collect()
}
