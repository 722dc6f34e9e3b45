//! The command line as it is written.

mod events;
mod forecast;
mod profiles;
mod rules;
mod webhooks;

pub(crate) use events::{EventsCommand, WhichEvents};
pub(crate) use forecast::ForecastFlags;
pub(crate) use profiles::{OneProfile, ProfileCommand};
pub(crate) use rules::{OneRule, RuleCommand};
pub(crate) use webhooks::{OneWebhook, WebhookCommand};

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A self-hosted money-movement server: an exact double-entry ledger behind the transfer APIs that
/// builders already use.
#[derive(Parser, Debug)]
#[command(name = "tidegate", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub connection: Connection,
}

/// How commands find the running server's admin API.
#[derive(Args, Clone, Debug)]
pub(crate) struct Connection {
    /// The admin API, such as http://127.0.0.1:8081. Default: the server of --data-dir.
    #[arg(long, global = true, env = "TIDEGATE_ADMIN_URL", value_name = "URL")]
    pub admin_url: Option<String>,
    /// The admin token. Default: the one in --data-dir.
    #[arg(
        long,
        global = true,
        env = "TIDEGATE_ADMIN_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub admin_token: Option<String>,
    /// How to print answers.
    #[arg(long, short, global = true, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// The data folder [default: ./data].
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}

/// A form of output.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Runs the server.
    Serve(ServeFlags),
    /// Looks at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Replays every commit, recomputes every balance and compares with all that is stored. Works
    /// offline and beside a running server. Exit code 1 names the first difference.
    Verify(DatabaseFlags),
    /// Makes the tables of a database, or brings them to this program's version. Servers may run
    /// meanwhile.
    Migrate {
        #[command(flatten)]
        database: DatabaseFlags,
        /// Only prints what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// Carries a whole ledger from a data folder into a database, or back. No server may be running
    /// on either side. Exit code 1 says why nothing was copied.
    Copy(CopyFlags),
    /// Copies the ledger and its secrets into another folder, beside a running server too. Into an
    /// earlier backup only what is new is written.
    Backup {
        /// Where: a folder, made when missing.
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Brings a backup back into a data folder without a ledger, and verifies it. The server must not
    /// be running.
    Restore {
        /// The folder that `backup` wrote.
        #[arg(long, value_name = "FOLDER")]
        from: PathBuf,
    },
    /// Looks after the views (SQLite tables that answer reads).
    #[command(subcommand)]
    Views(ViewsCommand),
    /// Prints a dialect's OpenAPI document.
    Openapi {
        /// Which.
        #[arg(value_enum)]
        dialect: Dialect,
    },
    /// Prints a link to the running server's console that signs in. It holds the admin token: keep it
    /// to yourself.
    Console,
    #[command(flatten)]
    Admin(AdminCommand),
}

/// A document to print.
#[derive(ValueEnum, Clone, Copy, Debug)]
pub(crate) enum Dialect {
    /// `/api/v1`
    Sequence,
    /// `/platform/v1`
    Platform,
    /// `/multi`, its Back Office and its simulator
    Multi,
    /// `/admin/v1`
    Admin,
}

#[derive(Subcommand, Debug)]
pub(crate) enum ConfigCommand {
    /// Prints each setting with its value and where it came from.
    Check(ServeFlags),
}

#[derive(Subcommand, Debug)]
pub(crate) enum ViewsCommand {
    /// Deletes the views and fills them again from the journal. The server must not be running.
    Rebuild,
}

/// Which database, if the ledger is in one.
#[derive(Args, Clone, Debug)]
pub(crate) struct DatabaseFlags {
    /// The PostgreSQL database that the ledger is in, as postgres://user@host/name?sslmode=verify-full
    /// [default: none, the ledger is in the data folder].
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
}

/// From where to where a ledger is copied.
#[derive(Args, Clone, Debug)]
pub(crate) struct CopyFlags {
    /// Where the ledger is: a data folder, or a database as postgres://user@host/name.
    #[arg(long, value_name = "PLACE")]
    pub from: String,
    /// Where it shall be: an empty database, or a data folder that is empty or missing.
    #[arg(long, value_name = "PLACE")]
    pub to: String,
    /// The secret that API keys and passwords are hashed with [default: server.secret in the folder
    /// that is copied from]. A database does not have it: name that of one of its servers.
    #[arg(long, env = "TIDEGATE_SERVER_SECRET_FILE", value_name = "FILE")]
    pub server_secret_file: Option<PathBuf>,
}

/// Flags over environment over file over default.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServeFlags {
    /// Where the APIs are served; port 0 takes a free one [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Where admin, health and metrics are served [default: 127.0.0.1:8081].
    #[arg(long, value_name = "ADDRESS")]
    pub admin_listen: Option<SocketAddr>,
    /// The configuration file [default: ./tidegate.toml if there is one].
    #[arg(long, env = "TIDEGATE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub database: DatabaseFlags,
    /// Connections to the database for reads [default: 16].
    #[arg(long, value_name = "COUNT")]
    pub database_connections: Option<NonZeroUsize>,
    /// Milliseconds that the database may work on one statement [default: 10000].
    #[arg(long, value_name = "MS")]
    pub database_timeout_ms: Option<NonZeroU32>,
    /// Brings the tables of the database to this program's version before anything else.
    #[arg(long)]
    pub migrate: bool,
    /// The server secret [default: server.secret in the data folder, made when missing].
    #[arg(long, value_name = "FILE")]
    pub server_secret_file: Option<PathBuf>,
    /// The admin token [default: admin.token in the data folder, made when missing].
    #[arg(long, value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,
    /// Fills an empty store with a sandbox that tells a story, and writes demo.json.
    #[arg(long)]
    pub demo: bool,
    /// Milliseconds from submission to settlement over the simulated rail [default: 2000].
    #[arg(long, value_name = "MS")]
    pub rail_delay_ms: Option<i64>,
    /// Requests a minute for each API key of a live tenant [default: 100].
    #[arg(long, value_name = "COUNT")]
    pub requests_per_minute: Option<NonZeroU32>,
    /// Networks that webhooks may go to although they are private, without TLS too, with commas:
    /// `127.0.0.0/8,10.1.0.0/16` [default: none; with --demo this machine].
    #[arg(long, value_name = "NETWORKS")]
    pub webhook_networks: Option<String>,
    /// Days that transcripts of webhooks are kept [default: 7].
    #[arg(long, value_name = "DAYS")]
    pub webhook_transcript_days: Option<u32>,
    /// Serves live tenants on an address other machines can reach although nothing is encrypted.
    #[arg(long)]
    pub allow_plain_listener: bool,
    /// How the log on standard error is written [default: text].
    #[arg(long, value_enum, value_name = "FORM")]
    pub log_format: Option<LogFormat>,
}

