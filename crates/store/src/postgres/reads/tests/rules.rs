//! Rules, their runs and forks.

use ledger::rule::TriggerKind;
use ledger::{ExecutionId, ExecutionMode, ExecutionStatus, Millis, RuleId, State};

use super::*;
use crate::{ExecutionQuery, RuleQuery};

/// Everything in a state, in one order.
fn said(state: Option<State>) -> Vec<String> {
    let Some(state) = state else {
        return Vec::new();
    };
    let mut all: Vec<String> = Vec::new();
    all.extend(state.tenants().map(|it| format!("{it:?}")));
    all.extend(state.owners().map(|it| format!("{it:?}")));
    all.extend(state.profiles().map(|it| format!("{it:?}")));
    all.extend(state.accounts().map(|it| format!("{it:?}")));
    all.extend(state.open_transfers().map(|it| format!("{it:?}")));
    all.extend(state.holds().map(|it| format!("{it:?}")));
    all.extend(state.bulks().map(|it| format!("{it:?}")));
    all.extend(state.executions().map(|it| format!("{it:?}")));
    for rule in state.rules() {
        let (counted, next) = (state.caps_used(rule.id), state.next_run(rule.id));
        all.push(format!("{rule:?} {counted:?} {next:?}"));
    }
    let of_tenant = |tenant: &ledger::Tenant| state.due_of(tenant.id).collect::<Vec<_>>();
    let due = state.tenants().flat_map(of_tenant);
    all.extend(due.map(|it| format!("{it:?}")));
    all.sort();
    all
}

#[tokio::test]
async fn rules_and_runs_are_the_same() {
    let twins = Twins::new(61, 2, 300).await;
    let known = Known::of(&twins).await;
    let mut random = SplitMix64::new(61);
    let ids = |sql: &str| -> Vec<u64> {
        twins
            .database
            .sql(sql)
            .iter()
            .map(|row| number(row))
            .collect()
    };
    let rules: Vec<RuleId> = ids("SELECT id FROM rules ORDER BY id")
        .into_iter()
        .chain([0, 77, u64::MAX])
        .map(RuleId::new)
        .collect();
    let executions: Vec<ExecutionId> = ids("SELECT id FROM executions ORDER BY id")
        .into_iter()
        .chain([0, 77, u64::MAX])
        .map(ExecutionId::new)
        .collect();
    assert!(
        rules.len() > 12 && executions.len() > 40,
        "{} {}",
        rules.len(),
        executions.len()
    );
    let times: Vec<Millis> = ids("SELECT created_ms FROM executions ORDER BY 1")
        .into_iter()
        .map(|at| Millis(at.cast_signed()))
        .collect();
    for tenant in &known.tenants {
        for rule in &rules {
            compare!(
                twins,
                &(tenant, rule),
                rule(*tenant, *rule),
                rule(*tenant, *rule)
            );
        }
        for run in &executions {
            compare!(
                twins,
                &(tenant, run),
                execution(*tenant, *run),
                execution(*tenant, *run)
            );
        }
        for owner in &known.owners {
            let fork = twins.embedded.fork(*tenant, *owner).await;
            let mine = twins.readers.fork(*tenant, *owner, Millis(0)).await;
            let (fork, mine) = (fork.expect("reads work"), mine.expect("reads work"));
            assert_eq!(said(mine), said(fork), "{tenant} {owner}");
        }
    }
    let mut found = 0;
    for _ in 0..QUERIES {
        let (offset, limit) = page(&mut random);
        let query = RuleQuery {
            tenant: known.tenants[random.below(known.tenants.len())],
            owner: some(&mut random, &known.owners),
            source: some(&mut random, &known.accounts),
            enabled: some(&mut random, &[true, false]),
            include_deleted: random.below(2) == 0,
            offset,
            limit,
        };
        found += compare!(twins, &query, rules(query.clone()), rules(&query)).len();
        let (offset, limit) = page(&mut random);
        let query = ExecutionQuery {
            tenant: known.tenants[random.below(known.tenants.len())],
            owner: some(&mut random, &known.owners),
            rule: (random.below(2) == 0).then(|| rules[random.below(rules.len())]),
            statuses: several(
                &mut random,
                &[
                    ExecutionStatus::InProgress,
                    ExecutionStatus::Executed,
                    ExecutionStatus::Partial,
                    ExecutionStatus::Failed,
                ],
            ),
            causes: several(&mut random, TriggerKind::ALL),
            mode: some(
                &mut random,
                &[ExecutionMode::Live, ExecutionMode::Simulation],
            ),
            from: time(&mut random, &times),
            to: time(&mut random, &times),
            after: some(&mut random, &executions),
            offset,
            limit,
        };
        found += compare!(twins, &query, executions(query.clone()), executions(&query)).len();
    }
    assert!(found > 300, "{found} rows");
    drop(twins.embedded.shut_down().await);
}
