//! A database that a ledger is copied into.

use ledger::Millis;
use ledger::id::NODE_MAX;

use super::filler::Filler;
use super::{COUNT_COMMITS, COUNT_TENANTS, UNFINISHED, check_servers, is_unfinished, open, tally};
use crate::copy::{CopyError, Tally};
use crate::postgres::agreement::{ADD_FACT, FIND_FACT};
use crate::postgres::connect::DatabaseUrl;
use crate::postgres::failure::Failure;
use crate::postgres::rows;
use crate::postgres::session::{Call, Session};
use crate::postgres::verify::snapshot::Snapshot;
use crate::postgres::verify::verify_moment;

/// A row comes back when there was no mark.
const ADD_MARKER: &str = "INSERT INTO facts (name, value) VALUES ('copy_in_progress', $1) \
     ON CONFLICT (name) DO NOTHING RETURNING name";
const CUT_MARKER: &str = "DELETE FROM facts WHERE name = 'copy_in_progress'";
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const COMMIT: &str = "COMMIT";
const ADD_NODES: &str = "INSERT INTO nodes (node, instance, name, lease_until_ms, last_id, last_at_ms) \
     SELECT w.node, 0, 'none', 0, 0, 0 FROM unnest($1::bigint[]) AS w (node) \
     ON CONFLICT (node) DO NOTHING";
const SET_NODES: &str = "UPDATE nodes AS f \
     SET last_id = greatest(f.last_id, $1), last_at_ms = greatest(f.last_at_ms, $2)";

/// See the module. It has the mark until [`Target::finish`].
pub(crate) struct Target {
    url: DatabaseUrl,
    session: Session,
    filler: Filler,
}

impl Target {
    /// Marks an empty database as one that is being filled. `facts` are what must be the same on
    /// all of its servers.
    ///
    /// # Errors
    /// [`CopyError::Refused`] when it has a ledger, a server, a mark, or other facts; then nothing
    /// was changed.
    pub(crate) async fn begin(
        url: &DatabaseUrl,
        facts: &[(String, Vec<u8>)],
        now: Millis,
    ) -> Result<Target, CopyError> {
        let mut session = open(url).await?;
        if is_unfinished(&mut session).await? {
            return Err(CopyError::Refused(format!("{url}: {UNFINISHED}")));
        }
        // Twice: a mark on a database that is in use would keep its servers from starting again.
        check_empty(&mut session, url, now).await?;
        let mark = Call::new(ADD_MARKER).with(Vec::<u8>::new());
        if session.call(mark).await?.is_empty() {
            return Err(CopyError::Refused(format!("{url}: {UNFINISHED}")));
        }
        let mut begun = check_empty(&mut session, url, now).await;
        if begun.is_ok() {
            begun = agree(&mut session, url, facts).await;
        }
        if let Err(refused) = begun {
            session.call(Call::new(CUT_MARKER)).await?;
            return Err(refused);
        }
        Ok(Target {
            url: url.clone(),
            session,
            filler: Filler::default(),
        })
    }

    /// Takes the record of the next commit. True when [`Target::write`] is due.
    ///
    /// # Errors
    /// [`CopyError::Inconsistent`] when it does not fit what came before.
    pub(crate) fn take(&mut self, record: &[u8]) -> Result<bool, CopyError> {
        self.filler.take(record).map_err(CopyError::Inconsistent)
    }

    /// Writes what was taken, in one transaction.
    ///
    /// # Errors
    /// [`CopyError`]; the copy cannot go on.
    pub(crate) async fn write(&mut self) -> Result<(), CopyError> {
        let group = self.filler.calls()?;
        if group.is_empty() {
            return Ok(());
        }
        let mut calls = vec![Call::new(BEGIN)];
        calls.extend(group);
        calls.push(Call::new(COMMIT));
        self.session.calls(calls).await?;
        self.filler.written();
        Ok(())
    }

    /// Writes the rest, verifies everything and gives what it comes to. From now on every server
    /// issues ids and times after those of the ledger.
    ///
    /// # Errors
    /// [`CopyError`].
    pub(crate) async fn verify(&mut self) -> Result<Tally, CopyError> {
        self.write().await?;
        let nodes: Vec<i64> = (0..=i64::from(NODE_MAX)).collect();
        let after = Call::new(SET_NODES)
            .with(self.filler.last_id().cast_signed())
            .with(self.filler.last_at().0);
        let calls = vec![Call::new(ADD_NODES).with(nodes), after];
        self.session.calls(calls).await?;
        let snapshot = Snapshot::open(&self.url).await?;
        verify_moment(&snapshot).await?;
        tally(&snapshot).await
    }

    /// Takes the mark away: servers may come.
    ///
    /// # Errors
    /// [`CopyError`].
    pub(crate) async fn finish(mut self) -> Result<(), CopyError> {
        self.session.call(Call::new(CUT_MARKER)).await?;
        Ok(())
    }
}

async fn check_empty(
    session: &mut Session,
    url: &DatabaseUrl,
    now: Millis,
) -> Result<(), CopyError> {
    check_servers(session, url, now).await?;
    let mut counts = [0_u64; 2];
    for (count, sql) in counts.iter_mut().zip([COUNT_TENANTS, COUNT_COMMITS]) {
        if let Some(row) = session.call(Call::new(sql)).await?.first() {
            *count = rows::raw(row, 0).map_err(Failure::from)?;
        }
    }
    let [tenants, commits] = counts;
    if counts != [0, 0] {
        return Err(CopyError::Refused(format!(
            "{url} has a ledger already: {tenants} tenants, {commits} commits; copy into an empty \
             database"
        )));
    }
    Ok(())
}

async fn agree(
    session: &mut Session,
    url: &DatabaseUrl,
    facts: &[(String, Vec<u8>)],
) -> Result<(), CopyError> {
    for (name, value) in facts {
        let calls = vec![
            Call::new(ADD_FACT).with(name.clone()).with(value.clone()),
            Call::new(FIND_FACT).with(name.clone()),
        ];
        let answers = session.calls(calls).await?;
        let found = answers.last().and_then(|rows| rows.first());
        let found: Option<Vec<u8>> = found
            .map(|row| rows::get(row, 0))
            .transpose()
            .map_err(Failure::from)?;
        if found.as_ref() != Some(value) {
            return Err(CopyError::Refused(format!(
                "{url} has been used with another {name} than that of the ledger; copy into a \
                 database that no server has used"
            )));
        }
    }
    Ok(())
}
