import { describe, expect, test } from 'vitest';

import type { Account } from '../src/api/client';
import { endsAt, isShort, leftWords } from '../src/pages/approvals/left';
import {
  body,
  guess,
  sources,
  type Template,
  TEMPLATES,
  targets,
  together,
} from '../src/pages/templates/templates';

function account(id: string, part: Partial<Account> = {}): Account {
  return {
    id,
    name: id,
    type: 'pod',
    state: 'active',
    currency: 'USD',
    owner_id: 'own_1',
    owner_name: 'Ann',
    balance: 0,
    held: 0,
    available: 0,
    can_be_source: true,
    can_be_destination: true,
    external_account_type: null,
    institution_name: null,
    description: null,
    reported_balance: null,
    created_at: '',
    updated_at: '',
    ...part,
  };
}

function template(name: string): Template {
  const found = TEMPLATES.find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
}

const pay = account('pay', { type: 'income_source', can_be_destination: false });
const fund = account('Emergency', {});
const taxes = account('Taxes');
const card = account('card', {
  type: 'external_account',
  external_account_type: 'LIABILITY',
  can_be_source: false,
});
const bank = account('bank', { type: 'external_account', external_account_type: 'DEPOSITORY' });
const other = account('other', { owner_id: 'own_2' });
const euro = account('euro', { currency: 'EUR' });
const closed = account('closed', { state: 'closed' });
const all = [pay, fund, taxes, card, bank, other, euro, closed];
const NOW = '2026-12-31T23:30:00Z';

test('money can only come from where it can go out, and from held accounts when it has to arrive', () => {
  expect(sources(template('tax_reserve'), all).map(({ id }) => id)).toEqual([
    'pay',
    'Emergency',
    'Taxes',
    'other',
    'euro',
  ]);
  expect(sources(template('bill_pay_ahead'), all).map(({ id }) => id)).toContain('bank');
});

test('money goes to accounts of the same owner and currency; bills and debts to liabilities', () => {
  expect(targets(template('tax_reserve'), pay, all).map(({ id }) => id)).toEqual([
    'Emergency',
    'Taxes',
    'bank',
  ]);
  expect(targets(template('bill_pay_ahead'), pay, all).map(({ id }) => id)).toEqual(['card']);
});

describe('forms begin with a guess', () => {
  test('by names', () => {
    expect(guess(template('tax_reserve'), pay, all, NOW).lines).toEqual([
      { account: 'Taxes', percent: '25' },
    ]);
    expect(guess(template('emergency_fund'), pay, all, NOW).lines[0]?.account).toBe('Emergency');
    expect(guess(template('debt_avalanche'), pay, all, NOW).lines).toEqual([
      { account: 'card', percent: '' },
    ]);
  });

  test('by the tenant’s time, also over the end of a year', () => {
    expect(guess(template('wallet_refill'), pay, all, NOW).start).toBe('2027-01-01T09:00');
    expect(guess(template('bill_pay_ahead'), pay, all, NOW).start).toBe('2027-01-01T09:00');
    expect(guess(template('tax_reserve'), pay, all, NOW).start).toBe('');
  });
});

test('shares add up without a float', () => {
  const lines = (...percents: string[]) => percents.map((percent) => ({ account: 'a', percent }));
  expect(together(lines('33.33333333', '33.33333333', '33.33333334'))).toBe('100');
  expect(together(lines('0.1', '0.2'))).toBe('0.3');
  expect(together(lines('50', ''))).toBeNull();
  expect(together(lines('100.00000001'))).toBeNull();
});

describe('bodies', () => {
  const empty = { source: 'pay', lines: [], amount: '', start: '', nickname: '' };

  test('of a split', () => {
    const lines = [
      { account: 'Taxes', percent: '12.5' },
      { account: '', percent: '' },
    ];
    expect(body(template('profit_first'), { ...empty, lines, nickname: ' Mine ' }, 'USD')).toEqual({
      body: {
        template: 'profit_first',
        source_id: 'pay',
        destinations: [{ id: 'Taxes', percentage_value: 12.5 }],
        nickname: 'Mine',
      },
    });
  });

  test('never split more than there is', () => {
    const lines = ['60', '40.00000001'].map((percent) => ({ account: 'Taxes', percent }));
    expect(body(template('profit_first'), { ...empty, lines }, 'USD')).toEqual({
      missing: 'Shares are at most 100 % together.',
    });
  });

  test('of debts', () => {
    const lines = [{ account: 'card', percent: '24.99' }];
    const filling = { ...empty, lines, amount: '300', start: '2027-01-01T09:00' };
    expect(body(template('debt_avalanche'), filling, 'USD')).toEqual({
      body: {
        template: 'debt_avalanche',
        source_id: 'pay',
        liabilities: [{ id: 'card', interest_rate_percentage: 24.99 }],
        amount_in_cents: 30_000,
        start_date: '2027-01-01T09:00:00Z',
      },
    });
    const withoutRate = { ...filling, lines: [{ account: 'card', percent: '' }] };
    expect(body(template('debt_avalanche'), withoutRate, 'USD')).toHaveProperty('missing');
    const garbled = { ...filling, lines: [{ account: 'card', percent: 'much' }] };
    expect(body(template('debt_snowball'), garbled, 'USD')).toHaveProperty('missing');
    expect(body(template('debt_snowball'), withoutRate, 'USD')).toMatchObject({
      body: { liabilities: [{ id: 'card' }] },
    });
  });

  test('say what is missing', () => {
    const lines = [{ account: 'Emergency', percent: '' }];
    const fund = template('emergency_fund');
    expect(body(fund, { ...empty, source: '' }, 'USD')).toEqual({
      missing: 'Choose where the money comes from.',
    });
    expect(body(fund, empty, 'USD')).toEqual({ missing: 'Choose where the money goes.' });
    expect(body(fund, { ...empty, lines, amount: 'much' }, 'USD')).toHaveProperty('missing');
    expect(body(template('wallet_refill'), { ...empty, lines, amount: '5' }, 'USD')).toHaveProperty(
      'missing',
    );
    expect(body(template('tax_reserve'), { ...empty, lines }, 'USD')).toHaveProperty('missing');
  });
});

test('approvals run out after a day of the tenant’s clock', () => {
  const ends = endsAt('2026-11-22T04:13:52Z');
  expect(ends).toBe('2026-11-23T04:13:52.000Z');
  expect(leftWords(ends, '2026-11-22T04:13:52Z')).toBe('24 h 0 min left');
  expect(leftWords(ends, '2026-11-23T03:59:00Z')).toBe('14 min left');
  expect(leftWords(ends, '2026-11-23T04:13:22Z')).toBe('less than a minute left');
  expect(leftWords(ends, '2026-11-23T04:15:00Z')).toBe('is called off now');
  expect(isShort(ends, '2026-11-23T02:13:51Z')).toBe(false);
  expect(isShort(ends, '2026-11-23T02:13:53Z')).toBe(true);
});
