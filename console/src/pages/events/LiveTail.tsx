// The newest events on top. What comes while somebody reads waits until it is asked for, so that
// nothing jumps.

import { useState } from 'react';

import { Button, Empty, Refusal } from '../../ui';
import { EventList } from './EventList';
import { isEmpty } from './filter';
import type { Filter } from './log';
import { useTail } from './useTail';

/** Further down than this somebody reads, in pixels. */
const AT_TOP = 120;

interface Props {
  filter: Filter;
  open: string | undefined;
  /** The filter's bar, which stands in one row with the pause. */
  bar: React.ReactNode;
}

export function LiveTail({ filter, open, bar }: Props) {
  const [paused, setPaused] = useState(false);
  const tail = useTail(filter, () => paused || open !== undefined || window.scrollY > AT_TOP);
  return (
    <>
      <div className="row tail-bar">
        {bar}
        <span className="tail-end-of-bar">
          <span className="quiet" role="status">
            {paused ? 'Paused: what comes waits.' : 'New events come in on top.'}
          </span>
          <Button
            aria-pressed={paused}
            onClick={() => {
              if (paused) tail.show();
              setPaused(!paused);
            }}
          >
            {paused ? 'Go on' : 'Pause'}
          </Button>
        </span>
      </div>
      {tail.held.length > 0 && (
        <button
          type="button"
          className="held"
          onClick={() => {
            tail.show();
            window.scrollTo({ top: 0 });
          }}
        >
          {tail.held.length === 1 ? '1 new event' : `${tail.held.length} new events`}: show
        </button>
      )}
      <Refusal error={tail.error} />
      <EventList events={tail.shown} open={open} />
      {tail.shown.length === 0 && !tail.looking && tail.from === null && (
        <Empty>
          {isEmpty(filter) ? (
            <>
              Nothing has happened yet. Make an account, or let money arrive:{' '}
              <code>tidegate simulate paycheck --account acc_… --amount 2500.00</code>.
            </>
          ) : (
            'Nothing like this has happened yet. What comes will be shown here.'
          )}
        </Empty>
      )}
      <div className="tail-end quiet">
        {tail.looking && 'Reading…'}
        {!tail.looking && tail.from !== null && (
          <Button onClick={() => void tail.older()}>
            {tail.shown.length > 0 ? 'Older events' : 'Nothing like this lately: look further back'}
          </Button>
        )}
        {!tail.looking && tail.from === null && tail.shown.length > 0 && 'This is where everything began.'}
      </div>
    </>
  );
}
