// A whole rule, in words that need no manual.

import { Link } from 'react-router';

import { useKnownAccounts } from '../../queries';
import { useTenant } from '../../tenant';
import {
  accountsOf,
  type Action,
  actionNotes,
  actionWords,
  type Conditions,
  conditionWords,
  groups,
  type Known,
  limitWords,
  type Step,
  stepOpening,
  type Trigger,
  triggerWords,
} from './words';

export function RuleWords({ rule }: { rule: { trigger: Trigger; steps: readonly Step[] } }) {
  const accounts = useKnownAccounts();
  const known = { name: accounts.name, currency: accounts.currency(accountsOf(rule)) };
  const { trigger, steps } = rule;
  return (
    <div className="rule-words">
      <p className="rule-trigger">
        <strong>{triggerWords(trigger, known)}</strong>
        {trigger.type !== 'ON_FUNDS_TRANSFERRED' && trigger.account_id && (
          <>
            , from <AccountLink id={trigger.account_id} name={known.name(trigger.account_id)} />
          </>
        )}
      </p>
      <ol className="rule-steps">
        {steps.map((step, index) => (
          <li key={index}>
            <div className="rule-if">
              <span className="rule-word">{stepOpening(index, step)}</span>
              {step.conditions && <Tree of={step.conditions} known={known} />}
            </div>
            <Then step={step} from={trigger.account_id ?? null} known={known} />
          </li>
        ))}
      </ol>
      {steps.length > 1 && (
        <p className="about">
          Only the first step whose conditions hold is taken; without one, nothing moves.
        </p>
      )}
    </div>
  );
}

function Tree({ of, known }: { of: Conditions; known: Known }) {
  if (of.condition) return <span>{conditionWords(of.condition, known)}</span>;
  const branches = of.any ?? of.all ?? [];
  const [only] = branches;
  if (only && branches.length === 1) return <Tree of={only} known={known} />;
  return (
    <div className="rule-tree">
      <span className="quiet">{of.any ? 'any of these holds:' : 'all of these hold:'}</span>
      <ul>
        {branches.map((branch, index) => (
          <li key={index}>
            <Tree of={branch} known={known} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Then({ step, from, known }: { step: Step; from: string | null; known: Known }) {
  const all = groups(step);
  return (
    <div className="rule-groups">
      {all.map(({ index, limit, actions }, nth) => (
        <section key={index}>
          {(all.length > 1 || limit) && (
            <h3>
              {all.length > 1 && (nth === 0 ? 'First' : 'Then, when that is done')}
              {limit && (
                <span className="rule-limit">
                  {actions.length > 1 ? 'together ' : ''}
                  {limitWords(limit, known.currency)}
                </span>
              )}
            </h3>
          )}
          <ul className="rule-actions">
            {actions.map(({ action, index }) => (
              <li key={index}>
                <span className="rule-what">{actionWords(action, known)}</span>
                <span className="rule-way">
                  <Way action={action} from={from} known={known} />
                </span>
                {actionNotes(action).length > 0 && (
                  <small className="quiet">{actionNotes(action).join('; ')}</small>
                )}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Way({ action, from, known }: { action: Action; from: string | null; known: Known }) {
  const source = action.source?.id ?? from;
  const debts = action.liabilities ?? [];
  return (
    <>
      {source && <AccountLink id={source} name={known.name(source)} />}
      {' → '}
      {action.destination && (
        <AccountLink id={action.destination.id} name={known.name(action.destination.id)} />
      )}
      {debts.map(({ id, interest_rate_percentage: rate }, index) => (
        <span key={id}>
          {index > 0 && ', '}
          <AccountLink id={id} name={known.name(id)} />
          {rate !== null && rate !== undefined && ` (${rate} % a year)`}
        </span>
      ))}
    </>
  );
}

/** An account by its name, with a link to it. */
export function AccountLink({ id, name }: { id: string; name: string }) {
  const tenant = useTenant().id;
  return <Link to={`/${tenant}/accounts/${id}`}>{name}</Link>;
}
