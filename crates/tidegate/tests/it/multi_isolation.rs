//! Nobody sees or touches what is another's: over every operation that the dialect's OpenAPI
//! document has, with every id that another has.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, START, id};
use crate::multi_client::{MultiClient, PASSWORD, corporate};
use crate::multi_world::{DAY, MultiWorld, Party, order, party, profiles, programme, scheduled};
use crate::openapi::{self, Operation, operations};
use crate::samples::sample;
use crate::schema::resolve;

/// Ids by what they are of.
type Ids = BTreeMap<&'static str, String>;

/// Everything that an identity can have, made by it: a transfer that is done and one that waits, a
/// bulk that is handed in, a user beside the root user.
async fn everything_of(client: &MultiClient<'_>, party: &Party, transfer_profile: &str) -> Ids {
    let body = order(transfer_profile, &party.main, &party.reserve, "EUR", 1);
    let done = client.post("/transfers", &body).await.expect(200);
    let later = scheduled(body.clone(), START.0 + DAY);
    let waiting = client.post("/transfers", &later).await.expect(200);
    let bulk = json!([{"requestBody": body}]);
    let bulk = client.post("/bulks/transfers", &bulk).await.expect(201);
    let email = format!("clerk.{}@users.example", party.id());
    let user = json!({"name": "Cy", "surname": "Clerk", "email": email});
    let user = client.post("/users", &user).await.expect(200);
    Ids::from([
        ("account", party.main.id.clone()),
        ("empty account", party.reserve.id.clone()),
        ("card", party.card.id.clone()),
        ("debit card", party.debit.id.clone()),
        ("transfer", id(&done)),
        ("waiting transfer", id(&waiting)),
        ("bulk", bulk["bulkId"].as_str().expect("an id").to_owned()),
        ("user", id(&user)),
        ("identity", party.id().to_owned()),
    ])
}

/// All that an identity can see of itself.
async fn seen_by(client: &MultiClient<'_>, party: &Party, ids: &Ids) -> Vec<Value> {
    let mut seen = Vec::new();
    for path in [
        format!("/{}", party.plural),
        "/managed_accounts".to_owned(),
        "/managed_cards".to_owned(),
        "/transfers".to_owned(),
        "/bulks".to_owned(),
        "/users".to_owned(),
        format!("/bulks/{}", ids["bulk"]),
        format!("/managed_accounts/{}/statement", ids["account"]),
        format!("/managed_cards/{}/statement", ids["card"]),
    ] {
        seen.push(client.get(&path).await.expect(200));
    }
    seen
}

/// Whether every set of credentials of an operation has a token.
fn wants_token(operation: &Operation<'_>) -> bool {
    let sets = operation.data["security"]
        .as_array()
        .expect("sets of schemes");
    sets.iter().all(|set| set.get("auth_token").is_some())
}

/// A call of an operation with this id in the place of each parameter, and a body that the document
/// allows; without credentials.
fn call_with(operation: &Operation<'static>, id: &str) -> Call {
    let parts: Vec<&str> = operation
        .template
        .split('/')
        .map(|part| if part.starts_with('{') { id } else { part })
        .collect();
    let method = Method::from_bytes(operation.method.as_bytes()).expect("a method");
    let call = Call::new(method, parts.join("/"));
    let document = openapi::multi();
    let body = resolve(document, &operation.data["requestBody"]);
    match &body["content"]["application/json"]["schema"] {
        Value::Null => call,
        schema => call.json(&sample(document, schema)),
    }
}

fn shows(call: Call, key: &str, token: &str) -> Call {
    call.header("api-key", key)
        .header("authorization", format!("Bearer {token}"))
}

/// The operations of `/multi` and its Back Office with a user behind them.
fn of_users() -> impl Iterator<Item = Operation<'static>> {
    operations(openapi::multi()).filter(|operation| wants_token(operation))
}

