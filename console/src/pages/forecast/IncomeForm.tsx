// What is asked: for whom, how far, and with which income.

import { useState } from 'react';

import type { Account } from '../../api/client';
import { decimal, parse } from '../../money';
import { Button, Field } from '../../ui';
import { type Income, type ScheduleType, SCHEDULES } from './forecast';

export interface Asked {
  days: number;
  income: Income[];
}

interface Line {
  account: string;
  amount: string;
  schedule: ScheduleType;
  /** As `datetime-local` has it, in UTC. */
  start: string;
}

const DAYS_MAX = 366;
const LINES_MAX = 100;

export function IncomeForm(props: {
  accounts: Account[];
  begin: Asked;
  now: string;
  busy: boolean;
  onAsk: (asked: Asked) => void;
}) {
  const { accounts, begin, now, busy, onAsk } = props;
  const currency = (id: string) => accounts.find((account) => account.id === id)?.currency ?? 'USD';
  const [days, setDays] = useState(String(begin.days));
  const [lines, setLines] = useState<Line[]>(() =>
    begin.income.map(({ account_id, amount_in_cents, schedule_type, start_date }) => ({
      account: account_id,
      amount: decimal(amount_in_cents, currency(account_id)),
      schedule: schedule_type,
      start: start_date.slice(0, 16),
    })),
  );
  const set = (index: number, part: Partial<Line>) =>
    setLines((was) => was.map((line, nth) => (nth === index ? { ...line, ...part } : line)));
  const many = /^\d{1,3}$/.test(days.trim()) ? Number(days) : 0;
  const income = lines.map(({ account, amount, schedule, start }): Income | null => {
    const minor = parse(amount, currency(account));
    if (minor === null || !account || !start) return null;
    return {
      account_id: account,
      amount_in_cents: minor,
      schedule_type: schedule,
      start_date: `${start}:00Z`,
    };
  });
  const whole = income.filter((line) => line !== null);
  const ready = many >= 1 && many <= DAYS_MAX && whole.length === lines.length;
  const fresh = (): Line => ({
    account: (accounts.find(({ type }) => type === 'income_source') ?? accounts[0])?.id ?? '',
    amount: '',
    schedule: 'MONTHLY',
    start: `${new Date(Date.parse(now) + 24 * 3_600_000).toISOString().slice(0, 10)}T09:00`,
  });
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) onAsk({ days: many, income: whole });
      }}
    >
      {lines.map((line, index) => (
        <div key={index} className="row">
          <Field label={`Income ${index + 1}: on`}>
            {(id) => (
              <select
                id={id}
                value={line.account}
                onChange={({ target }) => set(index, { account: target.value })}
              >
                {accounts.map((account) => (
                  <option key={account.id} value={account.id}>
                    {account.name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label={`Amount (${currency(line.account)})`}>
            {(id) => (
              <input
                id={id}
                className="amount-input"
                inputMode="decimal"
                aria-invalid={income[index] === null}
                value={line.amount}
                onChange={({ target }) => set(index, { amount: target.value })}
              />
            )}
          </Field>
          <Field label="How often">
            {(id) => (
              <select
                id={id}
                value={line.schedule}
                onChange={({ target }) => set(index, { schedule: target.value as ScheduleType })}
              >
                {SCHEDULES.map(([kind, label]) => (
                  <option key={kind} value={kind}>
                    {label}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label="First on (UTC)">
            {(id) => (
              <input
                id={id}
                type="datetime-local"
                value={line.start}
                onChange={({ target }) => set(index, { start: target.value })}
              />
            )}
          </Field>
          <Button
            aria-label={`Remove income ${index + 1}`}
            onClick={() => setLines((was) => was.filter((_, nth) => nth !== index))}
          >
            Remove
          </Button>
        </div>
      ))}
      {lines.length === 0 && <p className="quiet fine">Nothing is assumed to come in.</p>}
      <div className="row">
        <Field label="Days">
          {(id) => (
            <input
              id={id}
              className="days-input"
              inputMode="numeric"
              aria-invalid={many < 1 || many > DAYS_MAX}
              value={days}
              onChange={({ target }) => setDays(target.value)}
            />
          )}
        </Field>
        <Button disabled={lines.length >= LINES_MAX} onClick={() => setLines((was) => [...was, fresh()])}>
          Add income
        </Button>
        <Button kind="primary" type="submit" disabled={!ready} busy={busy}>
          Look ahead
        </Button>
        {!ready && (
          <span className="quiet">
            {many < 1 || many > DAYS_MAX
              ? `1 to ${DAYS_MAX} days.`
              : 'Each income needs an amount such as 2,500.00.'}
          </span>
        )}
      </div>
    </form>
  );
}
