//! Drafts of rules with every kind of fault, and where it is found.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::rule::action::{ActionType, Apr, Cap, CapPeriod, PercentageTarget};
use ledger::rule::condition::{Fact, Operator, ValueFact};
use ledger::rule::draft::{
    ActionDraft, ConditionDraft, ConditionsDraft, DebtDraft, RuleDraft, StepDraft, TriggerDraft,
};
use ledger::rule::percent::Percent;
use ledger::rule::schedule::ScheduleKind;
use ledger::rule::validate::validate;
use ledger::rule::{ACTIONS_MAX, CONDITIONS_MAX, DEBTS_MAX, NESTING_MAX, STEPS_MAX, TriggerKind};
use ledger::{Account, AccountId, AccountState, Millis, OwnerId, SystemKind};

use crate::world::{BANK, EUR, INCOME, LOAN, POD, USD, World};

/// Accounts of one owner, and some that a rule of this owner cannot use.
struct Bank {
    accounts: BTreeMap<AccountId, Account>,
    owner: OwnerId,
    pay: AccountId,
    pod: AccountId,
    card: AccountId,
    euros: AccountId,
    others: AccountId,
    closed: AccountId,
    system: AccountId,
}

const GHOST: AccountId = AccountId::new(1);

impl Bank {
    fn new() -> Bank {
        let mut world = World::new();
        let (pay, pod) = (world.funded(INCOME, 100), world.account(POD));
        let (card, _bank) = (world.account(LOAN), world.account(BANK));
        let euros = world.open(world.opening(POD, EUR));
        let closed = world.account(POD);
        world
            .set_state(closed, AccountState::Destroyed)
            .expect("it is empty");
        let owner = world.owner;
        world.owner = world.new_owner(world.tenant).id;
        let others = world.account(POD);
        let system = world.state.system_account(owner, SystemKind::World, USD);
        Bank {
            system: system.expect("money came in").id,
            accounts: world.state.accounts().map(|a| (a.id, a.clone())).collect(),
            owner,
            pay,
            pod,
            card,
            euros,
            others,
            closed,
        }
    }

    fn fixed(&self) -> ActionDraft {
        ActionDraft {
            destination: Some(self.pod),
            minor: Some(500),
            ..ActionDraft::of(ActionType::FixedAmount)
        }
    }

    fn draft(&self, action: ActionDraft) -> RuleDraft {
        RuleDraft {
            name: Arc::from("Save"),
            description: None,
            trigger: TriggerDraft {
                kind: TriggerKind::OnFundsTransferred,
                account: Some(self.pay),
                schedule_kind: None,
                start: None,
            },
            steps: vec![StepDraft {
                conditions: None,
                actions: vec![action],
            }],
        }
    }

    fn with(&self, conditions: ConditionsDraft) -> RuleDraft {
        let mut draft = self.draft(self.fixed());
        draft.steps[0].conditions = Some(conditions);
        draft
    }

    fn of_type(&self, action_type: ActionType) -> ActionDraft {
        ActionDraft {
            destination: Some(self.card),
            ..ActionDraft::of(action_type)
        }
    }

    /// The faults as `path code`.
    fn faults(&self, draft: &RuleDraft) -> Vec<String> {
        let lookup = |id: AccountId| self.accounts.get(&id);
        match validate(draft, self.owner, &lookup) {
            Ok(_) => Vec::new(),
            Err(faults) => faults
                .into_iter()
                .map(|fault| format!("{} {}", fault.path, fault.code))
                .collect(),
        }
    }

    #[track_caller]
    fn check(&self, draft: &RuleDraft, expected: &[&str]) {
        assert_eq!(self.faults(draft), expected, "{draft:?}");
    }

    /// The faults of one action, with paths below it.
    #[track_caller]
    fn check_action(&self, action: ActionDraft, expected: &[&str]) {
        let expected: Vec<String> = expected
            .iter()
            .map(|fault| {
                let dot = if fault.starts_with(' ') { "" } else { "." };
                format!("steps[0].actions[0]{dot}{fault}")
            })
            .collect();
        assert_eq!(
            self.faults(&self.draft(action.clone())),
            expected,
            "{action:?}"
        );
    }

