// What events are called: as the server knows them (docs/reference/events.md).

export const NAMES = [
  'transfer.created',
  'transfer.approval_required',
  'transfer.approved',
  'transfer.denied',
  'transfer.approval_expired',
  'transfer.status_changed',
  'rule.created',
  'rule.updated',
  'rule.deleted',
  'rule_execution.created',
  'rule_execution.completed',
  'account.created',
  'account.updated',
  'account.blocked',
  'account.unblocked',
  'account.closed',
  'card.created',
  'card.updated',
  'card.blocked',
  'card.unblocked',
  'card.closed',
  'hold.placed',
  'hold.released',
  'bulk.created',
  'bulk.status_changed',
  'owner.created',
  'identity.created',
  'identity.updated',
  'user.created',
  'user.updated',
  'login.created',
  'login.ended',
  'profile.created',
  'profile.updated',
  'tenant.created',
  'clock.set',
  'key.created',
  'key.revoked',
  'settings.updated',
  'webhook.created',
  'webhook.updated',
  'webhook.disabled',
  'webhook.deleted',
] as const;

/** The first words of the names, each once. */
export const FAMILIES: readonly string[] = [...new Set(NAMES.map(familyOf))];

/** `transfer` of `transfer.created`. */
export function familyOf(name: string): string {
  return name.split('.')[0] ?? name;
}

/** The names of a family. */
export function namesOf(family: string, among: readonly string[] = NAMES): string[] {
  return among.filter((name) => familyOf(name) === family);
}

export type Format = 'standard' | 'sequence' | 'multi';

/** What each format can tell of; an endpoint is never told of anything else. */
export const TOLD: Record<Format, readonly string[]> = {
  standard: NAMES,
  sequence: [
    'transfer.created',
    'transfer.approval_required',
    'transfer.status_changed',
    'rule_execution.completed',
  ],
  multi: [
    'transfer.created',
    'transfer.status_changed',
    'account.created',
    'account.updated',
    'account.blocked',
    'account.unblocked',
    'account.closed',
    'card.created',
    'card.blocked',
    'card.unblocked',
    'card.closed',
    'login.created',
    'bulk.status_changed',
  ],
};

/** Switches one name on or off in a list that may have families (`transfer.*`). Families that are
 * whole are written as such. */
export function toggle(list: readonly string[], name: string, among: readonly string[]): string[] {
  const on = new Set(expand(list, among));
  if (!on.delete(name)) on.add(name);
  return shorten([...on], among);
}

/** Switches a whole family: on, unless it is whole already. */
export function toggleFamily(list: readonly string[], family: string, among: readonly string[]): string[] {
  const on = new Set(expand(list, among));
  const names = namesOf(family, among);
  const whole = names.every((name) => on.has(name));
  for (const name of names) {
    if (whole) on.delete(name);
    else on.add(name);
  }
  return shorten([...on], among);
}

/** Every name that a list stands for. */
export function expand(list: readonly string[], among: readonly string[]): string[] {
  return among.filter((name) =>
    list.some((one) => one === '*' || one === name || one === `${familyOf(name)}.*`),
  );
}

function shorten(names: readonly string[], among: readonly string[]): string[] {
  const families = [...new Set(among.map(familyOf))];
  return families.flatMap((family) => {
    const all = namesOf(family, among);
    const on = all.filter((name) => names.includes(name));
    return on.length === all.length && all.length > 1 ? [`${family}.*`] : on;
  });
}

/** A list of names in words. */
export function inWords(list: readonly string[]): string {
  if (list.length === 0) return 'everything';
  if (list.length <= 3) return list.join(', ');
  return `${list.slice(0, 2).join(', ')} and ${list.length - 2} more`;
}
