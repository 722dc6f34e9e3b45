// One run: how it came about, what it moved, and when.

import { useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';

import type { Execution } from '../../api/client';
import { useOnEvents } from '../../live';
import { useExecution, useKnownAccounts, useRule, useTransfersOf } from '../../queries';
import { useTenant } from '../../tenant';
import { clock, day } from '../../time';
import { Amount, Facts, Id, Json, Loaded, Page, Panel, State, Table, When } from '../../ui';
import { causeWords, timeline } from './explain';
import { Explanation } from './Explanation';

export function RunDetail() {
  const { run = '' } = useParams();
  return <Loaded query={useExecution(run)}>{(run) => <OneRun run={run} />}</Loaded>;
}

function OneRun({ run }: { run: Execution }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  // A run is told again when it is over; until then its transfers tell how far it is.
  useOnEvents((events) => {
    const own = events.some(({ data }) => run.transfer_ids.includes((data as { id?: string }).id ?? ''));
    if (own) void queries.invalidateQueries({ queryKey: ['executions', tenant, 'one', run.id] });
  });
  const rule = useRule(run.rule_id);
  const transfers = useTransfersOf(run.transfer_ids);
  const accounts = useKnownAccounts();
  const currency = accounts.currency([
    ...(run.explanation?.actions ?? []).map(({ source_id }) => source_id),
    rule.data?.trigger.account_id ?? '',
  ]);
  const simulated = run.execution_mode === 'simulation';
  return (
    <Page
      title={simulated ? `Simulated run of “${run.rule_name}”` : `Run of “${run.rule_name}”`}
      about={
        <>
          <Link to={`/${tenant}/runs`}>Runs</Link> of{' '}
          <Link to={`/${tenant}/rules/${run.rule_id}`}>{run.rule_name}</Link>
          {simulated && ' · Nothing moved, and no limit counted it.'}
        </>
      }
    >
      <Panel>
        <Facts
          of={[
            ['When', <When key="when" at={run.created_at} />],
            ['Set off by', causeWords(run, currency)],
            ['Transfers', simulated ? 'none: it was simulated' : counts(run)],
            ['Id', <Id key="id">{run.id}</Id>],
          ]}
        />
      </Panel>
      <Panel title="How it came about">
        <Explanation run={run} rule={rule.data ?? null} transfers={transfers} />
      </Panel>
      {!simulated && (
        <div className="run-parts">
          <Panel title="Transfers">
            <Table
              rows={transfers}
              id={({ id }) => id}
              empty="It made none."
              columns={[
                {
                  name: 'Transfer',
                  cell: ({ id, source, destination }) => (
                    <Link to={`/${tenant}/transfers/${id}`}>
                      {source?.name ?? 'outside'} → {destination?.name ?? 'outside'}
                    </Link>
                  ),
                },
                {
                  name: 'Amount',
                  right: true,
                  cell: ({ amount, currency }) => <Amount minor={amount} currency={currency} />,
                },
                { name: 'State', cell: ({ status }) => <State of={status} /> },
                {
                  name: 'Why',
                  cell: ({ error_code, cancel_reason }) => error_code ?? cancel_reason ?? '',
                },
              ]}
            />
          </Panel>
          <Panel title="What happened when">
            <ol className="timeline">
              {timeline(run, transfers, currency).map(({ at, text, state, transfer }, index) => (
                <li key={index}>
                  <time dateTime={at} title={at}>
                    {day(at)}, {clock(at)}
                  </time>
                  <span>
                    {transfer ? <Link to={`/${tenant}/transfers/${transfer}`}>{text}</Link> : text}{' '}
                    {state && <State of={state} />}
                  </span>
                </li>
              ))}
            </ol>
          </Panel>
        </div>
      )}
      <details className="panel">
        <summary>As JSON</summary>
        <Json of={run} />
      </details>
    </Page>
  );
}

function counts(run: Execution): string {
  const { transfers_completed: done, transfers_failed: failed, transfers_pending: pending } = run;
  return `${done} done, ${failed} failed, ${pending} pending`;
}
