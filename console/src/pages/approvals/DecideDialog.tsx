// One decision, with who decides and why: both are in the audit log, in the same commit.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, ask, type Transfer } from '../../api/client';
import { money } from '../../money';
import { useTenant } from '../../tenant';
import { Button, Dialog, Field, Refusal } from '../../ui';

/** Characters of a reason, and of a name. */
const REASON_MAX = 50;
const BY_MAX = 100;

export function DecideDialog(props: {
  transfer: Transfer;
  approve: boolean;
  by: string;
  onBy: (by: string) => void;
  onClose: () => void;
}) {
  const { transfer, approve, by, onBy, onClose } = props;
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const decide = useMutation({
    mutationFn: () => {
      const params = { path: { tenant, transfer: transfer.id } };
      const who = by.trim() ? { by: by.trim() } : {};
      return ask(
        approve
          ? api.POST('/tenants/{tenant}/transfers/{transfer}/approve', { params, body: who })
          : api.POST('/tenants/{tenant}/transfers/{transfer}/deny', {
              params,
              body: { ...who, ...(reason.trim() && { reason: reason.trim() }) },
            }),
      );
    },
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: ['approvals'] });
    },
  });
  const amount = money(transfer.amount, transfer.currency);
  return (
    <Dialog title={approve ? `Let ${amount} go?` : `Call ${amount} off?`} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          decide.mutate();
        }}
      >
        <p className="decide-way">
          {transfer.source?.name ?? 'outside'} → {transfer.destination?.name ?? 'outside'}
        </p>
        <p className="about">
          {approve
            ? 'It settles like any other transfer, and may still fail if the money is not there.'
            : 'It ends as cancelled, and cannot be approved afterwards.'}
        </p>
        {!approve && (
          <Field label="Reason" hint="Shown with the transfer.">
            {(id) => (
              <input
                id={id}
                maxLength={REASON_MAX}
                autoFocus
                value={reason}
                onChange={({ target }) => setReason(target.value)}
              />
            )}
          </Field>
        )}
        <Field label="Your name" hint="For the audit log.">
          {(id) => (
            <input
              id={id}
              maxLength={BY_MAX}
              autoComplete="name"
              autoFocus={approve}
              value={by}
              onChange={({ target }) => onBy(target.value)}
            />
          )}
        </Field>
        <Refusal error={decide.error} />
        <footer className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind={approve ? 'primary' : 'danger'} type="submit" busy={decide.isPending}>
            {approve ? 'Approve the transfer' : 'Deny the transfer'}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
