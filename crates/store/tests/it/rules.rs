//! Rules, their counters and their runs in the store: what is written comes back, what is due
//! happens once, and one owner's part decides as the whole.

use std::sync::Arc;

use ledger::execution::Cause;
use ledger::rule::action::{ActionType, Cap, CapPeriod, PercentageTarget};
use ledger::rule::calendar::DAY_MS;
use ledger::rule::draft::{ActionDraft, RuleDraft, StepDraft, TriggerDraft};
use ledger::rule::percent::Percent;
use ledger::rule::schedule::ScheduleKind;
use ledger::rule::snapshot::Answers;
use ledger::rule::{Rule, Settings, TriggerKind};
use ledger::{
    AccountId, ChangeRule, Command, Context, Execution, ExecutionMode, ExecutionStatus, IdSource,
    Incoming, Millis, NewRule, Rejection, Reply, RuleId, State, Status, TriggerRule, decide,
};
use store::{
    AccountRole, ExecutionQuery, Outcome, RememberedReply, RuleQuery, Submit, TransferQuery,
};

use crate::bed::{Bed, Ground, Opened, RAIL_MS, check_sound, claim, claimed, close, done};

/// A rule of one step about an account.
pub fn draft(kind: TriggerKind, account: AccountId, actions: Vec<ActionDraft>) -> RuleDraft {
    RuleDraft {
        name: Arc::from("Savings"),
        description: Some(Arc::from("for a rainy day")),
        trigger: TriggerDraft {
            kind,
            account: Some(account),
            schedule_kind: None,
            start: None,
        },
        steps: vec![StepDraft {
            conditions: None,
            actions,
        }],
    }
}

/// So much to an account.
pub fn fixed(destination: AccountId, minor: i64) -> ActionDraft {
    ActionDraft {
        destination: Some(destination),
        minor: Some(minor),
        ..ActionDraft::of(ActionType::FixedAmount)
    }
}

/// Half of what came in to an account, at most `cap` a month.
pub fn half(destination: AccountId, cap: i64) -> ActionDraft {
    ActionDraft {
        destination: Some(destination),
        percentage_value: Percent::parse("50"),
        percentage_target: Some(PercentageTarget::IncomingAmount),
        limit: Some(Cap {
            period: CapPeriod::PerMonth,
            minor: cap,
        }),
        ..ActionDraft::of(ActionType::Percentage)
    }
}

pub fn settings() -> Settings {
    Settings {
        rail_delay_ms: RAIL_MS,
        ..Settings::default()
    }
}

pub fn create(ground: &Ground, draft: RuleDraft) -> Command {
    Command::CreateRule(NewRule {
        tenant: ground.tenant,
        owner: ground.owner,
        draft,
        settings: settings(),
    })
}

pub fn switch(ground: &Ground, rule: RuleId, enabled: bool) -> Command {
    Command::SwitchRule {
        tenant: ground.tenant,
        owner: Some(ground.owner),
        rule,
        enabled,
    }
}

pub fn trigger(ground: &Ground, rule: RuleId, mode: ExecutionMode) -> Command {
    Command::TriggerRule(TriggerRule {
        tenant: ground.tenant,
        owner: Some(ground.owner),
        rule,
        key: None,
        incoming: Incoming::Amount(10_000),
        mode,
    })
}

pub async fn rule(store: &Opened, command: Command) -> Rule {
    match done(store, command).await {
        Reply::Rule(rule) => rule,
        other => panic!("no rule: {other:?}"),
    }
}

/// A rule that is on.
pub async fn switched_on(store: &Opened, ground: &Ground, draft: RuleDraft) -> Rule {
    let made = rule(store, create(ground, draft)).await;
    rule(store, switch(ground, made.id, true)).await
}

pub async fn run(store: &Opened, command: Command) -> Execution {
    match done(store, command).await {
        Reply::Execution(execution) => execution,
        other => panic!("no run: {other:?}"),
    }
}

async fn refused(store: &Opened, command: Command) -> Rejection {
    match store.submit(Submit::command(command)).await {
        Ok(Outcome::Refused(rejection)) => rejection,
        other => panic!("not refused: {other:?}"),
    }
}

