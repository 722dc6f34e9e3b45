// One account: what it has, how it came to that entry by entry, what is held, and its state.

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams } from 'react-router';

import { type Account, api, ask, type Entry } from '../../api/client';
import { useAccounts } from '../../queries';
import { useTenant } from '../../tenant';
import { day } from '../../time';
import {
  Amount,
  Button,
  Dialog,
  Empty,
  Facts,
  Id,
  Loaded,
  Page,
  Panel,
  Refusal,
  State,
  Table,
  When,
} from '../../ui';
import { MoveDialog } from '../money/MoveDialog';
import { KINDS } from './AccountList';
import { curve } from './curve';

import './accounts.css';

const PAGE = 100;

export function AccountDetail() {
  const tenant = useTenant().id;
  const { account: id = '' } = useParams();
  const path = { tenant, account: id };
  const account = useQuery({
    queryKey: ['accounts', tenant, id],
    queryFn: () => ask(api.GET('/tenants/{tenant}/accounts/{account}', { params: { path } })),
  });
  return <Loaded query={account}>{(account) => <Shown account={account} />}</Loaded>;
}

type Doing = 'move' | 'block' | 'unblock' | 'close' | null;

function Shown({ account }: { account: Account }) {
  const all = useAccounts().data ?? [];
  const [doing, setDoing] = useState<Doing>(null);
  const { currency, state } = account;
  const amount = (minor: number | null) => minor !== null && <Amount minor={minor} currency={currency} />;
  return (
    <Page
      title={account.name}
      about={`${KINDS[account.type] ?? account.type} of ${account.owner_name}`}
      actions={
        <>
          {state === 'active' && <Button onClick={() => setDoing('block')}>Block</Button>}
          {state === 'blocked' && <Button onClick={() => setDoing('unblock')}>Unblock</Button>}
          {state !== 'closed' && (
            <Button kind="danger" onClick={() => setDoing('close')}>
              Close
            </Button>
          )}
          {state === 'active' && account.can_be_source && (
            <Button kind="primary" onClick={() => setDoing('move')}>
              Move money from here
            </Button>
          )}
        </>
      }
    >
      <Panel>
        <Facts
          of={[
            ['Available', <strong key="a">{amount(account.available)}</strong>],
            ['Balance', amount(account.balance)],
            ['Held', amount(account.held)],
            ...(account.reported_balance === null
              ? []
              : [['Reported by its institution', amount(account.reported_balance)] as const]),
            ['State', <State key="s" of={state} />],
            ['Opened', <When key="w" at={account.created_at} />],
            ['Id', <Id key="i">{account.id}</Id>],
          ]}
        />
      </Panel>
      <Holds account={account} />
      <Entries account={account} />
      {doing === 'move' && (
        <MoveDialog
          accounts={all.filter(({ owner_id }) => owner_id === account.owner_id)}
          from={account.id}
          onClose={() => setDoing(null)}
        />
      )}
      {doing && doing !== 'move' && (
        <ChangeState account={account} to={doing} onClose={() => setDoing(null)} />
      )}
    </Page>
  );
}

const ASKED = {
  block: ['Block', 'While it is blocked, no money leaves it or arrives. What is on its way ends in error.'],
  unblock: ['Unblock', 'Money moves again.'],
  close: ['Close', 'It must be empty, and it is closed for good. Its history stays.'],
} as const;

function ChangeState(props: { account: Account; to: keyof typeof ASKED; onClose: () => void }) {
  const { account, to, onClose } = props;
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const [verb, meaning] = ASKED[to];
  const change = useMutation({
    mutationFn: () =>
      ask(
        api.POST(`/tenants/{tenant}/accounts/{account}/${to}`, {
          params: { path: { tenant, account: account.id } },
        }),
      ),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: ['accounts'] });
    },
  });
  return (
    <Dialog title={`${verb} ${account.name}?`} onClose={onClose}>
      <p className="about">{meaning}</p>
      <Refusal error={change.error} />
      <footer className="dialog-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          kind={to === 'unblock' ? 'primary' : 'danger'}
          busy={change.isPending}
          onClick={() => change.mutate()}
        >
          {verb}
        </Button>
      </footer>
    </Dialog>
  );
}

