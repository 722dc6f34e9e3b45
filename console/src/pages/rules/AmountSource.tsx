// Where a rule asks for the amounts that only the user's server knows.

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, ask, Refused } from '../../api/client';
import { useTenant } from '../../tenant';
import { Button, Dialog, Field, Id, Panel, Refusal } from '../../ui';

/** The source as it is; null when there is none. */
function useAmountSource(rule: string) {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['rules', tenant, 'amount-source', rule],
    queryFn: async () => {
      try {
        return await ask(
          api.GET('/tenants/{tenant}/rules/{rule}/amount-source', { params: { path: { tenant, rule } } }),
        );
      } catch (error) {
        if (error instanceof Refused && error.status === 404) return null;
        throw error;
      }
    },
  });
}

export function AmountSource({ rule }: { rule: string }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const source = useAmountSource(rule);
  const [typed, setTyped] = useState<string | null>(null);
  const [shown, setShown] = useState(false);
  const [removing, setRemoving] = useState(false);
  const params = { path: { tenant, rule } };
  const refresh = () => queries.invalidateQueries({ queryKey: ['rules', tenant, 'amount-source'] });
  const set = useMutation({
    mutationFn: (url: string) =>
      ask(api.PUT('/tenants/{tenant}/rules/{rule}/amount-source', { params, body: { url } })),
    onSuccess: async () => {
      setTyped(null);
      await refresh();
    },
  });
  const remove = useMutation({
    mutationFn: () => ask(api.DELETE('/tenants/{tenant}/rules/{rule}/amount-source', { params })),
    onSuccess: async () => {
      setRemoving(false);
      await refresh();
    },
  });
  const url = typed ?? source.data?.url ?? '';
  return (
    <Panel title="Where it asks for amounts">
      <p className="about">
        A run posts a question there and waits for <code>{'{"amountInCents": 25000}'}</code>. Without an
        answer after three tries it fails, and nothing moves.
      </p>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (url.trim()) set.mutate(url.trim());
        }}
      >
        <Field label="URL">
          {(id) => (
            <input
              id={id}
              type="url"
              placeholder="https://example.com/amounts"
              value={url}
              onChange={({ target }) => setTyped(target.value)}
            />
          )}
        </Field>
        <div className="actions">
          <Button type="submit" disabled={!url.trim() || url === source.data?.url} busy={set.isPending}>
            {source.data ? 'Change' : 'Set'}
          </Button>
          {source.data && (
            <Button kind="danger" onClick={() => setRemoving(true)}>
              Remove
            </Button>
          )}
        </div>
      </form>
      {source.data && (
        <div className="secret">
          <p className="about">
            Its questions show a secret in <code>x-sequence-signature</code>, behind <code>Bearer</code>.
          </p>
          {shown ? (
            <Id>{source.data.secret}</Id>
          ) : (
            <Button onClick={() => setShown(true)}>Show the secret</Button>
          )}
        </div>
      )}
      <Refusal error={source.error ?? set.error} />
      {removing && (
        <Dialog title="Remove the amount source?" onClose={() => setRemoving(false)}>
          <p className="about">Runs that need an amount will fail until there is another.</p>
          <Refusal error={remove.error} />
          <footer className="dialog-foot">
            <Button onClick={() => setRemoving(false)}>Cancel</Button>
            <Button kind="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
              Remove
            </Button>
          </footer>
        </Dialog>
      )}
    </Panel>
  );
}
