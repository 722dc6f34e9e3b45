import { describe, expect, test } from 'vitest';

import {
  type Action,
  accountsOf,
  actionNotes,
  actionWords,
  type Condition,
  conditionWords,
  groups,
  type Known,
  limitWords,
  nth,
  reasonWords,
  scheduleWords,
  stepOpening,
  summary,
  triggerWords,
} from '../src/pages/rules/words';

const NAMES: Record<string, string> = { acc_pay: 'Payroll', acc_tax: 'Taxes', acc_card: 'Amex' };
const known: Known = { name: (id) => NAMES[id] ?? id, currency: 'USD' };

test('numbers are counted as people do', () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 31].map(nth)).toEqual(
    '1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 31st'.split(' '),
  );
});

describe('when a rule runs', () => {
  test('by what sets it off', () => {
    const on = { type: 'ON_FUNDS_TRANSFERRED', account_id: 'acc_pay' } as const;
    expect(triggerWords(on, known)).toBe('When money arrives on Payroll');
    expect(triggerWords({ type: 'MANUAL' }, known)).toBe('When somebody triggers it');
  });

  test.each([
    ['ONE_TIME', 'Once, on 30 Nov 2026 at 09:05 UTC'],
    ['DAILY', 'Every day at 09:05 UTC'],
    ['WEEKLY', 'Every Monday at 09:05 UTC'],
    ['EVERY_OTHER_WEEK', 'Every other Monday (even weeks of the year) at 09:05 UTC'],
    ['BI_WEEKLY', 'On the 1st and the 15th of every month at 09:05 UTC'],
    ['MONTHLY', 'On the 30th of every month (or its last day) at 09:05 UTC'],
  ] as const)('%s', (kind, words) => {
    expect(scheduleWords(kind, '2026-11-30T09:05:00Z')).toBe(words);
  });

  test('a day that every month has needs no exception', () => {
    expect(scheduleWords('MONTHLY', '2026-11-28T00:00:00Z')).toBe('On the 28th of every month at 00:00 UTC');
  });
});

describe('conditions', () => {
  const words = (condition: Condition) => conditionWords(condition, known);

  test('a balance and a number', () => {
    const params = { account_id: 'acc_tax' };
    expect(words({ fact: 'BALANCE', operator: 'LESS_THAN', value: 123_456, params })).toBe(
      'the balance of Taxes is less than $1,234.56',
    );
    expect(words({ fact: 'BALANCE', operator: 'EQUALS', value: 0 })).toBe(
      'the balance of the account of the trigger is $0.00',
    );
  });

  test('a day is a day, not an amount', () => {
    expect(words({ fact: 'DATE', operator: 'GREATER_THAN', value: 14 })).toBe(
      'the day of the month is after the 14th',
    );
    expect(words({ fact: 'DATE', operator: 'EQUALS', value_fact: 'LAST_DAY_OF_MONTH' })).toBe(
      'the day of the month is the last day of the month',
    );
  });

  test('one account is that of the left side if that is a balance, else of the right', () => {
    const params = { account_id: 'acc_card' };
    expect(
      words({ fact: 'TRANSFER_AMOUNT', operator: 'LESS_THAN', value_fact: 'LAST_STATEMENT_BALANCE', params }),
    ).toBe('what came in is less than the last statement of Amex');
    expect(
      words({
        fact: 'BALANCE',
        operator: 'GREATER_THAN_OR_EQUAL',
        value_fact: 'BALANCE',
        params: { account_id: 'acc_pay', value_account_id: 'acc_tax' },
      }),
    ).toBe('the balance of Payroll is at least the balance of Taxes');
  });
});

