//! Rules as bytes, in the journal and in the views.

use std::sync::Arc;

use ledger::rule::action::{
    Action, Apr, Budget, Cap, Debt, Movement, PercentageTarget, Reckoning, TopUp,
};
use ledger::rule::calendar::Day;
use ledger::rule::condition::{Against, Condition, Conditions};
use ledger::rule::percent::Percent;
use ledger::rule::schedule::Schedule;
use ledger::rule::snapshot::CapUsed;
use ledger::rule::{NESTING_MAX, Settings, Step, Trigger, TriggerKind};
use ledger::{AccountId, Millis, OwnerId, Rule, RuleId, TenantId};

use super::programme::{decode_list, encode_list};
use super::wire::{CodecError, Decoder, Encoder};
use crate::codes::Code;

type Decoded<T> = Result<T, CodecError>;

pub(super) fn encode_rule(e: &mut Encoder<'_>, rule: &Rule) {
    e.id(rule.id.raw());
    e.id(rule.tenant.raw());
    e.id(rule.owner.raw());
    e.text(&rule.name);
    e.option(rule.description.as_deref(), Encoder::text);
    e.bool(rule.enabled);
    encode_trigger(e, rule.trigger);
    encode_list(e, &rule.steps, encode_step);
    e.bytes(&rule.currency.bytes());
    e.byte(rule.settings.round_down.code());
    e.int(i64::from(rule.settings.utc_offset_minutes));
    e.int(rule.settings.rail_delay_ms);
    e.option(rule.approval_above_minor, Encoder::int);
    e.uint(u64::from(rule.version));
    e.time(rule.created_at);
    e.time(rule.updated_at);
}

pub(super) fn decode_rule(d: &mut Decoder<'_>) -> Decoded<Rule> {
    Ok(Rule {
        id: RuleId::new(d.id()?),
        tenant: TenantId::new(d.id()?),
        owner: OwnerId::new(d.id()?),
        name: d.text()?,
        description: d.option(Decoder::text)?,
        enabled: d.bool()?,
        trigger: decode_trigger(d)?,
        steps: Arc::from(decode_list(d, decode_step)?),
        currency: d.currency()?,
        settings: Settings {
            round_down: d.code()?,
            utc_offset_minutes: i16::try_from(d.int()?).map_err(|_| CodecError::Value("offset"))?,
            rail_delay_ms: d.int()?,
        },
        approval_above_minor: d.option(Decoder::int)?,
        version: small(d, "version of a rule")?,
        created_at: d.time()?,
        updated_at: d.time()?,
    })
}

/// A number that has fewer than 64 bits.
pub(super) fn small<T: TryFrom<u64>>(d: &mut Decoder<'_>, what: &'static str) -> Decoded<T> {
    T::try_from(d.uint()?).map_err(|_| CodecError::Value(what))
}

pub(super) fn account(d: &mut Decoder<'_>) -> Decoded<AccountId> {
    d.id().map(AccountId::new)
}

pub(super) fn encode_account(e: &mut Encoder<'_>, account: AccountId) {
    e.id(account.raw());
}

fn encode_trigger(e: &mut Encoder<'_>, trigger: Trigger) {
    e.byte(trigger.kind().code());
    match trigger {
        Trigger::Manual { account } | Trigger::OnFundsTransferred { account } => {
            encode_account(e, account);
        }
        Trigger::Scheduled { schedule, account } => {
            e.byte(schedule.kind.code());
            e.time(schedule.start);
            e.option(account, encode_account);
        }
    }
}

fn decode_trigger(d: &mut Decoder<'_>) -> Decoded<Trigger> {
    Ok(match d.code::<TriggerKind>()? {
        TriggerKind::Manual => Trigger::Manual {
            account: account(d)?,
        },
        TriggerKind::OnFundsTransferred => Trigger::OnFundsTransferred {
            account: account(d)?,
        },
        TriggerKind::Scheduled => Trigger::Scheduled {
            schedule: Schedule {
                kind: d.code()?,
                start: d.time()?,
            },
            account: d.option(account)?,
        },
    })
}

fn encode_step(e: &mut Encoder<'_>, step: &Step) {
    e.option(step.conditions.as_ref(), encode_conditions);
    encode_list(e, &step.actions, encode_action);
}

fn decode_step(d: &mut Decoder<'_>) -> Decoded<Step> {
    Ok(Step {
        conditions: d.option(|d| decode_conditions(d, NESTING_MAX))?,
        actions: decode_list(d, decode_action)?,
    })
}

