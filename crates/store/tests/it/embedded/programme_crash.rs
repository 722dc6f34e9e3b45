//! Power fails while bulks run: every operation is done once, by this start or the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::{BulkId, BulkMode, Command, Reply, Steer};
use rusqlite::Connection;
use sim::disk::{Fault, FaultyDisk};
use store::embedded::verify;
use store::{Outcome, Submit};

use crate::bed::{Bed, Opened, close};
use crate::programme::{Programme, write_history};

/// Operations of each bulk, one unit each.
const OPERATIONS: u32 = 7;
/// Bulks handed in before giving up on the armed fault.
const BULKS_MAX: usize = 20;

/// What a client knows: the bulks whose handing in was answered, and whether their execution was.
type Known = BTreeMap<BulkId, bool>;

/// Hands bulks in and executes them until something is not answered.
async fn traffic(store: &Opened, programme: &Programme, known: &mut Known) {
    let (tenant, owner) = (programme.tenant, programme.owner);
    for _ in 0..BULKS_MAX {
        let submit = Command::SubmitBulk {
            tenant,
            owner,
            key: None,
            operations: Arc::from(vec![programme.order(1); OPERATIONS as usize]),
        };
        let Ok(Outcome::Done(Reply::Bulk(bulk))) = store.submit(Submit::command(submit)).await
        else {
            return;
        };
        known.insert(bulk.id, false);
        let execute = Command::SteerBulk {
            tenant,
            owner,
            bulk: bulk.id,
            steer: Steer::Execute(BulkMode::StopOnFailure),
        };
        if store.submit(Submit::command(execute)).await.is_err() {
            return;
        }
        known.insert(bulk.id, true);
        if store.quiesce(tenant).await.is_err() {
            return;
        }
    }
}

/// Each bulk's status and how many operations, and transfers of operations, it has.
fn seen(bed: &Bed) -> BTreeMap<BulkId, (u8, u32, u32)> {
    let views = Connection::open(bed.file("views.sqlite")).expect("the views are there");
    let sql = "SELECT b.id, b.status, count(o.operation), count(DISTINCT t.id) FROM bulks b \
               LEFT JOIN bulk_operations o ON o.bulk = b.id \
               LEFT JOIN transfers t ON t.id = o.transfer GROUP BY b.id";
    let mut rows = views.prepare(sql).expect("a valid query");
    let rows = rows.query_map([], |row| {
        let id = BulkId::new(row.get::<_, i64>(0)?.cast_unsigned());
        Ok((id, (row.get(1)?, row.get(2)?, row.get(3)?)))
    });
    let rows: rusqlite::Result<_> = rows.expect("a valid query").collect();
    rows.expect("the views can be read")
}

async fn check(operations: u64, seed: u64) {
    println!("power fails after {operations} operations, seed {seed}");
    let disk = FaultyDisk::new(seed);
    let mut bed = Bed::over(disk.storage());
    bed.segment_bytes = 4_000;
    let store = bed.open().await;
    let programme = write_history(&bed, &store).await;
    close(store).await;
    let before = seen(&bed);

    let store = bed.open().await;
    disk.fail_after(operations, Fault::Power);
    let mut known = Known::new();
    traffic(&store, &programme, &mut known).await;
    disk.fail_next(Fault::Power);
    store.shut_down().await.expect("no thread has panicked");
    drop(store);
    disk.crash(seed);

    let store = bed.open().await;
    store.quiesce(programme.tenant).await.expect("writes work");
    for (currency, total) in store.totals().await.expect("reads work") {
        assert_eq!(total, 0, "{currency} is off balance");
    }
    close(store).await;
    let mut after = seen(&bed);
    after.retain(|id, _| !before.contains_key(id));
    for (bulk, executed) in &known {
        let seen = after.remove(bulk).expect("it was answered");
        // Handed in and not begun, or done to the last operation, each with its own transfer.
        let whole = (4, OPERATIONS, OPERATIONS);
        assert!(
            seen == whole || (seen == (1, 0, 0) && !executed),
            "{seen:?}"
        );
    }
    // One whose handing in was not answered may be there; nobody has executed it.
    assert!(after.len() <= 1);
    assert!(after.values().all(|seen| *seen == (1, 0, 0)));
    bed.land(&disk);
    verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn at_every_change_of_the_disk() {
    for operations in 0..24 {
        check(operations, operations.wrapping_mul(77)).await;
    }
}
