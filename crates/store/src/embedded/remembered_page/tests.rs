use std::sync::Arc;

use ledger::{Status, TransferId};

use super::*;
use crate::records::RememberedReply;

fn record(number: u64) -> Remembered {
    let reply = match number % 3 {
        0 => RememberedReply::Done,
        1 => RememberedReply::Refused {
            code: Arc::from("insufficient_funds"),
            message: Arc::from("too little"),
        },
        _ => RememberedReply::Transfer {
            id: TransferId::new(number),
            status: Status::Complete,
            completed_at: Some(Millis(number.cast_signed() + 5)),
            source: None,
            destination: None,
        },
    };
    Remembered {
        number,
        key: [number as u8; 16],
        body: [!number as u8; 16],
        at: Millis(1_800_000_000_000 - number.cast_signed()),
        request_id: Arc::from("é".repeat(number as usize % 5)),
        reply,
    }
}

fn page(page: u64, count: u64) -> (RememberedPage, Vec<Remembered>) {
    let mut made = RememberedPage::default();
    let all: Vec<Remembered> = (first_of(page)..)
        .take(count as usize)
        .map(record)
        .collect();
    all.iter().for_each(|record| made.push(record));
    (made, all)
}

#[test]
fn a_page_is_read_as_it_was_written() {
    for count in [1, 2, RECORDS_MAX] {
        let (made, expected) = page(3, count);
        let raw = records(3, &made.keys, &made.answers).expect("as it was written");
        let read: Result<Vec<Remembered>, _> = raw.into_iter().map(RawRemembered::read).collect();
        assert_eq!(read.expect("as they were written"), expected);
        let numbers: Vec<(u64, Fingerprint)> = keys(3, &made.keys).expect("keys").collect();
        let numbered = expected.iter().map(|record| (record.number, record.key));
        assert_eq!(numbers, numbered.collect::<Vec<_>>());
    }
}

#[test]
fn what_is_no_page() {
    let (made, _) = page(0, 5);
    let read = |keys: &[u8], answers: &[u8]| records(0, keys, answers).is_ok();
    assert!(read(&made.keys, &made.answers));
    assert!(!read(&[], &[]));
    assert!(!read(&made.keys[1..], &made.answers));
    assert!(!read(&made.keys[16..], &made.answers));
    assert!(!read(&[&made.keys[..], &[0; 16]].concat(), &made.answers));
    for cut in 0..made.answers.len() {
        assert!(
            !read(&made.keys, &made.answers[..cut]),
            "{cut} bytes were read"
        );
    }
    assert!(!read(&made.keys, &[&made.answers[..], &[0]].concat()));
    let (full, _) = page(0, RECORDS_MAX + 1);
    assert!(!read(&full.keys, &full.answers));
    // A request id that is no text.
    let (mut made, _) = page(0, 1);
    made.answers[32] = 0xFF;
    assert!(!read(&made.keys, &made.answers));
}

#[test]
fn records_have_their_places() {
    assert_eq!((page_of(1), page_of(RECORDS_MAX)), (0, 0));
    assert_eq!(page_of(RECORDS_MAX + 1), 1);
    assert_eq!(first_of(2), 2 * RECORDS_MAX + 1);
}
