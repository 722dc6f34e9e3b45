//! The Multi dialect: transfers made, read and listed by a user of one identity.

mod audit;
mod filters;
pub mod get;
mod history;
pub mod list;
pub mod scheduled;
mod scripts;
pub mod transfers;
mod world;
