// Events are sent once more: one, or a stretch of the log, to an endpoint or to any URL.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';

import { api, ask } from '../../api/client';
import { useTenant } from '../../tenant';
import { Button, Dialog, Field, Refusal } from '../../ui';
import { AboutChooser } from '../events/AboutChooser';
import { NameChooser } from '../events/NameChooser';
import { type Format, inWords, NAMES } from '../events/names';
import { type ReplayDraft, replayOf } from './draft';
import { useWebhooks } from './queries';

interface Start {
  event?: string;
  first?: string;
  webhook?: string;
}

export function ReplayDialog({ start, onClose }: { start: Start; onClose: () => void }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const webhooks = useWebhooks().data ?? [];
  const [draft, setDraft] = useState<ReplayDraft>({
    to: 'endpoint',
    webhook: start.webhook ?? '',
    url: '',
    format: 'standard',
    form: 'thin',
    what: start.event ? 'event' : 'range',
    event: start.event ?? '',
    first: start.first ?? '',
    last: '',
    events: [],
    accounts: [],
    owners: [],
  });
  const put = (some: Partial<ReplayDraft>): void => setDraft((draft) => ({ ...draft, ...some }));
  const chosen = { ...draft, webhook: draft.webhook || (webhooks[0]?.id ?? '') };
  const body = replayOf(chosen);
  const replay = useMutation({
    mutationFn: (body: NonNullable<ReturnType<typeof replayOf>>) =>
      ask(api.POST('/tenants/{tenant}/replays', { params: { path: { tenant } }, body })),
    onSuccess: async ({ id }) => {
      onClose();
      await navigate(`/${tenant}/webhooks/replays/${id}`);
      await queries.invalidateQueries({ queryKey: ['replays'] });
    },
  });
  return (
    <Dialog title="Send once more" wide onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (body) replay.mutate(body);
        }}
      >
        <fieldset>
          <legend>What</legend>
          <label className="check">
            <input
              type="radio"
              name="what"
              checked={draft.what === 'event'}
              onChange={() => put({ what: 'event' })}
            />
            One event
          </label>
          <label className="check">
            <input
              type="radio"
              name="what"
              checked={draft.what === 'range'}
              onChange={() => put({ what: 'range' })}
            />
            A stretch of the log
          </label>
          {draft.what === 'event' ? (
            <Place label="Event" none="evt_…" value={draft.event} onChange={(event) => put({ event })} />
          ) : (
            <>
              <div className="columns">
                <Place
                  label="From this event on"
                  none="The beginning"
                  value={draft.first}
                  onChange={(first) => put({ first })}
                />
                <Place
                  label="Up to this event"
                  none="The newest now"
                  value={draft.last}
                  onChange={(last) => put({ last })}
                />
              </div>
              <details>
                <summary>Only some of them: {inWords(draft.events)}</summary>
                <NameChooser among={NAMES} value={draft.events} onChange={(events) => put({ events })} />
                <AboutChooser
                  value={draft}
                  onChange={({ accounts, owners }) => put({ accounts: [...accounts], owners: [...owners] })}
                />
              </details>
            </>
          )}
        </fieldset>
        <fieldset>
          <legend>Where to</legend>
          <label className="check">
            <input
              type="radio"
              name="to"
              checked={draft.to === 'endpoint'}
              onChange={() => put({ to: 'endpoint' })}
            />
            An endpoint, with its filter, format and secret
          </label>
          <label className="check">
            <input type="radio" name="to" checked={draft.to === 'url'} onChange={() => put({ to: 'url' })} />A
            URL, with a secret of its own
          </label>
          {draft.to === 'endpoint' ? (
            <Field
              label="Endpoint"
              hint={webhooks.length === 0 && 'There is none yet: make one, or give a URL.'}
            >
              {(id) => (
                <select
                  id={id}
                  value={chosen.webhook}
                  onChange={(event) => put({ webhook: event.target.value })}
                >
                  {webhooks.map(({ id, url, description }) => (
                    <option key={id} value={id}>
                      {description ? `${description} (${url})` : url}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          ) : (
            <div className="columns">
              <Field label="URL">
                {(id) => (
                  <input
                    id={id}
                    value={draft.url}
                    spellCheck={false}
                    onChange={(event) => put({ url: event.target.value })}
                  />
                )}
              </Field>
              <Field label="Format">
                {(id) => (
                  <select
                    id={id}
                    value={draft.format}
                    onChange={(event) => put({ format: event.target.value as Format })}
                  >
                    <option>standard</option>
                    <option>sequence</option>
                    <option>multi</option>
                  </select>
                )}
              </Field>
              <Field label="Bodies">
                {(id) => (
                  <select
                    id={id}
                    value={draft.form}
                    onChange={(event) => put({ form: event.target.value as ReplayDraft['form'] })}
                  >
                    <option value="thin">thin: ids and what changed</option>
                    <option value="full">full: with the whole object</option>
                  </select>
                )}
              </Field>
            </div>
          )}
        </fieldset>
        <p className="about">
          Deliveries have the ids of the first time, so a receiver that remembers ids does nothing twice. The
          endpoint’s own deliveries go on beside it.
        </p>
        <Refusal error={replay.error} />
        <footer className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={!body} busy={replay.isPending}>
            Send once more
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

function Place(props: { label: string; none: string; value: string; onChange: (value: string) => void }) {
  return (
    <Field label={props.label}>
      {(id) => (
        <input
          id={id}
          placeholder={props.none}
          spellCheck={false}
          value={props.value}
          onChange={(event) => props.onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
