//! What a profile says, as an operator writes it.

use ledger::account::InstrumentClass;
use ledger::profile::{
    CardMode, DepositFee, Fee, FeePolicy, LINES_MAX, Pair, ProfileKind, Rate, Terms, TransferFee,
    TransferTerms,
};
use ledger::{Amount, Currency};
use serde_json::Value;

use super::{kind_name, percent};
use crate::json::{Fault, Fields};

/// The two classes of instruments on the wire.
pub(super) const CLASSES: [(&str, InstrumentClass); 2] = [
    ("managed_accounts", InstrumentClass::Account),
    ("managed_cards", InstrumentClass::Card),
];
/// How cards pay.
pub(super) const MODES: [(&str, CardMode); 2] =
    [("prepaid", CardMode::Prepaid), ("debit", CardMode::Debit)];
/// Whether a transfer waits for its fee.
pub(super) const POLICIES: [(&str, FeePolicy); 2] = [
    ("best_effort", FeePolicy::BestEffort),
    ("required", FeePolicy::Required),
];

/// Each member and the profiles that have it.
const MEMBERS: [(&str, &[ProfileKind]); 9] = {
    const TRANSFER: &[ProfileKind] = &[ProfileKind::Transfer];
    [
        ("pairs", TRANSFER),
        ("fees", TRANSFER),
        ("fee_policy", TRANSFER),
        ("max_amounts", TRANSFER),
        ("deny_above", TRANSFER),
        ("forex", TRANSFER),
        ("mode", &[ProfileKind::ManagedCard]),
        (
            "max_balances",
            &[ProfileKind::ManagedAccount, ProfileKind::ManagedCard],
        ),
        ("deposit_fees", &[ProfileKind::ManagedAccount]),
    ]
};

/// The terms of a new profile of this kind. What is absent is at its default: nothing is limited
/// and nothing costs.
pub(super) fn read(fields: &mut Fields, kind: ProfileKind) -> Terms {
    let known = match kind {
        ProfileKind::Corporate => Terms::Corporate,
        ProfileKind::Consumer => Terms::Consumer,
        ProfileKind::ManagedAccount => Terms::ManagedAccount {
            max_balances: Vec::new(),
            deposit_fees: Vec::new(),
        },
        ProfileKind::ManagedCard => Terms::ManagedCard {
            mode: required_choice(fields, "mode", MODES).unwrap_or(CardMode::Prepaid),
            max_balances: Vec::new(),
        },
        ProfileKind::Transfer => Terms::Transfer(TransferTerms {
            pairs: Vec::new(),
            fees: Vec::new(),
            fee_policy: FeePolicy::BestEffort,
            max_amounts: Vec::new(),
            deny_above: Vec::new(),
            forex: false,
        }),
    };
    change(fields, known)
}

/// The terms after a change. What is absent stays as it is.
pub(super) fn change(fields: &mut Fields, known: Terms) -> Terms {
    let kind = known.kind();
    for (member, kinds) in MEMBERS {
        if !kinds.contains(&kind) && fields.take(member).is_some() {
            let names: Vec<&str> = kinds.iter().map(|kind| kind_name(*kind)).collect();
            let reason = format!("is for profiles of type {} only", names.join(" or "));
            fields.fault(member, reason);
        }
    }
    match known {
        Terms::Corporate | Terms::Consumer => known,
        Terms::ManagedAccount {
            max_balances,
            deposit_fees,
        } => Terms::ManagedAccount {
            max_balances: lines(fields, "max_balances", amount).unwrap_or(max_balances),
            deposit_fees: lines(fields, "deposit_fees", deposit_fee).unwrap_or(deposit_fees),
        },
        Terms::ManagedCard { mode, max_balances } => {
            if choice(fields, "mode", MODES).is_some_and(|wanted| wanted != mode) {
                fields.fault("mode", "never changes");
            }
            Terms::ManagedCard {
                mode,
                max_balances: lines(fields, "max_balances", amount).unwrap_or(max_balances),
            }
        }
        Terms::Transfer(terms) => Terms::Transfer(TransferTerms {
            pairs: lines(fields, "pairs", pair).unwrap_or(terms.pairs),
            fees: lines(fields, "fees", transfer_fee).unwrap_or(terms.fees),
            fee_policy: choice(fields, "fee_policy", POLICIES).unwrap_or(terms.fee_policy),
            max_amounts: lines(fields, "max_amounts", amount).unwrap_or(terms.max_amounts),
            deny_above: lines(fields, "deny_above", amount).unwrap_or(terms.deny_above),
            forex: fields.optional_flag("forex").unwrap_or(terms.forex),
        }),
    }
}

/// One of a few words, if it is there.
fn choice<T: Copy, const N: usize>(
    fields: &mut Fields,
    field: &str,
    choices: [(&str, T); N],
) -> Option<T> {
    let text = fields.optional_text(field)?;
    Some(chosen(fields, field, &text, choices))
}

