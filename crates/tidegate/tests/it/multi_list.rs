//! `GET /transfers` of the Multi dialect: its order, its pages, and every filter in every encoding.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Reply, START, id};
use crate::multi_world::{Instrument, MultiWorld, SECOND, order, scheduled};

/// A world in which transfers of every kind and end stand, at different times, and all of them as
/// the list has them.
struct Eventful {
    world: MultiWorld,
    all: Vec<Value>,
}

impl Eventful {
    async fn new() -> Eventful {
        let world = MultiWorld::new().await;
        let acme = world.acme.clone();
        let (free, paid) = (&world.profiles.free, &world.profiles.paid);
        let tagged = |mut body: Value, tag: &str| {
            body["tag"] = json!(tag);
            body
        };
        let (main, reserve, card) = (&acme.main, &acme.reserve, &acme.card);
        let at = |seconds: i64| START.0 + seconds * SECOND;
        let make = async |body: Value| {
            let made = world.acme().post("/transfers", &body).await.expect(200);
            id(&made)
        };
        // Three at one time, a second later five, and so on.
        make(order(free, main, reserve, "EUR", 500)).await;
        make(tagged(order(paid, main, card, "EUR", 400), "rent")).await;
        make(order(free, card, main, "EUR", 300)).await;
        world.advance(SECOND).await;
        make(tagged(order(free, reserve, main, "EUR", 100), "Rent")).await;
        make(scheduled(order(free, main, reserve, "EUR", 50), at(5))).await;
        // There will be no money for it.
        make(scheduled(order(free, reserve, main, "EUR", 999_999), at(5))).await;
        make(tagged(
            scheduled(order(paid, card, main, "EUR", 10), at(6)),
            "rent",
        ))
        .await;
        let dear = make(scheduled(order(free, card, reserve, "EUR", 10), at(900))).await;
        world.advance(SECOND).await;
        let later = scheduled(order(free, main, card, "EUR", 7), at(900));
        make(tagged(later, "rent-2")).await;
        let body = json!({"cancellations": [{"id": dear, "cancellationReason": "too dear"}]});
        let path = "/transfers/bulk/cancel";
        world.acme().post(path, &body).await.expect(200);
        world.advance(10 * SECOND).await;
        // Another identity's are in no list of these.
        let body = order(free, &world.jane.main, &world.jane.reserve, "EUR", 1);
        world.jane().post("/transfers", &body).await.expect(200);
        let list = world.acme().get("/transfers").await.expect(200);
        let all = list["transfer"].as_array().expect("a list").clone();
        assert_eq!(all.len(), 9);
        Eventful { world, all }
    }

    /// Asks with a query, in a form that the vendor's clients use or in another that is taken.
    async fn ask(&self, query: &str, odd: bool) -> Reply {
        let acme = self.world.acme();
        let call = acme.call(axum::http::Method::GET, &format!("/transfers?{query}"));
        acme.send(if odd { call.odd() } else { call }).await
    }

    /// The answer must be those of all transfers that `matching` says, in the list's order.
    async fn check(&self, query: &str, odd: bool, matching: impl Fn(&Value) -> bool) {
        let body = self.ask(query, odd).await.expect(200);
        let expected: Vec<&Value> = self.all.iter().filter(|it| matching(it)).collect();
        assert_eq!(body["transfer"], json!(expected), "{query}");
        assert_eq!(body["count"], expected.len(), "{query}");
        assert_eq!(body["responseCount"], expected.len(), "{query}");
    }
}

fn created(transfer: &Value) -> i64 {
    transfer["creationTimestamp"].as_i64().expect("an integer")
}

fn executed(transfer: &Value) -> Option<i64> {
    let text = transfer["executionTimestamp"].as_str()?;
    Some(text.parse().expect("milliseconds"))
}

fn number(transfer: &Value) -> u64 {
    id(transfer).parse().expect("a number")
}

#[tokio::test]
async fn the_newest_come_first_and_of_one_time_those_with_the_higher_id() {
    let eventful = Eventful::new().await;
    let keys: Vec<(i64, u64)> = eventful
        .all
        .iter()
        .map(|transfer| (created(transfer), number(transfer)))
        .collect();
    assert!(keys.is_sorted_by(|a, b| a > b), "{keys:?}");
    let times: BTreeSet<i64> = keys.iter().map(|(at, _)| *at).collect();
    assert!(times.len() > 1 && times.len() < keys.len(), "{keys:?}");
    let states: BTreeSet<&str> = eventful
        .all
        .iter()
        .map(|transfer| transfer["state"].as_str().expect("a state"))
        .collect();
    let expected = BTreeSet::from(["COMPLETED", "SCHEDULED", "CANCELLED", "FAILED"]);
    assert_eq!(states, expected);
}

