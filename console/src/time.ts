// The server speaks RFC 3339 in UTC, in the tenant's time; so does the console.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `2026-11-22T03:57:55Z` as `22 Nov 2026, 03:57:55`. */
export function when(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  return `${day(text)}, ${clock(text)}`;
}

/** The day alone. */
export function day(text: string): string {
  const at = new Date(text);
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
}

/** The time of the day alone. */
export function clock(text: string): string {
  return new Date(text).toISOString().slice(11, 19);
}
