// A test delivery, and what became of it.

import { useMutation, useQueryClient } from '@tanstack/react-query';

import { api, ask, type Webhook } from '../../api/client';
import { useTenant } from '../../tenant';
import { Button, Dialog, Refusal } from '../../ui';
import { Transcript } from './Transcript';

export function TestDialog({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  const test = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/tenants/{tenant}/webhooks/{webhook}/test', {
          params: { path: { tenant, webhook: webhook.id } },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['deliveries'] }),
  });
  const attempt = test.data;
  return (
    <Dialog title="A test delivery" wide onClose={onClose}>
      <p className="about wrap">
        One signed request to {webhook.url}, once. It is no event, and nothing else waits for it.
      </p>
      {attempt && (
        <div className={`banner ${attempt.delivered ? 'good' : 'bad'}`} role="status">
          {attempt.delivered ? 'It was taken.' : 'It was not taken.'}
        </div>
      )}
      {attempt && <Transcript attempt={attempt} />}
      <Refusal error={test.error} />
      <footer className="dialog-foot">
        <Button onClick={onClose}>Close</Button>
        <Button kind="primary" busy={test.isPending} onClick={() => test.mutate()}>
          {attempt ? 'Send another' : 'Send it'}
        </Button>
      </footer>
    </Dialog>
  );
}