function Holds({ account }: { account: Account }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const holds = useQuery({
    queryKey: ['holds', tenant, account.id],
    enabled: account.held > 0,
    queryFn: async () =>
      (
        await ask(
          api.GET('/tenants/{tenant}/accounts/{account}/holds', {
            params: { path: { tenant, account: account.id } },
          }),
        )
      ).data,
  });
  const release = useMutation({
    mutationFn: (hold: string) =>
      ask(api.DELETE('/tenants/{tenant}/holds/{hold}', { params: { path: { tenant, hold } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ['holds'] }),
  });
  if (account.held === 0) return null;
  return (
    <Panel title="Held">
      <Refusal error={release.error} />
      <Loaded query={holds}>
        {(holds) => (
          <Table
            rows={holds}
            id={({ id }) => id}
            empty="Held for transfers that are on their way."
            columns={[
              { name: 'Since', cell: ({ created_at }) => <When at={created_at} /> },
              { name: 'Ends', cell: ({ expires_at }) => <When at={expires_at} /> },
              { name: 'Id', cell: ({ id }) => <Id>{id}</Id> },
              {
                name: 'Amount',
                right: true,
                cell: ({ amount, currency }) => <Amount minor={amount} currency={currency} />,
              },
              {
                name: '',
                right: true,
                cell: ({ id }) => (
                  <Button
                    busy={release.isPending && release.variables === id}
                    onClick={() => release.mutate(id)}
                  >
                    Release
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}

function Entries({ account }: { account: Account }) {
  const tenant = useTenant().id;
  const [before, setBefore] = useState<number | null>(null);
  const entries = useQuery({
    queryKey: ['entries', tenant, account.id, before],
    queryFn: async () =>
      (
        await ask(
          api.GET('/tenants/{tenant}/accounts/{account}/entries', {
            params: {
              path: { tenant, account: account.id },
              query: { limit: PAGE, ...(before !== null && { before }) },
            },
          }),
        )
      ).data,
  });
  return (
    <Panel
      title="Entries"
      actions={
        <>
          {before !== null && <Button onClick={() => setBefore(null)}>Newest</Button>}
          {(entries.data?.length ?? 0) === PAGE && (
            <Button onClick={() => setBefore(entries.data?.at(-1)?.sequence ?? null)}>Older</Button>
          )}
        </>
      }
    >
      <Loaded query={entries}>
        {(entries) =>
          entries.length === 0 ? (
            <Empty>No money has come or gone yet.</Empty>
          ) : (
            <>
              <Balance entries={entries} currency={account.currency} />
              <EntryTable entries={entries} currency={account.currency} tenant={tenant} />
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}

function EntryTable({ entries, currency, tenant }: { entries: Entry[]; currency: string; tenant: string }) {
  return (
    <Table
      rows={entries}
      id={({ sequence }) => String(sequence)}
      empty=""
      columns={[
        { name: 'No.', cell: ({ sequence }) => <span className="quiet">{sequence}</span> },
        { name: 'Time', cell: ({ at }) => <When at={at} /> },
        {
          name: 'Transfer',
          cell: ({ transfer_id }) => (
            <Link to={`/${tenant}/transfers/${transfer_id}`}>
              <Id>{transfer_id}</Id>
            </Link>
          ),
        },
        {
          name: 'Amount',
          right: true,
          cell: ({ amount, side }) => (
            <Amount minor={amount} currency={currency} sign={side === 'credit' ? '+' : '-'} />
          ),
        },
        {
          name: 'Balance after',
          right: true,
          cell: ({ balance_after }) => <Amount minor={balance_after} currency={currency} />,
        },
      ]}
    />
  );
}

const WIDTH = 1000;
const HEIGHT = 120;

function Balance({ entries, currency }: { entries: Entry[]; currency: string }) {
  const line = curve(entries, WIDTH, HEIGHT);
  const first = entries.at(-1);
  const last = entries[0];
  if (!line || !first || !last) return null;
  return (
    <figure className="balance">
      <div className="balance-scale">
        <Amount minor={line.high} currency={currency} />
        <Amount minor={line.low} currency={currency} />
      </div>
      <svg
        viewBox={`0 -4 ${WIDTH} ${HEIGHT + 8}`}
        preserveAspectRatio="none"
        role="img"
        aria-label="The balance over time"
      >
        {line.zero !== null && (
          <line x1="0" x2={WIDTH} y1={line.zero} y2={line.zero} className="balance-zero" />
        )}
        <path d={line.path} className="balance-line" />
      </svg>
      <figcaption>
        <span>{day(first.at)}</span>
        <span>{day(last.at)}</span>
      </figcaption>
    </figure>
  );
}
