use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn ints() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        -1_000_i64..1_000,
        Just(i64::MIN),
        Just(i64::MAX),
        (0_u32..19, -1_i64..=1).prop_map(|(digits, off)| 10_i64.pow(digits) + off),
    ]
}

fn entry() -> impl Strategy<Value = EntryRow> {
    let amount = prop_oneof![1..1_000_000_i64, 1..=i64::MAX];
    let side = prop_oneof![Just(Side::Debit), Just(Side::Credit)];
    (any::<u64>(), side, amount, ints(), ints()).prop_map(
        |(transfer, side, amount_minor, balance_after, at)| EntryRow {
            sequence: 0,
            transfer: TransferId::new(transfer),
            side,
            amount_minor,
            balance_after,
            at: Millis(at),
        },
    )
}

fn text_of(entries: &[EntryRow]) -> String {
    let mut text = Vec::new();
    for entry in entries {
        push(&mut text, entry);
    }
    String::from_utf8(text).expect("digits and brackets")
}

fn numbered(page: u64, entries: Vec<EntryRow>) -> Vec<EntryRow> {
    (first_of(page)..)
        .zip(entries)
        .map(|(sequence, entry)| EntryRow { sequence, ..entry })
        .collect()
}

proptest! {
    #[test]
    fn a_page_is_read_as_it_was_written(
        page in 0_u64..1 << 40,
        entries in vec(entry(), 1..=ENTRIES_MAX as usize),
    ) {
        let text = text_of(&entries);
        prop_assert_eq!(parse(page, &text), Ok(numbered(page, entries)));
    }

    /// The numbers are those that JSON has, so that SQLite reads the same.
    #[test]
    fn a_page_is_json(entries in vec(entry(), 1..4)) {
        let read: Vec<[i64; 4]> = serde_json::from_str(&text_of(&entries)).expect("JSON");
        for (entry, [transfer, amount, balance_after, at]) in entries.iter().zip(read) {
            prop_assert_eq!(entry.transfer.raw().cast_signed(), transfer);
            let side = if amount < 0 { Side::Debit } else { Side::Credit };
            prop_assert_eq!((entry.side, entry.amount_minor), (side, amount.abs()));
            prop_assert_eq!((entry.balance_after, entry.at.0), (balance_after, at));
        }
    }

    /// Whatever is read is spelled in the one way.
    #[test]
    fn a_changed_page_is_another_page_or_none(
        entries in vec(entry(), 1..4),
        place in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), prop::sample::select(b"0123456789-,[] ".to_vec())],
    ) {
        let mut text = text_of(&entries).into_bytes();
        let place = place.index(text.len());
        text[place] = byte;
        if let Ok(text) = String::from_utf8(text)
            && let Ok(read) = parse(0, &text)
        {
            prop_assert_eq!(text_of(&read), text);
        }
    }

    #[test]
    fn noise_is_no_page(text in "[\\[\\],0-9\\- ]{0,40}") {
        if let Ok(read) = parse(7, &text) {
            prop_assert_eq!(text_of(&read), text);
        }
    }
}

#[test]
fn what_is_no_page() {
    let full = vec!["[1,2,3,4]"; ENTRIES_MAX as usize].join(",");
    assert!(parse(0, &format!("[{full}]")).is_ok());
    for text in [
        "",
        "[]",
        "[[]]",
        "[[1,2,3]]",
        "[[1,2,3,4,5]]",
        "[[1,2,3,4]",
        "[[1,2,3,4]]]",
        "[[1,2,3,4],]",
        "[ [1,2,3,4]]",
        "[[1,2,3,4]] ",
        "[[01,2,3,4]]",
        "[[1,2,-0,4]]",
        "[[1,0,3,4]]",
        "[[1,2,3,+4]]",
        "[[1,2,3,4.0]]",
        "[[1,2,3,null]]",
        "[[9223372036854775808,2,3,4]]",
        "[[1,-9223372036854775808,3,4]]",
        &format!("[{full},[1,2,3,4]]"),
    ] {
        assert!(parse(0, text).is_err(), "{text:?} was read");
    }
}

#[test]
fn entries_have_their_places() {
    assert_eq!((page_of(1), page_of(ENTRIES_MAX)), (0, 0));
    assert_eq!(page_of(ENTRIES_MAX + 1), 1);
    for page in [0, 1, 77] {
        assert_eq!(page_of(first_of(page)), page);
        assert_eq!(page_of(first_of(page + 1) - 1), page);
    }
}
