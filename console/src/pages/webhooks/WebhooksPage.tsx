// Where events are delivered, how that fares, and what is sent once more.

import { useState } from 'react';
import { Link, Route, Routes, useNavigate, useParams } from 'react-router';

import type { Webhook } from '../../api/client';
import { useTenant } from '../../tenant';
import { Button, Loaded, Page, Panel, Table } from '../../ui';
import { LinkTabs } from '../../ui/LinkTabs';
import { inWords } from '../events/names';
import { EndpointDialog } from './EndpointDialog';
import { EndpointPage } from './EndpointPage';
import { useEach, useWebhooks } from './queries';
import { ReplayDialog } from './ReplayDialog';
import { ReplayPage, Replays } from './Replays';
import { health } from './words';

import '../events/events.css';
import './webhooks.css';

export function WebhooksPage() {
  return (
    <Routes>
      <Route index element={<Endpoints />} />
      <Route path="replays" element={<AllReplays />} />
      <Route path="replays/:replay" element={<OneReplay />} />
      <Route path=":webhook" element={<OneEndpoint />} />
    </Routes>
  );
}

function OneEndpoint() {
  const { webhook = '' } = useParams();
  return <EndpointPage key={webhook} id={webhook} />;
}

function OneReplay() {
  const { replay = '' } = useParams();
  return <ReplayPage key={replay} id={replay} />;
}

function Tabs() {
  const tenant = useTenant().id;
  return (
    <LinkTabs
      label="Webhooks"
      of={[
        [`/${tenant}/webhooks`, 'Endpoints'],
        [`/${tenant}/webhooks/replays`, 'Replays'],
      ]}
    />
  );
}

function Endpoints() {
  const tenant = useTenant().id;
  const navigate = useNavigate();
  const webhooks = useWebhooks();
  const [making, setMaking] = useState(false);
  return (
    <Page
      title="Webhooks"
      about="Each endpoint is told of what happens, in order for each account, and again until it answers with a 2xx."
      actions={
        <Button kind="primary" onClick={() => setMaking(true)}>
          New endpoint
        </Button>
      }
    >
      <Tabs />
      <Loaded query={webhooks}>{(webhooks) => <EndpointTable webhooks={webhooks} />}</Loaded>
      {making && (
        <EndpointDialog
          onMade={(id) => void navigate(`/${tenant}/webhooks/${id}`)}
          onClose={() => setMaking(false)}
        />
      )}
    </Page>
  );
}

function EndpointTable({ webhooks }: { webhooks: Webhook[] }) {
  const tenant = useTenant().id;
  const each = useEach(webhooks);
  // The list itself does not tell how far each has come.
  const rows = webhooks.map((webhook, index) => each[index]?.data ?? webhook);
  return (
    <Panel>
      <Table
        rows={rows}
        id={({ id }) => id}
        empty={
          <>
            Nobody is told of anything yet. Make an endpoint here, or with{' '}
            <code>tidegate webhook create --url https://example.com/hooks</code>. To a program on your own
            machine: <code>tidegate events forward --to http://localhost:3000/hook</code>.
          </>
        }
        columns={[
          {
            name: 'Endpoint',
            cell: ({ id, url, description }) => (
              <>
                <Link className="endpoint-url" to={`/${tenant}/webhooks/${id}`}>
                  {url}
                </Link>
                {description && <div className="quiet">{description}</div>}
              </>
            ),
          },
          { name: 'Format', cell: ({ format, form }) => `${format}, ${form}` },
          { name: 'Told of', cell: toldOf },
          {
            name: 'How it fares',
            cell: (webhook) => {
              const { tone, state, words } = health(webhook);
              return (
                <>
                  <span className={`state ${tone}`}>{state}</span> <span className="quiet">{words}</span>
                </>
              );
            },
          },
          {
            name: 'Delivered',
            right: true,
            cell: ({ delivering }) => delivering?.delivered.toLocaleString('en') ?? '0',
          },
          {
            name: 'Given up',
            right: true,
            cell: ({ delivering }) => delivering?.failed.toLocaleString('en') ?? '0',
          },
        ]}
      />
    </Panel>
  );
}

/** Which events, and about whom. */
export function toldOf({ events, accounts, owners, format }: Webhook): string {
  const about = [
    accounts.length > 0 && `${accounts.length} account${accounts.length === 1 ? '' : 's'}`,
    owners.length > 0 && `${owners.length} owner${owners.length === 1 ? '' : 's'}`,
  ].filter(Boolean);
  const which = events.length === 0 && format !== 'standard' ? 'all that it can tell' : inWords(events);
  return which + (about.length > 0 ? `, about ${about.join(' and ')}` : '');
}

function AllReplays() {
  const [making, setMaking] = useState(false);
  return (
    <Page
      title="Webhooks"
      about="What was given up, or handled wrongly, can be sent once more: to an endpoint or to any allowed URL."
      actions={
        <Button kind="primary" onClick={() => setMaking(true)}>
          Send once more…
        </Button>
      }
    >
      <Tabs />
      <Replays />
      {making && <ReplayDialog start={{}} onClose={() => setMaking(false)} />}
    </Page>
  );
}
