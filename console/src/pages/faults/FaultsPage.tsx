// What goes wrong on purpose in a sandbox, so that programs meet it before it happens by itself.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';

import { api, ask } from '../../api/client';
import { useSettings } from '../../queries';
import { useTenant } from '../../tenant';
import { Button, Empty, Field, Loaded, Page, Panel, Refusal } from '../../ui';
import { Snippet } from '../../ui/Copy';
import { curl, GROUPS, inWords, type Kind, MOST, often, read, type Switch, write } from './kinds';

import './faults.css';

const ABOUT =
  'A sandbox can be made to misbehave. The work itself is never wrong: what is committed is exact and durable, and the fault is in how it is told.';

export function FaultsPage() {
  const tenant = useTenant();
  const settings = useSettings();
  if (tenant.mode !== 'sandbox') {
    return (
      <Page title="Faults" about={ABOUT}>
        <Empty>
          {tenant.name} is a live tenant: nothing goes wrong in it on purpose. The header{' '}
          <code>Tidegate-Fault</code> is refused with 400, and switches with 409 <code>sandbox_only</code>.
          Choose a sandbox at the top, or make one: <code>tidegate tenant create --name "My sandbox"</code>.
        </Empty>
      </Page>
    );
  }
  return (
    <Page title="Faults" about={ABOUT}>
      <Loaded query={settings}>{({ faults }) => <Switches on={faults} />}</Loaded>
      <OneRequest />
    </Page>
  );
}

function Switches({ on }: { on: Switch[] }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  // The other settings are absent, so they stay as they are.
  const set = useMutation({
    mutationFn: (faults: Switch[]) =>
      ask(
        api.PUT('/tenants/{tenant}/settings', {
          params: { path: { tenant } },
          body: { faults: faults as unknown as Record<string, never>[] },
        }),
      ),
    onSuccess: (settings) => queries.setQueryData(['settings', tenant], settings),
  });
  const off = (fault: string): void => set.mutate(on.filter((one) => one.fault !== fault));
  return (
    <>
      {on.length > 0 ? (
        <section className="banner bad" aria-label="Switched on">
          <div>
            <strong>
              {on.length === 1 ? 'One fault is switched on' : `${on.length} faults are switched on`} for every
              write and delivery of this tenant:
            </strong>
            <ul className="faults-on">
              {on.map((one) => (
                <li key={one.fault}>
                  {inWords(one)} <code>{one.fault}</code>{' '}
                  <button type="button" className="link" onClick={() => off(one.fault)}>
                    switch off
                  </button>
                </li>
              ))}
            </ul>
          </div>
          <Button kind="primary" busy={set.isPending} onClick={() => set.mutate([])}>
            Switch all off
          </Button>
        </section>
      ) : (
        <div className="banner good" role="status">
          Nothing goes wrong on purpose.
        </div>
      )}
      <Refusal error={set.error} />
      {GROUPS.map(({ title, kinds }) => (
        <Panel key={title} title={title}>
          <div className="fault-kinds">
            {kinds.map((kind) => {
              const one = on.find(({ fault }) => read(fault)?.kind === kind);
              return (
                <FaultKind
                  key={kind.name}
                  kind={kind}
                  on={one}
                  busy={set.isPending}
                  full={on.length >= MOST}
                  onSet={(one) => set.mutate([...on, one])}
                  onOff={off}
                />
              );
            })}
          </div>
        </Panel>
      ))}
    </>
  );
}

function FaultKind(props: {
  kind: Kind;
  on: Switch | undefined;
  busy: boolean;
  full: boolean;
  onSet: (one: Switch) => void;
  onOff: (fault: string) => void;
}) {
  const { kind, on } = props;
  const [typed, setTyped] = useState(kind.value?.initial ?? '');
  const [typedEvery, setTypedEvery] = useState('1');
  // What is on is shown as it is; what was typed comes back when it is off.
  const value = on ? (read(on.fault)?.value ?? '') : typed;
  const every = on ? String(on.every) : typedEvery;
  const fault = write(kind, value);
  const times = /^[1-9]\d{0,6}$/.test(every.trim()) ? Number(every.trim()) : null;
  return (
    <form
      className={`fault ${on ? 'on' : ''}`}
      aria-label={kind.title}
      onSubmit={(event) => {
        event.preventDefault();
        if (on) props.onOff(on.fault);
        else if (fault && times) props.onSet({ fault, every: times });
      }}
    >
      <h3>
        {kind.title} {on && <span className="state bad">on</span>}
      </h3>
      <p className="quiet">{kind.words}</p>
      <div className="row">
        {kind.value && (
          <Field
            label={kind.value.label}
            hint={!fault && kind.value.most && `1 to ${kind.value.most.toLocaleString('en')}`}
          >
            {(id) => (
              <>
                <input
                  id={id}
                  className={kind.value?.choices ? 'code' : 'number'}
                  disabled={Boolean(on)}
                  list={kind.value?.choices && `${id}-choices`}
                  value={value}
                  onChange={(event) => setTyped(event.target.value)}
                />
                {kind.value?.choices && (
                  <datalist id={`${id}-choices`}>
                    {kind.value.choices.map((choice) => (
                      <option key={choice} value={choice} />
                    ))}
                  </datalist>
                )}
              </>
            )}
          </Field>
        )}
        <Field label="Every … time" hint={!times && 'A number from 1'}>
          {(id) => (
            <input
              id={id}
              className="number"
              inputMode="numeric"
              disabled={Boolean(on)}
              title={times ? often(times) : undefined}
              value={every}
              onChange={(event) => setTypedEvery(event.target.value)}
            />
          )}
        </Field>
        <Button
          type="submit"
          kind={on ? 'danger' : 'plain'}
          disabled={props.busy || (!on && (!fault || !times || props.full))}
        >
          {on ? 'Switch off' : 'Switch on'}
        </Button>
      </div>
      <code className="quiet">{on?.fault ?? fault ?? kind.name}</code>
    </form>
  );
}

/** The header, for one request alone. */
function OneRequest() {
  const tenant = useTenant().id;
  const [chosen, setChosen] = useState(['commit-then-500']);
  return (
    <Panel title="For one request">
      <p className="about">
        The header <code>Tidegate-Fault</code> on any request of the Sequence, Platform or Multi API asks for
        faults of this request and of the deliveries about its transfer. Choose some, and try it with the
        demo’s key. Then ask <Link to={`/${tenant}/keys/lookup`}>what became of its idempotency key</Link>.
      </p>
      <div className="checks">
        {GROUPS.flatMap(({ kinds }) => kinds).map((kind) => {
          const fault = write(kind, kind.value?.initial ?? '') ?? kind.name;
          return (
            <label key={fault} className="check">
              <input
                type="checkbox"
                checked={chosen.includes(fault)}
                disabled={!chosen.includes(fault) && chosen.length >= MOST}
                onChange={() =>
                  setChosen(
                    chosen.includes(fault) ? chosen.filter((one) => one !== fault) : [...chosen, fault],
                  )
                }
              />
              <code>{fault}</code>
            </label>
          );
        })}
      </div>
      {chosen.length > 0 && <Snippet>{curl(chosen)}</Snippet>}
    </Panel>
  );
}
