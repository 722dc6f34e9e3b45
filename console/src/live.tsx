// What happens, as it happens. One stream for the tenant on the page; every view listens to it, and
// what the events are about is read anew.

import { useQueryClient } from '@tanstack/react-query';
import {
  createContext,
  use,
  useEffect,
  useEffectEvent,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react';

import type { EventBody } from './api/client';
import { follow, type Line } from './api/stream';

/** Events kept for the feed. */
const KEPT = 200;
/** Reads are made anew at most this often, in milliseconds, however much happens. */
const REFRESH_MS = 300;

/** Which reads an event makes stale, by the first word of its type. */
const STALE: Record<string, readonly string[]> = {
  account: ['accounts'],
  approval: ['approvals'],
  bulk: ['transfers'],
  card: ['accounts'],
  clock: ['tenants', 'clock'],
  hold: ['accounts', 'holds'],
  key: ['keys'],
  owner: ['owners'],
  profile: ['profiles'],
  rule: ['rules'],
  rule_execution: ['executions'],
  settings: ['settings'],
  transfer: ['accounts', 'transfers', 'approvals', 'entries'],
  webhook: ['webhooks'],
};

type Listener = (events: EventBody[]) => void;

/** The newest events and who listens to them. */
class Feed {
  events: readonly EventBody[] = [];
  line: Line = 'connecting';
  private readonly listeners = new Set<Listener>();
  private readonly watchers = new Set<() => void>();

  take(events: EventBody[]): void {
    this.events = [...events.toReversed(), ...this.events].slice(0, KEPT);
    for (const listener of this.listeners) listener(events);
    this.tell();
  }

  say(line: Line): void {
    this.line = line;
    this.tell();
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  private tell(): void {
    for (const watcher of this.watchers) watcher();
  }
}

const FeedContext = createContext<Feed | null>(null);

export function Live({ tenant, children }: { tenant: string; children: React.ReactNode }) {
  const queries = useQueryClient();
  const [feed] = useState(() => new Feed());
  useEffect(() => {
    const ending = new AbortController();
    const stale = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const refresh = (): void => {
      timer = undefined;
      for (const root of stale) void queries.invalidateQueries({ queryKey: [root] });
      stale.clear();
    };
    void follow({
      tenant,
      signal: ending.signal,
      onLine: (line) => {
        // What happened since the page was read, or since the stream broke off, is not told.
        if (line === 'open') void queries.invalidateQueries();
        feed.say(line);
      },
      onEvents: (events) => {
        feed.take(events);
        for (const event of events) {
          for (const root of STALE[event.type.split('.')[0] ?? ''] ?? []) stale.add(root);
        }
        timer ??= setTimeout(refresh, REFRESH_MS);
      },
    });
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [tenant, feed, queries]);
  return <FeedContext value={feed}>{children}</FeedContext>;
}

function useFeed(): Feed {
  const feed = use(FeedContext);
  if (!feed) throw new Error('outside of a tenant');
  return feed;
}

/** The newest events, newest first. */
export function useRecentEvents(): readonly EventBody[] {
  const feed = useFeed();
  return useSyncExternalStore(feed.watch, () => feed.events);
}

/** Whether events come in. */
export function useLine(): Line {
  const feed = useFeed();
  return useSyncExternalStore(feed.watch, () => feed.line);
}

/** Calls back with each run of new events, oldest first. */
export function useOnEvents(listener: Listener): void {
  const feed = useFeed();
  const heard = useEffectEvent(listener);
  useEffect(() => feed.listen((events) => heard(events)), [feed]);
}

/** What an event is about, in its full form. */
export function useEventObject<T>(event: EventBody): T | null {
  return useMemo(() => (event.data as { object?: T }).object ?? null, [event]);
}
