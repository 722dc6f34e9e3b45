import { describe, expect, it } from 'vitest';

import { curl, GROUPS, inWords, often, read, write } from '../src/pages/faults/kinds';

const KINDS = GROUPS.flatMap(({ kinds }) => kinds);
const kind = (name: string) => {
  const found = KINDS.find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
};

describe('faults', () => {
  it('are written as the server reads them', () => {
    expect(KINDS.map((one) => write(one, one.value?.initial ?? ''))).toEqual([
      'commit-then-500',
      'commit-then-drop',
      'delay=1500',
      '429',
      'transfer-error=PAYMENT_FAILED',
      'webhook=duplicate',
      'webhook=reorder',
      'webhook=late:5000',
      'webhook=unsigned',
      'webhook=bad-signature',
    ]);
    expect(write(kind('429'), '12')).toBe('429=12');
  });

  it('have limits', () => {
    for (const [name, value] of [
      ['delay', '0'],
      ['delay', '60001'],
      ['delay', '1.5'],
      ['429', '1001'],
      ['transfer-error', ''],
      ['transfer-error', 'A B'],
    ] as const) {
      expect(write(kind(name), value), `${name} ${value}`).toBeNull();
    }
    expect(write(kind('delay'), '60000')).toBe('delay=60000');
    expect(write(kind('429'), '1000')).toBe('429=1000');
  });

  it('are known again', () => {
    for (const one of KINDS) {
      const fault = write(one, one.value?.initial ?? '') ?? '';
      expect(read(fault)).toEqual({ kind: one, value: one.value?.initial ?? '' });
    }
    expect(read('429=7')?.value).toBe('7');
    expect(read('webhook=lost')).toBeNull();
  });

  it('are said in words', () => {
    expect(often(1)).toBe('every time');
    expect(often(3)).toBe('the first and then every third time');
    expect(often(12)).toBe('the first and then every 12th time');
    expect(inWords({ fault: 'webhook=late:5000', every: 2 })).toBe(
      'Delivered late (5000 ms), the first and then every second time',
    );
    expect(inWords({ fault: 'new-fault', every: 1 })).toBe('new-fault, every time');
  });

  it('are asked for in a header', () => {
    expect(curl(['delay=5', '429'])).toContain('-H "Tidegate-Fault: delay=5, 429"');
  });
});