#[tokio::test]
async fn by_profile_and_tag() {
    let eventful = Eventful::new().await;
    let profiles = &eventful.world.profiles;
    for profile in [&profiles.free, &profiles.paid, &profiles.corporate] {
        let query = format!("profileId={profile}");
        eventful
            .check(&query, false, |it| it["profileId"] == **profile)
            .await;
    }
    for nobody in ["0", "7", "007", "99999999999999999999999999"] {
        let query = format!("profileId={nobody}");
        eventful.check(&query, false, |_| false).await;
    }
    // Exactly this tag: no part of it, no other case.
    for tag in [
        "rent", "Rent", "rent-2", "ren", "rent*", "RENT", "%25", "", "%20",
    ] {
        let query = format!("tag={tag}");
        eventful.check(&query, false, |it| it["tag"] == tag).await;
    }
}

/// Every way to write an object in a query; the first is the one that is documented.
fn object(instrument: &Instrument) -> [String; 5] {
    let Instrument { class, id } = instrument;
    [
        format!("id={id}&type={class}"),
        format!("instrumentId[id]={id}&instrumentId[type]={class}"),
        format!("instrumentId%5Bid%5D={id}&instrumentId%5Btype%5D={class}"),
        format!("instrumentId.id={id}&instrumentId.type={class}"),
        format!("instrumentId=%7B%22id%22:%22{id}%22,%22type%22:%22{class}%22%7D"),
    ]
}

#[tokio::test]
async fn by_source_in_every_encoding() {
    let eventful = Eventful::new().await;
    let acme = &eventful.world.acme;
    for source in [&acme.main, &acme.reserve, &acme.card, &acme.travel] {
        for (index, query) in object(source).into_iter().enumerate() {
            eventful
                .check(&query, index > 0, |it| it["source"] == source.json())
                .await;
        }
    }
    // A card that is called an account, another's account, and one that nobody has.
    let mistaken = Instrument::account(&*acme.card.id);
    let hers = &eventful.world.jane.main;
    for source in [&mistaken, hers, &Instrument::account("1")] {
        for (index, query) in object(source).into_iter().enumerate() {
            eventful.check(&query, index > 0, |_| false).await;
        }
    }
}

#[tokio::test]
async fn by_state_in_every_encoding() {
    let eventful = Eventful::new().await;
    let every = [
        "INITIALISED",
        "COMPLETED",
        "REJECTED",
        "FAILED",
        "PENDING",
        "SCHEDULED",
        "CANCELLED",
    ];
    for one in every {
        for (query, odd) in [
            (format!("state={one}"), false),
            (format!("state[]={one}"), true),
            (format!("state%5B0%5D={one}"), true),
            (format!("state={one}&state={one}"), true),
        ] {
            eventful.check(&query, odd, |it| it["state"] == one).await;
        }
    }
    for (one, two) in [
        ("COMPLETED", "FAILED"),
        ("CANCELLED", "PENDING"),
        ("SCHEDULED", "FAILED"),
    ] {
        for (query, odd) in [
            (format!("state={one}&state={two}"), false),
            (format!("state[]={one}&state[]={two}"), true),
            (format!("state[0]={two}&state[1]={one}"), true),
            (format!("state={one},{two}"), true),
            (format!("state={two}%2C{one}"), true),
        ] {
            let is_one = |it: &Value| it["state"] == one || it["state"] == two;
            eventful.check(&query, odd, is_one).await;
        }
    }
    let all: Vec<String> = every.iter().map(|state| format!("state={state}")).collect();
    eventful.check(&all.join("&"), false, |_| true).await;
}

#[tokio::test]
async fn by_times_with_both_ends_included() {
    let eventful = Eventful::new().await;
    let created_at: BTreeSet<i64> = eventful.all.iter().map(created).collect();
    let executed_at: BTreeSet<i64> = eventful.all.iter().filter_map(executed).collect();
    let around = |times: &BTreeSet<i64>| -> BTreeSet<i64> {
        times.iter().flat_map(|at| [at - 1, *at, at + 1]).collect()
    };
    let extremes = [i64::MIN, -1, 0, i64::MAX];
    for at in around(&created_at).into_iter().chain(extremes) {
        eventful
            .check(&format!("createdFrom={at}"), false, |it| created(it) >= at)
            .await;
        eventful
            .check(&format!("createdTo={at}"), false, |it| created(it) <= at)
            .await;
    }
    for at in around(&executed_at).into_iter().chain(extremes) {
        let is = |matches: fn(i64, i64) -> bool| {
            move |it: &Value| executed(it).is_some_and(|executed| matches(executed, at))
        };
        eventful
            .check(&format!("executedFrom={at}"), false, is(|it, at| it >= at))
            .await;
        eventful
            .check(&format!("executedTo={at}"), false, is(|it, at| it <= at))
            .await;
    }
    // Windows, one of them the wrong way round.
    let (first, last) = (
        created_at.first().expect("some"),
        created_at.last().expect("some"),
    );
    let window = |from: i64, to: i64| format!("createdFrom={from}&createdTo={to}");
    eventful
        .check(&window(*first, *first), false, |it| created(it) == *first)
        .await;
    eventful
        .check(&window(first + 1, last - 1), false, |it| {
            (first + 1..last - 1).contains(&created(it))
        })
        .await;
    eventful
        .check(&window(*last, *first), false, |_| false)
        .await;
}

