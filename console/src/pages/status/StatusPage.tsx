// How the server is: whether it writes, how far reads are, and that all money adds up to nothing.

import { useQuery } from '@tanstack/react-query';

import { api, ask } from '../../api/client';
import { money } from '../../money';
import { Facts, Loaded, Page, Panel, State } from '../../ui';

/** What `GET /status` says; sums are text, because they may be greater than a number can hold. */
interface Status {
  version: string;
  writable: boolean;
  stopped: string | null;
  commits: number;
  batches_committed: number;
  batches_indexed: number;
  syncs: number;
  queued: number;
  sum_of_all_balances: Record<string, string>;
}

export function StatusPage() {
  const status = useQuery({
    queryKey: ['status'],
    queryFn: async () => (await ask(api.GET('/status'))) as unknown as Status,
    refetchInterval: 2_000,
  });
  return (
    <Page
      title="Server"
      about="Every posting sums to zero, and so does everything together, in each currency."
    >
      <Loaded query={status}>
        {(status) => (
          <>
            <Panel title="Books">
              <Facts
                of={Object.entries(status.sum_of_all_balances).map(([currency, sum]) => [
                  `All balances, ${currency}`,
                  <span key={currency}>
                    {money(BigInt(sum), currency)} <State of={sum === '0' ? 'balanced' : 'error'} />
                  </span>,
                ])}
              />
            </Panel>
            <Panel title="Store">
              <Facts
                of={[
                  ['Writes', <State key="w" of={status.writable ? 'active' : 'stopped'} />],
                  ['Stopped because', status.stopped],
                  ['Commits', status.commits?.toLocaleString('en')],
                  ['Batches synced', status.batches_committed?.toLocaleString('en')],
                  ['Batches in the views', status.batches_indexed?.toLocaleString('en')],
                  ['Waiting', status.queued],
                  ['Version', status.version],
                ]}
              />
            </Panel>
          </>
        )}
      </Loaded>
    </Page>
  );
}