    #[track_caller]
    fn check_condition(&self, condition: ConditionDraft, expected: &[&str]) {
        let expected: Vec<String> = expected
            .iter()
            .map(|fault| format!("steps[0].conditions.condition.{fault}"))
            .collect();
        assert_eq!(
            self.faults(&self.with(leaf(condition))),
            expected,
            "{condition:?}"
        );
    }
}

fn leaf(condition: ConditionDraft) -> ConditionsDraft {
    ConditionsDraft {
        condition: Some(condition),
        ..ConditionsDraft::default()
    }
}

fn any(branches: Vec<ConditionsDraft>) -> ConditionsDraft {
    ConditionsDraft {
        any: Some(branches),
        ..ConditionsDraft::default()
    }
}

const RICH: ConditionDraft = ConditionDraft {
    fact: Fact::Balance,
    operator: Operator::GreaterThan,
    value: Some(1),
    value_fact: None,
    account: None,
    value_account: None,
};

fn percent(text: &str) -> Option<Percent> {
    Percent::parse(text)
}

#[test]
fn all_faults_are_found_at_once_in_the_order_of_the_fields() {
    let bank = Bank::new();
    let mut draft = bank.draft(ActionDraft {
        source: Some(GHOST),
        percentage_value: percent("20"),
        limit: Some(Cap {
            period: CapPeriod::PerMonth,
            minor: -1,
        }),
        ach_description: Some(Arc::from("rent & food")),
        ..ActionDraft::of(ActionType::FixedAmount)
    });
    draft.name = Arc::from(" ");
    draft.description = Some(Arc::from("x".repeat(256)));
    draft.trigger.account = None;
    draft.trigger.start = Some(Millis(0));
    bank.check(
        &draft,
        &[
            "nickname missing",
            "description too_long",
            "trigger.account_id missing",
            "trigger.start_date not_allowed",
            "steps[0].actions[0].source unknown_account",
            "steps[0].actions[0].destination missing",
            "steps[0].actions[0].percentage_value not_allowed",
            "steps[0].actions[0].amount_in_cents missing",
            "steps[0].actions[0].limit.amount_in_cents out_of_range",
            "steps[0].actions[0].ach_description too_long",
        ],
    );
}

#[test]
fn triggers() {
    let bank = Bank::new();
    let sound = bank.draft(bank.fixed());
    bank.check(&sound, &[]);
    let with = |change: &dyn Fn(&mut TriggerDraft)| {
        let mut draft = sound.clone();
        change(&mut draft.trigger);
        draft
    };
    bank.check(
        &with(&|t| t.account = Some(GHOST)),
        &["trigger.account_id unknown_account"],
    );
    bank.check(
        &with(&|t| t.account = Some(bank.closed)),
        &["trigger.account_id unknown_account"],
    );
    bank.check(
        &with(&|t| t.account = Some(bank.system)),
        &["trigger.account_id unknown_account"],
    );
    bank.check(
        &with(&|t| t.account = Some(bank.others)),
        &["trigger.account_id other_owner"],
    );
    // Waiting for money on a debt is odd; taking money from it is impossible.
    bank.check(
        &with(&|t| t.account = Some(bank.card)),
        &["steps[0].actions[0].source wrong_account"],
    );
    bank.check(
        &with(&|t| t.schedule_kind = Some(ScheduleKind::Daily)),
        &["trigger.schedule_type not_allowed"],
    );
    let scheduled = |t: &mut TriggerDraft| t.kind = TriggerKind::Scheduled;
    bank.check(
        &with(&scheduled),
        &[
            "trigger.schedule_type missing",
            "trigger.start_date missing",
        ],
    );
    for (start, codes) in [
        (-1, vec!["trigger.start_date out_of_range"]),
        (0, vec![]),
        (253_402_300_799_999, vec![]),
        (253_402_300_800_000, vec!["trigger.start_date out_of_range"]),
    ] {
        let at = |t: &mut TriggerDraft| {
            t.kind = TriggerKind::Scheduled;
            t.schedule_kind = Some(ScheduleKind::Weekly);
            t.start = Some(Millis(start));
        };
        bank.check(&with(&at), &codes);
    }
    // A schedule without an account needs one in every action and every balance.
    let mut draft = bank.with(leaf(RICH));
    draft.trigger = TriggerDraft {
        kind: TriggerKind::Scheduled,
        account: None,
        schedule_kind: Some(ScheduleKind::Monthly),
        start: Some(Millis(0)),
    };
    bank.check(
        &draft,
        &[
            "steps[0].conditions.condition.params.account_id missing",
            "steps[0].actions[0].source missing",
        ],
    );
    draft.steps[0].conditions = Some(leaf(ConditionDraft {
        account: Some(bank.pay),
        ..RICH
    }));
    draft.steps[0].actions[0].source = Some(bank.pay);
    bank.check(&draft, &[]);
}

