// On or off. It asks first: a rule that is on moves money by itself.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, ask, type Rule } from '../../api/client';
import { useKnownAccounts } from '../../queries';
import { useTenant } from '../../tenant';
import { Button, Dialog, Refusal } from '../../ui';
import { accountsOf, triggerWords } from './words';

/** Switches a rule on or off; `enabled` is what it shall be. */
export function useSwitch(rule: string) {
  const tenant = useTenant().id;
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (enabled: boolean) => {
      const params = { path: { tenant, rule } };
      return ask(
        enabled
          ? api.POST('/tenants/{tenant}/rules/{rule}/enable', { params })
          : api.POST('/tenants/{tenant}/rules/{rule}/disable', { params }),
      );
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ['rules'] }),
  });
}

export function RuleSwitch({ rule }: { rule: Rule }) {
  const [asking, setAsking] = useState(false);
  const on = rule.status === 'enabled';
  return (
    <>
      <button
        type="button"
        role="switch"
        aria-checked={on}
        aria-label={`${rule.nickname} is on`}
        className="switch"
        onClick={() => setAsking(true)}
      >
        <span className="switch-knob" />
        <span className="switch-word">{on ? 'on' : 'off'}</span>
      </button>
      {asking && <SwitchDialog rule={rule} onClose={() => setAsking(false)} />}
    </>
  );
}

const OFF =
  'It stops to run, and can be switched on again at any time. A run that waits will fail. What it missed is not made up.';
const BEFORE = 'All rules of the owner that are on are looked through together before.';

function SwitchDialog({ rule, onClose }: { rule: Rule; onClose: () => void }) {
  const { name, currency } = useKnownAccounts();
  const switching = useSwitch(rule.id);
  const [on] = useState(rule.status === 'enabled');
  const when = triggerWords(rule.trigger, { name, currency: currency(accountsOf(rule)) });
  const onWords =
    rule.trigger.type === 'MANUAL'
      ? 'From now on it can be triggered.'
      : `From now on it moves money by itself: ${when.charAt(0).toLowerCase()}${when.slice(1)}.`;
  return (
    <Dialog title={on ? `Switch “${rule.nickname}” off?` : `Switch “${rule.nickname}” on?`} onClose={onClose}>
      <p className="about">{on ? OFF : `${onWords} ${BEFORE}`}</p>
      <Refusal error={switching.error} />
      <footer className="dialog-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          kind={on ? 'danger' : 'primary'}
          busy={switching.isPending}
          onClick={() => switching.mutate(!on, { onSuccess: onClose })}
        >
          {on ? 'Switch off' : 'Switch on'}
        </Button>
      </footer>
    </Dialog>
  );
}
