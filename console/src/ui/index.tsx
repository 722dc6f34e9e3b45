// The parts that pages are made of.

import { useEffect, useId, useRef } from 'react';

import { Refused } from '../api/client';
import { money } from '../money';
import { when } from '../time';

type Children = React.ReactNode;

/** A page: its title, what it is about, what can be done, and the rest. */
export function Page(props: { title: string; about?: Children; actions?: Children; children: Children }) {
  return (
    <main className="page">
      <header className="page-head">
        <div>
          <h1>{props.title}</h1>
          {props.about && <p className="about">{props.about}</p>}
        </div>
        {props.actions && <div className="actions">{props.actions}</div>}
      </header>
      {props.children}
    </main>
  );
}

/** A framed part of a page. */
export function Panel(props: {
  title?: Children;
  actions?: Children;
  children: Children;
  className?: string;
}) {
  return (
    <section className={`panel ${props.className ?? ''}`}>
      {(props.title ?? props.actions) && (
        <header className="panel-head">
          {props.title && <h2>{props.title}</h2>}
          {props.actions && <div className="actions">{props.actions}</div>}
        </header>
      )}
      {props.children}
    </section>
  );
}

type ButtonProps = React.ButtonHTMLAttributes<HTMLButtonElement> & {
  kind?: 'primary' | 'plain' | 'danger';
  busy?: boolean;
};

export function Button({ kind = 'plain', busy = false, children, disabled, ...rest }: ButtonProps) {
  return (
    <button type="button" className={`button ${kind}`} disabled={(disabled ?? false) || busy} {...rest}>
      {busy ? 'Working…' : children}
    </button>
  );
}

/** An amount of minor units in its currency. */
export function Amount(props: { minor: number; currency: string; sign?: '+' | '-' }) {
  const text = money(props.minor, props.currency);
  const tone = props.sign === '+' ? ' in' : props.sign === '-' ? ' out' : '';
  return (
    <span className={`amount${tone}`}>
      {props.sign === '-' ? '−' : (props.sign ?? '')}
      {text}
    </span>
  );
}

/** A time, in UTC as the server tells it. */
export function When({ at }: { at: string | null | undefined }) {
  if (!at) return <span className="quiet">–</span>;
  return (
    <time dateTime={at} title={`${at} (UTC, the tenant's time)`}>
      {when(at)}
    </time>
  );
}

const TONES: Record<string, string> = {
  active: 'good',
  applied: 'good',
  balanced: 'good',
  complete: 'good',
  delivered: 'good',
  enabled: 'good',
  executed: 'good',
  processing: 'busy',
  pending: 'busy',
  in_progress: 'busy',
  in_flight: 'busy',
  scheduled: 'busy',
  running: 'busy',
  pending_approval: 'warn',
  partial: 'warn',
  partially_executed: 'warn',
  blocked: 'warn',
  warning: 'warn',
  error: 'bad',
  incomplete: 'bad',
  denied: 'bad',
  cancelled: '',
  failed: 'bad',
  rejected: 'bad',
  refused: 'bad',
  returned: 'bad',
};

/** A state, in its colour; states that need none are grey. */
export function State({ of }: { of: string }) {
  return <span className={`state ${TONES[of.toLowerCase()] ?? ''}`}>{of.replaceAll('_', ' ')}</span>;
}

/** An id, to be selected with one click. */
export function Id({ children }: { children: string }) {
  return <code className="id">{children}</code>;
}

/** Why something was refused, in the server's words. */
export function Refusal({ error }: { error: Error | null | undefined }) {
  if (!error) return null;
  const refused = error instanceof Refused ? error : null;
  return (
    <div className="refusal" role="alert">
      <strong>{error.message}</strong>
      {refused && <code>{refused.code}</code>}
      {refused && refused.fields.length > 0 && (
        <ul>
          {refused.fields.map(({ field, reason }) => (
            <li key={`${field} ${reason}`}>
              <code>{field}</code> {reason}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** What a list without rows says: what will be here, and how it comes. */
export function Empty({ children }: { children: Children }) {
  return <div className="empty">{children}</div>;
}

/** The reads of a page: their refusal, that they are under way, or what they found. */
export function Loaded<T>(props: {
  query: { data: T | undefined; error: Error | null };
  children: (data: T) => Children;
}) {
  if (props.query.data !== undefined) return props.children(props.query.data);
  if (props.query.error) return <Refusal error={props.query.error} />;
  return <div className="empty">Reading…</div>;
}

export interface Column<Row> {
  name: string;
  cell: (row: Row) => Children;
  /** Numbers stand at the right. */
  right?: boolean;
}

export function Table<Row>(props: {
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  id: (row: Row) => string;
  empty: Children;
  onPick?: (row: Row) => void;
}) {
  const { rows, columns, id, empty, onPick } = props;
  if (rows.length === 0) return <Empty>{empty}</Empty>;
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} className={column.right ? 'right' : ''} scope="col">
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)} className={onPick ? 'pick' : ''} {...(onPick && opens(() => onPick(row)))}>
              {columns.map((column) => (
                <td key={column.name} className={column.right ? 'right' : ''}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What makes a row open something, by mouse and by keyboard. */
function opens(open: () => void): React.HTMLAttributes<HTMLTableRowElement> {
  return {
    tabIndex: 0,
    onClick: open,
    onKeyDown: (event) => {
      if (event.key === 'Enter' && event.target === event.currentTarget) open();
    },
  };
}

/** A labelled input. The child gets the label's id. */
export function Field(props: { label: string; hint?: Children; children: (id: string) => Children }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      {props.children(id)}
      {props.hint && <small>{props.hint}</small>}
    </div>
  );
}

/** A window before the page; Escape and its cross close it. */
export function Dialog(props: { title: string; onClose: () => void; children: Children; wide?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={props.wide ? 'wide' : ''}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
    >
      <header className="panel-head">
        <h2>{props.title}</h2>
        <button type="button" className="cross" aria-label="Close" onClick={props.onClose}>
          ×
        </button>
      </header>
      {props.children}
    </dialog>
  );
}

/** Names and values, one a line. */
export function Facts({ of }: { of: readonly (readonly [string, Children])[] }) {
  return (
    <dl className="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value ?? <span className="quiet">–</span>}</dd>
        </div>
      ))}
    </dl>
  );
}

/** JSON as the server told it. */
export function Json({ of }: { of: unknown }) {
  return <pre className="json">{JSON.stringify(of, null, 2)}</pre>;
}
