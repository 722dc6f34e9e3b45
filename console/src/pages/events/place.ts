// An event's id is its place in the history: a number in Crockford's base 32, the commit in front.
// The log is read forwards; a place further back is a place to begin.

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const PREFIX = 'evt_';
const CHARS = 13;
/** Places in one commit. */
const COMMIT = 1n << 16n;

/** The number of a place. Null when the text is no id of an event. */
export function place(id: string): bigint | null {
  const text = id.startsWith(PREFIX) ? id.slice(PREFIX.length) : '';
  if (text.length !== CHARS) return null;
  let number = 0n;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) return null;
    number = number * 32n + BigInt(digit);
  }
  return number < 1n << 64n ? number : null;
}

/** The id of a place; that of the first place for anything before it. */
export function idOf(number: bigint): string {
  let rest = number < 0n ? 0n : number;
  let text = '';
  for (let at = 0; at < CHARS; at += 1) {
    text = (ALPHABET[Number(rest % 32n)] ?? '') + text;
    rest /= 32n;
  }
  return PREFIX + text;
}

/** The id after which an event is the first: what to give as `after` to begin with it. */
export function justBefore(id: string): string {
  return idOf((place(id) ?? 0n) - 1n);
}

/** So many commits before a place. Null when that is the start of everything. */
export function back(id: string, commits: number): string | null {
  const number = (place(id) ?? 0n) - BigInt(commits) * COMMIT;
  return number > 0n ? idOf(number) : null;
}
