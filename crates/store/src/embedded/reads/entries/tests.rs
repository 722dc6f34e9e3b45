use ledger::{Millis, Side, TransferId};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::embedded::{fill, views};

const ACCOUNT: AccountId = AccountId::new(5);

/// Entries of 1 minor unit each at these times.
fn made(times: &[i64]) -> Vec<EntryRow> {
    (1_u64..)
        .zip(times)
        .map(|(sequence, at)| EntryRow {
            sequence,
            transfer: TransferId::new(sequence),
            side: Side::Credit,
            amount_minor: 1,
            balance_after: sequence.cast_signed(),
            at: Millis(*at),
        })
        .collect()
}

/// Views with these entries, written in runs of different lengths, and those of two neighbours.
fn views(entries: &[EntryRow]) -> Connection {
    let connection = views::in_memory();
    for neighbour in [ACCOUNT.raw() - 1, ACCOUNT.raw() + 1] {
        let one = made(&[3]).remove(0);
        fill::entries(&connection, &[(AccountId::new(neighbour), one)]).expect("written");
    }
    let mut rest = entries;
    for length in [1, 15, 16, 17, 2, 40, 3].into_iter().cycle() {
        let (run, after) = rest.split_at(length.min(rest.len()));
        if run.is_empty() {
            break;
        }
        let run: Vec<_> = run.iter().map(|entry| (ACCOUNT, entry.clone())).collect();
        fill::entries(&connection, &run).expect("it can be written");
        rest = after;
    }
    connection
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    /// Late entries count as being as young as the youngest before them.
    #[test]
    fn a_span_is_a_run_of_entries_even_when_some_are_late(
        steps in vec(-3_i64..6, 0..200),
        spans in vec((-5_i64..400, -5_i64..400, any::<bool>(), 0_usize..40, 0_usize..40), 1..40),
    ) {
        let mut clock = 0;
        let times: Vec<i64> = steps.iter().map(|step| { clock += step; clock }).collect();
        let entries = made(&times);
        let connection = views(&entries);
        let mut latest = i64::MIN;
        let counted: Vec<i64> =
            times.iter().map(|at| { latest = latest.max(*at); latest }).collect();
        for (from, to, newest_first, offset, limit) in spans {
            let query = EntryQuery {
                account: ACCOUNT,
                from: Some(Millis(from)).filter(|_| from > -4),
                to: Some(Millis(to)).filter(|_| to > -4),
                newest_first,
                offset,
                limit,
            };
            let within = |at: i64| {
                query.from.is_none_or(|from| at >= from.0) && query.to.is_none_or(|to| at <= to.0)
            };
            let mut expected: Vec<EntryRow> = entries
                .iter()
                .zip(&counted)
                .filter(|(_, at)| within(**at))
                .map(|(entry, _)| entry.clone())
                .collect();
            let page = entries_between(&connection, &query).expect("it can be read");
            prop_assert_eq!(page.count, expected.len() as u64);
            if let (Some(first), Some(last)) = (expected.first(), expected.last()) {
                prop_assert_eq!(page.balance_before, first.balance_after - 1);
                prop_assert_eq!(page.balance_after, last.balance_after);
            }
            if newest_first {
                expected.reverse();
            }
            let expected: Vec<EntryRow> =
                expected.into_iter().skip(offset).take(limit).collect();
            prop_assert_eq!(page.rows, expected);
        }
    }
}

#[test]
fn the_end_of_time_is_a_time() {
    let entries = made(&[i64::MIN, 0, i64::MAX]);
    let connection = views(&entries);
    let query = |from, to| EntryQuery {
        account: ACCOUNT,
        from: Some(Millis(from)),
        to: Some(Millis(to)),
        newest_first: false,
        offset: 0,
        limit: 10,
    };
    let count = |from, to| {
        let page = entries_between(&connection, &query(from, to));
        page.expect("it can be read").count
    };
    assert_eq!(count(i64::MIN, i64::MAX), 3);
    assert_eq!(count(i64::MIN, i64::MIN), 1);
    assert_eq!(count(i64::MAX, i64::MAX), 1);
    assert_eq!(count(1, i64::MAX - 1), 0);
    assert_eq!(count(5, 1), 0);
}

#[test]
fn a_page_that_is_gone_is_an_error() {
    let connection = views(&made(&[0; 60]));
    let sql = "DELETE FROM entry_pages WHERE page = 1 AND account = 5";
    connection.execute(sql, []).expect("a valid statement");
    assert!(entries(&connection, ACCOUNT, None, 60).is_err());
    assert_eq!(
        entries(&connection, ACCOUNT, None, 5).map(|rows| rows.len()),
        Ok(5)
    );
}
