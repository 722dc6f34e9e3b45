//! What connections of the Multi dialect send, and what they expect back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};

use super::world::{CURRENCY, World};
use crate::client::Answer;
use crate::load::{Caller, Script, Scripts};
use crate::random::Random;
use crate::template::Template;

/// Minor units of every transfer.
pub const AMOUNT: i64 = 100;
/// Hex digits of an `idempotency-ref` that count the requests of one connection.
const COUNT_DIGITS: usize = 12;
/// Bytes at the end of a list in which its count stands.
const TAIL: usize = 64;
/// What stands before the id of a transfer, or of the first in a list.
const ID_FIELD: &[u8] = br#""id":""#;

/// Who sends: the head lines that every request has.
#[derive(Clone)]
pub struct Credentials {
    key: String,
    token: String,
}

impl Credentials {
    /// The programme's key and a user's token.
    pub fn new(world: &World, token: &str) -> Credentials {
        Credentials {
            key: world.key.clone(),
            token: token.to_owned(),
        }
    }

    /// A head without its last line end.
    fn head(&self, caller: Caller, line: &str) -> String {
        let (address, key, token) = (caller.address, &self.key, &self.token);
        format!(
            "{line} HTTP/1.1\r\nHost: {address}\r\napi-key: {key}\r\nAuthorization: Bearer {token}"
        )
    }

    /// A whole request without a body.
    fn get(&self, caller: Caller, path: &str) -> String {
        self.head(caller, &format!("GET {path}")) + "\r\n\r\n"
    }
}

/// Transfers to be made.
pub struct Orders {
    credentials: Credentials,
    profile: String,
    sources: Arc<[String]>,
    /// The same as the sources, or others.
    destinations: Arc<[String]>,
    /// When, in milliseconds since 1970 by the tenant's clock; at once without.
    scheduled_at: Option<i64>,
    with_reference: bool,
    /// How many are still to be sent; without end when `None`.
    left: Option<Arc<AtomicU64>>,
}

impl Orders {
    /// Immediate transfers between all funded accounts of `world`, without end.
    ///
    /// # Errors
    /// When the world's ids have different lengths, or it has fewer than two accounts.
    pub fn new(world: &World, token: &str) -> Result<Orders> {
        let accounts: Arc<[String]> = world.accounts.clone().into();
        ensure!(accounts.len() >= 2, "a transfer needs two accounts");
        let width = accounts[0].len();
        for id in accounts.iter() {
            ensure!(id.len() == width, "the account id {id}");
        }
        Ok(Orders {
            credentials: Credentials::new(world, token),
            profile: world.profiles[0].clone(),
            sources: Arc::clone(&accounts),
            destinations: accounts,
            scheduled_at: None,
            with_reference: true,
            left: None,
        })
    }

    /// Without an `idempotency-ref`.
    pub fn without_reference(self) -> Orders {
        Orders {
            with_reference: false,
            ..self
        }
    }

    /// Only so many, all connections together.
    pub fn at_most(self, count: u64) -> Orders {
        Orders {
            left: Some(Arc::new(AtomicU64::new(count))),
            ..self
        }
    }

    /// From these accounts to those.
    pub fn between(self, sources: &[String], destinations: &[String]) -> Orders {
        Orders {
            sources: sources.into(),
            destinations: destinations.into(),
            ..self
        }
    }

    /// From these accounts to those, at this time.
    pub fn scheduled(self, sources: &[String], destinations: &[String], at: i64) -> Orders {
        Orders {
            scheduled_at: Some(at),
            ..self.between(sources, destinations)
        }
    }

