//! Transfers that wait for a person: approved, denied, forgotten, and made by rules.

use std::sync::Arc;

use ledger::{
    APPROVAL_MS, Command, CreateTransfer, ExecutionStatus, Incoming, Millis, OwnerId, Rejection,
    Reply, RuleId, Status, Transfer, TransferId,
};

use crate::rules_runs::Home;
use crate::world::{INCOME, POD, START, World};

struct Waiting {
    world: World,
    transfer: TransferId,
    ends: [ledger::AccountId; 2],
}

/// A transfer of 700 that waits; the source has 1,000.
fn waiting() -> Waiting {
    let mut world = World::new();
    let ends = [world.funded(INCOME, 1_000), world.account(POD)];
    let create = CreateTransfer {
        needs_approval: true,
        fails_with: None,
        ..world.transfer_of(ends[0], ends[1], 700)
    };
    let transfer = transfer(world.run(&Command::CreateTransfer(create)));
    assert_eq!(transfer.status, Status::PendingApproval);
    world.run_due();
    Waiting {
        world,
        transfer: transfer.id,
        ends,
    }
}

fn transfer(reply: Result<Reply, Rejection>) -> Transfer {
    match reply {
        Ok(Reply::Transfer { transfer, .. }) => transfer,
        other => panic!("no transfer: {other:?}"),
    }
}

impl Waiting {
    fn decide(
        &mut self,
        approved: bool,
        reason: Option<&str>,
        owner: Option<OwnerId>,
    ) -> Result<Reply, Rejection> {
        self.world.run(&Command::DecideApproval {
            tenant: self.world.tenant,
            owner,
            transfer: self.transfer,
            approved,
            reason: reason.map(Arc::from),
        })
    }

    fn balances(&self) -> [i64; 2] {
        self.ends.map(|account| self.world.balance(account))
    }

    fn seen(&self) -> &Transfer {
        self.world.seen(self.transfer)
    }
}

#[test]
fn what_is_approved_settles_and_not_before() {
    let mut waiting = waiting();
    waiting.world.pass(APPROVAL_MS - 1);
    assert_eq!(waiting.balances(), [1_000, 0]);
    let reply = transfer(waiting.decide(true, None, None));
    assert_eq!(reply.status, Status::Processing);
    assert_eq!(
        waiting.balances(),
        [1_000, 0],
        "settled by due work, like any other"
    );
    waiting.world.run_due();
    assert_eq!(waiting.balances(), [300, 700]);
    assert_eq!(waiting.seen().status, Status::Complete);
    assert_eq!(waiting.world.due(), []);
    let again = waiting.decide(true, None, None);
    assert_eq!(again, Err(Rejection::TransferNotFound));
}

#[test]
fn what_is_denied_moves_nothing_and_says_why() {
    for (reason, told) in [(Some("Not this month"), "Not this month"), (None, "Denied")] {
        let mut waiting = waiting();
        let reply = transfer(waiting.decide(false, reason, None));
        assert_eq!(reply.status, Status::Cancelled);
        assert_eq!(reply.cancel_reason.as_deref(), Some(told));
        waiting.world.pass(2 * APPROVAL_MS);
        assert_eq!(waiting.balances(), [1_000, 0]);
        assert_eq!(waiting.seen().status, Status::Cancelled);
        assert_eq!(waiting.world.due(), []);
    }
}

#[test]
fn silence_is_a_no_after_a_day() {
    let mut waiting = waiting();
    waiting.world.pass(APPROVAL_MS - 1);
    assert_eq!(waiting.seen().status, Status::PendingApproval);
    waiting.world.pass(1);
    let seen = waiting.seen();
    assert_eq!(seen.status, Status::Cancelled);
    assert_eq!(seen.updated_at, Millis(START.0 + APPROVAL_MS));
    assert_eq!(
        seen.cancel_reason.as_deref(),
        Some("Not approved within 24 hours")
    );
    assert_eq!(waiting.balances(), [1_000, 0]);
    let late = waiting.decide(true, None, None);
    assert_eq!(late, Err(Rejection::TransferNotFound));
}

#[test]
fn nothing_is_reserved_meanwhile() {
    let mut waiting = waiting();
    let [pay, pod] = waiting.ends;
    waiting.world.transfer(pay, pod, 400);
    waiting.world.run_due();
    assert_eq!(waiting.balances(), [600, 400]);
    waiting.decide(true, None, None).expect("it waits");
    waiting.world.run_due();
    assert_eq!(waiting.seen().status, Status::Incomplete);
    assert_eq!(waiting.balances(), [600, 400]);
}

