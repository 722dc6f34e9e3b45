use super::*;
use crate::multi::rules::{CURRENCY, FRIENDLY_NAME, ID, TAG, WANTED};

/// Each fault as `field RULE params`, in order.
fn told<T>(result: Result<T, Vec<InvalidField>>) -> Vec<String> {
    let faults = result.err().unwrap_or_default();
    let tell = |fault: &InvalidField| {
        let (field, rule, params) = fault.parts();
        let rule = serde_json::to_value(rule).expect("a name");
        let rule = rule.as_str().expect("a text");
        [
            &[field, rule],
            &*params.iter().map(String::as_str).collect::<Vec<_>>(),
        ]
        .concat()
        .join(" ")
    };
    faults.iter().map(tell).collect()
}

#[track_caller]
fn check<T>(body: &str, read: impl FnOnce(&mut Fields<'_>) -> T, expected: &[&str]) {
    assert_eq!(
        told(parse(body.as_bytes(), false, read)),
        expected,
        "{body}"
    );
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    One,
    Other,
}
const KINDS: &Choices<Kind> = &[("one", Kind::One), ("other", Kind::Other)];

#[test]
fn a_body_is_one_strict_object() {
    let nothing = |_: &mut Fields<'_>| {};
    check("{}", nothing, &[]);
    check("", nothing, &["body REQUIRED"]);
    let deep = format!(r#"{{"a":{}"#, "[".repeat(200));
    for body in [
        "null",
        "[]",
        "1",
        "\"text\"",
        "{",
        "{} x",
        " ",
        r#"{"a":1,"a":2}"#,
        r#"{"a":{"b":[{"c":1,"c":1}]}}"#,
        r#"{"a":1e400}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\udc00\ud800"}"#,
        &deep,
    ] {
        check(body, nothing, &["body REGEX"]);
    }
    let broken = parse(b"{\"a\":\"\xff\"}", false, nothing);
    assert_eq!(told(broken), ["body REGEX"]);
}

#[test]
fn texts() {
    let tag = |fields: &mut Fields<'_>| fields.text("tag", &TAG);
    let long = |length| format!(r#"{{"tag":"{}"}}"#, "a".repeat(length));
    check(r#"{"tag":"a"}"#, tag, &[]);
    check(&long(50), tag, &[]);
    check(&long(51), tag, &["tag SIZE 0 50"]);
    check(r#"{"tag":""}"#, tag, &["tag REGEX"]);
    check(r#"{"tag":"a b"}"#, tag, &["tag REGEX"]);
    check(r#"{"tag":"a\u0000"}"#, tag, &["tag REGEX"]);
    check("{}", tag, &["tag REQUIRED"]);
    check(r#"{"tag":null}"#, tag, &["tag REQUIRED"]);
    for wrong in ["1", "true", "[]", "{}", r#"["a"]"#] {
        check(&format!(r#"{{"tag":{wrong}}}"#), tag, &["tag REGEX"]);
    }
    let two = format!(r#"{{"tag":"{}!"}}"#, "a".repeat(50));
    check(&two, tag, &["tag SIZE 0 50", "tag REGEX"]);
}

#[test]
fn texts_without_a_pattern() {
    let name = |fields: &mut Fields<'_>| fields.text("name", &FRIENDLY_NAME);
    let of = |text: &str| format!(r#"{{"name":"{text}"}}"#);
    check(&of("é"), name, &[]);
    check(&of(&"é".repeat(50)), name, &[]);
    check(&of(""), name, &["name SIZE 1 50"]);
    check(&of(&"é".repeat(51)), name, &["name SIZE 1 50"]);
    check(&of("  "), name, &["name HAS_TEXT"]);
    check(&of(" a"), name, &[]);
    check(&of("a\\u0000"), name, &["name REGEX"]);
    let any = |fields: &mut Fields<'_>| fields.text("name", &WANTED);
    check(&of(""), any, &[]);
    check(&of("\\u0000"), any, &["name REGEX"]);
}

#[test]
fn currencies() {
    let currency = |fields: &mut Fields<'_>| fields.text("currency", &CURRENCY);
    let of = |text: &str| format!(r#"{{"currency":"{text}"}}"#);
    check(&of("EUR"), currency, &[]);
    check(&of("XYZ"), currency, &[]);
    check(&of("EU"), currency, &["currency SIZE 3 3"]);
    check(&of("EURO"), currency, &["currency SIZE 3 3"]);
    check(&of("eur"), currency, &["currency REGEX"]);
    check(&of("e"), currency, &["currency SIZE 3 3", "currency REGEX"]);
}

#[test]
fn ids() {
    let read = |body: &str| parse(body.as_bytes(), false, |fields| fields.id("id", &ID));
    assert_eq!(read(r#"{"id":"18446744073709551615"}"#), Ok(u64::MAX));
    // Well-formed ids that nobody has.
    assert_eq!(read(r#"{"id":"18446744073709551616"}"#), Ok(0));
    assert_eq!(read(r#"{"id":"0012"}"#), Ok(0));
    for body in [
        r#"{"id":""}"#,
        r#"{"id":"1x"}"#,
        r#"{"id":12}"#,
        r#"{"id":"-1"}"#,
    ] {
        assert_eq!(told(read(body)), ["id REGEX"], "{body}");
    }
    assert_eq!(told(read("{}")), ["id REQUIRED"]);
    let optional = parse(b"{}", false, |fields| fields.optional_id("id", &ID));
    assert_eq!(optional, Ok(None));
}

#[test]
fn timestamps() {
    let read = |body: &str| {
        let body = format!(r#"{{"at":{body}}}"#);
        parse(body.as_bytes(), false, |fields| {
            fields.optional_timestamp("at")
        })
    };
    assert_eq!(read("\"0\""), Ok(Some(0)));
    assert_eq!(read("\"9223372036854775807\""), Ok(Some(i64::MAX)));
    assert_eq!(read("null"), Ok(None));
    assert_eq!(read("\"9223372036854775808\""), Ok(Some(i64::MAX)));
    for wrong in [
        "\"\"",
        "\"-1\"",
        "\"1.5\"",
        "1800000000000",
        "\"2027-01-01\"",
    ] {
        assert_eq!(told(read(wrong)), ["at REGEX"], "{wrong}");
    }
}

#[test]
fn integers_are_written_as_such() {
    let read = |number: &str, bounds: RangeInclusive<i64>| {
        let body = format!(r#"{{"n":{number}}}"#);
        parse(body.as_bytes(), false, |fields| fields.integer("n", bounds))
    };
    let all = i64::MIN..=i64::MAX;
    assert_eq!(read("-9223372036854775808", all.clone()), Ok(i64::MIN));
    assert_eq!(read("9223372036854775807", all.clone()), Ok(i64::MAX));
    assert_eq!(read("0", all.clone()), Ok(0));
    for wrong in ["100.0", "1e2", "\"100\"", "true", "[]", "{}", "0.5"] {
        assert_eq!(told(read(wrong, all.clone())), ["n REGEX"], "{wrong}");
    }
    for huge in [
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "-99999999999999999999",
    ] {
        let expected = ["n RANGE -9223372036854775808 9223372036854775807"];
        assert_eq!(told(read(huge, all.clone())), expected, "{huge}");
    }
    assert_eq!(read("1", 1..=10), Ok(1));
    assert_eq!(read("10", 1..=10), Ok(10));
    assert_eq!(told(read("0", 1..=10)), ["n RANGE 1 10"]);
    assert_eq!(told(read("11", 1..=10)), ["n RANGE 1 10"]);
    assert_eq!(told(read("null", 1..=10)), ["n REQUIRED"]);
}

#[test]
fn choices_and_flags() {
    let kind = |fields: &mut Fields<'_>| fields.choice("kind", KINDS);
    let read = parse(br#"{"kind":"other"}"#, false, kind);
    assert_eq!(read, Ok(Kind::Other));
    check(r#"{"kind":"OTHER"}"#, kind, &["kind NOT_IN"]);
    check(r#"{"kind":""}"#, kind, &["kind NOT_IN"]);
    check(r#"{"kind":1}"#, kind, &["kind REGEX"]);
    check("{}", kind, &["kind REQUIRED"]);
    let flag = |fields: &mut Fields<'_>| fields.optional_flag("on");
    assert_eq!(parse(br#"{"on":true}"#, false, flag), Ok(Some(true)));
    check(r#"{"on":"true"}"#, flag, &["on REGEX"]);
    check(r#"{"on":1}"#, flag, &["on REGEX"]);
    check("{}", flag, &[]);
}

#[test]
fn nested_faults_are_named_by_their_path() {
    let read = |fields: &mut Fields<'_>| {
        fields.object("source", |fields| {
            fields.id("id", &ID);
            fields.choice("kind", KINDS);
        });
        fields.objects("items", 1..=3, |fields| {
            fields.object("inner", |fields| fields.id("id", &ID))
        })
    };
    check(
        r#"{"source":{"id":"x"},"items":[{"inner":{"id":"1"}},{"inner":{}},{}]}"#,
        read,
        &[
            "source.id REGEX",
            "source.kind REQUIRED",
            "items[1].inner.id REQUIRED",
            "items[2].inner REQUIRED",
        ],
    );
    check("{}", read, &["source REQUIRED", "items REQUIRED"]);
    check(
        r#"{"source":"x","items":{}}"#,
        read,
        &["source REGEX", "items REGEX"],
    );
    let sized = r#"{"source":{"id":"1","kind":"one"},"items":[]}"#;
    check(sized, read, &["items SIZE 1 3"]);
    let mixed = r#"{"source":{"id":"1","kind":"one"},"items":[1,{"inner":{"id":"1"}},null]}"#;
    check(mixed, read, &["items[0] REGEX", "items[2] REGEX"]);
}

#[test]
fn bare_arrays() {
    let read = |body: &str, strict| {
        parse_array(body.as_bytes(), strict, 1..=2, |fields| {
            fields.id("id", &ID)
        })
    };
    assert_eq!(read(r#"[{"id":"1"},{"id":"2"}]"#, true), Ok(vec![1, 2]));
    assert_eq!(told(read("[]", false)), ["body SIZE 1 2"]);
    assert_eq!(told(read("[{},{},{}]", false)), ["body SIZE 1 2"]);
    assert_eq!(told(read("{}", false)), ["body REGEX"]);
    let items = r#"[{"id":"x"},1]"#;
    assert_eq!(told(read(items, false)), ["[0].id REGEX", "[1] REGEX"]);
}

#[test]
fn unknown_members_count_in_strict_mode_and_with_a_nul() {
    let read = |body: &str, strict| {
        parse(body.as_bytes(), strict, |fields| {
            fields.optional_object("a", |fields| fields.optional_id("id", &ID));
        })
    };
    let body = r#"{"a":{"id":"1","more":1},"z":{"y":[]},"b":null}"#;
    assert_eq!(read(body, false), Ok(()));
    let strict = ["a.more NOT_IN", "b NOT_IN", "z NOT_IN"];
    assert_eq!(told(read(body, true)), strict);
    for body in [
        r#"{"z":"\u0000"}"#,
        r#"{"z":[{"y":"a\u0000b"}]}"#,
        r#"{"z":{"\u0000":1}}"#,
    ] {
        assert_eq!(told(read(body, false)), ["z REGEX"], "{body}");
    }
    assert_eq!(told(read(r#"{"a":{"z":"\u0000"}}"#, false)), ["a.z REGEX"]);
    assert_eq!(told(read(r#"{"\u0000":1}"#, false)), ["\0 REGEX"]);
}

#[test]
fn what_is_known_and_not_looked_at() {
    let read = |body: &str| parse(body.as_bytes(), true, |fields| fields.ignored("old"));
    assert_eq!(read(r#"{"old":[1,{"a":"b"}]}"#), Ok(true));
    assert_eq!(read(r#"{"old":null}"#), Ok(false));
    assert_eq!(read("{}"), Ok(false));
    assert_eq!(told(read(r#"{"old":["\u0000"]}"#)), ["old REGEX"]);
}

#[test]
fn integers_in_texts() {
    let read = |text: &str| {
        let mut faults = Vec::new();
        let number = integer_text("n", text, 0..=100, &mut faults);
        if faults.is_empty() {
            Ok(number)
        } else {
            Err(faults)
        }
    };
    assert_eq!(read("0"), Ok(Some(0)));
    assert_eq!(read("100"), Ok(Some(100)));
    for outside in ["101", "-1", "99999999999999999999"] {
        assert_eq!(told(read(outside)), ["n RANGE 0 100"], "{outside}");
    }
    for wrong in ["", "-", "1.0", "1e2", "+1", " 1", "1 ", "x", "١"] {
        assert_eq!(told(read(wrong)), ["n REGEX"], "{wrong}");
    }
}
