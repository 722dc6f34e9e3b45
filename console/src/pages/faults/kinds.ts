// What can go wrong on demand (docs/reference/faults.md): how each fault is written, and what it does.

/** What stands behind a fault's name. */
interface Value {
  label: string;
  /** A number from 1 to this, or a word. */
  most?: number;
  initial: string;
  /** Words to choose from; others may be typed. */
  choices?: readonly string[];
}

export interface Kind {
  /** How it is written, without its value. */
  name: string;
  title: string;
  words: string;
  value?: Value;
}

export interface Switch {
  fault: string;
  every: number;
}

/** The longest delay of an answer or a delivery, in milliseconds. */
const DELAY_MAX = 60_000;
const BURST_MAX = 1_000;
/** Faults of one tenant, or of one header. */
export const MOST = 8;

export const GROUPS: readonly { title: string; kinds: readonly Kind[] }[] = [
  {
    title: 'Requests',
    kinds: [
      {
        name: 'commit-then-500',
        title: 'Done, but answered with a 500',
        words: 'Everything is done and durable, and the answer is the API’s 500.',
      },
      {
        name: 'commit-then-drop',
        title: 'Done, but never answered',
        words: 'Everything is done and durable, and the connection is closed without an answer.',
      },
      {
        name: 'delay',
        title: 'Done, but answered late',
        words: 'Everything is done, and the answer comes late.',
        value: { label: 'Milliseconds', most: DELAY_MAX, initial: '1500' },
      },
      {
        name: '429',
        title: 'Too many requests',
        words:
          'The request and the tenant’s next ones, so many in all, are refused with 429. Nothing is done.',
        value: { label: 'Requests', most: BURST_MAX, initial: '1' },
      },
      {
        name: 'transfer-error',
        title: 'The transfer fails',
        words:
          'The transfer is made and ends with this error. The Multi API refuses with the conflict of this name.',
        value: {
          label: 'Error code',
          initial: 'PAYMENT_FAILED',
          choices: [
            'INSUFFICIENT_FUNDS',
            'DISCONNECTED_ACCOUNT',
            'NAME_MISMATCH',
            'PAYMENT_FAILED',
            'PAYMENT_NOT_SUPPORTED',
            'RESOURCE_DELETED',
            'PROFILE_INACTIVE',
            'FUNDS_INSUFFICIENT',
            'INSTRUMENT_DENIED_TRANSACTION',
            'INTERCEPTOR_DENIED_TRANSACTION',
          ],
        },
      },
    ],
  },
  {
    title: 'Deliveries of webhooks',
    kinds: [
      {
        name: 'webhook=duplicate',
        title: 'Delivered twice',
        words: 'The first attempt of a delivery is sent twice, with one id.',
      },
      {
        name: 'webhook=reorder',
        title: 'Delivered out of order',
        words: 'A delivery is sent after a later one of the endpoint, or after five seconds.',
      },
      {
        name: 'webhook=late',
        title: 'Delivered late',
        words: 'A delivery is sent late, and what comes after it for the same accounts waits.',
        value: { label: 'Milliseconds', most: DELAY_MAX, initial: '5000' },
      },
      {
        name: 'webhook=unsigned',
        title: 'Delivered without a signature',
        words: 'The first attempt has no signatures: a receiver has to refuse it.',
      },
      {
        name: 'webhook=bad-signature',
        title: 'Delivered with a wrong signature',
        words: 'The first attempt is signed with another secret: a receiver has to refuse it.',
      },
    ],
  },
];

const KINDS = GROUPS.flatMap(({ kinds }) => kinds);

/** How a fault with this value is written. Null when the value is none for it. */
export function write(kind: Kind, value: string): string | null {
  if (!kind.value) return kind.name;
  const text = value.trim();
  const { most } = kind.value;
  const good = most
    ? /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= most
    : /^\w+$/.test(text);
  if (!good) return null;
  if (kind.name === '429' && text === '1') return '429';
  return `${kind.name}${kind.name === 'webhook=late' ? ':' : '='}${text}`;
}

/** The kind of a fault as it is written, and its value. Null for one that this console does not know. */
export function read(fault: string): { kind: Kind; value: string } | null {
  for (const kind of KINDS) {
    if (fault === kind.name) return { kind, value: kind.value?.initial ?? '' };
    for (const sign of ['=', ':']) {
      const start = kind.name + sign;
      if (kind.value && fault.startsWith(start)) return { kind, value: fault.slice(start.length) };
    }
  }
  return null;
}

/** What a switch does, in words: `Delivered late (5000 ms), every time`. */
export function inWords({ fault, every }: Switch): string {
  const known = read(fault);
  const name = known ? known.kind.title : fault;
  const unit = known?.kind.value?.label === 'Milliseconds' ? ' ms' : '';
  const value = known?.kind.value ? ` (${known.value}${unit})` : '';
  return `${name}${value}, ${often(every)}`;
}

/** How often a switch counts. */
export function often(every: number): string {
  if (every <= 1) return 'every time';
  const words = [
    '',
    '',
    'second',
    'third',
    'fourth',
    'fifth',
    'sixth',
    'seventh',
    'eighth',
    'ninth',
    'tenth',
  ];
  return `the first and then every ${words[every] ?? `${every}th`} time`;
}

/** Shell text that makes a transfer with this fault, in the variables of the demo. */
export function curl(faults: readonly string[]): string {
  return [
    '. data/demo.env',
    'curl -i "$API/transfers" \\',
    '  -H "Authorization: ApiKey $API_KEY" \\',
    '  -H "Content-Type: application/json" \\',
    '  -H "Idempotency-Key: try-$RANDOM" \\',
    `  -H "Tidegate-Fault: ${faults.join(', ')}" \\`,
    '  -d "{\\"source_account_id\\": \\"$EMERGENCY_FUND\\", \\"destination_account_id\\": \\"$VACATION\\", \\"amount_in_cents\\": 100}"',
  ].join('\n');
}
