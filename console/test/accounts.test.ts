import { describe, expect, it } from 'vitest';

import type { Entry } from '../src/api/client';
import { curve } from '../src/pages/accounts/curve';
import { meaning, RETURNS } from '../src/pages/transfers/meaning';

const entry = (day: number, balance_after: number) =>
  ({ at: `2026-11-${String(day).padStart(2, '0')}T00:00:00Z`, balance_after }) as Entry;

describe("a balance's curve", () => {
  it('goes in steps: a balance stays until the next entry', () => {
    // Newest first, as entries are listed.
    const line = curve([entry(11, 0), entry(6, 100), entry(1, 50)], 100, 10);
    expect(line).toEqual({ path: 'M0 5H50V0H100V10H100', low: 0, high: 100, zero: 10 });
  });

  it('needs two entries, and stands one that never changed', () => {
    expect(curve([entry(1, 5)], 100, 10)).toBeNull();
    expect(curve([], 100, 10)).toBeNull();
    expect(curve([entry(1, 5), entry(1, 5)], 100, 10)?.path).toBe('M0 10H0V10H100');
  });

  it('has no line of zero where there is none', () => {
    expect(curve([entry(2, 20), entry(1, 10)], 100, 10)?.zero).toBeNull();
  });
});

describe("a transfer's state", () => {
  it('is told in a sentence, whatever it is', () => {
    const states = [
      'scheduled',
      'pending_approval',
      'processing',
      'pending',
      'complete',
      'cancelled',
      'rejected',
    ];
    for (const status of states) expect(meaning({ status, error_code: null })).toMatch(/^[A-Z].*\.$/);
    for (const error_code of RETURNS) {
      expect(meaning({ status: 'error', error_code })).toMatch(/^No money has moved in the end\. [A-Z].*\.$/);
      expect(meaning({ status: 'returned', error_code })).toMatch(/^The money came back\. /);
    }
    expect(meaning({ status: 'error', error_code: 'SOMETHING_NEW' })).toContain('SOMETHING_NEW');
  });
});
