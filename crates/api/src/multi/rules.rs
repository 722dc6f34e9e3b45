//! The bounds of every kind of text, once: requests are checked against them and the OpenAPI
//! document is written from them.
//!
//! The patterns are the published ones; `\s` is written out as the ASCII white space it stands for.

/// Which characters a text may have.
pub(super) struct Class {
    /// As the document states it.
    pub pattern: &'static str,
    /// The same, to check with.
    pub allows: fn(&str) -> bool,
}

/// The bounds of one kind of text.
pub(super) struct Text {
    /// Its name in the document.
    pub name: &'static str,
    /// What it is, for the document.
    pub description: &'static str,
    /// Least and most characters.
    pub size: (usize, Option<usize>),
    /// Its pattern; without one, any characters but NUL.
    pub class: Option<&'static Class>,
    /// White space alone will not do.
    pub has_text: bool,
}

impl Text {
    const ANY: Text = Text {
        name: "",
        description: "",
        size: (0, None),
        class: None,
        has_text: false,
    };
}

/// Any text without NUL.
pub(super) const ANY_PATTERN: &str = r"^[^\u0000]*$";
/// The same with something to read in it.
pub(super) const HAS_TEXT_PATTERN: &str = r"^[^\u0000]*[^\s\u0000][^\u0000]*$";

const DIGITS: Class = Class {
    pattern: "^[0-9]+$",
    allows: |text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
};
const WORD: Class = Class {
    pattern: "^[a-zA-Z0-9_-]+$",
    allows: |text| !text.is_empty() && text.bytes().all(is_word),
};
const WORDS: Class = Class {
    pattern: "^[ a-zA-Z0-9_-]+$",
    allows: |text| !text.is_empty() && text.bytes().all(|byte| byte == b' ' || is_word(byte)),
};
const CAPITALS: Class = Class {
    pattern: "^[A-Z]*$",
    allows: |text| text.bytes().all(|byte| byte.is_ascii_uppercase()),
};
const REFERENCE: Class = Class {
    pattern: r#"^[a-zA-Z0-9/\-?:().$_,'+ \t\n\u000b\f\r#=!"%&*<>;{@]*$"#,
    allows: |text| text.bytes().all(is_reference),
};

const LETTERS_OF_A_NAME: &str = "ßÀÁÂÃÄÅǍÆÇÈÉÊËÌÍÎÏÒÓÔÕÖØŠÙÚÛÜŸÝĄĆČĎĘĹĽŁŃŇÑŐŔŚȘȚŤŰŹŻŽ\
                                 àáâãäåǎæçèéêëìíîïòóôõöøšùúûüÿýąćčďęĺľłńňñőŕśșțťűźżž-^. '";
const NAME: Class = Class {
    pattern: "^[a-zA-Z0-9ßÀÁÂÃÄÅǍÆÇÈÉÊËÌÍÎÏÒÓÔÕÖØŠÙÚÛÜŸÝĄĆČĎĘĹĽŁŃŇÑŐŔŚȘȚŤŰŹŻŽ\
              àáâãäåǎæçèéêëìíîïòóôõöøšùúûüÿýąćčďęĺľłńňñőŕśșțťűźżž\\-^. '-]*$",
    allows: |text| {
        text.chars().all(|character| {
            character.is_ascii_alphanumeric() || LETTERS_OF_A_NAME.contains(character)
        })
    },
};
const PHONE: Class = Class {
    pattern: r"^\+[0-9]+$",
    allows: |text| {
        let digits = text.strip_prefix('+').unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    },
};
const POST: Class = Class {
    pattern: "^[A-Za-z0-9 -]*$",
    allows: |text| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b' ' || byte == b'-')
    },
};
const COUNTRY_CODE: Class = Class {
    pattern: "^[A-Z]+$",
    allows: |text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase()),
};
const SOME_DIGITS: Class = Class {
    pattern: "^[0-9]*$",
    allows: |text| text.bytes().all(|byte| byte.is_ascii_digit()),
};

