// What happened to my key? A question that an operator answers for a client that does not know.

import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';

import { useKeys, useOwners } from '../../queries';
import { useTenant } from '../../tenant';
import { Amount, Button, Facts, Field, Id, Loaded, Panel, Refusal, State, When } from '../../ui';
import { pathOf } from '../events/words';
import { type KeyUse, useKeyState } from './queries';
import { afterRefusal, operation, verdict } from './states';

export function Lookup() {
  const [query, setQuery] = useSearchParams();
  const asked = query.get('key') ?? '';
  const by = query.get('by') ?? '';
  return (
    <>
      <Panel>
        <Question
          key={`${asked} ${by}`}
          asked={asked}
          by={by}
          onAsk={(key, by) => setQuery({ key, ...(by && { by }) })}
        />
      </Panel>
      {asked && <Answer asked={asked} by={by} />}
    </>
  );
}

function Question(props: { asked: string; by: string; onAsk: (key: string, by: string) => void }) {
  const keys = useKeys().data ?? [];
  const owners = useOwners().data ?? [];
  const [text, setText] = useState(props.asked);
  const [by, setBy] = useState(props.by);
  return (
    <form
      className="row question"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) props.onAsk(text.trim(), by);
      }}
    >
      <Field label="Idempotency key, or idempotency-ref of Multi">
        {(id) => (
          <input
            id={id}
            autoFocus
            spellCheck={false}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <Field label="Used by">
        {(id) => (
          <select id={id} value={by} onChange={(event) => setBy(event.target.value)}>
            <option value="">anybody</option>
            <optgroup label="API keys">
              {keys.map(({ id, name, hint }) => (
                <option key={id} value={id}>
                  {name} (…{hint})
                </option>
              ))}
            </optgroup>
            <optgroup label="Identities of Multi">
              {owners
                .filter(({ kind }) => kind !== 'beneficiary')
                .map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
            </optgroup>
          </select>
        )}
      </Field>
      <Button kind="primary" type="submit" disabled={!text.trim()}>
        What happened?
      </Button>
    </form>
  );
}

function Answer({ asked, by }: { asked: string; by: string }) {
  const narrow = by === '' ? {} : by.startsWith('key_') ? { key_id: by } : { owner_id: by };
  const state = useKeyState(asked, narrow);
  return (
    <Loaded query={state}>
      {({ state: became, uses }) => {
        const { tone, title, words } = verdict(became);
        return (
          <>
            <div className={`banner ${tone}`} role="status">
              <span>
                <strong>{title}.</strong> {words}
              </span>
              <Button busy={state.isFetching} onClick={() => void state.refetch()}>
                Ask again
              </Button>
            </div>
            <Refusal error={state.error} />
            {uses.map((use) => (
              <Use key={`${use.key_id ?? use.owner_id ?? ''} ${use.operation}`} use={use} />
            ))}
          </>
        );
      }}
    </Loaded>
  );
}

function Use({ use }: { use: KeyUse }) {
  const tenant = useTenant().id;
  const keys = useKeys().data ?? [];
  const owners = useOwners().data ?? [];
  const { transfer, error } = use;
  const key = keys.find(({ id }) => id === use.key_id);
  const owner = owners.find(({ id }) => id === use.owner_id);
  const path = use.object_id ? pathOf(use.object_id) : null;
  return (
    <Panel
      title={
        <>
          {operation(use.operation)} <State of={use.state} />
        </>
      }
    >
      {transfer && (
        <p className="lookup-transfer">
          <Amount minor={transfer.amount} currency={transfer.currency} />{' '}
          <span>
            {transfer.source?.name ?? 'outside'} → {transfer.destination?.name ?? 'outside'}
          </span>{' '}
          <State of={transfer.status} />{' '}
          <Link to={`/${tenant}/transfers/${transfer.id}`}>See the transfer</Link>
        </p>
      )}
      {error && (
        <p className="lookup-transfer">
          <code>{error.code}</code> {error.message}. {afterRefusal(error.key_is_free)}
        </p>
      )}
      <Facts
        of={[
          [
            'Used by',
            key
              ? `${key.name} (…${key.hint})`
              : (owner?.name ?? use.key_id ?? use.owner_id ?? 'the programme'),
          ],
          ['When, by the machine’s clock', <When key="at" at={use.at} />],
          ['Request id of the first answer', use.request_id ? <Id key="request">{use.request_id}</Id> : null],
          [
            'What was made or changed',
            use.object_id ? (
              path ? (
                <Link key="object" to={`/${tenant}/${path}`}>
                  {use.object_id}
                </Link>
              ) : (
                <Id key="object">{use.object_id}</Id>
              )
            ) : null,
          ],
        ]}
      />
    </Panel>
  );
}
