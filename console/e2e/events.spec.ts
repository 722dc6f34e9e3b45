import { expect, test } from './server';

interface Page {
  data: { id: string; type: string }[];
}

test('what happens is shown on top, and waits while somebody reads', async ({ page, server }) => {
  await page.goto(server.page('events'));
  const log = page.getByRole('list');
  await expect(log.getByText('clock.set').first()).toBeVisible();

  await server.paycheck('Main Payroll', 77_700);
  await expect(log.getByText('$777.00 · paycheck → Main Payroll · complete')).toBeVisible();
  await expect(log.getByText('$155.40 · Main Payroll → Taxes · complete')).toBeVisible();

  await page.getByRole('button', { name: 'Pause' }).click();
  await server.paycheck('Main Payroll', 88_800);
  await expect(page.getByRole('button', { name: /new events: show/ })).toBeVisible();
  await expect(log.getByText('$888.00 · paycheck')).toHaveCount(0);
  await page.getByRole('button', { name: 'Go on' }).click();
  await expect(log.getByText('$888.00 · paycheck')).toBeVisible();

  // Who has an event open reads it.
  await page.getByRole('link', { name: /\$888\.00/ }).click();
  await server.paycheck('Main Payroll', 99_900);
  await page.getByRole('button', { name: /new events: show/ }).click();
  await expect(log.getByText('$999.00 · paycheck')).toBeVisible();
});

test('an event is opened in full, and leads to its transfer', async ({ page, server }) => {
  await server.paycheck('Main Payroll', 77_700);
  await page.goto(server.page('events'));
  await page.getByRole('link', { name: /\$777\.00/ }).click();
  await expect(page.getByRole('heading', { name: 'The transfer as it was then' })).toBeVisible();
  await page.getByText('All of it as JSON').click();
  await expect(page.getByText('"amount": 77700')).toBeVisible();

  const id = page.url().split('/').at(-1) ?? '';
  const event = await server.call<{ data: { id: string } }>('GET', `/events/${id}`);
  await page.getByRole('link', { name: event.data.id }).click();
  await expect(page).toHaveURL(new RegExp(`/transfers/${event.data.id}$`));
});

test('the log is read from its beginning, through a filter', async ({ page, server }) => {
  await page.goto(server.page('events'));
  await page.getByRole('tab', { name: 'From the beginning' }).click();
  await expect(page.getByRole('listitem').first()).toContainText('tenant.created');
  await expect(page.getByRole('listitem')).toHaveCount(100);
  await page.getByRole('button', { name: 'Next page' }).click();
  await expect(page.getByRole('button', { name: 'To the beginning' })).toBeEnabled();

  await page.getByRole('button', { name: 'Filter' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('group', { name: 'card', exact: true }).getByLabel('card', { exact: true }).check();
  await dialog.getByRole('button', { name: 'Show these' }).click();
  const query = new URLSearchParams({ tenant: server.tenant, types: 'card.*', limit: '1000' });
  const response = await fetch(`${server.admin}/admin/v1/events?${query}`, {
    headers: { Authorization: `Bearer ${server.token}` },
  });
  const { data } = (await response.json()) as Page;
  expect(data.length).toBeGreaterThan(0);
  await expect(page.getByRole('listitem')).toHaveCount(data.length);
  await expect(page).toHaveURL(/types=card/);

  // It stays in the address: whoever opens it sees the same.
  await page.reload();
  await expect(page.getByRole('listitem')).toHaveCount(data.length);
  await page.getByRole('button', { name: 'Without card.*' }).click();
  await expect(page.getByRole('listitem')).toHaveCount(100);
});
