//! The ledger against the model of it: random commands to both, compared after each.

mod apply;
mod pair;
mod partial;
mod pick;
mod programme;
mod rules;
mod steps;
mod tally;

use std::cell::RefCell;

use ledger::Denial;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestError, TestRunner};

use pair::Pair;
use tally::Tally;

/// Random sequences of commands.
const SEQUENCES: u32 = 2_000;
/// The most commands in one.
const STEPS_MAX: usize = 200;

/// Every sequence leaves both ledgers alike after each command; and together they get far: every
/// command succeeds and is refused, every denial occurs, and transfers and bulks end in every way.
#[test]
fn the_ledger_does_what_the_model_does() {
    let mut runner = TestRunner::new(ProptestConfig {
        cases: SEQUENCES,
        rng_seed: RngSeed::Fixed(20_261_121),
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let tally = RefCell::new(Tally::default());
    let steps = prop::collection::vec(steps::step(), 1..=STEPS_MAX);
    let result = runner.run(&steps, |steps| {
        let mut pair = Pair::new();
        for step in &steps {
            pair.apply(step);
        }
        pair.run_due();
        pair.check_replay();
        tally.borrow_mut().take(&pair);
        Ok(())
    });
    if let Err(TestError::Fail(reason, steps)) = result {
        panic!("{reason}\nafter {steps:#?}");
    }
    let tally = tally.into_inner();
    println!("{tally}");
    for command in [
        "CreateTenant",
        "SetClock",
        "MoveClock",
        "ClockToNextDue",
        "CreateOwner",
        "OpenAccount",
        "OpenInstrument",
        "ChangeAccount",
        "SetAccountState",
        "DeleteAccount",
        "CreateTransfer",
        "CreateProfile",
        "ChangeProfile",
        "Transfer",
        "CancelTransfer",
        "SubmitBulk",
        "SteerBulk",
        "MoneyIn",
        "MoneyOut",
        "ReturnTransfer",
        "DecideApproval",
        "SetRuleApproval",
        "PlaceHold",
        "ReleaseHold",
        "CreateRule",
        "ChangeRule",
        "DeleteRule",
        "SwitchRule",
        "TriggerRule",
        "AnswerAmounts",
    ] {
        let (done, refused) = tally.command(command);
        assert!(done >= 30, "{command} succeeded {done} times");
        assert!(refused >= 30, "{command} was refused {refused} times");
    }
    for denial in Denial::ALL {
        let times = tally.denied(denial);
        assert!(times >= 10, "{} occurred {times} times", denial.name());
    }
    for end in [
        "Complete None",
        "Pending None",
        "PendingApproval None",
        "Scheduled None",
        "Incomplete Some(InsufficientFunds)",
        "Error Some(PaymentNotSupported)",
        "Error Some(PaymentFailed)",
        "Error Some(NameMismatch)",
        "Error Some(Denied(FundsInsufficient))",
        "Error Some(Denied(SourceBlocked))",
        "Error Some(Denied(ProfileInactive))",
        "Cancelled None",
        "bulk Submitted",
        "bulk Paused",
        "bulk Paused midway",
        "bulk Completed",
        "bulk PartiallyCompleted",
        "bulk PartiallyCompleted midway",
        "bulk Failed",
        "bulk Failed midway",
        "bulk Cancelled",
        "bulk Cancelled midway",
        "run Executed",
        "run InProgress",
        "run InProgress put off",
        "run Partial INSUFFICIENT_FUNDS",
        "run Partial",
        "run Failed",
        "run Failed INSUFFICIENT_FUNDS",
        "run Failed TRANSFER_AMOUNT_LESS_THAN_ONE_DOLLAR",
        "run Failed RULE_DEACTIVATED",
        "run Failed RULE_DELETED",
        "run Failed PAYMENT_NOT_SUPPORTED",
        "run Failed RESOURCE_DELETED",
        "run Partial NULL_BALANCE",
        "run Failed AMOUNT_QUERY_UNANSWERED",
        "run SCHEDULED 0",
        "run MANUAL 0",
        "run ON_FUNDS_TRANSFERRED 0",
        "run ON_FUNDS_TRANSFERRED 2",
    ] {
        assert!(tally.ended(end) > 0, "never {end}");
    }
}
