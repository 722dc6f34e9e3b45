// What the coming days would bring an owner, reckoned with the decisions of the ledger.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Link, useSearchParams } from 'react-router';

import { type Account, api, ask, type Owner } from '../../api/client';
import { useAccounts, useOwners, useRecentTransfers, useRules } from '../../queries';
import { useTenant } from '../../tenant';
import { Empty, Field, Loaded, Page, Panel } from '../../ui';
import { suggest } from './forecast';
import { type Asked, IncomeForm } from './IncomeForm';
import { Told } from './Told';

import './forecast.css';

const DAYS = 90;

export function ForecastPage() {
  const owners = useOwners();
  const accounts = useAccounts();
  return (
    <Page
      title="Forecast"
      about="A copy of an owner’s state is driven on with the ledger’s own decisions: schedules, rules, limits, and the income that you assume. Nothing is written. It is right to the cent if that income comes and nobody does anything else."
    >
      <Loaded query={owners}>
        {(owners) => (
          <Loaded query={accounts}>{(accounts) => <Choose owners={owners} accounts={accounts} />}</Loaded>
        )}
      </Loaded>
    </Page>
  );
}

/** Accounts that the ledger holds: only those are looked ahead at. */
function held(accounts: Account[], owner: string): Account[] {
  return accounts.filter(
    ({ owner_id, type, state }) => owner_id === owner && type !== 'external_account' && state !== 'closed',
  );
}

function Choose({ owners, accounts }: { owners: Owner[]; accounts: Account[] }) {
  const [query, setQuery] = useSearchParams();
  const rules = useRules();
  const having = owners.filter(({ id }) => held(accounts, id).length > 0);
  // Whom rules move money for is the better example.
  const ruled = having.find(({ id }) => rules.data?.some(({ owner_id }) => owner_id === id));
  const owner = having.find(({ id }) => id === query.get('owner')) ?? ruled ?? having[0];
  if (!owner) {
    return (
      <Empty>
        Nobody has an account yet: <code>tidegate owner create</code>, then{' '}
        <code>tidegate account create</code>.
      </Empty>
    );
  }
  if (!rules.data) return <Empty>Reading…</Empty>;
  return (
    <>
      {having.length > 1 && (
        <div className="row">
          <Field label="Owner">
            {(id) => (
              <select id={id} value={owner.id} onChange={({ target }) => setQuery({ owner: target.value })}>
                {having.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </div>
      )}
      <OfOwner key={owner.id} owner={owner} accounts={held(accounts, owner.id)} />
    </>
  );
}

function OfOwner({ owner, accounts }: { owner: Owner; accounts: Account[] }) {
  const recent = useRecentTransfers(accounts);
  const tenant = useTenant();
  const [now] = useState(tenant.now);
  // Once: what somebody typed is not to be overwritten because money came in.
  const [begin, setBegin] = useState<Asked | null>(null);
  if (begin === null && recent.data) setBegin({ days: DAYS, income: suggest(recent.data, now) });
  if (begin === null) return <Loaded query={recent}>{() => null}</Loaded>;
  return <Ask owner={owner} accounts={accounts} begin={begin} now={now} />;
}

function Ask(props: { owner: Owner; accounts: Account[]; begin: Asked; now: string }) {
  const { owner, accounts, begin, now } = props;
  const tenant = useTenant().id;
  const [asked, setAsked] = useState(begin);
  // Asked once more with the same words, it is reckoned anew.
  const [nth, setNth] = useState(0);
  const told = useQuery({
    queryKey: ['forecast', tenant, owner.id, asked, nth],
    queryFn: () =>
      ask(
        api.POST('/tenants/{tenant}/owners/{owner}/forecast', {
          params: { path: { tenant, owner: owner.id } },
          body: { days: asked.days, income: asked.income as never[] },
        }),
      ),
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  });
  const assumed = useMemo(() => begin.income.length > 0, [begin]);
  return (
    <>
      <Panel title="Assumed income">
        <p className="about">
          {assumed
            ? 'Taken from the pay that came in last. Change it, or add what you expect.'
            : 'No pay came in lately. Add what you expect; schedules and rules are known already.'}
        </p>
        <IncomeForm
          accounts={accounts}
          begin={begin}
          now={now}
          busy={told.isFetching}
          onAsk={(asked) => {
            setAsked(asked);
            setNth((nth) => nth + 1);
          }}
        />
      </Panel>
      <Loaded query={told}>{(told) => <Told told={told} />}</Loaded>
      <p className="about">
        The same on the command line: <code>tidegate forecast --owner {owner.id}</code>. What moves money
        here: <Link to={`/${tenant}/rules?owner=${owner.id}`}>the rules of {owner.name}</Link>.
      </p>
    </>
  );
}
