use std::collections::BTreeMap;

use ledger::{Direction, InstrumentClass, Millis, Origin, Status, TransferId};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::embedded::views;
use crate::records::RememberedReply;

fn line(id: u64, status: Status) -> Line {
    let class = id.is_multiple_of(3).then_some(InstrumentClass::Card);
    Line {
        id: TransferId::new(id),
        created_at: Millis(id.cast_signed()),
        executed_at: None,
        source: Some(AccountId::new(id % 11)).filter(|id| id.raw() != 0),
        destination: None,
        profile: None,
        execution: None,
        card: None,
        tag: None,
        status,
        direction: Direction::Internal,
        origin: Origin::User,
        classes: (Some(InstrumentClass::Account), class),
    }
}

type Model = BTreeMap<(u64, u64), Line>;

/// The lists as they lie in the views, with every number beside them checked.
fn stored(connection: &Connection) -> Model {
    let sql = "SELECT owner, page, instruments, instruments_before, lines FROM owner_pages \
               JOIN owner_lines USING (first_id) ORDER BY owner, page";
    let mut find = connection.prepare(sql).expect("a valid query");
    let mut pages = find.query([]).expect("a valid query");
    let mut all = Model::new();
    let mut last: Option<(u64, u64, u64)> = None;
    while let Some(row) = pages.next().expect("it can be read") {
        let number = |column: usize| row.get::<_, i64>(column).expect("a number").cast_unsigned();
        let lines: Vec<u8> = row.get(4).expect("bytes");
        let summary = Summary::of(&lines).expect("a page");
        let (page, before) = match last {
            Some((owner, page, sum)) if owner == number(0) => (page + 1, sum),
            _ => (0, 0),
        };
        assert_eq!((number(1), number(3)), (page, before));
        assert_eq!(number(2), summary.between_instruments());
        last = Some((number(0), page, before + number(2)));
        for line in owner_page::lines(&lines).expect("a page") {
            let line = line.read().expect("a line");
            let twin = all.insert((number(0), line.id.raw()), line);
            assert_eq!(twin, None);
        }
    }
    all
}

#[derive(Clone, Debug)]
enum Step {
    /// So many new transfers of this owner.
    New(u64, usize),
    /// The transfers at these places of all ended.
    End(Vec<prop::sample::Index>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1_u64..4, 0_usize..400).prop_map(|(owner, count)| Step::New(owner, count)),
        (1_u64..4, 0_usize..3).prop_map(|(owner, count)| Step::New(owner, count)),
        vec(any::<prop::sample::Index>(), 0..30).prop_map(Step::End),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Runs of new and changed transfers, each run a few steps.
    #[test]
    fn lists_are_as_if_written_at_once(runs in vec(vec(step(), 1..4), 1..12)) {
        let connection = views::in_memory();
        let mut model = Model::new();
        let mut next = 1;
        for run in runs {
            let known = next;
            let mut written = Model::new();
            for step in run {
                match step {
                    Step::New(owner, count) => for _ in 0..count {
                        written.insert((owner, next), line(next, Status::Scheduled));
                        next += 1;
                    },
                    Step::End(places) => for place in places {
                        let all: Vec<(u64, u64)> =
                            model.keys().chain(written.keys()).copied().collect();
                        if !all.is_empty() {
                            let key = all[place.index(all.len())];
                            written.insert(key, line(key.1, Status::Complete));
                        }
                    },
                }
            }
            let lines: Vec<ListLine> = written
                .iter()
                .map(|((owner, id), line)| ListLine {
                    owner: OwnerId::new(*owner),
                    line: *line,
                    seen: *id < known,
                })
                .collect();
            owner_lists(&connection, &lines).expect("it can be written");
            model.append(&mut written);
            prop_assert_eq!(stored(&connection), model.clone());
        }
    }

