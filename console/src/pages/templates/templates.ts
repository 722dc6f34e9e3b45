// What templates there are, what each wants, and the body that makes a rule of one. Pure.

import type { Account } from '../../api/client';
import { parse } from '../../money';

export interface Template {
  name: string;
  title: string;
  /** What it does, in one sentence. */
  about: string;
  /** When a rule of it runs. */
  runs: string;
  /** Where the money goes: to several accounts with shares, to one with a share, to one, or to debts. */
  to: 'shares' | 'share' | 'one' | 'liability' | 'debts';
  /** What its amount is called; null when it has none. */
  amount: string | null;
  /** Whether it runs by the time, and so begins at one. */
  timed: boolean;
  /** Whether debts must have rates. */
  rates: boolean;
}

const COMING_IN = { runs: 'When money arrives', timed: false, rates: false } as const;
const MONTHLY = { runs: 'Every month', timed: true } as const;

export const TEMPLATES: readonly Template[] = [
  {
    ...COMING_IN,
    name: 'profit_first',
    title: 'Profit First split',
    about:
      'Splits everything that comes in over your accounts by fixed shares: profit, pay, taxes, expenses.',
    to: 'shares',
    amount: null,
  },
  {
    ...COMING_IN,
    name: 'tax_reserve',
    title: 'Tax reserve',
    about: 'Sets a share of everything that comes in aside, so that the tax bill is no surprise.',
    to: 'share',
    amount: null,
  },
  {
    ...COMING_IN,
    name: 'emergency_fund',
    title: 'Emergency fund top-up',
    about: 'Fills a fund up with what comes in, and stops when there is enough in it.',
    to: 'one',
    amount: 'Fill it up to',
  },
  {
    ...MONTHLY,
    name: 'debt_avalanche',
    title: 'Debt avalanche',
    about: 'Pays a sum a month to debts, the highest rate first: the cheapest way out.',
    to: 'debts',
    amount: 'A month',
    rates: true,
  },
  {
    ...MONTHLY,
    name: 'debt_snowball',
    title: 'Debt snowball',
    about: 'Pays a sum a month to debts, the smallest first: one after the other is gone.',
    to: 'debts',
    amount: 'A month',
    rates: false,
  },
  {
    name: 'wallet_refill',
    title: 'Wallet refill',
    about: 'Looks at an account every day and fills it up when it has fallen below half.',
    runs: 'Every day',
    to: 'one',
    amount: 'Fill it up to',
    timed: true,
    rates: false,
  },
  {
    ...MONTHLY,
    name: 'bill_pay_ahead',
    title: 'Bill pay-ahead',
    about: 'Makes the next minimum payment of a card or loan every month, before it is due.',
    to: 'liability',
    amount: null,
    rates: false,
  },
];

export interface Line {
  account: string;
  /** A share in per cent, or a rate of interest. */
  percent: string;
}

export interface Filling {
  source: string;
  lines: Line[];
  amount: string;
  /** As `datetime-local` has it, in UTC. */
  start: string;
  nickname: string;
}

/** Accounts that the money can come from. External accounts never set a rule off. */
export function sources(template: Template, accounts: readonly Account[]): Account[] {
  return accounts.filter(
    ({ can_be_source, state, type }) =>
      can_be_source &&
      state === 'active' &&
      type !== 'debit_card' &&
      (template.timed || type !== 'external_account'),
  );
}

/** Accounts that the money can go to from there. */
export function targets(template: Template, source: Account, accounts: readonly Account[]): Account[] {
  const debts = template.to === 'debts' || template.to === 'liability';
  return accounts.filter(
    ({ id, owner_id, currency, can_be_destination, state, type, external_account_type }) =>
      id !== source.id &&
      owner_id === source.owner_id &&
      currency === source.currency &&
      can_be_destination &&
      state === 'active' &&
      type !== 'debit_card' &&
      debts === (external_account_type === 'LIABILITY'),
  );
}

/** Names that give away what an account is for. */
const LIKELY: Record<string, RegExp> = {
  tax_reserve: /tax/i,
  emergency_fund: /emergency|fund|reserve|saving/i,
  wallet_refill: /wallet|bill|spend|prepaid/i,
};

