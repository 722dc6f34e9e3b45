import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, type Server, test } from './server';

interface Settings {
  strict: boolean;
  faults: { fault: string; every: number }[];
}

/** A value of the demo's file. */
function demo(server: Server, name: string): string {
  const env = readFileSync(join(server.folder, 'data/demo.env'), 'utf8');
  return new RegExp(`^${name}=(.*)$`, 'm').exec(env)?.[1] ?? '';
}

/** A transfer of a client of the Sequence API. */
function transfer(server: Server, key: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${demo(server, 'API')}/transfers`, {
    method: 'POST',
    headers: {
      Authorization: `ApiKey ${demo(server, 'API_KEY')}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': key,
      ...headers,
    },
    body: JSON.stringify({
      source_account_id: demo(server, 'EMERGENCY_FUND'),
      destination_account_id: demo(server, 'VACATION'),
      amount_in_cents: 1_234,
    }),
  });
}

test('a client that got a 500 learns what happened', async ({ page, server }) => {
  await server.call('PUT', '/settings', { strict: true });
  await page.goto(server.page('faults'));
  await expect(page.getByText('Nothing goes wrong on purpose.')).toBeVisible();
  const fault = page.getByRole('form', { name: 'Done, but answered with a 500' });
  await fault.getByRole('button', { name: 'Switch on' }).click();
  const banner = page.getByRole('region', { name: 'Switched on' });
  await expect(banner).toContainText('One fault is switched on');
  const settings = await server.call<Settings>('GET', '/settings');
  expect(settings.faults).toEqual([{ fault: 'commit-then-500', every: 1 }]);
  expect(settings.strict).toBe(true);

  const before = await server.balance('Vacation');
  expect((await transfer(server, 'lost-answer')).status).toBe(500);

  await page.getByRole('link', { name: 'Keys' }).click();
  await page.getByRole('link', { name: 'What happened to my key?' }).click();
  await page.getByLabel('Idempotency key').fill('lost-answer');
  await page.getByRole('button', { name: 'What happened?' }).click();
  await expect(page.getByText('It was done.')).toBeVisible();
  await expect(page.getByText('$12.34')).toBeVisible();
  await expect.poll(() => server.balance('Vacation')).toBe(before + 1_234);
  await page.getByRole('link', { name: 'See the transfer' }).click();
  await expect(page).toHaveURL(/\/transfers\/txr_/);

  await page.getByRole('link', { name: /^Faults/ }).click();
  await page.getByRole('button', { name: 'Switch all off' }).click();
  await expect(page.getByText('Nothing goes wrong on purpose.')).toBeVisible();
  expect((await transfer(server, 'heard-answer')).status).toBe(201);
});

test('faults have values, and how often they count', async ({ page, server }) => {
  await page.goto(server.page('faults'));
  const late = page.getByRole('form', { name: 'Delivered late' });
  await late.getByLabel('Milliseconds').fill('60001');
  await expect(late.getByRole('button', { name: 'Switch on' })).toBeDisabled();
  await late.getByLabel('Milliseconds').fill('250');
  await late.getByLabel('Every').fill('3');
  await late.getByRole('button', { name: 'Switch on' }).click();
  await expect(page.getByText('Delivered late (250 ms), the first and then every third time')).toBeVisible();
  const fails = page.getByRole('form', { name: 'The transfer fails' });
  await fails.getByLabel('Error code').fill('BAD_LUCK');
  await fails.getByRole('button', { name: 'Switch on' }).click();
  await expect(page.getByRole('alert')).toContainText('invalid_parameters');
  await fails.getByLabel('Error code').fill('NAME_MISMATCH');
  await fails.getByRole('button', { name: 'Switch on' }).click();
  await expect(page.getByText('2 faults are switched on')).toBeVisible();
  await late.getByRole('button', { name: 'Switch off' }).click();
  await expect(page.getByText('One fault is switched on')).toBeVisible();
  expect((await server.call<Settings>('GET', '/settings')).faults).toEqual([
    { fault: 'transfer-error=NAME_MISMATCH', every: 1 },
  ]);
});

test('a live tenant has no faults, and is told why', async ({ page, server }) => {
  const made = await fetch(`${server.admin}/admin/v1/tenants`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'The real one', mode: 'live' }),
  });
  const { id } = (await made.json()) as { id: string };
  await page.goto(`${server.admin}/console/${id}/faults#token=${server.token}`);
  await expect(page.getByText('The real one is a live tenant')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Switch on' })).toHaveCount(0);
});

test('a key that was never seen, and a request that did not fail', async ({ page, server }) => {
  await page.goto(server.page('keys/lookup?key=nobody-knows'));
  await expect(page.getByText('Never seen.')).toBeVisible();
  await transfer(server, 'nobody-knows', { 'Tidegate-Fault': 'commit-then-drop' }).catch(() => null);
  await page.getByRole('button', { name: 'Ask again' }).click();
  await expect(page.getByText('It was done.')).toBeVisible();
});
