//! `State::apply` refuses effects on profiles, instruments and bulks that do not fit.

use std::sync::Arc;

use ledger::{
    AccountId, AccountState, Bulk, BulkId, BulkMode, BulkStatus, Denial, Effect, Instrument,
    OperationOutcome, Profile, State, StateReason, Status, Steer, TenantId, TenantMode, Terms,
    TransferId,
};

use crate::programme::Programme;
use crate::world::START;

/// Applies a copy of the state to `effect` and expects the complaint to contain `part`.
fn check(state: &State, effect: &Effect, part: &str) {
    let mut state = state.clone();
    let complaint = match state.apply(effect) {
        Ok(()) => panic!("accepted, but expected {part:?}: {effect:?}"),
        Err(inconsistency) => inconsistency.to_string(),
    };
    assert!(complaint.contains(part), "{complaint:?} lacks {part:?}");
}

/// The state after an effect that fits.
fn after(state: &State, effect: &Effect) -> State {
    let mut state = state.clone();
    state.apply(effect).expect("this one fits");
    state
}

#[test]
fn profiles() {
    let mut p = Programme::new();
    let elsewhere = p.world.new_tenant(TenantMode::Sandbox).id;
    let known = p.world.state.profile(p.accounts).expect("made at first");
    let (known, state) = (known.clone(), &p.world.state);
    let set = |change: &dyn Fn(&mut Profile)| {
        let mut profile = known.clone();
        change(&mut profile);
        Effect::ProfileSet(profile)
    };
    let changed = after(state, &set(&|profile| profile.active = false));
    assert!(!changed.profile(p.accounts).expect("it stays").active);
    let nowhere = TenantId::new(9);
    check(state, &set(&|p| p.tenant = nowhere), "lacks a tenant");
    check(state, &set(&|p| p.tenant = elsewhere), "becomes another");
    check(
        state,
        &set(&|p| p.terms = Terms::Consumer),
        "becomes another",
    );
}

#[test]
fn accounts() {
    let mut p = Programme::new();
    let main = p.account(0);
    let (first, second) = (p.debit_card(main), p.debit_card(main));
    let changed = |account| Effect::AccountChanged {
        account,
        name: Arc::from("Other"),
        tag: None,
        details: None,
        at: START,
    };
    let state = &p.world.state;
    check(state, &changed(AccountId::new(9)), "is unknown");
    let renamed = after(state, &changed(main.id));
    let name = &renamed.account(main.id).expect("it stays").name;
    assert_eq!(&**name, "Other");
    let closed = |account: Instrument| Effect::AccountStateSet {
        account: account.id,
        state: AccountState::Destroyed,
        reason: Some(StateReason::User),
        at: START,
    };
    let state = after(state, &closed(first));
    check(&state, &changed(first.id), "after it was closed");
    check(&state, &closed(first), "after it was closed");
    assert!(state.has_linked_cards(main.id));
    let state = after(&state, &closed(second));
    assert!(!state.has_linked_cards(main.id));
}

/// A bulk of two operations, not yet run.
fn submitted() -> (Programme, BulkId) {
    let mut p = Programme::new();
    let (source, destination) = (p.account(10), p.account(0));
    let orders = vec![p.order(source, destination, 1); 2];
    let bulk = p.submit(orders);
    (p, bulk)
}

fn moved(bulk: BulkId, from: BulkStatus, to: BulkStatus) -> Effect {
    Effect::BulkMoved {
        bulk,
        from,
        to,
        mode: (to == BulkStatus::Running).then_some(BulkMode::StopOnFailure),
        at: START,
    }
}

#[test]
fn bulks_are_handed_in_once() {
    let (p, bulk) = submitted();
    let state = &p.world.state;
    let known = state.bulk(bulk).expect("it has not ended");
    check(
        state,
        &Effect::BulkSubmitted(known.clone()),
        "handed in twice",
    );
    let ended = Bulk {
        id: BulkId::new(u64::MAX),
        status: BulkStatus::Cancelled,
        ..known.clone()
    };
    check(state, &Effect::BulkSubmitted(ended), "has ended");
    let another = Bulk {
        id: BulkId::new(u64::MAX),
        ..known.clone()
    };
    let state = after(state, &Effect::BulkSubmitted(another));
    assert_eq!(state.last_id(), u64::MAX);
}

#[test]
fn every_change_of_a_bulks_status_that_is_not_in_the_table() {
    use BulkStatus::{
        Cancelled, Completed, Failed, PartiallyCompleted, Paused, Running, Submitted,
    };
    let all = [
        Submitted,
        Running,
        Paused,
        Completed,
        PartiallyCompleted,
        Failed,
        Cancelled,
    ];
    let (p, bulk) = submitted();
    let submitted = p.world.state.clone();
    let running = after(&submitted, &moved(bulk, Submitted, Running));
    let paused = after(&running, &moved(bulk, Running, Paused));
    for (state, here) in [
        (&submitted, Submitted),
        (&running, Running),
        (&paused, Paused),
    ] {
        for from in all {
            for to in all {
                let effect = moved(bulk, from, to);
                let listed = ledger::bulk::BULK_TRANSITIONS.contains(&(from, to));
                if !listed {
                    check(state, &effect, "cannot go from");
                } else if from != here {
                    check(state, &effect, "not");
                } else {
                    let state = after(state, &effect);
                    assert_eq!(state.bulk(bulk).is_none(), to.is_final());
                }
            }
        }
    }
    let ghost = moved(BulkId::new(9), Submitted, Running);
    check(&submitted, &ghost, "is unknown or has ended");
    let ended = after(&submitted, &moved(bulk, Submitted, Cancelled));
    let again = moved(bulk, Submitted, Cancelled);
    check(&ended, &again, "is unknown or has ended");
}

#[test]
fn operations_are_done_in_turn_and_while_the_bulk_runs() {
    let (mut p, bulk) = submitted();
    let stepped = |bulk, operation, outcome| Effect::BulkStepped {
        bulk,
        operation,
        outcome,
    };
    let made = OperationOutcome::Made(TransferId::new(7), Status::Complete);
    let denied = OperationOutcome::Denied(Denial::AmountInvalid);
    let first = stepped(bulk, 0, made);
    check(&p.world.state, &first, "while Submitted");
    let run = Steer::Execute(BulkMode::ContinueOnFailure);
    p.steer(bulk, run).expect("it was handed in");
    let running = p.world.state.clone();
    check(&running, &stepped(BulkId::new(9), 0, made), "is unknown");
    check(&running, &stepped(bulk, 1, made), "out of turn");
    let once = after(&running, &first);
    check(&once, &first, "out of turn");
    let paused = moved(bulk, BulkStatus::Running, BulkStatus::Paused);
    let paused = after(&once, &paused);
    check(&paused, &stepped(bulk, 1, denied), "while Paused");
    let twice = after(&once, &stepped(bulk, 1, denied));
    let seen = twice.bulk(bulk).expect("nobody has ended it");
    assert_eq!((seen.succeeded, seen.failed, seen.next()), (1, 1, 2));
    check(&twice, &stepped(bulk, 2, made), "more than it has");
}
