import { Receiver, signedWith } from './receiver';
import { expect, type Server, test as base } from './server';

const test = base.extend<{ receiver: Receiver }>({
  // eslint-disable-next-line no-empty-pattern
  receiver: async ({}, provide) => {
    const receiver = await new Receiver().start();
    await provide(receiver);
    receiver.stop();
  },
});

interface Endpoint {
  id: string;
  secrets: string[];
  enabled: boolean;
}

async function makeEndpoint(server: Server, receiver: Receiver, some: object = {}): Promise<Endpoint> {
  return server.call<Endpoint>('POST', '/webhooks', { url: receiver.url, events: ['transfer.*'], ...some });
}

test('an endpoint is made, tried, and told of money', async ({ page, server, receiver }) => {
  await page.goto(server.page('webhooks'));
  await page.getByRole('button', { name: 'New endpoint' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('URL', { exact: true }).fill('http://10.1.2.3/hooks');
  await dialog
    .getByRole('group', { name: 'transfer', exact: true })
    .getByLabel('transfer', { exact: true })
    .check();
  await dialog.getByLabel('Note').fill('Back office');
  await dialog.getByRole('button', { name: 'Make the endpoint' }).click();
  await expect(dialog.getByRole('alert')).toContainText('private, local or reserved');
  await dialog.getByLabel('URL', { exact: true }).fill(receiver.url);
  await dialog.getByRole('button', { name: 'Make the endpoint' }).click();
  const secret = await dialog.getByLabel('Signing secret').innerText();
  await dialog.getByRole('button', { name: 'Done' }).click();

  await expect(page.getByRole('heading', { name: 'Back office', level: 1 })).toBeVisible();
  await page.getByRole('button', { name: 'Send a test' }).click();
  await dialog.getByRole('button', { name: 'Send it' }).click();
  await expect(dialog.getByText('It was taken.')).toBeVisible();
  expect(receiver.deliveries.map((delivery) => signedWith(delivery, secret))).toEqual([1]);
  await dialog.getByRole('button', { name: 'Close' }).last().click();

  await server.paycheck('Main Payroll', 77_700);
  await expect(page.getByText('delivering', { exact: true })).toBeVisible();
  // The test's own delivery is there before those of the money.
  const told = page.getByRole('row', { name: /evt_/ }).first();
  await told.getByRole('button', { name: 'Transcript' }).click();
  await expect(page.getByText(`POST ${receiver.url}`)).toBeVisible();
  await expect(page.getByText('"type": "transfer.created"')).toBeVisible();
});

test('a receiver that is down is seen, and gets what it missed', async ({ page, server, receiver }) => {
  receiver.status = 503;
  const { id } = await makeEndpoint(server, receiver);
  await server.paycheck('Main Payroll', 77_700);
  await page.goto(server.page('webhooks'));
  await expect(page.getByText('failing', { exact: true })).toBeVisible();
  await page.getByRole('link', { name: receiver.url }).click();
  await expect(page.getByRole('heading', { name: 'What waits for its next try' })).toBeVisible();
  await page.getByRole('button', { name: 'Its attempts' }).first().click();
  await expect(page.getByText('503').first()).toBeVisible();

  // It is up again; nobody wants to wait for the next try.
  receiver.status = 200;
  const seen = receiver.deliveries.length;
  await page.getByRole('button', { name: 'Send once more…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Send once more' }).click();
  await expect(page.getByRole('heading', { name: 'Replay', level: 1 })).toBeVisible();
  await expect(page.getByText('complete', { exact: true })).toBeVisible();
  const { data } = await server.call<{ data: { delivered: number; webhook_id: string }[] }>(
    'GET',
    '/replays',
  );
  expect(data[0]?.webhook_id).toBe(id);
  const sent = receiver.deliveries.slice(seen).map(({ body }) => (JSON.parse(body) as { id: string }).id);
  expect(new Set(sent).size).toBeGreaterThanOrEqual(data[0]?.delivered ?? Infinity);

  await page.getByRole('button', { name: 'Forget it' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Forget it' }).click();
  await expect(page.getByText('Nothing was sent once more yet.')).toBeVisible();
});

test('one event is sent again to another program', async ({ page, server, receiver }) => {
  await server.paycheck('Main Payroll', 77_700);
  await page.goto(server.page('events'));
  await page.getByRole('link', { name: /\$777\.00/ }).click();
  await page.getByRole('button', { name: 'Send again…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('A URL, with a secret of its own').check();
  await dialog.getByLabel('URL', { exact: true }).fill(receiver.url);
  await dialog.getByRole('button', { name: 'Send once more' }).click();
  // The event's own page says of a transfer that it is complete, too.
  await expect(page.getByRole('heading', { name: 'Replay', level: 1 })).toBeVisible();
  await expect(page.getByText('complete', { exact: true })).toBeVisible();
  const [only, ...others] = receiver.deliveries;
  expect(others).toEqual([]);
  expect(only?.body).toContain('transfer.created');
  await page.getByRole('button', { name: 'Show' }).click();
  const secret = await page.getByLabel('Signing secret of the replay').innerText();
  expect(only && signedWith(only, secret)).toBe(1);
});

test('a new secret takes over while the old one still signs', async ({ page, server, receiver }) => {
  const { id, secrets } = await makeEndpoint(server, receiver);
  await page.goto(server.page(`webhooks/${id}`));
  await page.getByRole('button', { name: 'New secret…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Make a new secret' }).click();
  await expect(page.getByLabel('Secret before')).toBeVisible();
  await page.getByRole('button', { name: 'Show' }).first().click();
  const newest = await page.getByLabel('Newest secret').innerText();
  expect(secrets).not.toContain(newest);
  await server.paycheck('Main Payroll', 77_700);
  await expect.poll(() => receiver.deliveries.length).toBeGreaterThan(0);
  const [first] = receiver.deliveries;
  expect(first && signedWith(first, newest)).toBe(1);
  expect(first && signedWith(first, secrets[0] ?? '')).toBe(1);
});

test('an endpoint is changed, switched off and on, and deleted', async ({ page, server, receiver }) => {
  const { id } = await makeEndpoint(server, receiver);
  await page.goto(server.page(`webhooks/${id}`));
  await page.getByRole('button', { name: 'Change' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Deliveries under way at once').fill('65');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.getByRole('alert')).toContainText('must be from 1 to 64');
  await dialog.getByLabel('Deliveries under way at once').fill('2');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('2 deliveries')).toBeVisible();

  await page.getByRole('button', { name: 'Switch off' }).click();
  await dialog.getByRole('button', { name: 'Switch off' }).click();
  await expect(page.getByText('Switched off by hand.')).toBeVisible();
  await server.paycheck('Main Payroll', 77_700);
  expect(receiver.deliveries).toEqual([]);
  await page.getByRole('button', { name: 'Switch on' }).click();
  await expect.poll(() => receiver.deliveries.length).toBeGreaterThan(0);

  await page.getByRole('button', { name: 'Delete' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText('Nobody is told of anything yet.')).toBeVisible();
  expect((await server.call<{ data: unknown[] }>('GET', '/webhooks')).data).toEqual([]);
});
