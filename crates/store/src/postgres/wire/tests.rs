use std::future::Future as _;

use sim::postgres::{Cluster, Link, Options, empty_database};

use super::*;
use crate::postgres::connect::DatabaseUrl;
use crate::postgres::rows;

async fn wire(url: &str) -> Wire {
    let url: DatabaseUrl = url.parse().expect("a URL");
    Wire::new(url.stream().await.expect("a connection"))
}

type Values<'a> = Vec<&'a (dyn ToSql + Sync)>;

impl Wire {
    /// Prepares and runs statements together.
    async fn run(&mut self, calls: &[(&str, Values<'_>)]) -> Result<Vec<Vec<Row>>, Failure> {
        let texts: Vec<&str> = calls.iter().map(|(text, _)| *text).collect();
        let prepared = self.prepare(&texts).await?;
        for (statement, (_, values)) in prepared.iter().zip(calls) {
            self.send(statement, values.iter().copied())?;
        }
        self.answers(&prepared.iter().collect::<Vec<_>>(), || ())
            .await
    }

    async fn number(&mut self, text: &str) -> i64 {
        let answers = self.run(&[(text, vec![])]).await.expect("an answer");
        rows::get(&answers[0][0], 0).expect("a number")
    }
}

#[tokio::test]
async fn statements_are_answered_in_their_order() {
    let database = empty_database();
    let mut wire = wire(database.url()).await;
    let (twice, nothing) = (vec![3_i64, 4], None::<i64>);
    let answers = wire
        .run(&[
            ("BEGIN", vec![]),
            ("SELECT * FROM unnest($1::bigint[])", vec![&twice]),
            ("SELECT 1 WHERE false", vec![]),
            ("SELECT 'seven', $1::bigint", vec![&nothing]),
            ("COMMIT", vec![]),
        ])
        .await
        .expect("answers");
    let lengths: Vec<usize> = answers.iter().map(Vec::len).collect();
    assert_eq!(lengths, [0, 2, 0, 1, 0]);
    assert_eq!(rows::get::<i64>(&answers[1][1], 0).expect("a number"), 4);
    let row = &answers[3][0];
    assert_eq!(rows::get::<&str>(row, 0).expect("a text"), "seven");
    assert_eq!(rows::get::<Option<i64>>(row, 1).expect("nothing"), None);
    for damaged in [
        rows::get::<i64>(row, 0).map(drop),
        rows::get::<i64>(row, 1).map(drop),
        rows::get::<i64>(row, 2).map(drop),
    ] {
        damaged.expect_err("not a number");
    }
}

#[tokio::test]
async fn nothing_is_done_of_what_follows_a_failure() {
    let database = empty_database();
    database.sql("CREATE TABLE marks (mark bigint PRIMARY KEY)");
    let mut wire = wire(database.url()).await;
    let add = "INSERT INTO marks SELECT $1";
    let failed = wire
        .run(&[
            ("BEGIN", vec![]),
            (add, vec![&1_i64]),
            (add, vec![&1_i64]),
            (add, vec![&2_i64]),
            ("COMMIT", vec![]),
        ])
        .await;
    match failed {
        Err(Failure::Taken(text)) => assert!(text.contains("(mark)=(1)"), "{text}"),
        other => panic!("{other:?}"),
    }
    wire.run(&[("ROLLBACK", vec![])]).await.expect("it is open");
    assert_eq!(wire.number("SELECT count(*) FROM marks").await, 0);
    let done = wire.run(&[(add, vec![&1_i64]), (add, vec![&2_i64])]).await;
    done.expect("nothing is there");
    assert_eq!(wire.number("SELECT count(*) FROM marks").await, 2);
}

#[tokio::test]
async fn what_does_not_fit_is_not_sent() {
    let database = empty_database();
    let mut wire = wire(database.url()).await;
    let prepared = wire.prepare(&["SELECT $1::bigint"]).await.expect("it is");
    let values: [Values<'_>; 3] = [vec![], vec![&1_i64, &2_i64], vec![&"one"]];
    for values in values {
        match wire.send(&prepared[0], values.into_iter()) {
            Err(Failure::Impossible(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(wire.number("SELECT 5::bigint").await, 5);
    let failed = wire.prepare(&["SELECT nothing FROM nowhere"]).await;
    assert!(matches!(failed, Err(Failure::Impossible(_))), "{failed:?}");
    assert_eq!(wire.number("SELECT 6::bigint").await, 6);
}

/// Each side has more to say than the sockets between them can hold.
#[tokio::test]
async fn much_is_sent_while_much_comes() {
    let database = empty_database();
    let mut wire = wire(database.url()).await;
    let long = vec![b'x'; 4 << 20];
    let text = "SELECT $1::bytea";
    let calls: Vec<(&str, Values<'_>)> = (0..6).map(|_| (text, vec![&long as _])).collect();
    let answers = wire.run(&calls).await.expect("answers");
    assert_eq!(answers.len(), 6);
    for answer in answers {
        assert!(rows::get::<&[u8]>(&answer[0], 0).expect("bytes") == long);
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_is_of_no_use() {
    let cluster = Cluster::start(&Options::default());
    let link = Link::to(cluster.port());
    let mut cut = wire(&link.url("postgres")).await;
    assert_eq!(cut.number("SELECT 1::bigint").await, 1);
    link.cut();
    for _ in 0..2 {
        let lost = cut.run(&[("SELECT 1", vec![])]).await;
        assert!(matches!(lost, Err(Failure::Lost(_))), "{lost:?}");
    }
    let mut ended = wire(&cluster.url("postgres")).await;
    let end = "SELECT pg_terminate_backend(pg_backend_pid())";
    match ended.run(&[(end, vec![])]).await {
        Err(Failure::Lost(reason)) => assert!(reason.contains("terminating"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

/// Who gives up waiting cannot take a later answer for its own.
#[tokio::test]
async fn an_answer_that_was_not_waited_for_is_never_taken_for_another() {
    let database = empty_database();
    let mut wire = wire(database.url()).await;
    let prepared = wire.prepare(&["SELECT pg_sleep(0.01)"]).await;
    let prepared = prepared.expect("it is");
    wire.send(&prepared[0], [].into_iter()).expect("no values");
    let statements = [&prepared[0]];
    let mut waiting = Box::pin(wire.answers(&statements, || ()));
    let is_pending = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending()));
    assert!(is_pending.await);
    drop(waiting);
    let refused = wire.run(&[("SELECT 1", vec![])]).await;
    assert!(matches!(refused, Err(Failure::Lost(_))), "{refused:?}");
}
