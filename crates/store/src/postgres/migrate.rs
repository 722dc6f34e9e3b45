//! Bringing a database's tables to the version of this program.
//!
//! `schema_steps` has a row for each step of [`STEPS`]: written before the step, marked after it.
//! Each statement is a transaction of its own, so that engines whose tables do not follow
//! transactions do the same. A run that dies leaves a step that is begun and not marked; the next
//! run finds the table or index there, and marks it, or does not, and makes it.
//!
//! `schema_state` has one row: the lease of whoever is migrating, and whether the tables were ever
//! complete. Several servers may be started over an empty database at once: one makes the tables,
//! the others wait for it.
//!
//! A program runs on a database that has all of its steps. It also runs when there are newer ones,
//! as long as none of them is breaking: so servers can be replaced one after the other, after the
//! tables.

mod lease;
mod server;

use std::sync::Arc;
use std::time::Duration;

use ledger::Millis;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::connect::{ConnectError, DatabaseUrl};
use super::error::chain;
use super::schema::{STEPS, Step};
use crate::clock::{Clock, SystemClock};
use lease::Lease;
use server::Place;

pub(crate) const MAKE_STEPS: &str = "CREATE TABLE schema_steps (
    number bigint NOT NULL, name text NOT NULL, checksum bytea NOT NULL,
    least_program bigint NOT NULL, begun_ms bigint NOT NULL, applied_ms bigint,
    PRIMARY KEY (number))";
pub(crate) const MAKE_STATE: &str = "CREATE TABLE schema_state (
    id bigint NOT NULL, holder text NOT NULL, lease_until_ms bigint NOT NULL,
    complete boolean NOT NULL,
    PRIMARY KEY (id))";
pub(crate) const FIND_OBJECTS: &str = "SELECT o.name FROM (
    SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema()
    UNION ALL
    SELECT indexname::text AS name FROM pg_indexes WHERE schemaname = current_schema()
    UNION ALL
    SELECT table_name::text || '.' || column_name::text AS name
        FROM information_schema.columns WHERE table_schema = current_schema()) AS o
    WHERE o.name = ANY ($1::text[])";
pub(crate) const FIND_STEPS: &str = "SELECT number, name, checksum, least_program, applied_ms
    FROM schema_steps ORDER BY number";
pub(crate) const FIND_COMPLETE: &str = "SELECT complete FROM schema_state WHERE id = 1";
pub(crate) const BEGIN_STEP: &str =
    "INSERT INTO schema_steps (number, name, checksum, least_program, begun_ms)
    VALUES ($1, $2, $3, $4, $5)";
pub(crate) const END_STEP: &str = "UPDATE schema_steps SET applied_ms = $2 WHERE number = $1";
pub(crate) const SET_COMPLETE: &str = "UPDATE schema_state SET complete = true WHERE id = 1";

/// How long to wait for somebody else who is migrating.
const PATIENCE: Duration = Duration::from_secs(600);

/// Why the tables cannot be used or made. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The database refused a statement.
    #[error("the database: {}", chain(.0))]
    Database(#[from] tokio_postgres::Error),
    /// The database cannot hold the ledger.
    #[error("{0}")]
    Unfit(String),
    /// The role may not do what it must.
    #[error("the role {role} may not {what}; as the owner of the database, run: {statement}")]
    Rights {
        /// Who we are.
        role: String,
        /// What it may not do.
        what: String,
        /// What gives it the right.
        statement: String,
    },
    /// A table of ours is there and we did not make it.
    #[error(
        "the database has a `{0}` that Tidegate did not make; give Tidegate a database, or a \
         schema in its role's search_path, of its own"
    )]
    Foreign(String),
    /// A step is not what it was when it was applied.
    #[error(
        "step {number} of the tables ({name}) is not the one that was applied to this database; \
         it belongs to another program or another build of this one"
    )]
    Changed {
        /// Its number.
        number: i64,
        /// What the database says it was.
        name: String,
    },
    /// Only newer programs can use the tables.
    #[error(
        "the database has tables of version {found}, which programs before version {least} of the \
         tables cannot use; this one knows {known}: use a newer program"
    )]
    TooNew {
        /// The database's.
        found: i64,
        /// The least that can use them.
        least: i64,
        /// This program's.
        known: i64,
    },
    /// Somebody else is migrating and did not finish in time.
    #[error("`{holder}` is migrating this database and has not finished; try again later")]
    Busy {
        /// Who.
        holder: String,
    },
    /// Somebody else has begun to migrate because we were too slow.
    #[error("another server has taken over the migration; run it again to see that it is complete")]
    Overtaken,
}

