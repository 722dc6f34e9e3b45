//! The reader sees each fault there is, and none where there is none.

use serde_json::{Value, json};

use super::{check_document, fits};

/// Checks texts of JSON against a schema of `document`: what is at fault in each, if anything.
#[track_caller]
fn check(document: &Value, schema: &Value, rows: &[(&str, Option<&str>)]) {
    for (text, fault) in rows {
        let value: Value = serde_json::from_str(text).expect("JSON");
        let found = fits(document, schema, &value).err();
        assert_eq!(found.as_deref(), *fault, "{text}");
    }
}

/// Checks one value each that fits and that does not.
#[track_caller]
fn pair(schema: &Value, good: &str, bad: &str, fault: &str) {
    check(&Value::Null, schema, &[(good, None), (bad, Some(fault))]);
}

#[test]
fn members_are_required_typed_and_named() {
    let document = json!({"components": {"schemas": {"Thing": {
        "type": "object", "required": ["id", "note"],
        "properties": {"id": {"type": "string"}, "note": {"type": ["string", "null"]}},
    }}}});
    let schema = json!({"allOf": [
        {"$ref": "#/components/schemas/Thing"},
        {"type": "object", "required": ["sum"], "properties": {"sum": {"type": "integer"}}},
    ]});
    check(
        &document,
        &schema,
        &[
            (r#"{"id": "x", "note": null, "sum": 1}"#, None),
            (
                r#"{"id": 1, "note": null, "sum": 1}"#,
                Some("$.id is not string"),
            ),
            (
                r#"{"id": null, "note": "", "sum": 1}"#,
                Some("$.id is null, not left out"),
            ),
            (r#"{"id": "x", "sum": 1}"#, Some("$.note is missing")),
            (
                r#"{"id": "x", "note": "", "sum": 1.5}"#,
                Some("$.sum is not integer"),
            ),
            (
                r#"{"id": "x", "note": "", "sum": "1"}"#,
                Some("$.sum is not integer"),
            ),
            (
                r#"{"id": "x", "note": "", "sum": 1, "more": 1}"#,
                Some("$.more is not documented"),
            ),
            ("[]", Some("$ is not object")),
        ],
    );
}

#[test]
fn parts_of_parts_count() {
    let named = |name: &str| json!({"type": "object", "properties": {name: {"type": "string"}}});
    let schema = json!({"allOf": [{"allOf": [named("a"), named("b")]}, named("c")]});
    pair(
        &schema,
        r#"{"a": "1", "b": "2", "c": "3"}"#,
        r#"{"a": "1", "b": 2, "c": "3"}"#,
        "$.b is not string",
    );
}

#[test]
fn a_part_may_say_more_of_a_member_than_another() {
    let user = |more: Value| json!({"type": "object", "properties": {"user": more}});
    let named = |name: &str| json!({"type": "object", "properties": {name: {"type": "string"}}});
    let schema = json!({"allOf": [
        user(named("a")),
        user(json!({"allOf": [named("a"), named("b")]})),
    ]});
    check(
        &Value::Null,
        &schema,
        &[
            (r#"{"user": {"a": "1", "b": "2"}}"#, None),
            (
                r#"{"user": {"a": "1", "b": 2}}"#,
                Some("$.user.b is not string"),
            ),
            (
                r#"{"user": {"a": "1", "c": "2"}}"#,
                Some("$.user.c is not documented"),
            ),
        ],
    );
    let list = json!({"type": "array", "items": {"oneOf": [named("a"), {"type": "null"}]}});
    let fault = "$[0].b is not documented";
    pair(&list, r#"[{"a": ""}, null]"#, r#"[{"b": ""}]"#, fault);
    let needs = |mode: &str, name: &str| json!({"required": [name], "properties": {"mode": {"const": mode}, name: {}}});
    let card = json!({"type": "object", "properties": {"mode": {"type": "string"}, "a": {}},
        "oneOf": [needs("A", "a"), needs("B", "b")]});
    let fault = "$ fits no choice of oneOf";
    pair(
        &card,
        r#"{"mode": "B", "a": 1, "b": 1}"#,
        r#"{"mode": "B", "a": 1}"#,
        fault,
    );
    let fault = "$.b is not documented";
    pair(
        &card,
        r#"{"mode": "A", "a": 1}"#,
        r#"{"mode": "A", "a": 1, "b": 1}"#,
        fault,
    );
}

#[test]
fn other_members_are_as_they_are_said_to_be() {
    let texts = json!({"type": "object", "properties": {"n": {"type": "integer"}},
        "additionalProperties": {"type": "string"}});
    pair(
        &texts,
        r#"{"n": 1, "x": ""}"#,
        r#"{"n": 1, "x": 2}"#,
        "$.x is not string",
    );
    let short = json!({"type": "object", "additionalProperties": true,
        "propertyNames": {"maxLength": 1}});
    let fault = "$.xy has more than 1 characters";
    pair(&short, r#"{"x": 2}"#, r#"{"xy": 2}"#, fault);
    let any = json!({"type": "object", "additionalProperties": true});
    pair(&any, r#"{"x": {"y": 2}}"#, "[]", "$ is not object");
    let free = json!({"type": "object"});
    pair(&free, r#"{"x": {"y": 2}}"#, "[]", "$ is not object");
    let none = json!({"type": "object", "additionalProperties": false});
    pair(&none, "{}", r#"{"x": 2}"#, "$.x is not documented");
}

#[test]
fn a_discriminator_chooses() {
    let document = json!({"components": {"schemas": {
        "Card": {
            "type": "object", "required": ["mode"], "properties": {"mode": {"type": "string"}},
            "discriminator": {"propertyName": "mode", "mapping": {
                "DEBIT": "#/components/schemas/Debit", "PREPAID": "#/components/schemas/Prepaid",
            }},
        },
        "Debit": {"allOf": [{"$ref": "#/components/schemas/Card"}, {
            "type": "object", "required": ["parent"],
            "properties": {"parent": {"type": "string"}},
        }]},
        "Prepaid": {"allOf": [{"$ref": "#/components/schemas/Card"}]},
    }}});
    let schema = json!({"$ref": "#/components/schemas/Card"});
    check(
        &document,
        &schema,
        &[
            (r#"{"mode": "PREPAID"}"#, None),
            (r#"{"mode": "DEBIT", "parent": "1"}"#, None),
            (r#"{"mode": "DEBIT"}"#, Some("$.parent is missing")),
            (
                r#"{"mode": "PREPAID", "parent": "1"}"#,
                Some("$.parent is not documented"),
            ),
            (
                r#"{"mode": "CREDIT"}"#,
                Some(r#"$.mode is "CREDIT", no choice"#),
            ),
            ("{}", Some("$.mode is missing")),
            ("1", Some("$ is not object")),
        ],
    );
}

#[test]
fn texts_have_lengths_patterns_and_formats() {
    let two = json!({"type": "string", "minLength": 2, "maxLength": 3});
    pair(&two, r#""ßß""#, r#""ß""#, "$ has fewer than 2 characters");
    pair(
        &two,
        r#""ßßß""#,
        r#""abcd""#,
        "$ has more than 3 characters",
    );
    let digits = json!({"type": "string", "pattern": "^[0-9]+$"});
    let fault = r#"$ is "12\n", which does not match ^[0-9]+$"#;
    pair(&digits, r#""12""#, r#""12\n""#, fault);
    let email = json!({"type": "string", "format": "email"});
    let fault = r#"$ is "a@", no email address"#;
    pair(&email, r#""a@b""#, r#""a@""#, fault);
}

#[test]
fn numbers_have_bounds() {
    let page = json!({"type": "integer", "minimum": 1, "maximum": 100});
    pair(&page, "1", "0", "$ is 0, less than 1");
    pair(&page, "100", "101", "$ is 101, more than 100");
    let small = json!({"type": "integer", "format": "int32"});
    let fault = "$ is 2147483648, more than 2147483647";
    pair(&small, "2147483647", "2147483648", fault);
    let large = json!({"type": "integer", "format": "int64"});
    let fault = "$ is 9223372036854775808, more than 9223372036854775807";
    pair(&large, "-9223372036854775808", "9223372036854775808", fault);
}

#[test]
fn arrays_have_lengths_and_items() {
    let list = json!({"type": "array", "items": {"type": "boolean"}, "minItems": 1,
        "maxItems": 2, "uniqueItems": true});
    pair(&list, "[true]", "[]", "$ has fewer than 1 items");
    pair(&list, "[true, false]", "[true, 1]", "$[1] is not boolean");
    pair(&list, "[true]", "[true, true]", "$[1] is there twice");
    let short = json!({"type": "array", "maxItems": 2});
    pair(&short, "[1, 2]", "[1, 2, 3]", "$ has more than 2 items");
}

#[test]
fn values_are_chosen_from_lists_and_schemas() {
    let colour = json!({"type": "string", "enum": ["RED", "BLUE"]});
    let fault = r#"$ is "GREEN", not of ["RED","BLUE"]"#;
    pair(&colour, r#""RED""#, r#""GREEN""#, fault);
    pair(&json!({"const": 1}), "1", "2", "$ is 2, not 1");
    let either = json!({"oneOf": [{"type": "string"}, {"type": "integer", "minimum": 5}]});
    pair(&either, "5", "4", "$ fits no choice of oneOf");
    let both = json!({"oneOf": [{"type": "integer"}, {"type": "integer", "minimum": 5}]});
    pair(&both, "4", "5", "$ fits two choices of oneOf");
    let any = json!({"anyOf": [{"type": "integer"}, {"type": "integer", "minimum": 5}]});
    pair(&any, "5", r#""5""#, "$ fits no choice of anyOf");
}

/// A document with one schema.
fn of(schema: &Value) -> Value {
    json!({"components": {"schemas": {"It": {"properties": {"x": schema}}}}})
}

#[test]
fn what_is_obeyed_is_readable() {
    check_document(&of(&json!({"type": "string", "pattern": "^[a-z\\-]$"})));
}

#[test]
#[should_panic(expected = "the keyword \"multipleOf\"")]
fn an_unknown_keyword_is_seen() {
    check_document(&of(&json!({"type": "integer", "multipleOf": 2})));
}

#[test]
#[should_panic(expected = "#/components/schemas/Nobody")]
fn a_reference_to_nothing_is_seen() {
    check_document(&of(&json!({"$ref": "#/components/schemas/Nobody"})));
}

#[test]
#[should_panic(expected = "look-around")]
fn a_pattern_that_cannot_be_read_is_seen() {
    check_document(&of(&json!({"type": "string", "pattern": "^(?=a)$"})));
}

#[test]
#[should_panic(expected = "a reference with rules beside it")]
fn rules_beside_a_reference_are_seen() {
    check_document(&of(
        &json!({"$ref": "#/components/schemas/It", "minLength": 1}),
    ));
}
