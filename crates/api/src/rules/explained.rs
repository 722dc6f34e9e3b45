//! How a run came about, number by number. Ours: the documents of the dialects have no such thing.

use ledger::rule::condition::Against;
use ledger::rule::explain::{
    ActionSeen, CapSeen, ConditionSeen, Explanation, Outcome, Shortfall, Term,
};
use serde_json::{Value, json};

use super::Spelling;
use super::render::{cap, percent};

/// The explanation of a run.
pub(super) fn explanation(explanation: &Explanation, spelling: &Spelling) -> Value {
    let Explanation {
        step,
        conditions,
        actions,
        caps,
        shortfalls,
    } = explanation;
    let all = |values: &mut dyn Iterator<Item = Value>| values.collect::<Vec<Value>>();
    json!({
        "step_index": step,
        "conditions": all(&mut conditions.iter().map(|seen| condition(seen, spelling))),
        "actions": all(&mut actions.iter().map(|seen| action(seen, spelling))),
        "caps": all(&mut caps.iter().map(cap_seen)),
        "shortfalls": all(&mut shortfalls.iter().map(|missing| shortfall(missing, spelling))),
    })
}

fn condition(seen: &ConditionSeen, spelling: &Spelling) -> Value {
    let condition = &seen.condition;
    let right_fact = match condition.against {
        Against::Value(_) => None,
        Against::Fact(fact, _) => Some(fact.name()),
    };
    json!({
        "path": spelling.path(&seen.path),
        "fact": condition.fact.name(),
        "operator": condition.operator.name(),
        "value_fact": right_fact,
        "left": seen.left,
        "right": seen.right,
        "holds": seen.holds,
    })
}

fn action(seen: &ActionSeen, spelling: &Spelling) -> Value {
    let (outcome, reason) = match seen.outcome {
        Outcome::Moved => ("moved", None),
        Outcome::Skipped(skip) => ("skipped", Some(skip.name())),
        Outcome::Failed(failure) => ("failed", Some(failure.name())),
        Outcome::NotReached => ("not_reached", None),
    };
    let terms = seen.terms.iter().map(|seen| term(*seen, spelling));
    json!({
        "action_index": seen.action,
        "group_index": seen.group,
        "type": spelling.action(seen.action_type),
        "source_id": (spelling.account)(seen.source.raw()),
        "terms": terms.collect::<Vec<Value>>(),
        "wanted_in_cents": seen.wanted,
        "allowed_in_cents": seen.allowed,
        "spendable_in_cents": seen.spendable,
        "moved_in_cents": seen.moved,
        "outcome": spelling.word(outcome),
        "reason": reason,
    })
}

/// One number that an amount was reckoned from: a sum, or a share.
fn term(term: Term, spelling: &Spelling) -> Value {
    let (name, account, minor, share) = match term {
        Term::Minor(quantity, minor) => (quantity.name(), None, Some(minor), Value::Null),
        Term::Debt(quantity, account, minor) => {
            (quantity.name(), Some(account), Some(minor), Value::Null)
        }
        Term::Share(share) => ("share", None, None, percent(share)),
    };
    json!({
        "name": spelling.word(&name.replace(' ', "_")),
        "account_id": account.map(|account| (spelling.account)(account.raw())),
        "amount_in_cents": minor,
        "percentage_value": share,
    })
}

fn cap_seen(seen: &CapSeen) -> Value {
    let since = seen.since.map(|day| {
        let date = day.date();
        format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
    });
    json!({
        "group_index": seen.group,
        "limit": cap(seen.cap),
        "since": since,
        "used_before_in_cents": seen.before,
        "used_after_in_cents": seen.after,
    })
}

fn shortfall(missing: &Shortfall, spelling: &Spelling) -> Value {
    json!({
        "action_index": missing.action,
        "account_id": (spelling.account)(missing.account.raw()),
        "wanted_in_cents": missing.wanted,
        "spendable_in_cents": missing.spendable,
    })
}
