//! Statements of accounts and cards: what happened on them, as JSON or CSV.

mod accept;
mod csv;
mod page;
pub(super) mod request;
pub(super) mod wire;

pub(super) use accept::{Form, wanted};
pub(super) use csv::render as render_csv;
pub(super) use page::answer;