/// One of a few words, which must be there.
fn required_choice<T: Copy, const N: usize>(
    fields: &mut Fields,
    field: &str,
    choices: [(&str, T); N],
) -> Option<T> {
    let text = text(fields, field)?;
    Some(chosen(fields, field, &text, choices))
}

/// A word that is none of the choices is a fault and stands for the first: the fault wins over
/// whatever is built with it.
fn chosen<T: Copy, const N: usize>(
    fields: &mut Fields,
    field: &str,
    text: &str,
    choices: [(&str, T); N],
) -> T {
    let known = choices.iter().find(|(name, _)| *name == text);
    if known.is_none() {
        let names = choices.map(|(name, _)| name).join(", ");
        fields.fault(field, format!("must be one of {names}"));
    }
    known.unwrap_or(&choices[0]).1
}

/// A list of objects, if it is there. A faulty line is left out: its faults win over the list.
fn lines<T>(
    fields: &mut Fields,
    field: &str,
    read: impl Fn(&mut Fields) -> Option<T>,
) -> Option<Vec<T>> {
    let items = match fields.take(field)? {
        Value::Array(items) if items.len() <= LINES_MAX => items,
        Value::Array(_) => {
            fields.fault(field, format!("must have at most {LINES_MAX} lines"));
            return None;
        }
        _ => {
            fields.fault(field, "must be a list");
            return None;
        }
    };
    let mut built = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let mut nested = fields.nested(&format!("{field}[{index}]"), item);
        // What is no object has one fault, which is enough.
        if nested.is_faultless() {
            built.extend(read(&mut nested));
        }
        for Fault { field, reason } in nested.into_faults() {
            fields.absolute_fault(field, reason);
        }
    }
    Some(built)
}

/// A text that must be there; `None` with a fault.
pub(super) fn text(fields: &mut Fields, field: &str) -> Option<String> {
    match fields.take(field) {
        Some(Value::String(text)) => return Some(text),
        Some(_) => fields.fault(field, "must be a string"),
        None => fields.require(field),
    }
    None
}

fn currency(fields: &mut Fields) -> Option<Currency> {
    let currency = Currency::parse(&text(fields, "currency")?);
    if let Err(error) = currency {
        fields.fault("currency", format!("is {error}"));
    }
    currency.ok()
}

fn amount(fields: &mut Fields) -> Option<Amount> {
    let (currency, minor) = (currency(fields), fields.integer("amount", 1));
    Amount::new(minor, currency?).ok()
}

fn pair(fields: &mut Fields) -> Option<Pair> {
    let mut class = |field| required_choice(fields, field, CLASSES);
    let (source, destination) = (class("source"), class("destination"));
    Some(Pair {
        source: source?,
        destination: destination?,
    })
}

fn transfer_fee(fields: &mut Fields) -> Option<TransferFee> {
    let (pair, currency, fee) = (pair(fields), currency(fields), fee(fields));
    Some(TransferFee {
        pair: pair?,
        currency: currency?,
        fee: fee?,
    })
}

fn deposit_fee(fields: &mut Fields) -> Option<DepositFee> {
    let (currency, fee) = (currency(fields), fee(fields));
    Some(DepositFee {
        currency: currency?,
        fee: fee?,
    })
}

fn fee(fields: &mut Fields) -> Option<Fee> {
    let build: fn(i64, Rate) -> Fee = match text(fields, "type")?.as_str() {
        "FLAT" => return Some(Fee::Flat(flat(fields))).filter(|_| is_without(fields, "percent")),
        "PERCENTAGE" => {
            let rate = rate(fields);
            return rate
                .map(Fee::Percentage)
                .filter(|_| is_without(fields, "flat"));
        }
        "PLUS" => Fee::Plus,
        "MIN" => Fee::Min,
        "MAX" => Fee::Max,
        _ => {
            fields.fault("type", "must be one of FLAT, PERCENTAGE, PLUS, MIN, MAX");
            return None;
        }
    };
    let (flat, rate) = (flat(fields), rate(fields));
    Some(build(flat, rate?))
}

fn flat(fields: &mut Fields) -> i64 {
    fields.integer("flat", 0)
}

fn rate(fields: &mut Fields) -> Option<Rate> {
    let rate = percent::parse(&text(fields, "percent")?);
    if rate.is_none() {
        let reason = "must be a percentage from 0 to 100 with at most 4 decimals, such as \"1.25\"";
        fields.fault("percent", reason);
    }
    rate
}

fn is_without(fields: &mut Fields, field: &str) -> bool {
    let absent = fields.take(field).is_none();
    if !absent {
        fields.fault(field, "is not for a fee of this type");
    }
    absent
}