/// A rule's runs, the newest first.
pub async fn runs(store: &Opened, ground: &Ground, rule: RuleId) -> Vec<Execution> {
    let query = ExecutionQuery {
        rule: Some(rule),
        ..ExecutionQuery::new(ground.tenant, usize::MAX)
    };
    store.executions(query).await.expect("reads work")
}

async fn listed(store: &Opened, query: RuleQuery) -> Vec<RuleId> {
    let rows = store.rules(query).await.expect("reads work");
    rows.iter().map(|row| row.rule.id).collect()
}

/// Everything that is stored of a ground, from every place there is.
async fn reopened(bed: &Bed, store: Opened, ground: &Ground) -> Opened {
    store.quiesce(ground.tenant).await.expect("writes work");
    check_sound(&store, ground).await;
    close(store).await;
    bed.verify().await;
    bed.check_rebuilt();
    bed.open().await
}

#[tokio::test]
async fn a_rule_is_made_changed_switched_and_deleted() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let other = Ground::of(&store, ground.tenant).await;
    let on_funds = |account, pod| {
        draft(
            TriggerKind::OnFundsTransferred,
            account,
            vec![fixed(pod, 500)],
        )
    };
    let made = rule(&store, create(&ground, on_funds(ground.pay, ground.pod))).await;
    assert!(!made.enabled);
    let theirs = switched_on(&store, &other, on_funds(other.pay, other.pod)).await;
    let manual = draft(
        TriggerKind::Manual,
        ground.pod,
        vec![fixed(ground.bank, 200)],
    );
    let manual = switched_on(&store, &ground, manual).await;

    // Faults are told, all of them.
    let faulty = draft(TriggerKind::Manual, other.pay, vec![fixed(ground.pod, -1)]);
    match refused(&store, create(&ground, faulty)).await {
        Rejection::RuleFaulty(faults) => assert_eq!(faults.len(), 2, "{faults:?}"),
        other => panic!("another refusal: {other:?}"),
    }
    // A second listener on the same account cannot be switched on.
    let first = rule(&store, switch(&ground, made.id, true)).await;
    let second = rule(&store, create(&ground, on_funds(ground.pay, ground.pod))).await;
    let unsound = refused(&store, switch(&ground, second.id, true)).await;
    assert_eq!(unsound.code(), "rule_unsound");
    let of_other = Command::SwitchRule {
        tenant: ground.tenant,
        owner: Some(other.owner),
        rule: second.id,
        enabled: true,
    };
    assert_eq!(refused(&store, of_other).await, Rejection::RuleNotFound);

    let store = reopened(&bed, store, &ground).await;
    let row = store
        .rule(ground.tenant, first.id)
        .await
        .expect("reads work");
    let row = row.expect("it was made");
    assert_eq!((&row.rule, row.deleted_at), (&first, None));
    let all = RuleQuery::new(ground.tenant);
    let everything = vec![made.id, theirs.id, manual.id, second.id];
    assert_eq!(listed(&store, all.clone()).await, everything);
    for (query, expected) in [
        (
            RuleQuery {
                owner: Some(other.owner),
                ..all.clone()
            },
            vec![theirs.id],
        ),
        (
            RuleQuery {
                source: Some(ground.pay),
                ..all.clone()
            },
            vec![made.id, second.id],
        ),
        (
            RuleQuery {
                enabled: Some(false),
                ..all.clone()
            },
            vec![second.id],
        ),
        (
            RuleQuery {
                owner: Some(ground.owner),
                enabled: Some(true),
                ..all.clone()
            },
            vec![made.id, manual.id],
        ),
        (
            RuleQuery {
                offset: 1,
                limit: 2,
                ..all.clone()
            },
            vec![theirs.id, manual.id],
        ),
    ] {
        assert_eq!(listed(&store, query.clone()).await, expected, "{query:?}");
    }

    // A change switches it off; then the second may listen.
    let change = Command::ChangeRule(ChangeRule {
        tenant: ground.tenant,
        owner: None,
        rule: first.id,
        draft: on_funds(ground.pay, ground.bank),
        settings: settings(),
    });
    let changed = rule(&store, change).await;
    assert_eq!((changed.version, changed.enabled), (2, false));
    rule(&store, switch(&ground, second.id, true)).await;
    let delete = |rule| Command::DeleteRule {
        tenant: ground.tenant,
        owner: Some(ground.owner),
        rule,
    };
    done(&store, delete(second.id)).await;
    assert_eq!(
        refused(&store, delete(second.id)).await,
        Rejection::RuleNotFound
    );
    rule(&store, switch(&ground, first.id, true)).await;

    let store = reopened(&bed, store, &ground).await;
    let row = store
        .rule(ground.tenant, second.id)
        .await
        .expect("reads work");
    let row = row.expect("it was deleted, not forgotten");
    assert!(row.rule.enabled && row.deleted_at.is_some());
    assert_eq!(
        listed(&store, all.clone()).await,
        [made.id, theirs.id, manual.id]
    );
    let with_deleted = RuleQuery {
        include_deleted: true,
        ..all
    };
    assert_eq!(listed(&store, with_deleted).await, everything);
    // Other tenants' rules do not exist.
    let stranger = Ground::new(&store).await;
    let seen = store.rule(stranger.tenant, first.id).await;
    assert_eq!(seen.expect("reads work"), None);
    close(store).await;
    bed.verify().await;
}

