// A filter in the page's address, so that it can be kept, shared and gone back to.

import type { Filter } from './log';

const LISTS = ['types', 'accounts', 'owners'] as const;

export function fromAddress(query: URLSearchParams): Filter {
  const list = (name: string): string[] => (query.get(name) ?? '').split(',').filter(Boolean);
  return { types: list('types'), accounts: list('accounts'), owners: list('owners') };
}

/** The same address with this filter, from the first page. */
export function toAddress(query: URLSearchParams, filter: Filter): URLSearchParams {
  const next = new URLSearchParams(query);
  next.delete('after');
  for (const name of LISTS) {
    if (filter[name].length > 0) next.set(name, filter[name].join(','));
    else next.delete(name);
  }
  return next;
}

export function isEmpty(filter: Filter): boolean {
  return LISTS.every((name) => filter[name].length === 0);
}
