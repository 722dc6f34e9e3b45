// All runs of rules, to be looked through.

import { useSearchParams } from 'react-router';

import { useRule, useRules } from '../../queries';
import { Field, Page, Panel } from '../../ui';
import { RunTable } from './RunTable';

const STATES = [
  ['', 'Any'],
  ['in_progress', 'In progress'],
  ['executed', 'Executed'],
  ['partial', 'Partly failed'],
  ['failed', 'Failed'],
] as const;

const MODES = [
  ['', 'Live and simulated'],
  ['live', 'Live'],
  ['simulation', 'Simulated'],
] as const;

export function RunList() {
  const [query, setQuery] = useSearchParams();
  const rules = useRules();
  const chosen = query.get('rule') ?? '';
  // A deleted rule is in no list, but its runs are here.
  const one = useRule(chosen);
  const listed = rules.data ?? [];
  const choices = one.data && !listed.some(({ id }) => id === chosen) ? [...listed, one.data] : listed;
  const choose = (name: string, value: string) =>
    setQuery((was) => {
      if (value) was.set(name, value);
      else was.delete(name);
      return was;
    });
  const status = query.get('status') ?? '';
  const mode = query.get('mode') ?? '';
  return (
    <Page
      title="Runs"
      about="Every run of a rule, live or simulated, newest first. Each can be looked at number by number."
    >
      <div className="row">
        <Field label="Rule">
          {(id) => (
            <select id={id} value={chosen} onChange={({ target }) => choose('rule', target.value)}>
              <option value="">All rules</option>
              {choices.map((rule) => (
                <option key={rule.id} value={rule.id}>
                  {rule.nickname}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Choice label="State" of={STATES} value={status} onChange={(value) => choose('status', value)} />
        <Choice label="Kind" of={MODES} value={mode} onChange={(value) => choose('mode', value)} />
      </div>
      <Panel>
        <RunTable
          withRule
          limit={50}
          filter={{
            ...(chosen && { rule_id: chosen }),
            ...(status && { status }),
            ...(mode && { execution_mode: mode }),
          }}
          empty={
            chosen || status || mode ? (
              'No run is like that.'
            ) : (
              <>
                No rule has run yet. Switch one on and let pay arrive:{' '}
                <code>tidegate simulate paycheck --account ACC --amount 250000</code>, or try one:{' '}
                <code>tidegate rule simulate RULE --amount 250000</code>.
              </>
            )
          }
        />
      </Panel>
    </Page>
  );
}

function Choice(props: {
  label: string;
  of: readonly (readonly [string, string])[];
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <Field label={props.label}>
      {(id) => (
        <select id={id} value={props.value} onChange={({ target }) => props.onChange(target.value)}>
          {props.of.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