const CAPITALS_AND_DIGITS: Class = Class {
    pattern: "^[A-Z0-9]*$",
    allows: |text| {
        text.bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    },
};
/// What has something to read in it is looked at apart ([`Text::has_text`]).
const TITLE: Class = Class {
    pattern: r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$",
    allows: LINE.allows,
};
const LINE: Class = Class {
    pattern: r"^[^\u0000-\u001f\u007f-\u009f]*$",
    allows: |text| !text.chars().any(char::is_control),
};
const EMAIL_CLASS: Class = Class {
    pattern: r"^[^\s@\u0000-\u001f\u007f]+@[^\s@\u0000-\u001f\u007f]+$",
    allows: |text| {
        let is_part = |part: &str| {
            let odd = |c: char| c.is_whitespace() || c.is_ascii_control() || c == '@';
            !part.is_empty() && !part.contains(odd)
        };
        text.split_once('@')
            .is_some_and(|(local, domain)| is_part(local) && is_part(domain))
    },
};
const SUBSCRIBER_CLASS: Class = Class {
    pattern: "^[0-9]{1,12}$",
    allows: |text| (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
};
const CODE_CLASS: Class = Class {
    pattern: "^[0-9]{6}$",
    allows: |text| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()),
};
const LOCALE_CLASS: Class = Class {
    pattern: "^[a-z]{2}(-[A-Z]{2})?$",
    allows: |text| match text.as_bytes() {
        [a, b] => a.is_ascii_lowercase() && b.is_ascii_lowercase(),
        [a, b, b'-', c, d] => {
            a.is_ascii_lowercase()
                && b.is_ascii_lowercase()
                && c.is_ascii_uppercase()
                && d.is_ascii_uppercase()
        }
        _ => false,
    },
};
const ALPHANUMERIC: Class = Class {
    pattern: "^[a-zA-Z0-9]+$",
    allows: |text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric()),
};
/// What must not be in a name that is changed.
const NO_NAME: &str = r"0123456789~!@#$%^*()_+={}\|:;,<>/?";
const CHANGED_NAME_CLASS: Class = Class {
    pattern: r"^[^\u00000-9~!@#$%^*()_+={}\\|:;,<>/?]*$",
    allows: |text| !text.contains(|character| NO_NAME.contains(character) || character == '\0'),
};

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn is_reference(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-?:().$_,'+ \t\n\x0b\x0c\r#=!\"%&*<>;{@".contains(&byte)
}

