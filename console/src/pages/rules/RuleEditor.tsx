// A rule as JSON: checked before it is saved, and what the server says points at its place.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';

import { type Account, api, ask, Refused, type Rule, type Schemas } from '../../api/client';
import { useAccounts, useKnownAccounts, useRule } from '../../queries';
import { useTenant } from '../../tenant';
import { Button, Field, Loaded, Page, Panel, Refusal, Table } from '../../ui';
import { editable, example, read } from './draft';
import { FindingList } from './Findings';
import { locate } from './locate';
import { RuleWords } from './RuleWords';
import type { Step, Trigger } from './words';

export function RuleEditor() {
  const { rule: id = '' } = useParams();
  return <Loaded query={useRule(id)}>{(rule) => <Editor begin={editable(rule)} rule={rule} />}</Loaded>;
}

/** Begins with an example among the accounts as they are when the page is opened: what is written stays when they change. */
export function NewRule() {
  return <Loaded query={useAccounts()}>{(all) => <Editor begin={exampleAmong(all)} rule={null} />}</Loaded>;
}

function exampleAmong(all: readonly Account[]): string {
  const active = all.filter(({ state }) => state === 'active');
  const from = active.find(({ type }) => type === 'income_source') ?? active[0];
  const to = active.find(
    ({ id, owner_id, type, currency }) =>
      id !== from?.id && owner_id === from?.owner_id && type === 'pod' && currency === from.currency,
  );
  return example(from?.id ?? 'acc_…', to?.id ?? 'acc_…');
}

function Editor({ begin, rule }: { begin: string; rule: Rule | null }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [text, setText] = useState(begin);
  /** The text that was looked through; saving another one looks first. */
  const [checked, setChecked] = useState<string | null>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const draft = read(text);
  const check = useMutation({
    mutationFn: (body: Record<string, unknown>) =>
      ask(
        api.POST('/tenants/{tenant}/rules/lint', {
          params: { path: { tenant } },
          body: { rule: body as never, ...(rule && { rule_id: rule.id }) },
        }),
      ),
    onSettled: () => setChecked(text),
  });
  const save = useMutation({
    mutationFn: (body: Record<string, unknown>): Promise<Rule> =>
      rule
        ? ask(
            api.PUT('/tenants/{tenant}/rules/{rule}', {
              params: { path: { tenant, rule: rule.id } },
              body: body as never,
            }),
          )
        : ask(api.POST('/tenants/{tenant}/rules', { params: { path: { tenant } }, body: body as never })),
    onSuccess: async (made) => {
      await queries.invalidateQueries({ queryKey: ['rules'] });
      await navigate(`/${tenant}/rules/${made.id}`);
    },
  });
  const isChecked = checked === text;
  const faults = isChecked ? (check.data?.faults ?? []) : [];
  const findings = isChecked ? (check.data?.findings ?? []) : [];
  const refused = save.error ?? (isChecked ? check.error : null);
  const onPath = (path: string) => show(area.current, text, path);

  async function trySave(body: Record<string, unknown>): Promise<void> {
    if (!isChecked) {
      const found = await check.mutateAsync(body).catch(() => null);
      if (!found || found.faults.length > 0 || found.findings.length > 0) return;
    }
    save.mutate(body);
  }

  return (
    <Page
      title={rule ? `Edit “${rule.nickname}”` : 'Write a rule'}
      about={
        rule
          ? 'Saving replaces all that the rule says, and switches it off. What makes it run cannot be changed, and what its limits have counted stays counted.'
          : 'A rule as JSON, as the Sequence API has it. It is off when it is saved. Most rules are made faster from a template.'
      }
      actions={<Link to={rule ? `/${tenant}/rules/${rule.id}` : `/${tenant}/rules`}>Back</Link>}
    >
      <div className="rule-page">
        <Panel>
          <Field label="The rule">
            {(id) => (
              <textarea
                id={id}
                ref={area}
                className="rule-json"
                spellCheck={false}
                value={text}
                onChange={({ target }) => {
                  setText(target.value);
                  save.reset();
                }}
              />
            )}
          </Field>
          {'fault' in draft && <p className="notice bad">{draft.fault}</p>}
          <div className="actions">
            <Button
              disabled={'fault' in draft}
              busy={check.isPending}
              onClick={() => 'draft' in draft && check.mutate(draft.draft)}
            >
              Check
            </Button>
            <Button
              kind="primary"
              disabled={'fault' in draft || faults.length > 0 || check.isPending}
              busy={save.isPending}
              onClick={() => 'draft' in draft && void trySave(draft.draft)}
            >
              {findings.length > 0 ? 'Save all the same' : 'Check and save'}
            </Button>
          </div>
          {refused && <Pointing error={refused} onPath={onPath} />}
          {isChecked && check.data && faults.length + findings.length === 0 && (
            <p className="fine" role="status">
              {'Nothing speaks against it.'}
            </p>
          )}
          {faults.length > 0 && (
            <section aria-label="Faults">
              <p className="fine">This is no rule yet:</p>
              <FindingList findings={faults} onPath={onPath} />
            </section>
          )}
          {findings.length > 0 && (
            <section aria-label="Findings">
              <p className="fine">Beside the rules of the owner that are on:</p>
              <FindingList findings={findings} onPath={onPath} />
            </section>
          )}
        </Panel>
        <div className="rule-side">
          <Panel title="In words">
            <Words of={draft} />
          </Panel>
          <Accounts />
        </div>
      </div>
    </Page>
  );
}