/// Whether its path names no object but a word of the caller's own: one that nobody has said is no
/// less there than another.
fn is_of_words(operation: &Operation<'_>) -> bool {
    operation.template == "/multi/idempotency_refs/{ref}"
}

/// With a token that has chosen no identity, a 403 says what is required at operations about money
/// and nothing elsewhere; the document knows at which.
#[tokio::test]
async fn a_403_has_a_body_where_the_document_says_so() {
    let world = MultiWorld::new().await;
    world.set(&json!({"multi_identity": true})).await;
    let client = world.programme();
    let (profile, many) = (&world.profiles.corporate, "many@acme.example");
    client.corporate(profile, many).await;
    let second = corporate(profile, many);
    client.post("/corporates", &second).await.expect(200);
    let (mut told, mut bare) = (0, 0);
    for operation in of_users() {
        // One of the operations ends its session.
        let choosing = client.login(many, PASSWORD).await;
        let call = shows(call_with(&operation, "1"), &world.key, choosing.token());
        let reply = world.server.call(call).await;
        if reply.status != 403 {
            continue;
        }
        let response = resolve(openapi::multi(), &operation.data["responses"]["403"]);
        let (promised, sent) = (response["content"].is_object(), !reply.bytes.is_empty());
        assert_eq!(promised, sent, "{}", operation.name());
        *if sent { &mut told } else { &mut bare } += 1;
    }
    assert!(
        told > 0 && bare > 0,
        "{told} say what is required, {bare} nothing"
    );
}

#[tokio::test]
async fn what_is_anothers_is_not_there() {
    let world = MultiWorld::new().await;
    let (acme, jane) = (&world.acme, &world.jane);
    let (own, hers) = (
        everything_of(&world.acme(), acme, &world.profiles.free).await,
        everything_of(&world.jane(), jane, &world.profiles.free).await,
    );
    let office = world.programme().acting_for(&acme.identity).await;
    let before = (
        world.snapshot().await,
        seen_by(&world.jane(), jane, &hers).await,
        seen_by(&world.acme(), acme, &own).await,
    );
    let mut asked = 0;
    for operation in of_users().filter(|operation| operation.template.contains('{')) {
        let token = match operation.template.starts_with("/multi/backoffice/") {
            true => office.token(),
            false => &acme.token,
        };
        for (what, id) in &hers {
            let call = shows(call_with(&operation, id), &world.key, token);
            let reply = world.server.call(call).await;
            asked += 1;
            if is_of_words(&operation) {
                assert_eq!(reply.expect(200)["state"], "NEVER_SEEN");
                continue;
            }
            let body = reply.expect(404);
            let code = body["code"].as_str().unwrap_or_default();
            assert!(
                code.ends_with("NOT_FOUND"),
                "{} {what}: {body}",
                operation.name()
            );
        }
    }
    assert!(
        asked > 200,
        "only {asked} calls: what has become of the document?"
    );
    let after = (
        world.snapshot().await,
        seen_by(&world.jane(), jane, &hers).await,
        seen_by(&world.acme(), acme, &own).await,
    );
    assert_eq!(after, before);
    // The same calls find what is one's own: it is the identity that makes the difference.
    let mut found = 0;
    for operation in of_users().filter(|it| it.template.contains('{') && it.method == "GET") {
        let token = match operation.template.starts_with("/multi/backoffice/") {
            true => office.token(),
            false => &acme.token,
        };
        for id in own.values() {
            let call = shows(call_with(&operation, id), &world.key, token);
            found += usize::from(world.server.call(call).await.status == 200);
        }
    }
    assert!(found >= 12, "only {found} were found");
}