type Result<T> = std::result::Result<T, MigrateError>;

/// What is to be done to a database's tables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The steps that are missing, by number and name.
    pub missing: Vec<(usize, &'static str)>,
    /// How many steps this program knows.
    pub known: usize,
    /// How many more the database has, of newer programs.
    pub newer: usize,
    /// Whether the tables were never complete, so that there is nothing in them.
    pub is_new: bool,
}

/// Makes the tables in one database.
#[derive(Clone)]
pub struct Migrator {
    url: DatabaseUrl,
    clock: Arc<dyn Clock>,
    steps: &'static [Step],
    patience: Duration,
}

/// A row of `schema_steps`.
struct Found {
    number: i64,
    name: String,
    checksum: Vec<u8>,
    least_program: i64,
    is_applied: bool,
}

impl Migrator {
    /// For the tables of this program in this database.
    #[must_use]
    pub fn new(url: DatabaseUrl) -> Migrator {
        Migrator {
            url,
            clock: Arc::new(SystemClock),
            steps: STEPS,
            patience: PATIENCE,
        }
    }

    /// What tells the tables of this program from those of other versions.
    #[must_use]
    pub fn digest() -> String {
        let mut hasher = blake3::Hasher::new();
        for step in STEPS {
            hasher.update(&step.checksum());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }

    /// What is to be done. Changes nothing.
    ///
    /// # Errors
    /// [`MigrateError`], when this program cannot use the database.
    pub async fn plan(&self) -> Result<Plan> {
        let client = self.url.connect().await?;
        let place = server::check(&client).await?;
        let plan = self.plan_on(&client).await;
        plan.map_err(|error| unreadable(error, &place))
    }

    /// Checks that the tables are complete and that the role may use them. The same as
    /// [`Migrator::plan`], but for a server that is about to run.
    ///
    /// # Errors
    /// [`MigrateError`], when this program or this role cannot use the database.
    pub async fn check(&self) -> Result<Plan> {
        let client = self.url.connect().await?;
        let place = server::check(&client).await?;
        let plan = self.plan_on(&client).await;
        let plan = plan.map_err(|error| unreadable(error, &place))?;
        if plan.missing.is_empty() {
            let tables = self.steps.iter().filter(|step| step.is_table());
            let tables: Vec<String> = tables.filter_map(Step::object).collect();
            place.may_use(&client, &tables).await?;
        }
        Ok(plan)
    }

    /// Does what is to be done, and tells each step after it is done. Answers how many there were.
    ///
    /// # Errors
    /// [`MigrateError`]. Steps that were told are done; a later run goes on after them.
    pub async fn run(&self, mut told: impl FnMut(usize, &'static str)) -> Result<usize> {
        let client = self.url.connect().await?;
        let place = server::check(&client).await?;
        place.may_create(&client).await?;
        self.bootstrap(&client).await?;
        let lease = Lease::take(&self.url, &self.clock, self.patience).await?;
        let done = lease.during(self.apply(&client, &mut told)).await;
        lease.give_back().await;
        done
    }

    async fn plan_on(&self, client: &Client) -> Result<Plan> {
        let known = self.steps.len();
        let numbered = (1..).zip(self.steps.iter().map(|step| step.name));
        if !self.has_begun(client).await? {
            return Ok(Plan {
                missing: numbered.collect(),
                known,
                newer: 0,
                is_new: true,
            });
        }
        let found = self.found(client).await?;
        let is_done = |number: usize| {
            let row = found.get(number - 1);
            row.is_some_and(|row| row.is_applied)
        };
        Ok(Plan {
            missing: numbered.filter(|(number, _)| !is_done(*number)).collect(),
            known,
            newer: found.len().saturating_sub(known),
            is_new: !self.was_complete(client).await?,
        })
    }

    /// Makes the two tables of this module.
    async fn bootstrap(&self, client: &Client) -> Result<()> {
        if !self.has_begun(client).await? {
            make(client, MAKE_STEPS).await?;
        }
        if !self.is_there(client, "schema_state").await? {
            make(client, MAKE_STATE).await?;
        }
        Ok(())
    }

    async fn apply(
        &self,
        client: &Client,
        told: &mut impl FnMut(usize, &'static str),
    ) -> Result<usize> {
        let found = self.found(client).await?;
        let mut done = 0;
        let mut least = 0;
        for (place, step) in self.steps.iter().enumerate() {
            let number = place as i64 + 1;
            least = if step.is_breaking { number } else { least };
            let found = found.get(place);
            if found.is_some_and(|row| row.is_applied) {
                continue;
            }
            let object = step.object().unwrap_or_default();
            let is_there = self.is_there(client, &object).await?;
            if found.is_none() {
                if is_there && step.makes() {
                    return Err(MigrateError::Foreign(object));
                }
                let Millis(now) = self.clock.now();
                let sum = step.checksum();
                client
                    .execute(
                        BEGIN_STEP,
                        &[&number, &step.name, &sum.as_slice(), &least, &now],
                    )
                    .await?;
            }
            if is_there != step.makes() {
                client.batch_execute(step.sql).await?;
            }
            let Millis(now) = self.clock.now();
            client.execute(END_STEP, &[&number, &now]).await?;
            told(place + 1, step.name);
            done += 1;
        }
        client.execute(SET_COMPLETE, &[]).await?;
        Ok(done)
    }

    /// The steps that the database has, after a look whether they are ours and can be used.
    async fn found(&self, client: &Client) -> Result<Vec<Found>> {
        let rows = client.query(FIND_STEPS, &[]).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            found.push(Found {
                number: row.try_get(0)?,
                name: row.try_get(1)?,
                checksum: row.try_get(2)?,
                least_program: row.try_get(3)?,
                is_applied: row.try_get::<_, Option<i64>>(4)?.is_some(),
            });
        }
        for (place, row) in found.iter().enumerate() {
            let step = self.steps.get(place);
            let is_same = step.is_none_or(|step| step.checksum() == *row.checksum);
            if row.number != place as i64 + 1 || !is_same {
                return Err(MigrateError::Changed {
                    number: row.number,
                    name: row.name.clone(),
                });
            }
        }
        let least = found.iter().map(|row| row.least_program).max();
        let known = self.steps.len() as i64;
        match least {
            Some(least) if least > known => Err(MigrateError::TooNew {
                found: found.len() as i64,
                least,
                known,
            }),
            _ => Ok(found),
        }
    }

    async fn was_complete(&self, client: &Client) -> Result<bool> {
        if !self.is_there(client, "schema_state").await? {
            return Ok(false);
        }
        match client.query_opt(FIND_COMPLETE, &[]).await? {
            Some(row) => Ok(row.try_get(0)?),
            None => Ok(false),
        }
    }

    async fn is_there(&self, client: &Client, object: &str) -> Result<bool> {
        let found = client.query(FIND_OBJECTS, &[&vec![object]]).await?;
        Ok(!found.is_empty())
    }

    /// Whether there is `schema_steps`, which is made before everything else: tables of our names
    /// beside which it is missing are somebody else's, and must not be written to. It is asked in
    /// one statement, as another server may be making them.
    async fn has_begun(&self, client: &Client) -> Result<bool> {
        let mut ours = self.objects();
        ours.extend(["schema_steps", "schema_state"].map(str::to_owned));
        let mut names = Vec::new();
        for row in client.query(FIND_OBJECTS, &[&ours]).await? {
            names.push(row.try_get::<_, String>(0)?);
        }
        match names.iter().any(|name| name == "schema_steps") {
            true => Ok(true),
            false => match names.pop() {
                Some(name) => Err(MigrateError::Foreign(name)),
                None => Ok(false),
            },
        }
    }

    fn objects(&self) -> Vec<String> {
        self.steps.iter().filter_map(Step::object).collect()
    }
}

/// Makes a table, or finds that another server has just made it.
async fn make(client: &Client, sql: &str) -> Result<()> {
    let made = client.batch_execute(sql).await;
    // Two that make the same table at once meet in the catalogue, where it is a unique violation.
    let ours = [
        SqlState::DUPLICATE_TABLE,
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_OBJECT,
    ];
    match made {
        Err(error) if error.code().is_some_and(|code| ours.contains(code)) => Ok(()),
        made => Ok(made?),
    }
}

/// A role that may not even look at the steps needs rights on all tables.
fn unreadable(error: MigrateError, place: &Place) -> MigrateError {
    match error {
        MigrateError::Database(error)
            if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) =>
        {
            place.no_use("schema_steps")
        }
        error => error,
    }
}

#[cfg(test)]
pub(crate) mod tests;
