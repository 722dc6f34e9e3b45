use super::*;
use crate::multi::invalid::message;
use crate::multi::rules::{ID, TAG};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    A,
    B,
}
const STATES: &Choices<State> = &[("A", State::A), ("B", State::B)];

/// Reads one thing from a query string: what it is, or the faults as one sentence.
fn read<T>(query: &str, take: impl FnOnce(&mut Query) -> T) -> Result<T, String> {
    let mut query = Query::parse(Some(query));
    let value = take(&mut query);
    query.finish().map_err(|faults| message(&faults))?;
    Ok(value)
}

#[test]
fn lists_in_every_encoding() {
    let states = |query: &str| read(query, |query| query.choices("state", STATES));
    for query in [
        "state=A&state=B",
        "state[]=A&state[]=B",
        "state%5B%5D=A&state%5B%5D=B",
        "state[0]=A&state[1]=B",
        "state=A,B",
        "state=A%2CB",
        "state[]=A,B",
        "state=A&state=B&state=A",
    ] {
        assert_eq!(states(query), Ok(vec![State::A, State::B]), "{query}");
    }
    assert_eq!(states("state=B"), Ok(vec![State::B]));
    assert_eq!(states("other=A&statement=A"), Ok(vec![]));
    assert_eq!(states(""), Ok(vec![]));
    for query in [
        "state=C",
        "state=A,C",
        "state=",
        "state[]=a",
        "state=A,",
        "state=C,D",
    ] {
        let wrong = "state must be one of A, B".to_owned();
        assert_eq!(states(query), Err(wrong), "{query}");
    }
}

#[test]
fn members_of_a_lists_owner() {
    let reasons = |query: &str| read(query, |query| query.choices("state.reason", STATES));
    for query in [
        "state.reason=A&state.reason=B",
        "state.reason[]=A&state.reason[]=B",
        "state.reason=A,B",
        "state[reason]=A&state[reason]=B",
        "state[reason][]=A&state[reason][]=B",
    ] {
        assert_eq!(reasons(query), Ok(vec![State::A, State::B]), "{query}");
    }
    assert_eq!(reasons("state=A&state[]=A&reason=A"), Ok(vec![]));
    let owner = read("state.reason=X&state[reason]=X", |query| {
        query.choices("state", STATES)
    });
    assert_eq!(owner, Ok(vec![]));
}

#[test]
fn objects_in_every_encoding() {
    let object = |query: &str| {
        read(query, |query| {
            query.object("instrumentId", &["id", "type"], |fields| {
                (fields.id("id", &ID), Some(fields.choice("type", STATES)))
            })
        })
    };
    let found = Ok(Some((1, Some(State::B))));
    for query in [
        "id=1&type=B",
        "instrumentId[id]=1&instrumentId[type]=B",
        "instrumentId%5Bid%5D=1&instrumentId%5Btype%5D=B",
        "instrumentId.id=1&instrumentId.type=B",
        "instrumentId=%7B%22id%22%3A%221%22%2C%22type%22%3A%22B%22%7D",
        r#"instrumentId={"id":"1","type":"B"}"#,
        "limit=1&instrumentId.type=B&instrumentId.id=1&tag=x",
    ] {
        assert_eq!(object(query), found, "{query}");
    }
    assert_eq!(object(""), Ok(None));
    assert_eq!(object("limit=10&state=A"), Ok(None));
    for (query, wrong) in [
        ("id=1", "instrumentId.type is required"),
        ("instrumentId[type]=B", "instrumentId.id is required"),
        (
            "instrumentId.id=x&instrumentId.type=B",
            "instrumentId.id does not match ^[0-9]+$",
        ),
        ("id=1&type=C", "instrumentId.type must be one of A, B"),
        ("id=1&id=2&type=B", "instrumentId.id must be given once"),
        ("instrumentId=1", "instrumentId must be an object"),
        ("instrumentId=", "instrumentId must be an object"),
        (
            r#"instrumentId={"id":1,"type":"B"}"#,
            "instrumentId.id must be a string",
        ),
        (
            r#"instrumentId={"id":"1","type":"B"}&instrumentId.id=1"#,
            "instrumentId must be given once",
        ),
    ] {
        assert_eq!(object(query), Err(wrong.to_owned()), "{query}");
    }
}

#[test]
fn paging() {
    let page = |query: &str| read(query, |query| (query.offset(), query.limit()));
    assert_eq!(page(""), Ok((0, 100)));
    assert_eq!(page("offset=0&limit=1"), Ok((0, 1)));
    assert_eq!(
        page("offset=2147483647&limit=100"),
        Ok((2_147_483_647, 100))
    );
    assert_eq!(page("limit=101"), Ok((0, 100)));
    assert_eq!(page("limit=99999999999999999999999"), Ok((0, 100)));
    for (query, wrong) in [
        ("limit=0", "limit must be from 1 to 100"),
        ("limit=-1", "limit must be from 1 to 100"),
        ("limit=-99999999999999999999", "limit must be from 1 to 100"),
        ("limit=", "limit must be an integer"),
        ("limit=1.0", "limit must be an integer"),
        ("limit=ten", "limit must be an integer"),
        ("limit=1&limit=2", "limit must be given once"),
        ("offset=-1", "offset must be from 0 to 2147483647"),
        ("offset=2147483648", "offset must be from 0 to 2147483647"),
        ("offset=x", "offset must be an integer"),
        (
            "offset=-1&limit=0",
            "offset must be from 0 to 2147483647; limit must be from 1 to 100",
        ),
    ] {
        assert_eq!(page(query), Err(wrong.to_owned()), "{query}");
    }
    let statement = |query: &str| read(query, |query| query.capped("statementLimit", 500));
    assert_eq!(statement("statementLimit=501"), Ok(500));
    assert_eq!(statement("statementLimit=499"), Ok(499));
}

#[test]
fn single_values() {
    let tag = |query: &str| read(query, |query| query.text("tag", &TAG));
    assert_eq!(tag("tag=a-b"), Ok(Some("a-b".to_owned())));
    assert_eq!(tag("tag=a&tag=a"), Err("tag must be given once".to_owned()));
    assert!(tag("tag=a%00").is_err());
    let at = |query: &str| read(query, |query| query.millis("at"));
    assert_eq!(at("at=-9223372036854775808"), Ok(Some(i64::MIN)));
    assert!(at("at=9223372036854775808").is_err());
    let flag = |query: &str| read(query, |query| query.flag("on"));
    assert_eq!(flag("on=true"), Ok(Some(true)));
    assert_eq!(
        flag("on=1"),
        Err("on must be one of true, false".to_owned())
    );
    let id = |query: &str| read(query, |query| query.id("id", &ID));
    assert_eq!(id("id=99999999999999999999"), Ok(Some(0)));
    assert!(id("id=-1").is_err());
}
