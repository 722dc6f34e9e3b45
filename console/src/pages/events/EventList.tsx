// Events, one a line.

import { Link, useLocation } from 'react-router';

import type { EventBody } from '../../api/client';
import { useTenant } from '../../tenant';
import { clock, day } from '../../time';
import { familyOf } from './names';
import { summary } from './words';

/** Times are the tenant's; days have headings of their own where they change. */
export function EventList({ events, open }: { events: readonly EventBody[]; open: string | undefined }) {
  const tenant = useTenant().id;
  const { search } = useLocation();
  return (
    <ol className="event-list">
      {events.map((event, index) => (
        <li key={event.id}>
          {day(event.created_at) !== day(events[index - 1]?.created_at ?? '') && (
            <h3>{day(event.created_at)}</h3>
          )}
          <Link
            to={`/${tenant}/events/${event.id}${search}`}
            aria-current={event.id === open ? 'true' : undefined}
            preventScrollReset
          >
            <time dateTime={event.created_at}>{clock(event.created_at)}</time>
            <span className={`event-name of-${familyOf(event.type)}`}>{event.type}</span>
            <span className="event-words" title={summary(event)}>
              {summary(event)}
            </span>
          </Link>
        </li>
      ))}
    </ol>
  );
}