    /// A script for each connection.
    pub fn scripts(self) -> Box<Scripts<'static>> {
        Box::new(move |caller| {
            Box::new(Transfers {
                request: self.request(caller),
                with_reference: self.with_reference,
                sources: Arc::clone(&self.sources),
                destinations: Arc::clone(&self.destinations),
                left: self.left.clone(),
                random: Random::new(caller.seed()),
                number: 0,
                state: match self.scheduled_at {
                    Some(_) => br#""state":"SCHEDULED""#,
                    None => br#""state":"COMPLETED""#,
                },
            })
        })
    }

    fn request(&self, caller: Caller) -> Template {
        let Caller { run, index, .. } = caller;
        let mut head = self.credentials.head(caller, "POST /multi/transfers");
        head += "\r\nContent-Type: application/json";
        let mut request = Template::new(&head);
        if self.with_reference {
            let reference = format!("\r\nidempotency-ref: {run:08x}-{index:04x}-4000-8000-");
            request = request.text(&reference).place("count", COUNT_DIGITS);
        }
        let scheduled = self
            .scheduled_at
            .map_or_else(String::new, |at| format!(r#","scheduledTimestamp":"{at}""#));
        let between = r#"","type":"managed_accounts"},"destination":{"id":""#;
        let end = format!(
            r#"","type":"managed_accounts"}},"destinationAmount":{{"currency":"{CURRENCY}","amount":{AMOUNT}}}{scheduled}}}"#
        );
        let body = Template::new(&format!(
            r#"{{"profileId":"{}","source":{{"id":""#,
            self.profile
        ))
        .place("source", self.sources[0].len())
        .text(between)
        .place("destination", self.destinations[0].len())
        .text(&end);
        request.body(body)
    }
}

/// One connection that makes transfers.
struct Transfers {
    request: Template,
    with_reference: bool,
    sources: Arc<[String]>,
    destinations: Arc<[String]>,
    left: Option<Arc<AtomicU64>>,
    random: Random,
    number: u64,
    state: &'static [u8],
}

impl Script for Transfers {
    fn next(&mut self) -> Option<&[u8]> {
        if let Some(left) = &self.left {
            let take = |left: u64| left.checked_sub(1);
            let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
            taken.ok()?;
        }
        if self.with_reference {
            self.request.set_hex("count", self.number);
        }
        self.number += 1;
        let (source, destination) = if Arc::ptr_eq(&self.sources, &self.destinations) {
            self.random.two_of(self.sources.len())
        } else {
            let below = |random: &mut Random, count: usize| random.below(count as u64) as usize;
            let source = below(&mut self.random, self.sources.len());
            (source, below(&mut self.random, self.destinations.len()))
        };
        let source = self.sources[source].as_bytes();
        self.request.set("source", source);
        let destination = self.destinations[destination].as_bytes();
        self.request.set("destination", destination);
        Some(self.request.bytes())
    }

    fn read(&mut self, answer: &Answer<'_>) -> Result<Option<u64>, String> {
        let id = answer.number_after(ID_FIELD);
        let is_good = answer.status == 200 && answer.after(self.state).is_some();
        id.filter(|_| is_good)
            .map(Some)
            .ok_or_else(|| answer.text())
    }
}

/// A script for each connection: single transfers, drawn from `ids`.
///
/// # Errors
/// When the ids have different lengths, or there are none.
pub fn gets(credentials: Credentials, ids: &[u64]) -> Result<Box<Scripts<'static>>> {
    let ids: Arc<[String]> = ids.iter().map(u64::to_string).collect();
    let width = ids.first().map_or(0, String::len);
    ensure!(width > 0, "there is nothing to read");
    ensure!(ids.iter().all(|id| id.len() == width), "ids of two lengths");
    Ok(Box::new(move |caller| {
        let end = credentials.get(caller, "/multi/transfers/");
        let (line, rest) = end.split_at("GET /multi/transfers/".len());
        Box::new(Gets {
            request: Template::new(line).place("id", width).text(rest),
            ids: Arc::clone(&ids),
            random: Random::new(caller.seed()),
            asked: 0,
        })
    }))
}

