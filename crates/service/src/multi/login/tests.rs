use ledger::TenantMode;
use store::{Permission, RecordQuery};

use super::*;
use crate::Secret;
use crate::multi::bed::{Bed, PASSWORD, consumer, person};
use crate::multi::lockout::{FAILURES_MAX, LOCK_MS};
use crate::multi::sessions::SESSIONS_MAX;
use crate::multi::{NewIdentity, Surface};

const EMAIL: &str = "ada@example.com";
const MINUTE: i64 = 60_000;

/// A bed with a corporate whose root user has a password.
async fn bed() -> (Bed, Login) {
    let bed = Bed::new().await;
    let made = bed.corporate(EMAIL).await;
    let login = bed.password(made.root.id).await;
    (bed, login)
}

fn caller(bed: &Bed, token: &str) -> Result<Caller> {
    bed.service.caller(&bed.programme, token, Surface::Multi)
}

/// Records of sessions in the store.
async fn recorded(bed: &Bed) -> usize {
    let query = RecordQuery {
        kind: RecordKind::Session,
        tenant: bed.programme.tenant,
        owner: None,
        after: 0,
        before: u64::MAX,
        newest_first: false,
        limit: usize::MAX,
    };
    let records = bed.service.store.records(query).await;
    records.expect("reads work").len()
}

