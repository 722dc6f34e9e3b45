// The newest transfers, of every account or of one.

import { useNavigate, useSearchParams } from 'react-router';

import type { Transfer } from '../../api/client';
import { useAccounts, useRecentTransfers } from '../../queries';
import { useTenant } from '../../tenant';
import { Amount, Field, Loaded, Page, Panel, State, Table, When } from '../../ui';

export function TransferList() {
  const accounts = useAccounts();
  const [query, setQuery] = useSearchParams();
  const account = query.get('account') ?? '';
  return (
    <Page title="Transfers" about="Newest first. A transfer is never changed once it has ended.">
      <Panel>
        <Loaded query={accounts}>
          {(accounts) => (
            <>
              <Field label="Account">
                {(id) => (
                  <select
                    id={id}
                    value={account}
                    onChange={({ target }) => setQuery(target.value ? { account: target.value } : {})}
                  >
                    <option value="">Any</option>
                    {accounts.map(({ id, name, owner_name }) => (
                      <option key={id} value={id}>
                        {name} · {owner_name}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              <Rows accounts={account ? accounts.filter(({ id }) => id === account) : accounts} />
            </>
          )}
        </Loaded>
      </Panel>
    </Page>
  );
}

function Rows({ accounts }: { accounts: Parameters<typeof useRecentTransfers>[0] }) {
  const tenant = useTenant();
  const navigate = useNavigate();
  const recent = useRecentTransfers(accounts, 100);
  return (
    <Loaded query={recent}>
      {(transfers) => (
        <Table
          rows={transfers}
          id={({ id }) => id}
          empty="No money has moved yet."
          onPick={({ id }) => void navigate(`/${tenant.id}/transfers/${id}`)}
          columns={[
            { name: 'Time', cell: ({ created_at }) => <When at={created_at} /> },
            { name: 'From', cell: ({ source }) => party(source) },
            { name: 'To', cell: ({ destination }) => party(destination) },
            { name: 'By', cell: ({ origin }) => origin.replaceAll('_', ' ') },
            { name: 'State', cell: ({ status, error_code }) => <How status={status} code={error_code} /> },
            {
              name: 'Amount',
              right: true,
              cell: ({ amount, currency }) => <Amount minor={amount} currency={currency} />,
            },
          ]}
        />
      )}
    </Loaded>
  );
}

function party(one: Transfer['source']) {
  return one ? one.name : <span className="quiet">the outside</span>;
}

function How({ status, code }: { status: string; code: string | null }) {
  return (
    <>
      <State of={status} /> {code && <code className="quiet">{code}</code>}
    </>
  );
}
