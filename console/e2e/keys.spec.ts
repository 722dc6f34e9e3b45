import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, type Server, test } from './server';

/** Where the Sequence API is. */
function api(server: Server): string {
  return /^API=(.*)$/m.exec(readFileSync(join(server.folder, 'data/demo.env'), 'utf8'))?.[1] ?? '';
}

test('a key for one pair moves up to its limit, until it is revoked', async ({ page, server }) => {
  await page.goto(server.page('keys'));
  await page.getByRole('button', { name: 'New API key' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Vacation saver');
  await dialog.getByLabel(/^Move money/).check();
  await dialog.getByLabel('From').selectOption(server.accounts['Emergency Fund'] ?? '');
  await dialog.getByLabel('To', { exact: true }).selectOption(server.accounts['Vacation'] ?? '');
  await dialog.getByLabel('At most, in USD').fill('20.001');
  await expect(dialog.getByRole('button', { name: 'Make the key' })).toBeDisabled();
  await dialog.getByLabel('At most, in USD').fill('20.00');
  await dialog.getByLabel('Ask a person above, in USD').fill('10');
  await dialog.getByRole('button', { name: 'Make the key' }).click();
  const secret = await dialog.getByLabel('Secret of the key').innerText();
  await dialog.getByRole('button', { name: 'I have it' }).click();
  await expect(
    page.getByText('Move money: Emergency Fund → Vacation, up to $20.00, above $10.00 only when approved'),
  ).toBeVisible();
  await expect(page.getByText(secret)).toHaveCount(0);

  const move = async (amount: number): Promise<number> => {
    const response = await fetch(`${api(server)}/transfers`, {
      method: 'POST',
      headers: {
        Authorization: `ApiKey ${secret}`,
        'Content-Type': 'application/json',
        'Idempotency-Key': `move-${amount}`,
      },
      body: JSON.stringify({
        source_account_id: server.accounts['Emergency Fund'],
        destination_account_id: server.accounts['Vacation'],
        amount_in_cents: amount,
      }),
    });
    return response.status;
  };
  expect(await move(2_000)).toBe(201);
  expect(await move(2_001)).toBe(403);
  const { data } = await server.call<{ data: unknown[] }>('GET', '/approvals');
  expect(data).toHaveLength(1);

  await page.getByRole('button', { name: 'Revoke Vacation saver' }).click();
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByText('Vacation saver')).toHaveCount(0);
  expect(await move(500)).toBe(401);
  await page.getByLabel('Show the revoked ones').check();
  await expect(page.getByText('revoked', { exact: true })).toBeVisible();
});

test("a tenant's settings are changed, and its faults stay", async ({ page, server }) => {
  await server.call('PUT', '/settings', { faults: [{ fault: 'delay=5' }] });
  await page.goto(server.page('settings'));
  await page.getByLabel('Days begin and end at this offset from UTC').fill('Berlin');
  await expect(page.getByRole('button', { name: 'Save' })).toBeDisabled();
  await page.getByLabel('Days begin and end at this offset from UTC').fill('-05:30');
  await page.getByLabel('these:').check();
  await page.getByRole('button', { name: 'Another limit' }).click();
  await page.getByRole('textbox', { name: 'Requests' }).fill('250');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('button', { name: 'Save' })).toBeDisabled();
  expect(await server.call('GET', '/settings')).toMatchObject({
    utc_offset_minutes: -330,
    default_rate_limits: false,
    rate_limits: [{ requests: 250, window_s: 60 }],
    faults: [{ fault: 'delay=5', every: 1 }],
  });
});

test('what is typed into the settings stays when somebody else saves others', async ({ page, server }) => {
  await page.goto(server.page('settings'));
  const offset = page.getByLabel('Days begin and end at this offset from UTC');
  await offset.fill('+05:4');
  await server.call('PUT', '/settings', { strict: true });
  await expect(page.getByLabel(/^Strict/)).toBeChecked();
  await expect(offset).toHaveValue('+05:4');
  await offset.fill('+05:45');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('button', { name: 'Save' })).toBeDisabled();
  expect(await server.call('GET', '/settings')).toMatchObject({ strict: true, utc_offset_minutes: 345 });
});
