//! A profile as JSON: the members that an operator would write, and what the server adds.

use ledger::profile::{Fee, Pair, Profile, Rate, Terms};
use ledger::{Amount, Currency};
use serde::Serialize;
use utoipa::ToSchema;

use super::terms::{CLASSES, MODES, POLICIES};
use super::{kind_name, percent};
use crate::admin::ids::{self, spell};
use crate::time;

#[derive(Serialize, ToSchema)]
pub(in crate::admin) struct ProfileBody {
    id: String,
    /// The same id as the Multi API spells it.
    multi_id: String,
    name: String,
    /// `corporate`, `consumer`, `managed_account`, `managed_card` or `transfer`.
    r#type: &'static str,
    /// Whether anything new can be made under it.
    active: bool,
    /// ISO 4217; any when empty.
    currencies: Vec<String>,
    #[serde(flatten)]
    terms: TermsBody,
    created_at: String,
    updated_at: String,
}

/// The members that depend on the type.
#[derive(Serialize, ToSchema, Default)]
struct TermsBody {
    /// `managed_card`: `prepaid` or `debit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    /// `managed_account`, `managed_card`: the most an instrument may hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_balances: Option<Vec<LimitBody>>,
    /// `managed_account`.
    #[serde(skip_serializing_if = "Option::is_none")]
    deposit_fees: Option<Vec<FeeBody>>,
    /// `transfer`: between which instruments; all when empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pairs: Option<Vec<PairBody>>,
    /// `transfer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    fees: Option<Vec<FeeBody>>,
    /// `transfer`: `best_effort` or `required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    fee_policy: Option<&'static str>,
    /// `transfer`: the most one transfer may move.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_amounts: Option<Vec<LimitBody>>,
    /// `transfer`: amounts above are refused as by a risk assessment.
    #[serde(skip_serializing_if = "Option::is_none")]
    deny_above: Option<Vec<LimitBody>>,
    /// `transfer`: whether instruments of two currencies are a refused trade, not a mismatch.
    #[serde(skip_serializing_if = "Option::is_none")]
    forex: Option<bool>,
}

#[derive(Serialize, ToSchema)]
struct LimitBody {
    currency: String,
    /// Minor units.
    amount: i64,
}

#[derive(Serialize, ToSchema)]
struct PairBody {
    /// `managed_accounts` or `managed_cards`.
    source: &'static str,
    /// Likewise.
    destination: &'static str,
}

#[derive(Serialize, ToSchema)]
struct FeeBody {
    /// Of transfer fees.
    #[serde(flatten)]
    pair: Option<PairBody>,
    currency: String,
    /// `FLAT`, `PERCENTAGE`, `PLUS` (both), `MIN` (the lower) or `MAX` (the higher).
    r#type: &'static str,
    /// Minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    flat: Option<i64>,
    /// Percent of the amount, with at most 4 decimals.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<String>,
}

impl ProfileBody {
    pub(in crate::admin) fn new(profile: &Profile) -> ProfileBody {
        ProfileBody {
            id: spell(ids::PROFILE, profile.id.raw()),
            multi_id: profile.id.raw().to_string(),
            name: profile.name.to_string(),
            r#type: kind_name(profile.terms.kind()),
            active: profile.active,
            currencies: profile.currencies.iter().map(Currency::to_string).collect(),
            terms: TermsBody::new(&profile.terms),
            created_at: time::render(profile.created_at),
            updated_at: time::render(profile.updated_at),
        }
    }
}

impl TermsBody {
    fn new(terms: &Terms) -> TermsBody {
        match terms {
            Terms::Corporate | Terms::Consumer => TermsBody::default(),
            Terms::ManagedAccount {
                max_balances,
                deposit_fees,
            } => {
                let fees = deposit_fees.iter();
                let fees = fees.map(|line| FeeBody::new(None, line.currency, line.fee));
                TermsBody {
                    max_balances: Some(limits(max_balances)),
                    deposit_fees: Some(fees.collect()),
                    ..TermsBody::default()
                }
            }
            Terms::ManagedCard { mode, max_balances } => TermsBody {
                mode: Some(word(MODES, *mode)),
                max_balances: Some(limits(max_balances)),
                ..TermsBody::default()
            },
            Terms::Transfer(terms) => {
                let fees = terms.fees.iter();
                let fees = fees.map(|line| FeeBody::new(Some(line.pair), line.currency, line.fee));
                TermsBody {
                    pairs: Some(terms.pairs.iter().copied().map(PairBody::new).collect()),
                    fees: Some(fees.collect()),
                    fee_policy: Some(word(POLICIES, terms.fee_policy)),
                    max_amounts: Some(limits(&terms.max_amounts)),
                    deny_above: Some(limits(&terms.deny_above)),
                    forex: Some(terms.forex),
                    ..TermsBody::default()
                }
            }
        }
    }
}

fn word<T: PartialEq, const N: usize>(words: [(&'static str, T); N], value: T) -> &'static str {
    let known = words.into_iter().find(|(_, known)| *known == value);
    known.expect("every value has a word").0
}

fn limits(limits: &[Amount]) -> Vec<LimitBody> {
    let body = |limit: &Amount| LimitBody {
        currency: limit.currency().to_string(),
        amount: limit.minor(),
    };
    limits.iter().map(body).collect()
}

impl PairBody {
    fn new(pair: Pair) -> PairBody {
        PairBody {
            source: word(CLASSES, pair.source),
            destination: word(CLASSES, pair.destination),
        }
    }
}

impl FeeBody {
    fn new(pair: Option<Pair>, currency: Currency, fee: Fee) -> FeeBody {
        let (r#type, flat, rate): (_, Option<i64>, Option<Rate>) = match fee {
            Fee::Flat(flat) => ("FLAT", Some(flat), None),
            Fee::Percentage(rate) => ("PERCENTAGE", None, Some(rate)),
            Fee::Plus(flat, rate) => ("PLUS", Some(flat), Some(rate)),
            Fee::Min(flat, rate) => ("MIN", Some(flat), Some(rate)),
            Fee::Max(flat, rate) => ("MAX", Some(flat), Some(rate)),
        };
        FeeBody {
            pair: pair.map(PairBody::new),
            currency: currency.to_string(),
            r#type,
            flat,
            percent: rate.map(percent::render),
        }
    }
}
