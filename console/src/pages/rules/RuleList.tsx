// All rules, by whose they are.

import { Link, useNavigate, useSearchParams } from 'react-router';

import type { Owner, Rule } from '../../api/client';
import { useExecutions, useKnownAccounts, useOwners, useRules } from '../../queries';
import { useTenant } from '../../tenant';
import { Button, Empty, Field, Loaded, Page, Panel, State, Table, When } from '../../ui';
import { RuleSwitch } from './RuleSwitch';
import { accountsOf, summary, triggerWords } from './words';

export function RuleList() {
  const rules = useRules();
  const owners = useOwners();
  const tenant = useTenant().id;
  const navigate = useNavigate();
  return (
    <Page
      title="Rules"
      about="What moves money by itself: when something happens, a rule looks at its conditions and moves amounts. A rule does nothing until it is switched on."
      actions={
        <>
          <Button onClick={() => void navigate(`/${tenant}/rules/new`)}>Write a rule</Button>
          <Button kind="primary" onClick={() => void navigate(`/${tenant}/templates`)}>
            From a template
          </Button>
        </>
      }
    >
      <Loaded query={rules}>
        {(rules) => <Loaded query={owners}>{(owners) => <ByOwner rules={rules} owners={owners} />}</Loaded>}
      </Loaded>
    </Page>
  );
}

function ByOwner({ rules, owners }: { rules: Rule[]; owners: Owner[] }) {
  const [query, setQuery] = useSearchParams();
  const tenant = useTenant().id;
  const having = owners.filter(({ id }) => rules.some(({ owner_id }) => owner_id === id));
  if (having.length === 0) {
    return (
      <Empty>
        There is no rule yet. Begin with a <Link to={`/${tenant}/templates`}>template</Link>, or on the
        command line: <code>tidegate rule template tax_reserve --from ACC --to ACC=25</code>.
      </Empty>
    );
  }
  const chosen = having.find(({ id }) => id === query.get('owner'));
  const shown = chosen ? [chosen] : having.slice(0, 20);
  return (
    <>
      {having.length > 1 && (
        <div className="row">
          <Field label="Owner">
            {(id) => (
              <select
                id={id}
                value={chosen?.id ?? ''}
                onChange={({ target }) => setQuery(target.value ? { owner: target.value } : {})}
              >
                <option value="">{having.length > 20 ? 'The first 20 owners' : 'All owners'}</option>
                {having.map((owner) => (
                  <option key={owner.id} value={owner.id}>
                    {owner.name}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </div>
      )}
      {shown.map((owner) => (
        <Panel key={owner.id} title={owner.name}>
          <RulesOf rules={rules.filter(({ owner_id }) => owner_id === owner.id)} />
        </Panel>
      ))}
    </>
  );
}

function RulesOf({ rules }: { rules: Rule[] }) {
  const tenant = useTenant().id;
  const { name, currency } = useKnownAccounts();
  const known = (rule: Rule) => ({ name, currency: currency(accountsOf(rule)) });
  return (
    <Table
      rows={rules}
      id={({ id }) => id}
      empty="No rule."
      columns={[
        {
          name: 'Rule',
          cell: (rule) => (
            <div className="rule-name">
              <Link to={`/${tenant}/rules/${rule.id}`}>{rule.nickname}</Link>
              <small className="quiet">{summary(rule.steps, known(rule))}</small>
            </div>
          ),
        },
        { name: 'Runs', cell: (rule) => triggerWords(rule.trigger, known(rule)) },
        { name: 'Last run', cell: (rule) => <LastRun rule={rule.id} /> },
        { name: 'State', cell: (rule) => <RuleSwitch rule={rule} /> },
      ]}
    />
  );
}

function LastRun({ rule }: { rule: string }) {
  const tenant = useTenant().id;
  const runs = useExecutions({ rule_id: rule, execution_mode: 'live' }, 1);
  if (!runs.data) return <span className="quiet">…</span>;
  const last = runs.data.pages[0]?.data[0];
  if (!last) return <span className="quiet">never</span>;
  return (
    <Link className="last-run" to={`/${tenant}/runs/${last.id}`}>
      <State of={last.status} /> <When at={last.created_at} />
    </Link>
  );
}
