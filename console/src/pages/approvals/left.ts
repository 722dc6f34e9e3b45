// How long something waits for a decision. Pure.

/** A transfer that waits is called off after so long, by the tenant's clock. */
export const WAITS_MS = 24 * 3_600_000;

/** When a transfer that was made then is called off. */
export function endsAt(created: string): string {
  return new Date(Date.parse(created) + WAITS_MS).toISOString();
}

/** What is left until then, in words. */
export function leftWords(ends: string, now: string): string {
  const minutes = Math.floor((Date.parse(ends) - Date.parse(now)) / 60_000);
  if (minutes < 0) return 'is called off now';
  if (minutes < 1) return 'less than a minute left';
  const hours = Math.floor(minutes / 60);
  return hours > 0 ? `${hours} h ${minutes % 60} min left` : `${minutes} min left`;
}

/** Whether it is time to hurry: less than two hours. */
export function isShort(ends: string, now: string): boolean {
  return Date.parse(ends) - Date.parse(now) < 2 * 3_600_000;
}
