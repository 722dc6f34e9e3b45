use ledger::{Millis, Side, TransferId};
use sim::disk::SplitMix64;
use sim::postgres::Database;

use super::*;
use crate::StoreError;
use crate::postgres::migrate::tests::complete;
use crate::postgres::pool::READS;

const ACCOUNT: AccountId = AccountId::new(5);

/// Entries of 1 minor unit each at these times, of account 5 and, only the first, of its
/// neighbours; `None` leaves one out.
fn table(times: &[Option<i64>]) -> (Database, Readers) {
    let database = complete();
    let mut script = Vec::new();
    for account in [4, 5, 6] {
        let count = if account == 5 { times.len() } else { 1 };
        script.push(format!(
            "INSERT INTO accounts (owner, id, tenant, kind, name, currency, state, \
             can_be_source, can_be_destination, created_ms, updated_ms, balance, held, entries, \
             chain, entries_until_ms) VALUES (1, {account}, 1, 2, 'Pod', 'USD', 1, true, true, \
             0, 0, {count}, 0, {count}, '', 0)"
        ));
        let mut until = i64::MIN;
        for (number, at) in (1..).zip(&times[..count]) {
            let Some(at) = at else { continue };
            until = until.max(*at);
            script.push(format!(
                "INSERT INTO entries VALUES \
                 (1, {account}, {number}, {number}, 2, 1, {number}, {at}, {until}, '')"
            ));
        }
    }
    database.sql(&script.join(";"));
    let url = database.url().parse().expect("a URL");
    let readers = Readers::new(&url, &READS).expect("a pool");
    (database, readers)
}

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

/// Late entries count as being as young as the youngest before them.
#[tokio::test]
async fn a_span_is_a_run_of_entries_even_when_some_are_late() {
    let random = &mut SplitMix64::new(7);
    let below = |random: &mut SplitMix64, bound| random.below(bound) as i64;
    for length in [1, 2, 3, 64, 201] {
        let mut clock = 0;
        let times: Vec<i64> = (0..length)
            .map(|_| {
                clock += below(random, 9) - 3;
                clock
            })
            .collect();
        let entries = made(&times);
        let mut latest = i64::MIN;
        let counted: Vec<i64> = times
            .iter()
            .map(|at| {
                latest = latest.max(*at);
                latest
            })
            .collect();
        let given: Vec<Option<i64>> = times.iter().copied().map(Some).collect();
        let (_database, readers) = table(&given);
        for _ in 0..100 {
            let span = |random: &mut SplitMix64| {
                let at = below(random, length as usize + 20) - 10;
                Some(Millis(at)).filter(|_| random.below(5) > 0)
            };
            let query = EntryQuery {
                account: ACCOUNT,
                from: span(random),
                to: span(random),
                newest_first: random.below(2) == 0,
                offset: random.below(40),
                limit: random.below(40),
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
            let page = readers.entries_between(&query).await.expect("reads work");
            assert_eq!(page.count, expected.len() as u64, "{query:?}");
            if let (Some(first), Some(last)) = (expected.first(), expected.last()) {
                assert_eq!(page.balance_before, first.balance_after - 1, "{query:?}");
                assert_eq!(page.balance_after, last.balance_after, "{query:?}");
            }
            if query.newest_first {
                expected.reverse();
            }
            let expected = expected.into_iter().skip(query.offset).take(query.limit);
            assert_eq!(page.rows, expected.collect::<Vec<_>>(), "{query:?}");
        }
    }
}

#[tokio::test]
async fn the_end_of_time_is_a_time() {
    let (_database, readers) = table(&[Some(i64::MIN), Some(0), Some(i64::MAX)]);
    for (from, to, count) in [
        (i64::MIN, i64::MAX, 3),
        (i64::MIN, i64::MIN, 1),
        (i64::MAX, i64::MAX, 1),
        (1, i64::MAX - 1, 0),
        (5, 1, 0),
    ] {
        let query = EntryQuery {
            account: ACCOUNT,
            from: Some(Millis(from)),
            to: Some(Millis(to)),
            newest_first: false,
            offset: 0,
            limit: 10,
        };
        let page = readers.entries_between(&query).await.expect("reads work");
        assert_eq!(page.count, count, "{from} to {to}");
    }
}

#[tokio::test]
async fn an_entry_that_is_gone_is_an_error() {
    let mut times = vec![Some(0); 60];
    times[30] = None;
    let (_database, readers) = table(&times);
    let all = readers.entries(ACCOUNT, None, 60).await;
    assert!(matches!(all, Err(StoreError::Corrupt(_))), "{all:?}");
    let few = readers.entries(ACCOUNT, None, 5).await;
    assert_eq!(few.map(|rows| rows.len()).ok(), Some(5));
    let query = EntryQuery {
        account: ACCOUNT,
        from: None,
        to: None,
        newest_first: false,
        offset: 0,
        limit: 60,
    };
    let all = readers.entries_between(&query).await;
    assert!(matches!(all, Err(StoreError::Corrupt(_))), "{all:?}");
}
