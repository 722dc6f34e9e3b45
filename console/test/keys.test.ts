import { describe, expect, it } from 'vitest';

import type { Account } from '../src/api/client';
import {
  currencyOf,
  draftOf,
  entriesOf,
  inWords,
  limit,
  NOTHING,
  SCOPES,
} from '../src/pages/keys/permissions';

const ACCOUNTS = [
  { id: 'acc_1', name: 'Checking', currency: 'USD' },
  { id: 'acc_2', name: 'Savings', currency: 'USD' },
  { id: 'acc_3', name: 'Euro', currency: 'EUR' },
] as Account[];
const YEN = { id: 'acc_4', name: 'Yen', currency: 'JPY' } as Account;
const PAIR = { source: '*', target: '*', max: '', approval: '' };

describe('the entries of a key', () => {
  it('are for all there is, unless some are chosen', () => {
    expect(entriesOf(draftOf(['LIST_ACCOUNTS', 'READ_ACCOUNTS', 'MANUAL_TRANSFER']), ACCOUNTS)).toEqual([
      { scope: 'LIST_ACCOUNTS' },
      { scope: 'READ_ACCOUNTS', resources: '*' },
      { scope: 'MANUAL_TRANSFER', resources: [{ source: '*', target: '*' }] },
    ]);
    const some = { ...NOTHING, choices: { READ_RULES: { on: true, all: false, ids: ['rule_1'] } } };
    expect(entriesOf(some, ACCOUNTS)).toEqual([{ scope: 'READ_RULES', resources: ['rule_1'] }]);
  });

  it('are none while something is missing', () => {
    expect(entriesOf(NOTHING, ACCOUNTS)).toBeNull();
    const none = { ...NOTHING, choices: { READ_RULES: { on: true, all: false, ids: [] } } };
    expect(entriesOf(none, ACCOUNTS)).toBeNull();
    const wrong = { ...draftOf(['MANUAL_TRANSFER']), pairs: [{ ...PAIR, max: 'much' }] };
    expect(entriesOf(wrong, ACCOUNTS)).toBeNull();
  });

  it('have limits in minor units', () => {
    const pairs = [{ source: 'acc_1', target: 'acc_2', max: '1,000', approval: '50.5' }];
    expect(entriesOf({ ...draftOf(['MANUAL_TRANSFER']), pairs }, ACCOUNTS)).toEqual([
      {
        scope: 'MANUAL_TRANSFER',
        resources: [{ source: 'acc_1', target: 'acc_2', max_amount: 100_000, approval_above: 5_050 }],
      },
    ]);
  });

  it('know each scope once', () => {
    const scopes = SCOPES.flatMap(({ scopes }) => scopes.map(({ scope }) => scope));
    expect(new Set(scopes).size).toBe(14);
    expect(scopes).toHaveLength(14);
  });
});

describe('a limit', () => {
  it('is in the currency of the pair', () => {
    expect(currencyOf({ source: '*', target: 'acc_3' }, ACCOUNTS)).toBe('EUR');
    expect(currencyOf(PAIR, ACCOUNTS)).toBe('USD');
    expect(currencyOf(PAIR, [...ACCOUNTS, YEN])).toBeNull();
  });

  it('may be nothing, zero or no amount', () => {
    expect(limit('', 'USD')).toBeUndefined();
    expect(limit('0', 'USD')).toBe(0);
    expect(limit('1.005', 'USD')).toBeNull();
    expect(limit('1.5', 'JPY')).toBeNull();
    expect(limit('-5', 'USD')).toBeNull();
    expect(limit('5000', null)).toBe(5_000);
  });
});

describe('an entry in words', () => {
  const known = { accounts: ACCOUNTS, rules: [{ id: 'rule_1', nickname: 'Split' }] };
  it('says for what it is', () => {
    expect(inWords({ scope: 'LIST_ACCOUNTS' }, known)).toEqual(['List accounts']);
    expect(inWords({ scope: 'READ_RULES', resources: '*' }, known)).toEqual(['Read rules: all']);
    expect(inWords({ scope: 'READ_RULES', resources: ['rule_1'] }, known)).toEqual(['Read rules: Split']);
    expect(inWords({ scope: 'NEW_SCOPE' }, known)).toEqual(['NEW_SCOPE']);
  });

  it('says each pair with its limits', () => {
    const resources = [
      { source: 'acc_1', target: 'acc_2', max_amount: 5_000 },
      { source: '*', target: '*', approval_above: 100 },
    ];
    expect(inWords({ scope: 'MANUAL_TRANSFER', resources }, known)).toEqual([
      'Move money: Checking → Savings, up to $50.00',
      'Move money: any account → any account, above 1.00 only when approved',
    ]);
  });
});
