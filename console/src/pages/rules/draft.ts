// A rule as text to be changed, and back.

import type { Rule } from '../../api/client';

/** What the server fills in by itself, and what says nothing. */
const FILLED: Record<string, unknown> = { up_to_enabled: false, is_direct_deposit: false, group_index: 0 };

/** Members that are read first stand first. */
const FIRST = ['type', 'id', 'name', 'conditions', 'condition', 'actions', 'source', 'destination'];

function place(name: string): number {
  const found = FIRST.indexOf(name);
  return found < 0 ? FIRST.length : found;
}

/** What a rule says, without what cannot be changed and without members that say nothing. */
export function editable(rule: Rule): string {
  const { nickname, description, trigger, steps } = rule;
  return JSON.stringify(compact({ nickname, description, trigger, steps }), null, 2);
}

function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).filter(
    ([name, member]) => member !== null && member !== FILLED[name],
  );
  // Accounts are told by their ids; names are for people, kinds are in the way.
  const isNode = 'id' in value;
  const shown = members
    .filter(([name]) => !(isNode && name === 'type'))
    .toSorted(([a], [b]) => place(a) - place(b));
  return Object.fromEntries(shown.map(([name, member]) => [name, compact(member)]));
}

/** A rule to begin with. */
export function example(from: string, to: string): string {
  return JSON.stringify(
    {
      nickname: 'Save a tenth',
      trigger: { type: 'ON_FUNDS_TRANSFERRED', account_id: from },
      steps: [
        {
          actions: [
            {
              type: 'percentage',
              percentage_value: 10,
              percentage_target: 'INCOMING_AMOUNT',
              destination: { id: to },
            },
          ],
        },
      ],
    },
    null,
    2,
  );
}

export type Read = { draft: Record<string, unknown> } | { fault: string };

/** Reads a draft; what JSON it has to be is for the server to say. */
export function read(text: string): Read {
  try {
    const draft = JSON.parse(text) as unknown;
    if (draft === null || typeof draft !== 'object' || Array.isArray(draft)) {
      return { fault: 'A rule is one JSON object: { … }' };
    }
    return { draft: draft as Record<string, unknown> };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : 'This is no JSON.' };
  }
}
