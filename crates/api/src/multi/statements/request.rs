//! What can be asked of a statement.

use crate::multi::choices::choices;
use crate::multi::invalid::InvalidField;
use crate::multi::query::Query;

choices! {
    /// Which entries come first.
    #[derive(Default)]
    Order, ORDERS {
        /// The oldest.
        Ascending = "ASC",
        /// The newest.
        #[default]
        Descending = "DESC",
    }
}

choices! {
    /// What a statement can be filtered by; some of these never happen here.
    TransactionType, TRANSACTION_TYPES {
        /// An instrument was made.
        InstrumentCreate = "INSTRUMENT_CREATE",
        /// An instrument was blocked.
        InstrumentBlock = "INSTRUMENT_BLOCK",
        /// A block was lifted.
        InstrumentUnblock = "INSTRUMENT_UNBLOCK",
        /// An instrument was removed.
        InstrumentDelete = "INSTRUMENT_DELETE",
        /// A purchase was allowed.
        Authorisation = "AUTHORISATION",
        /// A purchase was paid.
        Settlement = "SETTLEMENT",
        /// The operator moved money.
        ManualTransaction = "MANUAL_TRANSACTION",
        /// Money between instruments of one identity.
        Transfer = "TRANSFER",
        /// Money to another identity.
        Send = "SEND",
        /// Money from outside.
        Deposit = "DEPOSIT",
        /// An authorisation was taken back.
        AuthorisationReversal = "AUTHORISATION_REVERSAL",
        /// An authorisation was never used.
        AuthorisationExpiry = "AUTHORISATION_EXPIRY",
        /// A purchase was refused.
        AuthorisationDecline = "AUTHORISATION_DECLINE",
        /// The operator ended an authorisation.
        AuthorisationManualClose = "AUTHORISATION_MANUAL_CLOSE",
        /// A merchant gave money back.
        MerchantRefund = "MERCHANT_REFUND",
        /// A merchant took that back.
        MerchantRefundReversal = "MERCHANT_REFUND_REVERSAL",
        /// Money sent to a card.
        OriginalCreditTransaction = "ORIGINAL_CREDIT_TRANSACTION",
        /// A payment was taken back.
        SettlementReversal = "SETTLEMENT_REVERSAL",
        /// A balance was put right.
        Adjustment = "ADJUSTMENT",
        /// A fee by itself.
        ChargeFee = "CHARGE_FEE",
        /// Money was held back for a withdrawal.
        WithdrawalReserve = "WITHDRAWAL_RESERVE",
        /// Money held back was let go.
        WithdrawalRelease = "WITHDRAWAL_RELEASE",
        /// A fee was given back.
        FeeReversal = "FEE_REVERSAL",
        /// A card became plastic.
        CardUpgradeToPhysical = "CARD_UPGRADE_TO_PHYSICAL",
        /// A plastic card was taken into use.
        ActivatePhysicalCard = "ACTIVATE_PHYSICAL_CARD",
        /// A card took another's place.
        InstrumentReplace = "INSTRUMENT_REPLACE",
        /// Money to a bank account.
        OutgoingWireTransfer = "OUTGOING_WIRE_TRANSFER",
        /// An authorisation was called off.
        AuthorisationCancellation = "AUTHORISATION_CANCELLATION",
        /// The system moved money.
        SystemTransaction = "SYSTEM_TRANSACTION",
        /// A direct debit.
        OutgoingDirectDebitCollection = "OUTGOING_DIRECT_DEBIT_COLLECTION",
        /// A direct debit was given back.
        OutgoingDirectDebitRefund = "OUTGOING_DIRECT_DEBIT_REFUND",
    }
}

/// Entries in one answer, unless asked otherwise, and at most.
const LIMIT_MAX: i64 = 500;

/// What is asked for; an empty list of types is all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::multi) struct StatementRequest {
    pub offset: u32,
    /// 1 to 500.
    pub limit: u32,
    pub order: Order,
    /// Milliseconds; both ends are included.
    pub from: Option<i64>,
    pub to: Option<i64>,
    /// Only what moved money.
    pub movements_only: bool,
    /// One entry for each transaction, and only for those that have ended.
    pub single_entries: bool,
    pub types: Vec<TransactionType>,
}

/// Reads the query string.
pub(in crate::multi) fn parse(query: Option<&str>) -> Result<StatementRequest, Vec<InvalidField>> {
    let mut query = Query::parse(query);
    let request = StatementRequest {
        offset: query.offset(),
        limit: query.capped("statementLimit", LIMIT_MAX),
        order: query.choice("orderByTimestamp", ORDERS).unwrap_or_default(),
        from: query.millis("fromTimestamp"),
        to: query.millis("toTimestamp"),
        movements_only: query.flag("showFundMovementsOnly").unwrap_or(false),
        single_entries: query.flag("singleEntryPerTransaction").unwrap_or(false),
        types: query.choices("transactionType", TRANSACTION_TYPES),
    };
    if let (Some(from), Some(to)) = (request.from, request.to)
        && to <= from
    {
        query.fault(InvalidField::range(
            "toTimestamp",
            from.saturating_add(1),
            i64::MAX,
        ));
    }
    query.finish()?;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi::invalid::message;

    #[test]
    fn everything_is_read() {
        let nothing = StatementRequest {
            offset: 0,
            limit: 500,
            order: Order::Descending,
            from: None,
            to: None,
            movements_only: false,
            single_entries: false,
            types: Vec::new(),
        };
        assert_eq!(parse(None), Ok(nothing));
        let query = "offset=1&statementLimit=2&orderByTimestamp=ASC&fromTimestamp=3&toTimestamp=4\
                     &showFundMovementsOnly=true&singleEntryPerTransaction=true\
                     &transactionType=TRANSFER,DEPOSIT";
        let all = StatementRequest {
            offset: 1,
            limit: 2,
            order: Order::Ascending,
            from: Some(3),
            to: Some(4),
            movements_only: true,
            single_entries: true,
            types: vec![TransactionType::Transfer, TransactionType::Deposit],
        };
        assert_eq!(parse(Some(query)), Ok(all));
    }

    #[test]
    fn a_window_has_an_inside() {
        let window = |from: i64, to: i64| {
            let query = format!("fromTimestamp={from}&toTimestamp={to}");
            parse(Some(&query)).map_err(|faults| message(&faults))
        };
        assert!(window(3, 4).is_ok());
        let wrong = "toTimestamp must be from 4 to 9223372036854775807".to_owned();
        assert_eq!(window(3, 3), Err(wrong.clone()));
        assert_eq!(window(3, -1), Err(wrong));
        let query = "statementLimit=0&orderByTimestamp=UP&singleEntryPerTransaction=1\
                     &transactionType=GIFT&fromTimestamp=x";
        assert_eq!(parse(Some(query)).map_err(|faults| faults.len()), Err(5));
    }
}
