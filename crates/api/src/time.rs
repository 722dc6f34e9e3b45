//! Timestamps on the wire: RFC 3339 in UTC, to the second, as in the seeds' examples.

use jiff::Timestamp;
use ledger::Millis;

/// `2024-04-23T09:15:04Z`. Times outside the years -9999 to 9999 are shown at the nearest end.
#[must_use]
pub fn render(time: Millis) -> String {
    let seconds = time.0.div_euclid(1000);
    let nearest = if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::from_second(seconds)
        .unwrap_or(nearest)
        .to_string()
}

/// Any RFC 3339 timestamp, with fractions and offsets; fractions of a millisecond are cut.
///
/// A `+` that a query string turned into a space is taken for what it was.
#[must_use]
pub fn parse(text: &str) -> Option<Millis> {
    let parsed = text.parse::<Timestamp>().or_else(|error| {
        let (front, offset) = text.rsplit_once(' ').ok_or(error)?;
        format!("{front}+{offset}").parse::<Timestamp>()
    });
    parsed.ok().map(|at| Millis(at.as_millisecond()))
}

/// The last millisecond that is shown as this timestamp: an inclusive upper bound in whole seconds
/// includes everything shown with that second.
#[must_use]
pub(crate) fn end_of(text: &str) -> Option<Millis> {
    let at = parse(text)?;
    Some(if at.0.rem_euclid(1000) == 0 {
        at.plus(999)
    } else {
        at
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rendered_to_the_second_in_utc() {
        assert_eq!(render(Millis(1_713_863_704_999)), "2024-04-23T09:15:04Z");
        assert_eq!(render(Millis(0)), "1970-01-01T00:00:00Z");
        assert_eq!(render(Millis(-1)), "1969-12-31T23:59:59Z");
        assert!(render(Millis(i64::MAX)).starts_with("9999-"));
    }

    #[test]
    fn parsed_with_fractions_and_offsets() {
        let expected = Some(Millis(1_713_863_704_000));
        assert_eq!(parse("2024-04-23T09:15:04Z"), expected);
        assert_eq!(parse("2024-04-23T11:15:04+02:00"), expected);
        assert_eq!(parse("2024-04-23T11:15:04 02:00"), expected);
        assert_eq!(parse("2024-04-23T09:15:04.0009Z"), expected);
        for wrong in [
            "",
            "yesterday",
            "2024-04-23",
            "2024-13-01T00:00:00Z",
            "1713863704000",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_upper_bound_includes_its_whole_second() {
        assert_eq!(
            end_of("2024-04-23T09:15:04Z"),
            Some(Millis(1_713_863_704_999))
        );
        assert_eq!(
            end_of("2024-04-23T09:15:04.5Z"),
            Some(Millis(1_713_863_704_500))
        );
    }
}