describe('actions', () => {
  const to = { id: 'acc_tax', name: 'Taxes' };
  const debts = [{ id: 'acc_card', interest_rate_percentage: 24.99 }];
  const cases: [Action, string][] = [
    [{ type: 'fixed_amount', amount_in_cents: 2500, destination: to }, '$25.00'],
    [
      { type: 'percentage', percentage_value: 33.25, percentage_target: 'INCOMING_AMOUNT', destination: to },
      '33.25 % of what came in',
    ],
    [
      { type: 'percentage', percentage_value: 5, percentage_target: 'SOURCE_ACCOUNT', destination: to },
      '5 % of what the source has',
    ],
    [{ type: 'top_up', amount_in_cents: 100_000, destination: to }, 'fills Taxes up to $1,000.00'],
    [
      { type: 'top_up', next_payment_minimum_account: { id: 'acc_card' }, destination: to },
      'fills Taxes up to the next minimum payment of Amex',
    ],
    [{ type: 'round_down', amount_in_cents: 10_000, destination: to }, 'what is above a multiple of $100.00'],
    [{ type: 'total_amount_due', destination: { id: 'acc_card' } }, 'all that is owed on Amex'],
    [
      { type: 'percentage_liability_balance', percentage_value: 10, destination: { id: 'acc_card' } },
      '10 % of what is owed on Amex',
    ],
    [
      { type: 'avalanche', amount_in_cents: 40_000, liabilities: debts },
      '$400.00 to debts, the highest rate first',
    ],
    [
      { type: 'snowball', percentage_value: 10, percentage_target: 'SOURCE_ACCOUNT', liabilities: debts },
      '10 % of what the source has to debts, the smallest first',
    ],
    [{ type: 'queried_amount', destination: to }, 'what your server answers when it is asked'],
  ];
  test.each(cases)('%j', (action, words) => {
    expect(actionWords(action, known)).toBe(words);
  });

  test('notes tell what else is said', () => {
    expect(actionNotes({ type: 'fixed_amount', up_to_enabled: true, ach_description: 'RENT' })).toEqual([
      'moves what there is when the source is short',
      'described as “RENT”',
    ]);
    expect(actionNotes({ type: 'fixed_amount' })).toEqual([]);
  });

  test('limits', () => {
    expect(limitWords({ period: 'PER_WEEK', amount_in_cents: 50_000 }, 'USD')).toBe('at most $500.00 a week');
  });
});

test('groups stand in the order in which they are taken, with places as in the rule', () => {
  const limit = { period: 'PER_MONTH', amount_in_cents: 1 } as const;
  const found = groups({
    actions: [
      { type: 'fixed_amount', group_index: 2 },
      { type: 'percentage' },
      { type: 'top_up', group_index: 2, limit },
    ],
  });
  expect(found.map(({ index, limit, actions }) => [index, limit, actions.map(({ index }) => index)])).toEqual(
    [
      [0, null, [1]],
      [2, limit, [0, 2]],
    ],
  );
});

test('steps open as a chain', () => {
  const conditions = { condition: { fact: 'DATE', operator: 'EQUALS', value: 1 } } as const;
  expect(stepOpening(0, { actions: [], conditions })).toBe('If');
  expect(stepOpening(0, { actions: [] })).toBe('Always');
  expect(stepOpening(1, { actions: [], conditions })).toBe('Otherwise, if');
  expect(stepOpening(2, { actions: [] })).toBe('Otherwise');
});

test('a line for a list names three amounts and counts the rest', () => {
  const action: Action = { type: 'fixed_amount', amount_in_cents: 100, destination: { id: 'acc_tax' } };
  expect(summary([{ actions: [action] }], known)).toBe('$1.00 to Taxes');
  expect(summary([{ actions: [action, action, action] }, { actions: [action, action] }], known)).toBe(
    '$1.00 to Taxes, $1.00 to Taxes, $1.00 to Taxes, and 2 more',
  );
});

test('every account of a rule is named once', () => {
  const actions: Action[] = [
    { type: 'fixed_amount', source: { id: 'acc_pay' }, destination: { id: 'acc_tax' } },
    { type: 'snowball', liabilities: [{ id: 'acc_card' }] },
  ];
  expect(accountsOf({ trigger: { type: 'MANUAL', account_id: 'acc_pay' }, steps: [{ actions }] })).toEqual([
    'acc_pay',
    'acc_tax',
    'acc_card',
  ]);
});

test('a code that nobody knows is still told', () => {
  expect(reasonWords('INSUFFICIENT_FUNDS')).toBe('the source has too little');
  expect(reasonWords('SOMETHING_NEW')).toBe('something new');
});
