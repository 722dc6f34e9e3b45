// What a forecast says, in words and in lines. Pure.

import type { Schemas, Transfer } from '../../api/client';
import { money } from '../../money';
import { day } from '../../time';
import { reasonWords } from '../rules/words';

export type Forecast = Schemas['ForecastBody'];
export type ScheduleType = 'ONE_TIME' | 'DAILY' | 'WEEKLY' | 'EVERY_OTHER_WEEK' | 'BI_WEEKLY' | 'MONTHLY';

export const SCHEDULES: readonly (readonly [ScheduleType, string])[] = [
  ['ONE_TIME', 'Once'],
  ['DAILY', 'Every day'],
  ['WEEKLY', 'Every week'],
  ['EVERY_OTHER_WEEK', 'Every other week (even weeks)'],
  ['BI_WEEKLY', 'On the 1st and the 15th'],
  ['MONTHLY', 'Every month'],
];

/** Income that is assumed. */
export interface Income {
  account_id: string;
  amount_in_cents: number;
  schedule_type: ScheduleType;
  start_date: string;
}

/** Lists by what they have in common, in the order in which that comes first. */
function grouped<T>(all: readonly T[], by: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(by(one), [...(groups.get(by(one)) ?? []), one]);
  return groups;
}

const DAY_MS = 24 * 3_600_000;

/** What came in lately, taken as going on: for each account the newest pay, as often as it came. */
export function suggest(transfers: readonly Transfer[], now: string): Income[] {
  const pay = transfers.filter(({ origin, status }) => origin === 'paycheck' && status === 'complete');
  const byAccount = grouped(pay, ({ destination }) => destination?.id ?? '');
  return [...byAccount].flatMap(([account_id, all]) => {
    const [newest, before] = all.toSorted((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
    if (!newest || !account_id) return [];
    const schedule_type = rhythm(before?.created_at, newest.created_at);
    const start_date = later(newest.created_at, schedule_type, now);
    return [{ account_id, amount_in_cents: newest.amount, schedule_type, start_date }];
  });
}

/** How often something comes that came then and then. */
export function rhythm(before: string | undefined, last: string): ScheduleType {
  if (!before) return 'MONTHLY';
  const days = Math.round((Date.parse(last) - Date.parse(before)) / DAY_MS);
  if (days <= 1) return 'DAILY';
  if (days <= 8) return 'WEEKLY';
  return days <= 16 ? 'EVERY_OTHER_WEEK' : 'MONTHLY';
}

const STEP_DAYS: Partial<Record<ScheduleType, number>> = { DAILY: 1, WEEKLY: 7, EVERY_OTHER_WEEK: 14 };

/** The first time after now at which something comes again. */
export function later(last: string, schedule: ScheduleType, now: string): string {
  const at = new Date(last);
  const days = STEP_DAYS[schedule];
  do {
    if (days === undefined) at.setUTCMonth(at.getUTCMonth() + 1);
    else at.setUTCDate(at.getUTCDate() + days);
  } while (at.getTime() <= Date.parse(now));
  return at.toISOString();
}

export interface Naming {
  account: (id: string) => string;
  rule: (id: string) => string;
  /** The currency of an account. */
  currency: (account: string) => string;
  /** The currency of a rule. */
  currencyOf: (rule: string) => string;
}

/** Several times in words. */
export function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`;
}

const PERIODS: Record<string, string> = {
  PER_TRANSFER: 'each time',
  PER_WEEK: 'a week',
  PER_MONTH: 'a month',
  PER_YEAR: 'a year',
};

/** A limit that cuts what its rule wants. */
export function capWords(cap: Forecast['caps'][number], { rule, currencyOf }: Naming): string {
  const sum = (minor: number) => money(minor, currencyOf(cap.rule_id));
  const period = PERIODS[cap.period] ?? cap.period;
  return `The limit of “${rule(cap.rule_id)}” (${sum(cap.amount_in_cents)} ${period}) cuts ${times(cap.times)}, ${sum(cap.cut)} altogether, first on ${day(cap.first_at)}.`;
}

/** A rule that finds too little, and who took it. */
export function starvedWords(starved: Forecast['starved'][number], names: Naming): string {
  const { rule_id, by_rule_id, account_id, missing, first_at } = starved;
  const own = rule_id === by_rule_id;
  const who = own ? 'it took' : `“${names.rule(by_rule_id)}” takes`;
  return `“${names.rule(rule_id)}” finds too little on ${names.account(account_id)} ${times(starved.times)}, because ${who} from there before: ${money(missing, names.currency(account_id))} missing altogether, first on ${day(first_at)}.`;
}

/** Something that will not work. */
export function failureWords(failure: Forecast['failures'][number], { rule }: Naming): string {
  const { kind, id, error } = failure;
  if (kind === 'rule') return `“${rule(id)}” fails: ${reasonWords(error ?? '')}`;
  if (error === null) return 'A transfer is called off, because nobody approves it in time';
  return `A transfer fails: ${reasonWords(error)}`;
}

/** The whole in a few sentences. */
export function overview(told: Forecast): string {
  const days = told.days.length;
  const runs =
    told.runs === 0
      ? 'no rule runs'
      : told.runs === 1
        ? 'there is one run of a rule'
        : `there are ${told.runs} runs of rules`;
  const transfers = told.transfers === 1 ? 'one transfer completes' : `${told.transfers} transfers complete`;
  const asked =
    told.approvals === 0
      ? ''
      : told.approvals === 1
        ? ' One transfer needs an approval, which is taken as given.'
        : ` ${told.approvals} transfers need an approval, which is taken as given.`;
  const failed =
    told.failed === 0
      ? ' Everything works.'
      : ` ${told.failed === 1 ? 'One thing does' : `${told.failed} things do`} not work.`;
  const cut = told.cut_short ? ' So much happens that it stops early.' : '';
  return `In ${days} days ${runs}, and ${transfers}.${asked}${failed}${cut}`;
}

export interface Series {
  id: string;
  name: string;
  balances: number[];
  end: number;
  lowest: number;
  lowestAt: string;
  /** Its place among all accounts, which gives its colour. */
  nth: number;
}

/** One line for each account, by currency: sums of two currencies share no axis. */
export function series(told: Forecast, currency: (account: string) => string): Map<string, Series[]> {
  const lines = told.accounts.map(({ id, name, lowest_balance, lowest_at }, nth): Series => {
    const balances = told.days.map(({ balances }) => balances[nth] ?? 0);
    const end = balances.at(-1) ?? 0;
    return { id, name, balances, end, lowest: lowest_balance, lowestAt: lowest_at, nth };
  });
  return grouped(lines, ({ id }) => currency(id));
}

/** The days as seconds, which is what the chart counts in. */
export function seconds(told: Forecast): number[] {
  return told.days.map(({ date }) => Date.parse(`${date}T00:00:00Z`) / 1000);
}

/** The last of each week, for those who read rather than look. */
export function weeks(told: Forecast): number[] {
  const indexes = told.days.map((_, index) => index).filter((index) => index % 7 === 6);
  const last = told.days.length - 1;
  return indexes.at(-1) === last || last < 0 ? indexes : [...indexes, last];
}
