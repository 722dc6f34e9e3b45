//! Transfers, bulks and waiting work.

use ledger::{AccountId, OperationOutcome, OwnerId, State, Transfer, Work};

use super::Write;
use super::columns::{code, line, row, signed, text};
use crate::codec::{self, work_parts};
use crate::postgres::due::lane_of;
use crate::postgres::failure::Failure;
use crate::postgres::session::Call;

const ADD_TRANSFERS: &str = "INSERT INTO transfers \
     (owner, id, tenant, source, destination, currency, amount, direction, origin, rail, \
     rail_delay_ms, status, error, rule, execution, api_key, description, created_ms, \
     updated_ms, completed_ms, profile, tag, scheduled_ms, fee, cancel_reason, between_instruments, \
     card) \
     SELECT ($3::bigint[])[w.place + 1], ($3::bigint[])[w.place + 2], \
     ($3::bigint[])[w.place + 3], \
     nullif(($3::bigint[])[w.place + 4], -9223372036854775807), \
     nullif(($3::bigint[])[w.place + 5], -9223372036854775807), \
     ($4::text[])[w.line], ($3::bigint[])[w.place + 6], \
     ($3::bigint[])[w.place + 7], ($3::bigint[])[w.place + 8], \
     nullif(($3::bigint[])[w.place + 9], -9223372036854775807), \
     ($3::bigint[])[w.place + 10], ($3::bigint[])[w.place + 11], \
     nullif(($3::bigint[])[w.place + 12], -9223372036854775807), \
     nullif(($3::bigint[])[w.place + 13], -9223372036854775807), \
     nullif(($3::bigint[])[w.place + 14], -9223372036854775807), \
     nullif(($3::bigint[])[w.place + 15], -9223372036854775807), \
     ($5::text[])[w.line], ($3::bigint[])[w.place + 16], \
     ($3::bigint[])[w.place + 17], \
     nullif(($3::bigint[])[w.place + 18], -9223372036854775807), \
     nullif(($3::bigint[])[w.place + 19], -9223372036854775807), \
     ($6::text[])[w.line], \
     nullif(($3::bigint[])[w.place + 20], -9223372036854775807), \
     ($3::bigint[])[w.place + 21], ($7::text[])[w.line], \
     ($3::bigint[])[w.place + 22] <> 0, \
     nullif(($3::bigint[])[w.place + 23], -9223372036854775807) \
     FROM unnest($1::bigint[], $2::bigint[]) AS w (line, place)";
const SET_TRANSFERS: &str = "UPDATE transfers AS t \
     SET status = w.status, error = w.error, updated_ms = w.updated_ms, \
     completed_ms = w.completed_ms, fee = w.fee, cancel_reason = w.cancel_reason \
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
     $6::bigint[], $7::bigint[], $8::text[]) \
     AS w (owner, id, status, error, updated_ms, completed_ms, fee, cancel_reason) \
     WHERE t.owner = w.owner AND t.id = w.id";
const ADD_BULKS: &str = "INSERT INTO bulks \
     (owner, id, tenant, api_key, status, mode, succeeded, failed, created_ms, started_ms, \
     finished_ms, submitted, operations) \
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
     $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], \
     $12::bigint[], $13::bytea[])";
const SET_BULKS: &str = "UPDATE bulks AS b \
     SET status = w.status, mode = w.mode, succeeded = w.succeeded, failed = w.failed, \
     started_ms = w.started_ms, finished_ms = w.finished_ms \
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
     $6::bigint[], $7::bigint[], $8::bigint[]) \
     AS w (owner, id, status, mode, succeeded, failed, started_ms, finished_ms) \
     WHERE b.owner = w.owner AND b.id = w.id";
const ADD_OPERATIONS: &str = "INSERT INTO bulk_operations \
     (owner, bulk, operation, transfer, status, denial) \
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
     $6::bigint[])";
const ADD_DUE: &str = "INSERT INTO due (owner, kind, object, at_ms, tenant, lane, machine_ms) \
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
     $6::bigint[], $7::bigint[])";
const CUT_DUE: &str = "DELETE FROM due AS d \
     USING unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) \
     AS w (owner, kind, object, at_ms) \
     WHERE d.owner = w.owner AND d.kind = w.kind AND d.object = w.object AND d.at_ms = w.at_ms";

