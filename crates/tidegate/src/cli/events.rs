//! Commands about events as they are written.

use clap::{Args, Subcommand};

use super::InTenant;

/// Which events.
#[derive(Args, Clone, Debug)]
pub(crate) struct WhichEvents {
    #[command(flatten)]
    pub tenant: InTenant,
    /// After this event (evt_…), `start` or `now`.
    #[arg(long, value_name = "EVENT")]
    pub after: Option<String>,
    /// Only these, with commas: `transfer.created`, `card.*`.
    #[arg(long, value_name = "NAMES")]
    pub types: Option<String>,
    /// Only those about these accounts (acc_…), with commas.
    #[arg(long, value_name = "ACCOUNTS")]
    pub accounts: Option<String>,
    /// With the objects they are about.
    #[arg(long)]
    pub full: bool,
    /// Ends after so many.
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<usize>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum EventsCommand {
    /// Lists a page of events, oldest first.
    List(WhichEvents),
    /// Prints events as they happen, one a line; from now on unless --after says otherwise.
    Tail(WhichEvents),
    /// Sends events as they happen to a URL, as Standard Webhooks, and tries again until each is
    /// taken.
    Forward {
        #[command(flatten)]
        which: WhichEvents,
        /// Where to, such as http://localhost:3000/hook.
        #[arg(long, value_name = "URL")]
        to: String,
        /// What they are signed with, `whsec_…` [default: one that is made and printed].
        #[arg(
            long,
            env = "TIDEGATE_FORWARD_SECRET",
            value_name = "SECRET",
            hide_env_values = true
        )]
        secret: Option<String>,
        /// Tries of one event before the command gives up [default: no end].
        #[arg(long, value_name = "COUNT")]
        tries: Option<u32>,
    },
}