#[test]
fn conditions() {
    let bank = Bank::new();
    bank.check_condition(RICH, &[]);
    bank.check_condition(
        ConditionDraft {
            value: None,
            ..RICH
        },
        &["value missing"],
    );
    let fact = ConditionDraft {
        value: None,
        value_fact: Some(ValueFact::Balance),
        ..RICH
    };
    bank.check_condition(fact, &[]);
    bank.check_condition(
        ConditionDraft {
            value: Some(1),
            ..fact
        },
        &["value_fact contradiction"],
    );
    bank.check_condition(
        ConditionDraft {
            account: Some(GHOST),
            ..RICH
        },
        &["params.account_id unknown_account"],
    );
    bank.check_condition(
        ConditionDraft {
            account: Some(bank.others),
            ..RICH
        },
        &["params.account_id other_owner"],
    );
    bank.check_condition(
        ConditionDraft {
            account: Some(bank.euros),
            ..RICH
        },
        &["params.account_id other_currency"],
    );
    bank.check_condition(
        ConditionDraft {
            fact: Fact::Date,
            account: Some(bank.pay),
            ..RICH
        },
        &["params.account_id not_allowed"],
    );
    bank.check_condition(
        ConditionDraft {
            value_account: Some(bank.pay),
            ..RICH
        },
        &["params.value_account_id not_allowed"],
    );
    // The minimum of what? The trigger's account is no debt.
    let minimum = ConditionDraft {
        value_fact: Some(ValueFact::NextPaymentMinimumAmount),
        ..fact
    };
    bank.check_condition(minimum, &["params.value_account_id wrong_account"]);
    bank.check_condition(
        ConditionDraft {
            value_account: Some(bank.card),
            ..minimum
        },
        &[],
    );
}

#[test]
fn trees_of_conditions() {
    let bank = Bank::new();
    let nested = |depth: usize| (1..depth).fold(leaf(RICH), |tree, _| any(vec![tree]));
    bank.check(&bank.with(nested(NESTING_MAX)), &[]);
    let path = format!(
        "steps[0].conditions{} too_deep",
        ".any[0]".repeat(NESTING_MAX)
    );
    bank.check(&bank.with(nested(NESTING_MAX + 1)), &[&path]);
    let wide = |leaves: usize| any(vec![leaf(RICH); leaves]);
    bank.check(&bank.with(wide(CONDITIONS_MAX - 1)), &[]);
    bank.check(
        &bank.with(wide(CONDITIONS_MAX)),
        &["steps[0].conditions too_long"],
    );
    bank.check(
        &bank.with(any(Vec::new())),
        &["steps[0].conditions.any missing"],
    );
    bank.check(
        &bank.with(ConditionsDraft::default()),
        &["steps[0].conditions contradiction"],
    );
    let both = ConditionsDraft {
        all: Some(vec![leaf(RICH)]),
        ..leaf(RICH)
    };
    bank.check(
        &bank.with(any(vec![leaf(RICH), both])),
        &["steps[0].conditions.any[1] contradiction"],
    );
}

#[test]
fn lengths() {
    let bank = Bank::new();
    let mut draft = bank.draft(bank.fixed());
    draft.steps = vec![draft.steps[0].clone(); STEPS_MAX];
    bank.check(&draft, &[]);
    draft.steps.push(draft.steps[0].clone());
    bank.check(&draft, &["steps too_long"]);
    draft.steps.clear();
    bank.check(&draft, &["steps missing"]);
    let mut draft = bank.draft(bank.fixed());
    draft.steps[0].actions = vec![bank.fixed(); ACTIONS_MAX];
    bank.check(&draft, &[]);
    draft.steps[0].actions.push(bank.fixed());
    bank.check(&draft, &["steps[0].actions too_long"]);
    draft.steps[0].actions.clear();
    bank.check(&draft, &["steps[0].actions missing"]);
}

