// What was sent to an endpoint, attempt by attempt, with what came back.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { Link } from 'react-router';

import { api, ask, type Attempt } from '../../api/client';
import { useTenant } from '../../tenant';
import { Button, Empty, Loaded, Refusal, When } from '../../ui';
import { Chip } from '../events/AboutChooser';
import { PAGE, useDeliveries } from './queries';
import { Transcript } from './Transcript';
import { answered } from './words';

interface Props {
  /** An endpoint's or a replay's id. */
  of: string;
  /** The endpoint to which one event can be sent again. */
  canResendTo: string | null;
  /** Only attempts of this event. */
  event?: string | null;
  onEvent?: (event: string | null) => void;
}

export function Deliveries({ of, canResendTo, event = null, onEvent }: Props) {
  // The pages that were left behind, and where this one begins.
  const [befores, setBefores] = useState<(string | null)[]>([null]);
  const before = befores.at(-1) ?? null;
  const [open, setOpen] = useState<string | null>(null);
  const deliveries = useDeliveries(of, { before, event, still: open !== null });
  return (
    <>
      {event && onEvent && (
        <div className="chips">
          <Chip onRemove={() => onEvent(null)}>{event}</Chip>
        </div>
      )}
      <Loaded query={deliveries}>
        {(attempts) => (
          <>
            {attempts.length === 0 ? (
              <Empty>
                {before
                  ? 'There are no older ones.'
                  : 'Nothing was sent yet, or transcripts of it are no longer kept.'}
              </Empty>
            ) : (
              <div className="table-frame">
                <table className="deliveries">
                  <thead>
                    <tr>
                      <th scope="col">When</th>
                      <th scope="col">Event</th>
                      <th scope="col">Attempt</th>
                      <th scope="col">Answer</th>
                      <th scope="col" className="right took">
                        Took
                      </th>
                      <th scope="col">
                        <span className="unseen">What can be done</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {attempts.map((attempt) => (
                      <Fragment key={attempt.id}>
                        <Row
                          attempt={attempt}
                          canResendTo={canResendTo}
                          isOpen={open === attempt.id}
                          onOpen={() => setOpen(open === attempt.id ? null : attempt.id)}
                        />
                        {open === attempt.id && (
                          <tr>
                            <td colSpan={6}>
                              <Transcript attempt={attempt} />
                            </td>
                          </tr>
                        )}
                      </Fragment>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
            <div className="actions">
              <Button disabled={befores.length === 1} onClick={() => setBefores(befores.slice(0, -1))}>
                Newer
              </Button>
              <Button
                disabled={attempts.length < PAGE}
                onClick={() => setBefores([...befores, attempts.at(-1)?.id ?? null])}
              >
                Older
              </Button>
            </div>
          </>
        )}
      </Loaded>
    </>
  );
}

function Row(props: { attempt: Attempt; canResendTo: string | null; isOpen: boolean; onOpen: () => void }) {
  const { attempt, canResendTo, isOpen } = props;
  const tenant = useTenant().id;
  return (
    <tr>
      <td>
        <When at={attempt.at} />
      </td>
      <td>
        {attempt.event_id ? (
          <Link to={`/${tenant}/events/${attempt.event_id}`}>{attempt.event_id}</Link>
        ) : (
          <span className="quiet">a test</span>
        )}
      </td>
      <td>{attempt.attempt}</td>
      <td>
        <span className={`state ${attempt.delivered ? 'good' : 'bad'}`}>{answered(attempt)}</span>
      </td>
      <td className="right took">{attempt.elapsed_ms.toLocaleString('en')} ms</td>
      <td className="right">
        <span className="actions deliveries-do">
          <Button aria-expanded={isOpen} onClick={props.onOpen}>
            {isOpen ? 'Close' : 'Transcript'}
          </Button>
          {canResendTo && attempt.event_id && <Resend webhook={canResendTo} event={attempt.event_id} />}
        </span>
      </td>
    </tr>
  );
}

/** The same event to the same endpoint, once more. */
function Resend({ webhook, event }: { webhook: string; event: string }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const resend = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/tenants/{tenant}/replays', {
          params: { path: { tenant } },
          body: { webhook_id: webhook, event },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['replays'] }),
  });
  if (resend.data) {
    return <Link to={`/${tenant}/webhooks/replays/${resend.data.id}`}>Sent again: see the replay</Link>;
  }
  return (
    <>
      <Button busy={resend.isPending} onClick={() => resend.mutate()}>
        Send again
      </Button>
      <Refusal error={resend.error} />
    </>
  );
}
