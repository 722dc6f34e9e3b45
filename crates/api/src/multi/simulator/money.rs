//! What the simulator's calls about money have in common.

use std::sync::Arc;

use ledger::{AccountId, Currency};
use serde::Serialize;
use service::multi::Simulated;
use utoipa::ToSchema;

use crate::multi::choices::choices;
use crate::multi::fields::Fields;
use crate::multi::wire::Sum;
use crate::multi::{rules, schemas};

/// A sum. Without an amount it is nothing.
#[derive(ToSchema)]
#[schema(as = SimulatedAmount)]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct SimulatedSumBody {
    #[schema(value_type = schemas::Currency)]
    currency: String,
    #[schema(value_type = Option<schemas::Minor>)]
    amount: Option<i64>,
}

/// Reads a sum.
pub(super) fn sum(fields: &mut Fields<'_>) -> Sum {
    let currency = fields.text("currency", &rules::CURRENCY);
    let amount = fields.optional_integer("amount", i64::MIN..=i64::MAX);
    Sum {
        currency,
        amount_minor: amount.unwrap_or(0),
    }
}

/// What is asked of an instrument.
pub(super) fn simulated(instrument: u64, sum: &Sum, description: Option<String>) -> Simulated {
    let description = description.filter(|text| !text.is_empty());
    Simulated {
        instrument: AccountId::new(instrument),
        amount_minor: sum.amount_minor,
        currency: Currency::parse(&sum.currency).ok(),
        description: description.map(Arc::from),
    }
}

choices! {
    /// Whether the cardholder was there; nothing depends on it.
    Presence, PRESENCES {
        /// Yes.
        Present = "PRESENT",
        /// No.
        NotPresent = "NOT_PRESENT",
        /// Nobody knows.
        Unknown = "PRESENCE_UNKNOWN",
    }
}

/// Something bought with a card, or given back.
#[derive(ToSchema)]
#[schema(as = SimulatedPurchase, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct PurchaseBody {
    #[schema(value_type = schemas::MerchantName)]
    merchant_name: String,
    transaction_amount: SimulatedSumBody,
    #[schema(value_type = Option<schemas::MerchantId>)]
    merchant_id: Option<String>,
    #[schema(value_type = Option<schemas::MerchantCategory>)]
    merchant_category_code: Option<String>,
    #[schema(value_type = Option<schemas::Country3>)]
    transaction_country: Option<String>,
    atm_withdrawal: Option<bool>,
    card_holder_present: Option<Presence>,
    card_present: Option<bool>,
    /// No card here is enrolled for it.
    #[schema(rename = "initiateBiometricThreeDSecure")]
    initiate_biometric: Option<bool>,
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Purchase {
    pub merchant_name: String,
    pub sum: Sum,
    /// Whether the cardholder shall prove it first.
    pub is_biometric: bool,
}

/// Reads the body. What the simulated world has no use for is known and not looked at.
pub(super) fn purchase(fields: &mut Fields<'_>) -> Purchase {
    let merchant_name = fields.text("merchantName", &rules::MERCHANT_NAME);
    let sum = fields.object("transactionAmount", sum);
    fields.optional_text("merchantId", &rules::MERCHANT_ID);
    fields.optional_text("merchantCategoryCode", &rules::MERCHANT_CATEGORY);
    fields.optional_text("transactionCountry", &rules::COUNTRY_3);
    fields.optional_flag("atmWithdrawal");
    fields.optional_choice("cardHolderPresent", PRESENCES);
    fields.optional_flag("cardPresent");
    let is_biometric = fields.optional_flag("initiateBiometricThreeDSecure");
    for field in [
        "forexFee",
        "forexPadding",
        "additionalMerchantData",
        "transactionTimestamp",
    ] {
        fields.ignored(field);
    }
    Purchase {
        merchant_name,
        sum,
        is_biometric: is_biometric.unwrap_or(false),
    }
}

