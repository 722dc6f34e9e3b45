// One endpoint: how it fares, what waits, its secrets, and every delivery.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';

import { api, ask, type Webhook } from '../../api/client';
import { useAccounts, useOwners } from '../../queries';
import { useTenant } from '../../tenant';
import { Button, Facts, Id, Loaded, Page, Panel, Refusal, Table, When } from '../../ui';
import { Confirm } from '../../ui/Confirm';
import { Deliveries } from './Deliveries';
import { EndpointDialog } from './EndpointDialog';
import { useWebhook } from './queries';
import { ReplayDialog } from './ReplayDialog';
import { Signing } from './Signing';
import { TestDialog } from './TestDialog';
import { FORMATS, health, span } from './words';
import type { Format } from '../events/names';

export function EndpointPage({ id }: { id: string }) {
  const tenant = useTenant().id;
  const webhook = useWebhook(id);
  const [event, setEvent] = useState<string | null>(null);
  if (webhook.error && !webhook.data) return <NotThere title="Endpoint" error={webhook.error} />;
  return (
    <Loaded query={webhook}>
      {(webhook) => (
        <Page
          title={webhook.description ?? 'Endpoint'}
          about={
            <>
              <Link to={`/${tenant}/webhooks`}>All endpoints</Link> /{' '}
              <span className="wrap">{webhook.url}</span>
            </>
          }
          actions={<Actions webhook={webhook} />}
        >
          <Banner webhook={webhook} />
          <div className="columns">
            <Panel title="What it is told">
              <Settings webhook={webhook} />
            </Panel>
            <Panel title="Signing">
              <Signing webhook={webhook} />
            </Panel>
          </div>
          <Waiting webhook={webhook} onEvent={setEvent} />
          <Panel title="Deliveries, newest first">
            <Deliveries key={event} of={id} canResendTo={id} event={event} onEvent={setEvent} />
          </Panel>
        </Page>
      )}
    </Loaded>
  );
}

/** A page of something that is not there, or no longer. */
export function NotThere({ title, error }: { title: string; error: Error }) {
  const tenant = useTenant().id;
  return (
    <Page title={title} about={<Link to={`/${tenant}/webhooks`}>All endpoints</Link>}>
      <Refusal error={error} />
    </Page>
  );
}

function useChange(id: string) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: { enabled: boolean }) =>
      ask(
        api.PATCH('/tenants/{tenant}/webhooks/{webhook}', {
          params: { path: { tenant, webhook: id } },
          body,
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['webhooks'] }),
  });
}

function Banner({ webhook }: { webhook: Webhook }) {
  const { tone, state, words } = health(webhook);
  const change = useChange(webhook.id);
  const { delivering } = webhook;
  return (
    <div className={`banner ${tone}`} role="status">
      <span>
        <span className={`state ${tone}`}>{state}</span> {words}
        {delivering && (
          <span className="quiet">
            {' '}
            {delivering.delivered.toLocaleString('en')} delivered, {delivering.failed.toLocaleString('en')}{' '}
            given up.
          </span>
        )}
      </span>
      {!webhook.enabled && (
        <Button kind="primary" busy={change.isPending} onClick={() => change.mutate({ enabled: true })}>
          Switch on
        </Button>
      )}
      <Refusal error={change.error} />
    </div>
  );
}

type Doing = 'test' | 'change' | 'replay' | 'disable' | 'delete' | null;