fn encode_conditions(e: &mut Encoder<'_>, conditions: &Conditions) {
    match conditions {
        Conditions::Leaf(condition) => {
            e.byte(1);
            encode_condition(e, condition);
        }
        Conditions::Any(branches) => {
            e.byte(2);
            encode_list(e, branches, encode_conditions);
        }
        Conditions::All(branches) => {
            e.byte(3);
            encode_list(e, branches, encode_conditions);
        }
    }
}

/// A tree that is at most `depth` deep: damaged bytes must not use up the stack.
fn decode_conditions(d: &mut Decoder<'_>, depth: usize) -> Decoded<Conditions> {
    let Some(below) = depth.checked_sub(1) else {
        return Err(CodecError::Value("depth of conditions"));
    };
    Ok(match d.byte()? {
        1 => Conditions::Leaf(decode_condition(d)?),
        2 => Conditions::Any(decode_list(d, |d| decode_conditions(d, below))?),
        3 => Conditions::All(decode_list(d, |d| decode_conditions(d, below))?),
        tag => {
            return Err(CodecError::Tag {
                what: "node of conditions",
                tag,
            });
        }
    })
}

pub(super) fn encode_condition(e: &mut Encoder<'_>, condition: &Condition) {
    e.byte(condition.fact.code());
    e.option(condition.account, encode_account);
    e.byte(condition.operator.code());
    match condition.against {
        Against::Value(number) => {
            e.byte(1);
            e.int(number);
        }
        Against::Fact(fact, account) => {
            e.byte(2);
            e.byte(fact.code());
            e.option(account, encode_account);
        }
    }
}

pub(super) fn decode_condition(d: &mut Decoder<'_>) -> Decoded<Condition> {
    Ok(Condition {
        fact: d.code()?,
        account: d.option(account)?,
        operator: d.code()?,
        against: match d.byte()? {
            1 => Against::Value(d.int()?),
            2 => Against::Fact(d.code()?, d.option(account)?),
            tag => {
                return Err(CodecError::Tag {
                    what: "side of a condition",
                    tag,
                });
            }
        },
    })
}

pub(super) fn encode_percent(e: &mut Encoder<'_>, percent: Percent) {
    e.int(percent.scaled());
}

pub(super) fn decode_percent(d: &mut Decoder<'_>) -> Decoded<Percent> {
    Percent::from_scaled(d.int()?).ok_or(CodecError::Value("percentage"))
}

fn encode_share(e: &mut Encoder<'_>, percent: Percent, target: PercentageTarget) {
    encode_percent(e, percent);
    e.byte(target.code());
}

pub(super) fn encode_cap(e: &mut Encoder<'_>, cap: Cap) {
    e.byte(cap.period.code());
    e.int(cap.minor);
}

pub(super) fn decode_cap(d: &mut Decoder<'_>) -> Decoded<Cap> {
    Ok(Cap {
        period: d.code()?,
        minor: d.int()?,
    })
}

fn encode_action(e: &mut Encoder<'_>, action: &Action) {
    match &action.movement {
        Movement::Pay {
            reckoning,
            destination,
        } => {
            e.byte(1);
            encode_reckoning(e, *reckoning);
            encode_account(e, *destination);
        }
        Movement::PayOff {
            strategy,
            budget,
            debts,
        } => {
            e.byte(2);
            e.byte(strategy.code());
            encode_budget(e, *budget);
            encode_list(e, debts, |e, debt| {
                encode_account(e, debt.account);
                e.option(debt.apr, |e, Apr(rate)| e.uint(u64::from(rate)));
            });
        }
    }
    e.option(action.source, encode_account);
    e.uint(u64::from(action.group_index));
    e.bool(action.up_to_enabled);
    e.option(action.limit, encode_cap);
    e.bool(action.direct_deposit);
    e.option(action.ach_description.as_deref(), Encoder::text);
}

fn decode_action(d: &mut Decoder<'_>) -> Decoded<Action> {
    Ok(Action {
        movement: match d.byte()? {
            1 => Movement::Pay {
                reckoning: decode_reckoning(d)?,
                destination: account(d)?,
            },
            2 => Movement::PayOff {
                strategy: d.code()?,
                budget: decode_budget(d)?,
                debts: Arc::from(decode_list(d, decode_debt)?),
            },
            tag => {
                return Err(CodecError::Tag {
                    what: "movement",
                    tag,
                });
            }
        },
        source: d.option(account)?,
        group_index: small(d, "group")?,
        up_to_enabled: d.bool()?,
        limit: d.option(decode_cap)?,
        direct_deposit: d.bool()?,
        ach_description: d.option(Decoder::text)?,
    })
}

