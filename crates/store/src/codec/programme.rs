//! Profiles and bulks as bytes, in the journal and in the views.

use std::sync::Arc;

use ledger::profile::{DepositFee, Fee, Pair, Profile, Rate, Terms, TransferFee, TransferTerms};
use ledger::{
    AccountId, Amount, Bulk, BulkId, Currency, Instrument, KeyId, Millis, OperationOutcome,
    OwnerId, ProfileId, ProfileKind, TenantId, TransferId, TransferOrder,
};

use super::wire::{CodecError, Decoder, Encoder};
use crate::codes::Code;

type Decoded<T> = Result<T, CodecError>;

pub(super) fn encode_list<T>(
    e: &mut Encoder<'_>,
    list: &[T],
    encode: impl Fn(&mut Encoder<'_>, &T),
) {
    e.uint(list.len() as u64);
    for item in list {
        encode(e, item);
    }
}

pub(super) fn decode_list<'a, T>(
    d: &mut Decoder<'a>,
    decode: impl Fn(&mut Decoder<'a>) -> Decoded<T>,
) -> Decoded<Vec<T>> {
    let count = d.uint()?;
    // Nothing is reserved: every item takes a byte or more, so a false count runs out early.
    let mut list = Vec::new();
    for _ in 0..count {
        list.push(decode(d)?);
    }
    Ok(list)
}

pub(super) fn encode_profile(e: &mut Encoder<'_>, profile: &Profile) {
    e.id(profile.id.raw());
    e.id(profile.tenant.raw());
    e.text(&profile.name);
    e.bool(profile.active);
    encode_list(e, &profile.currencies, |e, currency| {
        e.bytes(&currency.bytes())
    });
    encode_terms(e, &profile.terms);
    e.time(profile.created_at);
    e.time(profile.updated_at);
}

pub(super) fn decode_profile(d: &mut Decoder<'_>) -> Decoded<Profile> {
    Ok(Profile {
        id: ProfileId::new(d.id()?),
        tenant: TenantId::new(d.id()?),
        name: d.text()?,
        active: d.bool()?,
        currencies: decode_list(d, Decoder::currency)?,
        terms: decode_terms(d)?,
        created_at: d.time()?,
        updated_at: d.time()?,
    })
}

fn encode_fee(e: &mut Encoder<'_>, fee: Fee) {
    let (kind, flat, rate) = match fee {
        Fee::Flat(flat) => (1, Some(flat), None),
        Fee::Percentage(rate) => (2, None, Some(rate)),
        Fee::Plus(flat, rate) => (3, Some(flat), Some(rate)),
        Fee::Min(flat, rate) => (4, Some(flat), Some(rate)),
        Fee::Max(flat, rate) => (5, Some(flat), Some(rate)),
    };
    e.byte(kind);
    if let Some(flat) = flat {
        e.int(flat);
    }
    if let Some(rate) = rate {
        e.uint(u64::from(rate.ppm()));
    }
}

fn decode_rate(d: &mut Decoder<'_>) -> Decoded<Rate> {
    let ppm = u32::try_from(d.uint()?).ok();
    ppm.and_then(Rate::from_ppm)
        .ok_or(CodecError::Value("rate"))
}

fn decode_fee(d: &mut Decoder<'_>) -> Decoded<Fee> {
    Ok(match d.byte()? {
        1 => Fee::Flat(d.int()?),
        2 => Fee::Percentage(decode_rate(d)?),
        3 => Fee::Plus(d.int()?, decode_rate(d)?),
        4 => Fee::Min(d.int()?, decode_rate(d)?),
        5 => Fee::Max(d.int()?, decode_rate(d)?),
        tag => return Err(CodecError::Tag { what: "fee", tag }),
    })
}

fn encode_amounts(e: &mut Encoder<'_>, amounts: &[Amount]) {
    encode_list(e, amounts, |e, amount| e.amount(*amount));
}

fn decode_amounts(d: &mut Decoder<'_>) -> Decoded<Vec<Amount>> {
    decode_list(d, Decoder::amount)
}

fn encode_pair(e: &mut Encoder<'_>, pair: Pair) {
    e.byte(pair.source.code());
    e.byte(pair.destination.code());
}

fn decode_pair(d: &mut Decoder<'_>) -> Decoded<Pair> {
    Ok(Pair {
        source: d.code()?,
        destination: d.code()?,
    })
}

fn encode_terms(e: &mut Encoder<'_>, terms: &Terms) {
    e.byte(terms.kind().code());
    match terms {
        Terms::Corporate | Terms::Consumer => {}
        Terms::ManagedAccount {
            max_balances,
            deposit_fees,
        } => {
            encode_amounts(e, max_balances);
            encode_list(e, deposit_fees, |e, line| {
                e.bytes(&line.currency.bytes());
                encode_fee(e, line.fee);
            });
        }
        Terms::ManagedCard { mode, max_balances } => {
            e.byte(mode.code());
            encode_amounts(e, max_balances);
        }
        Terms::Transfer(terms) => {
            encode_list(e, &terms.pairs, |e, pair| encode_pair(e, *pair));
            encode_list(e, &terms.fees, |e, line| {
                encode_pair(e, line.pair);
                e.bytes(&line.currency.bytes());
                encode_fee(e, line.fee);
            });
            e.byte(terms.fee_policy.code());
            encode_amounts(e, &terms.max_amounts);
            encode_amounts(e, &terms.deny_above);
            e.bool(terms.forex);
        }
    }
}

fn decode_terms(d: &mut Decoder<'_>) -> Decoded<Terms> {
    Ok(match d.code::<ProfileKind>()? {
        ProfileKind::Corporate => Terms::Corporate,
        ProfileKind::Consumer => Terms::Consumer,
        ProfileKind::ManagedAccount => Terms::ManagedAccount {
            max_balances: decode_amounts(d)?,
            deposit_fees: decode_list(d, |d| {
                Ok(DepositFee {
                    currency: d.currency()?,
                    fee: decode_fee(d)?,
                })
            })?,
        },
        ProfileKind::ManagedCard => Terms::ManagedCard {
            mode: d.code()?,
            max_balances: decode_amounts(d)?,
        },
        ProfileKind::Transfer => Terms::Transfer(TransferTerms {
            pairs: decode_list(d, decode_pair)?,
            fees: decode_list(d, |d| {
                Ok(TransferFee {
                    pair: decode_pair(d)?,
                    currency: d.currency()?,
                    fee: decode_fee(d)?,
                })
            })?,
            fee_policy: d.code()?,
            max_amounts: decode_amounts(d)?,
            deny_above: decode_amounts(d)?,
            forex: d.bool()?,
        }),
    })
}

/// A bulk as it was handed in: nothing of it has run.
pub(super) fn encode_bulk(e: &mut Encoder<'_>, bulk: &Bulk) {
    e.id(bulk.id.raw());
    e.id(bulk.tenant.raw());
    e.id(bulk.owner.raw());
    e.option(bulk.key, |e, key: KeyId| e.id(key.raw()));
    e.time(bulk.created_at);
    encode_list(e, &bulk.operations, encode_order);
}

pub(super) fn decode_bulk(d: &mut Decoder<'_>) -> Decoded<Bulk> {
    Ok(Bulk {
        id: BulkId::new(d.id()?),
        tenant: TenantId::new(d.id()?),
        owner: OwnerId::new(d.id()?),
        key: d.option(|d| d.id().map(KeyId::new))?,
        created_at: d.time()?,
        operations: Arc::from(decode_list(d, decode_order)?),
        status: ledger::BulkStatus::Submitted,
        mode: None,
        succeeded: 0,
        failed: 0,
        started_at: None,
        finished_at: None,
    })
}

fn encode_instrument(e: &mut Encoder<'_>, instrument: Instrument) {
    e.id(instrument.id.raw());
    e.byte(instrument.class.code());
}

fn decode_instrument(d: &mut Decoder<'_>) -> Decoded<Instrument> {
    Ok(Instrument {
        id: AccountId::new(d.id()?),
        class: d.code()?,
    })
}

fn encode_order(e: &mut Encoder<'_>, order: &TransferOrder) {
    e.id(order.profile.raw());
    encode_instrument(e, order.source);
    encode_instrument(e, order.destination);
    e.option(order.currency, |e, currency: Currency| {
        e.bytes(&currency.bytes())
    });
    e.int(order.amount_minor);
    e.option(order.tag.as_deref(), Encoder::text);
    e.option(order.description.as_deref(), Encoder::text);
    e.option(order.scheduled_at, Encoder::time);
}

fn decode_order(d: &mut Decoder<'_>) -> Decoded<TransferOrder> {
    Ok(TransferOrder {
        profile: ProfileId::new(d.id()?),
        source: decode_instrument(d)?,
        destination: decode_instrument(d)?,
        currency: d.option(Decoder::currency)?,
        amount_minor: d.int()?,
        tag: d.option(Decoder::text)?,
        description: d.option(Decoder::text)?,
        scheduled_at: d.option(Decoder::time)?,
    })
}

pub(super) fn encode_outcome(e: &mut Encoder<'_>, outcome: OperationOutcome) {
    match outcome {
        OperationOutcome::Made(transfer, status) => {
            e.byte(1);
            e.id(transfer.raw());
            e.byte(status.code());
        }
        OperationOutcome::Denied(denial) => {
            e.byte(2);
            e.byte(denial.code());
        }
        OperationOutcome::ProfileNotFound => e.byte(3),
    }
}

pub(super) fn decode_outcome(d: &mut Decoder<'_>) -> Decoded<OperationOutcome> {
    Ok(match d.byte()? {
        1 => OperationOutcome::Made(TransferId::new(d.id()?), d.code()?),
        2 => OperationOutcome::Denied(d.code()?),
        3 => OperationOutcome::ProfileNotFound,
        tag => {
            return Err(CodecError::Tag {
                what: "outcome",
                tag,
            });
        }
    })
}

/// A profile's terms as the views keep them.
pub(crate) fn terms_to_bytes(terms: &Terms) -> Vec<u8> {
    let mut out = Vec::new();
    encode_terms(&mut Encoder::new(&mut out, Millis(0)), terms);
    out
}

/// The terms in bytes made by [`terms_to_bytes`].
pub(crate) fn terms_from_bytes(bytes: &[u8]) -> Decoded<Terms> {
    let mut d = Decoder::new(bytes, Millis(0));
    let terms = decode_terms(&mut d)?;
    d.finish()?;
    Ok(terms)
}

/// A bulk's operations as the views keep them.
pub(crate) fn operations_to_bytes(operations: &[TransferOrder]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_list(
        &mut Encoder::new(&mut out, Millis(0)),
        operations,
        encode_order,
    );
    out
}

/// The operations in bytes made by [`operations_to_bytes`].
pub(crate) fn operations_from_bytes(bytes: &[u8]) -> Decoded<Arc<[TransferOrder]>> {
    let mut d = Decoder::new(bytes, Millis(0));
    let operations = decode_list(&mut d, decode_order)?;
    d.finish()?;
    Ok(Arc::from(operations))
}
