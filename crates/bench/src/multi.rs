//! The Multi dialect: transfers made, read and listed by a user of one identity.

pub mod audit;
mod filters;
pub mod get;
mod history;
pub mod list;
pub mod scheduled;
pub mod scripts;
pub mod transfers;
pub mod world;
