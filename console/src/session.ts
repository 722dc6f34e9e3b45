// The admin token, for as long as the tab is open.
//
// `serve --demo` prints a link with the token behind a `#`, which browsers do not send to servers; it
// is taken out of the address at once, so that it does not stay in the history.

import { useSyncExternalStore } from 'react';

const NAME = 'tidegate.admin-token';
const listeners = new Set<() => void>();

export function takeTokenFromAddress(): void {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    sessionStorage.setItem(NAME, given);
    history.replaceState(null, '', location.pathname + location.search);
  }
}

export function token(): string | null {
  return sessionStorage.getItem(NAME);
}

export function signIn(value: string): void {
  sessionStorage.setItem(NAME, value.trim());
  tell();
}

export function signOut(): void {
  sessionStorage.removeItem(NAME);
  tell();
}

export function useToken(): string | null {
  return useSyncExternalStore(subscribe, token);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  for (const listener of listeners) listener();
}
