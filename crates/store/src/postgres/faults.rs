//! Faults that tests put into transactions.

use crate::BoxFuture;

/// A place in a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Point {
    /// Before it is begun.
    Begin,
    /// Everything is locked and loaded.
    Loaded,
    /// Everything is decided; nothing of it has been sent.
    Commit,
    /// It is committed; the answer has not been looked at.
    Committed,
}

/// What goes wrong there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The database answers with this state of SQL.
    State(&'static str),
    /// The connection breaks.
    Cut,
}

/// Says what goes wrong where. A future that waits holds the transaction up.
pub trait Faults: Send + Sync + 'static {
    /// Asked each time a transaction is at this point.
    fn at(&self, point: Point) -> BoxFuture<'_, Option<Fault>>;
}
