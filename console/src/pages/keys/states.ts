// What became of an idempotency key, and what a client does then.

export interface Verdict {
  tone: 'good' | 'busy' | 'warn' | 'bad' | 'none';
  title: string;
  words: string;
}

const VERDICTS: Record<string, Verdict> = {
  applied: {
    tone: 'good',
    title: 'It was done',
    words: 'Asked again with the same key, the server gives the first answer and does nothing twice.',
  },
  refused: {
    tone: 'bad',
    title: 'It was refused',
    words: 'Nothing was done.',
  },
  in_flight: {
    tone: 'busy',
    title: 'It is being answered',
    words: 'A request with this key is under way on this server. Ask again in a moment.',
  },
  never_seen: {
    tone: 'none',
    title: 'Never seen',
    words:
      'Nothing was done with this key: the request may be sent. (A request that did not pass its first checks leaves no trace; what another server is doing right now shows only when it is done.)',
  },
};

export function verdict(state: string): Verdict {
  return VERDICTS[state] ?? { tone: 'none', title: state.replaceAll('_', ' '), words: '' };
}

/** What a client may do with a key that was refused. */
export function afterRefusal(isFree: boolean): string {
  return isFree
    ? 'The key is free again: it may be used for anything.'
    : 'The key is used up: take a new one.';
}

/** `create_transfer` as `Create transfer`. */
export function operation(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
