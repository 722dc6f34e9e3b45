// A new account, and a new owner if there is to be one.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';

import { api, ask } from '../../api/client';
import { useOwners } from '../../queries';
import { useTenant } from '../../tenant';
import { Button, Dialog, Field, Refusal } from '../../ui';
import { KINDS } from './AccountList';

const OPENED = ['pod', 'income_source', 'external_account'];
const ELSEWHERE = ['DEPOSITORY', 'INVESTMENT', 'LIABILITY'];
const NEW = 'new';

export function OpenAccount({ onClose }: { onClose: () => void }) {
  const tenant = useTenant().id;
  const owners = useOwners().data ?? [];
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<string | null>(null);
  const [ownerName, setOwnerName] = useState('');
  const [type, setType] = useState('pod');
  const [elsewhere, setElsewhere] = useState('DEPOSITORY');
  const [name, setName] = useState('');
  const [currency, setCurrency] = useState('USD');
  const owner = chosen ?? owners[0]?.id ?? NEW;
  const path = { tenant };
  const open = useMutation({
    mutationFn: async () => {
      const owner_id =
        owner === NEW
          ? (await ask(api.POST('/tenants/{tenant}/owners', { params: { path }, body: { name: ownerName } })))
              .id
          : owner;
      // Should the account be refused, its owner is there and is not made again.
      setChosen(owner_id);
      const external = type === 'external_account' ? { external_account_type: elsewhere } : {};
      return ask(
        api.POST('/tenants/{tenant}/accounts', {
          params: { path },
          body: { owner_id, type, name, currency, ...external },
        }),
      );
    },
    onSettled: async () => {
      await queries.invalidateQueries({ queryKey: ['owners'] });
      await queries.invalidateQueries({ queryKey: ['accounts'] });
    },
    onSuccess: ({ id }) => navigate(`/${tenant}/accounts/${id}`),
  });
  return (
    <Dialog title="Open an account" onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          open.mutate();
        }}
      >
        <Field label="Owner" hint="Money moves only between accounts of one owner.">
          {(id) => (
            <select id={id} value={owner} onChange={(event) => setChosen(event.target.value)}>
              {owners.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name}
                </option>
              ))}
              <option value={NEW}>Somebody new…</option>
            </select>
          )}
        </Field>
        {owner === NEW && (
          <Field label="Their name">
            {(id) => (
              <input
                id={id}
                maxLength={100}
                value={ownerName}
                onChange={(e) => setOwnerName(e.target.value)}
              />
            )}
          </Field>
        )}
        <Field label="Kind">
          {(id) => (
            <select id={id} value={type} onChange={(event) => setType(event.target.value)}>
              {OPENED.map((kind) => (
                <option key={kind} value={kind}>
                  {KINDS[kind]}
                </option>
              ))}
            </select>
          )}
        </Field>
        {type === 'external_account' && (
          <Field label="Held elsewhere as">
            {(id) => (
              <select id={id} value={elsewhere} onChange={(event) => setElsewhere(event.target.value)}>
                {ELSEWHERE.map((kind) => (
                  <option key={kind} value={kind}>
                    {kind.toLowerCase()}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        <Field label="Name">
          {(id) => <input id={id} maxLength={100} value={name} onChange={(e) => setName(e.target.value)} />}
        </Field>
        <Field label="Currency" hint="Three letters, ISO 4217">
          {(id) => (
            <input
              id={id}
              maxLength={3}
              value={currency}
              onChange={(event) => setCurrency(event.target.value.toUpperCase())}
            />
          )}
        </Field>
        <Refusal error={open.error} />
        <footer className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            type="submit"
            busy={open.isPending}
            disabled={!name.trim() || (owner === NEW && !ownerName.trim())}
          >
            Open it
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
