import { describe, expect, it } from 'vitest';

import type { Attempt, Webhook } from '../src/api/client';
import { bodyOf, draftOf, NEW, type ReplayDraft, replayOf, withFormat } from '../src/pages/webhooks/draft';
import { answered, health, pretty, sent, span } from '../src/pages/webhooks/words';

const WEBHOOK: Webhook = {
  id: 'whk_1',
  url: 'https://example.com/hooks',
  description: null,
  format: 'standard',
  form: 'thin',
  events: [],
  accounts: [],
  owners: [],
  concurrency: 8,
  enabled: true,
  disabled_reason: null,
  disable_after_s: 432_000,
  created_at: '2026-11-22T04:00:00Z',
  previous_until: null,
};
const DELIVERING = { cursor: 'evt_1', delivered: 0, failed: 0, waiting: [], failing_since: null };
const WAITING = { event_id: 'evt_1', attempts: 2, next_at: '2026-11-22T04:05:00Z' };

describe('how an endpoint fares', () => {
  it.each([
    ['ready', {}],
    ['delivering', { delivering: { ...DELIVERING, delivered: 3 } }],
    ['waiting', { delivering: { ...DELIVERING, delivered: 3, waiting: [WAITING] } }],
    ['failing', { delivering: { ...DELIVERING, waiting: [WAITING], failing_since: '2026-11-22T04:00:00Z' } }],
    ['off', { enabled: false, delivering: { ...DELIVERING, failing_since: '2026-11-22T04:00:00Z' } }],
    ['disabled', { enabled: false, disabled_reason: 'the receiver answered that it is gone (410)' }],
  ])('%s', (state, some) => {
    expect(health({ ...WEBHOOK, ...some }).state).toBe(state);
  });

  it('says why and since when', () => {
    const failing = { ...DELIVERING, waiting: [WAITING, WAITING], failing_since: '2026-11-22T04:00:00Z' };
    expect(health({ ...WEBHOOK, delivering: failing }).words).toBe(
      'No delivery was taken since 22 Nov 2026, 04:00:00. 2 events wait for their next try.',
    );
    expect(health({ ...WEBHOOK, enabled: false, disabled_reason: 'gone' }).words).toContain('gone');
  });
});

describe('an endpoint to make', () => {
  it('asks as it was filled in', () => {
    const draft = {
      ...NEW,
      url: ' https://example.com ',
      patience: '2',
      patience_unit: 3_600,
      concurrency: '4',
    };
    expect(bodyOf(draft)).toEqual({
      url: 'https://example.com',
      description: '',
      format: 'standard',
      form: 'thin',
      events: [],
      accounts: [],
      owners: [],
      concurrency: 4,
      disable_after_s: 7_200,
    });
  });

  it('lets the server refuse what is no number', () => {
    expect(bodyOf({ ...NEW, concurrency: 'many', patience: '1.5' })).toMatchObject({
      concurrency: 0,
      disable_after_s: 0,
    });
  });

  it('is changed from what it is', () => {
    const draft = draftOf({ ...WEBHOOK, disable_after_s: 5_400, accounts: ['acc_1'] });
    expect([draft.patience, draft.patience_unit]).toEqual(['90', 60]);
    expect(bodyOf(draft)).toMatchObject({ disable_after_s: 5_400, accounts: ['acc_1'] });
    expect(bodyOf(draftOf({ ...WEBHOOK, disable_after_s: 61 })).disable_after_s).toBe(61);
  });

  it('asks only for what its format tells', () => {
    const draft = withFormat({ ...NEW, events: ['transfer.*', 'hold.placed'] }, 'sequence');
    expect(draft.events).toEqual([
      'transfer.created',
      'transfer.approval_required',
      'transfer.status_changed',
    ]);
    expect(withFormat(NEW, 'multi').events).toEqual([]);
  });
});

describe('a replay to begin', () => {
  const DRAFT: ReplayDraft = {
    to: 'endpoint',
    webhook: 'whk_1',
    url: '',
    format: 'standard',
    form: 'thin',
    what: 'range',
    event: '',
    first: '',
    last: '',
    events: [],
    accounts: [],
    owners: [],
  };

  it('is everything when nothing is said', () => {
    expect(replayOf(DRAFT)).toEqual({ webhook_id: 'whk_1' });
  });

  it('begins with its first event', () => {
    expect(replayOf({ ...DRAFT, first: 'evt_0000000002000', last: 'evt_0000000004000' })).toEqual({
      webhook_id: 'whk_1',
      after: 'evt_0000000001ZZZ',
      until: 'evt_0000000004000',
    });
  });

  it('of one event to a URL is a range of one', () => {
    const one = { ...DRAFT, what: 'event' as const, event: 'evt_0000000002000' };
    expect(replayOf(one)).toEqual({ webhook_id: 'whk_1', event: 'evt_0000000002000' });
    expect(replayOf({ ...one, to: 'url', url: 'https://example.com' })).toEqual({
      url: 'https://example.com',
      format: 'standard',
      form: 'thin',
      after: 'evt_0000000001ZZZ',
      until: 'evt_0000000002000',
    });
  });

  it('wants a target and events that are some', () => {
    expect(replayOf({ ...DRAFT, webhook: '' })).toBeNull();
    expect(replayOf({ ...DRAFT, to: 'url' })).toBeNull();
    expect(replayOf({ ...DRAFT, what: 'event' })).toBeNull();
    expect(replayOf({ ...DRAFT, first: 'yesterday' })).toBeNull();
  });
});

describe('words', () => {
  it('say spans', () => {
    expect(span(432_000)).toBe('5 days');
    expect(span(5_400)).toBe('1 hour and 30 minutes');
    expect(span(0)).toBe('0 seconds');
  });

  it('say what came back', () => {
    const attempt = { status: null, failure: 'connection refused' } as Attempt;
    expect(answered(attempt)).toBe('connection refused');
    expect(answered({ ...attempt, status: 503, failure: null })).toBe('503');
  });

  it('take a transcript apart', () => {
    const request = { url: 'https://example.com', address: '1.2.3.4', headers: { a: 'b' }, body: '{"a":1}' };
    expect(sent({ request } as unknown as Attempt)).toEqual({ ...request, headers: [['a', 'b']] });
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(pretty('gone')).toBe('gone');
  });
});
