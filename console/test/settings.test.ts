import { describe, expect, it } from 'vitest';

import type { Settings } from '../src/api/client';
import { bodyOf, draftOf, offsetMinutes, offsetText, rebased } from '../src/pages/settings/draft';

const SETTINGS: Settings = {
  strict: false,
  multi_identity: true,
  default_rate_limits: false,
  rate_limits: [
    { requests: 100, window_s: 60 },
    { requests: 9, window_s: 5_400 },
  ],
  round_down: 'BUFFER',
  utc_offset_minutes: -330,
  faults: [{ fault: '429', every: 1 }],
};

describe('settings', () => {
  it('go there and back, without the faults', () => {
    expect(bodyOf(draftOf(SETTINGS))).toEqual({
      strict: false,
      multi_identity: true,
      round_down: 'BUFFER',
      utc_offset_minutes: -330,
      rate_limits: SETTINGS.rate_limits,
    });
  });

  it('say nothing of limits when they are the default', () => {
    const body = bodyOf({ ...draftOf(SETTINGS), default_rate_limits: true });
    expect(body).toMatchObject({ default_rate_limits: true });
    expect(body).not.toHaveProperty('rate_limits');
  });

  it('are not sent while something is no number', () => {
    const draft = draftOf(SETTINGS);
    expect(bodyOf({ ...draft, utc_offset: 'Berlin' })).toBeNull();
    expect(bodyOf({ ...draft, rate_limits: [{ requests: '0', window: '1', unit: 60 }] })).toBeNull();
  });
});

describe('a draft on settings that somebody else changes', () => {
  const base = draftOf(SETTINGS);

  it('keeps what was changed in it and follows in the rest', () => {
    const draft = { ...base, utc_offset: '+02', strict: true };
    const theirs = { ...base, multi_identity: false, utc_offset: '+01:00' };
    expect(rebased(draft, base, theirs)).toEqual({ ...theirs, utc_offset: '+02', strict: true });
    expect(rebased(base, base, theirs)).toEqual(theirs);
  });

  it('has limits as one thing', () => {
    const draft = { ...base, rate_limits: [] };
    const theirs = { ...base, default_rate_limits: true, rate_limits: [] };
    expect(rebased(draft, base, theirs)).toEqual(draft);
    expect(rebased({ ...base, default_rate_limits: true }, base, draft).default_rate_limits).toBe(true);
  });
});

describe('an offset', () => {
  it.each([
    [0, '+00:00'],
    [120, '+02:00'],
    [-330, '-05:30'],
    [840, '+14:00'],
  ])('%i is %s', (minutes, text) => {
    expect(offsetText(minutes)).toBe(text);
    expect(offsetMinutes(text)).toBe(minutes);
  });

  it.each(['', '2', '14:01', '+02:60', 'UTC'])('is not %j', (text) => {
    expect(offsetMinutes(text)).toBeNull();
  });
});
