// The tenant's settings as a form.

import type { Settings } from '../../api/client';

export interface Limit {
  requests: string;
  window: string;
  /** Seconds of one unit of the window. */
  unit: number;
}

export interface Draft {
  strict: boolean;
  multi_identity: boolean;
  round_down: string;
  /** `+02:00`, as in a time. */
  utc_offset: string;
  default_rate_limits: boolean;
  rate_limits: readonly Limit[];
}

export const UNITS = [
  [1, 'seconds'],
  [60, 'minutes'],
  [3_600, 'hours'],
  [86_400, 'days'],
] as const;

export const LIMITS_MAX = 8;
/** Minutes. */
const OFFSET_MAX = 840;

export function draftOf(settings: Settings): Draft {
  return {
    strict: settings.strict,
    multi_identity: settings.multi_identity,
    round_down: settings.round_down,
    utc_offset: offsetText(settings.utc_offset_minutes),
    default_rate_limits: settings.default_rate_limits,
    rate_limits: settings.rate_limits.map(({ requests, window_s }) => {
      const [unit] = UNITS.findLast(([seconds]) => window_s % seconds === 0) ?? [1];
      return { requests: String(requests), window: String(window_s / unit), unit };
    }),
  };
}

export function isSame(one: Draft, other: Draft): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** A draft that was begun on `base`, now that the settings are `theirs`: what was changed in it stays, the
 * rest follows. Limits are one thing with whether they are the default. */
export function rebased(draft: Draft, base: Draft, theirs: Draft): Draft {
  const next = { ...theirs };
  const keep = (...keys: (keyof Draft)[]): void => {
    const of = (some: Draft): string => JSON.stringify(keys.map((key) => some[key]));
    if (of(draft) !== of(base)) {
      Object.assign(next, Object.fromEntries(keys.map((key) => [key, draft[key]])));
    }
  };
  keep('strict');
  keep('multi_identity');
  keep('round_down');
  keep('utc_offset');
  keep('default_rate_limits', 'rate_limits');
  return next;
}

/** What `PUT …/settings` takes: only what is said here changes, so faults stay as they are. Null while
 * something is not what it has to be. */
export function bodyOf(draft: Draft) {
  const offset = offsetMinutes(draft.utc_offset);
  if (offset === null) return null;
  const limits: { requests: number; window_s: number }[] = [];
  for (const { requests, window, unit } of draft.default_rate_limits ? [] : draft.rate_limits) {
    const [count, length] = [whole(requests), whole(window)];
    if (count === null || length === null) return null;
    limits.push({ requests: count, window_s: length * unit });
  }
  return {
    strict: draft.strict,
    multi_identity: draft.multi_identity,
    round_down: draft.round_down,
    utc_offset_minutes: offset,
    ...(draft.default_rate_limits ? { default_rate_limits: true } : { rate_limits: limits }),
  };
}

/** A number from 1 on. */
export function whole(text: string): number | null {
  return /^[1-9]\d{0,8}$/.test(text.trim()) ? Number(text.trim()) : null;
}

/** 120 is `+02:00`. */
export function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  const pad = (number: number): string => String(number).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${pad(Math.trunc(size / 60))}:${pad(size % 60)}`;
}

/** `+02:00` is 120. Null for what is no offset, or further than 14 hours. */
export function offsetMinutes(text: string): number | null {
  const match = /^([+-]?)(\d{1,2}):([0-5]\d)$/.exec(text.trim().replace('−', '-'));
  if (!match) return null;
  const size = Number(match[2]) * 60 + Number(match[3]);
  if (size > OFFSET_MAX) return null;
  return match[1] === '-' && size > 0 ? -size : size;
}