const AMOUNTS: Record<string, string> = {
  emergency_fund: '10,000.00',
  debt_avalanche: '300.00',
  debt_snowball: '300.00',
  wallet_refill: '500.00',
};

/** A form to begin with, as far as the accounts let one guess. */
export function guess(
  template: Template,
  source: Account | undefined,
  all: readonly Account[],
  now: string,
): Filling {
  const found = source ? targets(template, source, all) : [];
  const likely = found.find(({ name }) => LIKELY[template.name]?.test(name)) ?? found[0];
  const one = { account: likely?.id ?? '', percent: '' };
  const lines: Record<Template['to'], Line[]> = {
    shares: found.slice(0, 3).map(({ id }) => ({ account: id, percent: '' })),
    share: [{ ...one, percent: '25' }],
    one: [one],
    liability: [one],
    debts: found.map(({ id }) => ({ account: id, percent: '' })),
  };
  return {
    source: source?.id ?? '',
    lines: lines[template.to].length > 0 ? lines[template.to] : [one],
    amount: AMOUNTS[template.name] ?? '',
    start: template.timed ? begin(template, now) : '',
    nickname: '',
  };
}

/** Tomorrow at nine; for what is monthly the first of the next month. */
function begin(template: Template, now: string): string {
  const at = new Date(now);
  const monthly = template.runs === MONTHLY.runs;
  const next = monthly
    ? Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1, 9)
    : Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + 1, 9);
  return new Date(next).toISOString().slice(0, 16);
}

/** Hundred-millionths of a per cent; null for what is no percentage. */
export function hundredMillionths(text: string): bigint | null {
  const match = /^(\d{1,3})(?:\.(\d{1,8}))?$/.exec(text.trim());
  if (!match) return null;
  const value = BigInt((match[1] ?? '') + (match[2] ?? '').padEnd(8, '0'));
  return value <= 10_000_000_000n ? value : null;
}

/** The shares of all lines together, such as `95.5`; null when one is no percentage. */
export function together(lines: readonly Line[]): string | null {
  let sum = 0n;
  for (const { percent } of lines) {
    const value = hundredMillionths(percent);
    if (value === null) return null;
    sum += value;
  }
  const text = sum.toString().padStart(9, '0');
  return `${text.slice(0, -8)}.${text.slice(-8)}`.replace(/\.?0+$/, '');
}

export type Made = { body: Record<string, unknown> } | { missing: string };

/** The body of the request, or what is missing for it. */
export function body(template: Template, filling: Filling, currency: string): Made {
  const { source, lines, amount, start, nickname } = filling;
  if (!source) return { missing: 'Choose where the money comes from.' };
  const named = lines.filter(({ account }) => account);
  if (named.length === 0) return { missing: 'Choose where the money goes.' };
  const isShare = template.to === 'share' || template.to === 'shares';
  if (isShare && named.some(({ percent }) => hundredMillionths(percent) === null)) {
    return { missing: 'Each share is a number from 0 to 100.' };
  }
  if (template.to === 'shares' && Number(together(named)) > 100) {
    return { missing: 'Shares are at most 100 % together.' };
  }
  const isWrong = (rate: string) => (template.rates || rate.trim() !== '') && !isRate(rate);
  if (template.to === 'debts' && named.some(({ percent }) => isWrong(percent))) {
    return { missing: 'Each rate is a number such as 24.99.' };
  }
  const minor = template.amount ? parse(amount, currency) : null;
  if (template.amount && minor === null) return { missing: 'The amount is a number such as 1,234.50.' };
  if (template.timed && !start) return { missing: 'Choose when it runs first.' };
  const debts = named.map(({ account, percent }) =>
    isRate(percent) ? { id: account, interest_rate_percentage: Number(percent) } : { id: account },
  );
  const destinations = named.map(({ account, percent }) =>
    isShare ? { id: account, percentage_value: Number(percent) } : { id: account },
  );
  return {
    body: {
      template: template.name,
      source_id: source,
      ...(template.to === 'debts' ? { liabilities: debts } : { destinations }),
      ...(minor !== null && { amount_in_cents: minor }),
      ...(template.timed && { start_date: `${start}:00Z` }),
      ...(nickname.trim() && { nickname: nickname.trim() }),
    },
  };
}

function isRate(text: string): boolean {
  return /^\d{1,4}(\.\d{1,2})?$/.test(text.trim());
}
