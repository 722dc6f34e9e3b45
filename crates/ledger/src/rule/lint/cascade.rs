//! Rules that set each other off: who listens where, cycles, and rows that are too long.
//!
//! A rule leads to another when one of its actions pays into the account that the other waits for
//! money on. Rules by the time or by hand begin rows and are never inside one.

use std::collections::BTreeMap;

use super::super::{CASCADE_MAX, Rule};
use super::{Lint, LintCode, Severity};
use crate::id::AccountId;

/// One rule leads to another by the action at this path.
struct Edge {
    to: usize,
    path: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    /// On the way from where the search began.
    Open,
    /// Done, with so many rules in the longest row after it.
    Done(usize),
}

pub(super) fn look(lint: &mut Lint, rules: &[&Rule]) {
    let mut listeners: BTreeMap<AccountId, Vec<usize>> = BTreeMap::new();
    for (index, rule) in rules.iter().enumerate() {
        if let Some(account) = rule.listens_on() {
            let there = listeners.entry(account).or_default();
            if let Some(first) = there.first() {
                let text = format!(
                    "\"{}\" waits for money on the same account; only one rule can.",
                    rules[*first].name
                );
                let code = (LintCode::SecondListener, Severity::Error);
                lint.add(code, rule, "trigger.account_id", text);
            }
            there.push(index);
        }
    }
    let edges: Vec<Vec<Edge>> = rules
        .iter()
        .map(|rule| edges_of(rule, &listeners))
        .collect();
    let mut search = Search {
        rules,
        edges: &edges,
        marks: vec![Mark::New; rules.len()],
        way: Vec::new(),
    };
    for (index, rule) in rules.iter().enumerate() {
        let row = search.visit(index, lint);
        if row > CASCADE_MAX {
            let text = format!(
                "It sets off rules in a row of {row}; at most {CASCADE_MAX} follow one another."
            );
            let code = (LintCode::CascadeTooLong, Severity::Error);
            lint.add(code, rule, "steps", text);
        }
    }
}

fn edges_of(rule: &Rule, listeners: &BTreeMap<AccountId, Vec<usize>>) -> Vec<Edge> {
    let mut edges: Vec<Edge> = Vec::new();
    for (s, step) in rule.steps.iter().enumerate() {
        for (a, action) in step.actions.iter().enumerate() {
            for account in action.destinations() {
                for to in listeners.get(&account).into_iter().flatten() {
                    if !edges.iter().any(|edge| edge.to == *to) {
                        let path = format!("steps[{s}].actions[{a}].destination");
                        edges.push(Edge { to: *to, path });
                    }
                }
            }
        }
    }
    edges
}

/// A search in depth. It goes no deeper than there are rules.
struct Search<'a> {
    rules: &'a [&'a Rule],
    edges: &'a [Vec<Edge>],
    marks: Vec<Mark>,
    way: Vec<usize>,
}

impl Search<'_> {
    /// The number of rules in the longest row after this one, where a cycle counts once.
    fn visit(&mut self, index: usize, lint: &mut Lint) -> usize {
        if let Mark::Done(row) = self.marks[index] {
            return row;
        }
        self.marks[index] = Mark::Open;
        self.way.push(index);
        let mut longest = 0;
        for edge in &self.edges[index] {
            if self.marks[edge.to] == Mark::Open {
                self.report(index, edge, lint);
            } else {
                longest = longest.max(self.visit(edge.to, lint).saturating_add(1));
            }
        }
        self.way.pop();
        self.marks[index] = Mark::Done(longest);
        longest
    }

    fn report(&self, index: usize, edge: &Edge, lint: &mut Lint) {
        let rule = self.rules[index];
        let text = if edge.to == index {
            "It pays into the account that it waits for money on, and would set itself off."
                .to_owned()
        } else {
            let from = self.way.iter().position(|on| *on == edge.to).unwrap_or(0);
            let names = self
                .way
                .iter()
                .skip(from)
                .map(|on| self.rules[*on].name.as_ref());
            let names: Vec<&str> = names.collect();
            format!(
                "Money would go round: \"{}\" and back to the first.",
                names.join("\", then \"")
            )
        };
        let code = (LintCode::Cycle, Severity::Error);
        lint.add(code, rule, edge.path.clone(), text);
    }
}
