// From a template to a rule: what it wants, then the rule in words, then on.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';

import { type Account, api, ask, type Rule } from '../../api/client';
import { useTenant } from '../../tenant';
import { Button, Dialog, Field, Refusal } from '../../ui';
import { FindingList } from '../rules/Findings';
import { useSwitch } from '../rules/RuleSwitch';
import { RuleWords } from '../rules/RuleWords';
import { Lines } from './Lines';
import { body, type Filling, guess, sources, targets, type Template } from './templates';

import '../rules/rules.css';

interface Props {
  template: Template;
  accounts: Account[];
  onClose: () => void;
}

export function TemplateDialog({ template, accounts, onClose }: Props) {
  const [made, setMade] = useState<Rule | null>(null);
  return (
    <Dialog title={made ? `“${made.nickname}” is made` : template.title} wide onClose={onClose}>
      {made ? (
        <Made rule={made} onClose={onClose} />
      ) : (
        <Form template={template} accounts={accounts} onClose={onClose} onMade={setMade} />
      )}
    </Dialog>
  );
}

function Form({ template, accounts, onClose, onMade }: Props & { onMade: (rule: Rule) => void }) {
  const tenant = useTenant();
  const queries = useQueryClient();
  const from = sources(template, accounts);
  const likely = (account: Account) => targets(template, account, accounts).length > 0;
  const first =
    from.find((account) => account.type === 'income_source' && likely(account)) ??
    from.find(likely) ??
    from[0];
  const [filling, setFilling] = useState<Filling>(() => guess(template, first, accounts, tenant.now));
  const source = from.find(({ id }) => id === filling.source);
  const to = source ? targets(template, source, accounts) : [];
  const currency = source?.currency ?? 'USD';
  const ready = body(template, filling, currency);
  const make = useMutation({
    mutationFn: (facts: Record<string, unknown>): Promise<Rule> =>
      ask(
        api.POST('/tenants/{tenant}/rules/from-template', {
          params: { path: { tenant: tenant.id } },
          body: facts as never,
        }),
      ),
    onSuccess: async (rule) => {
      onMade(rule);
      await queries.invalidateQueries({ queryKey: ['rules'] });
    },
  });
  const change = (part: Partial<Filling>) => setFilling((was) => ({ ...was, ...part }));
  const owners = Map.groupBy(from, ({ owner_name }) => owner_name);
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        if ('body' in ready) make.mutate(ready.body);
      }}
    >
      <p className="about">{template.about}</p>
      <Field label={template.timed ? 'From' : 'When money arrives on'}>
        {(id) => (
          <select
            id={id}
            value={filling.source}
            onChange={({ target }) => {
              const chosen = from.find((account) => account.id === target.value);
              const { lines } = guess(template, chosen, accounts, tenant.now);
              change({ source: target.value, lines });
            }}
          >
            {[...owners].map(([owner, accounts]) => (
              <optgroup key={owner} label={owner}>
                {accounts.map((account) => (
                  <option key={account.id} value={account.id}>
                    {account.name} ({account.currency})
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        )}
      </Field>
      <Lines template={template} to={to} lines={filling.lines} onLines={(lines) => change({ lines })} />
      <div className="row">
        {template.amount && (
          <Field label={`${template.amount} (${currency})`}>
            {(id) => (
              <input
                id={id}
                inputMode="decimal"
                value={filling.amount}
                onChange={({ target }) => change({ amount: target.value })}
              />
            )}
          </Field>
        )}
        {template.timed && (
          <Field label="First on (UTC)">
            {(id) => (
              <input
                id={id}
                type="datetime-local"
                value={filling.start}
                onChange={({ target }) => change({ start: target.value })}
              />
            )}
          </Field>
        )}
        <Field label="Name">
          {(id) => (
            <input
              id={id}
              maxLength={100}
              placeholder={template.title}
              value={filling.nickname}
              onChange={({ target }) => change({ nickname: target.value })}
            />
          )}
        </Field>
      </div>
      <Refusal error={make.error} />
      <footer className="dialog-foot">
        {'missing' in ready && <span className="quiet missing">{ready.missing}</span>}
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="primary" type="submit" disabled={'missing' in ready} busy={make.isPending}>
          Make the rule
        </Button>
      </footer>
    </form>
  );
}

function Made({ rule, onClose }: { rule: Rule; onClose: () => void }) {
  const tenant = useTenant().id;
  const navigate = useNavigate();
  const switching = useSwitch(rule.id);
  const look = () => void navigate(`/${tenant}/rules/${rule.id}`);
  const on = switching.isSuccess;
  return (
    <>
      <RuleWords rule={rule} />
      {(rule.warnings ?? []).length > 0 && <FindingList findings={rule.warnings ?? []} />}
      <p className="notice" role="status">
        {on
          ? 'It is on, and moves money by itself from now on.'
          : 'It is off: nothing moves until you switch it on.'}
      </p>
      <Refusal error={switching.error} />
      <footer className="dialog-foot">
        <Button onClick={onClose}>Close</Button>
        <Button kind={on ? 'primary' : 'plain'} onClick={look}>
          {on ? 'Look at it' : 'Look at it first'}
        </Button>
        {!on && (
          <Button kind="primary" busy={switching.isPending} onClick={() => switching.mutate(true)}>
            Switch it on
          </Button>
        )}
      </footer>
    </>
  );
}
