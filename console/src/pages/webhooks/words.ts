// How endpoints fare and what they are set to, in words.

import type { Attempt, Webhook } from '../../api/client';
import { when } from '../../time';
import type { Format } from '../events/names';

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'none';

export interface Health {
  tone: Tone;
  /** One or two words. */
  state: string;
  /** Why, and what follows from it. */
  words: string;
}

/** How an endpoint fares. `delivering` is there only where one endpoint was read. */
export function health(webhook: Webhook): Health {
  const { delivering, disabled_reason, enabled } = webhook;
  const waiting = delivering?.waiting.length ?? 0;
  if (disabled_reason) return { tone: 'bad', state: 'disabled', words: `Switched off: ${disabled_reason}.` };
  if (!enabled) {
    return {
      tone: 'none',
      state: 'off',
      words: 'Switched off by hand. It goes on where it was when switched on.',
    };
  }
  if (delivering?.failing_since) {
    return {
      tone: 'bad',
      state: 'failing',
      words: `No delivery was taken since ${when(delivering.failing_since)}. ${wait(waiting)}`,
    };
  }
  if (waiting > 0) return { tone: 'warn', state: 'waiting', words: wait(waiting) };
  const delivered = delivering?.delivered ?? 0;
  if (delivered > 0) {
    return {
      tone: 'good',
      state: 'delivering',
      words: `${count(delivered, 'delivery', 'deliveries')} taken, nothing waits.`,
    };
  }
  return { tone: 'busy', state: 'ready', words: 'Nothing was delivered yet.' };
}

function wait(waiting: number): string {
  if (waiting === 0) return 'Nothing waits.';
  return waiting === 1 ? '1 event waits for its next try.' : `${waiting} events wait for their next try.`;
}

export function count(number: number, one: string, several: string): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : several}`;
}

const SPANS = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
] as const;

/** Seconds in words: `5 days`, `1 hour and 30 minutes`. */
export function span(seconds: number): string {
  let rest = seconds;
  const parts: string[] = [];
  for (const [length, name] of SPANS) {
    const times = Math.trunc(rest / length);
    rest -= times * length;
    if (times > 0) parts.push(`${times} ${name}${times === 1 ? '' : 's'}`);
  }
  return parts.length === 0 ? '0 seconds' : parts.slice(0, 2).join(' and ');
}

export const FORMATS: Record<Format, string> = {
  standard: 'Standard Webhooks: every kind of event, signed as any of its libraries checks it.',
  sequence: 'The Sequence API’s bodies: transfers and ended runs of rules, signed as Standard Webhooks.',
  multi: 'The Multi API’s bodies, on paths behind the URL such as /transfers/watch, with its own signatures.',
};

/** What came back for an attempt. */
export function answered({ status, failure }: Attempt): string {
  if (status !== null) return failure ? `${status}, ${failure}` : String(status);
  return failure ?? 'no answer';
}

/** What was sent. */
export interface Sent {
  url: string;
  address: string;
  headers: [string, string][];
  body: string;
}

export function sent(attempt: Attempt): Sent {
  const request = attempt.request as unknown as Record<string, unknown>;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    url: text(request['url']),
    address: text(request['address']),
    headers: Object.entries((request['headers'] ?? {}) as Record<string, string>),
    body: text(request['body']),
  };
}

/** JSON with lines and indents; anything else as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
