import { describe, expect, test } from 'vitest';

import type { Execution, Rule, Transfer } from '../src/api/client';
import {
  actionOf,
  type ActionSeen,
  causeWords,
  conditionSeenWords,
  outcomeWords,
  resultWords,
  termWords,
  timeline,
  transfersOf,
} from '../src/pages/runs/explain';

const known = { name: (id: string) => `<${id}>`, currency: 'USD' };

function seen(part: Partial<ActionSeen>): ActionSeen {
  return {
    action_index: 0,
    group_index: 0,
    type: 'fixed_amount',
    source_id: 'acc_a',
    terms: [],
    wanted_in_cents: 100,
    allowed_in_cents: 100,
    spendable_in_cents: 100,
    moved_in_cents: 100,
    outcome: 'moved',
    reason: null,
    ...part,
  };
}

function run(part: Partial<Execution>): Execution {
  return {
    id: 'rex_1',
    rule_id: 'rule_1',
    rule_name: 'Save',
    status: 'executed',
    execution_mode: 'live',
    created_at: '2026-11-01T09:00:00Z',
    trigger_type: 'manual',
    trigger_details: { type: 'manual', amount_in_cents: null },
    step_index_matched: 0,
    conditions_not_met: false,
    transfers_attempted: 0,
    transfers_completed: 0,
    transfers_failed: 0,
    transfers_pending: 0,
    transfer_ids: [],
    error_message: null,
    next_attempt_at: null,
    explanation: null,
    ...part,
  };
}

function explained(actions: ActionSeen[]) {
  return { step_index: 0, conditions: [], actions, caps: [], shortfalls: [] };
}

function transfer(id: string, amount: number, part: Partial<Transfer> = {}): Transfer {
  const at = '2026-11-01T09:00:00Z';
  return {
    id,
    amount,
    currency: 'USD',
    direction: 'internal',
    origin: 'rule',
    status: 'complete',
    source: { id: 'acc_a', name: 'A', type: 'pod' },
    destination: { id: 'acc_b', name: 'B', type: 'pod' },
    error_code: null,
    api_key_id: null,
    rule_id: 'rule_1',
    rule_execution_id: 'rex_1',
    fee: 0,
    profile_id: null,
    tag: null,
    description: null,
    cancel_reason: null,
    card_id: null,
    created_at: at,
    updated_at: at,
    scheduled_at: null,
    completed_at: at,
    ...part,
  };
}

test('numbers say what they are', () => {
  const term = {
    name: 'incoming_amount',
    account_id: null,
    amount_in_cents: 500_000,
    percentage_value: null,
  };
  expect(termWords(term, known)).toBe('$5,000.00 came in');
  expect(termWords({ ...term, name: 'owed', account_id: 'acc_a' }, known)).toBe('$5,000.00 owed (<acc_a>)');
  expect(termWords({ ...term, name: 'share', percentage_value: 20 }, known)).toBe('20 % of it');
});

test('a condition is told with both numbers', () => {
  const condition = {
    path: 'steps[0].conditions',
    fact: 'BALANCE',
    operator: 'GREATER_THAN',
    value_fact: null,
    left: 95_000,
    right: 100_000,
    holds: false,
  };
  expect(conditionSeenWords(condition, known, 'acc_a')).toBe(
    'the balance of <acc_a> ($950.00) is more than $1,000.00',
  );
  expect(conditionSeenWords({ ...condition, left: null }, known, null)).toContain('(not known)');
  const date = { ...condition, fact: 'DATE', left: 22, right: 30, value_fact: 'LAST_DAY_OF_MONTH' };
  expect(conditionSeenWords(date, known, null)).toBe(
    'the day of the month (the 22nd) is after the last day of the month (the 30th)',
  );
});

describe('why an action came to what it did', () => {
  test.each([
    [seen({}), ''],
    [seen({ allowed_in_cents: 40, moved_in_cents: 40 }), 'the limit let no more through'],
    [seen({ moved_in_cents: 60 }), 'the source had no more'],
    [
      seen({ allowed_in_cents: 80, moved_in_cents: 60 }),
      'the limit let no more through; the source had no more',
    ],
    [seen({ outcome: 'skipped', reason: 'CAP_REACHED' }), 'its limit has less than 1.00 left'],
    [seen({ outcome: 'failed', reason: 'INSUFFICIENT_FUNDS' }), 'the source has too little'],
    [seen({ outcome: 'not_reached' }), 'an action before it failed'],
  ])('%#', (action, words) => {
    expect(outcomeWords(action)).toBe(words);
  });
});