function Actions({ webhook }: { webhook: Webhook }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [doing, setDoing] = useState<Doing>(null);
  const close = (): void => setDoing(null);
  const change = useChange(webhook.id);
  const remove = useMutation({
    mutationFn: () =>
      ask(
        api.DELETE('/tenants/{tenant}/webhooks/{webhook}', {
          params: { path: { tenant, webhook: webhook.id } },
        }),
      ),
    onSuccess: async () => {
      await navigate(`/${tenant}/webhooks`);
      await queries.invalidateQueries({ queryKey: ['webhooks', tenant], exact: true });
    },
  });
  return (
    <>
      <Button kind="primary" onClick={() => setDoing('test')}>
        Send a test
      </Button>
      <Button onClick={() => setDoing('replay')}>Send once more…</Button>
      <Button onClick={() => setDoing('change')}>Change</Button>
      {webhook.enabled && <Button onClick={() => setDoing('disable')}>Switch off</Button>}
      <Button kind="danger" onClick={() => setDoing('delete')}>
        Delete
      </Button>
      {doing === 'test' && <TestDialog webhook={webhook} onClose={close} />}
      {doing === 'change' && <EndpointDialog webhook={webhook} onClose={close} />}
      {doing === 'replay' && <ReplayDialog start={{ webhook: webhook.id }} onClose={close} />}
      {doing === 'disable' && (
        <Confirm
          title="Switch the endpoint off?"
          action="Switch off"
          busy={change.isPending}
          error={change.error}
          onDo={() => change.mutate({ enabled: false }, { onSuccess: close })}
          onClose={close}
        >
          Nothing more is delivered. Events are kept: when it is switched on again, it goes on where it was.
        </Confirm>
      )}
      {doing === 'delete' && (
        <Confirm
          title="Delete the endpoint?"
          action="Delete"
          busy={remove.isPending}
          error={remove.error}
          onDo={() => remove.mutate()}
          onClose={close}
        >
          <p className="wrap">{webhook.url}</p>
          Its secret and its place in the log are gone. Another endpoint begins with what comes then; a replay
          can send it what came before.
        </Confirm>
      )}
    </>
  );
}

function Settings({ webhook }: { webhook: Webhook }) {
  const accounts = useAccounts().data ?? [];
  const owners = useOwners().data ?? [];
  const names = (ids: string[], of: { id: string; name: string }[]): string =>
    ids.length === 0 ? 'any' : ids.map((id) => of.find((one) => one.id === id)?.name ?? id).join(', ');
  return (
    <Facts
      of={[
        [
          'Events',
          webhook.events.length > 0
            ? webhook.events.join(', ')
            : webhook.format === 'standard'
              ? 'everything'
              : 'all that this format can tell',
        ],
        ['About accounts', names(webhook.accounts, accounts)],
        ['About owners', names(webhook.owners, owners)],
        [
          'Format',
          <span key="format" title={FORMATS[webhook.format as Format]}>
            {webhook.format}
          </span>,
        ],
        ['Bodies', webhook.form === 'full' ? 'full: with the object' : 'thin: ids and what changed'],
        ['At once', `${webhook.concurrency} deliveries`],
        ['Switched off after failing for', span(webhook.disable_after_s)],
        ['Made', <When key="at" at={webhook.created_at} />],
        ['Id', <Id key="id">{webhook.id}</Id>],
      ]}
    />
  );
}

/** What waits for its next try; nothing at all when nothing does. */
function Waiting({ webhook, onEvent }: { webhook: Webhook; onEvent: (event: string) => void }) {
  const tenant = useTenant().id;
  const waiting = webhook.delivering?.waiting ?? [];
  if (waiting.length === 0) return null;
  return (
    <Panel title="What waits for its next try">
      <Table
        rows={waiting}
        id={({ event_id }) => event_id}
        empty=""
        columns={[
          {
            name: 'Event',
            cell: ({ event_id }) => <Link to={`/${tenant}/events/${event_id}`}>{event_id}</Link>,
          },
          { name: 'Attempts so far', cell: ({ attempts }) => attempts },
          {
            name: 'Next try',
            cell: ({ next_at }) => (webhook.enabled ? <When at={next_at} /> : 'when it is switched on'),
          },
          {
            name: '',
            right: true,
            cell: ({ event_id }) => <Button onClick={() => onEvent(event_id)}>Its attempts</Button>,
          },
        ]}
      />
      <p className="about">
        Later events about the same accounts wait behind these, so that the receiver sees them in order.
      </p>
    </Panel>
  );
}
