//! The ledger's rules, through its two public functions: `decide` and `State::apply`.

mod apply;
mod apply_programme;
mod approvals;
mod bulks;
mod forecast;
mod instruments;
mod overflow;
mod profile_transfers;
mod profiles;
mod programme;
mod rejections;
mod rules_faults;
mod rules_lint;
mod rules_refusals;
mod rules_runs;
mod rules_table;
mod rules_world;
mod scheduled;
mod stories;
mod table;
mod world;
