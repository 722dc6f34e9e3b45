// What is filled in for an endpoint or a replay, and what the server is asked with it.

import type { Webhook } from '../../api/client';
import { justBefore, place } from '../events/place';
import { expand, type Format, TOLD } from '../events/names';

export interface Draft {
  url: string;
  description: string;
  format: Format;
  form: 'thin' | 'full';
  events: string[];
  accounts: string[];
  owners: string[];
  concurrency: string;
  /** A number of `patience_unit`s, and how many seconds one has. */
  patience: string;
  patience_unit: number;
}

export const NEW: Draft = {
  url: '',
  description: '',
  format: 'standard',
  form: 'thin',
  events: [],
  accounts: [],
  owners: [],
  concurrency: '8',
  patience: '5',
  patience_unit: 86_400,
};

export const UNITS = [
  [60, 'minutes'],
  [3_600, 'hours'],
  [86_400, 'days'],
] as const;

/** An endpoint as it is, to be changed. */
export function draftOf(webhook: Webhook): Draft {
  const seconds = webhook.disable_after_s;
  const [unit] = UNITS.findLast(([length]) => seconds % length === 0) ?? [1];
  return {
    url: webhook.url,
    description: webhook.description ?? '',
    format: webhook.format as Format,
    form: webhook.form as Draft['form'],
    events: webhook.events,
    accounts: webhook.accounts,
    owners: webhook.owners,
    concurrency: String(webhook.concurrency),
    patience: String(seconds / unit),
    patience_unit: unit,
  };
}

/** Another format tells of other events: those that it does not are no longer asked for. */
export function withFormat(draft: Draft, format: Format): Draft {
  const told = new Set(TOLD[format]);
  const events = expand(draft.events, TOLD.standard).filter((name) => told.has(name));
  return { ...draft, format, events: draft.events.length === 0 ? [] : events };
}

/** What `POST …/webhooks` and `PATCH …/webhooks/{webhook}` take. All three lists are said, because
 * one that is absent beside another is taken as empty. */
export function bodyOf(draft: Draft) {
  const { url, description, format, form, events, accounts, owners } = draft;
  return {
    url: url.trim(),
    description: description.trim(),
    format,
    form,
    events,
    accounts,
    owners,
    concurrency: whole(draft.concurrency),
    disable_after_s: whole(draft.patience) * draft.patience_unit,
  };
}

/** A number as it was typed; 0, which the server refuses with its limits, for anything else. */
function whole(text: string): number {
  return /^\d{1,9}$/.test(text.trim()) ? Number(text.trim()) : 0;
}

export interface ReplayDraft {
  to: 'endpoint' | 'url';
  webhook: string;
  url: string;
  format: Format;
  form: 'thin' | 'full';
  what: 'event' | 'range';
  event: string;
  /** The first event; from the beginning when empty. */
  first: string;
  /** The last one; the newest when empty. */
  last: string;
  events: string[];
  accounts: string[];
  owners: string[];
}

/** What `POST …/replays` takes. Null when something is missing or is no event's id. */
export function replayOf(draft: ReplayDraft) {
  const isPlace = (id: string): boolean => id === '' || place(id) !== null;
  const [event, first, last] = [draft.event.trim(), draft.first.trim(), draft.last.trim()];
  const target =
    draft.to === 'endpoint'
      ? { webhook_id: draft.webhook }
      : { url: draft.url.trim(), format: draft.format, form: draft.form };
  if (draft.to === 'endpoint' ? !draft.webhook : !draft.url.trim()) return null;
  if (draft.what === 'event') {
    if (event === '' || !isPlace(event)) return null;
    // To a URL one event is a range of one.
    return draft.to === 'endpoint'
      ? { ...target, event }
      : { ...target, after: justBefore(event), until: event };
  }
  if (!isPlace(first) || !isPlace(last)) return null;
  return {
    ...target,
    ...(first && { after: justBefore(first) }),
    ...(last && { until: last }),
    ...(draft.events.length > 0 && { events: draft.events }),
    ...(draft.accounts.length > 0 && { accounts: draft.accounts }),
    ...(draft.owners.length > 0 && { owners: draft.owners }),
  };
}
