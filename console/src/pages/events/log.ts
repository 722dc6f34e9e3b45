// Reading the log: from its end backwards, and what has come since.

import { api, ask, type EventBody } from '../../api/client';
import { back } from './place';

/** Which events; all of them when a list is empty. */
export interface Filter {
  types: readonly string[];
  accounts: readonly string[];
  owners: readonly string[];
}

export interface LogPage {
  data: EventBody[];
  next: string;
  more: boolean;
}

/** One read of the log, oldest first: after an event, `start` or `now`. */
export type Read = (after: string, limit: number) => Promise<LogPage>;

/** Reads of one tenant's log through a filter. */
export function reader(tenant: string, filter: Filter, signal?: AbortSignal): Read {
  const { types, accounts, owners } = filter;
  return (after, limit) =>
    ask(
      api.GET('/events', {
        params: {
          query: {
            tenant,
            after,
            limit,
            form: 'full',
            ...(types.length > 0 && { types: types.join(',') }),
            ...(accounts.length > 0 && { accounts: accounts.join(',') }),
            ...(owners.length > 0 && { owners: owners.join(',') }),
          },
        },
        ...(signal && { signal }),
      }),
    );
}

/** Commits of the first stretch that is read; each further one is four times as long, up to a length
 * that the server looks through in a few reads. */
const STRETCH = 64;
const STRETCH_MAX = 65_536;
/** After so many reads a look back ends with the stretch it is in. */
const READS = 24;
const READ_LIMIT = 1_000;

export interface Older {
  /** Newest first, all of them before the place that was asked. */
  events: EventBody[];
  /** How far was looked. Null when that is the beginning. */
  from: string | null;
}

/** At least `wanted` events up to a place, if there are so many; it stops early when that would take
 * too many reads. */
export async function lookBack(read: Read, before: string, wanted: number): Promise<Older> {
  const events: EventBody[] = [];
  let until = before;
  let reads = 0;
  for (let commits = STRETCH; ; commits = Math.min(commits * 4, STRETCH_MAX)) {
    const from = back(until, commits);
    const found: EventBody[] = [];
    let after = from ?? 'start';
    for (;;) {
      const page = await read(after, READ_LIMIT);
      reads += 1;
      found.push(...page.data.filter(({ id }) => id <= until));
      // Ids are of one length and rise, also as texts.
      if (!page.more || page.next >= until) break;
      after = page.next;
    }
    events.push(...found.toReversed());
    if (from === null) return { events, from: null };
    until = from;
    if (events.length >= wanted || reads >= READS) return { events, from };
  }
}

/** Everything after a place, newest first, and where to go on. */
export async function catchUp(read: Read, after: string): Promise<{ events: EventBody[]; next: string }> {
  const events: EventBody[] = [];
  let next = after;
  for (;;) {
    const page = await read(next, READ_LIMIT);
    events.unshift(...page.data.toReversed());
    next = page.next;
    if (!page.more) return { events, next };
  }
}
