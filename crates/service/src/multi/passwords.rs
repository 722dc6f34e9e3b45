//! Passwords: what one must be like, and how it is kept.
//!
//! Kept is an argon2id hash (19 MiB, two passes, one lane: the first choice of OWASP's cheat
//! sheet), salted, and keyed with the server's own secret: whoever reads the store without that
//! cannot test guesses. Hashing takes tens of milliseconds of a processor; two are done at a time,
//! off the threads that serve requests, and a bounded number waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Conflict;
use super::facts::Secrets;
use crate::keys::KeyHasher;

/// Memory of one hash in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
/// Lanes of it.
const LANES: u32 = 1;
/// Hashes made at the same time.
const TURNS: usize = 2;
/// Callers that may wait for their turn; the next is told to come back.
const WAITING_MAX: usize = 256;
/// Characters of a password.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=30;
/// Passwords that may not come back, the present one among them.
const REMEMBERED: usize = 5;

/// A password, which is not printed by accident.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Password(String);

impl Password {
    /// The password with this text, whatever it is like.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Password {
        Password(text.into())
    }

    /// Whether it may be somebody's password.
    ///
    /// # Errors
    /// Too short, too long, or without lower case, upper case, digit or special character.
    ///
    /// Source: weavr-api §2.2.
    pub(super) fn check(&self) -> Result<(), Conflict> {
        let length = self.0.chars().count();
        if length < *LENGTH.start() {
            return Err(Conflict::PasswordTooShort);
        }
        if length > *LENGTH.end() {
            return Err(Conflict::PasswordTooLong);
        }
        let has = |test: fn(char) -> bool| self.0.chars().any(test);
        let is_mixed = has(char::is_lowercase)
            && has(char::is_uppercase)
            && has(|character| character.is_numeric())
            && has(|character| !character.is_alphanumeric());
        if is_mixed {
            Ok(())
        } else {
            Err(Conflict::PasswordTooSimple)
        }
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The hash of nobody's password: looking for it takes as long as for anybody's.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZWJvZHkgZWxzZSBhbA\
                      $Gp5iMVKVZrOhHCwxv5dIiKlzRL0Yb4a1aW3p0kq7vGk";

/// Hashes and compares; see the module.
pub(super) struct Hashing {
    pepper: Arc<[u8; 32]>,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// The right to hash one password, or a few in a row.
pub(super) struct Turn {
    pepper: Arc<[u8; 32]>,
    _permit: OwnedSemaphorePermit,
}

/// What hashing needs, off the threads that serve requests.
pub(super) struct Hasher<'a>(Argon2<'a>);

impl Hashing {
    pub(super) fn new(hasher: &KeyHasher) -> Hashing {
        Hashing {
            pepper: Arc::new(hasher.derive("tidegate 2026-11-21 passwords")),
            turns: Arc::new(Semaphore::new(TURNS)),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when too many wait.
    pub(super) async fn turn(&self) -> Result<Turn, StoreError> {
        let _place = Place::take(&self.waiting).ok_or_else(|| StoreError::Unavailable {
            reason: Arc::from("too many passwords are waiting to be looked at"),
            retry_after_s: 5,
        })?;
        let permit = Arc::clone(&self.turns).acquire_owned().await;
        Ok(Turn {
            pepper: Arc::clone(&self.pepper),
            _permit: permit.expect("the semaphore is never closed"),
        })
    }
}

/// A place among those who wait; given back when the wait ends, however it does.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Place<'a>> {
        let place = Place(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < WAITING_MAX).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Turn {
    /// Runs `work` where it holds nobody up, and ends the turn.
    pub(super) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Hasher<'_>) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let done = tokio::task::spawn_blocking(move || {
            let argon2 = Argon2::new_with_secret(
                &*self.pepper,
                Algorithm::Argon2id,
                Version::V0x13,
                params(),
            );
            work(&Hasher(
                argon2.expect("a secret of 32 bytes is short enough"),
            ))
        });
        done.await
            .map_err(|_| StoreError::Corrupt(Arc::from("hashing a password has panicked")))
    }
}

fn params() -> Params {
    let length = Some(Output::MIN_LENGTH.max(32));
    Params::new(MEMORY_KIB, PASSES, LANES, length).expect("they are within argon2's bounds")
}

