//! The tables, as steps of migration. A step is one statement, and never changes once released.
//!
//! Ids are 64-bit numbers made by servers, times are milliseconds since 1970, amounts are minor
//! units, enums are the numbers of `codes.rs`. Keys lead with the owner, or with the tenant where
//! there is no owner (`docs/decisions/2026-11-21-postgres-store.md`).
//!
//! Indexes by id alone are for finding single rows. They are `NULLS FIRST`, although no id is null,
//! so that they are in no order that a list asks for: PostgreSQL would walk one from the newest row of
//! all owners, and read a million rows to find the newest of an owner who has been idle.

/// One step: its number is its place in [`STEPS`], from 1.
pub(crate) struct Step {
    /// What it makes, for people.
    pub name: &'static str,
    /// One statement.
    pub sql: &'static str,
    /// Whether a program that does not know it must not run on its result. New tables, indexes and
    /// columns that may be empty break nothing, and neither does an index that is gone.
    pub is_breaking: bool,
}

const fn step(name: &'static str, sql: &'static str) -> Step {
    Step {
        name,
        sql,
        is_breaking: false,
    }
}

impl Step {
    /// What tells whether a step has been changed since it was applied. White space does not count.
    pub fn checksum(&self) -> [u8; 32] {
        let words: Vec<&str> = self.sql.split_whitespace().collect();
        *blake3::hash(words.join(" ").as_bytes()).as_bytes()
    }

    /// Whether its object is there afterwards: a step can also take an index away.
    pub fn makes(&self) -> bool {
        self.sql.split_whitespace().next() != Some("DROP")
    }

    /// Whether it makes a table.
    pub fn is_table(&self) -> bool {
        let mut words = self.sql.split_whitespace();
        (words.next(), words.next()) == (Some("CREATE"), Some("TABLE"))
    }

    /// The name of the table or index that it makes or takes away, or of a column with that of its table.
    pub fn object(&self) -> Option<String> {
        let words: Vec<&str> = self.sql.split_whitespace().collect();
        let name = match *words.as_slice() {
            ["ALTER", "TABLE", table, "ADD", "COLUMN", column, ..] => {
                return Some(format!("{table}.{column}"));
            }
            ["CREATE", "TABLE" | "INDEX", name, ..] | ["DROP", "INDEX", name] => name,
            ["CREATE", "UNIQUE", "INDEX", name, ..] => name,
            _ => return None,
        };
        name.split('(').next().map(str::to_owned)
    }
}