/// An id. More than 64 bits of digits are well-formed: an id that nobody has.
pub(super) const ID: Text = Text {
    name: "Id",
    description: "A unique identifier.",
    class: Some(&DIGITS),
    ..Text::ANY
};
/// A profile's id.
pub(super) const PROFILE_ID: Text = Text {
    name: "ProfileId",
    description: "The profile that settles how the object behaves: currencies, limits, fees.",
    class: Some(&DIGITS),
    ..Text::ANY
};
/// A time as text.
pub(super) const TIMESTAMP: Text = Text {
    name: "TimestampText",
    description: "Milliseconds since 1970 in UTC, as text.",
    class: Some(&DIGITS),
    ..Text::ANY
};
/// A caller's own mark.
pub(super) const TAG: Text = Text {
    name: "Tag",
    description: "A mark of the caller's, to search and filter by.",
    size: (0, Some(50)),
    class: Some(&WORD),
    ..Text::ANY
};
/// A transfer's description.
pub(super) const DESCRIPTION: Text = Text {
    name: "Description",
    description: "Kept with the transaction as its reference.",
    size: (0, Some(255)),
    class: Some(&REFERENCE),
    ..Text::ANY
};
/// A currency. One that does not exist is well-formed: no account has it.
pub(super) const CURRENCY: Text = Text {
    name: "Currency",
    description: "An ISO 4217 code, such as EUR.",
    size: (3, Some(3)),
    class: Some(&CAPITALS),
    ..Text::ANY
};
/// Why a scheduled transaction was cancelled.
pub(super) const CANCELLATION_REASON: Text = Text {
    name: "TransactionCancellationReason",
    description: "Why the scheduled transaction was cancelled.",
    size: (0, Some(50)),
    class: Some(&WORDS),
    ..Text::ANY
};
/// What people call an instrument.
pub(super) const FRIENDLY_NAME: Text = Text {
    name: "FriendlyName",
    description: "What people call it.",
    size: (1, Some(50)),
    class: Some(&TITLE),
    has_text: true,
};
/// `idempotency-ref`, a header.
pub(super) const IDEMPOTENCY_REF: Text = Text {
    name: "IdempotencyRef",
    description: "A reference of the caller's for this call: the same call repeated with it is \
                  answered as before and done once.",
    size: (1, Some(255)),
    ..Text::ANY
};
/// The name on a card.
pub(super) const NAME_ON_CARD: Text = Text {
    name: "NameOnCard",
    description: "The cardholder's name.",
    size: (1, Some(27)),
    class: Some(&NAME),
    ..Text::ANY
};
/// The second line of it, or a new first one.
pub(super) const NAME_LINE: Text = Text {
    name: "NameOnCardLine",
    description: "A line of the name on a card.",
    size: (0, Some(27)),
    class: Some(&NAME),
    ..Text::ANY
};
/// A cardholder's telephone number.
pub(super) const MOBILE_NUMBER: Text = Text {
    name: "MobileNumber",
    description: "A telephone number with its country code.",
    size: (5, Some(15)),
    class: Some(&PHONE),
    ..Text::ANY
};
/// The first line of an address.
pub(super) const ADDRESS_LINE: Text = Text {
    name: "AddressLine",
    description: "The first line of an address.",
    size: (1, Some(150)),
    ..Text::ANY
};
/// The second line of an address.
pub(super) const ADDRESS_LINE_2: Text = Text {
    name: "AddressLine2",
    description: "The second line of an address.",
    size: (0, Some(150)),
    ..Text::ANY
};
/// A city, or a country's state.
pub(super) const PLACE: Text = Text {
    name: "Place",
    description: "A city or a state.",
    size: (0, Some(50)),
    ..Text::ANY
};
/// A post code.
pub(super) const POST_CODE: Text = Text {
    name: "PostCode",
    description: "A post code.",
    size: (0, Some(10)),
    class: Some(&POST),
    ..Text::ANY
};
/// A country.
pub(super) const COUNTRY: Text = Text {
    name: "Country",
    description: "ISO 3166 alpha-2.",
    size: (2, Some(2)),
    class: Some(&COUNTRY_CODE),
    ..Text::ANY
};
/// A name or value that a caller keeps with a card.
pub(super) const EXTERNAL: Text = Text {
    name: "External",
    description: "Kept for the caller.",
    size: (1, Some(100)),
    ..Text::ANY
};
/// What a wallet shows of a card.
pub(super) const ARTWORK: Text = Text {
    name: "ArtworkReference",
    description: "What a wallet shows of the card.",
    size: (0, Some(255)),
    ..Text::ANY
};
/// The first digits of a card's number.
pub(super) const FIRST_SIX: Text = Text {
    name: "CardNumberFirstSix",
    description: "The first six digits of a card's number.",
    size: (6, Some(6)),
    class: Some(&SOME_DIGITS),
    ..Text::ANY
};
/// The last digits of a card's number.
pub(super) const LAST_FOUR: Text = Text {
    name: "CardNumberLastFour",
    description: "The last four digits of a card's number.",
    size: (4, Some(4)),
    class: Some(&SOME_DIGITS),
    ..Text::ANY
};
/// A month and a year.
pub(super) const MMYY: Text = Text {
    name: "Mmyy",
    description: "Month and year.",
    size: (4, Some(4)),
    class: Some(&SOME_DIGITS),
    ..Text::ANY
};
/// What a simulated movement of money was for, or who it came from.
pub(super) const NOTE: Text = Text {
    name: "Note",
    description: "A line of text.",
    size: (0, Some(255)),
    class: Some(&LINE),
    ..Text::ANY
};
/// A merchant's name.
pub(super) const MERCHANT_NAME: Text = Text {
    name: "MerchantName",
    description: "The merchant's name.",
    size: (1, Some(50)),
    class: Some(&LINE),
    ..Text::ANY
};
/// A merchant's id.
pub(super) const MERCHANT_ID: Text = Text {
    name: "MerchantId",
    description: "The merchant's id.",
    size: (1, Some(15)),
    class: Some(&LINE),
    ..Text::ANY
};
/// A merchant's category.
pub(super) const MERCHANT_CATEGORY: Text = Text {
    name: "MerchantCategoryCode",
    description: "The merchant's category.",
    size: (1, Some(4)),
    class: Some(&LINE),
    ..Text::ANY
};
/// A country by three letters.
pub(super) const COUNTRY_3: Text = Text {
    name: "Country3",
    description: "ISO 3166 alpha-3.",
    size: (3, Some(3)),
    class: Some(&CAPITALS),
    ..Text::ANY
};
/// An account number of some bank.
pub(super) const ACCOUNT_NUMBER: Text = Text {
    name: "AccountNumber",
    description: "An account number as banks write it.",
    class: Some(&CAPITALS_AND_DIGITS),
    ..Text::ANY
};
/// A caller's own mark of a simulator's call.
pub(super) const CALL_REF: Text = Text {
    name: "CallRef",
    description: "The caller's own mark of this call; nothing depends on it.",
    size: (0, Some(255)),
    ..Text::ANY
};
/// The first or last name of somebody who logs in.
pub(super) const PERSON_NAME: Text = Text {
    name: "PersonName",
    description: "A first or last name.",
    size: (1, Some(50)),
    has_text: true,
    ..Text::ANY
};
/// The same, when a root user's is changed.
pub(super) const CHANGED_NAME: Text = Text {
    name: "ChangedName",
    description: "A new first or last name.",
    size: (1, Some(20)),
    class: Some(&CHANGED_NAME_CLASS),
    has_text: true,
};
/// An e-mail address.
pub(super) const EMAIL: Text = Text {
    name: "Email",
    description: "An e-mail address.",
    size: (3, Some(254)),
    class: Some(&EMAIL_CLASS),
    ..Text::ANY
};
/// The code that numbers of a country begin with.
pub(super) const CALLING_CODE: Text = Text {
    name: "CallingCode",
    description: "The country's calling code, such as +356.",
    size: (1, Some(4)),
    class: Some(&PHONE),
    ..Text::ANY
};
/// A mobile number without its country.
pub(super) const SUBSCRIBER: Text = Text {
    name: "Subscriber",
    description: "The number without the country's calling code.",
    class: Some(&SUBSCRIBER_CLASS),
    ..Text::ANY
};
/// A language and perhaps a country.
pub(super) const LOCALE: Text = Text {
    name: "UserLocale",
    description: "BCP 47, such as en-GB.",
    size: (0, Some(5)),
    class: Some(&LOCALE_CLASS),
    ..Text::ANY
};
/// Which templates notifications use.
pub(super) const BRAND: Text = Text {
    name: "Brand",
    description: "Which templates notifications use.",
    size: (0, Some(25)),
    class: Some(&ALPHANUMERIC),
    ..Text::ANY
};
/// A business's name.
pub(super) const COMPANY_NAME: Text = Text {
    name: "CompanyName",
    description: "The registered name.",
    size: (1, Some(100)),
    has_text: true,
    ..Text::ANY
};
/// A business's number.
pub(super) const REGISTRATION_NUMBER: Text = Text {
    name: "RegistrationNumber",
    description: "The number in the register.",
    size: (1, Some(20)),
    ..Text::ANY
};
/// From where somebody registers.
pub(super) const IP_ADDRESS: Text = Text {
    name: "IpAddress",
    description: "The address that the registration came from.",
    size: (5, Some(45)),
    ..Text::ANY
};
/// Any text.
pub(super) const FREE: Text = Text {
    name: "Free",
    description: "Any text.",
    ..Text::ANY
};
/// A password, of whatever quality.
pub(super) const PASSWORD: Text = Text {
    name: "Password",
    description: "A password.",
    size: (0, Some(100)),
    ..Text::ANY
};
/// What was sent to an address.
pub(super) const VERIFICATION_CODE: Text = Text {
    name: "VerificationCode",
    description: "The code that was sent; 123456 in a sandbox.",
    class: Some(&CODE_CLASS),
    ..Text::ANY
};
/// A text to look for, of any form.
pub(super) const WANTED: Text = Text {
    name: "Wanted",
    description: "The exact text to look for.",
    ..Text::ANY
};

