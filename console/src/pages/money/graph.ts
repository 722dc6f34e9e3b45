// Where accounts stand on the map, and the ways between them that rules know. Pure, so that it can be
// tested without a browser.

import type { Account, Rule, Transfer } from '../../api/client';

/** What is not an account here: the world that pay comes from and purchases go to. */
export const OUTSIDE = 'outside';

export interface Spot {
  id: string;
  account: Account | null;
  x: number;
  y: number;
}

export interface Way {
  id: string;
  from: string;
  to: string;
  /** What the rules say of it, such as `20 %`. */
  says: string[];
  /** Whether an enabled rule moves money here by itself. */
  enabled: boolean;
}

const COLUMN = 270;
const LINE = 104;

/** Outside first, then where pay arrives, then pods, then cards and what is held elsewhere. */
function column(account: Account): number {
  switch (account.type) {
    case 'income_source':
      return 1;
    case 'pod':
      return 2;
    default:
      return 3;
  }
}

/** Columns from left to right, each centred; within one, by what feeds them and then by name. */
export function place(accounts: readonly Account[], ways: readonly Way[]): Spot[] {
  const columns: Account[][] = [[], [], [], []];
  const shown = accounts.filter(({ state }) => state !== 'closed');
  for (const account of shown) columns[column(account)]?.push(account);
  const used = columns
    .map((all, index) => ({ all, index }))
    .filter(({ all, index }) => index === 0 || all.length > 0);
  const tallest = Math.max(1, ...used.map(({ all }) => all.length));
  const rank = new Map<string, number>();
  const spots: Spot[] = [];
  used.forEach(({ all, index }, nth) => {
    if (index === 0) {
      spots.push({ id: OUTSIDE, account: null, x: 0, y: ((tallest - 1) * LINE) / 2 });
      return;
    }
    const feeding = (account: Account): number => {
      const ranks = ways.filter(({ to }) => to === account.id).map(({ from }) => rank.get(from) ?? 0);
      return ranks.length > 0 ? Math.min(...ranks) : Number.MAX_SAFE_INTEGER;
    };
    const sorted = all.toSorted((a, b) => feeding(a) - feeding(b) || a.name.localeCompare(b.name));
    const top = ((tallest - sorted.length) * LINE) / 2;
    sorted.forEach((account, line) => {
      rank.set(account.id, line);
      spots.push({ id: account.id, account, x: nth * COLUMN, y: top + line * LINE });
    });
  });
  return spots;
}

type Action = Rule['steps'][number]['actions'][number];

/** An action in two words. */
function short(action: Action): string {
  const percent = action.percentage_value ?? null;
  return percent === null ? action.type.replaceAll('_', ' ') : `${percent} %`;
}

/** The ways that rules move money, one for each pair of accounts. */
export function ways(rules: readonly Rule[]): Way[] {
  const found = new Map<string, Way>();
  for (const rule of rules) {
    const enabled = rule.status === 'enabled';
    for (const action of rule.steps.flatMap(({ actions }) => actions)) {
      const from = action.source?.id;
      const to = action.destination?.id;
      if (!from || !to) continue;
      const id = `${from}>${to}`;
      const way = found.get(id) ?? { id, from, to, says: [], enabled: false };
      const says = short(action);
      if (!way.says.includes(says)) way.says.push(says);
      way.enabled ||= enabled;
      found.set(id, way);
    }
  }
  return [...found.values()];
}

export interface Flow {
  id: string;
  from: string;
  to: string;
  minor: number;
  currency: string;
  /** Milliseconds after it was seen: money goes on only when it has arrived. */
  delay: number;
}

/** How long money takes from account to account on the map, in milliseconds. */
export const TRAVEL_MS = 900;

/** Transfers that were told together as movements one after the other, as far as they hang together. */
export function flows(transfers: readonly Transfer[], shown: ReadonlySet<string>): Flow[] {
  const arrives = new Map<string, number>();
  const moving: Flow[] = [];
  for (const transfer of transfers) {
    const from = transfer.source?.id ?? OUTSIDE;
    const to = transfer.destination?.id ?? OUTSIDE;
    if (!shown.has(from) || !shown.has(to) || from === to) continue;
    const delay = from === OUTSIDE ? 0 : (arrives.get(from) ?? 0);
    arrives.set(to, Math.max(arrives.get(to) ?? 0, delay + TRAVEL_MS));
    moving.push({ id: transfer.id, from, to, minor: transfer.amount, currency: transfer.currency, delay });
  }
  return moving;
}
