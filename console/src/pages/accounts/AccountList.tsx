// Every account of the tenant, and what all of them have together.

import { useState } from 'react';
import { useNavigate } from 'react-router';

import type { Account } from '../../api/client';
import { useAccounts } from '../../queries';
import { useTenant } from '../../tenant';
import { Amount, Button, Field, Loaded, Page, Panel, State, Table } from '../../ui';
import { OpenAccount } from './OpenAccount';

export const KINDS: Record<string, string> = {
  income_source: 'income source',
  pod: 'pod',
  prepaid_card: 'prepaid card',
  debit_card: 'debit card',
  external_account: 'external account',
};

export function AccountList() {
  const accounts = useAccounts();
  const tenant = useTenant();
  const navigate = useNavigate();
  const [opening, setOpening] = useState(false);
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const matches = ({ name, owner_name, id, type }: Account): boolean =>
    [name, owner_name, id, KINDS[type] ?? type].some((text) => text.toLowerCase().includes(wanted));
  return (
    <Page
      title="Accounts"
      about="Available is the balance less what is held. An external account shows what its institution reported."
      actions={
        <Button kind="primary" onClick={() => setOpening(true)}>
          Open an account
        </Button>
      }
    >
      <Panel>
        <Field label="Find by name, owner, kind or id">
          {(id) => <input id={id} type="search" value={search} onChange={(e) => setSearch(e.target.value)} />}
        </Field>
        <Loaded query={accounts}>
          {(all) => (
            <Table
              rows={all.filter(matches)}
              id={({ id }) => id}
              empty={
                wanted ? (
                  'No account is called so.'
                ) : (
                  <>
                    No account yet: <code>tidegate account create --type pod --name "Savings"</code>
                  </>
                )
              }
              onPick={({ id }) => void navigate(`/${tenant.id}/accounts/${id}`)}
              columns={[
                { name: 'Account', cell: ({ name }) => <strong>{name}</strong> },
                { name: 'Kind', cell: ({ type }) => KINDS[type] ?? type },
                { name: 'Owner', cell: ({ owner_name }) => owner_name },
                { name: 'State', cell: ({ state }) => <State of={state} /> },
                {
                  name: 'Held',
                  right: true,
                  cell: ({ held, currency }) => held > 0 && <Amount minor={held} currency={currency} />,
                },
                {
                  name: 'Available',
                  right: true,
                  cell: ({ available, currency, reported_balance, type }) =>
                    type === 'external_account' ? (
                      reported_balance !== null && (
                        <span className="quiet">
                          <Amount minor={reported_balance} currency={currency} /> reported
                        </span>
                      )
                    ) : (
                      <Amount minor={available} currency={currency} />
                    ),
                },
              ]}
            />
          )}
        </Loaded>
      </Panel>
      {opening && <OpenAccount onClose={() => setOpening(false)} />}
    </Page>
  );
}
