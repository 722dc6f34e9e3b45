// An API key is made, and its secret shown: once.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, ask } from '../../api/client';
import { useAccounts } from '../../queries';
import { useTenant } from '../../tenant';
import { Button, Dialog, Field, Refusal } from '../../ui';
import { Secret } from '../../ui/Copy';
import { type Draft, draftOf, entriesOf, NOTHING, READING, SCOPES, SEQUENCE } from './permissions';
import type { Key } from './queries';
import { ScopeRow } from './ScopeRow';

export function KeyDialog({ onClose }: { onClose: () => void }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const accounts = useAccounts().data ?? [];
  const [name, setName] = useState('');
  const [draft, setDraft] = useState<Draft>(NOTHING);
  const entries = entriesOf(draft, accounts);
  const make = useMutation({
    mutationFn: (permissions: Record<string, unknown>[]) =>
      ask(
        api.POST('/tenants/{tenant}/keys', {
          params: { path: { tenant } },
          body: { name, permissions: permissions as Record<string, never>[] },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['keys'] }),
  });
  if (make.data) return <Made apiKey={make.data} onClose={onClose} />;
  return (
    <Dialog title="New API key" wide onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (entries) make.mutate(entries);
        }}
      >
        <Field label="Name" hint="For you, to know it again.">
          {(id) => (
            <input
              id={id}
              autoFocus
              maxLength={100}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <div className="actions">
          <span className="quiet">Begin with</span>
          <Button onClick={() => setDraft(draftOf(READING))}>Reading only</Button>
          <Button onClick={() => setDraft(draftOf(SEQUENCE))}>All of the Sequence API</Button>
          <Button onClick={() => setDraft(NOTHING)}>Nothing</Button>
        </div>
        {SCOPES.map(({ title, scopes }) => (
          <fieldset key={title}>
            <legend>{title}</legend>
            {scopes.map((scope) => (
              <ScopeRow key={scope.scope} scope={scope} draft={draft} onChange={setDraft} />
            ))}
          </fieldset>
        ))}
        <Refusal error={make.error} />
        <footer className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={!name.trim() || !entries} busy={make.isPending}>
            Make the key
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

function Made({ apiKey, onClose }: { apiKey: Key; onClose: () => void }) {
  return (
    <Dialog title={`“${apiKey.name}” is made`} onClose={onClose}>
      <div className="banner">
        This is its secret. It is shown now and never again: keep it where your program finds it.
      </div>
      <Secret name="Secret of the key" value={apiKey.secret ?? ''} open />
      <footer className="dialog-foot">
        <Button kind="primary" onClick={onClose}>
          I have it
        </Button>
      </footer>
    </Dialog>
  );
}
