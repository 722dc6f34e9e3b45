// A run by hand, and one that is only reckoned.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';

import { api, ask, type Rule } from '../../api/client';
import { parseFromZero } from '../../money';
import { useKnownAccounts } from '../../queries';
import { useTenant } from '../../tenant';
import { Button, Dialog, Field, Refusal } from '../../ui';
import { Explanation } from '../runs/Explanation';
import { accountsOf } from './words';

/** An amount that came in: empty is none, undefined what is no amount. */
function incoming(text: string, currency: string): number | null | undefined {
  if (text.trim() === '') return null;
  return parseFromZero(text, currency) ?? undefined;
}

function IncomingField(props: {
  label: string;
  hint: string;
  text: string;
  wrong: boolean;
  onText: (text: string) => void;
}) {
  return (
    <Field label={props.label} hint={props.wrong ? 'Such as 1,234.50' : props.hint}>
      {(id) => (
        <input
          id={id}
          inputMode="decimal"
          autoFocus
          value={props.text}
          onChange={({ target }) => props.onText(target.value)}
        />
      )}
    </Field>
  );
}

export function TriggerDialog({ rule, onClose }: { rule: Rule; onClose: () => void }) {
  const tenant = useTenant().id;
  const navigate = useNavigate();
  const queries = useQueryClient();
  const currency = useKnownAccounts().currency(accountsOf(rule));
  const [text, setText] = useState('');
  const amount = incoming(text, currency);
  const trigger = useMutation({
    mutationFn: (minor: number | null) =>
      ask(
        api.POST('/tenants/{tenant}/rules/{rule}/trigger', {
          params: { path: { tenant, rule: rule.id } },
          body: minor === null ? {} : { amount_in_cents: minor },
        }),
      ),
    onSuccess: async (run) => {
      void queries.invalidateQueries({ queryKey: ['executions'] });
      await navigate(`/${tenant}/runs/${run.id}`);
    },
  });
  return (
    <Dialog title={`Trigger “${rule.nickname}” now?`} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (amount !== undefined) trigger.mutate(amount);
        }}
      >
        <p className="about">It runs at once, whatever else makes it run, and moves money.</p>
        <IncomingField
          label={`As if so much had come in (${currency})`}
          hint="Left empty: nothing is known to have come in, and shares of it move nothing."
          text={text}
          wrong={amount === undefined}
          onText={setText}
        />
        <Refusal error={trigger.error} />
        <footer className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={amount === undefined} busy={trigger.isPending}>
            Move the money
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

export function SimulateDialog({ rule, onClose }: { rule: Rule; onClose: () => void }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const currency = useKnownAccounts().currency(accountsOf(rule));
  const [text, setText] = useState('1,000.00');
  const amount = incoming(text, currency);
  const simulate = useMutation({
    mutationFn: (minor: number | null) =>
      ask(
        api.POST('/tenants/{tenant}/rules/{rule}/simulate', {
          params: { path: { tenant, rule: rule.id } },
          body: minor === null ? {} : { amount_in_cents: minor },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['executions'] }),
  });
  return (
    <Dialog title={`Simulate “${rule.nickname}”`} wide onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (amount !== undefined) simulate.mutate(amount);
        }}
      >
        <p className="about">Nothing moves and no limit counts it. The rule may be off.</p>
        <div className="row simulate-row">
          <IncomingField
            label={`Pretend that so much came in (${currency})`}
            hint="It is also taken as all that is on the account of the trigger. Empty: as things are."
            text={text}
            wrong={amount === undefined}
            onText={setText}
          />
          <Button kind="primary" type="submit" disabled={amount === undefined} busy={simulate.isPending}>
            Simulate
          </Button>
        </div>
        <Refusal error={simulate.error} />
      </form>
      {simulate.data && <Explanation run={simulate.data} rule={rule} transfers={[]} />}
      <footer className="dialog-foot">
        {simulate.data && (
          <Link className="button" to={`/${tenant}/runs/${simulate.data.id}`}>
            Open as a run
          </Link>
        )}
        <Button onClick={onClose}>Close</Button>
      </footer>
    </Dialog>
  );
}