#[test]
fn decisions_are_refused_in_order_and_leave_nothing() {
    let mut waiting = waiting();
    let stranger = waiting.world.new_owner(waiting.world.tenant).id;
    let own = waiting.world.owner;
    let before = waiting.world.log.len();
    let long = "x".repeat(51);
    let not_found = waiting.decide(true, Some(&long), Some(stranger));
    assert_eq!(not_found, Err(Rejection::TransferNotFound));
    for reason in ["", " ", "a\nb", &long] {
        let refused = waiting.decide(false, Some(reason), Some(own));
        let Err(Rejection::Invalid { field, .. }) = refused else {
            panic!("{reason:?}: {refused:?}");
        };
        assert_eq!(field, "reason");
    }
    let [pay, pod] = waiting.ends;
    assert_eq!(waiting.world.log.len(), before);
    let waits = waiting.transfer;
    waiting.transfer = waiting.world.transfer(pay, pod, 100);
    let refused = waiting.decide(false, Some(&long), None);
    let status = Status::Processing;
    assert_eq!(refused, Err(Rejection::NotAwaitingApproval { status }));
    waiting.transfer = waits;
    waiting.decide(true, None, Some(own)).expect("its owner");
}

fn approval_above(home: &mut Home, rule: RuleId, above_minor: Option<i64>) {
    let set = Command::SetRuleApproval {
        tenant: home.world.tenant,
        owner: None,
        rule,
        above_minor,
    };
    let Ok(Reply::Rule(rule)) = home.world.run(&set) else {
        panic!("no rule");
    };
    assert_eq!(rule.approval_above_minor, above_minor);
    assert!(rule.enabled, "it stays on");
}

#[test]
fn a_rule_asks_above_its_amount() {
    let mut home = Home::new();
    let rule = home.on(
        "pay",
        "fixed 500 pay>a; fixed 501 pay>b; 10% source pay>c g1",
    );
    approval_above(&mut home, rule, Some(500));
    home.deposit("pay", 10_000);
    assert_eq!((home.balance("a"), home.balance("b")), (500, 0));
    let run = home.run(0);
    assert_eq!(run.status, ExecutionStatus::InProgress);
    // attempted, completed, failed, pending: a tenth of 8,999 is 900, which waits too.
    assert_eq!(home.counts(0), (3, 1, 0, 2));
    let transfers = home.transfers(&run);
    let statuses: Vec<Status> = transfers.iter().map(|t| t.status).collect();
    let waits = Status::PendingApproval;
    assert_eq!(statuses, [Status::Complete, waits, waits]);
    let decide = |transfer: &Transfer, approved| Command::DecideApproval {
        tenant: transfer.tenant,
        owner: None,
        transfer: transfer.id,
        approved,
        reason: None,
    };
    home.world
        .run(&decide(&transfers[1], true))
        .expect("it waits");
    home.world.run_due();
    assert_eq!(home.balance("b"), 501);
    assert_eq!(home.counts(0), (3, 2, 0, 1));
    home.world
        .run(&decide(&transfers[2], false))
        .expect("it waits");
    assert_eq!(home.run(0).status, ExecutionStatus::Partial);
    assert_eq!(home.counts(0), (3, 2, 1, 0));
    assert_eq!(home.balance("pay"), 8_999);
    approval_above(&mut home, rule, None);
    home.deposit("pay", 1_000);
    assert_eq!(home.run(1).status, ExecutionStatus::Executed);
}

#[test]
fn what_waits_for_approval_counts_as_on_its_way() {
    let mut home = Home::new();
    let rule = home.by_hand("topup 5000 pay>a");
    approval_above(&mut home, rule, Some(0));
    home.deposit("pay", 20_000);
    home.trigger(rule, Incoming::Unknown).expect("it is on");
    home.world.run_due();
    home.trigger(rule, Incoming::Unknown).expect("it is on");
    home.world.run_due();
    assert_eq!(home.counts(0), (1, 0, 0, 1));
    assert_eq!(home.counts(1), (1, 0, 0, 0), "not asked for twice");
    home.world.pass(APPROVAL_MS);
    assert_eq!(home.run(0).status, ExecutionStatus::Failed);
    home.trigger(rule, Incoming::Unknown).expect("it is on");
    home.world.run_due();
    assert_eq!(home.counts(2), (1, 0, 0, 1), "asked for again");
    assert_eq!(home.replayed().arriving(home.id("a")), 5_000);
}

#[test]
fn an_amount_below_zero_is_none() {
    let mut home = Home::new();
    let rule = home.by_hand("fixed 500 pay>a");
    let set = Command::SetRuleApproval {
        tenant: home.world.tenant,
        owner: None,
        rule,
        above_minor: Some(-1),
    };
    let refused = home.world.run(&set);
    assert!(
        matches!(
            refused,
            Err(Rejection::Invalid {
                field: "approval_above",
                ..
            })
        ),
        "{refused:?}"
    );
}
