use super::*;
use crate::Batch;

const HEADER: SegmentHeader = SegmentHeader {
    number: 7,
    first_batch: 4_000_000_000_000,
    chain: [0xAB; 32],
};

#[test]
fn names() {
    assert_eq!(segment_name(1), "00000001.tgj");
    assert_eq!(segment_name(SEGMENT_NUMBER_MAX), "99999999.tgj");
    let check = |name, expected| assert_eq!(parse_segment_name(name), expected, "{name}");
    check("00000001.tgj", Some(1));
    check("99999999.tgj", Some(SEGMENT_NUMBER_MAX));
    check("00000000.tgj", None);
    check("1.tgj", None);
    check("+0000001.tgj", None);
    check("000000001.tgj", None);
    check("00000001.tgj.bak", None);
    check("views.sqlite", None);
}

#[test]
fn segment_header_round_trip() {
    assert_eq!(SegmentHeader::decode(&HEADER.encode()), Ok(HEADER));
}

#[test]
fn a_flipped_segment_header_is_damage_not_another_version() {
    for index in 0..SEGMENT_HEADER_BYTES {
        for bit in 0..8 {
            let mut bytes = HEADER.encode();
            bytes[index] ^= 1 << bit;
            let fault = SegmentHeader::decode(&bytes).expect_err("one bit is wrong");
            assert!(
                matches!(fault, HeaderFault::Damaged(_)),
                "byte {index}: {fault:?}"
            );
        }
    }
}

#[test]
fn a_header_of_another_version_says_so() {
    let mut bytes = HEADER.encode();
    bytes[8..12].copy_from_slice(&2u32.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..56]);
    bytes[56..].copy_from_slice(&crc.to_le_bytes());
    assert_eq!(SegmentHeader::decode(&bytes), Err(HeaderFault::Version(2)));
    // Also when everything after the version is laid out in another way.
    bytes[12..].fill(9);
    assert_eq!(SegmentHeader::decode(&bytes), Err(HeaderFault::Version(2)));
}

#[test]
fn batch_header_limits() {
    let check = |records, payload: usize, valid: bool| {
        let header = BatchHeader {
            number: 1,
            records,
            payload: u32::try_from(payload).expect("small"),
        };
        let decoded = BatchHeader::decode(&header.encode());
        assert_eq!(decoded, valid.then_some(header), "{header:?}");
    };
    check(1, 8, true);
    check(1, 7, false);
    check(0, 8, false);
    check(3, 24, true);
    check(3, 23, false);
    check(1, BATCH_BYTES_MAX, true);
    check(1, BATCH_BYTES_MAX + 1, false);
}

#[test]
fn zeros_are_not_a_record() {
    assert!(!matches!(check_record(&[0; 8]), RecordCheck::Valid { .. }));
    assert!(!matches!(
        check_record(&[0; 512]),
        RecordCheck::Valid { .. }
    ));
}

/// Fails when the bytes on disk change: then the version must change too.
#[test]
fn the_bytes_of_version_1() {
    let mut batch = Batch::new();
    batch.push(b"one");
    batch.push(b"");
    batch.push(b"three");
    let (bytes, chain) = batch.seal(42, &[1; 32]);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        concat!(
            "f55447fe2a000000000000000300000020000000c364c03e03000000009aa929",
            "6f6e65000000001cdf442105000000097e792c7468726565a12e0afca3575131",
            "2495d650d5534aff57000ea8b0b667007b9d3e5bada7386056f41657",
        )
    );
    assert_eq!(bytes[bytes.len() - TRAILER_BYTES..][..32], chain);
}

#[test]
fn a_batch_is_checked_against_the_chain() {
    let mut batch = Batch::new();
    batch.push(b"one");
    let (bytes, chain) = batch.seal(42, &[1; 32]);
    let header = BatchHeader::decode(bytes).expect("just made");
    assert_eq!(check_batch(bytes, &header, &[1; 32]), Ok(chain));
    let fault = check_batch(bytes, &header, &[2; 32]).expect_err("another history");
    assert_eq!(fault.what, "hash chain broken");
}