#[tokio::test]
async fn money_sets_a_rule_off_once_and_its_cap_counts_on() {
    let bed = Bed::new();
    let mut store = bed.open().await;
    let ground = Ground::new(&store).await;
    let saving = draft(
        TriggerKind::OnFundsTransferred,
        ground.pay,
        vec![half(ground.pod, 12_000)],
    );
    let saving = switched_on(&store, &ground, saving).await;
    // 50 % of 100.00 three times, but no more than 120.00 a month; again after each restart.
    for (round, saved) in [5_000, 10_000, 12_000, 12_000].into_iter().enumerate() {
        done(&store, ground.paycheck(10_000)).await;
        store.quiesce(ground.tenant).await.expect("writes work");
        assert_eq!(ground.balance(&store, ground.pod).await, saved, "{round}");
        assert_eq!(runs(&store, &ground, saving.id).await.len(), round + 1);
        store = reopened(&bed, store, &ground).await;
    }
    let seen = runs(&store, &ground, saving.id).await;
    let first = seen.last().expect("four of them");
    assert_eq!(first.status, ExecutionStatus::Executed);
    let Cause::FundsTransferred { minor, .. } = first.cause else {
        panic!("another cause: {:?}", first.cause)
    };
    assert_eq!(minor, 10_000);
    let ran = first.ran.as_ref().expect("it ran");
    let query = TransferQuery {
        tenant: ground.tenant,
        account: ground.pod,
        role: AccountRole::Either,
        direction: None,
        origin: Vec::new(),
        status: Vec::new(),
        execution: Some(first.id),
        card: None,
        from: None,
        to: None,
        after: None,
        first: 10,
    };
    let moved = store.transfers(query).await.expect("reads work");
    let moved: Vec<_> = moved.iter().map(|row| row.transfer.id).collect();
    assert_eq!(&*ran.transfers, moved);
    let one = store.execution(ground.tenant, first.id).await;
    assert_eq!(one.expect("reads work").as_ref(), Some(first));
    // Switched off it waits for nothing; the counters go with the rule.
    rule(&store, switch(&ground, saving.id, false)).await;
    done(&store, ground.paycheck(10_000)).await;
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(runs(&store, &ground, saving.id).await.len(), 4);
    let delete = Command::DeleteRule {
        tenant: ground.tenant,
        owner: None,
        rule: saving.id,
    };
    done(&store, delete).await;
    let store = reopened(&bed, store, &ground).await;
    assert_eq!(runs(&store, &ground, saving.id).await.len(), 4);
    close(store).await;
}

