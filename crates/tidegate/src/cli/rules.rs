//! Commands about rules as they are written.

use clap::{Args, Subcommand};

use super::InTenant;

/// A rule that a command is about.
#[derive(Args, Clone, Debug)]
pub(crate) struct OneRule {
    #[command(flatten)]
    pub tenant: InTenant,
    /// The rule (rule_…).
    pub rule: String,
}

#[derive(Subcommand, Debug)]
pub(crate) enum RuleCommand {
    /// Makes a rule from a file. It is off until it is enabled.
    Create {
        #[command(flatten)]
        tenant: InTenant,
        /// The rule as JSON, as in the admin API's body; `-` for standard input.
        #[arg(long, value_name = "FILE")]
        file: String,
        /// Whose it is (own_…). Default: the owner of its accounts.
        #[arg(long)]
        owner: Option<String>,
    },
    /// Makes a rule from a template. It is off until it is enabled.
    Template {
        #[command(flatten)]
        tenant: InTenant,
        /// `profit_first`, `tax_reserve`, `emergency_fund`, `debt_avalanche`, `debt_snowball`,
        /// `wallet_refill` or `bill_pay_ahead`.
        template: String,
        /// Where the money comes from (acc_…).
        #[arg(long)]
        from: String,
        /// Where it goes, repeatable: `acc_…`, or `acc_…=20` for 20 %.
        #[arg(long, value_name = "ACCOUNT")]
        to: Vec<String>,
        /// A debt, repeatable: `acc_…`, or `acc_…=24.99` with its rate.
        #[arg(long, value_name = "LIABILITY")]
        debt: Vec<String>,
        /// Minor units: up to where is filled up, or the sum a month for debts.
        #[arg(long)]
        amount: Option<i64>,
        /// When a rule by the time runs first, RFC 3339.
        #[arg(long)]
        start: Option<String>,
        /// Its name.
        #[arg(long)]
        name: Option<String>,
    },
    /// Lists a tenant's rules.
    List {
        #[command(flatten)]
        tenant: InTenant,
    },
    /// Shows one rule.
    Show(OneRule),
    /// Replaces what a rule says. It is off until it is enabled again.
    Change {
        #[command(flatten)]
        rule: OneRule,
        /// The rule as JSON; `-` for standard input.
        #[arg(long, value_name = "FILE")]
        file: String,
    },
    /// Deletes a rule. What it did stays.
    Delete(OneRule),
    /// Switches a rule on, if the linter finds no error in the owner's rules.
    Enable(OneRule),
    /// Switches a rule off.
    Disable(OneRule),
    /// Says above which amount a rule's transfers wait for approval.
    Approval {
        #[command(flatten)]
        rule: OneRule,
        /// Minor units; without it none wait.
        #[arg(long, value_name = "MINOR")]
        above: Option<i64>,
    },
    /// Says what will not work in a rule, or in all rules of an owner taken together. Exit code 1
    /// when anything keeps a rule from being switched on.
    Lint {
        #[command(flatten)]
        tenant: InTenant,
        /// The rule as JSON; `-` for standard input. Default: the owner's rules as they are.
        #[arg(long, value_name = "FILE")]
        file: Option<String>,
        /// Whose rules (own_…). Default: the owner of the file's accounts, or the only one there
        /// is.
        #[arg(long)]
        owner: Option<String>,
    },
    /// Runs a rule that is on.
    Trigger {
        #[command(flatten)]
        rule: OneRule,
        /// Minor units that are taken as having come in.
        #[arg(long)]
        amount: Option<i64>,
    },
    /// Reckons what a run would do; nothing is moved. The rule may be off.
    Simulate {
        #[command(flatten)]
        rule: OneRule,
        /// Minor units that are taken as having come in, and as all there is.
        #[arg(long)]
        amount: Option<i64>,
    },
    /// Lists runs of rules, newest first.
    Runs {
        #[command(flatten)]
        tenant: InTenant,
        /// Of this rule only (rule_…).
        #[arg(long)]
        rule: Option<String>,
    },
    /// Shows one run with its explanation.
    Run {
        #[command(flatten)]
        tenant: InTenant,
        /// The run (rex_…).
        execution: String,
    },
}
