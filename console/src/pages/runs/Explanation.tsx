// A run, number by number: what was seen, what was wanted, what was let through, what moved.

import { Link } from 'react-router';

import type { Execution, Rule, Transfer } from '../../api/client';
import { useKnownAccounts } from '../../queries';
import { useTenant } from '../../tenant';
import { Amount, Refusal, State, Table, When } from '../../ui';
import { AccountLink } from '../rules/RuleWords';
import { actionWords, type Condition, type Conditions, limitWords } from '../rules/words';
import {
  actionOf,
  type ActionSeen,
  conditionSeenWords,
  outcomeWords,
  resultWords,
  termWords,
  transfersOf,
} from './explain';

import './runs.css';

interface Props {
  run: Execution;
  /** As it is now, if it can be read. */
  rule: Rule | null;
  transfers: readonly Transfer[];
}

export function Explanation({ run, rule, transfers }: Props) {
  const accounts = useKnownAccounts();
  const explained = run.explanation;
  const ids = (explained?.actions ?? []).map(({ source_id }) => source_id);
  const currency = accounts.currency([...ids, rule?.trigger.account_id ?? '']);
  const known = { name: accounts.name, currency };
  const made = transfersOf(run, transfers);
  const sum = (minor: number | null) =>
    minor === null ? <span className="quiet">not known</span> : <Amount minor={minor} currency={currency} />;
  return (
    <div className="explanation">
      <p className="result">
        <State of={run.status} /> <strong>{resultWords(run, currency)}</strong>
        {explained && explained.step_index !== null && (
          <span className="quiet">Step {explained.step_index + 1} was taken.</span>
        )}
      </p>
      {run.error_message && <Refusal error={new Error(run.error_message)} />}
      {explained && explained.conditions.length > 0 && (
        <section>
          <h3>Conditions</h3>
          <ul className="seen">
            {explained.conditions.map((seen) => (
              <li key={seen.path} className={seen.holds ? 'holds' : ''}>
                <span className="seen-mark" aria-label={seen.holds ? 'holds' : 'does not hold'}>
                  {seen.holds ? '✓' : '✗'}
                </span>
                <span>{conditionSeenWords(seen, known, accountOf(rule, seen.path))}</span>
                <small className="quiet">step {Number(/\[(\d+)\]/.exec(seen.path)?.[1] ?? 0) + 1}</small>
              </li>
            ))}
          </ul>
        </section>
      )}
      {explained && explained.actions.length > 0 && (
        <section>
          <h3>Actions, in the order in which they were taken</h3>
          <Table
            rows={explained.actions}
            id={({ action_index }) => String(action_index)}
            empty="None."
            columns={[
              {
                name: 'Action',
                cell: (seen) => {
                  const action = actionOf(seen, explained.step_index, rule);
                  return (
                    <div className="rule-name">
                      <strong>{action ? actionWords(action, known) : seen.type.replaceAll('_', ' ')}</strong>
                      <small>
                        <AccountLink id={seen.source_id} name={known.name(seen.source_id)} /> →{' '}
                        <Destinations
                          made={made.get(seen.action_index) ?? []}
                          now={destinations(action)}
                          name={known.name}
                        />
                      </small>
                    </div>
                  );
                },
              },
              {
                name: 'Reckoned from',
                cell: ({ terms }) => (
                  <ul className="terms">
                    {terms.map((term, index) => (
                      <li key={index}>{termWords(term, known)}</li>
                    ))}
                  </ul>
                ),
              },
              { name: 'Wanted', right: true, cell: ({ wanted_in_cents }) => sum(wanted_in_cents) },
              { name: 'Allowed', right: true, cell: ({ allowed_in_cents }) => sum(allowed_in_cents) },
              { name: 'Spendable', right: true, cell: ({ spendable_in_cents }) => sum(spendable_in_cents) },
              {
                name: 'Moved',
                right: true,
                cell: ({ moved_in_cents }) => <strong>{sum(moved_in_cents)}</strong>,
              },
              { name: 'Why', cell: (seen) => <Why seen={seen} /> },
            ]}
          />
          <p className="about">
            Wanted is what the action asked for, allowed what its limit let through of that, spendable what
            the source had right before.
          </p>
        </section>
      )}
      {explained && explained.caps.length > 0 && (
        <section>
          <h3>Limits</h3>
          <Table
            rows={explained.caps}
            id={({ group_index }) => String(group_index)}
            empty="None."
            columns={[
              { name: 'Group', cell: ({ group_index }) => group_index },
              { name: 'Limit', cell: ({ limit }) => limitWords(limit, currency) },
              { name: 'Counted since', cell: ({ since }) => since ?? 'this run' },
              { name: 'Before', right: true, cell: ({ used_before_in_cents }) => sum(used_before_in_cents) },
              { name: 'After', right: true, cell: ({ used_after_in_cents }) => sum(used_after_in_cents) },
            ]}
          />
        </section>
      )}
      {explained && explained.shortfalls.length > 0 && (
        <section>
          <h3>Money that was missing</h3>
          <ul className="seen">
            {explained.shortfalls.map(({ action_index, account_id, wanted_in_cents, spendable_in_cents }) => (
              <li key={action_index}>
                Action {action_index + 1} wanted <Amount minor={wanted_in_cents} currency={currency} /> from{' '}
                {known.name(account_id)}, which had <Amount minor={spendable_in_cents} currency={currency} />.
              </li>
            ))}
          </ul>
        </section>
      )}
      {run.next_attempt_at && (
        <p className="notice">
          It waits, and is tried again at <When at={run.next_attempt_at} />.
        </p>
      )}
    </div>
  );
}

function Why({ seen }: { seen: ActionSeen }) {
  const words = outcomeWords(seen);
  return (
    <div className="why">
      <State of={seen.outcome} /> {words}
    </div>
  );
}

interface Named {
  id: string;
}

function destinations(action: ReturnType<typeof actionOf>): Named[] {
  if (!action) return [];
  return action.destination ? [action.destination] : (action.liabilities ?? []);
}

/** Where it went, as its transfers say; without any, where the rule says. */
function Destinations(props: { made: Transfer[]; now: Named[]; name: (id: string) => string }) {
  const tenant = useTenant().id;
  const { made, now, name } = props;
  if (made.length > 0) {
    return made.map((transfer, index) => (
      <span key={transfer.id}>
        {index > 0 && ', '}
        <Link to={`/${tenant}/transfers/${transfer.id}`}>{transfer.destination?.name ?? 'outside'}</Link>{' '}
        {transfer.status !== 'complete' && <State of={transfer.status} />}
      </span>
    ));
  }
  if (now.length === 0) return <span className="quiet">not said any more</span>;
  return now.map(({ id }) => name(id)).join(', ');
}

/** The account of a condition that was seen at a path, as the rule says now. */
function accountOf(rule: Rule | null, path: string): string | null {
  const step = Number(/^steps\[(\d+)\]/.exec(path)?.[1] ?? 0);
  let node: Conditions | undefined = rule?.steps[step]?.conditions ?? undefined;
  for (const [, kind, index] of path.matchAll(/\.(any|all)\[(\d+)\]/g)) {
    node = kind === 'any' ? node?.any?.[Number(index)] : node?.all?.[Number(index)];
  }
  const condition: Condition | undefined = node?.condition;
  return condition?.fact === 'BALANCE' ? (condition.params?.account_id ?? null) : null;
}