line!(NewTransfer {
    numbers {
        owner: i64,
        id: i64,
        tenant: i64,
        source: Option<i64>,
        destination: Option<i64>,
        amount: i64,
        direction: i64,
        origin: i64,
        rail: Option<i64>,
        rail_delay_ms: i64,
        status: i64,
        error: Option<i64>,
        rule: Option<i64>,
        execution: Option<i64>,
        api_key: Option<i64>,
        created_ms: i64,
        updated_ms: i64,
        completed_ms: Option<i64>,
        profile: Option<i64>,
        scheduled_ms: Option<i64>,
        fee: i64,
        between_instruments: bool,
        card: Option<i64>,
    }
    texts {
        currency: String,
        description: Option<String>,
        tag: Option<String>,
        cancel_reason: Option<String>,
    }
});
row!(MovedTransfer {
    owner: i64,
    id: i64,
    status: i64,
    error: Option<i64>,
    updated_ms: i64,
    completed_ms: Option<i64>,
    fee: i64,
    cancel_reason: Option<String>,
});
row!(NewBulk {
    owner: i64,
    id: i64,
    tenant: i64,
    api_key: Option<i64>,
    status: i64,
    mode: Option<i64>,
    succeeded: i64,
    failed: i64,
    created_ms: i64,
    started_ms: Option<i64>,
    finished_ms: Option<i64>,
    submitted: i64,
    operations: Vec<u8>,
});
row!(MovedBulk {
    owner: i64,
    id: i64,
    status: i64,
    mode: Option<i64>,
    succeeded: i64,
    failed: i64,
    started_ms: Option<i64>,
    finished_ms: Option<i64>,
});
row!(Operation {
    owner: i64,
    bulk: i64,
    operation: i64,
    transfer: Option<i64>,
    status: Option<i64>,
    denial: Option<i64>,
});
row!(NewDue {
    owner: i64,
    kind: i64,
    object: i64,
    at_ms: i64,
    tenant: i64,
    lane: i64,
    machine_ms: i64,
});
row!(DoneDue {
    owner: i64,
    kind: i64,
    object: i64,
    at_ms: i64,
});

