//! A statement as JSON, in the shape of 3.63.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::multi::choices::choices;
use crate::multi::schemas;
use crate::multi::wire::{Id, SumBody};

choices! {
    /// What kinds of transactions stand in statements.
    EntryType, ENTRY_TYPES {
        /// A purchase was allowed.
        Authorisation = "AUTHORISATION",
        /// A purchase was paid.
        Settlement = "SETTLEMENT",
        /// The operator moved money.
        ManualTransaction = "MANUAL_TRANSACTION",
        /// Money between instruments of one identity.
        Transfer = "TRANSFER",
        /// Money from outside.
        Deposit = "DEPOSIT",
        /// A merchant gave money back.
        MerchantRefund = "MERCHANT_REFUND",
        /// A balance was put right.
        Adjustment = "ADJUSTMENT",
        /// A fee by itself.
        ChargeFee = "CHARGE_FEE",
        /// Money to a bank account.
        OutgoingWireTransfer = "OUTGOING_WIRE_TRANSFER",
        /// A direct debit.
        OutgoingDirectDebitCollection = "OUTGOING_DIRECT_DEBIT_COLLECTION",
    }
}

choices! {
    /// Whether a transaction has ended.
    #[schema(as = StatementEntryState)]
    EntryState, ENTRY_STATES {
        /// Some of it is still to come.
        Pending = "PENDING",
        /// All of it has happened.
        Completed = "COMPLETED",
    }
}

/// A transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = TransactionId)]
pub struct TransactionBody {
    pub(in crate::multi) r#type: EntryType,
    #[schema(value_type = schemas::Id)]
    pub(in crate::multi) id: Id,
}

/// What one transaction did to an instrument. Sums that left it are negative.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatementEntry)]
pub struct EntryBody {
    pub(in crate::multi) transaction_id: TransactionBody,
    pub(in crate::multi) entry_state: EntryState,
    /// With the fee.
    pub(in crate::multi) transaction_amount: SumBody,
    pub(in crate::multi) available_balance_adjustment: SumBody,
    pub(in crate::multi) actual_balance_adjustment: SumBody,
    pub(in crate::multi) balance_after: SumBody,
    pub(in crate::multi) available_balance_after: SumBody,
    pub(in crate::multi) actual_balance_after: SumBody,
    /// What was taken beside the amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = SumBody, required = false)]
    pub(in crate::multi) transaction_fee: Option<SumBody>,
    /// The same, under its old name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = SumBody, required = false)]
    pub(in crate::multi) cardholder_fee: Option<SumBody>,
    #[schema(value_type = schemas::Timestamp)]
    pub(in crate::multi) processed_timestamp: i64,
    /// Who was at the other side, and the like.
    pub(in crate::multi) additional_fields: BTreeMap<&'static str, String>,
}

/// A statement.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Statement)]
pub struct StatementBody {
    entry: Vec<EntryBody>,
    /// How many match in all.
    count: u64,
    /// How many are in this answer.
    response_count: usize,
    /// Before the first entry; not for debit cards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = SumBody, required = false)]
    start_balance: Option<SumBody>,
    /// After the last entry; not for debit cards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = SumBody, required = false)]
    end_balance: Option<SumBody>,
}

impl StatementBody {
    /// A page out of `count` matching entries, between two balances.
    pub(in crate::multi) fn new(
        entry: Vec<EntryBody>,
        count: u64,
        balances: Option<(SumBody, SumBody)>,
    ) -> StatementBody {
        let (start_balance, end_balance) = balances.unzip();
        StatementBody {
            response_count: entry.len(),
            entry,
            count,
            start_balance,
            end_balance,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use ledger::Currency;

    use super::*;
    use crate::multi::wire::Text64;

    fn sum(minor: i64) -> SumBody {
        SumBody::new(Currency::EUR, minor)
    }

    /// A transfer of EUR 10.00 out of an account with EUR 50.00, with a fee of 50 cents.
    pub(in super::super) fn entry() -> EntryBody {
        EntryBody {
            transaction_id: TransactionBody {
                r#type: EntryType::Transfer,
                id: Text64(7),
            },
            entry_state: EntryState::Completed,
            transaction_amount: sum(-1050),
            available_balance_adjustment: sum(-1050),
            actual_balance_adjustment: sum(-1050),
            balance_after: sum(3950),
            available_balance_after: sum(3950),
            actual_balance_after: sum(3950),
            transaction_fee: Some(sum(50)),
            cardholder_fee: Some(sum(50)),
            processed_timestamp: 1_800_000_000_000,
            additional_fields: BTreeMap::from([
                ("destinationInstrumentType", "managed_cards".to_owned()),
                ("destinationInstrumentId", "2".to_owned()),
                ("destinationInstrumentFriendlyName", "Travel".to_owned()),
            ]),
        }
    }

    #[test]
    fn a_statement_is_written_in_the_published_shape() {
        let statement = StatementBody::new(vec![entry()], 3, Some((sum(5000), sum(3950))));
        let text = serde_json::to_string(&statement).expect("names are texts");
        let eur = |minor: i64| format!(r#"{{"currency":"EUR","amount":{minor}}}"#);
        let expected = format!(
            r#"{{"entry":[{{"transactionId":{{"type":"TRANSFER","id":"7"}},"entryState":"COMPLETED","transactionAmount":{out},"availableBalanceAdjustment":{out},"actualBalanceAdjustment":{out},"balanceAfter":{after},"availableBalanceAfter":{after},"actualBalanceAfter":{after},"transactionFee":{fee},"cardholderFee":{fee},"processedTimestamp":1800000000000,"additionalFields":{{"destinationInstrumentFriendlyName":"Travel","destinationInstrumentId":"2","destinationInstrumentType":"managed_cards"}}}}],"count":3,"responseCount":1,"startBalance":{start},"endBalance":{after}}}"#,
            out = eur(-1050),
            after = eur(3950),
            fee = eur(50),
            start = eur(5000),
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn every_entry_can_be_filtered_by_its_type() {
        use super::super::request::TRANSACTION_TYPES;
        for (name, _) in ENTRY_TYPES {
            assert!(
                TRANSACTION_TYPES.iter().any(|(known, _)| known == name),
                "{name}"
            );
        }
    }
}
