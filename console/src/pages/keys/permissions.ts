// What an API key may do: the entries of the admin API, as a form and in words.

import type { Account } from '../../api/client';
import { decimal, digits, money } from '../../money';

export type Takes = 'nothing' | 'accounts' | 'rules' | 'pairs';

export interface Scope {
  scope: string;
  words: string;
  takes: Takes;
}

export const SCOPES: readonly { title: string; scopes: readonly Scope[] }[] = [
  {
    title: 'Read',
    scopes: [
      { scope: 'LIST_ACCOUNTS', words: 'List accounts', takes: 'nothing' },
      { scope: 'READ_ACCOUNTS', words: 'Read accounts and balances', takes: 'accounts' },
      { scope: 'READ_TRANSFERS', words: 'Read transfers', takes: 'accounts' },
      { scope: 'READ_CARDS', words: 'Read cards', takes: 'accounts' },
      { scope: 'LIST_RULES', words: 'List rules', takes: 'nothing' },
      { scope: 'READ_RULES', words: 'Read rules', takes: 'rules' },
      { scope: 'READ_RULE_EXECUTIONS', words: 'Read runs of rules', takes: 'rules' },
      { scope: 'READ_AUDIT_LOGS', words: 'Read the audit log', takes: 'nothing' },
    ],
  },
  {
    title: 'Act',
    scopes: [
      { scope: 'MANUAL_TRANSFER', words: 'Move money', takes: 'pairs' },
      { scope: 'TRIGGER_RULES', words: 'Trigger rules', takes: 'rules' },
      { scope: 'CREATE_AND_EDIT_RULES', words: 'Make, change and delete rules', takes: 'rules' },
      { scope: 'CREATE_AND_DELETE_ACCOUNTS', words: 'Open and delete accounts', takes: 'accounts' },
    ],
  },
  {
    title: 'The Multi API',
    scopes: [
      { scope: 'PROGRAMME', words: 'Be a programme: the key of the Multi API', takes: 'nothing' },
      { scope: 'SIMULATOR', words: 'Use the simulator of the Multi API', takes: 'nothing' },
    ],
  },
];

const ALL = SCOPES.flatMap(({ scopes }) => scopes);

/** Money that may go from one account to another. */
export interface Pair {
  /** An account's id, or `*`. */
  source: string;
  target: string;
  /** Amounts as they were typed; no limit when empty. */
  max: string;
  approval: string;
}

/** One entry of the form. */
export interface Choice {
  on: boolean;
  /** Every account or rule, or only these. */
  all: boolean;
  ids: readonly string[];
}

export interface Draft {
  choices: Readonly<Record<string, Choice>>;
  pairs: readonly Pair[];
}

export const ANY_PAIR: Pair = { source: '*', target: '*', max: '', approval: '' };
export const NOTHING: Draft = { choices: {}, pairs: [ANY_PAIR] };

/** A form with some scopes on, each for all there is. */
export function draftOf(scopes: readonly string[]): Draft {
  const on = { on: true, all: true, ids: [] };
  return { choices: Object.fromEntries(scopes.map((scope) => [scope, on])), pairs: [ANY_PAIR] };
}

/** What programs that only look at things need, and what those of the Sequence API may have. */
export const READING = (SCOPES[0]?.scopes ?? []).map(({ scope }) => scope);
export const SEQUENCE = SCOPES.slice(0, 2).flatMap(({ scopes }) => scopes.map(({ scope }) => scope));

export function choiceOf(draft: Draft, scope: string): Choice {
  return draft.choices[scope] ?? { on: false, all: true, ids: [] };
}

/** The currency in which a pair's limits are written: that of one of its accounts, or of all accounts
 * there are, if they have the same number of digits. Null when that is not known. */
export function currencyOf(
  pair: Pick<Pair, 'source' | 'target'>,
  accounts: readonly Account[],
): string | null {
  const named = accounts.find(({ id }) => id === pair.source || id === pair.target);
  if (named) return named.currency;
  const [first, ...others] = new Set(accounts.map(({ currency }) => currency));
  if (first === undefined) return null;
  return others.every((other) => digits(other) === digits(first)) ? first : null;
}

