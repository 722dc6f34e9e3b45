// Replays: how far they have come, what they delivered, and stopping them.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';

import { api, ask } from '../../api/client';
import { useTenant } from '../../tenant';
import { Button, Facts, Loaded, Page, Panel, Refusal, State, Table, When } from '../../ui';
import { Confirm } from '../../ui/Confirm';
import { Secret } from '../../ui/Copy';
import { Deliveries } from './Deliveries';
import { NotThere } from './EndpointPage';
import { type Replay, useReplay, useReplays, useWebhooks } from './queries';

export function Replays() {
  const tenant = useTenant().id;
  const replays = useReplays();
  return (
    <Panel>
      <Loaded query={replays}>
        {(replays) => (
          <Table
            rows={replays.toReversed()}
            id={({ id }) => id}
            empty={
              <>
                Nothing was sent once more yet. Begin here, from an event, or with{' '}
                <code>tidegate webhook replay --webhook whk_… --after evt_…</code>.
              </>
            }
            columns={[
              {
                name: 'Asked',
                cell: ({ id, created_at }) => (
                  <Link to={`/${tenant}/webhooks/replays/${id}`}>
                    <When at={created_at} />
                  </Link>
                ),
              },
              { name: 'To', cell: (replay) => <Target replay={replay} /> },
              { name: 'After', cell: ({ after }) => <code>{after}</code> },
              { name: 'Up to', cell: ({ until }) => <code>{until}</code> },
              { name: 'State', cell: ({ finished }) => <State of={finished ? 'complete' : 'running'} /> },
              { name: 'Delivered', right: true, cell: ({ delivered }) => delivered.toLocaleString('en') },
              { name: 'Given up', right: true, cell: ({ failed }) => failed.toLocaleString('en') },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}

/** Where a replay goes. */
function Target({ replay }: { replay: Replay }) {
  const tenant = useTenant().id;
  const webhooks = useWebhooks().data ?? [];
  if (!replay.webhook_id) return <span className="wrap">{replay.url}</span>;
  const found = webhooks.find(({ id }) => id === replay.webhook_id);
  return (
    <Link className="wrap" to={`/${tenant}/webhooks/${replay.webhook_id}`}>
      {found?.url ?? replay.webhook_id}
    </Link>
  );
}

export function ReplayPage({ id }: { id: string }) {
  const tenant = useTenant().id;
  const query = useReplay(id);
  if (query.error && !query.data) return <NotThere title="Replay" error={query.error} />;
  return (
    <Loaded query={query}>
      {(replay) => (
        <Page
          title="Replay"
          about={<Link to={`/${tenant}/webhooks/replays`}>All replays</Link>}
          actions={<Stop replay={replay} />}
        >
          <Panel>
            <Facts
              of={[
                ['State', <State key="state" of={replay.finished ? 'complete' : 'running'} />],
                ['To', <Target key="to" replay={replay} />],
                ['Delivered', replay.delivered.toLocaleString('en')],
                ['Given up', replay.failed.toLocaleString('en')],
                ['After', <code key="after">{replay.after}</code>],
                ['Up to', <code key="until">{replay.until}</code>],
                ['Asked', <When key="at" at={replay.created_at} />],
              ]}
            />
            {replay.secret && (
              <>
                <p className="about">Its deliveries are signed with this secret:</p>
                <Secret name="Signing secret of the replay" value={replay.secret} />
              </>
            )}
            <Refusal error={query.error} />
          </Panel>
          <Panel title="What was sent">
            <Deliveries of={id} canResendTo={replay.webhook_id} />
          </Panel>
        </Page>
      )}
    </Loaded>
  );
}

function Stop({ replay }: { replay: Replay }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const stop = useMutation({
    mutationFn: () =>
      ask(
        api.DELETE('/tenants/{tenant}/replays/{replay}', {
          params: { path: { tenant, replay: replay.id } },
        }),
      ),
    onSuccess: async () => {
      await navigate(`/${tenant}/webhooks/replays`);
      await queries.invalidateQueries({ queryKey: ['replays', tenant], exact: true });
    },
  });
  const words = replay.finished ? 'Forget it' : 'Stop it';
  return (
    <>
      <Button kind="danger" onClick={() => setAsking(true)}>
        {words}
      </Button>
      {asking && (
        <Confirm
          title={replay.finished ? 'Forget this replay?' : 'Stop this replay?'}
          action={words}
          busy={stop.isPending}
          error={stop.error}
          onDo={() => stop.mutate()}
          onClose={() => setAsking(false)}
        >
          {replay.finished
            ? 'It is over. Only its place in the list goes.'
            : 'What was delivered stays delivered. The rest is not sent; another replay can send it.'}
        </Confirm>
      )}
    </>
  );
}
