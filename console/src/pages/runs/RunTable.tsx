// Runs, newest first, with more on demand.

import { Link } from 'react-router';

import type { Execution } from '../../api/client';
import { type ExecutionFilter, useExecutions, useKnownAccounts } from '../../queries';
import { useTenant } from '../../tenant';
import { Button, Loaded, State, Table, When } from '../../ui';
import { causeWords, resultWords } from './explain';

import './runs.css';

export function RunTable(props: {
  filter: ExecutionFilter;
  limit: number;
  empty: React.ReactNode;
  withRule?: boolean;
}) {
  const { filter, limit, empty, withRule = false } = props;
  const tenant = useTenant().id;
  const accounts = useKnownAccounts();
  const runs = useExecutions(filter, limit);
  const currency = (run: Execution) =>
    accounts.currency((run.explanation?.actions ?? []).map(({ source_id }) => source_id));
  return (
    <Loaded query={runs}>
      {({ pages }) => (
        <>
          <Table
            rows={pages.flatMap(({ data }) => data)}
            id={({ id }) => id}
            empty={empty}
            columns={[
              {
                name: 'When',
                cell: (run) => (
                  <Link to={`/${tenant}/runs/${run.id}`}>
                    <When at={run.created_at} />
                  </Link>
                ),
              },
              {
                name: 'State',
                cell: (run) => (
                  <span className="states">
                    <State of={run.status} />
                    {run.execution_mode === 'simulation' && <State of="simulated" />}
                  </span>
                ),
              },
              ...(withRule
                ? [
                    {
                      name: 'Rule',
                      cell: (run: Execution) => (
                        <Link to={`/${tenant}/rules/${run.rule_id}`}>{run.rule_name}</Link>
                      ),
                    },
                  ]
                : []),
              { name: 'Set off by', cell: (run) => <Words>{causeWords(run, currency(run))}</Words> },
              {
                name: 'Result',
                cell: (run) => (
                  <Words>
                    {resultWords(run, currency(run))} <Counts of={run} />
                  </Words>
                ),
              },
            ]}
          />
          {runs.hasNextPage && (
            <div className="actions">
              <Button busy={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
                Older runs
              </Button>
            </div>
          )}
        </>
      )}
    </Loaded>
  );
}

/** What became of a run's transfers, unless all are done; a simulated run has none. */
function Counts({ of: run }: { of: Execution }) {
  const { transfers_completed: done, transfers_failed: failed, transfers_pending: pending } = run;
  if (run.execution_mode === 'simulation' || failed + pending === 0) return null;
  return (
    <small className="quiet">
      {done} done{failed > 0 && `, ${failed} failed`}
      {pending > 0 && `, ${pending} pending`}
    </small>
  );
}

function Words({ children }: { children: React.ReactNode }) {
  return <span className="run-words">{children}</span>;
}
