use super::*;
use crate::multi::Surface;
use crate::multi::bed::{Bed, PASSWORD, person};

async fn bed() -> (Bed, Caller) {
    let bed = Bed::new().await;
    let made = bed.corporate("root@example.com").await;
    let login = bed.password(made.root.id).await;
    let caller = bed
        .service
        .caller(&bed.programme, &login.token, Surface::Multi);
    let caller = caller.expect("live");
    (bed, caller)
}

fn numbered(number: u32) -> Person {
    Person {
        tag: number.is_multiple_of(2).then(|| "even".to_owned()),
        ..person(&format!("user{number}@example.com"))
    }
}

async fn add(bed: &Bed, caller: &Caller, number: u32) -> User {
    let made = bed.service.create_user(caller, numbered(number), None);
    made.await.expect("nothing is in the way")
}

#[track_caller]
fn refused<T>(result: Result<T>, expected: Conflict) {
    match result {
        Err(Error::Conflict(conflict)) => assert_eq!(conflict, expected),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

fn is_missing<T>(result: &Result<T>) -> bool {
    matches!(
        result,
        Err(Error::Service(crate::Error::NotFound { what: "user" }))
    )
}

#[tokio::test]
async fn users_are_added_and_found() {
    let (bed, caller) = bed().await;
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(add(&bed, &caller, number).await);
    }
    assert!(
        made.iter()
            .all(|user| user.facts.active && !user.facts.is_root)
    );
    let found = bed.service.user(&caller, made[2].id).await;
    assert_eq!(found.expect("it is there"), made[2]);
    let service = &bed.service;
    service
        .set_user_active(&caller, made[1].id, false)
        .await
        .expect("it is there");

    let count = async |query: UserQuery| {
        let page = service.users(&caller, &query).await.expect("reads work");
        let names = page.users.into_iter().map(|user| user.facts.person.email);
        (names.collect::<Vec<_>>(), page.count)
    };
    let all = UserQuery {
        limit: 100,
        ..UserQuery::default()
    };
    let (names, total) = count(all.clone()).await;
    assert_eq!(
        (names.len(), total),
        (5, 5),
        "the root user is none of them"
    );
    let page = UserQuery {
        offset: 3,
        limit: 1,
        ..UserQuery::default()
    };
    assert_eq!(count(page).await, (vec!["user3@example.com".to_owned()], 5));
    let inactive = UserQuery {
        active: Some(false),
        ..all.clone()
    };
    assert_eq!(count(inactive).await.1, 1);
    let even = UserQuery {
        tag: Some("even".to_owned()),
        active: Some(true),
        ..all.clone()
    };
    assert_eq!(count(even).await.1, 3);
    let one = UserQuery {
        email: Some("USER4@example.com".to_owned()),
        ..all
    };
    assert_eq!(count(one).await.1, 1);
}

#[tokio::test]
async fn an_address_is_one_users_of_the_tenant() {
    let (bed, caller) = bed().await;
    add(&bed, &caller, 1).await;
    let service = &bed.service;
    for taken in ["user1@example.com", "USER1@EXAMPLE.COM", "root@example.com"] {
        let again = service.create_user(&caller, person(taken), None).await;
        refused(again, Conflict::EmailNotUnique);
    }
    let other = add(&bed, &caller, 2).await;
    let patch = PersonPatch {
        email: Some("user1@example.com".to_owned()),
        ..PersonPatch::default()
    };
    let change = service.change_user(&caller, other.id, &patch, None).await;
    refused(change, Conflict::EmailNotUnique);
    let root = crate::multi::bed::corporate("user1@example.com");
    let root = service.create_identity(&bed.programme, root, None).await;
    refused(root, Conflict::RootEmailNotUnique);
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let (bed, caller) = bed().await;
    let nowhere = Person {
        country_of_residence: Some("XX".to_owned()),
        ..numbered(1)
    };
    let made = bed.service.create_user(&caller, nowhere, None).await;
    refused(made, Conflict::CountryOfResidenceInvalid);
    let mobile = |code: &str| {
        Some(Mobile {
            country_code: code.to_owned(),
            number: "1".to_owned(),
        })
    };
    let uncallable = Person {
        mobile: mobile("+0"),
        ..numbered(1)
    };
    let made = bed.service.create_user(&caller, uncallable, None).await;
    refused(made, Conflict::MobileOrCountryCodeInvalid);
    let user = add(&bed, &caller, 1).await;
    let patch = PersonPatch {
        mobile: mobile("+01"),
        ..PersonPatch::default()
    };
    let change = bed.service.change_user(&caller, user.id, &patch, None);
    refused(change.await, Conflict::MobileOrCountryCodeInvalid);
}

#[tokio::test]
async fn a_user_is_changed() {
    let (bed, caller) = bed().await;
    let user = add(&bed, &caller, 1).await;
    let patch = PersonPatch {
        name: Some("Grace".to_owned()),
        email: Some("grace@example.com".to_owned()),
        tag: Some("new".to_owned()),
        ..PersonPatch::default()
    };
    let changed = bed.service.change_user(&caller, user.id, &patch, None);
    let changed = changed.await.expect("nothing is in the way");
    let person = &changed.facts.person;
    assert_eq!((&*person.name, &*person.surname), ("Grace", "Byron"));
    assert_eq!(person.tag.as_deref(), Some("new"));
    let found = bed.service.user(&caller, user.id).await;
    assert_eq!(found.expect("it is there"), changed);
    // The old address is free, the new one is the login.
    add(&bed, &caller, 1).await;
    bed.password(user.id).await;
    bed.log_in("grace@example.com", PASSWORD)
        .await
        .expect("right");
}

#[tokio::test]
async fn others_users_do_not_exist() {
    let (bed, caller) = bed().await;
    let other = bed.corporate("other@example.com").await;
    let login = bed.password(other.root.id).await;
    let strangers = bed
        .service
        .caller(&bed.programme, &login.token, Surface::Multi);
    let strangers = strangers.expect("live");
    let user = add(&bed, &caller, 1).await;
    let patch = PersonPatch::default();
    for (who, id) in [
        (&strangers, user.id),
        (&caller, caller.user),
        (&caller, 5),
        (&caller, 0),
    ] {
        let service = &bed.service;
        assert!(is_missing(&service.user(who, id).await));
        assert!(is_missing(
            &service.change_user(who, id, &patch, None).await
        ));
        assert!(is_missing(&service.set_user_active(who, id, false).await));
        assert!(is_missing(&service.set_user_active(who, id, true).await));
    }
    let all = UserQuery {
        limit: 9,
        ..UserQuery::default()
    };
    let page = bed.service.users(&strangers, &all).await;
    assert_eq!(page.expect("reads work").count, 0);
}

#[tokio::test]
async fn a_deactivated_user_is_out_until_activated() {
    let (bed, caller) = bed().await;
    let user = add(&bed, &caller, 1).await;
    let login = bed.password(user.id).await;
    let service = &bed.service;
    let live = |token: &str| {
        service
            .caller(&bed.programme, token, Surface::Multi)
            .is_ok()
    };
    let others = service.identities_of(&caller).await.expect("reads work");
    assert_eq!(others.len(), 1);
    assert!(live(&login.token));
    let deactivate = service.set_user_active(&caller, user.id, false);
    deactivate.await.expect("it is there");
    assert!(!live(&login.token));
    let out = bed.log_in("user1@example.com", PASSWORD).await;
    assert!(matches!(out, Err(Error::Forbidden)), "{out:?}");
    let bed = bed.reopen().await;
    let service = &bed.service;
    let out = service.caller(&bed.programme, &login.token, Surface::Multi);
    assert!(out.is_err(), "its session has ended for good");
    // Activating lets a user in who was locked out, too.
    for _ in 0..5 {
        let wrong = bed.log_in("user1@example.com", "Wr0ng!!!").await;
        assert!(matches!(wrong, Err(Error::Forbidden)), "{wrong:?}");
    }
    let activate = service.set_user_active(&caller, user.id, true);
    activate.await.expect("it is there");
    let again = bed.log_in("user1@example.com", PASSWORD).await;
    let again = again.expect("active");
    assert_eq!(again.credentials, crate::multi::Credentials::User);
    assert_eq!(again.owner, caller.owner);
}

#[tokio::test]
async fn a_reference_makes_one_user() {
    let (bed, caller) = bed().await;
    let service = &bed.service;
    let reference = Reference::new("k", "req_1");
    let create = |person: Person| service.create_user(&caller, person, Some(&reference));
    let first = create(numbered(1)).await.expect("new");
    assert_eq!(create(numbered(1)).await.expect("the same"), first);
    let other = create(numbered(2)).await;
    assert!(
        matches!(other, Err(Error::Service(crate::Error::KeyReused))),
        "{other:?}"
    );
    // The answer is the first one even after a change, and after a day as things are then.
    let patch = PersonPatch {
        name: Some("Grace".to_owned()),
        ..PersonPatch::default()
    };
    let changed = service.change_user(&caller, first.id, &patch, Some(&reference));
    let changed = changed.await.expect("another operation");
    assert_eq!(create(numbered(1)).await.expect("the same"), first);
    let again = service.change_user(&caller, first.id, &patch, Some(&reference));
    assert_eq!(again.await.expect("the same"), changed);
    bed.clock.advance(24 * 60 * 60 * 1_000);
    assert_eq!(create(numbered(1)).await.expect("as it is"), changed);
}

#[tokio::test]
async fn a_refusal_stays_one_under_its_reference() {
    let (bed, caller) = bed().await;
    let service = &bed.service;
    let first = add(&bed, &caller, 1).await;
    let taken = Reference::new("taken", "req_1");
    let again = service
        .create_user(&caller, numbered(1), Some(&taken))
        .await;
    refused(again, Conflict::EmailNotUnique);
    let nowhere = Person {
        country_of_residence: Some("XX".to_owned()),
        ..numbered(3)
    };
    let odd = Reference::new("odd", "req_2");
    for _ in 0..2 {
        let made = service.create_user(&caller, nowhere.clone(), Some(&odd));
        refused(made.await, Conflict::CountryOfResidenceInvalid);
    }
    let patch = PersonPatch {
        email: Some("free@example.com".to_owned()),
        ..PersonPatch::default()
    };
    let change = service.change_user(&caller, first.id, &patch, None);
    change.await.expect("nothing is in the way");
    // The address is free by now, but the caller was told no.
    let late = service
        .create_user(&caller, numbered(1), Some(&taken))
        .await;
    refused(late, Conflict::EmailNotUnique);
    service
        .create_user(&caller, numbered(1), None)
        .await
        .expect("it is free");
    let other = service.create_user(&caller, numbered(3), Some(&odd)).await;
    assert!(
        matches!(other, Err(Error::Service(crate::Error::KeyReused))),
        "{other:?}"
    );
}
