//! Which countries there are, and which calling codes cannot be.

/// ISO 3166-1, the officially assigned two-letter codes, and `XK` (Kosovo), which is in use.
const CODES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR \
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ \
    EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW \
    GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY \
    KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV \
    MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY \
    QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG \
    TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA \
    ZM ZW";

/// Whether a country has this code.
pub(super) fn is_country(code: &str) -> bool {
    code.len() == 2 && CODES.split(' ').any(|known| known == code)
}

/// Whether a calling code can be one: none begins with 0 (ITU-T E.164).
pub(super) fn is_calling_code(code: &str) -> bool {
    code.strip_prefix('+')
        .is_some_and(|digits| digits.starts_with(|first: char| matches!(first, '1'..='9')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_known_by_two_capitals() {
        assert_eq!(CODES.split(' ').count(), 250);
        for known in ["AD", "GB", "MT", "ZW"] {
            assert!(is_country(known), "{known}");
        }
        for unknown in ["", "XX", "gb", "GBR", "D ", " D", "D"] {
            assert!(!is_country(unknown), "{unknown}");
        }
    }

    #[test]
    fn calling_codes_do_not_begin_with_zero() {
        for (code, expected) in [("+44", true), ("+0", false), ("+", false), ("44", false)] {
            assert_eq!(is_calling_code(code), expected, "{code}");
        }
    }
}
