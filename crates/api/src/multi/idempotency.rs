//! `idempotency-ref`: read here, bound to a call by `service`.

use axum::http::{HeaderMap, HeaderName};
use service::multi::Reference;

use super::fields::check_text;
use super::invalid::{InvalidField, Rule};
use super::request_ref::RequestRef;
use super::rules::IDEMPOTENCY_REF;

/// The header's name.
pub(super) const NAME: HeaderName = HeaderName::from_static("idempotency-ref");

/// The caller's reference, 1 to 255 characters; `None` without the header.
pub(super) fn reference(headers: &HeaderMap) -> Result<Option<String>, Vec<InvalidField>> {
    let mut values = headers.get_all(NAME).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(vec![InvalidField::twice(NAME.as_str())]);
    }
    // Any bytes will do as a reference: what is no UTF-8 is taken as Latin-1, as of old in HTTP.
    let text = match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().copied().map(char::from).collect(),
    };
    let mut faults = Vec::new();
    check_text(
        || NAME.as_str().to_owned(),
        &text,
        &IDEMPOTENCY_REF,
        &mut faults,
    );
    if faults.is_empty() {
        Ok(Some(text))
    } else {
        Err(faults)
    }
}

/// The reference with the request it came with.
pub(super) fn bind(reference: Option<String>, request: RequestRef) -> Option<Reference> {
    reference.map(|text| Reference::new(&text, request.text()))
}

/// The fault of a reference that was used for another call.
pub(super) fn reused() -> InvalidField {
    let reason = "was used for another request";
    InvalidField::new(NAME.as_str(), Rule::NotIn, reason)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::multi::invalid::message;

    fn read(values: &[&[u8]]) -> Result<Option<String>, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(NAME, HeaderValue::from_bytes(value).expect("a value"));
        }
        reference(&headers).map_err(|faults| message(&faults))
    }

    #[test]
    fn one_reference_of_1_to_255_characters() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b"x"]), Ok(Some("x".to_owned())));
        let longest = "é".repeat(255);
        assert_eq!(read(&[longest.as_bytes()]), Ok(Some(longest)));
        let wrong = Err("idempotency-ref must have 1 to 255 characters".to_owned());
        assert_eq!(read(&["é".repeat(256).as_bytes()]), wrong);
        assert_eq!(read(&[b""]), wrong);
        let twice = Err("idempotency-ref must be given once".to_owned());
        assert_eq!(read(&[b"x", b"x"]), twice);
        assert_eq!(read(&[b"\xff"]), Ok(Some("ÿ".to_owned())));
    }
}
