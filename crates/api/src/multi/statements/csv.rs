//! A statement as CSV (RFC 4180): a line of names, then a line for each entry.
//!
//! Sums are integers in the lowest unit of the one currency. A text that a spreadsheet would take
//! for a formula gets an apostrophe in front.

use std::fmt::Write as _;

use super::wire::EntryBody;
use crate::multi::wire::SumBody;

/// Additional fields that have a column of their own.
const ADDITIONAL: &[&str] = &[
    "sourceInstrumentType",
    "sourceInstrumentId",
    "sourceInstrumentFriendlyName",
    "destinationInstrumentType",
    "destinationInstrumentId",
    "destinationInstrumentFriendlyName",
    "merchantName",
    "sender",
    "senderReference",
    "description",
    "beneficiaryName",
];

const COLUMNS: &[&str] = &[
    "transactionType",
    "transactionId",
    "entryState",
    "processedTimestamp",
    "currency",
    "transactionAmount",
    "availableBalanceAdjustment",
    "actualBalanceAdjustment",
    "balanceAfter",
    "availableBalanceAfter",
    "actualBalanceAfter",
    "transactionFee",
];

/// The whole text.
pub(in crate::multi) fn render(entries: &[EntryBody]) -> String {
    let mut text = [COLUMNS, ADDITIONAL].concat().join(",");
    text.push_str("\r\n");
    for entry in entries {
        line(&mut text, entry);
    }
    text
}

fn line(text: &mut String, entry: &EntryBody) {
    let kind = entry.transaction_id.r#type.name();
    let state = entry.entry_state.name();
    let fee = entry.transaction_fee.map(SumBody::minor);
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "{kind},{},{state},{},{},{},{},{},{},{},{},{}",
        entry.transaction_id.id.0,
        entry.processed_timestamp,
        entry.transaction_amount.currency().code(),
        entry.transaction_amount.minor(),
        entry.available_balance_adjustment.minor(),
        entry.actual_balance_adjustment.minor(),
        entry.balance_after.minor(),
        entry.available_balance_after.minor(),
        entry.actual_balance_after.minor(),
        fee.map(|fee| fee.to_string()).unwrap_or_default(),
    );
    for field in ADDITIONAL {
        text.push(',');
        let value = entry.additional_fields.get(field);
        cell(text, value.map(String::as_str).unwrap_or_default());
    }
    text.push_str("\r\n");
}

/// One text, quoted where it must be.
fn cell(text: &mut String, value: &str) {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = value.contains(['"', ',', '\r', '\n']);
    if quoted {
        text.push('"');
    }
    if formula {
        text.push('\'');
    }
    if quoted {
        text.push_str(&value.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::tests::entry;
    use super::*;

    #[test]
    fn a_line_for_each_entry() {
        let text = render(&[entry()]);
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("transactionType,transactionId,entryState,"));
        assert_eq!(
            lines[1],
            "TRANSFER,7,COMPLETED,1800000000000,EUR,-1050,-1050,-1050,3950,3950,3950,50,\
             ,,,managed_cards,2,Travel,,,,,"
        );
        assert_eq!(lines[2], "");
        let commas = |line: &str| line.matches(',').count();
        assert_eq!(commas(lines[0]), commas(lines[1]));
        assert_eq!(render(&[]).matches("\r\n").count(), 1);
    }

    #[test]
    fn texts_are_quoted_and_are_no_formulas() {
        let check = |value: &str, expected: &str| {
            let mut text = String::new();
            cell(&mut text, value);
            assert_eq!(text, expected);
        };
        check("", "");
        check("plain", "plain");
        check("a,b", "\"a,b\"");
        check("say \"hi\"", "\"say \"\"hi\"\"\"");
        check("two\nlines", "\"two\nlines\"");
        check("=1+1", "'=1+1");
        check("@x,y", "\"'@x,y\"");
        check("-5", "'-5");
    }
}
