//! What will not work in rules that are each well formed.
//!
//! An error keeps a rule from being switched on: money would go round, or an action could never
//! succeed. A warning is for whoever wrote the rule to judge. Rules are looked at together, because
//! most of what goes wrong is between them.

mod cascade;
mod conditions;
mod groups;
mod schedules;

use std::sync::Arc;

use super::Rule;
use super::names::named;
use crate::id::RuleId;

named! {
    /// How bad it is.
    pub enum Severity {
        /// The rule can be switched on and may not do what was meant.
        Warning = "warning",
        /// The rule cannot be switched on.
        Error = "error",
    }

    /// What was found.
    pub enum LintCode {
        /// Money that one rule moves sets off rules that bring it back to the first.
        Cycle = "cycle",
        /// Rules set each other off in a row that is too long.
        CascadeTooLong = "cascade_too_long",
        /// Two rules wait for money on the same account.
        SecondListener = "second_listener",
        /// Shares of one amount are more than all of it.
        SharesOverWhole = "shares_over_whole",
        /// An action can never move as much as a transfer has to have.
        AmountBelowMinimum = "amount_below_minimum",
        /// A cap never lets a transfer through.
        CapBelowMinimum = "cap_below_minimum",
        /// A cap never lets the whole of a fixed amount through.
        CapBelowFixed = "cap_below_fixed",
        /// A step can never be the first whose conditions hold.
        StepUnreachable = "step_unreachable",
        /// Conditions contradict each other or what a fact can be.
        NeverHolds = "never_holds",
        /// What came in is asked for by a rule that runs by the time.
        AmountNeverKnown = "amount_never_known",
        /// Actions of one group want the same money; when it is short, their places decide.
        OrderDecides = "order_decides",
        /// Actions of one group go by the balance of one destination.
        PaidTwice = "paid_twice",
        /// An action stands after one whose group runs later.
        GroupsOutOfOrder = "groups_out_of_order",
        /// Two schedules draw on one account at the same instant.
        SameInstant = "same_instant",
    }
}

/// Something that will not work, or may not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What.
    pub code: LintCode,
    /// How bad it is.
    pub severity: Severity,
    /// In which rule.
    pub rule: RuleId,
    /// Where in the rule: `steps[0].actions[1].percentage_value`.
    pub path: String,
    /// A sentence for whoever wrote the rule.
    pub text: Arc<str>,
}

/// Everything that is found in these rules, taken together: errors first, then by rule and place.
#[must_use]
pub fn lint(rules: &[&Rule]) -> Vec<Finding> {
    let mut lint = Lint::default();
    lint.look_at(rules);
    schedules::look(&mut lint, rules);
    lint.sorted()
}

/// The first error that keeps `rule` from being switched on beside `others`, which are on.
#[must_use]
pub fn blocking(rule: &Rule, others: &[&Rule]) -> Option<Finding> {
    let mut rules: Vec<&Rule> = others.iter().copied().filter(|r| r.id != rule.id).collect();
    rules.push(rule);
    let mut lint = Lint::default();
    lint.look_at(&rules);
    let mut found = lint.sorted();
    found.retain(|finding| finding.severity == Severity::Error);
    let own = found.iter().position(|finding| finding.rule == rule.id);
    // A row of rules may be too long because of this one, and be found at its beginning.
    (!found.is_empty()).then(|| found.swap_remove(own.unwrap_or(0)))
}

/// What has been found so far.
#[derive(Default)]
struct Lint {
    found: Vec<Finding>,
}

impl Lint {
    fn look_at(&mut self, rules: &[&Rule]) {
        cascade::look(self, rules);
        for rule in rules {
            conditions::look(self, rule);
            groups::look(self, rule);
        }
    }

    fn add(
        &mut self,
        (code, severity): (LintCode, Severity),
        rule: &Rule,
        path: impl Into<String>,
        text: impl AsRef<str>,
    ) {
        self.found.push(Finding {
            code,
            severity,
            rule: rule.id,
            path: path.into(),
            text: Arc::from(text.as_ref()),
        });
    }

    fn warn(&mut self, code: LintCode, rule: &Rule, path: String, text: impl AsRef<str>) {
        self.add((code, Severity::Warning), rule, path, text);
    }

    /// Within a rule the findings stay in the order in which its fields were looked at.
    fn sorted(mut self) -> Vec<Finding> {
        self.found
            .sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.rule));
        self.found
    }
}