/// A form of log lines.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Commands that speak to the admin API of a running server.
#[derive(Subcommand, Debug)]
pub(crate) enum AdminCommand {
    /// Tenants: organizations and programmes.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Owners of accounts.
    #[command(subcommand)]
    Owner(OwnerCommand),
    /// Accounts.
    #[command(subcommand)]
    Account(AccountCommand),
    /// API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Profiles: the terms of Multi's identities, instruments and transfers.
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Rules that move money, and their runs.
    #[command(subcommand)]
    Rule(RuleCommand),
    /// Transfers.
    #[command(subcommand)]
    Transfer(TransferCommand),
    /// Money reserved on accounts.
    #[command(subcommand)]
    Hold(HoldCommand),
    /// The clock of a sandbox tenant.
    #[command(subcommand)]
    Clock(ClockCommand),
    /// Simulated money for sandbox tenants.
    #[command(subcommand)]
    Simulate(SimulateCommand),
    /// The event log.
    #[command(subcommand)]
    Events(EventsCommand),
    /// Webhook endpoints and their deliveries.
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Looks ahead: what schedules, rules and assumed income would do to an owner's accounts. Nothing
    /// is written.
    Forecast(ForecastFlags),
    /// The server's state.
    Status,
}

/// The tenant a command is about.
#[derive(Args, Clone, Debug)]
pub(crate) struct InTenant {
    /// The tenant (ten_…). Default: the only one there is.
    #[arg(long, env = "TIDEGATE_TENANT", value_name = "TENANT")]
    pub tenant: Option<String>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum TenantCommand {
    /// Makes a tenant.
    Create {
        /// Its name.
        #[arg(long)]
        name: String,
        /// `live` or `sandbox`.
        #[arg(long, default_value = "sandbox")]
        mode: String,
    },
    /// Lists all tenants.
    List,
    /// Shows what is set for a tenant, or changes what is given.
    Settings {
        #[command(flatten)]
        tenant: InTenant,
        /// Whether requests may only have fields that are known.
        #[arg(long, value_name = "BOOL")]
        strict: Option<bool>,
        /// Whether one person may be the root user of several identities.
        #[arg(long, value_name = "BOOL")]
        multi_identity: Option<bool>,
        /// Limits as `requests/seconds`, such as `100/60,1000/3600`; `none`, or `default` for those
        /// of the tenant's mode.
        #[arg(long, value_name = "LIMITS")]
        rate_limits: Option<String>,
        /// What rounding down means in rules written from now on: `MULTIPLE` or `BUFFER`.
        #[arg(long, value_name = "READING")]
        round_down: Option<String>,
        /// Minutes that their calendar is ahead of UTC.
        #[arg(long, value_name = "MINUTES", allow_hyphen_values = true)]
        utc_offset_minutes: Option<i64>,
        /// What goes wrong with a sandbox's writes and deliveries, each with how often: such as
        /// `commit-then-500/3,webhook=duplicate`; `none` for nothing.
        #[arg(long, value_name = "FAULTS")]
        faults: Option<String>,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum OwnerCommand {
    /// Makes an owner.
    Create {
        #[command(flatten)]
        tenant: InTenant,
        /// Its name.
        #[arg(long)]
        name: String,
        /// `beneficiary`, `corporate` or `consumer`.
        #[arg(long, default_value = "beneficiary")]
        kind: String,
    },
    /// Lists a tenant's owners.
    List {
        #[command(flatten)]
        tenant: InTenant,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum AccountCommand {
    /// Opens an account.
    Create {
        #[command(flatten)]
        tenant: InTenant,
        /// The owner (own_…). Default: the only one there is.
        #[arg(long)]
        owner: Option<String>,
        /// `income_source`, `pod` or `external_account`.
        #[arg(long, value_name = "TYPE")]
        r#type: String,
        /// `DEPOSITORY`, `INVESTMENT` or `LIABILITY`, for external accounts.
        #[arg(long, value_name = "TYPE")]
        external_type: Option<String>,
        /// Its name.
        #[arg(long)]
        name: String,
        /// A note.
        #[arg(long)]
        description: Option<String>,
        /// The bank.
        #[arg(long)]
        institution: Option<String>,
        /// ISO 4217.
        #[arg(long, default_value = "USD")]
        currency: String,
    },
    /// Lists a tenant's accounts with their balances.
    List {
        #[command(flatten)]
        tenant: InTenant,
    },
    /// Shows one account.
    Show {
        #[command(flatten)]
        tenant: InTenant,
        /// The account (acc_…).
        account: String,
    },
    /// Lists an account's entries, newest first.
    Entries {
        #[command(flatten)]
        tenant: InTenant,
        /// The account (acc_…).
        account: String,
    },
    /// Stops an account from taking part in transfers.
    Block {
        #[command(flatten)]
        tenant: InTenant,
        /// The account (acc_…).
        account: String,
    },
    /// Lets a blocked account take part again.
    Unblock {
        #[command(flatten)]
        tenant: InTenant,
        /// The account (acc_…).
        account: String,
    },
    /// Closes an empty account for good.
    Close {
        #[command(flatten)]
        tenant: InTenant,
        /// The account (acc_…).
        account: String,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum KeyCommand {
    /// Makes an API key and shows its secret, once.
    Create {
        #[command(flatten)]
        tenant: InTenant,
        /// Its name.
        #[arg(long)]
        name: String,
        /// A permission entry, repeatable: `LIST_ACCOUNTS`, `READ_TRANSFERS=*`,
        /// `READ_ACCOUNTS=acc_…,acc_…`, `MANUAL_TRANSFER=acc_…>acc_…:5000,*>acc_…`, or
        /// `MANUAL_TRANSFER=*>*:50000:5000` for at most 500.00, and above 50.00 only when approved.
        #[arg(long = "permission", value_name = "ENTRY", required = true)]
        permissions: Vec<String>,
    },
    /// Lists a tenant's API keys, without secrets.
    List {
        #[command(flatten)]
        tenant: InTenant,
    },
    /// Revokes an API key at once.
    Revoke {
        #[command(flatten)]
        tenant: InTenant,
        /// The key (key_…).
        key: String,
    },
    /// Tells what became of an idempotency key: who used it for what, and with which end.
    Lookup {
        #[command(flatten)]
        tenant: InTenant,
        /// The idempotency key, or Multi's idempotency-ref, as it was sent.
        idempotency_key: String,
        /// Used by this API key only (key_…).
        #[arg(long, value_name = "KEY", conflicts_with = "owner_id")]
        key_id: Option<String>,
        /// Used by this identity's users only (own_…).
        #[arg(long, value_name = "OWNER")]
        owner_id: Option<String>,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum TransferCommand {
    /// Moves money between two accounts of one owner.
    Create {
        #[command(flatten)]
        tenant: InTenant,
        /// From this account (acc_…).
        #[arg(long)]
        from: String,
        /// To this account (acc_…).
        #[arg(long)]
        to: String,
        /// Minor units: 5000 is 50.00.
        #[arg(long)]
        amount: i64,
    },
    /// Lists an account's transfers, newest first.
    List {
        #[command(flatten)]
        tenant: InTenant,
        /// The account (acc_…).
        #[arg(long)]
        account: String,
    },
    /// Shows one transfer.
    Show {
        #[command(flatten)]
        tenant: InTenant,
        /// The transfer (txr_…).
        transfer: String,
    },
    /// Lists the transfers that wait for approval, oldest first.
    Waiting {
        #[command(flatten)]
        tenant: InTenant,
    },
    /// Lets a transfer go that waits for approval.
    Approve {
        #[command(flatten)]
        tenant: InTenant,
        /// The transfer (txr_…).
        transfer: String,
        /// Who decides, for the audit log.
        #[arg(long, env = "USER")]
        by: Option<String>,
    },
    /// Calls a transfer off that waits for approval.
    Deny {
        #[command(flatten)]
        tenant: InTenant,
        /// The transfer (txr_…).
        transfer: String,
        /// Why, up to 50 characters.
        #[arg(long)]
        reason: Option<String>,
        /// Who decides, for the audit log.
        #[arg(long, env = "USER")]
        by: Option<String>,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum HoldCommand {
    /// Reserves money.
    Place {
        #[command(flatten)]
        tenant: InTenant,
        /// The account (acc_…).
        #[arg(long)]
        account: String,
        /// Minor units.
        #[arg(long)]
        amount: i64,
        /// When it ends by itself, RFC 3339.
        #[arg(long)]
        expires_at: Option<String>,
    },
    /// Lists an account's holds.
    List {
        #[command(flatten)]
        tenant: InTenant,
        /// The account (acc_…).
        #[arg(long)]
        account: String,
    },
    /// Gives reserved money free.
    Release {
        #[command(flatten)]
        tenant: InTenant,
        /// The hold (hold_…).
        hold: String,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum ClockCommand {
    /// Shows the tenant's time.
    Show {
        #[command(flatten)]
        tenant: InTenant,
    },
    /// Stops the clock.
    Freeze {
        #[command(flatten)]
        tenant: InTenant,
        /// Where it shall stand, RFC 3339. Default: now.
        #[arg(long)]
        at: Option<String>,
    },
    /// Moves the clock forward and does everything that becomes due, in order.
    Advance {
        #[command(flatten)]
        tenant: InTenant,
        /// By how much: `90s`, `2h`, `30 days`.
        #[arg(long, conflicts_with = "to", required_unless_present = "to")]
        by: Option<String>,
        /// To when, RFC 3339.
        #[arg(long)]
        to: Option<String>,
    },
    /// Moves the clock to the next event, which happens: a settlement, a hold that ends.
    Next {
        #[command(flatten)]
        tenant: InTenant,
    },
    /// Lets a frozen clock run on from where it stands.
    Resume {
        #[command(flatten)]
        tenant: InTenant,
    },
}

/// Where simulated money goes or comes from.
#[derive(Args, Clone, Debug)]
pub(crate) struct Simulated {
    #[command(flatten)]
    pub tenant: InTenant,
    /// The account (acc_…).
    #[arg(long)]
    pub account: String,
    /// Minor units.
    #[arg(long)]
    pub amount: i64,
    /// A note.
    #[arg(long)]
    pub description: Option<String>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum SimulateCommand {
    /// Pay arrives.
    Paycheck(Simulated),
    /// A check is paid in.
    CheckDeposit(Simulated),
    /// A reward arrives.
    Cashback(Simulated),
    /// Somebody outside draws money: a cash machine, a direct debit.
    ExternalPull(Simulated),
    /// The rail gives a pending transfer back.
    Return {
        #[command(flatten)]
        tenant: InTenant,
        /// The transfer (txr_…).
        #[arg(long)]
        transfer: String,
        /// Why, such as `PAYMENT_FAILED` or `NAME_MISMATCH`.
        #[arg(long, default_value = "PAYMENT_FAILED")]
        code: String,
    },
}