fn decode_debt(d: &mut Decoder<'_>) -> Decoded<Debt> {
    Ok(Debt {
        account: account(d)?,
        apr: d.option(|d| small(d, "rate").map(Apr))?,
    })
}

fn encode_budget(e: &mut Encoder<'_>, budget: Budget) {
    match budget {
        Budget::Amount(minor) => {
            e.byte(1);
            e.int(minor);
        }
        Budget::Percentage(percent, target) => {
            e.byte(2);
            encode_share(e, percent, target);
        }
    }
}

fn decode_budget(d: &mut Decoder<'_>) -> Decoded<Budget> {
    Ok(match d.byte()? {
        1 => Budget::Amount(d.int()?),
        2 => Budget::Percentage(decode_percent(d)?, d.code()?),
        tag => {
            return Err(CodecError::Tag {
                what: "budget",
                tag,
            });
        }
    })
}

fn encode_reckoning(e: &mut Encoder<'_>, reckoning: Reckoning) {
    match reckoning {
        Reckoning::FixedAmount(minor) => {
            e.byte(1);
            e.int(minor);
        }
        Reckoning::Percentage(percent, target) => {
            e.byte(2);
            encode_share(e, percent, target);
        }
        Reckoning::TopUp(top_up) => {
            e.byte(3);
            encode_top_up(e, top_up);
        }
        Reckoning::RoundDown(minor) => {
            e.byte(4);
            e.int(minor);
        }
        Reckoning::NextPaymentMinimum => e.byte(5),
        Reckoning::TotalAmountDue => e.byte(6),
        Reckoning::LastStatementBalance => e.byte(7),
        Reckoning::PercentageLiabilityBalance(percent) => {
            e.byte(8);
            encode_percent(e, percent);
        }
        Reckoning::Queried => e.byte(9),
    }
}

fn decode_reckoning(d: &mut Decoder<'_>) -> Decoded<Reckoning> {
    Ok(match d.byte()? {
        1 => Reckoning::FixedAmount(d.int()?),
        2 => Reckoning::Percentage(decode_percent(d)?, d.code()?),
        3 => Reckoning::TopUp(decode_top_up(d)?),
        4 => Reckoning::RoundDown(d.int()?),
        5 => Reckoning::NextPaymentMinimum,
        6 => Reckoning::TotalAmountDue,
        7 => Reckoning::LastStatementBalance,
        8 => Reckoning::PercentageLiabilityBalance(decode_percent(d)?),
        9 => Reckoning::Queried,
        tag => {
            return Err(CodecError::Tag {
                what: "reckoning",
                tag,
            });
        }
    })
}

fn encode_top_up(e: &mut Encoder<'_>, top_up: TopUp) {
    let kind = match top_up {
        TopUp::Amount(minor) => {
            e.byte(1);
            return e.int(minor);
        }
        TopUp::NextPaymentMinimum(_) => 2,
        TopUp::CurrentBalance(_) => 3,
        TopUp::LastStatementBalance(_) => 4,
    };
    e.byte(kind);
    if let Some(account) = top_up.liability() {
        encode_account(e, account);
    }
}

fn decode_top_up(d: &mut Decoder<'_>) -> Decoded<TopUp> {
    Ok(match d.byte()? {
        1 => TopUp::Amount(d.int()?),
        2 => TopUp::NextPaymentMinimum(account(d)?),
        3 => TopUp::CurrentBalance(account(d)?),
        4 => TopUp::LastStatementBalance(account(d)?),
        tag => {
            return Err(CodecError::Tag {
                what: "top-up",
                tag,
            });
        }
    })
}

pub(super) fn encode_cap_used(e: &mut Encoder<'_>, used: CapUsed) {
    e.byte(used.period.code());
    e.int(used.since.0);
    e.int(used.used_minor);
}

pub(super) fn decode_cap_used(d: &mut Decoder<'_>) -> Decoded<CapUsed> {
    Ok(CapUsed {
        period: d.code()?,
        since: Day(d.int()?),
        used_minor: d.int()?,
    })
}

/// A rule as the views keep it.
pub(crate) fn rule_to_bytes(rule: &Rule) -> Vec<u8> {
    let mut out = Vec::new();
    encode_rule(&mut Encoder::new(&mut out, Millis(0)), rule);
    out
}

/// The rule in bytes made by [`rule_to_bytes`].
pub(crate) fn rule_from_bytes(bytes: &[u8]) -> Decoded<Rule> {
    let mut d = Decoder::new(bytes, Millis(0));
    let rule = decode_rule(&mut d)?;
    d.finish()?;
    Ok(rule)
}
