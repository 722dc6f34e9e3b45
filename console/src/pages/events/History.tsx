// The log from its beginning, page by page, as a program would read it.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';

import { useTenant } from '../../tenant';
import { Button, Empty, Loaded } from '../../ui';
import { EventList } from './EventList';
import { type Filter, reader } from './log';

const PAGE = 100;

export function History({ filter, open }: { filter: Filter; open: string | undefined }) {
  const tenant = useTenant().id;
  const [query, setQuery] = useSearchParams();
  const after = query.get('after') ?? 'start';
  const page = useQuery({
    queryKey: ['events', tenant, filter, after],
    queryFn: ({ signal }) => reader(tenant, filter, signal)(after, PAGE),
    placeholderData: keepPreviousData,
  });
  const goTo = (place: string): void => {
    const next = new URLSearchParams(query);
    next.set('after', place);
    setQuery(next);
    window.scrollTo({ top: 0 });
  };
  return (
    <Loaded query={page}>
      {({ data, next, more }) => (
        <>
          <EventList events={data} open={open} />
          {data.length === 0 && (
            <Empty>{more ? 'Nothing like this so far: look on.' : 'There is nothing more.'}</Empty>
          )}
          <div className="row tail-bar">
            <Button disabled={after === 'start'} onClick={() => goTo('start')}>
              To the beginning
            </Button>
            {more ? (
              <Button onClick={() => goTo(next)}>Next page</Button>
            ) : (
              <Button busy={page.isFetching} onClick={() => void page.refetch()}>
                Look again
              </Button>
            )}
            <span className="quiet">
              After <code>{after}</code>
              {!more && ', up to now'}
            </span>
          </div>
        </>
      )}
    </Loaded>
  );
}
