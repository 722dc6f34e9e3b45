// Who may speak to the APIs, and what became of a request.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Route, Routes } from 'react-router';

import { api, ask } from '../../api/client';
import { useAccounts, useKeys, useRules } from '../../queries';
import { useTenant } from '../../tenant';
import { Button, Id, Loaded, Page, Panel, State, Table, When } from '../../ui';
import { Confirm } from '../../ui/Confirm';
import { LinkTabs } from '../../ui/LinkTabs';
import { KeyDialog } from './KeyDialog';
import { Lookup } from './Lookup';
import { inWords } from './permissions';
import type { Key } from './queries';

import '../events/events.css';
import './keys.css';

export function KeysPage() {
  return (
    <Routes>
      <Route index element={<Keys />} />
      <Route path="lookup" element={<KeyLookup />} />
    </Routes>
  );
}

function Tabs() {
  const tenant = useTenant().id;
  return (
    <LinkTabs
      label="Keys"
      of={[
        [`/${tenant}/keys`, 'API keys'],
        [`/${tenant}/keys/lookup`, 'What happened to my key?'],
      ]}
    />
  );
}

function Keys() {
  const keys = useKeys();
  const [making, setMaking] = useState(false);
  const [all, setAll] = useState(false);
  return (
    <Page
      title="Keys"
      about="API keys open the Sequence, Platform and Multi APIs, each for what it may do. Their secrets are shown once, when they are made."
      actions={
        <Button kind="primary" onClick={() => setMaking(true)}>
          New API key
        </Button>
      }
    >
      <Tabs />
      <Panel>
        <Loaded query={keys}>
          {(keys) => {
            const revoked = keys.filter(({ revoked_at }) => revoked_at !== null).length;
            return (
              <>
                <KeyTable keys={keys.filter(({ revoked_at }) => all || revoked_at === null).toReversed()} />
                {revoked > 0 && (
                  <label className="check">
                    <input type="checkbox" checked={all} onChange={() => setAll(!all)} />
                    Show the revoked ones, too ({revoked})
                  </label>
                )}
              </>
            );
          }}
        </Loaded>
      </Panel>
      {making && <KeyDialog onClose={() => setMaking(false)} />}
    </Page>
  );
}

function KeyTable({ keys }: { keys: Key[] }) {
  return (
    <Table
      rows={keys}
      id={({ id }) => id}
      empty={
        <>
          No key works here. Make one, or with{' '}
          <code>tidegate key create --name "Mine" --permission 'READ_ACCOUNTS=*'</code>.
        </>
      }
      columns={[
        {
          name: 'Key',
          cell: ({ id, name, hint }) => (
            <>
              <strong>{name}</strong>
              <div>
                <Id>{id}</Id> <span className="quiet">ends in</span> <code>{hint}</code>
              </div>
            </>
          ),
        },
        { name: 'May', cell: (key) => <May entries={key.permissions} /> },
        { name: 'Made', cell: ({ created_at }) => <When at={created_at} /> },
        {
          name: 'State',
          cell: ({ revoked_at }) =>
            revoked_at ? (
              <span title={revoked_at}>
                <State of="revoked" />
              </span>
            ) : (
              <State of="active" />
            ),
        },
        { name: '', right: true, cell: (key) => key.revoked_at === null && <Revoke apiKey={key} /> },
      ]}
    />
  );
}

/** Entries that a list shows before it is opened. */
const SHOWN = 3;

function May({ entries }: { entries: readonly unknown[] }) {
  const accounts = useAccounts().data ?? [];
  const rules = useRules().data ?? [];
  const lines = entries.flatMap((entry) => inWords(entry, { accounts, rules }));
  const list = (some: string[]) => some.map((line) => <li key={line}>{line}</li>);
  if (lines.length === 0) return <span className="quiet">nothing</span>;
  if (lines.length <= SHOWN + 1) return <ul className="may">{list(lines)}</ul>;
  return (
    <>
      <ul className="may">{list(lines.slice(0, SHOWN))}</ul>
      <details>
        <summary>and {lines.length - SHOWN} more</summary>
        <ul className="may">{list(lines.slice(SHOWN))}</ul>
      </details>
    </>
  );
}

function Revoke({ apiKey }: { apiKey: Key }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const revoke = useMutation({
    mutationFn: () =>
      ask(api.DELETE('/tenants/{tenant}/keys/{key}', { params: { path: { tenant, key: apiKey.id } } })),
    onSuccess: async () => {
      setAsking(false);
      await queries.invalidateQueries({ queryKey: ['keys'] });
    },
  });
  return (
    <>
      <Button kind="danger" aria-label={`Revoke ${apiKey.name}`} onClick={() => setAsking(true)}>
        Revoke
      </Button>
      {asking && (
        <Confirm
          title={`Revoke “${apiKey.name}”?`}
          action="Revoke"
          busy={revoke.isPending}
          error={revoke.error}
          onDo={() => revoke.mutate()}
          onClose={() => setAsking(false)}
        >
          From the answer on every request with it is 401. It cannot be taken back; what was done with it
          stays.
        </Confirm>
      )}
    </>
  );
}

function KeyLookup() {
  return (
    <Page
      title="Keys"
      about="After a 500 or a lost connection a client does not know whether its request was done. Its idempotency key tells."
    >
      <Tabs />
      <Lookup />
    </Page>
  );
}
