//! Sessions: what a token stands for, until five minutes after it was used last.
//!
//! A token is 256 random bits in URL-safe base 64, shown once; kept is the first half of its keyed
//! hash. Every live session is in memory, so that a request costs one hash and one look-up. Each is
//! a record too, so that a restart logs nobody out: made before the token is told, deleted before
//! its end is answered. Its last use is written at most every 30 seconds and behind the request;
//! after a crash, or when it is used on another server, a session may therefore end up to 30 seconds
//! early, never late.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64ct::{Base64UrlUnpadded, Encoding};
use ledger::{Millis, OwnerId, Tenant, TenantId};
use serde::{Deserialize, Serialize};
use store::{
    Action, Expect, Fingerprint, PUTS_MAX, Put, PutId, PutOwner, Record, RecordKind, RecordQuery,
    Store, Submit,
};
use subtle::ConstantTimeEq;

use super::facts::IdentityKind;
use super::stored::{body, corrupt};
use super::{Credentials, Surface};
use crate::StoreError;
use crate::keys::KeyHasher;

/// How long a session lives without being used.
const LIFE_MS: i64 = 5 * 60 * 1_000;
/// How old the last use that is written may be when a session is used.
const SAVE_MS: i64 = 30 * 1_000;
/// Live sessions of one user; a new one ends the oldest. All can be ended in one commit, with the
/// user's own record.
pub(super) const SESSIONS_MAX: usize = PUTS_MAX - 1;
/// Sessions looked at for having expired whenever one begins.
const SWEEP: usize = 8;
/// Ended sessions that are remembered, so that none is taken over again.
const GONE_MAX: usize = 256;
/// Bytes and characters of a token.
const TOKEN_BYTES: usize = 32;
const TOKEN_CHARS: usize = 43;

/// What a token is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenKind {
    /// For choosing an identity.
    Auth,
    /// For everything that the identity's users may do.
    Access,
}

/// What a session is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// For choosing an identity.
    Auth,
    /// For everything that the identity's users may do.
    Access,
    /// For acting in the identity's place.
    BackOffice,
}

impl Kind {
    pub(super) fn surface(self) -> Surface {
        match self {
            Kind::Auth | Kind::Access => Surface::Multi,
            Kind::BackOffice => Surface::BackOffice,
        }
    }
}

/// What a session's record says.
#[derive(Serialize, Deserialize)]
struct SessionFacts {
    kind: Kind,
    identity: IdentityKind,
    user: u64,
    is_root: bool,
    used_at_ms: i64,
}

/// A session to begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewSession {
    pub kind: Kind,
    pub tenant: TenantId,
    pub owner: OwnerId,
    pub identity: IdentityKind,
    pub user: u64,
    pub credentials: Credentials,
}

/// A session that has not ended.
#[derive(Debug)]
pub(super) struct Session {
    pub kind: Kind,
    pub tenant: TenantId,
    pub owner: OwnerId,
    pub identity: IdentityKind,
    pub user: u64,
    pub credentials: Credentials,
    hash: Fingerprint,
    /// Its record's id; 0 until it is written.
    record: AtomicU64,
    used_at_ms: AtomicI64,
    saved_at_ms: AtomicI64,
    ended: AtomicBool,
}

impl Session {
    fn is_expired(&self, now: Millis) -> bool {
        now.0 - self.used_at_ms.load(Ordering::Relaxed) >= LIFE_MS
    }

