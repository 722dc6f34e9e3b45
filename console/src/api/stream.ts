// The event log as it grows: server-sent events, read with `fetch`, because `EventSource` cannot send
// the admin token.

import { token } from '../session';
import type { EventBody } from './client';

export type Line = 'connecting' | 'open' | 'lost';

interface Following {
  tenant: string;
  onEvents: (events: EventBody[]) => void;
  onLine: (line: Line) => void;
  signal: AbortSignal;
}

/** Follows a tenant's log from now on until aborted; goes on behind the last event after a break. */
export async function follow({ tenant, onEvents, onLine, signal }: Following): Promise<void> {
  let last: string | null = null;
  let pause = 500;
  while (!signal.aborted) {
    onLine('connecting');
    try {
      const query = new URLSearchParams({ tenant, form: 'full' });
      const headers: Record<string, string> = { Authorization: `Bearer ${token() ?? ''}` };
      if (last) headers['Last-Event-ID'] = last;
      const response = await fetch(`/admin/v1/events/stream?${query}`, { headers, signal });
      if (!response.ok || !response.body) throw new Error(`answered ${response.status}`);
      onLine('open');
      pause = 500;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      const parser = new Parser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const events = parser.take(value);
        last = events.at(-1)?.id ?? last;
        if (events.length > 0) onEvents(events);
      }
    } catch {
      // Told below, and tried again.
    }
    if (signal.aborted) return;
    onLine('lost');
    await new Promise((resume) => setTimeout(resume, pause));
    pause = Math.min(pause * 2, 8_000);
  }
}

/** Takes a stream of server-sent events apart, however it was cut into pieces. */
export class Parser {
  private rest = '';

  take(piece: string): EventBody[] {
    this.rest += piece;
    const blocks = this.rest.split('\n\n');
    this.rest = blocks.pop() ?? '';
    const events: EventBody[] = [];
    for (const block of blocks) {
      const data = block
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trimStart())
        .join('\n');
      if (data) events.push(JSON.parse(data) as EventBody);
    }
    return events;
  }
}
