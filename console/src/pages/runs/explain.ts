// How a run came about, in words. Pure.

import type { Execution, Rule, Schemas, Transfer } from '../../api/client';
import { money } from '../../money';
import { when } from '../../time';
import { type Action, factWords, type Known, nth, operatorWords, reasonWords } from '../rules/words';

type Explained = Schemas['RuleExplanation'];
export type ActionSeen = Explained['actions'][number];
export type ConditionSeen = Explained['conditions'][number];
type Term = ActionSeen['terms'][number];

const PAYS_DEBTS = new Set(['avalanche', 'snowball']);

const TERMS: Record<string, string> = {
  incoming_amount: 'came in',
  source_balance: 'on the source',
  destination_balance: 'on the destination',
  arriving: 'on its way there',
  target: 'to be reached',
  amount: 'the rule’s own amount',
  owed: 'owed',
  minimum_payment: 'minimum payment',
  last_statement: 'on the last statement',
  answer: 'answered by your server',
  budget: 'to be spread',
};

/** One number that an amount was reckoned from. */
export function termWords(term: Term, { name, currency }: Known): string {
  if (term.name === 'share') return `${term.percentage_value ?? 0} % of it`;
  const what = TERMS[term.name] ?? term.name.replaceAll('_', ' ');
  const where = term.account_id ? ` (${name(term.account_id)})` : '';
  return `${money(term.amount_in_cents ?? 0, currency)} ${what}${where}`;
}

/** A condition with both numbers that it saw. */
export function conditionSeenWords(seen: ConditionSeen, known: Known, account: string | null): string {
  const dates = seen.fact === 'DATE';
  const number = (value: number | null): string =>
    value === null ? 'not known' : dates ? `the ${nth(value)}` : money(value, known.currency);
  const left = `${factWords(seen.fact, account, known)} (${number(seen.left)})`;
  const right = seen.value_fact
    ? `${FACTS[seen.value_fact] ?? seen.value_fact} (${number(seen.right)})`
    : number(seen.right);
  return `${left} ${operatorWords(seen.operator, dates)} ${right}`;
}

const FACTS: Record<string, string> = {
  TRANSFER_AMOUNT: 'what came in',
  BALANCE: 'a balance',
  DATE: 'the day of the month',
  LAST_DAY_OF_MONTH: 'the last day of the month',
  NEXT_PAYMENT_MINIMUM_AMOUNT: 'a next minimum payment',
  LAST_STATEMENT_BALANCE: 'a last statement',
};

/** Why it came to what was moved, when that is not all that was wanted. */
export function outcomeWords(seen: ActionSeen): string {
  const { outcome, reason, wanted_in_cents: wanted, allowed_in_cents: allowed, moved_in_cents: moved } = seen;
  switch (outcome) {
    case 'skipped':
    case 'failed':
      return reason ? reasonWords(reason) : '';
    case 'not_reached':
      return 'an action before it failed';
    case 'moved': {
      const reasons: string[] = [];
      if (wanted !== null && allowed < wanted) reasons.push('the limit let no more through');
      if (moved < allowed) {
        // Parts of a payment of several debts may be too small to be made.
        reasons.push(
          PAYS_DEBTS.has(seen.type) ? 'the rest is too little or not there' : 'the source had no more',
        );
      }
      return reasons.join('; ');
    }
  }
}

/** What a rule says now about an action that was seen; null when it says something else. */
export function actionOf(seen: ActionSeen, step: number | null, rule: Rule | null): Action | null {
  const action = step === null ? undefined : rule?.steps[step]?.actions[seen.action_index];
  const same =
    action?.type === seen.type &&
    (action.group_index ?? 0) === seen.group_index &&
    (action.source?.id ?? rule?.trigger.account_id) === seen.source_id;
  return same ? action : null;
}

/** Which transfers each action made: they stand in the order of the actions. */
export function transfersOf(run: Execution, transfers: readonly Transfer[]): Map<number, Transfer[]> {
  const byId = new Map(transfers.map((transfer) => [transfer.id, transfer]));
  const left = run.transfer_ids.map((id) => byId.get(id));
  const made = new Map<number, Transfer[]>();
  // One that is not read yet would shift all that follow.
  if (left.some((transfer) => transfer === undefined)) return made;
  let next = 0;
  for (const { action_index, outcome, moved_in_cents: moved } of run.explanation?.actions ?? []) {
    if (outcome !== 'moved') continue;
    const own: Transfer[] = [];
    let sum = 0;
    while (sum < moved && next < left.length) {
      const transfer = left[next];
      if (!transfer) break;
      own.push(transfer);
      sum += transfer.amount;
      next += 1;
    }
    made.set(action_index, own);
  }
  return made;
}

/** What set a run off. */
export function causeWords(run: Execution, currency: string): string {
  const { type, amount_in_cents: amount, scheduled_time: at } = run.trigger_details;
  const sum = amount === null || amount === undefined ? null : money(amount, currency);
  if (run.execution_mode === 'simulation') return sum ? `pretended that ${sum} came in` : 'pretended';
  switch (type) {
    case 'on_funds_transferred':
      return sum ? `${sum} came in` : 'money came in';
    case 'scheduled':
      return at ? `it was time (${when(at)})` : 'it was time';
    case 'manual':
      return sum ? `triggered by hand, as if ${sum} had come in` : 'triggered by hand';
  }
}

export interface Moment {
  at: string;
  text: string;
  state: string | null;
  transfer: string | null;
}

/** What happened when, oldest first. */
export function timeline(run: Execution, transfers: readonly Transfer[], currency: string): Moment[] {
  const simulated = run.execution_mode === 'simulation';
  const moments: Moment[] = [
    {
      at: run.created_at,
      text: simulated ? 'Simulated' : `Set off: ${causeWords(run, currency)}`,
      state: null,
      transfer: null,
    },
  ];
  for (const transfer of transfers) {
    const { id, amount, source, destination, status } = transfer;
    const way = `${source?.name ?? 'outside'} → ${destination?.name ?? 'outside'}`;
    const text = `${money(amount, transfer.currency)} ${way}`;
    const ended = transfer.completed_at ?? transfer.updated_at;
    const atOnce = ended === transfer.created_at && status === 'complete';
    moments.push({
      at: transfer.created_at,
      text: atOnce ? text : `${text}, ordered`,
      state: atOnce || status === 'pending_approval' ? status : null,
      transfer: id,
    });
    if (!atOnce && (transfer.completed_at ?? ended !== transfer.created_at)) {
      moments.push({ at: ended, text, state: status, transfer: id });
    }
  }
  if (run.next_attempt_at) {
    moments.push({ at: run.next_attempt_at, text: 'It is tried again', state: 'scheduled', transfer: null });
  }
  return moments.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** What a run came to, in one sentence. */
export function resultWords(run: Execution, currency: string): string {
  const actions = run.explanation?.actions ?? [];
  const moved = actions.reduce((sum, action) => sum + action.moved_in_cents, 0);
  const would = run.execution_mode === 'simulation';
  if (run.conditions_not_met) return 'No step’s conditions held, so nothing moved.';
  if (!run.explanation) return run.error_message ?? 'It has not run yet.';
  const times = actions.filter(({ outcome }) => outcome === 'moved').length;
  if (moved === 0) {
    return would ? 'It would move nothing.' : 'It moved nothing.';
  }
  const actionsText = times === 1 ? 'one action' : `${times} actions`;
  return `It ${would ? 'would move' : 'ordered'} ${money(moved, currency)} in ${actionsText}.`;
}
