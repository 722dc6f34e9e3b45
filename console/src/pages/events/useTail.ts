// The newest events through a filter, and how they go on.

import { useEffect, useEffectEvent, useReducer, useRef, useState } from 'react';

import type { EventBody } from '../../api/client';
import { useLine, useOnEvents } from '../../live';
import { useTenant } from '../../tenant';
import { catchUp, type Filter, lookBack, type Older, reader } from './log';
import { justBefore } from './place';

/** Events that one look back wants. */
const PAGE = 60;
/** Events that a tail keeps at most: then the oldest of them go. */
const KEPT = 2_000;
/** After an event it is waited so long for others, in milliseconds. */
const GATHER_MS = 150;

interface Tail {
  /** Newest first. */
  shown: EventBody[];
  /** Came while somebody was reading; newest first. */
  held: EventBody[];
  /** Where the next read begins; null until the first read has ended. */
  next: string | null;
  /** Where a look further back begins; null at the beginning of the log. */
  from: string | null;
  looking: boolean;
  error: Error | null;
}

type Step =
  | { what: 'first'; newest: string; older: Older }
  | { what: 'older'; older: Older }
  | { what: 'came'; events: EventBody[]; next: string; hold: boolean }
  | { what: 'show' }
  | { what: 'look' }
  | { what: 'failed'; error: Error };

const EMPTY: Tail = { shown: [], held: [], next: null, from: null, looking: true, error: null };

export function step(tail: Tail, step: Step): Tail {
  switch (step.what) {
    case 'first':
      return {
        ...EMPTY,
        shown: step.older.events,
        from: step.older.from,
        next: step.newest,
        looking: false,
      };
    case 'older':
      return {
        ...tail,
        shown: [...tail.shown, ...step.older.events],
        from: step.older.from,
        looking: false,
      };
    case 'came': {
      const came = { ...tail, next: step.next, error: null };
      if (step.hold) return { ...came, held: [...step.events, ...tail.held] };
      return cut({ ...came, shown: [...step.events, ...tail.held, ...tail.shown], held: [] });
    }
    case 'show':
      return cut({ ...tail, shown: [...tail.held, ...tail.shown], held: [] });
    case 'look':
      return { ...tail, looking: true };
    case 'failed':
      return { ...tail, looking: false, error: step.error };
  }
}

/** What is cut off can be found again by looking back. */
function cut(tail: Tail): Tail {
  const last = tail.shown[KEPT - 1];
  if (!last || tail.shown.length === KEPT) return tail;
  return { ...tail, shown: tail.shown.slice(0, KEPT), from: justBefore(last.id) };
}

/** `hold` says whether somebody is reading: then what comes is kept aside. */
export function useTail(filter: Filter, hold: () => boolean) {
  const tenant = useTenant().id;
  const line = useLine();
  const [tail, dispatch] = useReducer(step, EMPTY);
  const [heard, setHeard] = useState(0);
  const reading = useRef(false);
  const again = useRef(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const failed = (error: unknown): void =>
    dispatch({ what: 'failed', error: error instanceof Error ? error : new Error(String(error)) });

  const begin = useEffectEvent(async (signal: AbortSignal) => {
    const read = reader(tenant, filter, signal);
    try {
      const newest = (await read('now', 1)).next;
      const older = await lookBack(read, newest, PAGE);
      if (!signal.aborted) dispatch({ what: 'first', newest, older });
    } catch (error) {
      if (!signal.aborted) failed(error);
    }
  });
  // The page gives another filter another tail, by its key.
  useEffect(() => {
    const ending = new AbortController();
    void begin(ending.signal);
    return () => {
      ending.abort();
      clearTimeout(timer.current);
      timer.current = undefined;
    };
  }, []);

  const goOn = useEffectEvent(async () => {
    timer.current = undefined;
    if (tail.next === null) return;
    if (reading.current) {
      again.current = true;
      return;
    }
    reading.current = true;
    try {
      const { events, next } = await catchUp(reader(tenant, filter), tail.next);
      dispatch({ what: 'came', events, next, hold: hold() });
    } catch (error) {
      failed(error);
    }
    reading.current = false;
    if (again.current) {
      again.current = false;
      setHeard((count) => count + 1);
    }
  });
  useOnEvents(() => setHeard((count) => count + 1));
  const began = tail.next !== null;
  // Besides: what happened before the first read ended, and while the line was lost.
  useEffect(() => {
    if (began && line !== 'lost') timer.current ??= setTimeout(() => void goOn(), GATHER_MS);
  }, [heard, line, began]);

  return {
    ...tail,
    show: () => dispatch({ what: 'show' }),
    older: async () => {
      if (tail.from === null || tail.looking) return;
      dispatch({ what: 'look' });
      try {
        dispatch({ what: 'older', older: await lookBack(reader(tenant, filter), tail.from, PAGE) });
      } catch (error) {
        failed(error);
      }
    },
  };
}
