import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import type { EventBody } from '../src/api/client';
import { fromAddress, toAddress } from '../src/pages/events/filter';
import { catchUp, lookBack, type Read } from '../src/pages/events/log';
import { expand, inWords, NAMES, toggle, toggleFamily, TOLD } from '../src/pages/events/names';
import { back, idOf, justBefore, place } from '../src/pages/events/place';
import { step } from '../src/pages/events/useTail';
import { facts, pathOf, summary } from '../src/pages/events/words';

const COMMIT = 1n << 16n;

function event(id: string, type = 'clock.set', data: object = { id: 'ten_1' }): EventBody {
  return { id, type, tenant_id: 'ten_1', created_at: '2026-11-22T04:00:00Z', data } as EventBody;
}

/** A log of one event in each commit, and how often it was read. */
function log(commits: number) {
  const events = Array.from({ length: commits }, (_, index) => event(idOf(BigInt(index + 1) * COMMIT)));
  const reads: string[] = [];
  const read: Read = (after, limit) => {
    reads.push(after);
    const rest = events.filter(({ id }) => after === 'start' || id > after);
    const data = rest.slice(0, limit);
    return Promise.resolve({ data, next: data.at(-1)?.id ?? after, more: rest.length > limit });
  };
  return { events, reads, read, newest: idOf(BigInt(commits + 1) * COMMIT - 1n) };
}

describe('places', () => {
  it('are the numbers of ids', () => {
    expect(place('evt_0000000002000')).toBe(COMMIT);
    expect(place('evt_000000006W00W')).toBe(0x6e001cn);
    expect(idOf(COMMIT)).toBe('evt_0000000002000');
    expect(place('evt_FZZZZZZZZZZZZ')).toBe((1n << 64n) - 1n);
  });

  it('are refused when they are none', () => {
    for (const text of [
      '',
      'evt_',
      'evt_000000000200',
      'txr_0000000002000',
      'evt_000000000I000',
      'evt_G000000000000',
    ]) {
      expect(place(text), text).toBeNull();
    }
  });

  it('begin with an event, or further back', () => {
    expect(justBefore('evt_0000000002000')).toBe('evt_0000000001ZZZ');
    expect(back('evt_0000000006000', 2)).toBe('evt_0000000002000');
    expect(back('evt_0000000006000', 3)).toBeNull();
  });
});

describe('looking back', () => {
  it('finds the newest, newest first, and says where to go on', async () => {
    const { events, read, newest } = log(500);
    const first = await lookBack(read, newest, 60);
    expect(first.events[0]?.id).toBe(events.at(-1)?.id);
    expect(first.events.length).toBeGreaterThanOrEqual(60);
    expect(first.from).not.toBeNull();
    const second = await lookBack(read, first.from ?? '', 1_000);
    expect(second.from).toBeNull();
    const all = [...first.events, ...second.events].map(({ id }) => id);
    expect(all).toEqual(events.map(({ id }) => id).toReversed());
  });

  it('does not ask for what comes after', async () => {
    const { events, read } = log(50);
    const { events: found, from } = await lookBack(read, events[9]?.id ?? '', 60);
    expect(found.map(({ id }) => id)).toEqual(
      events
        .slice(0, 10)
        .map(({ id }) => id)
        .toReversed(),
    );
    expect(from).toBeNull();
  });

  it('gives up after some reads, and can go on', async () => {
    // Nothing is ever found; a read looks through 8,192 commits.
    let reads = 0;
    const read: Read = (after) => {
      reads += 1;
      const next = idOf((place(after) ?? 0n) + 8_192n * COMMIT);
      return Promise.resolve({ data: [], next, more: true });
    };
    const newest = idOf(1n << 40n);
    const { events, from } = await lookBack(read, newest, 60);
    expect(events).toEqual([]);
    expect(reads).toBeLessThan(40);
    expect(from).not.toBeNull();
    expect((from ?? '') < newest).toBe(true);
  });

  it('catches up over several pages', async () => {
    const { events, reads, read } = log(2_500);
    const found = await catchUp(read, events[99]?.id ?? '');
    expect(found.events).toHaveLength(2_400);
    expect(found.events[0]).toBe(events.at(-1));
    expect(found.next).toBe(events.at(-1)?.id);
    expect(reads).toHaveLength(3);
  });
});