/// One connection that reads single transfers.
struct Gets {
    request: Template,
    ids: Arc<[String]>,
    random: Random,
    asked: usize,
}

impl Script for Gets {
    fn next(&mut self) -> Option<&[u8]> {
        self.asked = self.random.below(self.ids.len() as u64) as usize;
        self.request.set("id", self.ids[self.asked].as_bytes());
        Some(self.request.bytes())
    }

    fn read(&mut self, answer: &Answer<'_>) -> Result<Option<u64>, String> {
        let id = self.ids[self.asked].as_bytes();
        let found = answer.after(ID_FIELD);
        if answer.status == 200 && found.is_some_and(|rest| rest.starts_with(id)) {
            Ok(None)
        } else {
            Err(answer.text())
        }
    }
}

/// A list that is asked for, and what must come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The query string.
    pub query: String,
    /// How many transfers match.
    pub count: u64,
    /// The newest of them.
    pub first: Option<u64>,
}

impl Wanted {
    fn path(&self) -> String {
        match &*self.query {
            "" => "/multi/transfers".to_owned(),
            query => format!("/multi/transfers?{query}"),
        }
    }
}

/// A script for each connection: first pages, drawn from `wanted`.
pub fn lists(credentials: Credentials, wanted: &[Wanted]) -> Box<Scripts<'static>> {
    let wanted: Arc<[Wanted]> = wanted.into();
    Box::new(move |caller| {
        let requests = wanted
            .iter()
            .map(|wanted| credentials.get(caller, &wanted.path()));
        Box::new(Lists {
            requests: requests.collect(),
            wanted: Arc::clone(&wanted),
            random: Random::new(caller.seed()),
            asked: 0,
        })
    })
}

/// One connection that reads first pages.
struct Lists {
    requests: Vec<String>,
    wanted: Arc<[Wanted]>,
    random: Random,
    asked: usize,
}

impl Script for Lists {
    fn next(&mut self) -> Option<&[u8]> {
        self.asked = self.random.below(self.requests.len() as u64) as usize;
        Some(self.requests[self.asked].as_bytes())
    }