choices! {
    /// What became of a purchase or refund.
    PurchaseCode, PURCHASE_CODES {
        /// The money moved.
        Approved = "APPROVED",
        /// There is too little to spend.
        NotEnoughFunds = "DENIED_NOT_ENOUGH_FUNDS",
        /// The programme has no such card.
        CardNotFound = "DENIED_CARD_NOT_FOUND",
        /// The card's time is over.
        CardExpiry = "DENIED_CARD_EXPIRY",
        /// There is no such amount.
        AmountNotPositive = "DENIED_AMOUNT_NOT_POSITIVE",
        /// The card, or the account it spends from, is blocked or destroyed.
        CardInactive = "DENIED_CARD_INACTIVE",
        /// Something else, such as a currency that the card does not have.
        Other = "DENIED_OTHER",
        /// The cardholder cannot prove anything.
        NotEnrolled = "CARD_NOT_ENROLLED_FOR_BIOMETRIC_THREEDS",
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = PurchaseResult)]
pub struct PurchaseCodeBody {
    pub(super) code: PurchaseCode,
}

choices! {
    /// What became of a deposit.
    DepositCode, DEPOSIT_CODES {
        /// The money has arrived.
        Completed = "COMPLETED",
        /// The programme has no such account.
        AccountNotFound = "DENIED_ACCOUNT_NOT_FOUND",
        /// There is no such amount.
        AmountNotPositive = "DENIED_AMOUNT_NOT_POSITIVE",
        /// The account has another currency.
        CurrencyNotAccountCurrency = "DENIED_CURRENCY_NOT_ACCOUNT_CURRENCY",
        /// The account is blocked or destroyed.
        AccountInactive = "DENIED_ACCOUNT_INACTIVE",
        /// Something else, such as a balance that nobody can count.
        Other = "DENIED_OTHER",
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = DepositResult)]
pub struct DepositCodeBody {
    pub(super) code: DepositCode,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi::fields;
    use crate::multi::invalid::message;

    fn read(body: &str) -> Result<Purchase, String> {
        fields::parse(body.as_bytes(), true, purchase).map_err(|faults| message(&faults))
    }

    #[test]
    fn a_purchase_needs_a_merchant_and_a_sum() {
        let body = r#"{"merchantName":"Café","transactionAmount":{"currency":"EUR","amount":-5},
            "merchantId":"1","merchantCategoryCode":"5399","transactionCountry":"MLT",
            "forexFee":1,"additionalMerchantData":{"merchantCity":"X"},"cardPresent":true,
            "cardHolderPresent":"PRESENT","transactionTimestamp":1}"#;
        let expected = Purchase {
            merchant_name: "Café".to_owned(),
            sum: Sum {
                currency: "EUR".to_owned(),
                amount_minor: -5,
            },
            is_biometric: false,
        };
        assert_eq!(read(body), Ok(expected));
        let nothing = r#"{"merchantName":"M","transactionAmount":{"currency":"EUR"},
            "initiateBiometricThreeDSecure":true}"#;
        let purchase = read(nothing).expect("an amount may be absent");
        assert_eq!(
            (purchase.sum.amount_minor, purchase.is_biometric),
            (0, true)
        );
    }

    #[test]
    fn every_fault_is_told_at_once() {
        assert_eq!(
            read("{}"),
            Err("merchantName is required; transactionAmount is required".to_owned())
        );
        let number = r#"{"merchantName":"a\nb","transactionAmount":{"currency":"eur"},
            "cardNumber":"4111111111111111"}"#;
        let faults = read(number).expect_err("three things are wrong");
        assert!(
            faults.starts_with("merchantName does not match"),
            "{faults}"
        );
        assert!(faults.contains("transactionAmount.currency does not match"));
        assert!(faults.ends_with("cardNumber is not a known field"));
        assert!(!faults.contains("4111"));
    }

    #[test]
    fn what_was_said_is_kept_and_nothing_is_nothing() {
        let sum = Sum {
            currency: "ZZZ".to_owned(),
            amount_minor: 5,
        };
        let said = simulated(7, &sum, Some("Rent".to_owned()));
        assert_eq!(said.description.as_deref(), Some("Rent"));
        assert_eq!(said.currency, None);
        assert_eq!(simulated(7, &sum, Some(String::new())).description, None);
    }
}