/** Selects the place of a path in the text, and brings it into view. */
function show(area: HTMLTextAreaElement | null, text: string, path: string): void {
  const place = locate(text, path);
  if (!area || !place) return;
  area.focus();
  area.setSelectionRange(place.start, place.end);
  const line = area.scrollHeight / Math.max(1, text.split('\n').length);
  area.scrollTop = Math.max(0, (place.line - 4) * line);
}

/** A refusal whose paths lead to their places. */
function Pointing({ error, onPath }: { error: Error; onPath: (path: string) => void }) {
  if (!(error instanceof Refused) || error.fields.length === 0) return <Refusal error={error} />;
  return (
    <div role="alert">
      <FindingList
        findings={error.fields.map(({ field, reason }) => ({
          code: error.code,
          // A draft that is checked stands under `rule`.
          path: field.replace(/^rule\./, ''),
          message: reason,
        }))}
        onPath={onPath}
      />
    </div>
  );
}

/** The draft in words, as far as it is one. */
function Words({ of }: { of: ReturnType<typeof read> }) {
  const rule = 'draft' in of ? asRule(of.draft) : null;
  if (!rule) return <p className="quiet fine">As soon as it has a trigger and steps with actions.</p>;
  return <RuleWords rule={rule} />;
}

const TRIGGERS = ['MANUAL', 'ON_FUNDS_TRANSFERRED', 'SCHEDULED'];

function asRule(draft: Record<string, unknown>): { trigger: Trigger; steps: Step[] } | null {
  const { trigger, steps } = draft as Partial<Schemas['RuleBody']>;
  if (!trigger || !TRIGGERS.includes(trigger.type) || !Array.isArray(steps)) return null;
  const whole = steps.every((step) => Array.isArray(step?.actions) && step.actions.every((one) => one?.type));
  return whole ? { trigger, steps } : null;
}

function Accounts() {
  const { all } = useKnownAccounts();
  return (
    <Panel title="Accounts and their ids">
      <div className="account-ids">
        <Table
          rows={all.filter(({ state }) => state !== 'closed').slice(0, 200)}
          id={({ id }) => id}
          empty="There is no account yet."
          columns={[
            {
              name: 'Account',
              cell: ({ name, owner_name }) => (
                <>
                  {name} <small className="quiet">{owner_name}</small>
                </>
              ),
            },
            { name: 'Id', cell: ({ id }) => <code className="id">{id}</code> },
          ]}
        />
      </div>
    </Panel>
  );
}
