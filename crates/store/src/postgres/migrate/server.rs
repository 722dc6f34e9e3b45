//! What the database and our role must be.

use tokio_postgres::Client;

use super::{MigrateError, Result};

pub(crate) const ABOUT_SERVER: &str = "SELECT version(),
    current_setting('server_version_num')::bigint, current_setting('transaction_read_only'),
    current_setting('server_encoding'), current_schema()::text, current_user::text";
pub(crate) const MAY_CREATE: &str = "SELECT has_schema_privilege(current_schema(), 'CREATE')";
/// The first of these tables that we may not use.
pub(crate) const MAY_NOT_USE: &str = "SELECT t.name FROM unnest($1::text[]) AS t (name)
    JOIN pg_tables AS p ON p.schemaname = current_schema() AND p.tablename = t.name
    WHERE NOT (has_table_privilege(t.name, 'SELECT') AND has_table_privilege(t.name, 'INSERT')
        AND has_table_privilege(t.name, 'UPDATE') AND has_table_privilege(t.name, 'DELETE'))
    ORDER BY t.name LIMIT 1";

/// The oldest release of PostgreSQL, as it numbers itself.
const RELEASE_MIN: i64 = 150_000;

/// Who we are and where our tables are, both as they are written in SQL.
pub(super) struct Place {
    role: String,
    schema: String,
}

/// Looks whether the database can hold the ledger.
pub(super) async fn check(client: &Client) -> Result<Place> {
    let row = client.query_one(ABOUT_SERVER, &[]).await?;
    let version: String = row.try_get(0)?;
    let number: i64 = row.try_get(1)?;
    let read_only: String = row.try_get(2)?;
    let encoding: String = row.try_get(3)?;
    let schema: Option<String> = row.try_get(4)?;
    let role: String = row.try_get(5)?;
    fit(&version, number)?;
    let unfit = |why: &str| Err(MigrateError::Unfit(why.to_owned()));
    if read_only != "off" {
        return unfit(
            "the database is read only, as a standby is; name the primary, or all servers with \
             target_session_attrs=read-write",
        );
    }
    if encoding != "UTF8" {
        return Err(MigrateError::Unfit(format!(
            "the database has the encoding {encoding}; make one with ENCODING 'UTF8'"
        )));
    }
    let Some(schema) = schema else {
        return unfit(
            "the role may use no schema of its search_path; make one, or GRANT it USAGE on one",
        );
    };
    Ok(Place {
        role: quoted(&role),
        schema: quoted(&schema),
    })
}

/// Engines that only speak PostgreSQL's wire number themselves by other rules.
fn fit(version: &str, number: i64) -> Result<()> {
    if !version.starts_with("PostgreSQL ") || version.contains("-YB-") {
        tracing::warn!(
            version,
            "the database is not PostgreSQL; Tidegate is not tested with it"
        );
        return Ok(());
    }
    if number < RELEASE_MIN {
        return Err(MigrateError::Unfit(format!(
            "the database is PostgreSQL {}; Tidegate needs {} or newer",
            number / 10_000,
            RELEASE_MIN / 10_000
        )));
    }
    Ok(())
}

impl Place {
    /// That we may make tables.
    pub(super) async fn may_create(&self, client: &Client) -> Result<()> {
        if client.query_one(MAY_CREATE, &[]).await?.try_get(0)? {
            return Ok(());
        }
        let Place { role, schema } = self;
        Err(MigrateError::Rights {
            role: role.clone(),
            what: "make tables".to_owned(),
            statement: format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}"),
        })
    }

    /// That we may read and write these tables.
    pub(super) async fn may_use(&self, client: &Client, tables: &[String]) -> Result<()> {
        match client.query_opt(MAY_NOT_USE, &[&tables]).await? {
            None => Ok(()),
            Some(row) => Err(self.no_use(row.try_get(0)?)),
        }
    }

    /// What to say of a table that we may not read and write.
    pub(super) fn no_use(&self, table: &str) -> MigrateError {
        let Place { role, schema } = self;
        MigrateError::Rights {
            role: role.clone(),
            what: format!("read and write the table {table}"),
            statement: format!(
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}"
            ),
        }
    }
}

/// A name as it is written in SQL.
fn quoted(name: &str) -> String {
    let is_plain = |mark: char| mark.is_ascii_lowercase() || mark == '_';
    match name.chars().all(is_plain) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_releases_of_postgresql_are_refused() {
        let old = fit("PostgreSQL 14.9 on x86_64", 140_009).expect_err("it is too old");
        assert!(
            old.to_string().contains("PostgreSQL 14; Tidegate needs 15"),
            "{old}"
        );
        fit("PostgreSQL 15.0 on x86_64", 150_000).expect("it is new enough");
        fit("PostgreSQL 11.2-YB-2.25.1.0-b0 on x86_64", 110_002).expect("it is another engine");
        fit("CockroachDB CCL v25.1.0", 130_000).expect("it is another engine");
    }

    #[test]
    fn names_are_written_as_sql_has_them() {
        assert_eq!(quoted("tidegate_app"), "tidegate_app");
        assert_eq!(quoted("Ada \"B\""), "\"Ada \"\"B\"\"\"");
        assert_eq!(quoted("ada-2"), "\"ada-2\"");
    }
}
