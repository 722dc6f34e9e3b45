//! An owner's system accounts as they stand in its row: `kind:currency:id`, parted by spaces.
//!
//! They are there so that the statement that locks an owner also tells their ids.

use ledger::{AccountId, AccountKind, Currency};

use super::facts::SystemAccount;
use crate::codes::Code;

/// The text of these accounts.
pub(crate) fn to_text(accounts: &[SystemAccount]) -> String {
    let parts = accounts.iter().map(|(kind, currency, id)| {
        let kind = AccountKind::System(*kind).code();
        format!("{kind}:{currency}:{id}")
    });
    parts.collect::<Vec<_>>().join(" ")
}

/// The accounts in this text; `None` when it is no such text.
pub(crate) fn from_text(text: &str) -> Option<Vec<SystemAccount>> {
    text.split_ascii_whitespace().map(account).collect()
}

fn account(part: &str) -> Option<SystemAccount> {
    let mut fields = part.split(':');
    let kind = AccountKind::from_code(fields.next()?.parse().ok()?)?;
    let currency = Currency::parse(fields.next()?).ok()?;
    let id = AccountId::new(fields.next()?.parse().ok()?);
    match (kind, fields.next()) {
        (AccountKind::System(kind), None) => Some((kind, currency, id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ledger::{AccountId, Currency, Rail, SystemKind};

    use super::{from_text, to_text};

    #[test]
    fn what_is_written_is_read() {
        let accounts = vec![
            (SystemKind::World, Currency::USD, AccountId::new(7)),
            (SystemKind::FeeIncome, Currency::EUR, AccountId::new(8)),
            (
                SystemKind::InTransit(Rail::Simulated),
                Currency::GBP,
                AccountId::new(u64::MAX),
            ),
        ];
        let text = to_text(&accounts);
        assert_eq!(text, "16:USD:7 18:EUR:8 17:GBP:18446744073709551615");
        assert_eq!(from_text(&text), Some(accounts));
        assert_eq!(from_text(""), Some(Vec::new()));
        for wrong in [
            "16:USD",
            "2:USD:7",
            "16:usd:7",
            "16:USD:7:1",
            "16:USD:-7",
            ":::",
        ] {
            assert_eq!(from_text(wrong), None, "{wrong}");
        }
    }
}
