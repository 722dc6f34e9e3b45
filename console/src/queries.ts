// Reads that several pages share. The first part of a key names what it reads: `live.tsx` makes it
// stale by that name.

import { keepPreviousData, useInfiniteQuery, useQueries, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

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

/** Accounts by their ids, and their names in words. */
export function useKnownAccounts() {
  const accounts = useAccounts();
  return useMemo(() => {
    const byId = new Map((accounts.data ?? []).map((account) => [account.id, account]));
    return {
      all: accounts.data ?? [],
      byId,
      name: (id: string): string => byId.get(id)?.name ?? id,
      /** The currency of the first of these accounts that is there. */
      currency: (ids: readonly string[]): string =>
        ids.map((id) => byId.get(id)?.currency).find((currency) => currency !== undefined) ?? 'USD',
    };
  }, [accounts.data]);
}

/** One rule, a deleted one too. */
export function useRule(rule: string) {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['rules', tenant, 'one', rule],
    queryFn: () => ask(api.GET('/tenants/{tenant}/rules/{rule}', { params: { path: { tenant, rule } } })),
    enabled: rule !== '',
  });
}

/** What will not work in an owner's rules. */
export function useFindings(owner: string) {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['rules', tenant, 'findings', owner],
    queryFn: async () =>
      (
        await ask(
          api.POST('/tenants/{tenant}/rules/lint', {
            params: { path: { tenant } },
            body: { owner_id: owner },
          }),
        )
      ).findings,
    enabled: owner !== '',
  });
}

export interface ExecutionFilter {
  rule_id?: string;
  status?: string;
  execution_mode?: string;
}

/** Runs of rules, newest first, page by page. */
export function useExecutions(filter: ExecutionFilter, limit: number) {
  const tenant = useTenant().id;
  return useInfiniteQuery({
    queryKey: ['executions', tenant, filter, limit],
    initialPageParam: '',
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/tenants/{tenant}/rule-executions', {
          params: {
            path: { tenant },
            query: { ...filter, limit, ...(pageParam && { after: pageParam }) },
          },
        }),
      ),
    getNextPageParam: (page) => (page.more ? page.data.at(-1)?.id : undefined),
    placeholderData: keepPreviousData,
  });
}

export function useExecution(execution: string) {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['executions', tenant, 'one', execution],
    queryFn: () =>
      ask(
        api.GET('/tenants/{tenant}/rule-executions/{execution}', {
          params: { path: { tenant, execution } },
        }),
      ),
  });
}

/** These transfers, in this order; those that are not read yet are left out. */
export function useTransfersOf(ids: readonly string[]): Transfer[] {
  const tenant = useTenant().id;
  return useQueries({
    queries: ids.map((transfer) => ({
      queryKey: ['transfers', tenant, 'one', transfer],
      queryFn: () =>
        ask(api.GET('/tenants/{tenant}/transfers/{transfer}', { params: { path: { tenant, transfer } } })),
    })),
    combine: (answers) => answers.map(({ data }) => data).filter((data) => data !== undefined),
  });
}

export function useKeys() {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['keys', tenant],
    queryFn: async () =>
      (await ask(api.GET('/tenants/{tenant}/keys', { params: { path: { tenant } } }))).data,
  });
}
