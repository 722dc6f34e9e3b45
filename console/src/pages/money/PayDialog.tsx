// Sandbox money from and to the outside.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { type Account, api, ask } from '../../api/client';
import { parse } from '../../money';
import { useTenant } from '../../tenant';
import { Button, Dialog, Field, Refusal } from '../../ui';

const KINDS = [
  ['paycheck', 'Pay arrives'],
  ['check-deposit', 'A check is paid in'],
  ['cashback', 'A reward arrives'],
  ['external-pull', 'Somebody outside draws money'],
] as const;
type Kind = (typeof KINDS)[number][0];

export function PayDialog({ accounts, onClose }: { accounts: Account[]; onClose: () => void }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const own = accounts.filter(({ type, state }) => type !== 'external_account' && state === 'active');
  const income = own.find(({ type }) => type === 'income_source') ?? own[0];
  const [kind, setKind] = useState<Kind>('paycheck');
  const [to, setTo] = useState(income?.id ?? '');
  const [text, setText] = useState('2,500.00');
  const account = own.find(({ id }) => id === to);
  const minor = account ? parse(text, account.currency) : null;
  const pay = useMutation({
    mutationFn: (amount: number) =>
      ask(
        api.POST(`/tenants/{tenant}/simulate/${kind}`, {
          params: { path: { tenant } },
          body: { account_id: to, amount_in_cents: amount },
        }),
      ),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: ['accounts'] });
    },
  });
  return (
    <Dialog title="Money from the outside" onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (minor !== null) pay.mutate(minor);
        }}
      >
        <Field label="What happens">
          {(id) => (
            <select id={id} value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
              {KINDS.map(([name, label]) => (
                <option key={name} value={name}>
                  {label}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Account">
          {(id) => (
            <select id={id} value={to} onChange={(event) => setTo(event.target.value)}>
              {own.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={`Amount in ${account?.currency ?? '…'}`} hint={minor === null && 'Such as 1,234.50'}>
          {(id) => (
            <input id={id} inputMode="decimal" value={text} onChange={(e) => setText(e.target.value)} />
          )}
        </Field>
        <Refusal error={pay.error} />
        <footer className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={minor === null} busy={pay.isPending}>
            Let it happen
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
