//! What must be the same on every server over one database.

use super::connect::DatabaseUrl;
use super::migrate::MigrateError;

/// The first server's word counts.
pub(crate) const ADD_FACT: &str =
    "INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
pub(crate) const FIND_FACT: &str = "SELECT value FROM facts WHERE name = $1";

/// Whether a fact is what every other server says it is. The first that asks decides.
///
/// # Errors
/// When the database cannot be asked. Needs the tables.
pub async fn agrees(url: &DatabaseUrl, name: &str, value: &[u8]) -> Result<bool, MigrateError> {
    let client = url.connect().await?;
    client.execute(ADD_FACT, &[&name, &value]).await?;
    let row = client.query_one(FIND_FACT, &[&name]).await?;
    Ok(row.try_get::<_, &[u8]>(0)? == value)
}

/// What a fact is; `None` when no server has said it yet.
///
/// # Errors
/// When the database cannot be asked. Needs the tables.
pub async fn fact(url: &DatabaseUrl, name: &str) -> Result<Option<Vec<u8>>, MigrateError> {
    let client = url.connect().await?;
    let row = client.query_opt(FIND_FACT, &[&name]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::migrate::tests::complete;

    #[tokio::test]
    async fn the_first_word_counts() {
        let database = complete();
        let url: DatabaseUrl = database.url().parse().expect("a URL");
        for (name, value, agreed) in [
            ("one", b"a", true),
            ("one", b"a", true),
            ("one", b"b", false),
            ("other", b"b", true),
            ("one", b"a", true),
        ] {
            let said = agrees(&url, name, value)
                .await
                .expect("the tables are there");
            assert_eq!(said, agreed, "{name}");
        }
        let one = fact(&url, "one").await.expect("the tables are there");
        assert_eq!(one.as_deref(), Some(b"a".as_slice()));
        let none = fact(&url, "none").await.expect("the tables are there");
        assert_eq!(none, None);
    }
}
