import { describe, expect, test } from 'vitest';

import type { Transfer } from '../src/api/client';
import {
  capWords,
  failureWords,
  type Forecast,
  later,
  type Naming,
  overview,
  rhythm,
  seconds,
  series,
  starvedWords,
  suggest,
  weeks,
} from '../src/pages/forecast/forecast';

const NOW = '2026-11-22T04:00:00Z';

function pay(created_at: string, amount: number, part: Partial<Transfer> = {}): Transfer {
  return {
    created_at,
    amount,
    origin: 'paycheck',
    status: 'complete',
    destination: { id: 'acc_pay', name: 'Payroll', type: 'income_source' },
    ...part,
  } as Transfer;
}

describe('income that is assumed', () => {
  test('is the newest pay, as often as it came', () => {
    const transfers = [
      pay('2026-10-26T09:00:00Z', 400_000),
      pay('2026-11-09T09:00:00Z', 500_000),
      pay('2026-11-10T09:00:00Z', 7, { origin: 'user' }),
      pay('2026-11-20T09:00:00Z', 8, { status: 'returned' }),
    ];
    expect(suggest(transfers, NOW)).toEqual([
      {
        account_id: 'acc_pay',
        amount_in_cents: 500_000,
        schedule_type: 'EVERY_OTHER_WEEK',
        start_date: '2026-11-23T09:00:00.000Z',
      },
    ]);
    expect(suggest([], NOW)).toEqual([]);
  });

  test('its rhythm', () => {
    const after = (days: number) => new Date(Date.parse(NOW) + days * 86_400_000).toISOString();
    expect([1, 7, 14, 30].map((days) => rhythm(NOW, after(days)))).toEqual([
      'DAILY',
      'WEEKLY',
      'EVERY_OTHER_WEEK',
      'MONTHLY',
    ]);
    expect(rhythm(undefined, NOW)).toBe('MONTHLY');
  });

  test('never begins in the past', () => {
    expect(later('2026-01-05T09:00:00Z', 'WEEKLY', NOW)).toBe('2026-11-23T09:00:00.000Z');
    expect(later('2026-09-15T09:00:00Z', 'MONTHLY', NOW)).toBe('2026-12-15T09:00:00.000Z');
  });
});

const told: Forecast = {
  from: NOW,
  accounts: [
    { id: 'acc_pay', name: 'Payroll', lowest_balance: -5, lowest_at: '2026-11-23T00:00:00Z' },
    { id: 'acc_euro', name: 'Euro', lowest_balance: 7, lowest_at: '2026-11-22T00:00:00Z' },
  ],
  days: [
    { date: '2026-11-22', balances: [10, 7] },
    { date: '2026-11-23', balances: [-5, 9] },
  ],
  runs: 3,
  transfers: 1,
  approvals: 0,
  failed: 1,
  failures: [],
  caps: [],
  starved: [],
  cut_short: false,
};

const names: Naming = {
  account: (id) => `<${id}>`,
  rule: (id) => `(${id})`,
  currency: (id) => (id === 'acc_euro' ? 'EUR' : 'USD'),
  currencyOf: () => 'USD',
};

test('lines are apart by currency and keep their place for their colour', () => {
  const lines = series(told, names.currency);
  expect([...lines.keys()]).toEqual(['USD', 'EUR']);
  expect(lines.get('EUR')).toEqual([
    {
      id: 'acc_euro',
      name: 'Euro',
      balances: [7, 9],
      end: 9,
      lowest: 7,
      lowestAt: '2026-11-22T00:00:00Z',
      nth: 1,
    },
  ]);
  expect(seconds(told)).toEqual([1_795_305_600, 1_795_392_000]);
});

test('weeks end with the last day', () => {
  const days = (count: number) => ({
    ...told,
    days: Array.from({ length: count }, () => ({ date: '', balances: [] })),
  });
  expect(weeks(days(7))).toEqual([6]);
  expect(weeks(days(9))).toEqual([6, 8]);
  expect(weeks(days(0))).toEqual([]);
});

describe('in words', () => {
  test('the whole', () => {
    expect(overview(told)).toBe(
      'In 2 days there are 3 runs of rules, and one transfer completes. One thing does not work.',
    );
    expect(overview({ ...told, runs: 0 })).toContain('In 2 days no rule runs, and');
    expect(overview({ ...told, failed: 0, approvals: 2, cut_short: true })).toBe(
      'In 2 days there are 3 runs of rules, and one transfer completes. 2 transfers need an approval, which is taken as given. Everything works. So much happens that it stops early.',
    );
  });

  test('limits, hunger and failures', () => {
    expect(
      capWords(
        {
          rule_id: 'r1',
          step: 0,
          group_index: 0,
          period: 'PER_MONTH',
          amount_in_cents: 50_000,
          times: 3,
          cut: 12_000,
          first_at: '2026-12-01T00:00:00Z',
        },
        names,
      ),
    ).toBe('The limit of “(r1)” ($500.00 a month) cuts 3 times, $120.00 altogether, first on 1 Dec 2026.');
    const starved = {
      rule_id: 'r1',
      by_rule_id: 'r2',
      account_id: 'acc_pay',
      times: 2,
      missing: 100,
      first_at: '2026-12-01T00:00:00Z',
    };
    expect(starvedWords(starved, names)).toBe(
      '“(r1)” finds too little on <acc_pay> twice, because “(r2)” takes from there before: $1.00 missing altogether, first on 1 Dec 2026.',
    );
    expect(failureWords({ at: NOW, kind: 'rule', id: 'r1', error: 'INSUFFICIENT_FUNDS' }, names)).toBe(
      '“(r1)” fails: the source has too little',
    );
    expect(failureWords({ at: NOW, kind: 'transfer', id: 't', error: null }, names)).toContain('called off');
  });
});