impl Hasher<'_> {
    /// The hash of a password as a PHC string.
    pub(super) fn hash(&self, password: &Password, salt: &[u8; 16]) -> String {
        let hash = self.0.hash_password_with_salt(password.0.as_bytes(), salt);
        let hash: PasswordHash = hash.expect("any bytes can be hashed");
        hash.to_string()
    }

    /// Whether this is the hash of the password. Without a hash it takes as long.
    pub(super) fn is(&self, password: &Password, hash: Option<&str>) -> bool {
        let verify = |text: &str| {
            let parsed = PasswordHash::new(text);
            parsed.is_ok_and(|hash| self.0.verify_password(password.0.as_bytes(), &hash).is_ok())
        };
        match hash {
            Some(hash) => verify(hash),
            None => {
                verify(NOBODY);
                false
            }
        }
    }

    /// Whether it is the present password or one of those before.
    pub(super) fn was_used(&self, password: &Password, secrets: &Secrets) -> bool {
        let mut hashes = secrets.password.iter().chain(&secrets.previous);
        hashes.any(|hash| self.is(password, Some(hash)))
    }
}

impl Secrets {
    /// Takes a new password; the one before is remembered.
    pub(super) fn set_password(&mut self, hash: String) {
        if let Some(before) = self.password.replace(hash) {
            self.previous.insert(0, before);
            self.previous.truncate(REMEMBERED - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(), Conflict>) {
        assert_eq!(Password::new(text).check(), expected, "{text}");
    }

    #[test]
    fn a_password_has_8_to_30_characters_of_four_kinds() {
        check("Passw0rd!", Ok(()));
        check("aB3$efg", Err(Conflict::PasswordTooShort));
        check("aB3$efgh", Ok(()));
        check(&format!("aB3$é{}", "x".repeat(25)), Ok(()));
        check(
            &format!("aB3$é{}", "x".repeat(26)),
            Err(Conflict::PasswordTooLong),
        );
        for simple in [
            "passw0rd!",
            "PASSW0RD!",
            "Password!",
            "Passw0rdd",
            "        ",
        ] {
            check(simple, Err(Conflict::PasswordTooSimple));
        }
    }

    fn hashing() -> Hashing {
        Hashing::new(&KeyHasher::new([7; 32]))
    }

    async fn with<T: Send + 'static>(
        hashing: &Hashing,
        work: impl FnOnce(&Hasher<'_>) -> T + Send + 'static,
    ) -> T {
        let turn = hashing.turn().await.expect("nobody waits");
        turn.run(work).await.expect("no panic")
    }

    #[tokio::test]
    async fn a_hash_is_of_its_password_under_this_servers_secret() {
        let hashing = hashing();
        let hash = with(&hashing, |hasher| {
            hasher.hash(&Password::new("Passw0rd!"), &[3; 16])
        })
        .await;
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let same = hash.clone();
        let found = with(&hashing, move |hasher| {
            ["Passw0rd!", "Passw0rd", "passw0rd!", ""]
                .map(|text| hasher.is(&Password::new(text), Some(&same)))
        });
        assert_eq!(found.await, [true, false, false, false]);
        let stranger = Hashing::new(&KeyHasher::new([8; 32]));
        let found = with(&stranger, move |hasher| {
            hasher.is(&Password::new("Passw0rd!"), Some(&hash))
        });
        assert!(!found.await);
    }

    #[test]
    fn nobodys_hash_costs_what_anybodys_does() {
        let nobody = PasswordHash::new(NOBODY).expect("a PHC string");
        let params = Params::try_from(&nobody).expect("argon2's");
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (MEMORY_KIB, PASSES, LANES)
        );
        assert_eq!(nobody.hash.map(|hash| hash.len()), Some(32));
        assert_eq!(nobody.salt.map(|salt| salt.len()), Some(16));
    }

    #[tokio::test]
    async fn the_last_five_do_not_come_back() {
        let hashing = hashing();
        let mut secrets = Secrets::default();
        for number in 0..6_u8 {
            let hash = with(&hashing, move |hasher| {
                hasher.hash(&Password::new(format!("Passw0rd!{number}")), &[number; 16])
            });
            secrets.set_password(hash.await);
        }
        let used = with(&hashing, move |hasher| {
            [0, 1, 5].map(|number| {
                hasher.was_used(&Password::new(format!("Passw0rd!{number}")), &secrets)
            })
        });
        assert_eq!(used.await, [false, true, true]);
    }

    #[tokio::test]
    async fn only_so_many_wait() {
        let hashing = hashing();
        let turns = (hashing.turn().await, hashing.turn().await);
        assert!(turns.0.is_ok() && turns.1.is_ok());
        hashing.waiting.store(WAITING_MAX, Ordering::Relaxed);
        assert!(matches!(
            hashing.turn().await,
            Err(StoreError::Unavailable { .. })
        ));
        hashing.waiting.store(0, Ordering::Relaxed);
        drop(turns);
        hashing.turn().await.expect("a turn is free");
        assert_eq!(hashing.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_password_is_not_printed_by_accident() {
        assert_eq!(format!("{:?}", Password::new("Passw0rd!")), "Password(…)");
    }
}
