// An account's balance as a line of steps: what it was after each entry, until the next one.

import type { Entry } from '../../api/client';

export interface Curve {
  /** For an SVG path in a box of `width` × `height`. */
  path: string;
  low: number;
  high: number;
  /** Height of zero, when it is in the box. */
  zero: number | null;
}

/** Null for fewer than two entries: one point is no line. Entries come newest first. */
export function curve(entries: readonly Entry[], width: number, height: number): Curve | null {
  const points = entries
    .map(({ at, balance_after }) => ({ at: Date.parse(at), balance: balance_after }))
    .reverse();
  const [first] = points;
  const last = points.at(-1);
  if (!first || !last || points.length < 2) return null;
  const balances = points.map(({ balance }) => balance);
  const low = Math.min(...balances);
  const high = Math.max(...balances);
  const span = Math.max(1, last.at - first.at);
  const range = Math.max(1, high - low);
  const x = (at: number): number => round(((at - first.at) / span) * width);
  const y = (balance: number): number => round(height - ((balance - low) / range) * height);
  let path = `M${x(first.at)} ${y(first.balance)}`;
  for (const { at, balance } of points.slice(1)) path += `H${x(at)}V${y(balance)}`;
  path += `H${width}`;
  return { path, low, high, zero: low <= 0 && high >= 0 ? y(0) : null };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