    /// Whether its last use should be written now. Says so to one caller only.
    pub(super) fn note(&self, now: Millis) -> bool {
        let saved = self.saved_at_ms.load(Ordering::Relaxed);
        now.0 - saved >= SAVE_MS
            && self
                .saved_at_ms
                .compare_exchange(saved, now.0, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    fn put(&self, id: PutId, expect: Expect) -> Put {
        Put {
            kind: RecordKind::Session,
            id,
            tenant: self.tenant,
            owner: PutOwner::Known(self.owner),
            unique: Some(self.hash),
            expect,
            body: Some(body(&SessionFacts {
                kind: self.kind,
                identity: self.identity,
                user: self.user,
                is_root: self.credentials == Credentials::Root,
                used_at_ms: self.used_at_ms.load(Ordering::Relaxed),
            })),
        }
    }

    /// Makes its record.
    pub(super) fn begin(&self) -> Put {
        self.put(PutId::New, Expect::Absent)
    }

    /// Deletes its record.
    pub(super) fn end(&self) -> Put {
        let id = PutId::Known(self.record.load(Ordering::Relaxed));
        Put {
            unique: None,
            body: None,
            ..self.put(id, Expect::Present)
        }
    }

    fn key(&self) -> (TenantId, u64) {
        (self.tenant, self.user)
    }

    fn restore(record: &Record) -> Result<Session, StoreError> {
        let facts: Option<SessionFacts> = serde_json::from_str(&record.body).ok();
        match (facts, record.owner, record.unique) {
            (Some(facts), Some(owner), Some(hash)) => Ok(Session {
                kind: facts.kind,
                tenant: record.tenant,
                owner,
                identity: facts.identity,
                user: facts.user,
                credentials: match facts.is_root {
                    true => Credentials::Root,
                    false => Credentials::User,
                },
                hash,
                record: AtomicU64::new(record.id),
                used_at_ms: AtomicI64::new(facts.used_at_ms),
                saved_at_ms: AtomicI64::new(facts.used_at_ms),
                ended: AtomicBool::new(false),
            }),
            _ => Err(corrupt("session", record.id)),
        }
    }
}

/// Writes a session's last use behind the request. If that fails it is written with a later one.
pub(super) fn save(store: &dyn Store, session: &Session) {
    let id = PutId::Known(session.record.load(Ordering::Relaxed));
    let put = session.put(id, Expect::Present);
    store.hand_in(Submit {
        action: Action::Put(vec![put]),
        claim: None,
    });
}

/// A token, in the one moment it is known.
pub(super) struct Token {
    pub text: String,
    hash: Fingerprint,
}

#[derive(Default)]
struct Live {
    by_hash: HashMap<u64, Arc<Session>>,
    by_user: HashMap<(TenantId, u64), Vec<Arc<Session>>>,
    /// By tenant and record.
    by_record: HashMap<(TenantId, u64), Arc<Session>>,
    /// All of them, to be looked at in turn, and those that ended meanwhile.
    turn: VecDeque<Arc<Session>>,
    /// The records of those that ended last: what was read before their end does not bring them back.
    gone: VecDeque<(TenantId, u64)>,
}

/// Every live session.
pub(super) struct Sessions {
    hasher: KeyHasher,
    live: RwLock<Live>,
    /// Beginning and ending a user's sessions exclude each other: none begins unseen by an end.
    gates: Vec<tokio::sync::Mutex<()>>,
}

/// Gates; users who share one wait for each other.
const GATES: u64 = 64;

impl Sessions {
    pub(super) async fn open(
        store: &dyn Store,
        hasher: &KeyHasher,
        tenants: &[Tenant],
    ) -> crate::Result<Sessions> {
        let mut live = Live::default();
        for tenant in tenants {
            let records = store.records(RecordQuery {
                kind: RecordKind::Session,
                tenant: tenant.id,
                owner: None,
                after: 0,
                before: u64::MAX,
                newest_first: false,
                limit: usize::MAX,
            });
            for record in records.await? {
                // Those that have expired are deleted when their turn comes.
                live.insert(Arc::new(Session::restore(&record)?));
            }
        }
        Ok(Sessions {
            hasher: KeyHasher::new(hasher.derive("tidegate 2026-11-21 session tokens")),
            live: RwLock::new(live),
            gates: (0..GATES).map(|_| tokio::sync::Mutex::default()).collect(),
        })
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Live> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be held while sessions of the user begin or end.
    pub(super) async fn gate(&self, user: u64) -> tokio::sync::MutexGuard<'_, ()> {
        // Ids differ mostly above their sixteen lowest bits.
        let number = (user ^ (user >> 16)) % GATES;
        self.gates[usize::try_from(number).expect("below 64")]
            .lock()
            .await
    }

    /// The token made of these random bytes.
    pub(super) fn token(&self, entropy: &[u8; TOKEN_BYTES]) -> Token {
        let text = Base64UrlUnpadded::encode_string(entropy);
        let hash = self.hash(&text);
        Token { text, hash }
    }

    /// Of the token as it is written: what is written differently is another token.
    fn hash(&self, token: &str) -> Fingerprint {
        let hash = self.hasher.hash(token);
        *hash.first_chunk().expect("32 bytes have 16 in front")
    }

    /// A session with this token that is nowhere yet.
    pub(super) fn draft(&self, new: NewSession, token: &Token, now: Millis) -> Session {
        Session {
            kind: new.kind,
            tenant: new.tenant,
            owner: new.owner,
            identity: new.identity,
            user: new.user,
            credentials: new.credentials,
            hash: token.hash,
            record: AtomicU64::new(0),
            used_at_ms: AtomicI64::new(now.0),
            saved_at_ms: AtomicI64::new(now.0),
            ended: AtomicBool::new(false),
        }
    }

    fn hash_of(&self, presented: &str) -> Option<Fingerprint> {
        (presented.len() == TOKEN_CHARS).then(|| self.hash(presented))
    }

    /// The hash of a token that has the form of one and is not known here.
    pub(super) fn unknown(&self, presented: &str) -> Option<Fingerprint> {
        let hash = self.hash_of(presented)?;
        let is_known = self.read().by_hash.contains_key(&slot(&hash));
        (!is_known).then_some(hash)
    }

    /// Takes over a session as another server has written it.
    pub(super) fn learn(&self, record: &Record) -> Result<(), StoreError> {
        let read = Session::restore(record)?;
        let mut live = self.write();
        match live.by_record.get(&(record.tenant, record.id)) {
            Some(known) => {
                let used_at_ms = read.used_at_ms.into_inner();
                known.used_at_ms.fetch_max(used_at_ms, Ordering::Relaxed);
                known.saved_at_ms.fetch_max(used_at_ms, Ordering::Relaxed);
            }
            None if live.gone.contains(&(record.tenant, record.id)) => {}
            None => live.insert(Arc::new(read)),
        }
        Ok(())
    }

    /// Ends a session whose record another server has deleted.
    pub(super) fn forget(&self, tenant: TenantId, record: u64) {
        let mut live = self.write();
        if let Some(session) = live.by_record.get(&(tenant, record)).cloned() {
            live.remove(&session);
        }
    }

    /// Takes over all sessions of a tenant: those without a record have ended.
    pub(super) fn keep(&self, tenant: TenantId, records: &[Record]) -> Result<(), StoreError> {
        let known: Vec<u64> = {
            let live = self.read();
            let of_tenant = live.by_record.keys().filter(|(of, _)| *of == tenant);
            of_tenant.map(|(_, record)| *record).collect()
        };
        let there: HashSet<u64> = records.iter().map(|record| record.id).collect();
        for record in known.iter().filter(|record| !there.contains(record)) {
            self.forget(tenant, *record);
        }
        records.iter().try_for_each(|record| self.learn(record))
    }

    /// The live session of a presented token, which lives on from now.
    pub(super) fn find(&self, presented: &str, now: Millis) -> Option<Arc<Session>> {
        let hash = self.hash_of(presented)?;
        let session = Arc::clone(self.read().by_hash.get(&slot(&hash))?);
        if !bool::from(session.hash.ct_eq(&hash)) || session.is_expired(now) {
            return None;
        }
        session.used_at_ms.fetch_max(now.0, Ordering::Relaxed);
        Some(session)
    }

    /// Sessions that make room for another of this user: some that have expired, and the user's
    /// oldest when there are too many. They are not found any more; their records are to be
    /// deleted.
    pub(super) fn make_room(&self, tenant: TenantId, user: u64, now: Millis) -> Vec<Arc<Session>> {
        let mut live = self.write();
        let mut gone = live.sweep(now);
        let of_user = live.by_user.get(&(tenant, user));
        if of_user.is_some_and(|sessions| sessions.len() >= SESSIONS_MAX)
            && let Some(oldest) = of_user.and_then(|sessions| sessions.first()).cloned()
        {
            live.remove(&oldest);
            gone.push(oldest);
        }
        gone
    }

    /// The session can be found from now on.
    pub(super) fn insert(&self, session: Session, record: u64) -> Arc<Session> {
        session.record.store(record, Ordering::Relaxed);
        let session = Arc::new(session);
        self.write().insert(Arc::clone(&session));
        session
    }

    /// The user's sessions.
    pub(super) fn of_user(&self, tenant: TenantId, user: u64) -> Vec<Arc<Session>> {
        let live = self.read();
        live.by_user
            .get(&(tenant, user))
            .cloned()
            .unwrap_or_default()
    }

    /// These are not found any more.
    pub(super) fn remove(&self, sessions: &[Arc<Session>]) {
        let mut live = self.write();
        for session in sessions {
            live.remove(session);
        }
    }
}

impl Live {
    fn insert(&mut self, session: Arc<Session>) {
        let of_user = self.by_user.entry(session.key()).or_default();
        of_user.push(Arc::clone(&session));
        self.turn.push_back(Arc::clone(&session));
        let record = session.record.load(Ordering::Relaxed);
        self.by_record
            .insert((session.tenant, record), Arc::clone(&session));
        self.by_hash.insert(slot(&session.hash), session);
    }

    fn remove(&mut self, session: &Arc<Session>) {
        session.ended.store(true, Ordering::Relaxed);
        self.by_hash.remove(&slot(&session.hash));
        let record = session.record.load(Ordering::Relaxed);
        self.by_record.remove(&(session.tenant, record));
        self.gone.push_back((session.tenant, record));
        if self.gone.len() > GONE_MAX {
            self.gone.pop_front();
        }
        if let Some(of_user) = self.by_user.get_mut(&session.key()) {
            of_user.retain(|other| !Arc::ptr_eq(other, session));
            if of_user.is_empty() {
                self.by_user.remove(&session.key());
            }
        }
    }

    /// Looks at a few sessions in turn and takes those out that have expired.
    fn sweep(&mut self, now: Millis) -> Vec<Arc<Session>> {
        let mut expired = Vec::new();
        for _ in 0..SWEEP.min(self.turn.len()) {
            let Some(session) = self.turn.pop_front() else {
                break;
            };
            if session.ended.load(Ordering::Relaxed) {
                continue;
            }
            if session.is_expired(now) {
                self.remove(&session);
                expired.push(session);
            } else {
                self.turn.push_back(session);
            }
        }
        expired
    }
}

fn slot(hash: &Fingerprint) -> u64 {
    u64::from_le_bytes(*hash.first_chunk().expect("16 bytes have 8 in front"))
}

#[cfg(test)]
mod tests;