impl Write<'_> {
    pub(super) fn transfers(&self, calls: &mut Vec<Call>) -> Result<(), Failure> {
        let transfers = || self.changed.gathered.transfers.iter();
        let new = transfers().filter(|(_, seen)| !seen);
        let new = new.map(|(transfer, _)| NewTransfer::of(transfer, self.state));
        NewTransfer::call(ADD_TRANSFERS, new, calls)?;
        let moved = transfers().filter(|(_, seen)| *seen);
        let moved = moved.map(|(transfer, _)| MovedTransfer {
            owner: signed(transfer.owner.raw()),
            id: signed(transfer.id.raw()),
            status: code(transfer.status),
            error: transfer.error.map(code),
            updated_ms: transfer.updated_at.0,
            completed_ms: transfer.completed_at.map(|at| at.0),
            fee: transfer.fee_minor,
            cancel_reason: text(&transfer.cancel_reason),
        });
        MovedTransfer::call(SET_TRANSFERS, moved, calls);
        Ok(())
    }

    pub(super) fn bulks(&self, calls: &mut Vec<Call>) {
        let gathered = &self.changed.gathered;
        let (mut new, mut moved) = (Vec::new(), Vec::new());
        for line in gathered.bulks.values() {
            let bulk = &line.bulk;
            let row = MovedBulk {
                owner: signed(bulk.owner.raw()),
                id: signed(bulk.id.raw()),
                status: code(bulk.status),
                mode: bulk.mode.map(code),
                succeeded: bulk.succeeded.into(),
                failed: bulk.failed.into(),
                started_ms: bulk.started_at.map(|at| at.0),
                finished_ms: bulk.finished_at.map(|at| at.0),
            };
            if line.seen {
                moved.push(row);
                continue;
            }
            new.push(NewBulk {
                owner: row.owner,
                id: row.id,
                tenant: signed(bulk.tenant.raw()),
                api_key: bulk.key.map(|key| signed(key.raw())),
                status: row.status,
                mode: row.mode,
                succeeded: row.succeeded,
                failed: row.failed,
                created_ms: bulk.created_at.0,
                started_ms: row.started_ms,
                finished_ms: row.finished_ms,
                submitted: i64::try_from(bulk.operations.len()).unwrap_or(i64::MAX),
                operations: codec::operations_to_bytes(&bulk.operations),
            });
        }
        NewBulk::call(ADD_BULKS, new, calls);
        MovedBulk::call(SET_BULKS, moved, calls);
        let mut operations = Vec::with_capacity(gathered.operations.len());
        for (bulk, operation, outcome) in &gathered.operations {
            let Some(line) = gathered.bulks.get(bulk) else {
                continue;
            };
            let (transfer, status, denial) = match outcome {
                OperationOutcome::Made(id, status) => {
                    (Some(signed(id.raw())), Some(code(*status)), None)
                }
                OperationOutcome::Denied(denial) => (None, None, Some(code(*denial))),
                OperationOutcome::ProfileNotFound => (None, None, None),
            };
            operations.push(Operation {
                owner: signed(line.bulk.owner.raw()),
                bulk: signed(bulk.raw()),
                operation: (*operation).into(),
                transfer,
                status,
                denial,
            });
        }
        Operation::call(ADD_OPERATIONS, operations, calls);
    }

    pub(super) fn due(
        &self,
        mut owner_of: impl FnMut(Work) -> Option<OwnerId>,
        calls: &mut Vec<Call>,
    ) -> Result<(), Failure> {
        let (mut new, mut done) = (Vec::new(), Vec::new());
        for (due, waits) in self.changed.gathered.due.sorted() {
            // What went and came again is as it was, and so is what came and went.
            if waits == self.stored.has_due(&due) {
                continue;
            }
            let owner = owner_of(due.work);
            let (Some(owner), Some(tenant)) = (owner, self.state.tenant(due.tenant)) else {
                return Err(Failure::Again("whose work it is was forgotten".into()));
            };
            let (kind, object) = work_parts(due.work);
            let key = DoneDue {
                owner: signed(owner.raw()),
                kind: kind.into(),
                object: signed(object),
                at_ms: due.at.0,
            };
            if !waits {
                done.push(key);
                continue;
            }
            new.push(NewDue {
                owner: key.owner,
                kind: key.kind,
                object: key.object,
                at_ms: key.at_ms,
                tenant: signed(due.tenant.raw()),
                lane: lane_of(owner),
                machine_ms: tenant.clock.machine_time_of(due.at).0,
            });
        }
        DoneDue::call(CUT_DUE, done, calls);
        NewDue::call(ADD_DUE, new, calls);
        Ok(())
    }
}

impl NewTransfer {
    fn of(transfer: &Transfer, state: &State) -> NewTransfer {
        let is_instrument = |account: Option<AccountId>| {
            let account = account.and_then(|id| state.account(id));
            account.is_some_and(|account| account.kind.instrument().is_some())
        };
        NewTransfer {
            owner: signed(transfer.owner.raw()),
            id: signed(transfer.id.raw()),
            tenant: signed(transfer.tenant.raw()),
            source: transfer.source.map(|id| signed(id.raw())),
            destination: transfer.destination.map(|id| signed(id.raw())),
            currency: transfer.amount.currency().code().to_owned(),
            amount: transfer.amount.minor(),
            direction: code(transfer.direction),
            origin: code(transfer.origin),
            rail: transfer.rail.map(code),
            rail_delay_ms: transfer.rail_delay_ms,
            status: code(transfer.status),
            error: transfer.error.map(code),
            rule: transfer.rule.map(|(rule, _)| signed(rule.raw())),
            execution: transfer.rule.map(|(_, execution)| signed(execution.raw())),
            api_key: transfer.key.map(|key| signed(key.raw())),
            description: text(&transfer.description),
            created_ms: transfer.created_at.0,
            updated_ms: transfer.updated_at.0,
            completed_ms: transfer.completed_at.map(|at| at.0),
            profile: transfer.profile.map(|id| signed(id.raw())),
            tag: text(&transfer.tag),
            scheduled_ms: transfer.scheduled_at.map(|at| at.0),
            fee: transfer.fee_minor,
            cancel_reason: text(&transfer.cancel_reason),
            between_instruments: is_instrument(transfer.source)
                && is_instrument(transfer.destination),
            card: transfer.card.map(|id| signed(id.raw())),
        }
    }
}
