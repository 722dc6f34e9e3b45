//! Amounts: integers of minor units in a currency. No floats, no unchecked arithmetic.

use std::fmt;

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// US dollars, minor unit cents.
    pub const USD: Currency = Currency(*b"USD");
    /// Euro, minor unit cents.
    pub const EUR: Currency = Currency(*b"EUR");
    /// Pounds sterling, minor unit pence.
    pub const GBP: Currency = Currency(*b"GBP");

    /// The currency with this three-letter code.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] when ISO 4217 has no such code (upper case only).
    pub fn parse(code: &str) -> Result<Currency, MoneyError> {
        match (
            iso_currency::Currency::from_code(code),
            <[u8; 3]>::try_from(code.as_bytes()),
        ) {
            (Some(_), Ok(bytes)) => Ok(Currency(bytes)),
            _ => Err(MoneyError::UnknownCurrency),
        }
    }

    /// The three-letter code.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("built from ASCII letters only")
    }

    /// The code's bytes, as they are stored.
    #[must_use]
    pub fn bytes(self) -> [u8; 3] {
        self.0
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What can be wrong with an amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MoneyError {
    /// No such ISO 4217 code.
    #[error("not an ISO 4217 currency code")]
    UnknownCurrency,
    /// A transfer, entry or hold of nothing or less than nothing.
    #[error("an amount must be greater than zero")]
    NotPositive,
}

/// A positive sum: minor units of one currency. Balances, which may be negative, are plain `i64`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Amount {
    minor: i64,
    currency: Currency,
}

impl Amount {
    /// `minor` units of `currency`.
    ///
    /// # Errors
    /// [`MoneyError::NotPositive`] unless `minor` is greater than zero.
    pub fn new(minor: i64, currency: Currency) -> Result<Amount, MoneyError> {
        if minor <= 0 {
            return Err(MoneyError::NotPositive);
        }
        Ok(Amount { minor, currency })
    }

    /// Minor units, always greater than zero.
    #[must_use]
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.minor, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_iso_codes_in_upper_case_are_currencies() {
        for code in ["USD", "EUR", "GBP", "JPY", "KWD"] {
            assert_eq!(Currency::parse(code).expect(code).code(), code);
        }
        for code in ["usd", "US", "USDX", "", "ZZZ", "€€€", "U D"] {
            assert_eq!(
                Currency::parse(code),
                Err(MoneyError::UnknownCurrency),
                "{code:?}"
            );
        }
    }

    #[test]
    fn an_amount_is_positive() {
        assert_eq!(Amount::new(0, Currency::USD), Err(MoneyError::NotPositive));
        assert_eq!(Amount::new(-1, Currency::USD), Err(MoneyError::NotPositive));
        assert_eq!(
            Amount::new(1, Currency::USD).expect("one cent").to_string(),
            "1 USD"
        );
        assert_eq!(
            Amount::new(i64::MAX, Currency::USD).expect("most").minor(),
            i64::MAX
        );
    }
}
