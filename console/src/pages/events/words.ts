// What an event says, in a line.

import type { EventBody } from '../../api/client';
import { money } from '../../money';
import { when } from '../../time';

type Members = Record<string, unknown>;

/** The members of an event's object; none in the thin form. */
export function objectOf(event: EventBody): Members {
  const object = (event.data as Members)['object'];
  return typeof object === 'object' && object !== null ? (object as Members) : {};
}

/** What an event is about and what changed, in the order in which it is read. */
export function summary(event: EventBody): string {
  const data = event.data as Members;
  const object = objectOf(event);
  const parts: string[] = [];
  const [family] = event.type.split('.');
  if (family === 'transfer') {
    const { amount, currency } = object;
    if (typeof amount === 'number' && typeof currency === 'string') parts.push(money(amount, currency));
    if ('source' in object) {
      const outside = text(object['origin']).replaceAll('_', ' ');
      parts.push(`${nameOf(object['source']) || outside} → ${nameOf(object['destination']) || outside}`);
    }
  } else {
    const name =
      text(object['name']) || text(data['name']) || text(object['rule_name']) || text(object['nickname']);
    if (name) parts.push(name);
  }
  const [before, after] = [text(data['previous_status']), text(data['status'])];
  if (before) parts.push(`${plain(before)} → ${plain(after)}`);
  else if (after) parts.push(plain(after));
  if (family === 'clock') {
    parts.push(`${data['frozen'] === true ? 'stands at' : 'runs from'} ${when(text(data['now']))}`);
  }
  for (const member of ['error_code', 'reason', 'account_type', 'session_type', 'hint']) {
    const said = text(data[member]);
    if (said) parts.push(member === 'hint' ? `…${said}` : plain(said));
  }
  if (parts.length === 0) parts.push(text(data['id']));
  return parts.join(' · ');
}

/** Where the console shows what an event is about: the path below the tenant. Null for nowhere. */
export function pathOf(id: string): string | null {
  const [prefix] = id.split('_');
  const pages: Record<string, string> = {
    txr: 'transfers',
    acc: 'accounts',
    rule: 'rules',
    rex: 'runs',
    whk: 'webhooks',
    rpl: 'webhooks/replays',
  };
  const page = pages[prefix ?? ''];
  return page === undefined ? null : `${page}/${id}`;
}

/** An object's members that are no objects themselves, for a list of facts. */
export function facts(object: Members): [string, string][] {
  const currency = text(object['currency']);
  return Object.entries(object).flatMap(([name, value]): [string, string][] => {
    if (value === null || value === undefined || value === '') return [];
    if (typeof value === 'number' && SUMS.has(name) && currency)
      return [[label(name), money(value, currency)]];
    if (typeof value === 'string' && name.endsWith('_at')) return [[label(name), when(value)]];
    if (['string', 'number', 'boolean'].includes(typeof value)) return [[label(name), String(value)]];
    const named = nameOf(value);
    return named ? [[label(name), named]] : [];
  });
}

/** Members that are minor units of the object's currency. */
const SUMS = new Set(['amount', 'available', 'balance', 'fee', 'held', 'reported_balance']);

function label(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function nameOf(party: unknown): string {
  if (typeof party !== 'object' || party === null || !('name' in party)) return '';
  return text(party.name);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function plain(word: string): string {
  return word.replaceAll('_', ' ');
}
