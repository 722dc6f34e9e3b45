use ledger::{Amount, Currency, ExternalKind, KeyId, OwnerId, RuleId, TenantId};
use proptest::prelude::*;
use std::sync::Arc;

use super::*;

fn line(id: u64) -> Line {
    let status = Status::ALL[id as usize % Status::ALL.len()];
    let class = |n: u64| match n % 3 {
        0 => None,
        1 => Some(InstrumentClass::Account),
        _ => Some(InstrumentClass::Card),
    };
    let by_card = id % 6 == 5;
    let maker = some(id % 4);
    Line {
        id: TransferId::new(id),
        created_at: Millis(1_000 + id.cast_signed()),
        executed_at: is_executed(status).then_some(Millis(2_000 - id.cast_signed())),
        source: some(id % 5).map(|n| AccountId::new(100 + n)),
        destination: some(id % 7).map(|n| AccountId::new(200 + n)),
        profile: some(id % 2).map(ProfileId::new),
        execution: maker.filter(|_| !by_card).map(ExecutionId::new),
        card: maker.filter(|_| by_card).map(AccountId::new),
        tag: some(id % 3).map(|n| tag_mark(&format!("tag {n}"))),
        status,
        direction: Direction::Internal,
        origin: match by_card {
            true => Origin::CardPurchase,
            false => Origin::User,
        },
        classes: (class(id), class(id / 3)),
    }
}

fn page(ids: std::ops::Range<u64>) -> Vec<u8> {
    let mut page = Vec::new();
    for id in ids {
        push(&mut page, line(id)).expect("in order");
    }
    page
}

proptest! {
    #[test]
    fn a_line_is_read_as_it_was_written(id in any::<u64>()) {
        let line = line(id % (1 << 62));
        let bytes = line.to_bytes();
        prop_assert_eq!(Line::from_bytes(&bytes), Ok(line));
        let raw = RawLine(&bytes);
        prop_assert_eq!(raw.id(), line.id.raw());
        prop_assert_eq!(raw.executed_ms().map(Millis), line.executed_at);
        let both = line.classes.0.is_some() && line.classes.1.is_some();
        prop_assert_eq!(raw.between_instruments(), both);
    }

    #[test]
    fn bytes_that_are_a_line_have_one_spelling(
        bytes in prop::array::uniform32(any::<u8>()),
        codes in prop::array::uniform4(0_u8..12),
    ) {
        let mut all = [0; LINE_BYTES];
        all[..32].copy_from_slice(&bytes);
        all[72..].copy_from_slice(&codes);
        if let Ok(line) = Line::from_bytes(&all) {
            prop_assert_eq!(line.to_bytes(), all);
        }
    }
}

#[test]
fn a_line_tells_what_lists_filter_by() {
    let (pod, card, bank) = (AccountId::new(1), AccountId::new(2), AccountId::new(3));
    let kind = |id: AccountId| match id.raw() {
        1 => Some(AccountKind::Pod),
        2 => Some(AccountKind::PrepaidCard),
        3 => Some(AccountKind::External(ExternalKind::Depository)),
        _ => None,
    };
    let transfer = Transfer {
        id: TransferId::new(9),
        tenant: TenantId::new(8),
        owner: OwnerId::new(7),
        source: Some(pod),
        destination: Some(card),
        amount: Amount::new(5, Currency::EUR).expect("positive"),
        direction: Direction::Internal,
        origin: Origin::Rule,
        rail: None,
        rail_delay_ms: 0,
        status: Status::Scheduled,
        error: None,
        rule: Some((RuleId::new(11), ExecutionId::new(12))),
        key: Some(KeyId::new(6)),
        description: None,
        profile: Some(ProfileId::new(13)),
        tag: Some(Arc::from("rent")),
        scheduled_at: None,
        fee_minor: 0,
        cancel_reason: None,
        card: None,
        created_at: Millis(20),
        updated_at: Millis(30),
        completed_at: None,
    };
    let made = Line::of(&transfer, kind);
    assert_eq!((made.source, made.destination), (Some(pod), Some(card)));
    let classes = (Some(InstrumentClass::Account), Some(InstrumentClass::Card));
    assert_eq!(made.classes, classes);
    assert_eq!(made.execution, Some(ExecutionId::new(12)));
    assert_eq!(made.tag, Some(tag_mark("rent")));
    assert_ne!(made.tag, Some(tag_mark("Rent")));
    assert_eq!((made.created_at, made.executed_at), (Millis(20), None));
    let ended = |status| {
        let ended = Transfer {
            status,
            source: Some(bank),
            ..transfer.clone()
        };
        Line::of(&ended, kind)
    };
    assert_eq!(ended(Status::Complete).classes.0, None);
    assert_eq!(ended(Status::Complete).executed_at, Some(Millis(30)));
    assert_eq!(ended(Status::Error).executed_at, Some(Millis(30)));
    assert_eq!(ended(Status::Cancelled).executed_at, None);
}

