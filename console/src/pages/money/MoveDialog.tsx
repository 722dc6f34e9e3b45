// A transfer between two accounts of one owner.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { type Account, api, ask } from '../../api/client';
import { money, parse } from '../../money';
import { useTenant } from '../../tenant';
import { Button, Dialog, Field, Refusal } from '../../ui';

export function MoveDialog(props: { accounts: Account[]; from?: string; onClose: () => void }) {
  const { accounts, onClose } = props;
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const sources = accounts.filter(({ can_be_source, state }) => can_be_source && state === 'active');
  const [from, setFrom] = useState(props.from ?? sources[0]?.id ?? '');
  const [to, setTo] = useState('');
  const [text, setText] = useState('');
  const [note, setNote] = useState('');
  const source = accounts.find(({ id }) => id === from);
  const targets = accounts.filter(
    ({ id, can_be_destination, state, currency }) =>
      id !== from && can_be_destination && state === 'active' && currency === source?.currency,
  );
  const chosen = targets.some(({ id }) => id === to) ? to : '';
  const minor = source ? parse(text, source.currency) : null;
  const move = useMutation({
    mutationFn: (amount: number) =>
      ask(
        api.POST('/tenants/{tenant}/transfers', {
          params: { path: { tenant } },
          body: {
            source_account_id: from,
            destination_account_id: chosen,
            amount_in_cents: amount,
            ...(note && { description: note }),
          },
        }),
      ),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: ['accounts'] });
    },
  });
  return (
    <Dialog title="Move money" onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (minor !== null && chosen) move.mutate(minor);
        }}
      >
        <Field label="From" hint={source && `${money(source.available, source.currency)} available`}>
          {(id) => <Choice id={id} of={sources} value={from} onChange={setFrom} />}
        </Field>
        <Field
          label="To"
          hint={targets.length === 0 && 'No other account of this owner takes this currency.'}
        >
          {(id) => <Choice id={id} of={targets} value={chosen} onChange={setTo} none="Choose an account" />}
        </Field>
        <Field
          label={`Amount in ${source?.currency ?? '…'}`}
          hint={text && minor === null && 'Such as 1,234.50'}
        >
          {(id) => (
            <input
              id={id}
              inputMode="decimal"
              autoFocus
              value={text}
              onChange={(e) => setText(e.target.value)}
            />
          )}
        </Field>
        <Field label="Note">
          {(id) => <input id={id} maxLength={255} value={note} onChange={(e) => setNote(e.target.value)} />}
        </Field>
        <Refusal error={move.error} />
        <footer className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={minor === null || !chosen} busy={move.isPending}>
            Move
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

function Choice(props: {
  id: string;
  of: Account[];
  value: string;
  onChange: (id: string) => void;
  none?: string;
}) {
  return (
    <select id={props.id} value={props.value} onChange={(event) => props.onChange(event.target.value)}>
      {props.none && <option value="">{props.none}</option>}
      {props.of.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}