/// `^[0-9]+$` as a number; `None` for one that is not spelt as ours or too long to be one.
pub(super) fn id_number(text: &str) -> Option<u64> {
    let number = text.parse().ok()?;
    // `+1`, `007` and `0` are spellings of no id.
    (!text.starts_with(['0', '+'])).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(class: &Class, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!((class.allows)(text), "{} {text:?}", class.pattern);
        }
        for text in bad {
            assert!(!(class.allows)(text), "{} {text:?}", class.pattern);
        }
    }

    #[test]
    fn digits() {
        let long = "9".repeat(1000);
        let bad = ["", "-1", "+1", "1.0", " 1", "1\n", "/", ":", "١"];
        check(&DIGITS, &["0", "9", "007", &long], &bad);
    }

    #[test]
    fn words() {
        let good = ["a", "z", "A", "Z", "0", "9", "_", "-", "my-tag_1"];
        let bad = ["", "a b", "a\n", "é", "@", "[", "`", "{", "/", ":", "."];
        check(&WORD, &good, &bad);
        check(
            &WORDS,
            &good,
            &["", "a\n", "a\t", "é", "@", "a\u{a0}b", "."],
        );
        check(&WORDS, &["a b", " "], &[]);
    }

    #[test]
    fn capitals() {
        let bad = ["eUR", "E1R", "E R", "@", "[", "É"];
        check(&CAPITALS, &["", "A", "Z", "EUR"], &bad);
    }

    #[test]
    fn references_have_the_published_characters_and_no_others() {
        let allowed = "/-?:().$_,'+ \t\n\u{b}\u{c}\r#=!\"%&*<>;{@";
        for code in 0..=0x2ff_u32 {
            let Some(character) = char::from_u32(code) else {
                continue;
            };
            let expected = character.is_ascii_alphanumeric() || allowed.contains(character);
            let text = character.to_string();
            assert_eq!((REFERENCE.allows)(&text), expected, "{character:?}");
        }
        check(
            &REFERENCE,
            &["", "Rent, May (1/2): $5 + 3% = ?"],
            &["}", "\\", "`", "\u{a0}"],
        );
    }

    #[test]
    fn names_numbers_and_codes() {
        let good = ["", "Zoë O'Neil-Šťastný", "J. R.", "a^b", "ž", "ß"];
        check(&NAME, &good, &["a_b", "a\n", "a\\b", "я", "a,b", "ẞ"]);
        assert_eq!(NAME.pattern.matches("ž").count(), 1);
        let letters = LETTERS_OF_A_NAME.replace("-^. '", "");
        assert!(NAME.pattern.contains(&letters));
        check(
            &PHONE,
            &["+1", "+35699999999"],
            &["", "+", "1", "+1a", "++1", "+ 1"],
        );
        check(&POST, &["", "MST 1000", "a-1"], &["a_b", "a\n", "é"]);
        check(&COUNTRY_CODE, &["MT"], &["", "mt", "M1"]);
        check(&SOME_DIGITS, &["", "0126"], &["01/26", "a"]);
        check(
            &CAPITALS_AND_DIGITS,
            &["", "MT84MALT01"],
            &["mt84", "MT 84", "É"],
        );
        let control = ["\0", "a\nb", "\u{1f}", "\u{7f}", "\u{9f}"];
        check(&LINE, &["", " ", "Café – 1", "\u{a0}"], &control);
    }

    #[test]
    fn addresses_of_people() {
        check(
            &EMAIL_CLASS,
            &["a@b", "ada.byron+1@example.co.uk", "é@ü.de"],
            &[
                "", "@", "a@", "@b", "ab", "a@b@c", "a b@c", "a@b\n", "a\0@b",
            ],
        );
        check(
            &SUBSCRIBER_CLASS,
            &["1", "123456789012"],
            &["", "1234567890123", "12a", "+1"],
        );
        check(
            &CODE_CLASS,
            &["123456"],
            &["12345", "1234567", "12345a", ""],
        );
        check(
            &LOCALE_CLASS,
            &["en", "en-GB"],
            &["", "e", "EN", "en-gb", "en_GB", "en-", "en-GBR"],
        );
        check(&ALPHANUMERIC, &["a", "Z9"], &["", "a b", "a-b", "é"]);
        check(
            &CHANGED_NAME_CLASS,
            &["Ada", "O'Neil-Žilka", "J. R.", "a&b"],
            &["Ada1", "a_b", "a\\b", "a|b", "a?", "a\0"],
        );
    }

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!(
            id_number("117637632312509126"),
            Some(117_637_632_312_509_126)
        );
        assert_eq!(id_number("18446744073709551615"), Some(u64::MAX));
        for text in ["18446744073709551616", "007", "0", "+1", "", "x"] {
            assert_eq!(id_number(text), None, "{text}");
        }
    }
}
