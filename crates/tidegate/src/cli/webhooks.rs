//! Commands about webhooks as they are written.

use clap::{Args, Subcommand};

use super::InTenant;

/// An endpoint that a command is about.
#[derive(Args, Clone, Debug)]
pub(crate) struct OneWebhook {
    #[command(flatten)]
    pub tenant: InTenant,
    /// The endpoint (whk_…).
    pub webhook: String,
}

#[derive(Subcommand, Debug)]
pub(crate) enum WebhookCommand {
    /// Makes an endpoint and shows its secret.
    Create {
        #[command(flatten)]
        tenant: InTenant,
        /// Where to.
        #[arg(long)]
        url: String,
        /// `standard`, `sequence` or `multi`.
        #[arg(long, default_value = "standard")]
        format: String,
        /// With the objects.
        #[arg(long)]
        full: bool,
        /// An event's name or family, repeatable: `transfer.*`. Default: all.
        #[arg(long = "event", value_name = "NAME")]
        events: Vec<String>,
        /// An account (acc_…) that events are about, repeatable. Default: all.
        #[arg(long = "account", value_name = "ACCOUNT")]
        accounts: Vec<String>,
        /// Deliveries under way at once.
        #[arg(long, value_name = "COUNT")]
        concurrency: Option<u32>,
        /// A note.
        #[arg(long)]
        description: Option<String>,
    },
    /// Lists a tenant's endpoints.
    List {
        #[command(flatten)]
        tenant: InTenant,
    },
    /// Shows an endpoint with its secrets, and how far it has come.
    Show(OneWebhook),
    /// Lets nothing more be delivered.
    Disable(OneWebhook),
    /// Goes on delivering where it stopped.
    Enable(OneWebhook),
    /// Deletes an endpoint.
    Delete(OneWebhook),
    /// Makes a new secret; the one before it stays live for a while.
    Rotate {
        #[command(flatten)]
        webhook: OneWebhook,
        /// How long, in seconds [default: a day].
        #[arg(long, value_name = "SECONDS")]
        overlap: Option<i64>,
    },
    /// Sends a test delivery and shows what became of it.
    Test(OneWebhook),
    /// Lists the attempts of an endpoint (or of a replay, rpl_…), newest first.
    Deliveries {
        #[command(flatten)]
        webhook: OneWebhook,
        /// Of this event (evt_…).
        #[arg(long)]
        event: Option<String>,
    },
    /// Sends events once more.
    Replay {
        #[command(flatten)]
        tenant: InTenant,
        /// To this endpoint (whk_…).
        #[arg(long, conflicts_with = "url", required_unless_present = "url")]
        webhook: Option<String>,
        /// Or to this URL.
        #[arg(long)]
        url: Option<String>,
        /// After this event (evt_…). Default: from the first.
        #[arg(long)]
        after: Option<String>,
        /// Up to this event (evt_…). Default: up to the newest.
        #[arg(long)]
        until: Option<String>,
        /// Only this event (evt_…), to an endpoint.
        #[arg(long)]
        event: Option<String>,
        /// An event's name or family, repeatable. Default: all.
        #[arg(long = "type", value_name = "NAME")]
        types: Vec<String>,
    },
    /// Lists replays and how far they have come.
    Replays {
        #[command(flatten)]
        tenant: InTenant,
    },
}
