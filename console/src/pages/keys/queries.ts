// Reads of the key pages.

import { useQuery } from '@tanstack/react-query';

import { api, ask, type Schemas } from '../../api/client';
import { useTenant } from '../../tenant';

export type Key = Schemas['KeyBody'];
export type KeyUse = Schemas['KeyUseBody'];

/** What became of an idempotency key; read anew at every question. */
export function useKeyState(key: string, by: { key_id?: string; owner_id?: string }) {
  const tenant = useTenant().id;
  return useQuery({
    queryKey: ['idempotency', tenant, key, by],
    enabled: key !== '',
    staleTime: 0,
    queryFn: () =>
      ask(
        api.GET('/tenants/{tenant}/idempotency-keys/{key}', { params: { path: { tenant, key }, query: by } }),
      ),
  });
}
