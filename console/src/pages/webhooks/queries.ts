// Reads of the webhook pages. Deliveries are no events, so these are read anew while they are looked at.

import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query';

import { api, ask, type Schemas, type Webhook } from '../../api/client';
import { useTenant } from '../../tenant';

export type Replay = Schemas['ReplayBody'];

/** How often what moves by itself is read, in milliseconds. */
const AGAIN_MS = 2_000;
/** Attempts on a page. */
export const PAGE = 25;

export function useWebhooks() {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['webhooks', tenant],
    queryFn: async () =>
      (await ask(api.GET('/tenants/{tenant}/webhooks', { params: { path: { tenant } } }))).data,
  });
}

function oneWebhook(tenant: string, webhook: string) {
  return {
    queryKey: ['webhooks', tenant, webhook],
    queryFn: () =>
      ask(api.GET('/tenants/{tenant}/webhooks/{webhook}', { params: { path: { tenant, webhook } } })),
    refetchInterval: AGAIN_MS,
  };
}

/** One endpoint with its secrets, and how far it has come. */
export function useWebhook(id: string) {
  return useQuery(oneWebhook(useTenant().id, id));
}

/** How far each of these has come, in their order. A tenant has at most 20. */
export function useEach(webhooks: readonly Webhook[]) {
  const tenant = useTenant().id;
  return useQueries({ queries: webhooks.map(({ id }) => oneWebhook(tenant, id)) });
}

interface Which {
  /** Those before this one; the newest when null. */
  before: string | null;
  /** Those about this event; about all when null. */
  event: string | null;
  /** Somebody reads: nothing shall jump. */
  still: boolean;
}

/** Attempts of an endpoint or a replay, newest first. */
export function useDeliveries(of: string, { before, event, still }: Which) {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['deliveries', tenant, of, before, event],
    queryFn: async () => {
      const query = { limit: PAGE, ...(before && { before }), ...(event && { event }) };
      const path = { tenant, webhook: of };
      return (
        await ask(api.GET('/tenants/{tenant}/webhooks/{webhook}/deliveries', { params: { path, query } }))
      ).data;
    },
    refetchInterval: before || still ? false : AGAIN_MS,
    placeholderData: keepPreviousData,
  });
}

export function useReplays() {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['replays', tenant],
    queryFn: async () =>
      (await ask(api.GET('/tenants/{tenant}/replays', { params: { path: { tenant } } }))).data,
    refetchInterval: ({ state }) => (state.data?.every(({ finished }) => finished) ? false : AGAIN_MS),
  });
}

export function useReplay(id: string) {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['replays', tenant, id],
    queryFn: () =>
      ask(api.GET('/tenants/{tenant}/replays/{replay}', { params: { path: { tenant, replay: id } } })),
    refetchInterval: ({ state }) => (state.data?.finished ? false : AGAIN_MS),
  });
}
