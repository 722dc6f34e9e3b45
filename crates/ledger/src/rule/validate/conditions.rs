//! Trees of conditions.

use super::super::condition::{Against, Condition, Conditions, Fact, ValueFact};
use super::super::draft::{ConditionDraft, ConditionsDraft};
use super::super::{CONDITIONS_MAX, NESTING_MAX};
use super::{Check, FaultCode, Role};
use crate::id::AccountId;

impl Check<'_> {
    pub(super) fn conditions(&mut self, path: &str, draft: &ConditionsDraft) -> Option<Conditions> {
        let mut seen = 0;
        let found = self.node(path, draft, NESTING_MAX, &mut seen);
        if seen > CONDITIONS_MAX {
            self.fault(path, FaultCode::TooLong, "has too many conditions");
        }
        found
    }

    /// `depth` is how many levels there may be, `seen` how many nodes there were. What is beyond
    /// either limit is not looked at.
    fn node(
        &mut self,
        path: &str,
        draft: &ConditionsDraft,
        depth: usize,
        seen: &mut usize,
    ) -> Option<Conditions> {
        if depth == 0 {
            self.fault(path, FaultCode::TooDeep, "is nested too deep");
            return None;
        }
        *seen = seen.saturating_add(1);
        if *seen > CONDITIONS_MAX {
            return None;
        }
        match (&draft.condition, &draft.any, &draft.all) {
            (Some(condition), None, None) => {
                let path = format!("{path}.condition");
                self.condition(&path, condition).map(Conditions::Leaf)
            }
            (None, Some(any), None) => self
                .branches(&format!("{path}.any"), any, depth, seen)
                .map(Conditions::Any),
            (None, None, Some(all)) => self
                .branches(&format!("{path}.all"), all, depth, seen)
                .map(Conditions::All),
            _ => {
                let reason = "must have exactly one of condition, any and all";
                self.fault(path, FaultCode::Contradiction, reason);
                None
            }
        }
    }

    fn branches(
        &mut self,
        path: &str,
        drafts: &[ConditionsDraft],
        depth: usize,
        seen: &mut usize,
    ) -> Option<Vec<Conditions>> {
        if drafts.is_empty() {
            self.fault(path, FaultCode::Missing, "must have at least one member");
        }
        let nodes: Vec<Option<Conditions>> = drafts
            .iter()
            .enumerate()
            .map(|(index, draft)| {
                let path = format!("{path}[{index}]");
                self.node(&path, draft, depth.saturating_sub(1), seen)
            })
            .collect();
        nodes.into_iter().collect()
    }

    fn condition(&mut self, path: &str, draft: &ConditionDraft) -> Option<Condition> {
        let of_account = draft.fact == Fact::Balance;
        self.optional_account(
            &format!("{path}.params.account_id"),
            draft.account,
            of_account,
            Role::Seen,
        );
        let against = match (draft.value, draft.value_fact) {
            (Some(value), None) => Against::Value(value),
            (None, Some(fact)) => Against::Fact(fact, draft.value_account),
            (None, None) => {
                self.fault(format!("{path}.value"), FaultCode::Missing, "is required");
                return None;
            }
            (Some(_), Some(_)) => {
                let reason = "must not be given beside a value";
                self.fault(
                    format!("{path}.value_fact"),
                    FaultCode::Contradiction,
                    reason,
                );
                return None;
            }
        };
        let fact = draft.value_fact;
        let role = if fact.is_some_and(ValueFact::is_of_liability) {
            Role::Liability
        } else {
            Role::Seen
        };
        self.optional_account(
            &format!("{path}.params.value_account_id"),
            draft.value_account,
            fact.is_some_and(ValueFact::is_of_account),
            role,
        );
        Some(Condition {
            fact: draft.fact,
            account: draft.account,
            operator: draft.operator,
            against,
        })
    }

    /// An account that is the trigger's when it is left out, where one is wanted at all.
    fn optional_account(
        &mut self,
        path: &str,
        account: Option<AccountId>,
        wanted: bool,
        role: Role,
    ) {
        match (wanted, account) {
            (true, Some(id)) => self.account(path, id, role),
            (true, None) => self.default_account(path, role),
            (false, Some(_)) => {
                let reason = "is for facts about accounts only";
                self.fault(path, FaultCode::NotAllowed, reason);
            }
            (false, None) => {}
        }
    }
}
