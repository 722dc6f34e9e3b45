//! Who may migrate: one at a time, for as long as its lease is renewed.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger::Millis;
use tokio_postgres::Client;

use super::{MigrateError, Result};
use crate::clock::Clock;
use crate::postgres::connect::DatabaseUrl;

pub(crate) const MAKE_ROW: &str =
    "INSERT INTO schema_state (id, holder, lease_until_ms, complete) VALUES (1, '', 0, false)
    ON CONFLICT (id) DO NOTHING";
pub(crate) const TAKE: &str = "UPDATE schema_state SET holder = $1, lease_until_ms = $2
    WHERE id = 1 AND (lease_until_ms < $3 OR holder = $1)";
pub(crate) const FIND_HOLDER: &str = "SELECT holder FROM schema_state WHERE id = 1";
pub(crate) const GIVE_BACK: &str =
    "UPDATE schema_state SET lease_until_ms = 0 WHERE id = 1 AND holder = $1";

/// Milliseconds that a lease lasts; a step may take longer, as it is renewed meanwhile.
const LEASE_MS: i64 = 30_000;
/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(5);
/// How often somebody who waits looks whether it is free.
const LOOK: Duration = Duration::from_millis(100);

/// The right to migrate, on a connection of its own.
pub(super) struct Lease {
    client: Client,
    clock: Arc<dyn Clock>,
    holder: String,
}

impl Lease {
    /// Waits until nobody else has it. Needs the table `schema_state`.
    pub async fn take(
        url: &DatabaseUrl,
        clock: &Arc<dyn Clock>,
        patience: Duration,
    ) -> Result<Lease> {
        let client = url.connect().await?;
        client.execute(MAKE_ROW, &[]).await?;
        let lease = Lease {
            client,
            clock: Arc::clone(clock),
            holder: own_name(),
        };
        let begun = Instant::now();
        let mut is_told = false;
        while !lease.renew().await? {
            let row = lease.client.query_one(FIND_HOLDER, &[]).await?;
            let holder: String = row.try_get(0)?;
            if begun.elapsed() >= patience {
                return Err(MigrateError::Busy { holder });
            }
            if !is_told {
                tracing::info!(holder, "waiting for somebody else who is migrating");
                is_told = true;
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(lease)
    }

    /// Takes it, or takes it for longer; false when somebody else has it.
    async fn renew(&self) -> Result<bool> {
        let Millis(now) = self.clock.now();
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&self.holder, &(now + LEASE_MS), &now];
        Ok(self.client.execute(TAKE, &values).await? == 1)
    }

    /// Does the work and keeps the lease meanwhile. Gives the work up when it is lost.
    pub async fn during<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(RENEW) => {
                    if !self.renew().await? {
                        return Err(MigrateError::Overtaken);
                    }
                }
            }
        }
    }

    /// Lets the next one begin at once. Without it, the lease ends by its time.
    pub async fn give_back(self) {
        if let Err(error) = self.client.execute(GIVE_BACK, &[&self.holder]).await {
            tracing::debug!(%error, "the lease on the migration ends by itself");
        }
    }
}

/// This run, as nobody else is called.
fn own_name() -> String {
    let machine = rustix::system::uname();
    let random = RandomState::new().build_hasher().finish();
    format!(
        "{}, process {}, run {random:016x}",
        machine.nodename().to_string_lossy(),
        std::process::id()
    )
}
