//! `Accept`: a statement as JSON, unless CSV is asked for.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// How a statement is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::multi) enum Form {
    /// `application/json`
    Json,
    /// `text/csv`
    Csv,
}

/// The form that the caller likes best. Whoever names neither gets JSON, a PDF's friend included.
pub(in crate::multi) fn wanted(headers: &HeaderMap) -> Form {
    let mut json = 0;
    let mut csv = 0;
    for value in headers.get_all(ACCEPT) {
        let text = value.to_str().unwrap_or_default();
        for range in text.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let weight = parts.find_map(weight).unwrap_or(1000);
            if kind.eq_ignore_ascii_case("text/csv") {
                csv = csv.max(weight);
            } else if ["application/json", "application/*", "*/*"]
                .iter()
                .any(|known| kind.eq_ignore_ascii_case(known))
            {
                json = json.max(weight);
            }
        }
    }
    if csv > json { Form::Csv } else { Form::Json }
}

/// `q=0.8` in thousandths; a weight that is none counts as 0.
fn weight(parameter: &str) -> Option<u32> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole, thousandths.parse::<u32>()) {
        ("1", _) => Some(1000),
        ("0", Ok(thousandths)) => Some(thousandths),
        _ => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(values: &[&str], expected: Form) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, HeaderValue::from_str(value).expect("ASCII"));
        }
        assert_eq!(wanted(&headers), expected, "{values:?}");
    }

    #[test]
    fn csv_for_those_who_prefer_it() {
        check(&["text/csv"], Form::Csv);
        check(&["Text/CSV; charset=utf-8"], Form::Csv);
        check(&["text/csv, application/json;q=0.5"], Form::Csv);
        check(&["application/json;q=0.8", "text/csv;q=0.9"], Form::Csv);
    }

    #[test]
    fn json_for_everybody_else() {
        for value in [
            "",
            "*/*",
            "application/json",
            "application/pdf",
            "text/html, */*;q=0.1",
            "application/json, text/csv;q=0.9",
            "text/csv;q=0",
            "text/csv;q=x",
            "nonsense",
        ] {
            check(&[value], Form::Json);
        }
        check(&[], Form::Json);
    }
}