#[tokio::test]
async fn a_rule_is_run_by_hand_asked_and_answered() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(10_000)).await;
    let asking = ActionDraft {
        destination: Some(ground.pod),
        ..ActionDraft::of(ActionType::QueriedAmount)
    };
    let asking = draft(TriggerKind::Manual, ground.pay, vec![asking]);
    let made = rule(&store, create(&ground, asking)).await;
    // A simulation may be of a rule that is off, and moves nothing.
    let simulation = run(&store, trigger(&ground, made.id, ExecutionMode::Simulation)).await;
    assert_ne!(simulation.status, ExecutionStatus::InProgress);
    let live = trigger(&ground, made.id, ExecutionMode::Live);
    assert_eq!(refused(&store, live.clone()).await, Rejection::RuleDisabled);
    rule(&store, switch(&ground, made.id, true)).await;

    // The first answer comes again under its key.
    let outcome = store.submit(claimed(live.clone(), claim(1))).await;
    let Ok(Outcome::Done(Reply::Execution(asked))) = outcome else {
        panic!("not run: {outcome:?}")
    };
    let again = store.submit(claimed(live.clone(), claim(1))).await;
    let Ok(Outcome::Replay(place)) = again else {
        panic!("not replayed: {again:?}")
    };
    let remembered = store.remembered(place).await.expect("reads work");
    let remembered = remembered.expect("it was remembered").reply;
    assert_eq!(
        remembered,
        RememberedReply::Execution(Box::new(asked.clone()))
    );

    // It waits for its amount, over a restart too, and nobody can run it again meanwhile.
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(
        refused(&store, live.clone()).await,
        Rejection::RuleInProgress
    );
    let store = reopened(&bed, store, &ground).await;
    assert_eq!(refused(&store, live).await, Rejection::RuleInProgress);
    let waiting = store.execution(ground.tenant, asked.id).await;
    let waiting = waiting.expect("reads work").expect("it was recorded");
    assert_eq!((waiting.delays, waiting.asks), (1, Some((0, 0))));
    let answer = Command::AnswerAmounts {
        tenant: ground.tenant,
        execution: asked.id,
        answers: Answers::from([((0, 0), 1_234)]),
    };
    let made_run = run(&store, answer.clone()).await;
    assert_eq!(made_run.status, ExecutionStatus::Executed);
    assert_eq!(refused(&store, answer).await, Rejection::ExecutionNotFound);
    assert_eq!(ground.balance(&store, ground.pod).await, 1_234);
    let store = reopened(&bed, store, &ground).await;
    let seen = runs(&store, &ground, made.id).await;
    assert_eq!(seen, [made_run, simulation]);
    close(store).await;
}

#[tokio::test]
async fn a_rule_runs_by_the_time_and_over_a_rail() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(10_000)).await;
    let start = store.now().plus(1_000);
    let mut daily = draft(
        TriggerKind::Scheduled,
        ground.pay,
        vec![fixed(ground.bank, 1_000)],
    );
    daily.trigger.schedule_kind = Some(ScheduleKind::Daily);
    daily.trigger.start = Some(start);
    let daily = switched_on(&store, &ground, daily).await;
    assert!(runs(&store, &ground, daily.id).await.is_empty());
    let store = reopened(&bed, store, &ground).await;

    bed.clock.advance(1_000);
    store.quiesce(ground.tenant).await.expect("writes work");
    let seen = runs(&store, &ground, daily.id).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].cause, Cause::Scheduled { at: start });
    assert_eq!(seen[0].status, ExecutionStatus::InProgress);
    // It is over when its transfer is, whoever is there then.
    let store = reopened(&bed, store, &ground).await;
    bed.clock.advance(RAIL_MS);
    store.quiesce(ground.tenant).await.expect("writes work");
    let seen = runs(&store, &ground, daily.id).await;
    assert_eq!(seen[0].status, ExecutionStatus::Executed);
    let transfer = seen[0].ran.as_ref().expect("it ran").transfers[0];
    assert_eq!(ground.status(&store, transfer).await, Status::Complete);

    let store = reopened(&bed, store, &ground).await;
    bed.clock.advance(DAY_MS);
    store.quiesce(ground.tenant).await.expect("writes work");
    bed.clock.advance(RAIL_MS);
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(runs(&store, &ground, daily.id).await.len(), 2);
    // Off, it runs no more.
    rule(&store, switch(&ground, daily.id, false)).await;
    bed.clock.advance(3 * DAY_MS);
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(runs(&store, &ground, daily.id).await.len(), 2);
    close(reopened(&bed, store, &ground).await).await;
}

