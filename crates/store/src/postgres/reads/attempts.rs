//! Transcripts of webhooks: rows that nothing else depends on, written without the ledger's care.

use ledger::{Millis, TenantId};

use super::{bound, id, number};
use crate::Result;
use crate::attempts::{Attempt, AttemptQuery};
use crate::history::Place;
use crate::postgres::error::Damaged;
use crate::postgres::pool::{Ask, Readers};
use crate::postgres::rows;

const ADD: &str = "INSERT INTO webhook_attempts (tenant, endpoint, id, event, tries, at_ms, \
     elapsed_ms, status, failure, request, answer) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     ON CONFLICT (tenant, endpoint, id) DO NOTHING";
const FIND: &str = "SELECT w.tenant, w.endpoint, w.id, w.event, w.tries, w.at_ms, w.elapsed_ms, \
     w.status, w.failure, w.request, w.answer FROM webhook_attempts w \
     WHERE w.tenant = $1 AND w.endpoint = $2 AND w.id < $3 \
     AND ($4::bigint IS NULL OR w.event = $4) ORDER BY w.id DESC LIMIT $5";
const CUT: &str = "DELETE FROM webhook_attempts AS w \
     WHERE w.tenant = $1 AND w.endpoint = $2 AND w.id < $3";

impl Readers {
    pub(crate) async fn add_attempts(&self, attempts: Vec<Attempt>) -> Result<()> {
        for attempt in attempts {
            let status = attempt.status.map(i64::from);
            let ask = Ask {
                sql: ADD,
                values: &[
                    &id(attempt.tenant.raw()),
                    &id(attempt.endpoint),
                    &id(attempt.id),
                    &id(attempt.event.raw()),
                    &i64::from(attempt.tries),
                    &attempt.at.0,
                    &attempt.elapsed_ms,
                    &status,
                    &attempt.failure.as_deref(),
                    &&*attempt.request,
                    &&*attempt.answer,
                ],
            };
            self.all(ask, |_| Ok(())).await?;
        }
        Ok(())
    }

    pub(crate) async fn attempts(&self, query: &AttemptQuery) -> Result<Vec<Attempt>> {
        let event = query.event.map(|event| id(event.raw()));
        let ask = Ask {
            sql: FIND,
            values: &[
                &id(query.tenant.raw()),
                &id(query.endpoint),
                &query.before.map_or(i64::MAX, bound),
                &event,
                &number(query.limit),
            ],
        };
        Ok(self.all(ask, read).await?)
    }

    pub(crate) async fn cut_attempts(
        &self,
        tenant: TenantId,
        endpoint: u64,
        before: u64,
    ) -> Result<()> {
        let ask = Ask {
            sql: CUT,
            values: &[&id(tenant.raw()), &id(endpoint), &bound(before)],
        };
        self.all(ask, |_| Ok(())).await?;
        Ok(())
    }
}

fn read(row: &tokio_postgres::Row) -> std::result::Result<Attempt, Damaged> {
    let text = |column| rows::get::<String>(row, column).map(Into::into);
    let status: Option<i64> = rows::get(row, 7)?;
    let tries: i64 = rows::get(row, 4)?;
    Ok(Attempt {
        tenant: TenantId::new(rows::raw(row, 0)?),
        endpoint: rows::raw(row, 1)?,
        id: rows::raw(row, 2)?,
        event: Place::from_raw(rows::raw(row, 3)?),
        tries: u32::try_from(tries).unwrap_or(u32::MAX),
        at: Millis(rows::get(row, 5)?),
        elapsed_ms: rows::get(row, 6)?,
        status: status.and_then(|status| u16::try_from(status).ok()),
        failure: rows::get::<Option<String>>(row, 8)?.map(Into::into),
        request: text(9)?,
        answer: text(10)?,
    })
}
