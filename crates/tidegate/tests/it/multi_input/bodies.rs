//! Bodies: spoilt as a whole and at each of their places.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Ground, Target};
use crate::openapi;
use crate::samples::{Place, places, with_text_at, without};
use crate::schema::{fits, resolve};

#[tokio::test]
async fn bodies_are_one_json_value_of_the_right_kind() {
    let ground = Ground::new().await;
    for target in ground.with_bodies() {
        let text = target.body.to_string();
        let (cut, _) = text.split_at(text.len() - 1);
        let other = match target.body {
            Value::Array(_) => "{}",
            _ => "[]",
        };
        for (what, body) in [
            ("no JSON", b"nope".to_vec()),
            ("half of it", cut.into()),
            ("white space", b" \n".to_vec()),
            ("two values", format!("{text} {text}").into()),
            (
                "a comma too many",
                cut.to_owned()
                    .into_bytes()
                    .into_iter()
                    .chain(*b",}")
                    .collect(),
            ),
            ("no UTF-8", [cut.as_bytes(), b", \"x\": \"\xff\"}"].concat()),
            (
                "a byte order mark",
                [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            ),
            ("a comment", format!("{text} // x").into()),
            ("another kind", other.into()),
            ("a text", b"\"x\"".to_vec()),
            ("a number", b"1".to_vec()),
            ("null", b"null".to_vec()),
            ("NaN", b"NaN".to_vec()),
        ] {
            ground.refuse_body(target, what, body).await;
        }
        let call = target.with_body(&ground, "");
        let required = resolve(openapi::multi(), &target.data["requestBody"]);
        if required["required"] == true {
            ground
                .refuse_field(target, "nothing", call, "body", "REQUIRED")
                .await;
        }
    }
}

/// The text of an object of the body with more in front of its members.
fn with_member(target: &Target, pointer: &str, member: &str) -> Option<String> {
    let object = target.body.pointer(pointer)?;
    let rest = object.is_object().then(|| object.to_string())?;
    let rest = rest.strip_prefix('{')?;
    let comma = if rest == "}" { "" } else { "," };
    Some(match pointer {
        "" => format!("{{{member}{comma}{rest}"),
        _ => with_text_at(&target.body, pointer, &format!("{{{member}{comma}{rest}")),
    })
}

/// The pointers of every object in the body.
fn objects(target: &Target) -> Vec<String> {
    let whole = target.body.is_object().then(String::new);
    let inner = places(&target.body).into_iter();
    let inner = inner.filter(|place| place.value.is_object());
    whole
        .into_iter()
        .chain(inner.map(|place| place.pointer))
        .collect()
}

#[tokio::test]
async fn members_stand_once_and_not_too_deep() {
    let ground = Ground::new().await;
    for target in ground.with_bodies() {
        for pointer in objects(target) {
            let object = target.body.pointer(&pointer).expect("an object of it");
            for name in object.as_object().expect("an object").keys() {
                let member = format!("{}:null", json!(name));
                let text = with_member(target, &pointer, &member).expect("an object");
                ground.refuse_body(target, "a member twice", text).await;
            }
            let twice = r#""no such member":{"x":1,"x":1}"#;
            let text = with_member(target, &pointer, twice).expect("an object");
            ground
                .refuse_body(target, "twice where nobody looks", text)
                .await;
            for depth in [200, 30_000] {
                let (open, close) = ("[".repeat(depth), "]".repeat(depth));
                let deep = format!(r#""no such member":{open}{close}"#);
                let text = with_member(target, &pointer, &deep).expect("an object");
                ground.refuse_body(target, "deep nesting", text).await;
            }
        }
        let open = "{\"a\":".repeat(10_000);
        ground.refuse_body(target, "deep and cut off", open).await;
    }
}

#[tokio::test]
async fn texts_are_whole_and_without_nul() {
    let ground = Ground::new().await;
    for target in ground.with_bodies() {
        for place in places(&target.body) {
            let Some(text) = place.value.as_str() else {
                continue;
            };
            for broken in [r"\ud800", r"\udc00", r"\ud800\u0041", r"\udc00\ud800"] {
                let text = with_text_at(&target.body, &place.pointer, &format!("\"{broken}\""));
                ground.refuse_body(target, "half a character", text).await;
            }
            let raw = with_text_at(&target.body, &place.pointer, &format!("\"{text}\0\""));
            ground.refuse_body(target, "a raw NUL", raw).await;
            let nul = format!("\"{text}\\u0000\"");
            let nul = with_text_at(&target.body, &place.pointer, &nul);
            let call = target.with_body(&ground, nul);
            let rule = match choices(target, &place) {
                true => "NOT_IN",
                false => "REGEX",
            };
            let faults = ground.refuse(target, "a NUL", call, 400).await.faults();
            let named = |it: &&(String, String, Vec<String>)| it.0 == place.field && it.1 == rule;
            assert!(
                faults.iter().any(|it| named(&it)),
                "{}: {faults:?}",
                target.name
            );
        }
        for pointer in objects(target) {
            for (what, member, whole) in [
                (
                    "half a character where nobody looks",
                    r#""x x":"\ud800""#,
                    true,
                ),
                ("half a character as a name", r#""\udfff":1"#, true),
                ("a NUL where nobody looks", r#""x x":["\u0000"]"#, false),
                ("a NUL as a name", r#""x\u0000":1"#, false),
            ] {
                let text = with_member(target, &pointer, member).expect("an object");
                match whole {
                    true => ground.refuse_body(target, what, text).await,
                    false => {
                        let call = target.with_body(&ground, text);
                        ground.refuse(target, what, call, 400).await.faults();
                    }
                }
            }
        }
    }
}

/// Whether the place has a closed set of values.
fn choices(target: &Target, place: &Place<'_>) -> bool {
    target
        .schema_at(place)
        .is_some_and(|schema| schema.get("enum").is_some())
}

#[tokio::test]
async fn values_are_of_their_own_kind() {
    let ground = Ground::new().await;
    for target in ground.with_bodies() {
        for place in places(&target.body) {
            let own = match place.value {
                Value::String(_) => "\"",
                Value::Number(_) => "1",
                Value::Bool(_) => "t",
                Value::Array(_) => "[",
                Value::Object(_) => "{",
                Value::Null => panic!("no sample is null"),
            };
            for other in [r#""1""#, "1", "true", "[1]", r#"{"x":1}"#] {
                if other.starts_with(own) {
                    continue;
                }
                let text = with_text_at(&target.body, &place.pointer, other);
                let call = target.with_body(&ground, text);
                ground
                    .refuse_field(target, other, call, &place.field, "REGEX")
                    .await;
            }
        }
    }
}

#[tokio::test]
async fn integers_are_written_as_such_and_fit_64_bits() {
    let ground = Ground::new().await;
    for target in ground.with_bodies() {
        for place in places(&target.body) {
            if !place.value.is_number() {
                continue;
            }
            for (written, rule) in [
                ("1.0", "REGEX"),
                ("1.5", "REGEX"),
                ("1e2", "REGEX"),
                ("1E-2", "REGEX"),
                ("9223372036854775808", "RANGE"),
                ("-9223372036854775809", "RANGE"),
                ("18446744073709551616", "RANGE"),
                ("99999999999999999999999999999999999999999", "RANGE"),
            ] {
                let text = with_text_at(&target.body, &place.pointer, written);
                let call = target.with_body(&ground, text);
                ground
                    .refuse_field(target, written, call, &place.field, rule)
                    .await;
            }
            for written in ["01", "+1", ".5", "1.", "0x1", "1_000", "- 1", "1e999", "-"] {
                let text = with_text_at(&target.body, &place.pointer, written);
                let call = target.with_body(&ground, text);
                ground.refuse(target, written, call, 400).await.faults();
            }
        }
    }
}

#[tokio::test]
async fn required_members_are_there() {
    let ground = Ground::new().await;
    let document = openapi::multi();
    for target in ground.with_bodies() {
        for place in places(&target.body) {
            let less = without(&target.body, &place.pointer);
            if fits(document, target.schema, &less).is_ok() || place.pointer.ends_with("/0") {
                continue;
            }
            let call = target.with_body(&ground, less.to_string());
            ground
                .refuse_field(target, "missing", call, &place.field, "REQUIRED")
                .await;
            let text = with_text_at(&target.body, &place.pointer, "null");
            let call = target.with_body(&ground, text);
            ground
                .refuse_field(target, "null", call, &place.field, "REQUIRED")
                .await;
        }
    }
}

#[tokio::test]
async fn texts_keep_their_bounds() {
    let ground = Ground::new().await;
    for target in ground.with_bodies() {
        for place in places(&target.body) {
            let Some(schema) = target.schema_at(&place).filter(|_| place.value.is_string()) else {
                continue;
            };
            let field = &place.field;
            let send = |text: &str| {
                let text = json!(text).to_string();
                let text = with_text_at(&target.body, &place.pointer, &text);
                target.with_body(&ground, text)
            };
            if schema.get("enum").is_some() {
                for other in ["no such thing", "", "null"] {
                    let call = send(other);
                    ground
                        .refuse_field(target, other, call, field, "NOT_IN")
                        .await;
                }
                continue;
            }
            if let Some(most) = schema["maxLength"].as_u64() {
                let most = usize::try_from(most).expect("a length");
                let long = place.value.as_str().expect("a text").chars().cycle();
                let call = send(&long.take(most + 1).collect::<String>());
                let faults = ground.refuse(target, "too long", call, 400).await.faults();
                let least = schema["minLength"].as_u64().unwrap_or(0);
                let bounds = vec![least.to_string(), most.to_string()];
                let expected = (field.clone(), "SIZE".to_owned(), bounds);
                assert!(faults.contains(&expected), "{}: {faults:?}", target.name);
            }
            if schema["minLength"].as_u64().is_some_and(|least| least > 0) {
                let faults = ground.refuse(target, "empty", send(""), 400).await.faults();
                let named = faults
                    .iter()
                    .any(|fault| fault.0 == *field && fault.1 == "SIZE");
                assert!(named, "{}: {faults:?}", target.name);
            }
            if let Some(pattern) = schema["pattern"].as_str() {
                let pattern = regex::Regex::new(pattern).expect("it was read before");
                for text in ["", " ", "\u{7f}", "é", "x", "1", "x\n", "}", "😀"] {
                    if pattern.is_match(text) {
                        continue;
                    }
                    let call = send(text);
                    let faults = ground.refuse(target, text, call, 400).await.faults();
                    let named = faults.iter().all(|fault| fault.0 == *field);
                    assert!(named, "{}: {text:?}: {faults:?}", target.name);
                }
            }
        }
    }
}

#[tokio::test]
async fn every_fault_of_a_body_is_told_at_once() {
    let ground = Ground::new().await;
    for target in ground.with_bodies() {
        let Some(object) = target.body.as_object() else {
            continue;
        };
        let wrong: Value = object
            .iter()
            .map(|(name, value)| {
                let other = if value.is_number() {
                    json!("1")
                } else {
                    json!(1)
                };
                (name.clone(), other)
            })
            .collect::<Map<String, Value>>()
            .into();
        let call = target.with_body(&ground, wrong.to_string());
        let faults = ground.refuse(target, "all wrong", call, 400).await.faults();
        let told: BTreeSet<&str> = faults.iter().map(|fault| &*fault.0).collect();
        let expected: BTreeSet<&str> = object.keys().map(String::as_str).collect();
        assert_eq!(told, expected, "{}", target.name);
        let nothing = target.with_body(&ground, "{}");
        let required = resolve(openapi::multi(), target.schema);
        let required = required["required"].as_array();
        if let Some(required) = required.filter(|required| required.len() > 1) {
            let faults = ground.refuse(target, "nothing", nothing, 400).await;
            let faults = faults.faults();
            assert_eq!(faults.len(), required.len(), "{}: {faults:?}", target.name);
        }
    }
}
