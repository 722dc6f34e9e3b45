// Transfers that a person has to let go.

import { useState } from 'react';
import { Link } from 'react-router';

import type { EventBody, Transfer } from '../../api/client';
import { useRecentEvents } from '../../live';
import { useApprovals, useKeys, useRules } from '../../queries';
import { useNow } from '../../shell/Clock';
import { useTenant } from '../../tenant';
import { Amount, Button, Empty, Loaded, Page, Panel, State, Table, When } from '../../ui';
import { DecideDialog } from './DecideDialog';
import { endsAt, isShort, leftWords } from './left';

import './approvals.css';

export function ApprovalsPage() {
  const waiting = useApprovals();
  return (
    <Page
      title="Approvals"
      about="Transfers that wait for a person, because a key or a rule may not move so much unasked. Nothing is reserved for them. What nobody decides is called off after 24 hours of the tenant’s clock."
    >
      <Panel title="Waiting">
        <Loaded query={waiting}>{(transfers) => <Queue transfers={transfers} />}</Loaded>
      </Panel>
      <Panel title="Decided since this page was opened">
        <Decided />
      </Panel>
    </Page>
  );
}

function Queue({ transfers }: { transfers: Transfer[] }) {
  const tenant = useTenant();
  const [deciding, setDeciding] = useState<{ transfer: Transfer; approve: boolean } | null>(null);
  const [by, setBy] = useState('');
  return (
    <>
      <Table
        rows={transfers}
        id={({ id }) => id}
        empty={
          <>
            Nothing waits. A rule asks above the amount that{' '}
            <code>tidegate rule approval RULE --above 100000</code> sets, a key above its{' '}
            <code>approval_above</code>.
          </>
        }
        columns={[
          {
            name: 'Transfer',
            cell: (transfer) => (
              <div className="asked">
                <Way transfer={transfer} />
                <small className="quiet">
                  asked by <Asker transfer={transfer} />, <When at={transfer.created_at} />
                </small>
              </div>
            ),
          },
          {
            name: 'Amount',
            right: true,
            cell: ({ amount, currency }) => (
              <strong>
                <Amount minor={amount} currency={currency} />
              </strong>
            ),
          },
          {
            name: 'Runs out',
            cell: ({ created_at }) => <Left key={tenant.now} ends={endsAt(created_at)} />,
          },
          {
            name: 'Decide',
            cell: (transfer) => (
              <div className="decide">
                <Button kind="primary" onClick={() => setDeciding({ transfer, approve: true })}>
                  Approve
                </Button>
                <Button kind="danger" onClick={() => setDeciding({ transfer, approve: false })}>
                  Deny
                </Button>
              </div>
            ),
          },
        ]}
      />
      {deciding && <DecideDialog {...deciding} by={by} onBy={setBy} onClose={() => setDeciding(null)} />}
    </>
  );
}

function Way({ transfer }: { transfer: Transfer }) {
  const tenant = useTenant().id;
  const { id, source, destination, description } = transfer;
  return (
    <>
      <Link to={`/${tenant}/transfers/${id}`}>
        {source?.name ?? 'outside'} → {destination?.name ?? 'outside'}
      </Link>
      {description && <small className="quiet"> {description}</small>}
    </>
  );
}

/** Who wants the money moved: a run of a rule, a key, or an operator. */
function Asker({ transfer }: { transfer: Transfer }) {
  const tenant = useTenant().id;
  const keys = useKeys();
  const rules = useRules();
  if (transfer.api_key_id) {
    const key = keys.data?.find(({ id }) => id === transfer.api_key_id);
    return <>key {key ? `“${key.name}”` : transfer.api_key_id}</>;
  }
  if (!transfer.rule_execution_id) return <>an operator</>;
  const rule = rules.data?.find(({ id }) => id === transfer.rule_id);
  return (
    <>
      rule{' '}
      <Link to={`/${tenant}/runs/${transfer.rule_execution_id}`}>{rule?.nickname ?? transfer.rule_id}</Link>
    </>
  );
}

/** What is left, counted on with the tenant's clock. */
function Left({ ends }: { ends: string }) {
  const now = useNow(useTenant());
  return (
    <div className="left">
      <When at={ends} />
      <small className={isShort(ends, now) ? 'short-time' : 'quiet'}>{leftWords(ends, now)}</small>
    </div>
  );
}

const DECISIONS: Record<string, string> = {
  'transfer.approved': 'approved',
  'transfer.denied': 'denied',
  'transfer.approval_expired': 'ran out',
};

function Decided() {
  const events = useRecentEvents().filter(({ type }) => type in DECISIONS);
  if (events.length === 0) return <Empty>Decisions show up here as they are made, by whomever.</Empty>;
  const object = ({ data }: EventBody) => (data as { object?: Transfer }).object;
  return (
    <Table
      rows={events}
      id={({ id }) => id}
      empty=""
      columns={[
        { name: 'When', cell: ({ created_at }) => <When at={created_at} /> },
        { name: 'Decision', cell: ({ type }) => <State of={DECISIONS[type] ?? type} /> },
        {
          name: 'Transfer',
          cell: (event) => {
            const transfer = object(event);
            return transfer && <Way transfer={transfer} />;
          },
        },
        {
          name: 'Amount',
          right: true,
          cell: (event) => {
            const transfer = object(event);
            return transfer && <Amount minor={transfer.amount} currency={transfer.currency} />;
          },
        },
        { name: 'Why', cell: (event) => object(event)?.cancel_reason ?? '' },
      ]}
    />
  );
}
