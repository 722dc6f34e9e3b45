// One event in full: what it says, what it is about, and sending it once more.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'react-router';

import { api, ask, type EventBody } from '../../api/client';
import { useTenant } from '../../tenant';
import { Button, Facts, Id, Json, Loaded, Panel, When } from '../../ui';
import { CopyButton } from '../../ui/Copy';
import { ReplayDialog } from '../webhooks/ReplayDialog';
import { facts, objectOf, pathOf, summary } from './words';

export function EventPanel({ id }: { id: string }) {
  const tenant = useTenant().id;
  const { search } = useLocation();
  const event = useQuery({
    queryKey: ['events', tenant, id],
    queryFn: () =>
      ask(api.GET('/tenants/{tenant}/events/{event}', { params: { path: { tenant, event: id } } })),
  });
  return (
    <Panel
      className="event-panel"
      title="One event"
      actions={
        <Link className="cross" aria-label="Close the event" to={`/${tenant}/events${search}`}>
          ×
        </Link>
      }
    >
      <Loaded query={event}>{(event) => <Whole event={event} />}</Loaded>
    </Panel>
  );
}

function Whole({ event }: { event: EventBody }) {
  const tenant = useTenant().id;
  const [replay, setReplay] = useState<'this' | 'from' | null>(null);
  const object = objectOf(event);
  const about = (event.data as { id?: string }).id ?? '';
  const path = pathOf(about);
  const thin = Object.fromEntries(Object.entries(event.data).filter(([name]) => name !== 'object'));
  const said = facts(object).filter(([name]) => name !== 'Id');
  return (
    <>
      <p className="event-said">
        <strong>{event.type}</strong>
        <br />
        {summary(event)}
      </p>
      <Facts
        of={[
          ['When, by the tenant’s clock', <When key="at" at={event.created_at} />],
          ['Event', <Id key="id">{event.id}</Id>],
          [
            'About',
            path ? (
              <Link key="about" to={`/${tenant}/${path}`}>
                {about}
              </Link>
            ) : (
              <Id key="about">{about}</Id>
            ),
          ],
        ]}
      />
      <div className="actions">
        <Button onClick={() => setReplay('this')}>Send again…</Button>
        <Button onClick={() => setReplay('from')}>Replay from here…</Button>
        <CopyButton text={JSON.stringify(event, null, 2)} what="Copy JSON" />
      </div>
      <h3>What changed</h3>
      <Json of={thin} />
      {said.length > 0 && (
        <>
          <h3>
            {event.type.startsWith('transfer.')
              ? 'The transfer as it was then'
              : 'What it is about, as it is now'}
          </h3>
          <Facts of={said} />
          <details>
            <summary>All of it as JSON</summary>
            <Json of={object} />
          </details>
        </>
      )}
      {replay === 'this' && <ReplayDialog start={{ event: event.id }} onClose={() => setReplay(null)} />}
      {replay === 'from' && <ReplayDialog start={{ first: event.id }} onClose={() => setReplay(null)} />}
    </>
  );
}