/// What a filter lets through, by looking at each run.
fn matching(all: &[Execution], query: &ExecutionQuery) -> Vec<Execution> {
    let wanted = |run: &&Execution| {
        query.owner.is_none_or(|owner| owner == run.owner)
            && query.rule.is_none_or(|rule| rule == run.rule)
            && (query.statuses.is_empty() || query.statuses.contains(&run.status))
            && (query.causes.is_empty() || query.causes.contains(&run.cause.kind()))
            && query.mode.is_none_or(|mode| mode == run.mode)
            && query.from.is_none_or(|from| run.created_at >= from)
            && query.to.is_none_or(|to| run.created_at <= to)
            && query.after.is_none_or(|after| run.id < after)
    };
    let found = all.iter().filter(wanted);
    found
        .skip(query.offset)
        .take(query.limit)
        .cloned()
        .collect()
}

#[tokio::test]
async fn runs_are_found_by_every_filter_and_in_pages() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let other = Ground::of(&store, ground.tenant).await;
    let mut rules = Vec::new();
    for of in [&ground, &other] {
        let saving = draft(
            TriggerKind::OnFundsTransferred,
            of.pay,
            vec![half(of.pod, 9_000)],
        );
        rules.push((of, switched_on(&store, of, saving).await.id));
        let moving = draft(TriggerKind::Manual, of.pod, vec![fixed(of.bank, 700)]);
        rules.push((of, switched_on(&store, of, moving).await.id));
    }
    for round in 0..6 {
        for (of, id) in &rules {
            match round % 3 {
                0 => drop(done(&store, of.paycheck(1_000)).await),
                1 => drop(run(&store, trigger(of, *id, ExecutionMode::Live)).await),
                _ => drop(run(&store, trigger(of, *id, ExecutionMode::Simulation)).await),
            }
            store.quiesce(of.tenant).await.expect("writes work");
        }
        bed.clock.advance(RAIL_MS / 2);
    }
    store.quiesce(ground.tenant).await.expect("writes work");
    let base = ExecutionQuery::new(ground.tenant, usize::MAX);
    let all = store.executions(base.clone()).await.expect("reads work");
    assert!(all.windows(2).all(|pair| pair[0].id > pair[1].id));
    assert!(all.len() > 20, "{}", all.len());
    let middle = all[all.len() / 2].created_at;
    let after = all[all.len() / 3].id;
    let mut queries = vec![base.clone()];
    // Each filter alone and with each of those before it.
    type Narrow<'a> = Box<dyn Fn(ExecutionQuery) -> ExecutionQuery + 'a>;
    let narrow: Vec<Narrow<'_>> = vec![
        Box::new(|query| ExecutionQuery {
            owner: Some(other.owner),
            ..query
        }),
        Box::new(|query| ExecutionQuery {
            rule: Some(rules[2].1),
            ..query
        }),
        Box::new(|query| ExecutionQuery {
            statuses: vec![ExecutionStatus::Executed, ExecutionStatus::InProgress],
            ..query
        }),
        Box::new(|query| ExecutionQuery {
            causes: vec![TriggerKind::Manual],
            ..query
        }),
        Box::new(|query| ExecutionQuery {
            mode: Some(ExecutionMode::Live),
            ..query
        }),
        Box::new(|query| ExecutionQuery {
            from: Some(middle),
            ..query
        }),
        Box::new(|query| ExecutionQuery {
            to: Some(middle),
            ..query
        }),
        Box::new(|query| ExecutionQuery {
            after: Some(after),
            ..query
        }),
        Box::new(|query| ExecutionQuery {
            offset: 1,
            limit: 2,
            ..query
        }),
    ];
    for narrow in &narrow {
        let narrower: Vec<_> = queries.iter().cloned().map(narrow).collect();
        queries.extend(narrower);
    }
    for query in queries {
        let found = store.executions(query.clone()).await.expect("reads work");
        assert_eq!(found, matching(&all, &query), "{query:?}");
    }
    // A rule of another owner, and of another tenant, has no runs here.
    let wrong = ExecutionQuery {
        owner: Some(other.owner),
        rule: Some(rules[0].1),
        ..base.clone()
    };
    assert!(
        store
            .executions(wrong)
            .await
            .expect("reads work")
            .is_empty()
    );
    let stranger = Ground::new(&store).await;
    for foreign in [
        ExecutionQuery {
            rule: Some(rules[0].1),
            ..base.clone()
        },
        ExecutionQuery {
            owner: Some(ground.owner),
            ..base.clone()
        },
    ] {
        let foreign = ExecutionQuery {
            tenant: stranger.tenant,
            ..foreign
        };
        assert!(
            store
                .executions(foreign)
                .await
                .expect("reads work")
                .is_empty()
        );
    }
    let one = store.execution(stranger.tenant, all[0].id).await;
    assert_eq!(one.expect("reads work"), None);
    close(reopened(&bed, store, &ground).await).await;
}

