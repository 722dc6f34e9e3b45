// What an operator sets for the tenant.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';

import { api, ask, type Settings } from '../../api/client';
import { useSettings } from '../../queries';
import { useTenant } from '../../tenant';
import { Button, Facts, Field, Id, Loaded, Page, Panel, Refusal, When } from '../../ui';
import {
  bodyOf,
  type Draft,
  draftOf,
  isSame,
  type Limit,
  LIMITS_MAX,
  offsetMinutes,
  rebased,
  UNITS,
  whole,
} from './draft';

import './settings.css';

export function SettingsPage() {
  const tenant = useTenant();
  const settings = useSettings();
  return (
    <Page title="Settings" about="They are in force with the answer, on all servers.">
      <Panel title="The tenant">
        <Facts
          of={[
            ['Name', tenant.name],
            ['Mode', tenant.mode],
            ['Id', <Id key="id">{tenant.id}</Id>],
            ['Made', <When key="at" at={tenant.created_at} />],
          ]}
        />
      </Panel>
      <Loaded query={settings}>{(settings) => <Form settings={settings} />}</Loaded>
    </Page>
  );
}

function Form({ settings }: { settings: Settings }) {
  const tenant = useTenant();
  const queries = useQueryClient();
  const theirs = draftOf(settings);
  const [base, setBase] = useState<Draft>(theirs);
  const [draft, setDraft] = useState<Draft>(theirs);
  if (!isSame(base, theirs)) {
    setBase(theirs);
    setDraft(rebased(draft, base, theirs));
  }
  const put = (some: Partial<Draft>): void => setDraft({ ...draft, ...some });
  const body = bodyOf(draft);
  const unchanged = isSame(draft, theirs);
  const save = useMutation({
    mutationFn: (body: NonNullable<ReturnType<typeof bodyOf>>) => {
      const { rate_limits, ...rest } = body as typeof body & { rate_limits?: unknown[] };
      return ask(
        api.PUT('/tenants/{tenant}/settings', {
          params: { path: { tenant: tenant.id } },
          body: { ...rest, ...(rate_limits && { rate_limits: rate_limits as Record<string, never>[] }) },
        }),
      );
    },
    onSuccess: (saved) => queries.setQueryData(['settings', tenant.id], saved),
  });
  return (
    <form
      className="form"
      aria-label="Settings"
      onSubmit={(event) => {
        event.preventDefault();
        if (body) save.mutate(body);
      }}
    >
      <div className="columns">
        <Panel title="Rules that are written from now on">
          <Field
            label="Days begin and end at this offset from UTC"
            hint={
              offsetMinutes(draft.utc_offset) === null
                ? 'Such as +02:00 or -05:30, at most 14 hours'
                : 'Schedules and dates in conditions follow it. Rules that are there keep theirs.'
            }
          >
            {(id) => (
              <input
                id={id}
                className="short"
                value={draft.utc_offset}
                onChange={(event) => put({ utc_offset: event.target.value })}
              />
            )}
          </Field>
          <fieldset>
            <legend>Rounding an account down by an amount</legend>
            <label className="check">
              <input
                type="radio"
                checked={draft.round_down === 'MULTIPLE'}
                onChange={() => put({ round_down: 'MULTIPLE' })}
              />
              moves what is above a multiple of the amount (MULTIPLE)
            </label>
            <label className="check">
              <input
                type="radio"
                checked={draft.round_down === 'BUFFER'}
                onChange={() => put({ round_down: 'BUFFER' })}
              />
              keeps the amount and moves the rest (BUFFER)
            </label>
          </fieldset>
        </Panel>
        <Panel title="The Multi API">
          <label className="check">
            <input type="checkbox" checked={draft.strict} onChange={() => put({ strict: !draft.strict })} />
            Strict: requests with unknown fields are refused
          </label>
          <label className="check">
            <input
              type="checkbox"
              checked={draft.multi_identity}
              onChange={() => put({ multi_identity: !draft.multi_identity })}
            />
            One person may be the root user of several identities
          </label>
          <Limits draft={draft} onChange={put} />
        </Panel>
      </div>
      <Refusal error={save.error} />
      <div className="row settings-foot">
        <Button kind="primary" type="submit" disabled={!body || unchanged} busy={save.isPending}>
          Save
        </Button>
        <Button disabled={unchanged} onClick={() => setDraft(theirs)}>
          As it was
        </Button>
        <span className="quiet">
          What goes wrong on purpose is set under <Link to={`/${tenant.id}/faults`}>Faults</Link>.
        </span>
      </div>
    </form>
  );
}

function Limits({ draft, onChange }: { draft: Draft; onChange: (some: Partial<Draft>) => void }) {
  const tenant = useTenant();
  const limits = draft.rate_limits;
  const set = (index: number, some: Partial<Limit>): void =>
    onChange({ rate_limits: limits.map((limit, at) => (at === index ? { ...limit, ...some } : limit)) });
  return (
    <fieldset>
      <legend>Rate limits</legend>
      <label className="check">
        <input
          type="radio"
          checked={draft.default_rate_limits}
          onChange={() => onChange({ default_rate_limits: true })}
        />
        {tenant.mode === 'live'
          ? 'those of live tenants: 100 a minute, 1,000 an hour, 10,000 a day'
          : 'those of sandboxes: none'}
      </label>
      <label className="check">
        <input
          type="radio"
          checked={!draft.default_rate_limits}
          onChange={() => onChange({ default_rate_limits: false })}
        />
        these:
      </label>
      {!draft.default_rate_limits && (
        <div className="limits">
          {limits.length === 0 && <span className="quiet">No limits.</span>}
          {limits.map((limit, index) => (
            <div key={index} className="row">
              <input
                aria-label="Requests"
                aria-invalid={whole(limit.requests) === null}
                className="short"
                inputMode="numeric"
                value={limit.requests}
                onChange={(event) => set(index, { requests: event.target.value })}
              />
              <span>requests in</span>
              <input
                aria-label="Window"
                aria-invalid={whole(limit.window) === null}
                className="short"
                inputMode="numeric"
                value={limit.window}
                onChange={(event) => set(index, { window: event.target.value })}
              />
              <select
                aria-label="Unit"
                value={limit.unit}
                onChange={(event) => set(index, { unit: Number(event.target.value) })}
              >
                {UNITS.map(([seconds, name]) => (
                  <option key={seconds} value={seconds}>
                    {name}
                  </option>
                ))}
              </select>
              <button
                type="button"
                className="cross"
                aria-label="Without this limit"
                onClick={() => onChange({ rate_limits: limits.filter((_, at) => at !== index) })}
              >
                ×
              </button>
            </div>
          ))}
          <Button
            disabled={limits.length >= LIMITS_MAX}
            onClick={() => onChange({ rate_limits: [...limits, { requests: '100', window: '1', unit: 60 }] })}
          >
            Another limit
          </Button>
        </div>
      )}
    </fieldset>
  );
}
