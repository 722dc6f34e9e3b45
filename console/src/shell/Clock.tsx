// The tenant's time. In a sandbox it is the user's: to stop, to move, to go on with.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { api, ask, type Tenant } from '../api/client';
import { useTenant } from '../tenant';
import { when } from '../time';
import { Button, Dialog, Facts, Field, Refusal } from '../ui';

const HOUR = 3_600_000;
const STEPS = [
  ['1 hour', HOUR],
  ['1 day', 24 * HOUR],
  ['1 week', 7 * 24 * HOUR],
  ['30 days', 30 * 24 * HOUR],
] as const;

/** What a clock shows now: what it showed when it was read and, unless it stands, what went by since. */
export function useNow(tenant: Tenant): string {
  const [read] = useState(() => Date.now());
  const [now, setNow] = useState(read);
  useEffect(() => {
    const ticking = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(ticking);
  }, []);
  const since = tenant.frozen ? 0 : now - read;
  return new Date(Date.parse(tenant.now) + since).toISOString();
}

export function ClockButton() {
  const tenant = useTenant();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className="clock"
        disabled={tenant.mode !== 'sandbox'}
        title={tenant.mode === 'sandbox' ? 'Set this clock' : "A live tenant's clock is the world's"}
        onClick={() => setOpen(true)}
      >
        {/* A clock that was set starts to count anew. */}
        <Ticking key={tenant.now} tenant={tenant} />
        {tenant.frozen && <span className="state busy">stands</span>}
      </button>
      {open && <ClockDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function Ticking({ tenant }: { tenant: Tenant }) {
  return <time>{when(useNow(tenant))}</time>;
}

function ClockDialog({ onClose }: { onClose: () => void }) {
  const tenant = useTenant();
  const queries = useQueryClient();
  const [at, setAt] = useState('');
  const path = { tenant: tenant.id };
  const onSuccess = () => queries.invalidateQueries();
  const set = useMutation({
    mutationFn: (body: { advance_ms?: number; at?: string; frozen?: boolean }) =>
      ask(api.PUT('/tenants/{tenant}/clock', { params: { path }, body })),
    onSuccess,
  });
  const next = useMutation({
    mutationFn: () => ask(api.POST('/tenants/{tenant}/clock/next', { params: { path } })),
    onSuccess,
  });
  const busy = set.isPending || next.isPending;
  return (
    <Dialog title="The sandbox's clock" onClose={onClose}>
      <Facts
        of={[
          ['It shows', <Ticking key={tenant.now} tenant={tenant} />],
          ['It', tenant.frozen ? 'stands still' : 'runs'],
        ]}
      />
      <p className="about">
        Everything that becomes due on the way happens, in order, before the answer: schedules, settlements,
        approvals that run out. A clock never goes back.
      </p>
      <div className="actions">
        {STEPS.map(([name, ms]) => (
          <Button key={name} disabled={busy} onClick={() => set.mutate({ advance_ms: ms })}>
            + {name}
          </Button>
        ))}
        <Button disabled={busy} onClick={() => next.mutate()}>
          To the next event
        </Button>
      </div>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (at) set.mutate({ at: `${at}:00Z` });
        }}
      >
        <Field label="To a time (UTC)">
          {(id) => (
            <input id={id} type="datetime-local" value={at} onChange={(event) => setAt(event.target.value)} />
          )}
        </Field>
        <Button type="submit" disabled={busy || !at}>
          Move
        </Button>
      </form>
      <Refusal error={set.error ?? next.error} />
      <footer className="dialog-foot">
        <Button busy={busy} onClick={() => set.mutate({ frozen: !tenant.frozen })}>
          {tenant.frozen ? 'Let it run' : 'Stop it'}
        </Button>
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      </footer>
    </Dialog>
  );
}
