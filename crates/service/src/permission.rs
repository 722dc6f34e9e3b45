//! The one place that decides what a key may do.
//!
//! Source: the scope table of the seeds; sequence-api §1.3 and §15 no. 5–8.

use ledger::{AccountId, RuleId};
use store::{Permission, Resources, Selector, TransferSet};

/// What a caller wants to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// List the tenant's accounts.
    ListAccounts,
    /// See one account's details and balance.
    ReadAccount(AccountId),
    /// See transfers at all: the scope on any resource.
    ReadSomeTransfers,
    /// See the transfers of one account.
    ReadTransfersOf(AccountId),
    /// See accounts' details at all: the scope on any resource.
    ReadSomeAccounts,
    /// List the tenant's rules.
    ListRules,
    /// See one rule.
    ReadRule(RuleId),
    /// See rules at all: the scope on any resource.
    ReadSomeRules,
    /// See what was asked of the tenant.
    ReadAuditLogs,
    /// Trigger one rule.
    TriggerRule(RuleId),
    /// Make a rule: the scope on all of them.
    CreateRule,
    /// Change or delete one rule.
    EditRule(RuleId),
    /// See one rule's executions.
    ReadExecutionsOf(RuleId),
    /// See executions at all: the scope on any resource.
    ReadSomeExecutions,
    /// See cards at all: the scope on any resource.
    ReadSomeCards,
    /// See the cards of one account.
    ReadCardsOf(AccountId),
    /// Open an account: the scope on all of them.
    CreateAccount,
    /// Delete one account.
    DeleteAccount(AccountId),
    /// Move money.
    Transfer {
        /// From here.
        source: AccountId,
        /// To here.
        destination: AccountId,
        /// This many minor units.
        amount_minor: i64,
    },
}

/// Whether any of the entries allows the wish.
#[must_use]
pub fn allows(permissions: &[Permission], wish: Wish) -> bool {
    permissions
        .iter()
        .any(|permission| entry_allows(permission, wish))
}

fn entry_allows(permission: &Permission, wish: Wish) -> bool {
    match (permission, wish) {
        (Permission::ListAccounts, Wish::ListAccounts)
        | (Permission::ListRules, Wish::ListRules)
        | (Permission::CreateAndEditRules(Resources::All), Wish::CreateRule)
        | (Permission::ReadRules(_), Wish::ReadSomeRules)
        | (Permission::ReadAuditLogs, Wish::ReadAuditLogs)
        | (Permission::ReadRuleExecutions(_), Wish::ReadSomeExecutions)
        | (Permission::ReadTransfers(_), Wish::ReadSomeTransfers)
        | (Permission::ReadCards(_), Wish::ReadSomeCards)
        | (Permission::CreateAndDeleteAccounts(Resources::All), Wish::CreateAccount)
        | (Permission::ReadAccounts(_), Wish::ReadSomeAccounts) => true,
        (Permission::ReadAccounts(resources), Wish::ReadAccount(account))
        | (Permission::ReadTransfers(resources), Wish::ReadTransfersOf(account))
        | (Permission::ReadCards(resources), Wish::ReadCardsOf(account))
        | (Permission::CreateAndDeleteAccounts(resources), Wish::DeleteAccount(account)) => {
            covers(resources, account.raw())
        }
        (Permission::ReadRules(resources), Wish::ReadRule(rule))
        | (Permission::TriggerRules(resources), Wish::TriggerRule(rule))
        | (Permission::CreateAndEditRules(resources), Wish::EditRule(rule))
        | (Permission::ReadRuleExecutions(resources), Wish::ReadExecutionsOf(rule)) => {
            covers(resources, rule.raw())
        }
        (
            Permission::ManualTransfer(sets),
            Wish::Transfer {
                source,
                destination,
                amount_minor,
            },
        ) => sets
            .iter()
            .any(|set| set_allows(set, source, destination, amount_minor)),
        _ => false,
    }
}

fn covers(resources: &Resources, id: u64) -> bool {
    match resources {
        Resources::All => true,
        Resources::Ids(ids) => ids.contains(&id),
    }
}

