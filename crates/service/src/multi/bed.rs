//! A service over a store in a temporary folder, for the tests of this folder.

use std::sync::Arc;

use ledger::{Millis, TenantMode, Terms};
use store::{Embedded, ManualClock, Options, Permission, Store};
use tempfile::TempDir;

use super::{Company, Entropy, Identity, IdentityKind, Login, Mobile, NewIdentity, Person};
use super::{Password, Programme, TenantSettings};
use crate::{KeyHasher, Secret, Service, Settings};

/// Where the machine's clock stands when a test begins.
pub(crate) const START: Millis = Millis(1_800_000_000_000);
/// The profiles of identities: the ids that come after the tenant's and the key's.
const CORPORATES: u64 = (1_800_000_000_000 << 16) + 2;
const CONSUMERS: u64 = CORPORATES + 1;
/// A password that passes.
pub(crate) const PASSWORD: &str = "Passw0rd!";

pub(crate) struct Bed {
    folder: TempDir,
    pub clock: Arc<ManualClock>,
    store: Arc<Embedded>,
    pub service: Service,
    secret: Secret,
    pub programme: Programme,
    /// How often [`Bed::entropy`] was asked.
    drawn: std::sync::atomic::AtomicU8,
}

impl Bed {
    /// A sandbox tenant with a programme key.
    pub(crate) async fn new() -> Bed {
        Bed::with(TenantMode::Sandbox).await
    }

    pub(crate) async fn with(mode: TenantMode) -> Bed {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // A sparse ballast is found in place; writing eight megabytes a test would be slow.
        let ballast = std::fs::File::create(folder.path().join("ballast")).expect("a new file");
        ballast.set_len(8 << 20).expect("room for nothing");
        let clock = Arc::new(ManualClock::new(START));
        let (store, service) = open(&folder, &clock).await;
        let tenant = service.create_tenant("Acme", mode).await.expect("a tenant");
        let secret = Secret::from_entropy([42; 32]);
        let permissions = vec![Permission::Programme];
        let key = service.create_key(tenant.id, "programme", permissions, &secret);
        key.await.expect("a key");
        let programme = service.programme(secret.reveal()).expect("it is known");
        for (id, terms) in [(CORPORATES, Terms::Corporate), (CONSUMERS, Terms::Consumer)] {
            let new = ledger::NewProfile {
                tenant: tenant.id,
                name: "Identities".into(),
                currencies: Vec::new(),
                terms,
            };
            let profile = service.create_profile(new).await.expect("a profile");
            assert_eq!(profile.id.raw(), id, "ids are given in order");
        }
        Bed {
            folder,
            clock,
            store,
            service,
            secret,
            programme,
            drawn: std::sync::atomic::AtomicU8::new(0),
        }
    }

    /// Closes everything and opens it again.
    pub(crate) async fn reopen(self) -> Bed {
        self.store.shut_down().await.expect("no panic");
        let Bed { service, store, .. } = self;
        drop((service, store));
        let (store, service) = open(&self.folder, &self.clock).await;
        let programme = service.programme(self.secret.reveal());
        Bed {
            folder: self.folder,
            clock: self.clock,
            store,
            programme: programme.expect("it is known"),
            service,
            secret: self.secret,
            drawn: self.drawn,
        }
    }

    /// The programme as a request finds it now.
    pub(crate) fn programme_now(&self) -> Programme {
        let programme = self.service.programme(self.secret.reveal());
        programme.expect("it is known")
    }

    /// The machine's time.
    pub(crate) fn clock_ms(&self) -> i64 {
        self.store.now().0
    }

    /// Bytes that are never the same.
    pub(crate) fn entropy(&self) -> Entropy {
        let number = self
            .drawn
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Entropy::from_bytes([number; Entropy::BYTES])
    }

    pub(crate) async fn allow_many_identities(&self) {
        let settings = TenantSettings {
            multi_identity: true,
            ..TenantSettings::default()
        };
        let set = self
            .service
            .set_tenant_settings(self.programme.tenant, settings);
        set.await.expect("acceptable");
    }

    /// A corporate whose root user has this address.
    pub(crate) async fn corporate(&self, email: &str) -> Identity {
        let made = self
            .service
            .create_identity(&self.programme, corporate(email), None);
        made.await.expect("nothing is in the way")
    }

    /// Gives a user the usual password.
    pub(crate) async fn password(&self, user: u64) -> Login {
        let (password, entropy) = (Password::new(PASSWORD), self.entropy());
        let set = self
            .service
            .create_password(&self.programme, user, password, entropy);
        set.await.expect("the first").login.expect("active")
    }

    pub(crate) async fn log_in(&self, email: &str, password: &str) -> super::Result<Login> {
        let (password, entropy) = (Password::new(password), self.entropy());
        self.service
            .login(&self.programme, email, password, entropy)
            .await
    }
}

async fn open(folder: &TempDir, clock: &Arc<ManualClock>) -> (Arc<Embedded>, Service) {
    let store = Embedded::open(&Options {
        clock: Arc::clone(clock) as Arc<dyn store::Clock>,
        ..Options::new(folder.path())
    });
    let store = Arc::new(store.expect("a good folder"));
    let hasher = KeyHasher::new([7; 32]);
    let opened = Arc::clone(&store) as Arc<dyn Store>;
    let service = Service::open(opened, hasher, Settings::default()).await;
    (store, service.expect("a good store"))
}

pub(crate) fn person(email: &str) -> Person {
    Person {
        name: "Ada".to_owned(),
        surname: "Byron".to_owned(),
        email: email.to_owned(),
        mobile: Some(Mobile {
            country_code: "+44".to_owned(),
            number: "123456789".to_owned(),
        }),
        ..Person::default()
    }
}

pub(crate) fn corporate(email: &str) -> NewIdentity {
    NewIdentity {
        kind: IdentityKind::Corporate,
        company: Some(Company {
            kind: "LLC".to_owned(),
            name: "Engines Ltd".to_owned(),
            registration_number: Some("C1".to_owned()),
            registration_country: "GB".to_owned(),
            business_address: None,
        }),
        profile: CORPORATES,
        ..consumer(email)
    }
}

pub(crate) fn consumer(email: &str) -> NewIdentity {
    NewIdentity {
        kind: IdentityKind::Consumer,
        profile: CONSUMERS,
        tag: None,
        root: person(email),
        company: None,
        industry: None,
        source_of_funds: None,
        source_of_funds_other: None,
        accepted_terms: Some(true),
        ip_address: "10.0.0.1".to_owned(),
        base_currency: Some("EUR".to_owned()),
        fee_group: None,
    }
}
