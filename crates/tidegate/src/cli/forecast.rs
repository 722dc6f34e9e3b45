//! `tidegate forecast` as it is written.

use clap::Args;

use super::InTenant;

/// Looks ahead over an owner's accounts.
#[derive(Args, Clone, Debug)]
pub(crate) struct ForecastFlags {
    #[command(flatten)]
    pub tenant: InTenant,
    /// The owner (own_…). Default: the only one there is.
    #[arg(long, value_name = "OWNER")]
    pub owner: Option<String>,
    /// Days to look ahead, today included, up to 366.
    #[arg(long, default_value_t = 90)]
    pub days: u16,
    /// Money that comes in besides: ACCOUNT=AMOUNT@SCHEDULE@START, with the amount in minor units,
    /// such as acc_…=250000@MONTHLY@2027-01-01T09:00:00Z. The schedule is ONE_TIME, DAILY, WEEKLY,
    /// BI_WEEKLY, MONTHLY or EVERY_OTHER_WEEK. May be given several times.
    #[arg(long, value_name = "INCOME", value_parser = Income::parse)]
    pub income: Vec<Income>,
}

/// One assumed income.
#[derive(Clone, Debug)]
pub(crate) struct Income {
    pub account: String,
    pub amount: i64,
    pub schedule: String,
    pub start: String,
}

impl Income {
    fn parse(text: &str) -> Result<Income, String> {
        let form = || "must be ACCOUNT=AMOUNT@SCHEDULE@START".to_owned();
        let (account, rest) = text.split_once('=').ok_or_else(form)?;
        let mut parts = rest.splitn(3, '@');
        let mut next = || parts.next().ok_or_else(form);
        let (amount, schedule, start) = (next()?, next()?, next()?);
        Ok(Income {
            account: account.to_owned(),
            amount: amount
                .parse()
                .map_err(|_| format!("{amount:?} is no amount in minor units"))?,
            schedule: schedule.to_owned(),
            start: start.to_owned(),
        })
    }
}
