use ledger::TenantMode;

use super::*;
use crate::multi::Surface;
use crate::multi::bed::{Bed, consumer, corporate, person};

const EMAIL: &str = "ada@example.com";

#[track_caller]
fn refused<T>(result: Result<T>, expected: Conflict) {
    match result {
        Err(Error::Conflict(conflict)) => assert_eq!(conflict, expected),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

async fn create(bed: &Bed, new: NewIdentity) -> Result<Identity> {
    bed.service.create_identity(&bed.programme, new, None).await
}

async fn caller(bed: &Bed, identity: &Identity) -> Caller {
    let login = bed.password(identity.root.id).await;
    let caller = bed
        .service
        .caller(&bed.programme, &login.token, Surface::Multi);
    caller.expect("live")
}

#[tokio::test]
async fn an_identity_is_an_owner_a_record_and_a_root_user() {
    let bed = Bed::new().await;
    let made = create(&bed, corporate(EMAIL)).await.expect("new");
    assert_eq!(made.facts.id, made.facts.owner.raw());
    assert_eq!(
        (made.root.id, made.root.owner),
        (made.facts.id, made.facts.owner)
    );
    assert!(made.root.facts.is_root && made.root.facts.active);
    assert!(!made.is_verified());
    assert_eq!(made.facts.facts.created_at_ms, bed.clock_ms());
    let owners = bed.service.owners(bed.programme.tenant).await;
    let owners = owners.expect("reads work");
    assert_eq!(owners.len(), 1);
    assert_eq!(
        (owners[0].id, owners[0].kind),
        (made.facts.owner, OwnerKind::Corporate)
    );
    assert_eq!(&*owners[0].name, "Engines Ltd");

    let who = caller(&bed, &made).await;
    let found = bed.service.identity(&who, IdentityKind::Corporate).await;
    let found = found.expect("it is there");
    assert_eq!(found.facts, made.facts);
    assert_eq!(found.root.facts.person, made.root.facts.person);
    let other = bed.service.identity(&who, IdentityKind::Consumer).await;
    assert!(matches!(other, Err(Error::Forbidden)), "{other:?}");
}

#[tokio::test]
async fn any_name_makes_an_owner() {
    let bed = Bed::new().await;
    for (number, name) in [" ", "a\nb", "\u{1}", &"é".repeat(300)]
        .into_iter()
        .enumerate()
    {
        let mut new = corporate(&format!("{number}@example.com"));
        if let Some(company) = &mut new.company {
            company.name = name.to_owned();
        }
        let made = create(&bed, new).await.expect("new");
        let company = made.facts.facts.company.expect("it was given");
        assert_eq!(company.name, name);
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_order() {
    let bed = Bed::new().await;
    create(&bed, consumer(EMAIL)).await.expect("new");
    // Each row repairs the fault of the row above.
    let mut new = corporate(EMAIL);
    new.base_currency = Some("XXX".to_owned());
    new.fee_group = Some("GOLD".to_owned());
    new.root.mobile = Some(crate::multi::Mobile {
        country_code: "+0".to_owned(),
        number: "1".to_owned(),
    });
    let set_country = |new: &mut NewIdentity, code: &str| {
        if let Some(company) = &mut new.company {
            code.clone_into(&mut company.registration_country);
        }
    };
    set_country(&mut new, "XX");
    new.base_currency = Some("ZZZ".to_owned());
    refused(
        create(&bed, new.clone()).await,
        Conflict::CurrencyUnsupported,
    );
    new.base_currency = Some("GBP".to_owned());
    refused(create(&bed, new.clone()).await, Conflict::FeeGroupInvalid);
    new.fee_group = Some("DEFAULT".to_owned());
    refused(create(&bed, new.clone()).await, Conflict::CountryInvalid);
    set_country(&mut new, "MT");
    refused(
        create(&bed, new.clone()).await,
        Conflict::MobileOrCountryCodeInvalid,
    );
    new.root.mobile = None;
    refused(
        create(&bed, new.clone()).await,
        Conflict::RootEmailNotUnique,
    );
    new.root.email = "other@example.com".to_owned();
    create(&bed, new).await.expect("nothing is in the way");
    let owners = bed.service.owners(bed.programme.tenant).await;
    assert_eq!(
        owners.expect("reads work").len(),
        2,
        "refusals leave nothing"
    );
}

#[tokio::test]
async fn an_identity_is_verified_by_code_and_due_diligence() {
    let bed = Bed::new().await;
    let (service, programme) = (&bed.service, &bed.programme);
    let made = create(&bed, corporate(EMAIL)).await.expect("new");
    let (tenant, owner) = (programme.tenant, made.facts.owner);
    let (corporate, consumer) = (IdentityKind::Corporate, IdentityKind::Consumer);
    let send = |kind, email| service.send_email_code(programme, kind, email);
    let verify = |kind, email, code| service.verify_email(programme, kind, email, code);
    refused(
        send(corporate, "x@example.com").await,
        Conflict::EmailNotFound,
    );
    refused(send(consumer, EMAIL).await, Conflict::EmailNotFound);
    send(corporate, EMAIL).await.expect("nothing is sent");
    for (kind, email, code) in [
        (corporate, EMAIL, "000000"),
        (consumer, EMAIL, "123456"),
        (corporate, "x@example.com", "123456"),
    ] {
        let wrong = verify(kind, email, code).await;
        refused(wrong, Conflict::VerificationCodeInvalid);
    }
    for _ in 0..2 {
        verify(corporate, "ADA@example.com", "123456")
            .await
            .expect("the sandbox's code");
    }
    refused(send(corporate, EMAIL).await, Conflict::AlreadyVerified);
    let may = service.may_have_instruments(tenant, owner).await;
    assert!(!may.expect("reads work"), "due diligence is still to come");

    let wrong_kind = service.simulate_verification(programme, consumer, made.root.id);
    assert!(matches!(
        wrong_kind.await,
        Err(Error::Service(crate::Error::NotFound { .. }))
    ));
    for _ in 0..2 {
        let done = service.simulate_verification(programme, corporate, made.root.id);
        done.await.expect("it is there");
    }
    let may = service.may_have_instruments(tenant, owner).await;
    assert!(may.expect("reads work"));
    let unknown = service.simulate_verification(programme, corporate, 5).await;
    assert!(matches!(
        unknown,
        Err(Error::Service(crate::Error::NotFound { .. }))
    ));
}

#[tokio::test]
async fn the_simulator_verifies_everything_at_once() {
    let bed = Bed::new().await;
    let made = create(&bed, consumer(EMAIL)).await.expect("new");
    let (service, programme) = (&bed.service, &bed.programme);
    let done = service.simulate_verification(programme, IdentityKind::Consumer, made.root.id);
    done.await.expect("it is there");
    let who = caller(&bed, &made).await;
    let found = service.identity(&who, IdentityKind::Consumer).await;
    let found = found.expect("it is there");
    assert!(found.is_verified() && found.root.facts.mobile_verified);
}

#[tokio::test]
async fn live_tenants_have_no_codes_and_no_simulator() {
    let bed = Bed::with(TenantMode::Live).await;
    let made = create(&bed, corporate(EMAIL)).await.expect("new");
    let (service, programme) = (&bed.service, &bed.programme);
    let kind = IdentityKind::Corporate;
    let sent = service.send_email_code(programme, kind, EMAIL).await;
    assert!(matches!(sent, Err(Error::NotConfigured { .. })), "{sent:?}");
    let code = service.verify_email(programme, kind, EMAIL, "123456").await;
    refused(code, Conflict::VerificationCodeInvalid);
    let simulated = service.simulate_verification(programme, kind, made.root.id);
    assert!(matches!(simulated.await, Err(Error::Forbidden)));
}

#[tokio::test]
async fn an_identity_changes_until_it_is_verified() {
    let bed = Bed::new().await;
    let (service, programme) = (&bed.service, &bed.programme);
    let made = create(&bed, corporate(EMAIL)).await.expect("new");
    create(&bed, consumer("taken@example.com"))
        .await
        .expect("new");
    let who = caller(&bed, &made).await;
    let kind = IdentityKind::Corporate;
    let change = |patch: IdentityPatch| {
        let who = &who;
        async move { service.change_identity(who, kind, &patch, None).await }
    };
    let email = |email: &str| IdentityPatch {
        root: PersonPatch {
            email: Some(email.to_owned()),
            ..PersonPatch::default()
        },
        ..IdentityPatch::default()
    };
    let verify = async |email: &str| {
        let verified = service.verify_email(programme, kind, email, "123456");
        verified.await.expect("the sandbox's code");
    };
    verify(EMAIL).await;
    refused(
        change(email("taken@example.com")).await,
        Conflict::EmailNotUnique,
    );
    let same = change(email("Ada@Example.com"))
        .await
        .expect("only its case");
    assert!(same.root.facts.email_verified);
    let moved = change(email("new@example.com")).await.expect("free");
    assert!(!moved.root.facts.email_verified, "to be verified anew");
    let fields = IdentityPatch {
        tag: Some("vip".to_owned()),
        base_currency: Some("GBP".to_owned()),
        fee_group: Some("DEFAULT".to_owned()),
        business_address: Some(Address {
            city: Some("Valletta".to_owned()),
            country: Some("MT".to_owned()),
            ..Address::default()
        }),
        root: PersonPatch {
            name: Some("Grace".to_owned()),
            ..PersonPatch::default()
        },
        ..IdentityPatch::default()
    };
    let changed = change(fields.clone()).await.expect("nothing is in the way");
    assert_eq!(changed.facts.facts.tag.as_deref(), Some("vip"));
    assert_eq!(changed.root.facts.person.name, "Grace");

    let done = service.simulate_verification(programme, kind, made.root.id);
    done.await.expect("it is there");
    let after = change(fields).await.expect("nothing changes");
    assert!(after.is_verified());
    for locked in [
        email("other@example.com"),
        IdentityPatch {
            business_address: Some(Address::default()),
            ..IdentityPatch::default()
        },
        IdentityPatch {
            root: PersonPatch {
                surname: Some("Hopper".to_owned()),
                ..PersonPatch::default()
            },
            ..IdentityPatch::default()
        },
    ] {
        refused(change(locked).await, Conflict::RootUserAlreadyVerified);
    }
    let tag = IdentityPatch {
        tag: Some("gold".to_owned()),
        ..IdentityPatch::default()
    };
    change(tag).await.expect("not looked at by due diligence");
    let odd = IdentityPatch {
        base_currency: Some("ZZZ".to_owned()),
        ..IdentityPatch::default()
    };
    refused(change(odd).await, Conflict::UnsupportedCurrency);
    let patch = IdentityPatch::default();
    let other = service.change_identity(&who, IdentityKind::Consumer, &patch, None);
    assert!(matches!(other.await, Err(Error::Forbidden)));
}

#[tokio::test]
async fn a_verified_consumer_keeps_name_and_address() {
    let bed = Bed::new().await;
    let (service, programme) = (&bed.service, &bed.programme);
    let kind = IdentityKind::Consumer;
    let made = create(&bed, consumer(EMAIL)).await.expect("new");
    let who = caller(&bed, &made).await;
    let patch = IdentityPatch {
        root: PersonPatch {
            address: Some(Address {
                country: Some("MT".to_owned()),
                ..Address::default()
            }),
            ..PersonPatch::default()
        },
        ..IdentityPatch::default()
    };
    let changed = service.change_identity(&who, kind, &patch, None).await;
    changed.expect("not verified yet");
    let done = service.simulate_verification(programme, kind, made.root.id);
    done.await.expect("it is there");
    service
        .change_identity(&who, kind, &patch, None)
        .await
        .expect("the same");
    let elsewhere = IdentityPatch {
        root: PersonPatch {
            address: Some(Address::default()),
            ..PersonPatch::default()
        },
        ..IdentityPatch::default()
    };
    let locked = service.change_identity(&who, kind, &elsewhere, None).await;
    refused(locked, Conflict::ConsumerVerified);
}

#[tokio::test]
async fn a_reference_makes_one_identity() {
    let bed = Bed::new().await;
    let (service, programme) = (&bed.service, &bed.programme);
    let reference = Reference::new("k", "req_1");
    let create = |new| service.create_identity(programme, new, Some(&reference));
    let first = create(corporate(EMAIL)).await.expect("new");
    bed.password(first.root.id).await;
    let again = create(corporate(EMAIL)).await.expect("the same");
    assert_eq!(again, first, "as it was answered");
    let other = create(corporate("other@example.com")).await;
    assert!(matches!(
        other,
        Err(Error::Service(crate::Error::KeyReused))
    ));
    // Consumers are made by another operation.
    create(consumer("other@example.com")).await.expect("new");
    let owners = service.owners(programme.tenant).await;
    assert_eq!(owners.expect("reads work").len(), 2);
    bed.clock.advance(24 * 60 * 60 * 1_000);
    let late = create(corporate(EMAIL)).await.expect("as it is");
    assert!(late.root.facts.secrets.password.is_some());
}

#[tokio::test]
async fn a_person_is_a_consumer_once() {
    let bed = Bed::new().await;
    bed.allow_many_identities().await;
    let (service, programme) = (&bed.service, &bed.programme);
    create(&bed, corporate(EMAIL)).await.expect("new");
    // Nobody has shown that the address is theirs.
    refused(
        create(&bed, consumer(EMAIL)).await,
        Conflict::RootEmailNotUnique,
    );
    refused(
        create(&bed, corporate(EMAIL)).await,
        Conflict::RootEmailNotVerified,
    );
    let verified = service.verify_email(programme, IdentityKind::Corporate, EMAIL, "123456");
    verified.await.expect("the sandbox's code");
    create(&bed, consumer(EMAIL)).await.expect("the first");
    refused(
        create(&bed, consumer(EMAIL)).await,
        Conflict::ConsumerAlreadyExists,
    );
    create(&bed, corporate(EMAIL))
        .await
        .expect("another business");
}

#[tokio::test]
async fn a_shared_address_stays_with_all_its_identities() {
    let bed = Bed::new().await;
    bed.allow_many_identities().await;
    let (service, programme) = (&bed.service, &bed.programme);
    let kind = IdentityKind::Corporate;
    let first = create(&bed, corporate(EMAIL)).await.expect("new");
    let verified = service.verify_email(programme, kind, EMAIL, "123456");
    verified.await.expect("the sandbox's code");
    let who = caller(&bed, &first).await;
    let mut many = Vec::new();
    for _ in 1..IDENTITIES_MAX {
        let made = create(&bed, corporate(EMAIL)).await.expect("room");
        assert!(made.root.facts.email_verified && made.root.facts.had_password);
        many.push(made.root.id);
    }
    let full = create(&bed, corporate(EMAIL)).await;
    refused(full, Conflict::RootEmailNotUnique);
    let patch = IdentityPatch {
        root: PersonPatch {
            email: Some("new@example.com".to_owned()),
            ..PersonPatch::default()
        },
        ..IdentityPatch::default()
    };
    let moved = service.change_identity(&who, kind, &patch, None).await;
    refused(moved, Conflict::EmailNotUnique);
    let user = service.create_user(&who, person(EMAIL), None).await;
    refused(user, Conflict::EmailNotUnique);
    let user = service.create_user(&who, person("user@example.com"), None);
    user.await.expect("free");
    let root = create(&bed, consumer("user@example.com")).await;
    refused(root, Conflict::RootEmailNotUnique);
}
