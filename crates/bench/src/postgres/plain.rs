//! The baseline: a ledger as one writes it in SQL, one function called once for each transfer.
//!
//! Lock the two accounts in the order of their ids, refuse an overdraft, insert the transfer and its
//! two entries, change the balances, commit. Each connection calls it as a prepared statement, the
//! next call when the last has returned. No idempotency keys, no states, no history of commits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

use super::Shape;
use crate::load::{Driven, Load};
use crate::random::Random;
use crate::report::Checks;

const SCHEMA: &str = "
CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint NOT NULL);
CREATE TABLE transfers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source bigint NOT NULL,
    destination bigint NOT NULL, amount bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE entries (
    account bigint NOT NULL, transfer bigint NOT NULL, amount bigint NOT NULL,
    balance_after bigint NOT NULL,
    PRIMARY KEY (account, transfer));
CREATE FUNCTION move(payer bigint, payee bigint, sum bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
    left_over bigint;
    arrived bigint;
BEGIN
    PERFORM 1 FROM accounts WHERE id IN (payer, payee) ORDER BY id FOR UPDATE;
    UPDATE accounts SET balance = balance - sum WHERE id = payer RETURNING balance INTO left_over;
    IF left_over < 0 THEN
        RAISE EXCEPTION 'insufficient funds';
    END IF;
    UPDATE accounts SET balance = balance + sum WHERE id = payee RETURNING balance INTO arrived;
    INSERT INTO transfers (source, destination, amount) VALUES (payer, payee, sum)
        RETURNING id INTO made;
    INSERT INTO entries VALUES (payer, made, -sum, left_over), (payee, made, sum, arrived);
    RETURN made;
END $$;";
const CALL: &str = "SELECT move($1, $2, $3)";
/// On every account at the start.
const FUNDS: i64 = 1_000_000_000_000;
/// Of every transfer.
const AMOUNT: i64 = 100;

/// The plain ledger.
pub(super) struct Plain {
    url: String,
    accounts: usize,
    runs: std::cell::Cell<u64>,
}

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl Plain {
    /// Makes it with this many funded accounts.
    pub(super) async fn make(url: &str, accounts: usize) -> Result<Plain> {
        let client = connect(url).await?;
        client.batch_execute(SCHEMA).await?;
        let fill = "INSERT INTO accounts SELECT i, $1::bigint FROM generate_series(0, $2::bigint - 1) AS i";
        let last = i64::try_from(accounts)?;
        client.execute(fill, &[&FUNDS, &last]).await?;
        client.batch_execute("VACUUM ANALYZE accounts").await?;
        Ok(Plain {
            url: url.to_owned(),
            accounts,
            runs: std::cell::Cell::new(0),
        })
    }

    /// One load.
    pub(super) async fn drive(&self, load: Load, shape: Shape) -> Result<Driven> {
        self.runs.set(self.runs.get() + 1);
        let mut clients = Vec::new();
        for _ in 0..load.connections {
            clients.push(connect(&self.url).await?);
        }
        let driven = Arc::new(Mutex::new(Driven::default()));
        let mut tasks = JoinSet::new();
        let from = Instant::now() + load.warm_up;
        let until = from + load.span;
        for (index, client) in clients.into_iter().enumerate() {
            let mut random = Random::new((self.runs.get() << 16) + index as u64);
            let (accounts, driven) = (self.accounts, Arc::clone(&driven));
            tasks.spawn(async move {
                let call = client.prepare(CALL).await?;
                let mut begun = Instant::now();
                while begun < until {
                    let (source, destination) = match shape {
                        Shape::Spread => random.two_of(accounts),
                        Shape::Hot => (1 + random.below(accounts as u64 - 1) as usize, 0),
                    };
                    let (source, destination) = (source as i64, destination as i64);
                    let row = client
                        .query_one(&call, &[&source, &destination, &AMOUNT])
                        .await?;
                    let id: i64 = row.get(0);
                    let now = Instant::now();
                    let mut driven = driven.lock().unwrap_or_else(PoisonError::into_inner);
                    driven.sent += 1;
                    driven.ids.push(id.cast_unsigned());
                    if now >= from && now < until {
                        driven.latencies.record(now - begun);
                    }
                    begun = now;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended?.context("the plain ledger refuses")?;
        }
        Ok(std::mem::take(
            &mut *driven.lock().unwrap_or_else(PoisonError::into_inner),
        ))
    }

    /// The baseline keeps its books too, or it would be none.
    pub(super) async fn check(&self, checks: &mut Checks) -> Result<()> {
        let client = connect(&self.url).await?;
        let sum = "SELECT (SELECT sum(balance)::bigint FROM accounts), \
             (SELECT sum(amount)::bigint FROM entries), (SELECT count(*) FROM transfers)";
        let row = client.query_one(sum, &[]).await?;
        let (balances, entries, transfers): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        ensure!(transfers > 0, "the plain ledger made nothing");
        let funded = FUNDS * i64::try_from(self.accounts)?;
        let detail = format!("{transfers} transfers, {balances} of {funded} cents");
        let sound = balances == funded && entries == 0;
        checks.note("the plain ledger's books are right", sound, detail);
        Ok(())
    }
}
