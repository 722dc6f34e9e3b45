// The secrets that sign, and how a new one takes over.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, ask, type Webhook } from '../../api/client';
import { useTenant } from '../../tenant';
import { Button, Dialog, Field, Refusal, When } from '../../ui';
import { Secret } from '../../ui/Copy';

export function Signing({ webhook }: { webhook: Webhook }) {
  const [rotating, setRotating] = useState(false);
  const secrets = webhook.secrets ?? [];
  return (
    <>
      {secrets.map((secret, index) => (
        <div key={secret} className="signing">
          <span className="quiet">
            {index === 0 ? (
              secrets.length > 1 ? (
                'The newest'
              ) : (
                'The secret'
              )
            ) : (
              <>
                The one before, until <When at={webhook.previous_until} />
              </>
            )}
          </span>
          <Secret name={index === 0 ? 'Newest secret' : 'Secret before'} value={secret} />
        </div>
      ))}
      <p className="about">
        {secrets.length > 1
          ? webhook.format === 'multi'
            ? 'Both are live: the older signs in signature and signature-v2, the newest in signature-v2-next.'
            : 'Both are live: every delivery has a signature of each.'
          : 'Your program checks the signature of each delivery with it.'}
      </p>
      <div className="actions">
        <Button onClick={() => setRotating(true)}>New secret…</Button>
      </div>
      {rotating && <RotateDialog webhook={webhook} onClose={() => setRotating(false)} />}
    </>
  );
}

const OVERLAPS = [
  [0, 'at once'],
  [3_600, 'after an hour'],
  [86_400, 'after a day'],
  [604_800, 'after a week'],
  [2_592_000, 'after 30 days'],
] as const;

function RotateDialog({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const [overlap, setOverlap] = useState(86_400);
  const rotate = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/tenants/{tenant}/webhooks/{webhook}/rotate', {
          params: { path: { tenant, webhook: webhook.id } },
          body: { overlap_s: overlap },
        }),
      ),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: ['webhooks'] });
    },
  });
  return (
    <Dialog title="A new secret" onClose={onClose}>
      <p className="about">
        A new secret is made. For a while both sign, so that a receiver can change over without losing
        anything. A secret that is older than both is dead at once.
      </p>
      <Field label="The secret of today ends">
        {(id) => (
          <select id={id} value={overlap} onChange={(event) => setOverlap(Number(event.target.value))}>
            {OVERLAPS.map(([seconds, words]) => (
              <option key={seconds} value={seconds}>
                {words}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Refusal error={rotate.error} />
      <footer className="dialog-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="primary" busy={rotate.isPending} onClick={() => rotate.mutate()}>
          Make a new secret
        </Button>
      </footer>
    </Dialog>
  );
}