#[tokio::test]
async fn by_everything_at_once_and_by_nothing_known() {
    let eventful = Eventful::new().await;
    let (acme, profiles) = (&eventful.world.acme, &eventful.world.profiles);
    for transfer in &eventful.all {
        let (source, state) = (&transfer["source"], &transfer["state"]);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let mut query = format!(
            "offset=0&limit=100&profileId={}&id={}&type={}&state={}&createdFrom={at}&createdTo={at}",
            text(&transfer["profileId"]),
            text(&source["id"]),
            text(&source["type"]),
            text(state),
            at = created(transfer),
        );
        if let Some(at) = executed(transfer) {
            query.push_str(&format!("&executedFrom={at}&executedTo={at}"));
        }
        if let Some(tag) = transfer["tag"].as_str() {
            query.push_str(&format!("&tag={tag}"));
        }
        let same = |it: &Value| {
            ["profileId", "source", "state", "creationTimestamp"]
                .iter()
                .all(|member| it[member] == transfer[member])
                && (executed(transfer).is_none() || executed(it) == executed(transfer))
                && (transfer["tag"].is_null() || it["tag"] == transfer["tag"])
        };
        eventful.check(&query, false, same).await;
    }
    // What the official demo sends.
    let query = format!(
        "offset=0&limit=10&instrumentId=%7B%22id%22:%22{}%22,%22type%22:%22managed_accounts%22%7D\
         &state[]=COMPLETED&state[]=SCHEDULED&createdFrom=1",
        acme.main.id
    );
    let expected = |it: &Value| {
        it["source"] == acme.main.json()
            && ["COMPLETED", "SCHEDULED"].iter().any(|s| it["state"] == *s)
    };
    eventful.check(&query, true, expected).await;
    // Parameters that nobody knows are passed over.
    let query = format!("profileId={}&sort=asc&state.x=1&_=5", profiles.free);
    let free = |it: &Value| it["profileId"] == *profiles.free;
    eventful.check(&query, true, free).await;
    eventful.check("", false, |_| true).await;
}

#[tokio::test]
async fn pages_hold_each_transfer_once_and_count_all_of_them() {
    let eventful = Eventful::new().await;
    let all = &eventful.all;
    for limit in [1, 2, 3, 4, 8, 9, 10, 100] {
        let mut found = Vec::new();
        for offset in (0..=all.len() + limit).step_by(limit) {
            let query = format!("offset={offset}&limit={limit}");
            let page = eventful.ask(&query, false).await.expect(200);
            let transfers = page["transfer"].as_array().expect("a list");
            let expected = all.len().saturating_sub(offset).min(limit);
            assert_eq!(transfers.len(), expected, "{query}");
            assert_eq!(page["responseCount"], expected, "{query}");
            assert_eq!(page["count"], all.len(), "{query}");
            found.extend(transfers.iter().cloned());
        }
        assert_eq!(&found, all, "limit {limit}");
    }
    // A page within a filter counts what matches it.
    let done: Vec<&Value> = all.iter().filter(|it| it["state"] == "COMPLETED").collect();
    let page = eventful
        .ask("state=COMPLETED&offset=1&limit=2", false)
        .await;
    let page = page.expect(200);
    assert_eq!(page["transfer"], json!(done[1..3]));
    assert_eq!(page["count"], done.len());
    // The last offset there is.
    let page = eventful.ask("offset=2147483647", false).await.expect(200);
    assert_eq!(
        page,
        json!({"transfer": [], "count": all.len(), "responseCount": 0})
    );
}

#[tokio::test]
async fn a_page_has_a_hundred_at_most_however_many_are_asked_for() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let mut made = Vec::new();
    for minor in 1..=103 {
        made.insert(0, world.moved(&acme.main, &acme.reserve, minor).await);
    }
    for (query, odd) in [
        ("", false),
        ("?limit=100", false),
        ("?limit=101", true),
        ("?limit=2147483648", true),
        ("?limit=99999999999999999999999", true),
    ] {
        let client = world.acme();
        let call = client.call(axum::http::Method::GET, &format!("/transfers{query}"));
        let call = if odd { call.odd() } else { call };
        let page = client.send(call).await.expect(200);
        assert_eq!(page["transfer"], json!(made[..100]), "{query}");
        assert_eq!(page["responseCount"], 100, "{query}");
        assert_eq!(page["count"], 103, "{query}");
    }
    let rest = world.acme().get("/transfers?offset=100").await.expect(200);
    assert_eq!(rest["transfer"], json!(made[100..]));
}
