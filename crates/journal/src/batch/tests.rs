use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

#[test]
fn counts_records_and_bytes() {
    let mut batch = Batch::new();
    assert!(batch.is_empty());
    assert_eq!((batch.len(), batch.bytes()), (0, 0));
    batch.push(b"abc");
    batch.record(|out| out.push(b'd'));
    assert_eq!((batch.len(), batch.bytes()), (2, 8 + 3 + 8 + 1));
    batch.clear();
    assert!(batch.is_empty());
    assert_eq!((batch.len(), batch.bytes()), (0, 0));
}

#[test]
fn a_cleared_batch_is_like_a_new_one() {
    let mut used = Batch::new();
    used.push(&[9; 1000]);
    used.clear();
    used.push(b"abc");
    let mut new = Batch::new();
    new.push(b"abc");
    assert_eq!(used.seal(1, &[0; 32]), new.seal(1, &[0; 32]));
}

#[test]
fn sealing_twice_gives_the_same_bytes() {
    let mut batch = Batch::new();
    batch.push(b"abc");
    let first = batch.seal(1, &[0; 32]).0.to_vec();
    assert_eq!(batch.seal(1, &[0; 32]).0, first);
    batch.push(b"def");
    assert_eq!(batch.len(), 2);
    assert_eq!(batch.seal(1, &[0; 32]).0.len(), first.len() + 8 + 3);
}

#[test]
fn a_panic_in_a_record_leaves_no_trace() {
    let mut batch = Batch::new();
    batch.push(b"abc");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        batch.record(|out| {
            out.extend_from_slice(b"half");
            panic!("in the middle of a record");
        });
    }));
    assert!(panicked.is_err());
    let mut expected = Batch::new();
    expected.push(b"abc");
    assert_eq!(batch.seal(1, &[0; 32]), expected.seal(1, &[0; 32]));
}

#[test]
fn limits_on_both_sides() {
    let check = |lengths: &[usize], expected: Option<&str>| {
        let mut batch = Batch::new();
        for length in lengths {
            batch.record(|out| out.resize(out.len() + length, 1));
        }
        let refused = match batch.check_limits() {
            Ok(()) => None,
            Err(JournalError::TooLarge { what, .. }) => Some(what),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(refused, expected, "{lengths:?}");
    };
    const HEADER: usize = RECORD_HEADER_BYTES;
    check(&[RECORD_BYTES_MAX], None);
    check(&[RECORD_BYTES_MAX + 1], Some("record"));
    let quarter = BATCH_BYTES_MAX / 4 - HEADER;
    check(&[quarter; 4], None);
    check(&[quarter, quarter, quarter, quarter + 1], Some("batch"));
}
