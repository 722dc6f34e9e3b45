import { describe, expect, it } from 'vitest';

import type { Account, Rule, Transfer } from '../src/api/client';
import { flows, OUTSIDE, place, TRAVEL_MS, ways } from '../src/pages/money/graph';

const account = (id: string, type: string, state = 'active') => ({ id, name: id, type, state }) as Account;
const party = (id: string) => ({ id, name: id, type: 'pod' });
const transfer = (id: string, from: string | null, to: string | null) =>
  ({
    id,
    amount: 100,
    currency: 'USD',
    source: from && party(from),
    destination: to && party(to),
  }) as Transfer;
const rule = (status: string, ...pairs: [string, string, number][]) =>
  ({
    status,
    steps: [
      {
        actions: pairs.map(([from, to, percentage_value]) => ({
          type: 'percentage',
          percentage_value,
          source: party(from),
          destination: party(to),
        })),
      },
    ],
  }) as unknown as Rule;

describe('the map', () => {
  it('leads from pay over pods to what is held elsewhere', () => {
    const spots = place(
      [account('bank', 'external_account'), account('pod', 'pod'), account('pay', 'income_source')],
      [],
    );
    expect(spots.toSorted((a, b) => a.x - b.x).map(({ id }) => id)).toEqual([OUTSIDE, 'pay', 'pod', 'bank']);
  });

  it('has no two accounts at one place, and none that is closed', () => {
    const accounts = Array.from({ length: 40 }, (_, n) =>
      account(`acc_${n}`, n % 3 ? 'pod' : 'external_account'),
    );
    const spots = place([...accounts, account('gone', 'pod', 'closed')], []);
    expect(new Set(spots.map(({ x, y }) => `${x} ${y}`)).size).toBe(41);
    expect(spots.some(({ id }) => id === 'gone')).toBe(false);
  });

  it('joins what several rules say of one way; one of them enabled is enough', () => {
    const found = ways([
      rule('disabled', ['pay', 'tax', 20]),
      rule('enabled', ['pay', 'tax', 5], ['pay', 'rent', 44]),
    ]);
    expect(found).toEqual([
      { id: 'pay>tax', from: 'pay', to: 'tax', says: ['20 %', '5 %'], enabled: true },
      { id: 'pay>rent', from: 'pay', to: 'rent', says: ['44 %'], enabled: true },
    ]);
  });
});

describe('moving money', () => {
  const shown = new Set([OUTSIDE, 'pay', 'tax', 'rent', 'bank']);

  it('goes on only when it has arrived', () => {
    const told = [transfer('1', null, 'pay'), transfer('2', 'pay', 'tax'), transfer('3', 'tax', 'bank')];
    expect(flows(told, shown).map(({ from, to, delay }) => [from, to, delay])).toEqual([
      [OUTSIDE, 'pay', 0],
      ['pay', 'tax', TRAVEL_MS],
      ['tax', 'bank', 2 * TRAVEL_MS],
    ]);
  });

  it('is shown only between accounts that are', () => {
    expect(
      flows([transfer('1', 'pay', 'hers'), transfer('2', 'rent', null)], shown).map(({ id }) => id),
    ).toEqual(['2']);
  });
});
