// Everything that happens in the tenant: as it happens, and from the beginning.

import { Route, Routes, useParams, useSearchParams } from 'react-router';

import { Page } from '../../ui';
import { EventPanel } from './EventPanel';
import { fromAddress, toAddress } from './filter';
import { FilterBar } from './FilterBar';
import { History } from './History';
import { LiveTail } from './LiveTail';

import './events.css';

export function EventsPage() {
  return (
    <Routes>
      <Route path=":event?" element={<Log />} />
    </Routes>
  );
}

function Log() {
  const { event } = useParams();
  const [query, setQuery] = useSearchParams();
  const filter = fromAddress(query);
  const isOldest = query.get('order') === 'oldest';
  const view = (order: 'oldest' | null): void => {
    const next = new URLSearchParams(query);
    next.delete('after');
    if (order) next.set('order', order);
    else next.delete('order');
    setQuery(next);
  };
  const bar = <FilterBar filter={filter} onChange={(filter) => setQuery(toAddress(query, filter))} />;
  return (
    <Page
      title="Events"
      about="Everything that happens here is told once, in the order in which it was committed, from the first commit on. Webhooks deliver the same events."
    >
      <div className="tabs" role="tablist" aria-label="Order">
        <button type="button" role="tab" aria-selected={!isOldest} onClick={() => view(null)}>
          As it happens
        </button>
        <button type="button" role="tab" aria-selected={isOldest} onClick={() => view('oldest')}>
          From the beginning
        </button>
      </div>
      <div className={`events ${event ? 'with-panel' : ''}`}>
        <div className="events-log">
          {isOldest ? (
            <>
              <div className="row tail-bar">{bar}</div>
              <History filter={filter} open={event} />
            </>
          ) : (
            <LiveTail key={JSON.stringify(filter)} filter={filter} open={event} bar={bar} />
          )}
        </div>
        {event && <EventPanel key={event} id={event} />}
      </div>
    </Page>
  );
}