/// All steps, in order.
pub(crate) const STEPS: &[Step] = &[
    step(
        "nodes: servers, each with a lease on its number",
        "CREATE TABLE nodes (
            node bigint NOT NULL, instance bigint NOT NULL, name text NOT NULL,
            lease_until_ms bigint NOT NULL, last_id bigint NOT NULL, last_at_ms bigint NOT NULL,
            PRIMARY KEY (node))",
    ),
    step(
        "lanes: shares of the waiting work, each held by a server",
        "CREATE TABLE lanes (
            lane bigint NOT NULL, node bigint NOT NULL, instance bigint NOT NULL,
            fence bigint NOT NULL, lease_until_ms bigint NOT NULL,
            PRIMARY KEY (lane))",
    ),
    step(
        "facts: what must be the same on every server",
        "CREATE TABLE facts (name text NOT NULL, value bytea NOT NULL, PRIMARY KEY (name))",
    ),
    step(
        "tenants",
        "CREATE TABLE tenants (
            id bigint NOT NULL, name text NOT NULL, mode bigint NOT NULL,
            clock_offset_ms bigint, clock_frozen_ms bigint, created_ms bigint NOT NULL,
            PRIMARY KEY (id))",
    ),
    step(
        "heads: the number of each tenant's newest commit",
        "CREATE TABLE heads (tenant bigint NOT NULL, number bigint NOT NULL, PRIMARY KEY (tenant))
            WITH (fillfactor = 50)",
    ),
    step(
        "commits: each tenant's history, in order",
        "CREATE TABLE commits (
            tenant bigint NOT NULL, number bigint NOT NULL, batch bigint NOT NULL,
            record bytea NOT NULL,
            PRIMARY KEY (tenant, number))",
    ),
    step(
        "owners, with the ids of their system accounts",
        "CREATE TABLE owners (
            id bigint NOT NULL, tenant bigint NOT NULL, kind bigint NOT NULL, name text NOT NULL,
            created_ms bigint NOT NULL, system_accounts text NOT NULL,
            PRIMARY KEY (id)) WITH (fillfactor = 70)",
    ),
    step(
        "owners of a tenant",
        "CREATE INDEX owners_of_tenant ON owners (tenant, id)",
    ),
    step(
        "accounts",
        "CREATE TABLE accounts (
            owner bigint NOT NULL, id bigint NOT NULL, tenant bigint NOT NULL,
            kind bigint NOT NULL, name text NOT NULL, description text, institution text,
            number_last_four text, routing_last_four text, currency text NOT NULL,
            state bigint NOT NULL, can_be_source boolean NOT NULL,
            can_be_destination boolean NOT NULL, reported_balance bigint,
            reported_available bigint, reported_last_statement bigint,
            reported_next_payment_minimum bigint, reported_last_statement_date text,
            reported_next_payment_due_date text, reported_updated_ms bigint,
            created_ms bigint NOT NULL, updated_ms bigint NOT NULL, balance bigint NOT NULL,
            held bigint NOT NULL, entries bigint NOT NULL, profile bigint, parent bigint, tag text,
            details text, reason bigint, chain bytea NOT NULL, entries_until_ms bigint NOT NULL,
            PRIMARY KEY (owner, id)) WITH (fillfactor = 60)",
    ),
    step(
        "accounts by id",
        "CREATE INDEX accounts_by_id ON accounts (id NULLS FIRST)",
    ),
    step(
        "accounts of a tenant",
        "CREATE INDEX accounts_of_tenant ON accounts (tenant, id)",
    ),
    step(
        "debit cards by the account they spend from",
        "CREATE INDEX accounts_of_parent ON accounts (owner, parent)",
    ),
    step(
        "transfers",
        "CREATE TABLE transfers (
            owner bigint NOT NULL, id bigint NOT NULL, tenant bigint NOT NULL,
            source bigint, destination bigint, currency text NOT NULL, amount bigint NOT NULL,
            direction bigint NOT NULL, origin bigint NOT NULL, rail bigint,
            rail_delay_ms bigint NOT NULL, status bigint NOT NULL, error bigint, rule bigint,
            execution bigint, api_key bigint, description text, created_ms bigint NOT NULL,
            updated_ms bigint NOT NULL, completed_ms bigint, profile bigint, tag text,
            scheduled_ms bigint, fee bigint NOT NULL, cancel_reason text,
            between_instruments boolean NOT NULL,
            PRIMARY KEY (owner, id)) WITH (fillfactor = 90)",
    ),
    step(
        "transfers by id",
        "CREATE INDEX transfers_by_id ON transfers (id NULLS FIRST)",
    ),
    step(
        "entries: one side of a posting each, chained by account",
        "CREATE TABLE entries (
            owner bigint NOT NULL, account bigint NOT NULL, sequence bigint NOT NULL,
            transfer bigint NOT NULL, side bigint NOT NULL, amount bigint NOT NULL,
            balance_after bigint NOT NULL, at_ms bigint NOT NULL, until_ms bigint NOT NULL,
            chain bytea NOT NULL,
            PRIMARY KEY (owner, account, sequence))",
    ),
    step(
        "holds",
        "CREATE TABLE holds (
            owner bigint NOT NULL, account bigint NOT NULL, id bigint NOT NULL,
            tenant bigint NOT NULL, currency text NOT NULL, amount bigint NOT NULL,
            created_ms bigint NOT NULL, expires_ms bigint,
            PRIMARY KEY (owner, account, id))",
    ),
    step(
        "holds by id",
        "CREATE INDEX holds_by_id ON holds (id NULLS FIRST)",
    ),
    step(
        "due: what must happen at a time",
        "CREATE TABLE due (
            owner bigint NOT NULL, kind bigint NOT NULL, object bigint NOT NULL,
            at_ms bigint NOT NULL, tenant bigint NOT NULL, lane bigint NOT NULL,
            machine_ms bigint NOT NULL,
            PRIMARY KEY (owner, kind, object, at_ms))",
    ),
    step(
        "due by lane, in the machine's time",
        "CREATE INDEX due_of_lane ON due (lane, machine_ms)",
    ),
    step(
        "due by owner, in its tenant's time",
        "CREATE INDEX due_of_owner ON due (owner, at_ms)",
    ),
    step(
        "due by tenant, in its own time",
        "CREATE INDEX due_of_tenant ON due (tenant, at_ms, kind, object)",
    ),
    step(
        "profiles",
        "CREATE TABLE profiles (
            tenant bigint NOT NULL, id bigint NOT NULL, name text NOT NULL,
            active boolean NOT NULL, currencies text NOT NULL, kind bigint NOT NULL,
            terms bytea NOT NULL, created_ms bigint NOT NULL, updated_ms bigint NOT NULL,
            PRIMARY KEY (tenant, id))",
    ),
    step(
        "bulks",
        "CREATE TABLE bulks (
            owner bigint NOT NULL, id bigint NOT NULL, tenant bigint NOT NULL, api_key bigint,
            status bigint NOT NULL, mode bigint, succeeded bigint NOT NULL, failed bigint NOT NULL,
            created_ms bigint NOT NULL, started_ms bigint, finished_ms bigint,
            submitted bigint NOT NULL, operations bytea NOT NULL,
            PRIMARY KEY (owner, id))",
    ),
    step(
        "bulks by id",
        "CREATE INDEX bulks_by_id ON bulks (id NULLS FIRST)",
    ),
    step(
        "what became of a bulk's operations",
        "CREATE TABLE bulk_operations (
            owner bigint NOT NULL, bulk bigint NOT NULL, operation bigint NOT NULL,
            transfer bigint, status bigint, denial bigint,
            PRIMARY KEY (owner, bulk, operation))",
    ),
    step(
        "API keys",
        "CREATE TABLE api_keys (
            tenant bigint NOT NULL, id bigint NOT NULL, name text NOT NULL, hash bytea NOT NULL,
            hint text NOT NULL, permissions text NOT NULL, created_ms bigint NOT NULL,
            revoked_ms bigint,
            PRIMARY KEY (tenant, id))",
    ),
    step(
        "API keys by hash",
        "CREATE INDEX api_keys_by_hash ON api_keys (hash)",
    ),
    step(
        "records",
        "CREATE TABLE records (
            tenant bigint NOT NULL, kind bigint NOT NULL, id bigint NOT NULL, owner bigint,
            version bigint NOT NULL, unique_key bytea, body text NOT NULL, at_ms bigint NOT NULL,
            PRIMARY KEY (tenant, kind, id))",
    ),
    step(
        "records of an owner",
        "CREATE INDEX records_of_owner ON records (tenant, kind, owner, id)",
    ),
    step(
        "what no two records may have",
        "CREATE UNIQUE INDEX records_unique ON records (tenant, kind, unique_key)",
    ),
    step(
        "remembered: what idempotency keys were used for",
        "CREATE TABLE remembered (
            key bytea NOT NULL, number bigint NOT NULL, body bytea NOT NULL, at_ms bigint NOT NULL,
            request_id text NOT NULL, reply bytea NOT NULL,
            PRIMARY KEY (key))",
    ),
    step(
        "remembered by number",
        "CREATE INDEX remembered_by_number ON remembered (number)",
    ),
    step(
        "notices: what servers should look at again",
        "CREATE TABLE notices (
            id bigint NOT NULL, tenant bigint NOT NULL, kind bigint NOT NULL,
            object bigint NOT NULL, at_ms bigint NOT NULL,
            PRIMARY KEY (id))",
    ),
    step(
        "rules, deleted ones too",
        "CREATE TABLE rules (
            owner bigint NOT NULL, id bigint NOT NULL, tenant bigint NOT NULL, account bigint,
            listening bigint, enabled boolean NOT NULL, deleted_ms bigint, body bytea NOT NULL,
            PRIMARY KEY (owner, id)) WITH (fillfactor = 80)",
    ),
    step(
        "rules by id",
        "CREATE INDEX rules_by_id ON rules (id NULLS FIRST)",
    ),
    step(
        "rules of a tenant",
        "CREATE INDEX rules_of_tenant ON rules (tenant, id)",
    ),
    step(
        "rules by the account of their trigger",
        "CREATE INDEX rules_of_account ON rules (tenant, account, id)",
    ),
    step(
        "rules that are on, by the account on which they wait for money",
        "CREATE INDEX rules_listening ON rules (owner, listening)",
    ),
    step(
        "what the caps of rules have counted",
        "CREATE TABLE rule_caps (
            owner bigint NOT NULL, rule bigint NOT NULL, step bigint NOT NULL,
            action_group bigint NOT NULL, period bigint NOT NULL, since_day bigint NOT NULL,
            used bigint NOT NULL,
            PRIMARY KEY (owner, rule, step, action_group)) WITH (fillfactor = 80)",
    ),
    step(
        "executions: runs of rules",
        "CREATE TABLE executions (
            owner bigint NOT NULL, id bigint NOT NULL, tenant bigint NOT NULL,
            rule bigint NOT NULL, status bigint NOT NULL, cause bigint NOT NULL,
            mode bigint NOT NULL, created_ms bigint NOT NULL, body bytea NOT NULL,
            PRIMARY KEY (owner, id)) WITH (fillfactor = 80)",
    ),
    step(
        "executions by id",
        "CREATE INDEX executions_by_id ON executions (id NULLS FIRST)",
    ),
    step(
        "executions of a tenant",
        "CREATE INDEX executions_of_tenant ON executions (tenant, id)",
    ),
    step(
        "executions of a rule, with all that lists are filtered by",
        "CREATE INDEX executions_of_rule ON executions (
            owner, rule, id, status, cause, mode, created_ms)",
    ),
    step(
        "executions of an owner by status, above all those that are not over",
        "CREATE INDEX executions_of_status ON executions (owner, status, id)",
    ),
    step(
        "transcripts of webhooks",
        "CREATE TABLE webhook_attempts (
            tenant bigint NOT NULL, endpoint bigint NOT NULL, id bigint NOT NULL,
            event bigint NOT NULL, tries bigint NOT NULL, at_ms bigint NOT NULL,
            elapsed_ms bigint NOT NULL, status bigint, failure text, request text NOT NULL,
            answer text NOT NULL,
            PRIMARY KEY (tenant, endpoint, id))",
    ),
    step(
        "which card a transfer was made with",
        "ALTER TABLE transfers ADD COLUMN card bigint",
    ),
    step(
        "remembered by number no more: its key is known wherever it is looked for",
        "DROP INDEX remembered_by_number",
    ),
];