#[test]
fn lines_are_appended_in_order_and_changed_in_place() {
    let mut made = page(10..15);
    assert!(push(&mut made, line(14)).is_err());
    assert!(push(&mut made, line(3)).is_err());
    let changed = Line {
        status: Status::Cancelled,
        executed_at: None,
        ..line(12)
    };
    replace(&mut made, changed).expect("it is there");
    let read: Vec<u64> = lines(&made)
        .expect("whole lines")
        .map(RawLine::id)
        .collect();
    assert_eq!(read, [10, 11, 12, 13, 14]);
    assert_eq!(
        lines(&made)
            .expect("whole lines")
            .nth(2)
            .map(|l| l.status()),
        Some(9)
    );
    assert!(replace(&mut made, line(99)).is_err());
    assert!(lines(&made[1..]).is_err());
    assert!(lines(&[]).is_err());
    assert!(lines(&page(0..LINES_MAX as u64 + 1)).is_err());
}

/// The summary against a count of the lines, for pages that are not full and one that is.
#[test]
fn a_summary_tells_of_its_lines() {
    for ids in [1..2, 5..40, 300..300 + LINES_MAX as u64] {
        let lines: Vec<Line> = ids.clone().map(line).collect();
        let summary = Summary::of(&page(ids.clone())).expect("a page");
        assert_eq!(summary.count, lines.len() as u64);
        assert_eq!(
            (summary.first_id, summary.last_id),
            (ids.start, ids.end - 1)
        );
        let created = lines.iter().map(|line| line.created_at.0);
        let bounds = (created.clone().min(), created.max());
        assert_eq!(
            (Some(summary.created_ms.0), Some(summary.created_ms.1)),
            bounds
        );
        let executed: Vec<i64> = lines
            .iter()
            .filter_map(|l| Some(l.executed_at?.0))
            .collect();
        let bounds = executed
            .iter()
            .min()
            .copied()
            .zip(executed.iter().max().copied());
        assert_eq!(summary.executed_ms, bounds);
        for wanted in [
            &[][..],
            &[Status::Complete],
            &[Status::Error, Status::Scheduled],
        ] {
            let set = Statuses::among(wanted);
            let has = |line: &&Line| wanted.is_empty() || wanted.contains(&line.status);
            let both = |line: &&Line| line.classes.0.is_some() && line.classes.1.is_some();
            let count = lines.iter().filter(has).count() as u64;
            assert_eq!(summary.count_of(set, false), count);
            let count = lines.iter().filter(has).filter(both).count() as u64;
            assert_eq!(summary.count_of(set, true), count);
        }
        for line in &lines {
            let id = |id: Option<AccountId>| id.map(|id| Mark::account(id.raw()));
            let marks = [
                id(line.source),
                id(line.destination),
                line.tag.map(Mark::tag),
            ];
            assert!(
                marks
                    .into_iter()
                    .flatten()
                    .all(|mark| summary.may_have(mark))
            );
        }
        let strangers = (1_000..2_000).filter(|id| summary.may_have(Mark::account(*id)));
        let strangers = strangers.count();
        if lines.len() == LINES_MAX {
            assert!(
                strangers < 20,
                "{strangers} of 1,000 accounts look as if they were there"
            );
        } else {
            assert_eq!(strangers, 1_000, "pages that are not full say nothing");
        }
    }
}

#[test]
fn a_summary_of_something_else_is_refused() {
    let mut made = page(1..4);
    made[72] = 0;
    assert!(Summary::of(&made).is_err());
    made[72] = 10;
    assert!(Summary::of(&made).is_err());
}

#[test]
fn executed_is_what_has_ended_and_was_not_called_off() {
    let executed = Statuses::executed();
    for status in Status::ALL {
        assert_eq!(
            executed.has(status.code()),
            is_executed(status),
            "{status:?}"
        );
    }
    assert!(!is_executed(Status::Cancelled));
    assert!(!is_executed(Status::Scheduled));
    assert!(is_executed(Status::Rejected));
}