    #[test]
    fn records_are_read_as_they_were_written(runs in vec(1_u64..90, 1..8)) {
        let connection = views::in_memory();
        let mut run = RememberedRun::default();
        let mut next = 1;
        for count in runs {
            run.clear();
            for number in next..next + count {
                run.push(&record(number)).expect("they follow each other");
            }
            prop_assert!(run.push(&record(next)).is_err());
            remembered(&connection, &run).expect("it can be written");
            next += count;
        }
        for number in 1..next {
            let found = crate::embedded::reads::remembered(&connection, number);
            prop_assert_eq!(found.expect("it can be read"), Some(record(number)));
        }
        for number in [0, next, next + 1, u64::MAX] {
            let found = crate::embedded::reads::remembered(&connection, number);
            prop_assert_eq!(found.expect("it can be read"), None);
        }
    }
}

fn record(number: u64) -> crate::records::Remembered {
    crate::records::Remembered {
        number,
        key: [number as u8; 16],
        body: [7; 16],
        at: Millis(number.cast_signed()),
        request_id: "r".repeat(number as usize % 30).into(),
        reply: RememberedReply::Done,
    }
}

#[test]
fn a_change_of_what_is_not_there_is_an_error() {
    let connection = views::in_memory();
    let list = |id: u64, seen: bool| {
        [ListLine {
            owner: OwnerId::new(1),
            line: line(id, Status::Complete),
            seen,
        }]
    };
    owner_lists(&connection, &list(5, false)).expect("it can be written");
    for id in [4, 6] {
        assert!(owner_lists(&connection, &list(id, true)).is_err());
    }
    assert!(owner_lists(&connection, &list(5, false)).is_err());
    let full: Vec<ListLine> = (6..)
        .take(LINES_MAX + 20)
        .flat_map(|id| list(id, false))
        .collect();
    owner_lists(&connection, &full).expect("it can be written");
    for id in [20, 5 + LINES_MAX as u64] {
        assert!(owner_lists(&connection, &list(id, false)).is_err(), "{id}");
    }
    owner_lists(&connection, &list(200, false)).expect("it can be written");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// New transfers of one owner whose ids are before some that are there.
    #[test]
    fn lists_are_in_order_whatever_order_they_came_in(
        runs in vec(vec(0_u64..2_000, 1..200), 1..10)
    ) {
        let connection = views::in_memory();
        let mut model = Model::new();
        for run in runs {
            let mut written = Model::new();
            for id in run {
                if !model.contains_key(&(1, id + 1)) {
                    written.insert((1, id + 1), line(id + 1, Status::Scheduled));
                }
            }
            let new = written.values().map(|line| ListLine {
                owner: OwnerId::new(1),
                line: *line,
                seen: false,
            });
            let new: Vec<ListLine> = new.collect();
            owner_lists(&connection, &new).expect("it can be written");
            model.append(&mut written);
            prop_assert_eq!(stored(&connection), model.clone());
            let pages = "SELECT (SELECT count(*) FROM owner_lines), count(*), \
                         coalesce(max(transfers), 0) FROM owner_pages WHERE page < \
                         (SELECT max(page) FROM owner_pages)";
            let (lines, full, most): (i64, i64, i64) = connection
                .query_row(pages, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .expect("a valid query");
            prop_assert!(lines == full + i64::from(!model.is_empty()));
            prop_assert!(full == 0 || most == LINES_MAX as i64);
        }
    }
}

#[test]
fn a_page_that_lost_entries_takes_no_more() {
    let connection = views::in_memory();
    let entry = |sequence: u64| {
        let entry = EntryRow {
            sequence,
            transfer: TransferId::new(3),
            side: ledger::Side::Credit,
            amount_minor: 1,
            balance_after: sequence.cast_signed(),
            at: Millis(0),
        };
        [(AccountId::new(1), entry)]
    };
    for sequence in 1..=20 {
        entries(&connection, &entry(sequence)).expect("it can be written");
    }
    assert!(entries(&connection, &entry(22)).is_err());
    let sql = "UPDATE entry_pages SET entries = json_remove(entries, '$[0]') WHERE page = 1";
    connection.execute(sql, []).expect("a valid statement");
    assert!(entries(&connection, &entry(21)).is_err());
}
