// The answer: in one sentence, as lines, and what will not go as wished.

import { useCallback, useMemo } from 'react';
import { Link } from 'react-router';

import { useKnownAccounts, useRules } from '../../queries';
import { useTenant } from '../../tenant';
import { day } from '../../time';
import { Amount, Panel, When } from '../../ui';
import { accountsOf } from '../rules/words';
import { BalanceChart } from './BalanceChart';
import {
  capWords,
  failureWords,
  type Forecast,
  type Naming,
  overview,
  seconds,
  series,
  type Series,
  starvedWords,
  weeks,
} from './forecast';

function useNaming(): Naming {
  const accounts = useKnownAccounts();
  const rules = useRules();
  const rule = useCallback((id: string) => rules.data?.find((one) => one.id === id), [rules.data]);
  return useMemo(
    () => ({
      account: accounts.name,
      rule: (id) => rule(id)?.nickname ?? id,
      currency: (account) => accounts.currency([account]),
      currencyOf: (id) => {
        const found = rule(id);
        return accounts.currency(found ? accountsOf(found) : []);
      },
    }),
    [accounts, rule],
  );
}

export function Told({ told }: { told: Forecast }) {
  const tenant = useTenant().id;
  const names = useNaming();
  const days = useMemo(() => seconds(told), [told]);
  const charts = useMemo(() => [...series(told, names.currency)], [told, names]);
  const [first] = told.failures;
  return (
    <>
      <Panel title="What the balances will be">
        <p className="fine">{overview(told)}</p>
        {charts.map(([currency, lines]) => (
          <BalanceChart key={currency} days={days} lines={lines} currency={currency} />
        ))}
        <details>
          <summary>Week by week, as a table</summary>
          {charts.map(([currency, lines]) => (
            <Weeks key={currency} told={told} lines={lines} currency={currency} />
          ))}
        </details>
      </Panel>
      <div className="columns">
        <Panel title="What will not work">
          {first ? (
            <>
              <p className="fine">
                First on <strong>{day(first.at)}</strong>: {failureWords(first, names)}.
              </p>
              <ul className="outlook">
                {told.failures.map((failure) => (
                  <li key={`${failure.at} ${failure.id}`}>
                    <When at={failure.at} />
                    <Link to={`/${tenant}/${failure.kind === 'rule' ? 'rules' : 'transfers'}/${failure.id}`}>
                      {failureWords(failure, names)}
                    </Link>
                  </li>
                ))}
              </ul>
              {told.failed > told.failures.length && (
                <p className="quiet fine">and {told.failed - told.failures.length} more.</p>
              )}
            </>
          ) : (
            <p className="quiet fine">Nothing fails.</p>
          )}
        </Panel>
        <Panel title="Limits that cut">
          <Sentences
            of={told.caps.map((cap) => ({ rule: cap.rule_id, text: capWords(cap, names) }))}
            none="No limit is reached."
          />
        </Panel>
        <Panel title="Rules that find too little">
          <Sentences
            of={told.starved.map((starved) => ({
              rule: starved.rule_id,
              text: starvedWords(starved, names),
            }))}
            none="No rule takes from another what it needs."
          />
        </Panel>
      </div>
    </>
  );
}

function Sentences({ of, none }: { of: { rule: string; text: string }[]; none: string }) {
  const tenant = useTenant().id;
  if (of.length === 0) return <p className="quiet fine">{none}</p>;
  return (
    <ul className="outlook">
      {of.map(({ rule, text }) => (
        <li key={text}>
          {text} <Link to={`/${tenant}/rules/${rule}`}>The rule</Link>
        </li>
      ))}
    </ul>
  );
}

function Weeks({ told, lines, currency }: { told: Forecast; lines: Series[]; currency: string }) {
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            <th scope="col">End of</th>
            {lines.map(({ id, name }) => (
              <th key={id} scope="col" className="right">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks(told).map((index) => (
            <tr key={index}>
              <td>{day(told.days[index]?.date ?? '')}</td>
              {lines.map(({ id, balances }) => (
                <td key={id} className="right">
                  <Amount minor={balances[index] ?? 0} currency={currency} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
