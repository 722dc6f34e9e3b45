use super::*;

fn read() -> Value {
    serde_json::from_str(&document()).expect("JSON")
}

/// Every reference within the document leads somewhere.
#[test]
fn every_reference_is_defined() {
    fn walk(document: &Value, value: &Value, seen: &mut usize) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let pointer = reference.strip_prefix('#').expect("within the document");
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                    *seen += 1;
                }
                for value in members.values() {
                    walk(document, value, seen);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(document, item, seen)),
            _ => {}
        }
    }
    let document = read();
    let mut seen = 0;
    walk(&document, &document, &mut seen);
    assert!(seen > 0);
}

#[test]
fn the_documents_bounds_are_those_that_are_checked() {
    let document = read();
    let schemas = &document["components"]["schemas"];
    let tag = &schemas["Tag"];
    assert_eq!(tag["maxLength"], 50);
    assert_eq!(tag["pattern"], "^[a-zA-Z0-9_-]+$");
    assert_eq!(schemas["Currency"]["minLength"], 3);
    let create = &schemas["CreateTransferRequest"];
    let required = json!(["profileId", "source", "destination", "destinationAmount"]);
    assert_eq!(create["required"], required);
    let transfer = &schemas["Transfer"];
    let names: Vec<&String> = transfer["properties"]
        .as_object()
        .expect("members")
        .keys()
        .collect();
    assert_eq!(names.len(), 12, "{names:?}");
    assert_eq!(transfer["required"].as_array().map(Vec::len), Some(7));
    let conflict = &schemas["TransferConflict"]["properties"]["errorCode"]["enum"];
    assert_eq!(conflict.as_array().map(Vec::len), Some(21));
}

#[test]
fn every_operation_states_the_common_refusals_and_headers() {
    let document = read();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let what = format!("{method} {path}");
            assert!(operation["security"].is_array(), "{what}");
            let responses = operation["responses"].as_object().expect("responses");
            for status in ["401", "403", "429", "500", "503", "default"] {
                assert!(responses.contains_key(status), "{what}: {status}");
            }
            for (status, response) in responses {
                let header = &response["headers"]["request-ref"];
                assert!(header.is_object(), "{what}: {status}");
            }
            operations += 1;
        }
    }
    assert!(operations >= 4);
}
