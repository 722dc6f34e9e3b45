import { expect, type Server, test } from './server';

interface Transfer {
  id: string;
}

/** Has the demo's rule ask above an amount, and pay arrive. */
async function ask(server: Server, above: number, pay: number): Promise<void> {
  const { data } = await server.call<{ data: { id: string }[] }>('GET', '/rules');
  await server.call('PUT', `/rules/${data[0]?.id ?? ''}/approval`, { approval_above: above });
  await server.paycheck('Main Payroll', pay);
}

test('a rule is made to ask, and a person lets one go and calls another off', async ({ page, server }) => {
  await page.goto(server.page('rules'));
  await page.getByRole('link', { name: 'Paycheck split' }).click();
  await page.getByLabel('Ask above (USD)').fill('300.00');
  await page.getByRole('button', { name: 'Set', exact: true }).click();
  await expect(page.getByText('Transfers of more than $300.00 wait for approval')).toBeVisible();

  await page.getByRole('link', { name: 'Approvals' }).click();
  await expect(page.getByText('Nothing waits.')).toBeVisible();
  const taxes = await server.balance('Taxes');
  const bills = await server.balance('Rent and Bills');
  await server.paycheck('Main Payroll', 200_000);

  // 44 % and two times 20 % are above, 5 % is not.
  const queue = page.getByRole('row').filter({ has: page.getByRole('button', { name: 'Approve' }) });
  await expect(queue).toHaveCount(3);
  const toTaxes = queue.filter({ hasText: 'Taxes' });
  await expect(toTaxes.getByText('rule Paycheck split')).toBeVisible();
  await expect(toTaxes.getByText(/^23 h \d+ min left$/)).toBeVisible();
  await toTaxes.getByRole('button', { name: 'Approve' }).click();
  await page.getByLabel('Your name').fill('Ann');
  await page.getByRole('button', { name: 'Approve the transfer' }).click();
  await expect(queue).toHaveCount(2);
  await expect.poll(() => server.balance('Taxes')).toBe(taxes + 40_000);

  await queue.filter({ hasText: 'Rent and Bills' }).getByRole('button', { name: 'Deny' }).click();
  await page.getByLabel('Reason').fill('not this month');
  await page.getByRole('button', { name: 'Deny the transfer' }).click();
  await expect(queue).toHaveCount(1);
  const denied = page.getByRole('row').filter({ hasText: 'not this month' });
  await expect(denied.getByText('denied', { exact: true })).toBeVisible();
  expect(await server.balance('Rent and Bills')).toBe(bills);
});

test('what nobody decides runs out with the tenant’s clock', async ({ page, server }) => {
  await ask(server, 0, 100_000);
  await page.goto(server.page('approvals'));
  const queue = page.getByRole('button', { name: 'Approve', exact: true });
  await expect(queue).toHaveCount(4);
  await server.call('PUT', '/clock', { advance_ms: 23 * 3_600_000 });
  await expect(page.getByText(/^\d+ min left$/)).toHaveCount(4);
  await server.call('PUT', '/clock', { advance_ms: 3_600_000 });
  await expect(page.getByText('Nothing waits.')).toBeVisible();
  await expect(page.getByText('ran out', { exact: true })).toHaveCount(4);
});

test('a decision that somebody else made first is refused in words', async ({ page, server }) => {
  await ask(server, 40_000, 100_000);
  await page.goto(server.page('approvals'));
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  const dialog = page.getByRole('dialog');
  const { data } = await server.call<{ data: Transfer[] }>('GET', '/approvals');
  expect(data).toHaveLength(1);
  await server.call('POST', `/transfers/${data[0]?.id ?? ''}/deny`, {});
  await dialog.getByRole('button', { name: 'Approve the transfer' }).click();
  await expect(dialog.getByRole('alert')).toContainText('transfer_not_pending_approval');
});
