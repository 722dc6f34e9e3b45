// The money of one owner: where it is, how it moves, and what has just happened.

import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';

import type { Account, Owner, Transfer } from '../../api/client';
import { useAccounts, useOwners, useRecentTransfers, useRules } from '../../queries';
import { useTenant } from '../../tenant';
import { clock, day } from '../../time';
import { Amount, Button, Empty, Loaded, Page, Panel, State } from '../../ui';
import { MoneyMap } from './MoneyMap';
import { PayDialog } from './PayDialog';
import { MoveDialog } from './MoveDialog';

import './money.css';

export function MoneyPage() {
  const owners = useOwners();
  const accounts = useAccounts();
  const [query, setQuery] = useSearchParams();
  return (
    <Loaded query={owners}>
      {(owners) => (
        <Loaded query={accounts}>
          {(accounts) => {
            const owner = owners.find(({ id }) => id === query.get('owner')) ?? owners[0];
            if (!owner) {
              return (
                <Page title="Money">
                  <Empty>
                    Nobody owns anything here yet: <code>tidegate owner create --name "Ann"</code>, then{' '}
                    <code>tidegate account create</code>.
                  </Empty>
                </Page>
              );
            }
            return (
              <OwnersMoney
                key={owner.id}
                owners={owners}
                owner={owner}
                accounts={accounts.filter(({ owner_id }) => owner_id === owner.id)}
                onOwner={(id) => setQuery({ owner: id })}
              />
            );
          }}
        </Loaded>
      )}
    </Loaded>
  );
}

function OwnersMoney(props: {
  owners: Owner[];
  owner: Owner;
  accounts: Account[];
  onOwner: (id: string) => void;
}) {
  const { owners, owner, accounts, onOwner } = props;
  const tenant = useTenant();
  const rules = useRules();
  const [doing, setDoing] = useState<'pay' | 'move' | null>(null);
  return (
    <Page
      title="Money"
      about="What everyone has, and where it goes. Lines are rules; what moves on them is money, as it moves."
      actions={
        <>
          {tenant.mode === 'sandbox' && <Button onClick={() => setDoing('pay')}>Pay money in</Button>}
          <Button kind="primary" onClick={() => setDoing('move')}>
            Move money
          </Button>
        </>
      }
    >
      {owners.length > 1 && (
        <div className="tabs" role="tablist" aria-label="Owner">
          {owners.slice(0, 12).map(({ id, name }) => (
            <button
              key={id}
              type="button"
              role="tab"
              aria-selected={id === owner.id}
              onClick={() => onOwner(id)}
            >
              {name}
            </button>
          ))}
          {owners.length > 12 && (
            <select
              aria-label="More owners"
              value={owner.id}
              onChange={(event) => onOwner(event.target.value)}
            >
              {owners.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </div>
      )}
      <div className="money">
        <Panel className="map-panel">
          <MoneyMap
            accounts={accounts}
            rules={(rules.data ?? []).filter(({ owner_id }) => owner_id === owner.id)}
          />
        </Panel>
        <Panel title="What happened">
          <History accounts={accounts} />
        </Panel>
      </div>
      {doing === 'pay' && <PayDialog accounts={accounts} onClose={() => setDoing(null)} />}
      {doing === 'move' && <MoveDialog accounts={accounts} onClose={() => setDoing(null)} />}
    </Page>
  );
}

/** The newest transfers between these accounts. */
function History({ accounts }: { accounts: Account[] }) {
  const tenant = useTenant();
  const recent = useRecentTransfers(accounts);
  return (
    <Loaded query={recent}>
      {(transfers) =>
        transfers.length === 0 ? (
          <Empty>No money has moved yet.</Empty>
        ) : (
          <ol className="history">
            {transfers.map((transfer, index) => (
              <li key={transfer.id}>
                {day(transfer.created_at) !== day(transfers[index - 1]?.created_at ?? '') && (
                  <h3>{day(transfer.created_at)}</h3>
                )}
                <Link to={`/${tenant.id}/transfers/${transfer.id}`}>
                  <time>{clock(transfer.created_at).slice(0, 5)}</time>
                  <span className="history-way">
                    {names(transfer)}
                    {transfer.status !== 'complete' && <State of={transfer.status} />}
                  </span>
                  <Amount minor={transfer.amount} currency={transfer.currency} {...sign(transfer)} />
                </Link>
              </li>
            ))}
          </ol>
        )
      }
    </Loaded>
  );
}

function names({ source, destination, origin }: Transfer): string {
  const outside = origin.replaceAll('_', ' ');
  return `${source?.name ?? outside} → ${destination?.name ?? outside}`;
}

function sign({ source, destination }: Transfer): { sign?: '+' | '-' } {
  if (!source) return { sign: '+' };
  return destination ? {} : { sign: '-' };
}