    fn read(&mut self, answer: &Answer<'_>) -> Result<Option<u64>, String> {
        let Wanted {
            query,
            count,
            first,
        } = &self.wanted[self.asked];
        if answer.status != 200 {
            return Err(answer.text());
        }
        // The count stands at the end; a page is long, and this process shares the processors.
        let (_, body) = answer.body.split_at(answer.body.len().saturating_sub(TAIL));
        let end = Answer { body, ..*answer };
        let found = (
            end.number_after(br#""count":"#),
            answer.number_after(ID_FIELD),
        );
        if found == (Some(*count), *first) {
            Ok(None)
        } else {
            Err(format!(
                "?{query}: count and first id are {found:?}, not {count} and {first:?}"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Caller = Caller {
        address: std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 80),
        run: 7,
        index: 300,
    };

    fn sent(script: &mut dyn Script) -> (Vec<String>, String) {
        let request = String::from_utf8_lossy(script.next().expect("a request")).into_owned();
        let (head, body) = request.split_once("\r\n\r\n").expect("a head and a body");
        let head = head.split("\r\n").map(str::to_owned).collect();
        (head, body.to_owned())
    }

    fn read(script: &mut dyn Script, status: u16, body: &str) -> Result<Option<u64>, String> {
        let body = body.as_bytes();
        script.read(&Answer { status, body })
    }

    #[test]
    fn a_transfer_is_written_and_read() {
        let world = World::imagined(2);
        let orders = Orders::new(&world, "tok").expect("two accounts");
        let mut script = orders.at_most(2).scripts()(HERE);
        for count in ["000000000000", "000000000001"] {
            let (head, body) = sent(&mut *script);
            assert_eq!(head[0], "POST /multi/transfers HTTP/1.1");
            for line in [
                format!("api-key: {}", world.key),
                "Authorization: Bearer tok".to_owned(),
                format!("idempotency-ref: 00000007-012c-4000-8000-{count}"),
                format!("Content-Length: {}", body.len()),
            ] {
                assert!(head.contains(&line), "{line}: {head:?}");
            }
            let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            assert_eq!(body["profileId"], *world.profiles[0]);
            let ends = [&body["source"], &body["destination"]].map(|end| {
                assert_eq!(end["type"], "managed_accounts");
                end["id"].as_str().expect("an id").to_owned()
            });
            assert!(ends.iter().all(|id| world.accounts.contains(id)));
            assert_ne!(ends[0], ends[1]);
            assert_eq!(body["destinationAmount"]["amount"], AMOUNT);
            assert_eq!(body.get("scheduledTimestamp"), None);
        }
        assert_eq!(script.next(), None);
        let made = r#"{"id":"25","source":{"id":"1"},"state":"COMPLETED","creationTimestamp":1}"#;
        assert_eq!(read(&mut *script, 200, made), Ok(Some(25)));
        assert!(read(&mut *script, 409, made).is_err());
        let failed = made.replace("COMPLETED", "FAILED");
        assert!(read(&mut *script, 200, &failed).is_err());
    }

    #[test]
    fn a_scheduled_transfer_goes_from_one_half_to_the_other() {
        let world = World::imagined(4);
        let orders = Orders::new(&world, "tok").expect("accounts");
        let (sources, destinations) = world.accounts.split_at(2);
        let orders = orders.without_reference();
        let mut script = orders.scheduled(sources, destinations, 99).scripts()(HERE);
        let (head, body) = sent(&mut *script);
        let has_reference = |line: &String| line.starts_with("idempotency-ref");
        assert!(!head.iter().any(has_reference));
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(body["scheduledTimestamp"], "99");
        for (end, half) in [("source", sources), ("destination", destinations)] {
            let id = body[end]["id"].as_str().expect("an id");
            assert!(half.iter().any(|known| known == id), "{end} {id}");
        }
    }

    #[test]
    fn the_transfer_that_was_asked_for_must_come() {
        let credentials = Credentials::new(&World::imagined(2), "tok");
        let mut script = gets(credentials, &[17]).expect("an id")(HERE);
        let (head, body) = sent(&mut *script);
        assert_eq!(head[0], "GET /multi/transfers/17 HTTP/1.1");
        assert_eq!(body, "");
        assert_eq!(
            read(&mut *script, 200, r#"{"id":"17","tag":"t"}"#),
            Ok(None)
        );
        assert!(read(&mut *script, 200, r#"{"id":"18","tag":"t"}"#).is_err());
        assert!(read(&mut *script, 404, r#"{"id":"17","tag":"t"}"#).is_err());
    }

    #[test]
    fn the_count_and_the_newest_must_be_right() {
        let wanted = |query: &str, count, first| Wanted {
            query: query.to_owned(),
            count,
            first,
        };
        let check = |wanted: &Wanted, body: &str| {
            let credentials = Credentials::new(&World::imagined(2), "tok");
            let mut script = lists(credentials, std::slice::from_ref(wanted))(HERE);
            let (head, _) = sent(&mut *script);
            let line = format!("GET {} HTTP/1.1", wanted.path());
            assert_eq!(head[0], line);
            read(&mut *script, 200, body)
        };
        let page = r#"{"transfer":[{"id":"7","source":{"id":"1"}}],"count":3,"responseCount":1}"#;
        assert_eq!(check(&wanted("tag=t", 3, Some(7)), page), Ok(None));
        assert!(check(&wanted("tag=t", 4, Some(7)), page).is_err());
        assert!(check(&wanted("tag=t", 3, Some(8)), page).is_err());
        let none = r#"{"transfer":[],"count":0,"responseCount":0}"#;
        assert_eq!(check(&wanted("", 0, None), none), Ok(None));
    }
}
