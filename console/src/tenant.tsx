// The tenant that the page is about: the first part of the path behind `/console/`.

import { createContext, use } from 'react';

import type { Tenant } from './api/client';

export const TenantContext = createContext<Tenant | null>(null);

/** The tenant of the page. */
export function useTenant(): Tenant {
  const tenant = use(TenantContext);
  if (!tenant) throw new Error('outside of a tenant');
  return tenant;
}
