//! Commands about profiles as they are written.

use clap::{Args, Subcommand};

use super::InTenant;

/// A profile that a command is about.
#[derive(Args, Clone, Debug)]
pub(crate) struct OneProfile {
    #[command(flatten)]
    pub tenant: InTenant,
    /// The profile (prf_…).
    pub profile: String,
}

#[derive(Subcommand, Debug)]
pub(crate) enum ProfileCommand {
    /// Makes a profile.
    Create {
        #[command(flatten)]
        tenant: InTenant,
        /// Its name.
        #[arg(long)]
        name: String,
        /// `corporate`, `consumer`, `managed_account`, `managed_card` or `transfer`.
        #[arg(long, value_name = "TYPE")]
        r#type: String,
        /// A currency it allows, ISO 4217, repeatable. Default: any.
        #[arg(long = "currency", value_name = "CODE")]
        currencies: Vec<String>,
        /// `prepaid` or `debit`, for managed cards.
        #[arg(long)]
        mode: Option<String>,
        /// Fees and limits: a JSON object with the other members of the admin API's body, or
        /// `@FILE` to read it from a file, `@-` from standard input.
        #[arg(long, value_name = "JSON")]
        terms: Option<String>,
    },
    /// Lists a tenant's profiles.
    List {
        #[command(flatten)]
        tenant: InTenant,
    },
    /// Shows one profile.
    Show(OneProfile),
    /// Changes a profile; what was made under it stays.
    Change {
        #[command(flatten)]
        profile: OneProfile,
        /// Its name from now on.
        #[arg(long)]
        name: Option<String>,
        /// The currencies it allows from now on, ISO 4217, repeatable.
        #[arg(long = "currency", value_name = "CODE")]
        currencies: Vec<String>,
        /// Fees and limits that change, as for `create`.
        #[arg(long, value_name = "JSON")]
        terms: Option<String>,
    },
    /// Lets new objects be made under a profile again.
    Activate(OneProfile),
    /// Lets nothing new be made under a profile.
    Deactivate(OneProfile),
}