#[test]
fn fields_by_type_of_action() {
    let bank = Bank::new();
    let fixed = || bank.fixed();
    bank.check_action(
        ActionDraft {
            minor: Some(0),
            ..fixed()
        },
        &["amount_in_cents out_of_range"],
    );
    bank.check_action(
        ActionDraft {
            minor: None,
            ..fixed()
        },
        &["amount_in_cents missing"],
    );
    bank.check_action(
        ActionDraft {
            percentage_target: Some(PercentageTarget::IncomingAmount),
            current_balance_account: Some(bank.card),
            ..fixed()
        },
        &[
            "percentage_target not_allowed",
            "current_balance_account not_allowed",
        ],
    );
    let share = || ActionDraft {
        percentage_value: percent("20"),
        percentage_target: Some(PercentageTarget::IncomingAmount),
        ..bank.of_type(ActionType::Percentage)
    };
    bank.check_action(share(), &[]);
    bank.check_action(
        ActionDraft {
            percentage_value: None,
            percentage_target: None,
            ..share()
        },
        &["percentage_value missing", "percentage_target missing"],
    );
    bank.check_action(
        ActionDraft {
            minor: Some(1),
            ..share()
        },
        &["amount_in_cents not_allowed"],
    );
    bank.check_action(
        bank.of_type(ActionType::RoundDown),
        &["amount_in_cents missing"],
    );
    for action_type in [
        ActionType::NextPaymentMinimum,
        ActionType::TotalAmountDue,
        ActionType::LastStatementBalance,
    ] {
        bank.check_action(bank.of_type(action_type), &[]);
        let to_pod = ActionDraft {
            destination: Some(bank.pod),
            minor: Some(7),
            ..bank.of_type(action_type)
        };
        bank.check_action(
            to_pod,
            &["destination wrong_account", "amount_in_cents not_allowed"],
        );
    }
    let owed = bank.of_type(ActionType::PercentageLiabilityBalance);
    bank.check_action(owed.clone(), &["percentage_value missing"]);
    bank.check_action(
        ActionDraft {
            percentage_value: percent("5"),
            ..owed
        },
        &[],
    );
    bank.check_action(bank.of_type(ActionType::QueriedAmount), &[]);
}

#[test]
fn top_ups_have_one_target() {
    let bank = Bank::new();
    let top_up = || ActionDraft {
        destination: Some(bank.pod),
        ..ActionDraft::of(ActionType::TopUp)
    };
    bank.check_action(top_up(), &[" contradiction"]);
    bank.check_action(
        ActionDraft {
            minor: Some(0),
            ..top_up()
        },
        &[],
    );
    bank.check_action(
        ActionDraft {
            minor: Some(-1),
            ..top_up()
        },
        &["amount_in_cents out_of_range"],
    );
    let by_card = ActionDraft {
        next_payment_minimum_account: Some(bank.card),
        ..top_up()
    };
    bank.check_action(by_card.clone(), &[]);
    bank.check_action(
        ActionDraft {
            minor: Some(5),
            ..by_card.clone()
        },
        &[" contradiction"],
    );
    bank.check_action(
        ActionDraft {
            last_statement_balance_account: Some(bank.card),
            ..by_card
        },
        &[" contradiction"],
    );
    bank.check_action(
        ActionDraft {
            current_balance_account: Some(bank.pay),
            ..top_up()
        },
        &["current_balance_account wrong_account"],
    );
    bank.check_action(
        ActionDraft {
            destination: Some(bank.card),
            minor: Some(5),
            ..top_up()
        },
        &["destination wrong_account"],
    );
}

