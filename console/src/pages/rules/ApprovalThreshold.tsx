// Above which amount a person has to let a rule's transfers go.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, ask, type Rule } from '../../api/client';
import { money, parseFromZero } from '../../money';
import { useKnownAccounts } from '../../queries';
import { useTenant } from '../../tenant';
import { Button, Field, Panel, Refusal } from '../../ui';
import { accountsOf } from './words';

export function ApprovalThreshold({ rule }: { rule: Rule }) {
  const tenant = useTenant().id;
  const currency = useKnownAccounts().currency(accountsOf(rule));
  const queries = useQueryClient();
  const [text, setText] = useState('');
  const minor = parseFromZero(text, currency);
  const set = useMutation({
    mutationFn: (above: number | null) =>
      ask(
        api.PUT('/tenants/{tenant}/rules/{rule}/approval', {
          params: { path: { tenant, rule: rule.id } },
          body: above === null ? {} : { approval_above: above },
        }),
      ),
    onSuccess: async () => {
      setText('');
      await queries.invalidateQueries({ queryKey: ['rules'] });
    },
  });
  const now = rule.approval_above;
  return (
    <Panel title="Approval">
      <p className="about">
        Transfers above an amount can wait until a person lets them go. The rule keeps this when it is
        changed.
      </p>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (minor !== null) set.mutate(minor);
        }}
      >
        <Field label={`Ask above (${currency})`} hint={text !== '' && minor === null && 'Such as 1,234.50'}>
          {(id) => (
            <input
              id={id}
              className="short"
              inputMode="decimal"
              value={text}
              onChange={({ target }) => setText(target.value)}
            />
          )}
        </Field>
        <Button type="submit" disabled={minor === null} busy={set.isPending}>
          Set
        </Button>
        <Button disabled={set.isPending} onClick={() => set.mutate(null)}>
          Never ask
        </Button>
      </form>
      <p className="fine" role="status">
        {now === null
          ? 'Nobody is asked.'
          : `Transfers of more than ${money(now, currency)} wait for approval.`}
      </p>
      <Refusal error={set.error} />
    </Panel>
  );
}
