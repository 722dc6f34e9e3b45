// Rules in plain words. Pure, so that every kind of trigger, condition and action can be tested.

import type { Schemas } from '../../api/client';
import { money } from '../../money';
import { clock, day } from '../../time';

export type Trigger = Schemas['RuleTrigger'];
export type Conditions = Schemas['RuleConditions'];
export type Condition = Schemas['RuleCondition'];
export type Action = Schemas['RuleAction'];
export type Limit = Schemas['RuleLimit'];
export type Step = Schemas['RuleStep'];

/** What words need beside the rule: the names of accounts, and the currency that all of them are in. */
export interface Known {
  name: (account: string) => string;
  currency: string;
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** 1 as `1st`. */
export function nth(number: number): string {
  const teen = number % 100 > 10 && number % 100 < 14;
  const end = teen ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `${number}${end}`;
}

/** When a rule runs. */
export function triggerWords(trigger: Trigger, { name }: Known): string {
  const account = trigger.account_id ? name(trigger.account_id) : null;
  switch (trigger.type) {
    case 'ON_FUNDS_TRANSFERRED':
      return `When money arrives on ${account ?? 'its account'}`;
    case 'MANUAL':
      return 'When somebody triggers it';
    case 'SCHEDULED':
      return scheduleWords(trigger.schedule_type, trigger.start_date);
  }
}

/** `Every Monday at 09:00`, in UTC. */
export function scheduleWords(kind: Trigger['schedule_type'], start: string | undefined): string {
  if (!start) return 'By a schedule';
  const at = new Date(start);
  const time = `at ${clock(start).slice(0, 5)} UTC`;
  const weekday = WEEKDAYS[at.getUTCDay()] ?? '';
  const date = at.getUTCDate();
  switch (kind) {
    case 'ONE_TIME':
      return `Once, on ${day(start)} ${time}`;
    case 'DAILY':
      return `Every day ${time}`;
    case 'WEEKLY':
      return `Every ${weekday} ${time}`;
    case 'EVERY_OTHER_WEEK':
      return `Every other ${weekday} (even weeks of the year) ${time}`;
    case 'BI_WEEKLY':
      return `On the 1st and the 15th of every month ${time}`;
    case 'MONTHLY':
      return `On the ${nth(date)} of every month${date > 28 ? ' (or its last day)' : ''} ${time}`;
    default:
      return 'By a schedule';
  }
}

const OPERATORS: Record<Condition['operator'], string> = {
  EQUALS: 'is',
  NOT_EQUALS: 'is not',
  GREATER_THAN: 'is more than',
  LESS_THAN: 'is less than',
  GREATER_THAN_OR_EQUAL: 'is at least',
  LESS_THAN_OR_EQUAL: 'is at most',
};

const DATES: Record<Condition['operator'], string> = {
  ...OPERATORS,
  GREATER_THAN: 'is after',
  LESS_THAN: 'is before',
};

export function operatorWords(operator: string, dates = false): string {
  const words: Record<string, string> = dates ? DATES : OPERATORS;
  return words[operator] ?? operator;
}

/** One comparison. */
export function conditionWords(condition: Condition, known: Known): string {
  const { fact, operator, value, value_fact: other, params } = condition;
  const account = params?.account_id ?? null;
  // With one account only, it is that of the left side if that is a balance.
  const right = params?.value_account_id ?? (fact === 'BALANCE' ? null : account);
  const left = factWords(fact, fact === 'BALANCE' ? account : null, known);
  const dates = fact === 'DATE';
  const against = other
    ? factWords(other, right, known)
    : dates
      ? `the ${nth(value ?? 0)}`
      : money(value ?? 0, known.currency);
  return `${left} ${operatorWords(operator, dates)} ${against}`;
}

export function factWords(fact: string, account: string | null, { name }: Known): string {
  const whose = account ? name(account) : 'the account of the trigger';
  switch (fact) {
    case 'TRANSFER_AMOUNT':
      return 'what came in';
    case 'BALANCE':
      return `the balance of ${whose}`;
    case 'DATE':
      return 'the day of the month';
    case 'LAST_DAY_OF_MONTH':
      return 'the last day of the month';
    case 'NEXT_PAYMENT_MINIMUM_AMOUNT':
      return `the next minimum payment of ${whose}`;
    case 'LAST_STATEMENT_BALANCE':
      return `the last statement of ${whose}`;
    default:
      return fact;
  }
}

const PERIODS: Record<Limit['period'], string> = {
  PER_TRANSFER: 'each time',
  PER_WEEK: 'a week',
  PER_MONTH: 'a month',
  PER_YEAR: 'a year',
};

/** `at most $500.00 a month`. */
export function limitWords({ period, amount_in_cents }: Limit, currency: string): string {
  return `at most ${money(amount_in_cents, currency)} ${PERIODS[period]}`;
}

/** How much an action moves. */
export function actionWords(action: Action, known: Known): string {
  const amount = money(action.amount_in_cents ?? 0, known.currency);
  const to = action.destination ? known.name(action.destination.id) : 'the account';
  switch (action.type) {
    case 'fixed_amount':
      return amount;
    case 'percentage':
      return shareWords(action);
    case 'top_up':
      return `fills ${action.destination ? to : 'it'} up to ${targetWords(action, known)}`;
    case 'round_down':
      return `what is above a multiple of ${amount}`;
    case 'next_payment_minimum':
      return `the next minimum payment of ${to}`;
    case 'total_amount_due':
      return `all that is owed on ${to}`;
    case 'last_statement_balance':
      return `the last statement's balance of ${to}`;
    case 'percentage_liability_balance':
      return `${action.percentage_value ?? 0} % of what is owed on ${to}`;
    case 'avalanche':
      return `${budgetWords(action, known)} to debts, the highest rate first`;
    case 'snowball':
      return `${budgetWords(action, known)} to debts, the smallest first`;
    case 'queried_amount':
      return 'what your server answers when it is asked';
  }
}

function shareWords({ percentage_value, percentage_target }: Action): string {
  const of = percentage_target === 'SOURCE_ACCOUNT' ? 'what the source has' : 'what came in';
  return `${percentage_value ?? 0} % of ${of}`;
}

function budgetWords(action: Action, { currency }: Known): string {
  const minor = action.amount_in_cents ?? null;
  return minor === null ? shareWords(action) : money(minor, currency);
}

function targetWords(action: Action, { name, currency }: Known): string {
  if (action.next_payment_minimum_account) {
    return `the next minimum payment of ${name(action.next_payment_minimum_account.id)}`;
  }
  if (action.current_balance_account) return `the balance of ${name(action.current_balance_account.id)}`;
  if (action.last_statement_balance_account) {
    return `the last statement of ${name(action.last_statement_balance_account.id)}`;
  }
  return money(action.amount_in_cents ?? 0, currency);
}

/** What else is said of an action. Its limit is told with its group. */
export function actionNotes(action: Action): string[] {
  const notes: string[] = [];
  if (action.up_to_enabled) notes.push('moves what there is when the source is short');
  if (action.type === 'round_down') {
    notes.push('or keeps that amount, if the tenant rounded by BUFFER when this was written');
  }
  if (action.is_direct_deposit) notes.push('direct deposit');
  if (action.ach_description) notes.push(`described as “${action.ach_description}”`);
  return notes;
}

/** What a step begins with: only the first step whose conditions hold is taken. */
export function stepOpening(index: number, { conditions }: Step): string {
  if (index === 0) return conditions ? 'If' : 'Always';
  return conditions ? 'Otherwise, if' : 'Otherwise';
}

export interface Group {
  index: number;
  limit: Limit | null;
  actions: { action: Action; index: number }[];
}

/** The groups of a step in the order in which they are taken; places are those in the rule. */
export function groups({ actions }: Step): Group[] {
  const found = new Map<number, Group>();
  actions.forEach((action, index) => {
    const number = action.group_index ?? 0;
    const group = found.get(number) ?? { index: number, limit: null, actions: [] };
    group.limit ??= action.limit ?? null;
    group.actions.push({ action, index });
    found.set(number, group);
  });
  return [...found.values()].toSorted((a, b) => a.index - b.index);
}

/** One line for a list: what moves where. */
export function summary(steps: readonly Step[], known: Known): string {
  const parts = steps.flatMap(({ actions }) =>
    actions.map((action) => {
      const words = actionWords(action, known);
      const to = action.destination ? known.name(action.destination.id) : null;
      return to && !words.includes(to) ? `${words} to ${to}` : words;
    }),
  );
  const more = parts.length > 3 ? `, and ${parts.length - 3} more` : '';
  return parts.slice(0, 3).join(', ') + more;
}

/** Every account that a rule speaks of. */
export function accountsOf(rule: { trigger: Trigger; steps: readonly Step[] }): string[] {
  const ids = rule.steps.flatMap(({ actions }) =>
    actions.flatMap(({ source, destination, liabilities }) => [
      source?.id,
      destination?.id,
      ...(liabilities ?? []).map(({ id }) => id),
    ]),
  );
  const all = [rule.trigger.account_id, ...ids].filter((id) => typeof id === 'string');
  return [...new Set(all)];
}

/** Why an action or a run did not do what it was to do. Codes are those of the server. */
const REASONS: Record<string, string> = {
  NOTHING_TO_MOVE: 'there was nothing to move',
  NOTHING_CAME_IN: 'it is a share of what came in, and nothing is known to have come in',
  CAP_REACHED: 'its limit has less than 1.00 left',
  SOURCE_EMPTY: 'the source has less than 1.00',
  PARTS_TOO_SMALL: 'each part is less than 1.00',
  INSUFFICIENT_FUNDS: 'the source has too little',
  TRANSFER_AMOUNT_LESS_THAN_ONE_DOLLAR: 'the amount is less than 1.00',
  NULL_BALANCE: 'the balance of an account is not known',
  ACCOUNT_NO_MINIMUM_PAYMENT_AMOUNT: 'the next minimum payment is not known',
  ACCOUNT_NO_LAST_STATEMENT_BALANCE: 'the last statement is not known',
  RESOURCE_DELETED: 'an account does not exist any more',
  PAYMENT_NOT_SUPPORTED: 'an account does not take part in transfers',
  PAYMENT_FAILED: 'the payment failed',
  AMOUNT_QUERY_UNANSWERED: 'the amount was asked for and not answered',
  RULE_DEACTIVATED: 'the rule is off',
  RULE_DELETED: 'the rule is deleted',
  RULE_CASCADE_TOO_LONG: 'too many rules set each other off',
};

/** A code in words; one that is not known as it is. */
export function reasonWords(code: string): string {
  return REASONS[code] ?? code.toLowerCase().replaceAll('_', ' ');
}
