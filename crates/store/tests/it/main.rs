//! The store through its trait, and what is of one engine alone.

mod bed;
mod commits;
mod embedded;
mod lists;
mod postgres;
mod programme;
mod programme_reads;
mod reads;
mod records;
mod time;