describe('a tail', () => {
  const begun = step(
    { shown: [], held: [], next: null, from: null, looking: true, error: null },
    { what: 'first', newest: 'evt_9', older: { events: [event('evt_2'), event('evt_1')], from: 'evt_0' } },
  );

  it('holds back what comes while somebody reads, and shows it in order', () => {
    const held = step(begun, { what: 'came', events: [event('evt_3')], next: 'evt_3', hold: true });
    expect(held.shown.map(({ id }) => id)).toEqual(['evt_2', 'evt_1']);
    const more = step(held, { what: 'came', events: [event('evt_4')], next: 'evt_4', hold: false });
    expect(more.shown.map(({ id }) => id)).toEqual(['evt_4', 'evt_3', 'evt_2', 'evt_1']);
    expect(more.held).toEqual([]);
    expect(step(held, { what: 'show' }).shown[0]?.id).toBe('evt_3');
  });

  it('keeps so many and goes on behind the last of them', () => {
    const many = Array.from({ length: 2_100 }, (_, index) => event(idOf(BigInt(9_000 - index))));
    const cut = step(begun, { what: 'came', events: many, next: 'evt_9', hold: false });
    expect(cut.shown).toHaveLength(2_000);
    expect(cut.from).toBe(justBefore(cut.shown.at(-1)?.id ?? ''));
  });
});

describe('names', () => {
  it('are those that the reference has', () => {
    const text = readFileSync(new URL('../../docs/reference/events.md', import.meta.url), 'utf8');
    const table = text.slice(text.indexOf('| type | when |'));
    const names = [...table.matchAll(/^\|([^|]+)\|/gm)].flatMap(([, cell]) =>
      [...(cell ?? '').matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(([, name]) => name),
    );
    expect(names.toSorted()).toEqual([...NAMES].toSorted());
  });

  it('are families when they are whole', () => {
    let list = toggle([], 'hold.placed', NAMES);
    expect(list).toEqual(['hold.placed']);
    list = toggle(list, 'hold.released', NAMES);
    expect(list).toEqual(['hold.*']);
    expect(toggle(list, 'hold.placed', NAMES)).toEqual(['hold.released']);
    expect(toggleFamily(['rule.created'], 'rule', NAMES)).toEqual(['rule.*']);
    expect(toggleFamily(['rule.*'], 'rule', NAMES)).toEqual([]);
  });

  it('stay within what a format tells', () => {
    expect(toggleFamily([], 'transfer', TOLD.sequence)).toEqual(['transfer.*']);
    expect(expand(['transfer.*'], TOLD.multi)).toEqual(['transfer.created', 'transfer.status_changed']);
    expect(TOLD.multi.every((name) => (NAMES as readonly string[]).includes(name))).toBe(true);
  });

  it('are said in a few words', () => {
    expect(inWords([])).toBe('everything');
    expect(inWords(['a', 'b', 'c', 'd'])).toBe('a, b and 2 more');
  });
});

describe('a filter', () => {
  it('is kept in the address, and begins at the first page', () => {
    const filter = { types: ['transfer.*'], accounts: [], owners: ['own_1', 'own_2'] };
    const query = toAddress(new URLSearchParams('order=oldest&after=evt_1&accounts=acc_1'), filter);
    expect(query.get('after')).toBeNull();
    expect(query.get('order')).toBe('oldest');
    expect(fromAddress(query)).toEqual(filter);
  });
});

describe('an event in words', () => {
  const transfer = {
    amount: 123_456,
    currency: 'USD',
    origin: 'paycheck',
    source: null,
    destination: { id: 'acc_1', name: 'Main Payroll' },
    created_at: '2026-11-22T04:00:00Z',
    tag: null,
  };

  it('says what moved and how it ended', () => {
    const data = {
      id: 'txr_1',
      status: 'error',
      previous_status: 'pending',
      error_code: 'NAME_MISMATCH',
      object: transfer,
    };
    expect(summary(event('evt_1', 'transfer.status_changed', data))).toBe(
      '$1,234.56 · paycheck → Main Payroll · pending → error · NAME MISMATCH',
    );
  });

  it('names what it is about, or its id', () => {
    expect(
      summary(
        event('evt_1', 'rule_execution.completed', {
          id: 'rex_1',
          status: 'executed',
          object: { rule_name: 'Split' },
        }),
      ),
    ).toBe('Split · executed');
    expect(summary(event('evt_1', 'webhook.created', { id: 'whk_1' }))).toBe('whk_1');
  });

  it('leads to pages of the console', () => {
    expect(pathOf('txr_1')).toBe('transfers/txr_1');
    expect(pathOf('rex_1')).toBe('runs/rex_1');
    expect(pathOf('usr_1')).toBeNull();
  });

  it('shows sums and times for people', () => {
    expect(facts(transfer)).toEqual([
      ['Amount', '$1,234.56'],
      ['Currency', 'USD'],
      ['Origin', 'paycheck'],
      ['Destination', 'Main Payroll'],
      ['Created at', '22 Nov 2026, 04:00:00'],
    ]);
  });
});
