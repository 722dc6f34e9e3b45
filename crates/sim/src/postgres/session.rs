//! Statements sent from beside the program under test, from any thread, async or not.

use std::thread;

use tokio_postgres::{NoTls, SimpleQueryMessage};

/// One row, each value as its text.
pub type Row = Vec<Option<String>>;

/// Runs statements on a connection of their own and answers the rows of all of them.
///
/// # Errors
/// What the server or the connection says.
pub fn run(url: &str, sql: &str) -> Result<Vec<Row>, String> {
    // A runtime must not be started within another one's thread.
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(query(url, sql))
        });
        thread.join().expect("queries do not panic")
    })
}

async fn query(url: &str, sql: &str) -> Result<Vec<Row>, String> {
    let failed = |error: tokio_postgres::Error| match error.as_db_error() {
        Some(said) => said.to_string(),
        None => error.to_string(),
    };
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(failed)?;
    let connection = tokio::spawn(connection);
    let answers = client.simple_query(sql).await.map_err(failed);
    drop(client);
    drop(connection.await);
    let rows = answers?.into_iter().filter_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => {
            let value = |column| row.get(column).map(str::to_owned);
            Some((0..row.len()).map(value).collect())
        }
        _ => None,
    });
    Ok(rows.collect())
}
