// One rule: what it says, what is wrong with it, what it did, and everything that can be done with it.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';

import { api, ask, type Rule } from '../../api/client';
import { useOwners, useRule, useRules } from '../../queries';
import { useTenant } from '../../tenant';
import { Button, Dialog, Facts, Id, Json, Loaded, Page, Panel, Refusal, State, When } from '../../ui';
import { RunTable } from '../runs/RunTable';
import { AmountSource } from './AmountSource';
import { ApprovalThreshold } from './ApprovalThreshold';
import { Findings } from './Findings';
import { SimulateDialog, TriggerDialog } from './RunDialogs';
import { RuleSwitch } from './RuleSwitch';
import { RuleWords } from './RuleWords';

export function RuleDetail() {
  const { rule: id = '' } = useParams();
  return <Loaded query={useRule(id)}>{(rule) => <OneRule key={rule.id} rule={rule} />}</Loaded>;
}

function OneRule({ rule }: { rule: Rule }) {
  const tenant = useTenant().id;
  const navigate = useNavigate();
  const rules = useRules();
  const owner = useOwners().data?.find(({ id }) => id === rule.owner_id);
  const [doing, setDoing] = useState<'trigger' | 'simulate' | 'delete' | null>(null);
  // A deleted rule can still be read, but is in no list any more.
  const deleted = rules.data !== undefined && !rules.data.some(({ id }) => id === rule.id);
  const asks = rule.steps.some(({ actions }) => actions.some(({ type }) => type === 'queried_amount'));
  const done = () => setDoing(null);
  return (
    <Page
      title={rule.nickname}
      about={
        <>
          <Link to={`/${tenant}/rules`}>Rules</Link>
          {owner && (
            <>
              {' of '}
              <Link to={`/${tenant}/money?owner=${owner.id}`}>{owner.name}</Link>
            </>
          )}
          {rule.description && ` · ${rule.description}`}
        </>
      }
      actions={
        deleted ? (
          <State of="deleted" />
        ) : (
          <>
            <RuleSwitch rule={rule} />
            <Button onClick={() => setDoing('simulate')}>Simulate</Button>
            <Button
              disabled={rule.status !== 'enabled'}
              title={rule.status === 'enabled' ? '' : 'Only a rule that is on can be triggered'}
              onClick={() => setDoing('trigger')}
            >
              Trigger now
            </Button>
            <Button onClick={() => void navigate(`/${tenant}/rules/${rule.id}/edit`)}>Edit</Button>
            <Button kind="danger" onClick={() => setDoing('delete')}>
              Delete
            </Button>
          </>
        )
      }
    >
      {deleted && (
        <p className="notice">This rule was deleted. It never runs again; what it did stays below.</p>
      )}
      <div className="rule-page">
        <div className="rule-main">
          <Panel title="What it does">
            <RuleWords rule={rule} />
          </Panel>
          <Panel
            title="Its runs"
            actions={<Link to={`/${tenant}/runs?rule=${rule.id}`}>All runs of this rule</Link>}
          >
            <RunTable
              filter={{ rule_id: rule.id }}
              limit={10}
              empty="It has not run yet. Simulate it to see what a run would do."
            />
          </Panel>
          <details className="panel">
            <summary>As JSON</summary>
            <Json of={rule} />
          </details>
        </div>
        <div className="rule-side">
          {!deleted && (
            <Panel title="Checked together with the owner’s other rules">
              <Findings owner={rule.owner_id ?? ''} rule={rule.id} />
            </Panel>
          )}
          <Panel title="About it">
            <Facts
              of={[
                ['Made', <When key="made" at={rule.created_at} />],
                ['Changed', <When key="changed" at={rule.updated_at} />],
                ['Id', <Id key="id">{rule.id}</Id>],
              ]}
            />
          </Panel>
          {!deleted && <ApprovalThreshold rule={rule} />}
          {!deleted && asks && <AmountSource rule={rule.id} />}
        </div>
      </div>
      {doing === 'simulate' && <SimulateDialog rule={rule} onClose={done} />}
      {doing === 'trigger' && <TriggerDialog rule={rule} onClose={done} />}
      {doing === 'delete' && <DeleteDialog rule={rule} onClose={done} />}
    </Page>
  );
}

function DeleteDialog({ rule, onClose }: { rule: Rule; onClose: () => void }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const deleting = useMutation({
    mutationFn: () =>
      ask(api.DELETE('/tenants/{tenant}/rules/{rule}', { params: { path: { tenant, rule: rule.id } } })),
    onSuccess: async () => {
      await navigate(`/${tenant}/rules`);
      await queries.invalidateQueries({ queryKey: ['rules'] });
    },
  });
  return (
    <Dialog title={`Delete “${rule.nickname}”?`} onClose={onClose}>
      <p className="about">
        It never runs again and cannot be brought back. Its runs and what they moved stay as they are.
      </p>
      <Refusal error={deleting.error} />
      <footer className="dialog-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="danger" busy={deleting.isPending} onClick={() => deleting.mutate()}>
          Delete the rule
        </Button>
      </footer>
    </Dialog>
  );
}
