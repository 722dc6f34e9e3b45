// One transfer: from where to where, how it stands and why, and what a person may do with it.

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams } from 'react-router';

import { api, ask, type Transfer } from '../../api/client';
import { money } from '../../money';
import { useRules } from '../../queries';
import { useTenant } from '../../tenant';
import {
  Amount,
  Button,
  Dialog,
  Facts,
  Field,
  Id,
  Loaded,
  Page,
  Panel,
  Refusal,
  State,
  When,
} from '../../ui';
import { meaning, RETURNS } from './meaning';

export function TransferDetail() {
  const tenant = useTenant().id;
  const { transfer: id = '' } = useParams();
  const path = { tenant, transfer: id };
  const transfer = useQuery({
    queryKey: ['transfers', tenant, id],
    queryFn: () => ask(api.GET('/tenants/{tenant}/transfers/{transfer}', { params: { path } })),
  });
  return <Loaded query={transfer}>{(transfer) => <Shown transfer={transfer} />}</Loaded>;
}

function Shown({ transfer }: { transfer: Transfer }) {
  const tenant = useTenant();
  const ruleName = useRules().data?.find(({ id }) => id === transfer.rule_id)?.nickname;
  const [returning, setReturning] = useState(false);
  const { source, destination, currency } = transfer;
  const link = (party: Transfer['source']) =>
    party ? <Link to={`/${tenant.id}/accounts/${party.id}`}>{party.name}</Link> : 'the outside';
  const facts: [string, React.ReactNode][] = [
    ['State', <State key="s" of={transfer.status} />],
    ['From', link(source)],
    ['To', link(destination)],
    ['Amount', <Amount key="a" minor={transfer.amount} currency={currency} />],
    ['Fee', transfer.fee > 0 && <Amount minor={transfer.fee} currency={currency} />],
    ['By', transfer.origin.replaceAll('_', ' ')],
    ['Recorded', <When key="c" at={transfer.created_at} />],
    ['Shall happen', transfer.scheduled_at && <When at={transfer.scheduled_at} />],
    ['Ended', transfer.completed_at && <When at={transfer.completed_at} />],
    ['Error', transfer.error_code && <code>{transfer.error_code}</code>],
    ['Called off because', transfer.cancel_reason],
    ['Note', transfer.description],
    ['Tag', transfer.tag],
    ['Card', transfer.card_id && <Id>{transfer.card_id}</Id>],
    [
      'Rule',
      transfer.rule_id && (
        <Link to={`/${tenant.id}/rules/${transfer.rule_id}`}>{ruleName ?? transfer.rule_id}</Link>
      ),
    ],
    [
      'Why this amount',
      transfer.rule_execution_id && (
        <Link to={`/${tenant.id}/runs/${transfer.rule_execution_id}`}>The run of the rule</Link>
      ),
    ],
    ['API key', transfer.api_key_id && <Id>{transfer.api_key_id}</Id>],
    ['Profile', transfer.profile_id && <Id>{transfer.profile_id}</Id>],
    ['Id', <Id key="i">{transfer.id}</Id>],
  ];
  return (
    <Page
      title={`${money(transfer.amount, currency)} from ${source?.name ?? 'the outside'} to ${destination?.name ?? 'the outside'}`}
      about={meaning(transfer)}
      actions={
        <>
          {transfer.status === 'pending_approval' && (
            <Link className="button primary" to={`/${tenant.id}/approvals`}>
              Approve or deny
            </Link>
          )}
          {transfer.status === 'pending' && tenant.mode === 'sandbox' && (
            <Button kind="danger" onClick={() => setReturning(true)}>
              Give it back, as its rail would
            </Button>
          )}
        </>
      }
    >
      <Panel>
        <Facts of={facts.filter(([, value]) => Boolean(value))} />
      </Panel>
      {returning && <GiveBack transfer={transfer} onClose={() => setReturning(false)} />}
    </Page>
  );
}

function GiveBack({ transfer, onClose }: { transfer: Transfer; onClose: () => void }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const [code, setCode] = useState('PAYMENT_FAILED');
  const params = { path: { tenant, transfer: transfer.id } };
  const back = useMutation({
    mutationFn: () =>
      ask(api.POST('/tenants/{tenant}/transfers/{transfer}/return', { params, body: { error_code: code } })),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries();
    },
  });
  return (
    <Dialog title={`Give back ${money(transfer.amount, transfer.currency)}?`} onClose={onClose}>
      <Field label="Because">
        {(id) => (
          <select id={id} value={code} onChange={(event) => setCode(event.target.value)}>
            {RETURNS.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Refusal error={back.error} />
      <footer className="dialog-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="danger" busy={back.isPending} onClick={() => back.mutate()}>
          Give it back
        </Button>
      </footer>
    </Dialog>
  );
}
