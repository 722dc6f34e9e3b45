//! The ledger's rules, through its two public functions: `decide` and `State::apply`.

mod apply;
mod overflow;
mod rejections;
mod stories;
mod world;