#[tokio::test]
async fn no_list_has_anything_of_anothers() {
    let world = MultiWorld::new().await;
    let (acme, jane) = (&world.acme, &world.jane);
    let own = everything_of(&world.acme(), acme, &world.profiles.free).await;
    let hers = everything_of(&world.jane(), jane, &world.profiles.free).await;
    let office = world.programme().acting_for(&acme.identity).await;
    let mut lists = 0;
    for operation in of_users().filter(|it| !it.template.contains('{') && it.method == "GET") {
        let token = match operation.template.starts_with("/multi/backoffice/") {
            true => office.token(),
            false => &acme.token,
        };
        let mut plain = call_with(&operation, "");
        // And with each filter that takes an instrument of hers.
        let filters = [
            "",
            "?id={}&type=managed_accounts",
            "?id={}&type=managed_cards",
        ];
        for (filter, (what, id)) in filters
            .iter()
            .flat_map(|it| hers.iter().map(move |id| (it, id)))
        {
            if !filter.is_empty() && !operation.template.ends_with("/transfers") {
                continue;
            }
            plain.path = format!("{}{}", operation.template, filter.replace("{}", id));
            let reply = world
                .server
                .call(shows(plain.clone(), &world.key, token))
                .await;
            if reply.status == 403 {
                // The corporate is no consumer.
                assert_eq!(operation.template, "/multi/consumers");
                continue;
            }
            let text = reply.expect(200).to_string();
            for id in hers.values() {
                assert!(
                    !text.contains(&format!("\"{id}\"")),
                    "{} {what}: {text}",
                    operation.name()
                );
            }
            if !filter.is_empty() {
                assert_eq!(reply.json()["count"], 0, "{text}");
            } else if !operation.template.ends_with("/identities") {
                let has_own = own.values().any(|id| text.contains(&format!("\"{id}\"")));
                assert!(has_own, "{}: {text}", operation.name());
            }
            lists += 1;
        }
    }
    assert!(lists > 50, "only {lists} lists");
}

/// Ids in bodies name what is one's own too.
#[tokio::test]
async fn anothers_objects_cannot_be_named_in_bodies() {
    let world = MultiWorld::new().await;
    let (acme, jane) = (&world.acme, &world.jane);
    let hers = everything_of(&world.jane(), jane, &world.profiles.free).await;
    let before = (
        world.snapshot().await,
        seen_by(&world.jane(), jane, &hers).await,
    );
    let free = &world.profiles.free;
    for (from, to, code) in [
        (&jane.main, &acme.main, "SOURCE_NOT_FOUND"),
        (&jane.card, &acme.main, "SOURCE_NOT_FOUND"),
        (&acme.main, &jane.main, "DESTINATION_NOT_FOUND"),
        (&acme.main, &jane.travel, "DESTINATION_NOT_FOUND"),
        (&jane.main, &jane.reserve, "SOURCE_NOT_FOUND"),
    ] {
        let body = order(free, from, to, "EUR", 1);
        world.acme().post("/transfers", &body).await.conflict(code);
    }
    let mut debit = crate::multi_world::card(&world.profiles.debit);
    debit["mode"] = json!("DEBIT_MODE");
    debit["parentManagedAccountId"] = json!(jane.main.id);
    let reply = world.acme().post("/managed_cards", &debit).await;
    reply.conflict("PARENT_MANAGED_ACCOUNT_NOT_FOUND");
    let cancel = json!({"cancellations": [{"id": hers["waiting transfer"]}]});
    let reply = world.acme().post("/transfers/bulk/cancel", &cancel).await;
    assert_eq!(
        reply.expect(200)["cancellations"][0]["errorCode"],
        "FORBIDDEN"
    );
    let choose = json!({"identity": jane.identity});
    world.acme().post("/access_token", &choose).await.bare(403);
    assert_eq!(world.snapshot().await, before.0);
    assert_eq!(seen_by(&world.jane(), jane, &hers).await, before.1);
}