/// Decides on a state of one's own, and does all that is due by the machine's time `now`.
fn play(state: &mut State, commands: &[Command], now: Millis) {
    let mut ids = IdSource::new(9, state.last_id());
    let mut decided = |state: &mut State, command: &Command| {
        let mut context = Context { now, ids: &mut ids };
        let decision = decide(state, command, &mut context).expect("it is done in the store, too");
        for effect in &decision.effects {
            state.apply(effect).expect("it fits");
        }
    };
    for command in commands {
        decided(state, command);
        while let Some(due) = state.next_due(now) {
            decided(state, &Command::RunDue(due));
        }
    }
}

#[tokio::test]
async fn what_is_decided_on_a_fork_is_what_the_store_decides() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let other = Ground::of(&store, ground.tenant).await;
    for of in [&ground, &other] {
        let actions = vec![half(of.pod, 7_000), fixed(of.bank, 300)];
        let saving = draft(TriggerKind::OnFundsTransferred, of.pay, actions);
        switched_on(&store, of, saving).await;
        let later = draft(
            TriggerKind::OnFundsTransferred,
            of.pod,
            vec![fixed(of.bank, 500)],
        );
        switched_on(&store, of, later).await;
        done(&store, of.paycheck(8_000)).await;
    }
    store.quiesce(ground.tenant).await.expect("writes work");
    let hold = Command::PlaceHold(ledger::PlaceHold {
        tenant: ground.tenant,
        account: ground.pod,
        amount: crate::bed::usd(100),
        expires_at: Some(store.now().plus(RAIL_MS / 2)),
    });
    done(&store, hold).await;

    let fork = store.fork(ground.tenant, ground.owner).await;
    let mut fork = fork.expect("reads work").expect("it is there");
    // The world and the money in transit besides.
    assert_eq!(fork.accounts().count(), 5);
    assert_eq!((fork.owners().count(), fork.tenants().count()), (1, 1));
    assert_eq!(fork.rules().count(), 2);
    assert_eq!(fork.holds().count(), 1);
    assert_eq!(
        (fork.open_transfers().count(), fork.executions().count()),
        (2, 2)
    );
    assert_eq!(fork.due_len(), 3);
    let counters = |state: &State| {
        let used = state.rules().filter_map(|rule| state.caps_used(rule.id));
        used.flat_map(|caps| caps.values().map(|used| used.used_minor))
            .sum::<i64>()
    };
    // Both actions are of one group, and so under one cap.
    assert_eq!(counters(&fork), 4_300);

    // What is decided on it changes nothing here, and is what happens here afterwards.
    let commands = [
        ground.paycheck(9_000),
        ground.transfer(ground.pod, ground.bank, 600),
    ];
    play(&mut fork, &commands, store.now());
    assert_eq!(ground.balance(&store, ground.pod).await, 3_500);
    for command in commands {
        done(&store, command).await;
        store.quiesce(ground.tenant).await.expect("writes work");
    }
    for _ in 0..2 {
        let now = store.fork(ground.tenant, ground.owner).await;
        let now = now.expect("reads work").expect("it is there");
        for account in now.accounts() {
            let played = fork.account(account.id).expect("it was opened");
            assert_eq!(
                (played.balance, played.held),
                (account.balance, account.held)
            );
        }
        assert_eq!(counters(&now), counters(&fork));
        assert_eq!(now.executions().count(), fork.executions().count());
        assert_eq!(now.due_len(), fork.due_len());
        bed.clock.advance(RAIL_MS);
        play(&mut fork, &[ground.paycheck(10)], store.now());
        done(&store, ground.paycheck(10)).await;
        store.quiesce(ground.tenant).await.expect("writes work");
    }
    let nobody = store.fork(other.tenant, ledger::OwnerId::new(5)).await;
    assert!(nobody.expect("reads work").is_none());
    let stranger = Ground::new(&store).await;
    let foreign = store.fork(stranger.tenant, ground.owner).await;
    assert!(foreign.expect("reads work").is_none());
    close(reopened(&bed, store, &ground).await).await;
}
