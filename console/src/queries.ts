// Reads that several pages share. The first part of a key names what it reads: `live.tsx` makes it
// stale by that name.

import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { type Account, api, ask, type Transfer } from './api/client';
import { useTenant } from './tenant';

export function useTenants() {
  return useQuery({
    queryKey: ['tenants'],
    queryFn: async () => (await ask(api.GET('/tenants'))).data,
  });
}

export function useOwners() {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['owners', tenant],
    queryFn: async () =>
      (await ask(api.GET('/tenants/{tenant}/owners', { params: { path: { tenant } } }))).data,
  });
}

export function useAccounts() {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['accounts', tenant],
    queryFn: async () =>
      (await ask(api.GET('/tenants/{tenant}/accounts', { params: { path: { tenant } } }))).data,
  });
}

export function useRules() {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['rules', tenant],
    queryFn: async () =>
      (await ask(api.GET('/tenants/{tenant}/rules', { params: { path: { tenant } } }))).data,
  });
}

export function useApprovals() {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['approvals', tenant],
    queryFn: async () =>
      (await ask(api.GET('/tenants/{tenant}/approvals', { params: { path: { tenant } } }))).data,
  });
}

export function useSettings() {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['settings', tenant],
    queryFn: () => ask(api.GET('/tenants/{tenant}/settings', { params: { path: { tenant } } })),
  });
}

/** How many accounts are asked for their transfers, and for how many each. */
const ACCOUNTS_ASKED = 24;
const EACH = 20;

/** The newest transfers in which these accounts take part, newest first. */
export function useRecentTransfers(accounts: readonly Account[], most = 2 * EACH) {
  const tenant = useTenant().id;
  const asked = accounts.slice(0, ACCOUNTS_ASKED).map(({ id }) => id);
  return useQuery({
    queryKey: ['transfers', tenant, 'recent', asked, most],
    queryFn: async () => {
      const lists = await Promise.all(
        asked.map((account_id) =>
          ask(
            api.GET('/tenants/{tenant}/transfers', {
              params: { path: { tenant }, query: { account_id, limit: accounts.length === 1 ? most : EACH } },
            }),
          ),
        ),
      );
      const found = new Map<string, Transfer>();
      for (const transfer of lists.flatMap(({ data }) => data)) found.set(transfer.id, transfer);
      // Ids rise with time.
      return [...found.values()].toSorted((a, b) => (a.id < b.id ? 1 : -1)).slice(0, most);
    },
    placeholderData: keepPreviousData,
  });
}