fn selects(selector: Selector, account: AccountId) -> bool {
    match selector {
        Selector::All => true,
        Selector::Id(id) => id == account.raw(),
    }
}

/// An entry allows a transfer when it names the pair and its limit, if any, admits the amount.
/// With several entries for a pair one that admits it is enough.
fn set_allows(
    set: &TransferSet,
    source: AccountId,
    destination: AccountId,
    amount_minor: i64,
) -> bool {
    selects(set.source, source)
        && selects(set.target, destination)
        && set.max_amount.is_none_or(|most| amount_minor <= most)
}

/// Whether a transfer that is allowed waits for a person: when every entry that allows it says so
/// for an amount like this.
#[must_use]
pub fn needs_approval(
    permissions: &[Permission],
    source: AccountId,
    destination: AccountId,
    amount_minor: i64,
) -> bool {
    let sets = permissions
        .iter()
        .filter_map(|permission| match permission {
            Permission::ManualTransfer(sets) => Some(sets),
            _ => None,
        });
    !sets
        .flatten()
        .filter(|set| set_allows(set, source, destination, amount_minor))
        .any(|set| set.approval_above.is_none_or(|above| amount_minor <= above))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: AccountId = AccountId::new(1);
    const B: AccountId = AccountId::new(2);

    fn transfer(source: AccountId, destination: AccountId, amount_minor: i64) -> Wish {
        Wish::Transfer {
            source,
            destination,
            amount_minor,
        }
    }

    fn set(source: Selector, target: Selector, max_amount: Option<i64>) -> TransferSet {
        TransferSet {
            source,
            target,
            max_amount,
            approval_above: None,
        }
    }

    #[test]
    fn a_person_is_asked_when_no_entry_lets_the_amount_through_alone() {
        let asking = |source, above| TransferSet {
            approval_above: Some(above),
            ..set(source, Selector::All, None)
        };
        let sets = |sets: Vec<TransferSet>| [Permission::ManualTransfer(sets)];
        let one = sets(vec![asking(Selector::All, 500)]);
        for (minor, asked) in [(499, false), (500, false), (501, true)] {
            assert_eq!(needs_approval(&one, A, B, minor), asked, "{minor}");
        }
        // The wider one of two that match, and none that does not.
        let two = sets(vec![
            asking(Selector::All, 500),
            asking(Selector::Id(A.raw()), 900),
        ]);
        assert!(!needs_approval(&two, A, B, 900));
        assert!(needs_approval(&two, A, B, 901));
        assert!(needs_approval(&two, B, A, 501));
        // An entry that does not admit the amount lets nothing through.
        let capped = sets(vec![
            set(Selector::All, Selector::All, Some(100)),
            asking(Selector::All, 50),
        ]);
        assert!(!needs_approval(&capped, A, B, 100));
        assert!(needs_approval(&capped, A, B, 101));
    }

    #[track_caller]
    fn check(permission: Permission, wish: Wish, expected: bool) {
        assert_eq!(
            allows(std::slice::from_ref(&permission), wish),
            expected,
            "{permission:?} {wish:?}"
        );
    }

    #[test]
    fn listing_and_reading_are_independent() {
        check(Permission::ListAccounts, Wish::ListAccounts, true);
        check(Permission::ListAccounts, Wish::ReadAccount(A), false);
        check(
            Permission::ReadAccounts(Resources::All),
            Wish::ReadAccount(A),
            true,
        );
        check(
            Permission::ReadAccounts(Resources::All),
            Wish::ListAccounts,
            false,
        );
        check(
            Permission::ReadAccounts(Resources::All),
            Wish::ReadTransfersOf(A),
            false,
        );
    }

    #[test]
    fn a_resource_list_reaches_only_what_it_names() {
        let only_a = Resources::Ids(vec![A.raw()]);
        check(
            Permission::ReadTransfers(only_a.clone()),
            Wish::ReadTransfersOf(A),
            true,
        );
        check(
            Permission::ReadTransfers(only_a.clone()),
            Wish::ReadTransfersOf(B),
            false,
        );
        check(
            Permission::ReadTransfers(only_a),
            Wish::ReadSomeTransfers,
            true,
        );
        check(
            Permission::ReadTransfers(Resources::Ids(vec![])),
            Wish::ReadTransfersOf(A),
            false,
        );
        check(
            Permission::ReadCards(Resources::All),
            Wish::ReadCardsOf(B),
            true,
        );
    }

    #[test]
    fn the_scopes_of_the_multi_dialect_open_nothing_here() {
        let rule = RuleId::new(9);
        for scope in [Permission::Programme, Permission::Simulator] {
            for wish in [
                Wish::ListAccounts,
                Wish::ReadAccount(A),
                Wish::ReadSomeAccounts,
                Wish::ReadSomeTransfers,
                Wish::ReadTransfersOf(A),
                Wish::ReadCardsOf(A),
                Wish::ReadSomeCards,
                Wish::CreateAccount,
                Wish::DeleteAccount(A),
                Wish::ListRules,
                Wish::ReadRule(rule),
                Wish::TriggerRule(rule),
                Wish::ReadExecutionsOf(rule),
                Wish::ReadSomeExecutions,
                Wish::ReadSomeRules,
                Wish::ReadAuditLogs,
                Wish::CreateRule,
                Wish::EditRule(rule),
                transfer(A, B, 100),
            ] {
                check(scope.clone(), wish, false);
            }
        }
    }

    #[test]
    fn rules_have_scopes_of_their_own() {
        let rule = RuleId::new(9);
        check(Permission::ListRules, Wish::ListRules, true);
        check(
            Permission::ReadRules(Resources::All),
            Wish::TriggerRule(rule),
            false,
        );
        check(
            Permission::TriggerRules(Resources::Ids(vec![9])),
            Wish::TriggerRule(rule),
            true,
        );
        check(
            Permission::ReadRuleExecutions(Resources::All),
            Wish::ReadExecutionsOf(rule),
            true,
        );
        check(
            Permission::ReadRules(Resources::Ids(vec![8])),
            Wish::ReadRule(rule),
            false,
        );
        // A key that may edit some rules cannot make others.
        let some = Permission::CreateAndEditRules(Resources::Ids(vec![9]));
        check(some.clone(), Wish::EditRule(rule), true);
        check(some.clone(), Wish::EditRule(RuleId::new(8)), false);
        check(some, Wish::CreateRule, false);
        let all = Permission::CreateAndEditRules(Resources::All);
        check(all.clone(), Wish::CreateRule, true);
        check(all.clone(), Wish::TriggerRule(rule), false);
        check(all, Wish::ReadRule(rule), false);
    }

    #[test]
    fn who_may_delete_some_accounts_opens_none() {
        let some = Permission::CreateAndDeleteAccounts(Resources::Ids(vec![A.raw()]));
        check(some.clone(), Wish::DeleteAccount(A), true);
        check(some.clone(), Wish::DeleteAccount(B), false);
        check(some.clone(), Wish::ReadAccount(A), false);
        check(some, Wish::CreateAccount, false);
        let all = Permission::CreateAndDeleteAccounts(Resources::All);
        check(all.clone(), Wish::CreateAccount, true);
        check(all.clone(), Wish::DeleteAccount(B), true);
        check(all, Wish::ListAccounts, false);
    }

    #[test]
    fn a_pair_is_directed_and_its_limit_is_per_request() {
        let pair = set(Selector::Id(1), Selector::Id(2), Some(5000));
        check(
            Permission::ManualTransfer(vec![pair]),
            transfer(A, B, 5000),
            true,
        );
        check(
            Permission::ManualTransfer(vec![pair]),
            transfer(A, B, 5001),
            false,
        );
        check(
            Permission::ManualTransfer(vec![pair]),
            transfer(B, A, 100),
            false,
        );
        let open = set(Selector::All, Selector::Id(2), None);
        check(
            Permission::ManualTransfer(vec![pair, open]),
            transfer(A, B, 5001),
            true,
        );
        check(
            Permission::ManualTransfer(vec![]),
            transfer(A, B, 100),
            false,
        );
    }
}
