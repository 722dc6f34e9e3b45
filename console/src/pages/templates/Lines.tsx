// Where the money of a template goes: one account, or several with shares or rates.

import type { Account } from '../../api/client';
import { Button, Field } from '../../ui';
import { type Line, type Template, together } from './templates';

const LABELS: Record<Template['to'], string> = {
  shares: 'To',
  share: 'To',
  one: 'To',
  liability: 'The card or loan',
  debts: 'Debt',
};

export function Lines(props: {
  template: Template;
  to: readonly Account[];
  lines: Line[];
  onLines: (lines: Line[]) => void;
}) {
  const { template, to, lines, onLines } = props;
  if (to.length === 0) {
    const debts = template.to === 'debts' || template.to === 'liability';
    return (
      <p className="notice">
        {debts ? (
          <>
            This owner has no card or loan in this currency yet:{' '}
            <code>tidegate account create --type external_account --external-type LIABILITY</code>
          </>
        ) : (
          'This owner has no other account in this currency that money can go to.'
        )}
      </p>
    );
  }
  const several = template.to === 'shares' || template.to === 'debts';
  const percent =
    template.to === 'debts'
      ? 'Rate, % a year'
      : template.to === 'share' || template.to === 'shares'
        ? 'Share, %'
        : null;
  const set = (index: number, part: Partial<Line>) =>
    onLines(lines.map((line, nth) => (nth === index ? { ...line, ...part } : line)));
  const sum = template.to === 'shares' ? together(lines) : null;
  return (
    <div className="lines">
      {lines.map((line, index) => (
        <div key={index} className="row">
          <Field label={several ? `${LABELS[template.to]} ${index + 1}` : LABELS[template.to]}>
            {(id) => (
              <select
                id={id}
                value={line.account}
                onChange={({ target }) => set(index, { account: target.value })}
              >
                <option value="">Choose an account</option>
                {to.map((account) => (
                  <option key={account.id} value={account.id}>
                    {account.name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {percent && (
            <Field label={several ? percent.replace(',', ` ${index + 1},`) : percent}>
              {(id) => (
                <input
                  id={id}
                  className="short"
                  inputMode="decimal"
                  value={line.percent}
                  onChange={({ target }) => set(index, { percent: target.value })}
                />
              )}
            </Field>
          )}
          {several && lines.length > 1 && (
            <Button
              aria-label={`Remove line ${index + 1}`}
              onClick={() => onLines(lines.filter((_, nth) => nth !== index))}
            >
              Remove
            </Button>
          )}
        </div>
      ))}
      {several && (
        <div className="actions">
          {lines.length < to.length && (
            <Button onClick={() => onLines([...lines, { account: '', percent: '' }])}>
              {template.to === 'debts' ? 'One more debt' : 'One more account'}
            </Button>
          )}
          {sum !== null && (
            <span className="quiet">
              Together {sum} %{Number(sum) < 100 && '; the rest stays where it arrives'}.
            </span>
          )}
        </div>
      )}
    </div>
  );
}