/// Both are genuine and do not belong together.
#[tokio::test]
async fn a_programmes_key_and_anothers_token_are_forbidden_everywhere() {
    let world = MultiWorld::new().await;
    let own = everything_of(&world.acme(), &world.acme, &world.profiles.free).await;
    let office = world.programme().acting_for(&world.acme.identity).await;
    let (tenant, key) = programme(&world.server, "Another").await;
    let client = MultiClient::new(&world.server, &key);
    let theirs = profiles(&world.server, &tenant).await;
    let them = party(&client, &theirs, "consumers", "root@other.example").await;
    let them_at_the_office = client.acting_for(&them.identity).await;
    let before = world.snapshot().await;
    let mut asked = 0;
    for operation in of_users() {
        let (ours, others) = match operation.template.starts_with("/multi/backoffice/") {
            true => (office.token(), them_at_the_office.token()),
            false => (&*world.acme.token, &*them.token),
        };
        for id in own.values() {
            for (key, token) in [(&key, ours), (&world.key, others)] {
                let call = shows(call_with(&operation, id), key, token);
                world.server.call(call).await.bare(403);
                asked += 1;
            }
            if !operation.template.contains('{') {
                break;
            }
            // With credentials that belong together it is not there.
            let call = shows(call_with(&operation, id), &key, others);
            let expected = if is_of_words(&operation) { 200 } else { 404 };
            world.server.call(call).await.expect(expected);
        }
    }
    assert!(asked > 400, "only {asked} calls");
    // Nobody was logged out by it, and nothing has changed.
    assert_eq!(world.snapshot().await, before);
    world.acme().get("/transfers").await.expect(200);
}

/// What needs no user is the programme's own all the same.
#[tokio::test]
async fn a_programme_reaches_its_own_identities_only() {
    let world = MultiWorld::new().await;
    let (tenant, key) = programme(&world.server, "Another").await;
    let stranger = MultiClient::new(&world.server, &key);
    profiles(&world.server, &tenant).await;
    let acme = &world.acme;
    let clerk = json!({"name": "Cy", "surname": "Clerk", "email": "clerk@acme.example"});
    let clerk = world.acme().post("/users", &clerk).await.expect(200);
    let before = world.snapshot().await;

    let simulator = stranger.simulator();
    let deposit = json!({"depositAmount": {"currency": "EUR", "amount": 1}});
    let path = format!("/accounts/{}/deposit", acme.main.id);
    let answer = simulator.post(&path, &deposit).await.expect(200);
    assert_eq!(answer["code"], "DENIED_ACCOUNT_NOT_FOUND");
    let amount = json!({"currency": "EUR", "amount": 1});
    let shopping = json!({"merchantName": "Shop", "transactionAmount": amount});
    for what in ["purchase", "merchant_refund"] {
        let path = format!("/cards/{}/{what}", acme.card.id);
        let answer = simulator.post(&path, &shopping).await.expect(200);
        assert_eq!(answer["code"], "DENIED_CARD_NOT_FOUND", "{what}");
    }
    let path = format!("/corporates/{}/verify", acme.id());
    simulator.act(&path).await.expect(404);

    let body = json!({"identity": acme.identity});
    let reply = stranger.back_office().post("/access_token", &body).await;
    reply.conflict("UNRESOLVED_IDENTITY");
    let login = json!({"email": acme.email, "password": {"value": PASSWORD}});
    stranger
        .post("/login_with_password", &login)
        .await
        .bare(403);
    let password = json!({"password": {"value": PASSWORD}});
    for user in [id(&clerk), acme.id().to_owned()] {
        let path = format!("/passwords/{user}/create");
        let reply = stranger.post(&path, &password).await;
        assert!([404, 409].contains(&reply.status), "{}", reply.text());
    }
    let email = json!({"email": acme.email});
    let reply = stranger
        .post("/corporates/verification/email/send", &email)
        .await;
    assert_eq!(reply.status, 409, "{}", reply.text());
    assert_eq!(world.snapshot().await, before);
    // The clerk has no password yet: the one that was tried is none.
    let login = json!({"email": "clerk@acme.example", "password": {"value": PASSWORD}});
    world
        .programme()
        .post("/login_with_password", &login)
        .await
        .bare(403);
}
