import { expect, test } from './server';

test('a paycheck splits itself over pods while one watches', async ({ page, server }) => {
  await page.goto(server.page('money'));
  const map = page.getByTestId('map');
  await expect(map.getByText('Main Payroll')).toBeVisible();
  await expect(page.getByText('live', { exact: true })).toBeVisible();
  const before = await server.balance('Taxes');

  await page.getByRole('button', { name: 'Pay money in' }).click();
  await page.getByLabel('Amount in USD').fill('2,500.00');
  await page.getByRole('button', { name: 'Let it happen' }).click();

  // The way to Taxes shows the fifth that the rule moves there; then it has arrived.
  await expect(map.getByText('$500.00').first()).toBeVisible();
  const history = page.getByRole('list');
  await expect(history.getByText('Main Payroll → Taxes').first()).toBeVisible();
  await expect(history.getByText('+$2,500.00')).toBeVisible();
  expect(await server.balance('Taxes')).toBe(before + 50_000);
  // The map is still there, with what has arrived.
  await expect(map.getByRole('group', { name: 'Taxes', exact: true }).getByText('$3,500.00')).toBeVisible();
});

test('money is moved by hand, and a refusal says why', async ({ page, server }) => {
  await page.goto(server.page('money'));
  await page.getByRole('button', { name: 'Move money' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('From').selectOption('Emergency Fund');
  await dialog.getByLabel('To', { exact: true }).selectOption('Vacation');
  await dialog.getByLabel('Amount in USD').fill('12.34');
  const before = await server.balance('Vacation');

  // Somebody blocks the account while the dialog is open.
  await server.call('POST', `/accounts/${server.accounts['Vacation']}/block`);
  await dialog.getByRole('button', { name: 'Move', exact: true }).click();
  await expect(dialog.getByRole('alert')).toContainText('blocked');
  expect(await server.balance('Vacation')).toBe(before);

  await server.call('POST', `/accounts/${server.accounts['Vacation']}/unblock`);
  await dialog.getByRole('button', { name: 'Move', exact: true }).click();
  await expect(dialog).toHaveCount(0);
  await expect.poll(() => server.balance('Vacation')).toBe(before + 1_234);
});

test('a transfer that lacks money is shown with how it ended', async ({ page, server }) => {
  await page.goto(server.page('money'));
  await page.getByRole('button', { name: 'Move money' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('From').selectOption('Emergency Fund');
  await dialog.getByLabel('To', { exact: true }).selectOption('Vacation');
  await dialog.getByLabel('Amount in USD').fill('9,999,999.00');
  await dialog.getByRole('button', { name: 'Move', exact: true }).click();
  await expect(dialog).toHaveCount(0);
  const line = page.getByRole('listitem').filter({ hasText: '$9,999,999.00' });
  await expect(line.getByText('incomplete', { exact: true })).toBeVisible();
});

test('a killed server comes back with every cent, and the page with it', async ({ page, server }) => {
  await page.goto(server.page('money'));
  await expect(page.getByText('live', { exact: true })).toBeVisible();
  const before = await server.balance('Vacation');
  await server.kill();
  await expect(page.getByText('not connected')).toBeVisible();
  await server.start();
  await expect(page.getByText('live', { exact: true })).toBeVisible({ timeout: 30_000 });
  expect(await server.balance('Vacation')).toBe(before);
  await server.paycheck('Main Payroll', 100_000);
  await expect(page.getByRole('list').getByText('+$1,000.00')).toBeVisible();
  expect(await server.balance('Vacation')).toBe(before + 5_000);
});

test("a sandbox's clock is moved and time does its work", async ({ page, server }) => {
  await page.goto(server.page('money'));
  const before = await server.call<{ now: string }>('GET', '/clock');
  await page.getByTitle('Set this clock').click();
  await page.getByRole('button', { name: '+ 1 week' }).click();
  const moved = (await server.call<{ now: string }>('GET', '/clock')).now;
  await expect
    .poll(
      async () =>
        Date.parse((await server.call<{ now: string }>('GET', '/clock')).now) - Date.parse(before.now),
    )
    .toBeGreaterThanOrEqual(7 * 24 * 3_600_000);
  expect(Date.parse(moved)).toBeGreaterThanOrEqual(Date.parse(before.now));
  await page.getByRole('button', { name: 'Stop it' }).click();
  await expect(page.getByText('stands', { exact: true })).toBeVisible();
});

test('without the token there is nothing to see', async ({ page, server }) => {
  await page.goto(`${server.admin}/console/`);
  await page.getByLabel('Admin token').fill('tga_wrong');
  await page.getByRole('button', { name: 'Open the console' }).click();
  await expect(page.getByLabel('Admin token')).toBeVisible();
  await page.getByLabel('Admin token').fill(server.token);
  await page.getByRole('button', { name: 'Open the console' }).click();
  await expect(page.getByRole('heading', { name: 'Money', level: 1 })).toBeVisible();
  expect(page.url()).not.toContain(server.token);
});
