// An endpoint is made or changed.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, ask, type Webhook } from '../../api/client';
import { useTenant } from '../../tenant';
import { Button, Dialog, Field, Refusal } from '../../ui';
import { Secret } from '../../ui/Copy';
import { AboutChooser } from '../events/AboutChooser';
import { NameChooser } from '../events/NameChooser';
import { type Format, inWords, TOLD } from '../events/names';
import { bodyOf, type Draft, draftOf, NEW, UNITS, withFormat } from './draft';
import { FORMATS } from './words';

export function EndpointDialog(props: {
  webhook?: Webhook;
  onMade?: (id: string) => void;
  onClose: () => void;
}) {
  const { webhook, onClose } = props;
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const [draft, setDraft] = useState<Draft>(webhook ? draftOf(webhook) : NEW);
  const put = (some: Partial<Draft>): void => setDraft((draft) => ({ ...draft, ...some }));
  const save = useMutation({
    mutationFn: () => {
      const body = bodyOf(draft);
      return webhook
        ? ask(
            api.PATCH('/tenants/{tenant}/webhooks/{webhook}', {
              params: { path: { tenant, webhook: webhook.id } },
              body,
            }),
          )
        : ask(api.POST('/tenants/{tenant}/webhooks', { params: { path: { tenant } }, body }));
    },
    onSuccess: async () => {
      if (webhook) onClose();
      await queries.invalidateQueries({ queryKey: ['webhooks'] });
    },
  });
  if (!webhook && save.data) {
    return <Made webhook={save.data} onClose={() => props.onMade?.(save.data.id)} />;
  }
  return (
    <Dialog title={webhook ? 'Change the endpoint' : 'New endpoint'} wide onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Field
          label="URL"
          hint="https to a public address. Others only where the server’s configuration allows them (--webhook-networks); the demo allows this machine."
        >
          {(id) => (
            <input
              id={id}
              autoFocus
              spellCheck={false}
              placeholder="https://example.com/hooks"
              value={draft.url}
              onChange={(event) => put({ url: event.target.value })}
            />
          )}
        </Field>
        {webhook ? null : (
          <fieldset>
            <legend>Format (it never changes)</legend>
            {Object.entries(FORMATS).map(([format, words]) => (
              <label key={format} className="check">
                <input
                  type="radio"
                  name="format"
                  checked={draft.format === format}
                  onChange={() => setDraft((draft) => withFormat(draft, format as Format))}
                />
                <span>
                  <strong>{format}</strong> <span className="quiet">{words}</span>
                </span>
              </label>
            ))}
          </fieldset>
        )}
        <fieldset>
          <legend>Which events: {inWords(draft.events)}</legend>
          <NameChooser
            among={TOLD[draft.format]}
            value={draft.events}
            onChange={(events) => put({ events })}
          />
          <small className="quiet">
            Nothing chosen means everything
            {draft.format !== 'standard' && ' that this format can tell of'}.
          </small>
        </fieldset>
        <AboutChooser
          value={draft}
          onChange={({ accounts, owners }) => put({ accounts: [...accounts], owners: [...owners] })}
        />
        <div className="columns">
          <Field label="Bodies">
            {(id) => (
              <select
                id={id}
                value={draft.form}
                onChange={(event) => put({ form: event.target.value as Draft['form'] })}
              >
                <option value="thin">thin: ids and what changed</option>
                <option value="full">full: with the whole object</option>
              </select>
            )}
          </Field>
          <Field label="Note">
            {(id) => (
              <input
                id={id}
                value={draft.description}
                onChange={(event) => put({ description: event.target.value })}
              />
            )}
          </Field>
          <Field label="Deliveries under way at once" hint="1 to 64">
            {(id) => (
              <input
                id={id}
                inputMode="numeric"
                value={draft.concurrency}
                onChange={(event) => put({ concurrency: event.target.value })}
              />
            )}
          </Field>
          <Field label="Switched off after failing for" hint="1 minute to 30 days">
            {(id) => (
              <span className="row">
                <input
                  id={id}
                  className="short"
                  inputMode="numeric"
                  value={draft.patience}
                  onChange={(event) => put({ patience: event.target.value })}
                />
                <select
                  aria-label="Unit"
                  value={draft.patience_unit}
                  onChange={(event) => put({ patience_unit: Number(event.target.value) })}
                >
                  {UNITS.map(([seconds, name]) => (
                    <option key={seconds} value={seconds}>
                      {name}
                    </option>
                  ))}
                </select>
              </span>
            )}
          </Field>
        </div>
        <Refusal error={save.error} />
        <footer className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={!draft.url.trim()} busy={save.isPending}>
            {webhook ? 'Save' : 'Make the endpoint'}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

/** The secret of an endpoint that has just been made. */
function Made({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  return (
    <Dialog title="The endpoint is made" onClose={onClose}>
      <p className="about">
        It is told of everything from now on. Your program checks each delivery’s signature with this secret:
      </p>
      {(webhook.secrets ?? []).map((secret) => (
        <Secret key={secret} name="Signing secret" value={secret} open />
      ))}
      <footer className="dialog-foot">
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      </footer>
    </Dialog>
  );
}