test('transfers belong to the actions that made them, several to one that pays debts', () => {
  const actions = [
    seen({ action_index: 0, moved_in_cents: 100 }),
    seen({ action_index: 1, outcome: 'skipped', moved_in_cents: 0 }),
    seen({ action_index: 2, type: 'avalanche', moved_in_cents: 300 }),
    seen({ action_index: 3, moved_in_cents: 50 }),
  ];
  const made = [transfer('t1', 100), transfer('t2', 200), transfer('t3', 100), transfer('t4', 50)];
  const whole = run({ explanation: explained(actions), transfer_ids: ['t1', 't2', 't3', 't4'] });
  const found = transfersOf(whole, made);
  expect([...found].map(([action, all]) => [action, all.map(({ id }) => id)])).toEqual([
    [0, ['t1']],
    [2, ['t2', 't3']],
    [3, ['t4']],
  ]);
  // Not all are read yet: nothing is guessed.
  expect(transfersOf(whole, made.slice(1)).size).toBe(0);
});

test('an action of a rule that was changed since is not taken for the one that ran', () => {
  const rule = {
    trigger: { type: 'MANUAL', account_id: 'acc_a' },
    steps: [{ actions: [{ type: 'fixed_amount', amount_in_cents: 100 }] }],
  } as unknown as Rule;
  expect(actionOf(seen({}), 0, rule)).not.toBeNull();
  expect(actionOf(seen({ type: 'top_up' }), 0, rule)).toBeNull();
  expect(actionOf(seen({ source_id: 'acc_z' }), 0, rule)).toBeNull();
  expect(actionOf(seen({}), 3, rule)).toBeNull();
});

test('what set a run off', () => {
  expect(
    causeWords(run({ trigger_details: { type: 'on_funds_transferred', amount_in_cents: 5 } }), 'USD'),
  ).toBe('$0.05 came in');
  expect(
    causeWords(
      run({ trigger_details: { type: 'scheduled', scheduled_time: '2026-11-01T09:00:00Z' } }),
      'USD',
    ),
  ).toBe('it was time (1 Nov 2026, 09:00:00)');
  expect(causeWords(run({}), 'USD')).toBe('triggered by hand');
  expect(
    causeWords(
      run({ execution_mode: 'simulation', trigger_details: { type: 'manual', amount_in_cents: 100 } }),
      'USD',
    ),
  ).toBe('pretended that $1.00 came in');
});

test('what a run came to', () => {
  const moved = explained([seen({}), seen({ action_index: 1 })]);
  expect(resultWords(run({ explanation: moved }), 'USD')).toBe('It ordered $2.00 in 2 actions.');
  expect(resultWords(run({ explanation: moved, execution_mode: 'simulation' }), 'USD')).toBe(
    'It would move $2.00 in 2 actions.',
  );
  expect(resultWords(run({ conditions_not_met: true }), 'USD')).toContain('No step');
  expect(resultWords(run({ error_message: 'The rule was deleted.' }), 'USD')).toBe('The rule was deleted.');
});

test('a timeline has what happened in order, and what is still to come', () => {
  const slow = transfer('t1', 100, {
    status: 'cancelled',
    completed_at: null,
    updated_at: '2026-11-01T10:00:00Z',
  });
  const waiting = transfer('t2', 200, { status: 'pending_approval', completed_at: null });
  const moments = timeline(
    run({ next_attempt_at: '2026-11-01T09:01:00Z' }),
    [slow, waiting, transfer('t3', 300)],
    'USD',
  );
  expect(moments.map(({ text, state }) => [text, state])).toEqual([
    ['Set off: triggered by hand', null],
    ['$1.00 A → B, ordered', null],
    ['$2.00 A → B, ordered', 'pending_approval'],
    ['$3.00 A → B', 'complete'],
    ['It is tried again', 'scheduled'],
    ['$1.00 A → B', 'cancelled'],
  ]);
});
