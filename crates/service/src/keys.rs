//! API keys: how a secret looks, how it is recognised, and the directory of live ones.
//!
//! A secret is `tg_`, 256 random bits and a checksum; it is shown once. Kept is its keyed hash:
//! whoever reads the store without the server's own secret cannot test guesses against it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ledger::{KeyId, TenantId};
use store::{KeyRecord, Permission};
use subtle::ConstantTimeEq;

use crate::spelling::bytes_text;

/// What every secret begins with.
pub const PREFIX: &str = "tg_";
/// What may stand in its place, for clients of the Platform dialect that look for it.
pub const PLATFORM_PREFIX: &str = "sk_";
const BODY_CHARS: usize = 52;
const CHECK_CHARS: usize = 6;

/// A secret, in the one moment it is known.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The secret made of these random bytes.
    #[must_use]
    pub fn from_entropy(entropy: [u8; 32]) -> Secret {
        let body = bytes_text(&entropy);
        let check = checksum(&body);
        Secret(format!("{PREFIX}{body}{check}"))
    }

    /// Its text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Its last four characters, to tell keys apart.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn checksum(body: &str) -> String {
    let crc = crc32fast::hash(body.as_bytes());
    bytes_text(&crc.to_be_bytes())
        .chars()
        .take(CHECK_CHARS)
        .collect()
}

/// Whether a text has the form of a secret; a typing error does not.
#[must_use]
pub fn is_well_formed(presented: &str) -> bool {
    let Some(rest) = presented.strip_prefix(PREFIX) else {
        return false;
    };
    if rest.len() != BODY_CHARS + CHECK_CHARS || !rest.is_ascii() {
        return false;
    }
    let (body, check) = rest.split_at(BODY_CHARS);
    checksum(body) == check
}

/// Hashes secrets with the server's own secret.
#[derive(Clone)]
pub struct KeyHasher([u8; 32]);

impl KeyHasher {
    /// A hasher with this server secret.
    #[must_use]
    pub fn new(server_secret: [u8; 32]) -> KeyHasher {
        KeyHasher(server_secret)
    }

    /// The keyed hash of a secret.
    #[must_use]
    pub fn hash(&self, secret: &str) -> [u8; 32] {
        self.hash_bytes(secret.as_bytes())
    }

    /// The keyed hash of bytes.
    pub(crate) fn hash_bytes(&self, bytes: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.0, bytes).as_bytes()
    }

    /// What tells this server secret from others, and nothing else of it.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.derive("tidegate 2026-11-21 fingerprint of the server secret")
    }

    /// A secret for another purpose, from which this one cannot be told.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &self.0)
    }
}

/// A live key: who is calling.
#[derive(Debug)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// Its tenant.
    pub tenant: TenantId,
    /// What its maker called it.
    pub name: Arc<str>,
    /// Its permission entries.
    pub permissions: Vec<Permission>,
    /// Whether its tenant is live: then its requests are limited.
    pub is_live: bool,
    hash: [u8; 32],
}

/// The live keys. A revocation takes effect with the call that makes it.
pub(crate) struct KeyDirectory {
    hasher: KeyHasher,
    live: RwLock<HashMap<[u8; 8], Arc<ApiKey>>>,
}

impl KeyDirectory {
    pub(crate) fn new(
        hasher: KeyHasher,
        records: Vec<KeyRecord>,
        is_live: impl Fn(TenantId) -> bool,
    ) -> KeyDirectory {
        let directory = KeyDirectory {
            hasher,
            live: RwLock::default(),
        };
        for record in records.iter().filter(|record| record.revoked_at.is_none()) {
            directory.add(record, is_live(record.tenant));
        }
        directory
    }

    pub(crate) fn hasher(&self) -> &KeyHasher {
        &self.hasher
    }

    pub(crate) fn add(&self, record: &KeyRecord, is_live: bool) {
        let key = ApiKey {
            id: record.id,
            tenant: record.tenant,
            name: Arc::clone(&record.name),
            permissions: record.permissions.clone(),
            is_live,
            hash: record.hash,
        };
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        live.insert(slot(&record.hash), Arc::new(key));
    }

    pub(crate) fn remove(&self, id: KeyId) {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        live.retain(|_, key| key.id != id);
    }

    /// The live key with this secret. The hash is looked up by its first bytes and the whole of it
    /// compared in constant time, so that timing tells nothing about near misses.
    pub(crate) fn find(&self, presented: &str) -> Option<Arc<ApiKey>> {
        if presented.len() != PREFIX.len() + BODY_CHARS + CHECK_CHARS {
            return None;
        }
        let hash = self.hasher.hash(&canonical(presented));
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let key = live.get(&slot(&hash))?;
        bool::from(key.hash.ct_eq(&hash)).then(|| Arc::clone(key))
    }
}

/// A secret as it was made, however it is presented.
pub(crate) fn canonical(presented: &str) -> Cow<'_, str> {
    match presented.strip_prefix(PLATFORM_PREFIX) {
        Some(rest) => Cow::Owned(format!("{PREFIX}{rest}")),
        None => Cow::Borrowed(presented),
    }
}

fn slot(hash: &[u8; 32]) -> [u8; 8] {
    *hash.first_chunk().expect("32 bytes have 8 in front")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u64, hash: [u8; 32]) -> KeyRecord {
        KeyRecord {
            id: KeyId::new(id),
            tenant: TenantId::new(1),
            name: Arc::from("test"),
            hash,
            hint: Arc::from("0000"),
            permissions: vec![Permission::ListAccounts],
            created_at: ledger::Millis(0),
            revoked_at: None,
        }
    }

    #[test]
    fn a_key_is_found_by_its_secret_until_it_is_removed() {
        let hasher = KeyHasher::new([7; 32]);
        let secret = Secret::from_entropy([42; 32]);
        let keys = KeyDirectory::new(
            hasher.clone(),
            vec![record(5, hasher.hash(secret.reveal()))],
            |_| false,
        );
        assert_eq!(keys.find(secret.reveal()).expect("known").id, KeyId::new(5));
        assert!(keys.find(Secret::from_entropy([43; 32]).reveal()).is_none());
        keys.remove(KeyId::new(5));
        assert!(keys.find(secret.reveal()).is_none());
    }

    #[test]
    fn every_changed_character_is_noticed_before_any_lookup() {
        let secret = Secret::from_entropy([42; 32]);
        assert!(is_well_formed(secret.reveal()));
        for index in 0..secret.reveal().len() {
            let mut bytes = secret.reveal().as_bytes().to_vec();
            bytes[index] = if bytes[index] == b'7' { b'8' } else { b'7' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            assert!(!is_well_formed(&changed), "{index}");
        }
        for wrong in ["", "tg_", "ApiKey", &secret.reveal()[1..], "tg_é"] {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_not_printed_by_accident() {
        assert_eq!(format!("{:?}", Secret::from_entropy([1; 32])), "Secret(…)");
    }
}