#[track_caller]
fn refused<T>(result: Result<T>, expected: Conflict) {
    match result {
        Err(Error::Conflict(conflict)) => assert_eq!(conflict, expected),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

#[tokio::test]
async fn a_user_logs_in_works_and_logs_out() {
    let (bed, first) = bed().await;
    assert_eq!(first.kind, TokenKind::Access);
    let login = bed
        .log_in("ADA@example.com", PASSWORD)
        .await
        .expect("right");
    assert_eq!(login.kind, TokenKind::Access);
    assert_eq!(login.credentials, Credentials::Root);
    assert_eq!(login.owner.raw(), login.user);
    assert_ne!(login.token, first.token);
    let who = caller(&bed, &login.token).expect("live");
    assert_eq!((who.owner, who.user), (login.owner, login.user));
    assert_eq!(who.identity, IdentityKind::Corporate);

    bed.service.logout(&who).await.expect("writes work");
    assert!(matches!(
        caller(&bed, &login.token),
        Err(Error::Unauthenticated)
    ));
    caller(&bed, &first.token).expect("another session");
    // It has ended for good.
    let bed = bed.reopen().await;
    assert!(caller(&bed, &login.token).is_err());
    let who = caller(&bed, &first.token).expect("a restart logs nobody out");
    assert_eq!(who.user, login.user);
    assert_eq!(recorded(&bed).await, 1);
    // Once more is no trouble, as long as somebody still has the caller.
    bed.service.logout(&who).await.expect("writes work");
    bed.service
        .logout(&who)
        .await
        .expect("it has ended already");
}

#[tokio::test]
async fn sessions_end_five_minutes_after_their_last_use() {
    let (bed, login) = bed().await;
    for _ in 0..10 {
        bed.clock.advance(4 * MINUTE);
        caller(&bed, &login.token).expect("used in time");
    }
    bed.clock.advance(5 * MINUTE);
    assert!(matches!(
        caller(&bed, &login.token),
        Err(Error::Unauthenticated)
    ));
    // Its record goes with the next session that begins.
    assert_eq!(recorded(&bed).await, 1);
    bed.log_in(EMAIL, PASSWORD).await.expect("right");
    assert_eq!(recorded(&bed).await, 1);
}

#[tokio::test]
async fn the_last_use_survives_a_restart() {
    let (bed, login) = bed().await;
    for _ in 0..3 {
        bed.clock.advance(2 * MINUTE);
        caller(&bed, &login.token).expect("used in time");
        // It is handed to the store behind the request: as soon as this task makes way.
        tokio::task::yield_now().await;
    }
    let bed = bed.reopen().await;
    caller(&bed, &login.token).expect("its use six minutes after its begin is known");
    let bed = {
        bed.clock.advance(6 * MINUTE);
        bed.reopen().await
    };
    assert!(caller(&bed, &login.token).is_err());
    bed.log_in(EMAIL, PASSWORD).await.expect("right");
    assert_eq!(recorded(&bed).await, 1, "the expired one was deleted");
}

#[tokio::test]
async fn what_is_not_right_is_forbidden() {
    let (bed, _) = bed().await;
    let mut user = bed.corporate("new@example.com").await.root;
    for (email, password) in [
        (EMAIL, "Passw0rd?"),
        (EMAIL, ""),
        ("nobody@example.com", PASSWORD),
        ("", ""),
        ("new@example.com", PASSWORD),
    ] {
        let result = bed.log_in(email, password).await;
        assert!(
            matches!(result, Err(Error::Forbidden)),
            "{email} {result:?}"
        );
    }
    bed.password(user.id).await;
    user = bed
        .service
        .stored(user.tenant, user.id)
        .await
        .expect("reads work")
        .expect("it is there");
    user.facts.active = false;
    let gate = bed.service.multi.sessions.gate(user.id).await;
    assert!(bed.service.put_and_end(&user, None).await.expect("written"));
    drop(gate);
    let result = bed.log_in("new@example.com", PASSWORD).await;
    assert!(matches!(result, Err(Error::Forbidden)), "{result:?}");
}

#[tokio::test]
async fn five_wrong_passwords_lock_for_half_an_hour_across_restarts() {
    let (bed, login) = bed().await;
    for _ in 0..FAILURES_MAX - 1 {
        let wrong = bed.log_in(EMAIL, "Wr0ng!!!").await;
        assert!(matches!(wrong, Err(Error::Forbidden)), "{wrong:?}");
    }
    bed.log_in(EMAIL, PASSWORD).await.expect("in a row only");
    for _ in 0..FAILURES_MAX {
        let wrong = bed.log_in(EMAIL, "Wr0ng!!!").await;
        assert!(matches!(wrong, Err(Error::Forbidden)), "{wrong:?}");
    }
    let locked = bed.log_in(EMAIL, PASSWORD).await;
    assert!(matches!(locked, Err(Error::Locked)), "{locked:?}");
    let who = caller(&bed, &login.token).expect("who is in stays in");
    let (old, new) = (Password::new(PASSWORD), Password::new("New-Pa55word"));
    let update = bed.service.update_password(&who, old, new, bed.entropy());
    let update = update.await;
    assert!(matches!(update, Err(Error::Forbidden)), "{update:?}");

    let bed = bed.reopen().await;
    bed.clock.advance(LOCK_MS - 1);
    let locked = bed.log_in(EMAIL, PASSWORD).await;
    assert!(matches!(locked, Err(Error::Locked)), "{locked:?}");
    bed.clock.advance(1);
    bed.log_in(EMAIL, PASSWORD).await.expect("the lock is over");
    let wrong = bed.log_in(EMAIL, "Wr0ng!!!").await;
    assert!(matches!(wrong, Err(Error::Forbidden)), "{wrong:?}");
    bed.log_in(EMAIL, PASSWORD).await.expect("counted anew");
}

#[tokio::test]
async fn fewer_wrong_passwords_are_counted_across_restarts_too() {
    let (mut bed, _) = bed().await;
    for _ in 0..FAILURES_MAX {
        let wrong = bed.log_in(EMAIL, "Wr0ng!!!").await;
        assert!(matches!(wrong, Err(Error::Forbidden)), "{wrong:?}");
        // The count is written behind the answer: wait for it as a later request would.
        let id = bed.service.users_by_email(bed.programme.tenant, EMAIL);
        let user = id.await.expect("reads work").remove(0);
        let written = write_attempts(&*bed.service.store, &bed.service.multi.lockouts, key(&user));
        written.await.expect("writes work");
        bed = bed.reopen().await;
    }
    let locked = bed.log_in(EMAIL, PASSWORD).await;
    assert!(matches!(locked, Err(Error::Locked)), "{locked:?}");
}

#[tokio::test]
async fn a_password_is_created_once() {
    let bed = Bed::new().await;
    let made = bed.corporate(EMAIL).await;
    let id = made.root.id;
    let create = |user, text: &str| {
        let (password, entropy) = (Password::new(text), bed.entropy());
        let (service, programme) = (&bed.service, &bed.programme);
        async move {
            service
                .create_password(programme, user, password, entropy)
                .await
        }
    };
    refused(create(1, "short").await, Conflict::UnresolvedIdentity);
    refused(create(id, "aB3$efg").await, Conflict::PasswordTooShort);
    let long = format!("aB3${}", "x".repeat(27));
    refused(create(id, &long).await, Conflict::PasswordTooLong);
    refused(create(id, "password").await, Conflict::PasswordTooSimple);
    let set = create(id, PASSWORD).await.expect("the first");
    assert_eq!(set.owner, made.facts.owner);
    let login = set.login.expect("active");
    caller(&bed, &login.token).expect("a session has begun");
    refused(create(id, PASSWORD).await, Conflict::PasswordAlreadyCreated);
    refused(create(id, "short").await, Conflict::PasswordTooShort);
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let (bed, login) = bed().await;
    let other = bed.log_in(EMAIL, PASSWORD).await.expect("right");
    let who = caller(&bed, &login.token).expect("live");
    let update = |old: &str, new: &str| {
        let (old, new) = (Password::new(old), Password::new(new));
        let (service, who, entropy) = (&bed.service, &who, bed.entropy());
        async move { service.update_password(who, old, new, entropy).await }
    };
    let wrong = update("Wr0ng!!!", "New-Pa55word").await;
    refused(wrong, Conflict::PasswordIncorrect);
    refused(update(PASSWORD, "simple").await, Conflict::PasswordTooShort);
    let same = update(PASSWORD, PASSWORD).await;
    refused(same, Conflict::PasswordAlreadyUsed);
    let set = update(PASSWORD, "New-Pa55word").await.expect("acceptable");
    assert_eq!(set.owner, login.owner);
    caller(&bed, &login.token).expect("the session it was done in lives on");
    assert!(caller(&bed, &other.token).is_err());
    assert_eq!(recorded(&bed).await, 1);
    let old = bed.log_in(EMAIL, PASSWORD).await;
    assert!(matches!(old, Err(Error::Forbidden)), "{old:?}");
    bed.log_in(EMAIL, "New-Pa55word")
        .await
        .expect("the new one");
    let back = update("New-Pa55word", PASSWORD).await;
    refused(back, Conflict::PasswordAlreadyUsed);
}

#[tokio::test]
async fn guessing_at_the_old_password_locks_and_ends_the_session() {
    let (bed, login) = bed().await;
    let who = caller(&bed, &login.token).expect("live");
    for _ in 0..FAILURES_MAX {
        let (old, new) = (Password::new("Wr0ng!!!"), Password::new("New-Pa55word"));
        let update = bed.service.update_password(&who, old, new, bed.entropy());
        refused(update.await, Conflict::PasswordIncorrect);
    }
    assert!(caller(&bed, &login.token).is_err());
    assert_eq!(recorded(&bed).await, 0);
    let locked = bed.log_in(EMAIL, PASSWORD).await;
    assert!(matches!(locked, Err(Error::Locked)), "{locked:?}");
}

#[tokio::test]
async fn a_user_has_only_so_many_sessions() {
    let (bed, first) = bed().await;
    let who = caller(&bed, &first.token).expect("live");
    let mut tokens = Vec::new();
    for _ in 0..SESSIONS_MAX {
        let another =
            bed.service
                .access_token(&who, IdentityKind::Corporate, who.owner, bed.entropy());
        tokens.push(another.await.expect("one's own").token);
    }
    assert!(caller(&bed, &first.token).is_err(), "the oldest has ended");
    for token in &tokens {
        caller(&bed, token).expect("live");
    }
    assert_eq!(recorded(&bed).await, SESSIONS_MAX);
    let user = bed.service.stored(who.tenant, who.user).await;
    let mut user: User = user.expect("reads work").expect("it is there");
    user.facts.active = false;
    let gate = bed.service.multi.sessions.gate(user.id).await;
    assert!(bed.service.put_and_end(&user, None).await.expect("written"));
    drop(gate);
    assert_eq!(recorded(&bed).await, 0, "all in one commit");
    assert!(tokens.iter().all(|token| caller(&bed, token).is_err()));
}

#[tokio::test]
async fn a_token_belongs_to_its_programme_and_its_api() {
    let (bed, login) = bed().await;
    let service = &bed.service;
    let other = service
        .create_tenant("Other", TenantMode::Sandbox)
        .await
        .expect("a tenant");
    let make = async |permission, byte, tenant| {
        let secret = Secret::from_entropy([byte; 32]);
        let key = service.create_key(tenant, "key", vec![permission], &secret);
        key.await.expect("a key");
        secret
    };
    let secret = make(Permission::Programme, 1, other.id).await;
    let others = service.programme(secret.reveal()).expect("it is known");
    let forbidden = service.caller(&others, &login.token, Surface::Multi);
    assert!(matches!(forbidden, Err(Error::Forbidden)), "{forbidden:?}");
    let elsewhere = service.caller(&bed.programme, &login.token, Surface::BackOffice);
    assert!(matches!(elsewhere, Err(Error::Forbidden)), "{elsewhere:?}");

    let programme = &bed.programme;
    let (corporate, consumer) = (IdentityKind::Corporate, IdentityKind::Consumer);
    let id = login.user;
    let made = service.backoffice_token(programme, corporate, id, bed.entropy());
    let made = made.await.expect("it is there");
    assert_eq!((made.owner, made.user), (login.owner, login.user));
    service
        .caller(programme, &made.token, Surface::BackOffice)
        .expect("its own API");
    let multi = caller(&bed, &made.token);
    assert!(matches!(multi, Err(Error::Forbidden)), "{multi:?}");
    for (kind, id) in [(consumer, id), (corporate, 1)] {
        let unknown = service.backoffice_token(programme, kind, id, bed.entropy());
        refused(unknown.await, Conflict::UnresolvedIdentity);
    }

    // Keys that may not speak for a programme.
    let tenant = bed.programme.tenant;
    let list = make(Permission::ListAccounts, 2, tenant).await;
    let simulator = make(Permission::Simulator, 3, tenant).await;
    for (secret, programme, simulates) in [(&list, false, false), (&simulator, false, true)] {
        assert_eq!(service.programme(secret.reveal()).is_ok(), programme);
        assert_eq!(service.simulator(secret.reveal()).is_ok(), simulates);
    }
    let none = service.programme("tg_nobody");
    assert!(matches!(none, Err(Error::Unauthenticated)), "{none:?}");
    let list = service.programme(list.reveal());
    assert!(matches!(list, Err(Error::Forbidden)), "{list:?}");
}

/// A further identity of the person with this address, or not.
async fn another(bed: &Bed) -> Result<u64> {
    let new = NewIdentity {
        root: person(EMAIL),
        ..consumer(EMAIL)
    };
    let made = bed.service.create_identity(&bed.programme, new, None);
    Ok(made.await?.root.id)
}

#[tokio::test]
async fn a_person_with_two_identities_chooses_one() {
    let (bed, first) = bed().await;
    refused(another(&bed).await, Conflict::RootEmailNotUnique);
    bed.allow_many_identities().await;
    refused(another(&bed).await, Conflict::RootEmailNotUnique);
    let (service, programme) = (&bed.service, &bed.programme);
    let corporate = IdentityKind::Corporate;
    let verified = service.verify_email(programme, corporate, EMAIL, "123456");
    verified.await.expect("the sandbox's code");
    let second = another(&bed).await.expect("the same person");

    let login = bed.log_in(EMAIL, PASSWORD).await.expect("right");
    assert_eq!(login.kind, TokenKind::Auth);
    let only_choosing = caller(&bed, &login.token);
    assert!(
        matches!(only_choosing, Err(Error::AccessTokenRequired)),
        "{only_choosing:?}"
    );
    let holder = service.holder(programme, &login.token).expect("live");
    let identities = service.identities_of(&holder).await.expect("reads work");
    let names: Vec<&str> = identities.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["Engines Ltd", "Ada Byron"]);
    assert_eq!(identities[1].owner.raw(), second);

    let consumer = IdentityKind::Consumer;
    let choose = |kind, owner| {
        let (service, holder, entropy) = (service, &holder, bed.entropy());
        async move { service.access_token(holder, kind, owner, entropy).await }
    };
    let chosen = choose(consumer, OwnerId::new(second))
        .await
        .expect("one's own");
    let who = caller(&bed, &chosen.token).expect("live");
    assert_eq!((who.owner.raw(), who.identity), (second, consumer));
    for (kind, owner) in [(corporate, second), (consumer, 5)] {
        let wrong = choose(kind, OwnerId::new(owner)).await;
        assert!(matches!(wrong, Err(Error::Forbidden)), "{wrong:?}");
    }

    // One password for all of them.
    let again = bed.entropy();
    let twice = service.create_password(programme, second, Password::new(PASSWORD), again);
    refused(twice.await, Conflict::PasswordAlreadyCreated);
    let (old, new) = (Password::new(PASSWORD), Password::new("New-Pa55word"));
    let set = service.update_password(&who, old, new, bed.entropy());
    set.await.expect("acceptable");
    caller(&bed, &chosen.token).expect("the session it was done in");
    for token in [&login.token, &first.token] {
        assert!(service.holder(programme, token).is_err());
    }
    bed.log_in(EMAIL, "New-Pa55word")
        .await
        .expect("the new one");
}

#[tokio::test]
async fn a_user_with_one_identity_may_choose_it_too() {
    let (bed, login) = bed().await;
    let who = caller(&bed, &login.token).expect("live");
    let identities = bed.service.identities_of(&who).await.expect("reads work");
    assert_eq!(identities.len(), 1);
    assert_eq!(identities[0].name, "Engines Ltd");
    let chosen = bed.service.access_token(
        &who,
        identities[0].identity,
        identities[0].owner,
        bed.entropy(),
    );
    let chosen = chosen.await.expect("one's own");
    caller(&bed, &chosen.token).expect("live");
    caller(&bed, &login.token).expect("it has not ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_logs_in_past_a_new_password() {
    let (bed, login) = bed().await;
    let who = caller(&bed, &login.token).expect("live");
    let (service, programme) = (&bed.service, &bed.programme);
    let logins = async {
        let mut tokens = Vec::new();
        for _ in 0..6 {
            if let Ok(login) = bed.log_in(EMAIL, PASSWORD).await {
                tokens.push(login.token);
            }
        }
        tokens
    };
    let (old, new) = (Password::new(PASSWORD), Password::new("New-Pa55word"));
    let entropy = bed.entropy();
    let update = service.update_password(&who, old, new, entropy);
    let (tokens, updated) = tokio::join!(logins, update);
    updated.expect("acceptable");
    for token in tokens {
        let found = service.caller(programme, &token, Surface::Multi);
        assert!(found.is_err(), "a session under the old password lives on");
    }
}