#[test]
fn paying_debts_off() {
    let bank = Bank::new();
    let debt = |account| DebtDraft {
        account,
        apr: Some(Apr(2_499)),
    };
    let avalanche = || ActionDraft {
        minor: Some(500),
        liabilities: vec![debt(bank.card)],
        ..ActionDraft::of(ActionType::Avalanche)
    };
    bank.check_action(avalanche(), &[]);
    bank.check_action(
        ActionDraft {
            destination: Some(bank.card),
            ..avalanche()
        },
        &["destination not_allowed"],
    );
    bank.check_action(
        ActionDraft {
            minor: None,
            ..avalanche()
        },
        &["amount_in_cents missing"],
    );
    bank.check_action(
        ActionDraft {
            minor: Some(0),
            ..avalanche()
        },
        &["amount_in_cents out_of_range"],
    );
    let share = ActionDraft {
        minor: None,
        percentage_value: percent("30"),
        percentage_target: Some(PercentageTarget::SourceAccount),
        ..avalanche()
    };
    bank.check_action(share.clone(), &[]);
    bank.check_action(
        ActionDraft {
            minor: Some(1),
            ..share.clone()
        },
        &[" contradiction"],
    );
    bank.check_action(
        ActionDraft {
            percentage_target: None,
            ..share
        },
        &["percentage_target missing"],
    );
    bank.check_action(
        ActionDraft {
            liabilities: Vec::new(),
            ..avalanche()
        },
        &["liabilities missing"],
    );
    bank.check_action(
        ActionDraft {
            liabilities: vec![debt(bank.card), debt(bank.card), debt(bank.pod)],
            ..avalanche()
        },
        &[
            "liabilities[1].id contradiction",
            "liabilities[2].id wrong_account",
        ],
    );
    let no_rate = DebtDraft {
        account: bank.card,
        apr: None,
    };
    bank.check_action(
        ActionDraft {
            liabilities: vec![no_rate],
            ..avalanche()
        },
        &["liabilities[0].interest_rate_percentage missing"],
    );
    bank.check_action(
        ActionDraft {
            action_type: ActionType::Snowball,
            liabilities: vec![no_rate],
            ..avalanche()
        },
        &[],
    );
    let many = ActionDraft {
        liabilities: vec![debt(bank.card); DEBTS_MAX + 1],
        ..avalanche()
    };
    let faults = bank.faults(&bank.draft(many));
    assert_eq!(faults[0], "steps[0].actions[0].liabilities too_long");
}

#[test]
fn accounts_of_actions() {
    let bank = Bank::new();
    let to = |destination| ActionDraft {
        destination: Some(destination),
        ..bank.fixed()
    };
    bank.check_action(to(GHOST), &["destination unknown_account"]);
    bank.check_action(to(bank.closed), &["destination unknown_account"]);
    bank.check_action(to(bank.system), &["destination unknown_account"]);
    bank.check_action(to(bank.others), &["destination other_owner"]);
    bank.check_action(to(bank.euros), &["destination other_currency"]);
    // Pay arrives on an income source from outside only.
    bank.check_action(
        to(bank.pay),
        &["destination wrong_account", "destination contradiction"],
    );
    bank.check_action(
        ActionDraft {
            source: Some(bank.pod),
            ..bank.fixed()
        },
        &["destination contradiction"],
    );
    bank.check_action(
        ActionDraft {
            source: Some(bank.card),
            ..bank.fixed()
        },
        &["source wrong_account"],
    );
}

#[test]
fn a_group_has_one_cap() {
    let bank = Bank::new();
    let capped = |group_index, minor| ActionDraft {
        group_index,
        limit: Some(Cap {
            period: CapPeriod::PerMonth,
            minor,
        }),
        ..bank.fixed()
    };
    let mut draft = bank.draft(capped(0, 700));
    draft.steps[0]
        .actions
        .extend([bank.fixed(), capped(1, 800), capped(0, 700)]);
    bank.check(&draft, &[]);
    draft.steps[0].actions.push(capped(0, 800));
    bank.check(&draft, &["steps[0].actions[4].limit contradiction"]);
}

#[test]
fn what_a_bank_shows_is_short_and_plain() {
    let bank = Bank::new();
    for (text, expected) in [
        ("Rent 2026", vec![]),
        ("", vec![]),
        ("0123456789", vec![]),
        ("01234567890", vec!["ach_description too_long"]),
        ("rent-11", vec!["ach_description out_of_range"]),
        ("Miété", vec!["ach_description out_of_range"]),
    ] {
        let action = ActionDraft {
            ach_description: Some(Arc::from(text)),
            ..bank.fixed()
        };
        bank.check_action(action, &expected);
    }
}
