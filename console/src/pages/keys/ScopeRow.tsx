// One scope of a key: whether it has it, and for what.

import { useAccounts, useRules } from '../../queries';
import { Button, Field } from '../../ui';
import { Several } from '../events/AboutChooser';
import {
  ANY_PAIR,
  type Choice,
  choiceOf,
  currencyOf,
  type Draft,
  limit,
  type Pair,
  type Scope,
} from './permissions';

interface Props {
  scope: Scope;
  draft: Draft;
  onChange: (draft: Draft) => void;
}

export function ScopeRow({ scope: { scope, words, takes }, draft, onChange }: Props) {
  const choice = choiceOf(draft, scope);
  const put = (some: Partial<Choice>): void =>
    onChange({ ...draft, choices: { ...draft.choices, [scope]: { ...choice, ...some } } });
  return (
    <div className="scope">
      <label className="check">
        <input type="checkbox" checked={choice.on} onChange={() => put({ on: !choice.on })} />
        <span>
          {words} <code className="quiet">{scope}</code>
        </span>
      </label>
      {choice.on && takes === 'pairs' && (
        <Pairs pairs={draft.pairs} onChange={(pairs) => onChange({ ...draft, pairs })} />
      )}
      {choice.on && (takes === 'accounts' || takes === 'rules') && (
        <Which takes={takes} choice={choice} onChange={put} />
      )}
    </div>
  );
}

function Which(props: {
  takes: 'accounts' | 'rules';
  choice: Choice;
  onChange: (some: Partial<Choice>) => void;
}) {
  const { takes, choice, onChange } = props;
  const accounts = useAccounts().data ?? [];
  const rules = useRules().data ?? [];
  const of: [string, string][] =
    takes === 'accounts'
      ? accounts.map(({ id, name, owner_name }) => [id, `${name} (${owner_name})`])
      : rules.map(({ id, nickname }) => [id, nickname]);
  return (
    <div className="scope-of">
      <div className="row">
        <label className="check">
          <input type="radio" checked={choice.all} onChange={() => onChange({ all: true })} />
          all {takes}, also those to come
        </label>
        <label className="check">
          <input type="radio" checked={!choice.all} onChange={() => onChange({ all: false })} />
          only some
        </label>
      </div>
      {!choice.all && (
        <Several
          label={`Which ${takes}`}
          none="Choose"
          of={of}
          value={choice.ids}
          onChange={(ids) => onChange({ ids })}
        />
      )}
    </div>
  );
}

function Pairs({ pairs, onChange }: { pairs: readonly Pair[]; onChange: (pairs: readonly Pair[]) => void }) {
  return (
    <div className="scope-of">
      {pairs.map((pair, index) => (
        <PairRow
          // Rows have no identity but their place.
          key={index}
          pair={pair}
          onChange={(pair) => onChange(pairs.with(index, pair))}
          {...(pairs.length > 1 && { onRemove: () => onChange(pairs.toSpliced(index, 1)) })}
        />
      ))}
      <Button onClick={() => onChange([...pairs, ANY_PAIR])}>Another pair</Button>
    </div>
  );
}

function PairRow(props: { pair: Pair; onChange: (pair: Pair) => void; onRemove?: () => void }) {
  const { pair, onChange, onRemove } = props;
  const accounts = useAccounts().data ?? [];
  const currency = currencyOf(pair, accounts);
  const named = pair.source !== '*' || pair.target !== '*';
  const unit = currency === null ? 'minor units' : named ? currency : 'the accounts’ currency';
  const faulty = (text: string): string | false => limit(text, currency) === null && 'Such as 50.00';
  const end = (label: string, value: string, put: (id: string) => void) => (
    <Field label={label}>
      {(id) => (
        <select id={id} value={value} onChange={(event) => put(event.target.value)}>
          <option value="*">Any account</option>
          {accounts.map(({ id, name, owner_name }) => (
            <option key={id} value={id}>
              {name} ({owner_name})
            </option>
          ))}
        </select>
      )}
    </Field>
  );
  return (
    <div className="pair">
      {end('From', pair.source, (source) => onChange({ ...pair, source }))}
      {end('To', pair.target, (target) => onChange({ ...pair, target }))}
      <Field label={`At most, in ${unit}`} hint={faulty(pair.max)}>
        {(id) => (
          <input
            id={id}
            inputMode="decimal"
            placeholder="no limit"
            value={pair.max}
            onChange={(event) => onChange({ ...pair, max: event.target.value })}
          />
        )}
      </Field>
      <Field label={`Ask a person above, in ${unit}`} hint={faulty(pair.approval)}>
        {(id) => (
          <input
            id={id}
            inputMode="decimal"
            placeholder="never"
            value={pair.approval}
            onChange={(event) => onChange({ ...pair, approval: event.target.value })}
          />
        )}
      </Field>
      {onRemove && (
        <button type="button" className="cross" aria-label="Without this pair" onClick={onRemove}>
          ×
        </button>
      )}
    </div>
  );
}