/** A limit in minor units: undefined for none, null for what is no amount. Without a currency it is
 * typed in minor units. */
export function limit(text: string, currency: string | null): number | null | undefined {
  const typed = text.trim().replaceAll(',', '');
  if (typed === '') return undefined;
  const places = currency === null ? 0 : digits(currency);
  const match = /^(\d+)(?:\.(\d+))?$/.exec(typed);
  if (!match || (match[2] ?? '').length > places) return null;
  const minor = Number((match[1] ?? '') + (match[2] ?? '').padEnd(places, '0'));
  return Number.isSafeInteger(minor) ? minor : null;
}

/** The entries of a form. Null while something in it is no amount or nothing is chosen. */
export function entriesOf(draft: Draft, accounts: readonly Account[]): Record<string, unknown>[] | null {
  const entries: Record<string, unknown>[] = [];
  for (const { scope, takes } of ALL) {
    const { on, all, ids } = choiceOf(draft, scope);
    if (!on) continue;
    if (takes === 'nothing') entries.push({ scope });
    else if (takes === 'pairs') {
      if (draft.pairs.length === 0) return null;
      const resources: Record<string, unknown>[] = [];
      for (const { source, target, ...typed } of draft.pairs) {
        const currency = currencyOf({ source, target }, accounts);
        const [max, approval] = [limit(typed.max, currency), limit(typed.approval, currency)];
        if (max === null || approval === null) return null;
        resources.push({
          source,
          target,
          ...(max !== undefined && { max_amount: max }),
          ...(approval !== undefined && { approval_above: approval }),
        });
      }
      entries.push({ scope, resources });
    } else if (!all && ids.length === 0) return null;
    else entries.push({ scope, resources: all ? '*' : ids });
  }
  return entries.length > 0 ? entries : null;
}

interface Known {
  accounts: readonly Account[];
  rules: readonly { id: string; nickname?: string | null | undefined }[];
}

/** An entry in words, a line for each pair. */
export function inWords(entry: unknown, known: Known): string[] {
  const { scope, resources } = entry as { scope: string; resources?: unknown };
  const words = ALL.find((one) => one.scope === scope)?.words ?? scope;
  if (scope === 'MANUAL_TRANSFER' && Array.isArray(resources)) {
    return resources.map((pair) => `${words}: ${pairInWords(pair as PairEntry, known.accounts)}`);
  }
  if (Array.isArray(resources)) {
    const names = resources.map((id) => nameOf(String(id), known));
    return [`${words}: ${names.length === 0 ? 'none' : names.join(', ')}`];
  }
  return [resources === '*' && scope !== 'READ_AUDIT_LOGS' ? `${words}: all` : words];
}

interface PairEntry {
  source: string;
  target: string;
  max_amount?: number;
  approval_above?: number;
}

function pairInWords(pair: PairEntry, accounts: readonly Account[]): string {
  const name = (id: string): string =>
    id === '*' ? 'any account' : (accounts.find((account) => account.id === id)?.name ?? id);
  const named = accounts.find(({ id }) => id === pair.source || id === pair.target);
  const currency = currencyOf(pair, accounts);
  const sum = (minor: number): string =>
    named ? money(minor, named.currency) : currency ? decimal(minor, currency) : `${minor} minor units`;
  const limits = [
    pair.max_amount === undefined ? '' : `up to ${sum(pair.max_amount)}`,
    pair.approval_above === undefined ? '' : `above ${sum(pair.approval_above)} only when approved`,
  ].filter(Boolean);
  return [`${name(pair.source)} → ${name(pair.target)}`, ...limits].join(', ');
}

function nameOf(id: string, { accounts, rules }: Known): string {
  const rule = rules.find((one) => one.id === id);
  return accounts.find((one) => one.id === id)?.name ?? rule?.nickname ?? id;
}
