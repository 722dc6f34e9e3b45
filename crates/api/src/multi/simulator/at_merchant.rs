//! What a card does at a merchant's: pays, or gets its money back.

use axum::body::Body;
use axum::http::request::Parts;
use ledger::{AccountId, InstrumentClass};
use service::multi::Outside;

use super::money::{Purchase, PurchaseCode, purchase, simulated};
use super::target;
use crate::App;
use crate::http::PathText;
use crate::multi::body::{self, BODY_MAX};
use crate::multi::failure::Failure;
use crate::multi::invalid::both;
use crate::multi::managed_cards::issue::StoredCard;
use crate::multi::{auth, fields};

/// Which way the money goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// To the merchant.
    Purchase,
    /// Back to the card.
    Refund,
}

/// Answers either request.
pub(super) async fn pay(
    app: &App,
    way: Way,
    id: PathText,
    parts: &Parts,
    body: Body,
) -> Result<PurchaseCode, Failure> {
    let programme = auth::simulator(app, &parts.headers)?;
    let bytes = body::json(&parts.headers, body, BODY_MAX).await?;
    let strict = programme.is_strict();
    let target = target("card_id", id, &parts.headers);
    let (id, asked) = both(target, fields::parse(&bytes, strict, purchase))?;
    let (service, tenant) = (app.service(), programme.tenant);
    let card = service
        .simulated(tenant, InstrumentClass::Card, AccountId::new(id))
        .await?;
    let Some(card) = card else {
        return Ok(PurchaseCode::CardNotFound);
    };
    let Purchase {
        merchant_name,
        sum,
        is_biometric,
    } = asked;
    if way == Way::Purchase {
        let end = StoredCard::of(&card).expires_at(card.created_at);
        let now = service.time_of(tenant).await?;
        if end.is_some_and(|end| now >= end) {
            return Ok(PurchaseCode::CardExpiry);
        }
        if is_biometric {
            return Ok(PurchaseCode::NotEnrolled);
        }
    }
    let money = simulated(id, &sum, Some(merchant_name));
    let done = match way {
        Way::Purchase => service.simulate_purchase(tenant, money).await?,
        Way::Refund => service.simulate_refund(tenant, money).await?,
    };
    Ok(match done {
        Outside::Done => PurchaseCode::Approved,
        Outside::NotFound => PurchaseCode::CardNotFound,
        Outside::AmountNotPositive => PurchaseCode::AmountNotPositive,
        Outside::Inactive => PurchaseCode::CardInactive,
        Outside::InsufficientFunds => PurchaseCode::NotEnoughFunds,
        Outside::CurrencyDiffers | Outside::Denied => PurchaseCode::Other,
    })
}
