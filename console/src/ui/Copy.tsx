// Text that is taken elsewhere: commands, keys, secrets.

import { useState } from 'react';

import { Button } from './index';

/** Whether a text is on the clipboard now. Over plain http there is none, except on one's own machine. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Puts a text on the clipboard and says that it is there. */
export function CopyButton({ text, what = 'Copy' }: { text: string; what?: string }) {
  const [said, setSaid] = useState<string | null>(null);
  return (
    <Button
      onClick={() => void copy(text).then((done) => setSaid(done ? 'Copied' : 'Select and copy it'))}
      onBlur={() => setSaid(null)}
    >
      <span aria-live="polite">{said ?? what}</span>
    </Button>
  );
}

/** A command or another text to be copied as a whole. */
export function Snippet({ children }: { children: string }) {
  return (
    <div className="snippet">
      <pre className="json">{children}</pre>
      <CopyButton text={children} />
    </div>
  );
}

/** A secret: covered until it is asked for, unless it has just been made. */
export function Secret({ value, open = false, name }: { value: string; open?: boolean; name: string }) {
  const [shown, setShown] = useState(open);
  return (
    <div className="secret">
      <code aria-label={name}>{shown ? value : '•'.repeat(24)}</code>
      <Button onClick={() => setShown(!shown)}>{shown ? 'Hide' : 'Show'}</Button>
      <CopyButton text={value} />
    </div>
  );
}
