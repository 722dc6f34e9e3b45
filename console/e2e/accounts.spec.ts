import { expect, test } from './server';

test('an owner and an account are made, filled, blocked, emptied and closed', async ({ page, server }) => {
  await page.goto(server.page('accounts'));
  await page.getByRole('button', { name: 'Open an account' }).click();
  let dialog = page.getByRole('dialog');
  await dialog.getByLabel('Owner').selectOption('Somebody new…');
  await dialog.getByLabel('Their name').fill('Ada Mole');
  await dialog.getByLabel('Name', { exact: true }).fill('Rainy days');
  await dialog.getByLabel('Currency').fill('USX');
  await dialog.getByRole('button', { name: 'Open it' }).click();
  await expect(dialog.getByRole('alert')).toContainText('currency');
  await dialog.getByLabel('Currency').fill('USD');
  await dialog.getByRole('button', { name: 'Open it' }).click();

  await expect(page.getByRole('heading', { name: 'Rainy days', level: 1 })).toBeVisible();
  const { data } = await server.call<{ data: { name: string }[] }>('GET', '/owners');
  expect(data.filter(({ name }) => name === 'Ada Mole')).toHaveLength(1);

  const id = page.url().split('/').at(-1) ?? '';
  await server.call('POST', '/simulate/paycheck', { account_id: id, amount_in_cents: 4_200 });
  await expect(page.getByText('+$42.00')).toBeVisible();

  await page.getByRole('button', { name: 'Close', exact: true }).click();
  dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
  await expect(dialog.getByRole('alert')).toBeVisible();
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  await page.getByRole('button', { name: 'Block' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Block' }).click();
  await expect(page.getByText('blocked', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Unblock' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Unblock' }).click();
  await expect(page.getByText('active', { exact: true })).toBeVisible();

  await server.call('POST', '/simulate/external-pull', { account_id: id, amount_in_cents: 4_200 });
  await expect(page.getByText('−$42.00')).toBeVisible();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).last().click();
  await expect(page.getByText('closed', { exact: true })).toBeVisible();
});

test('a transfer on the rail is given back, and its page says what that means', async ({ page, server }) => {
  const made = await server.call<{ id: string }>('POST', '/transfers', {
    source_account_id: server.accounts['Emergency Fund'],
    destination_account_id: server.accounts['Chase Checking ••8810'],
    amount_in_cents: 2_500,
  });
  const before = await server.balance('Emergency Fund');
  await page.goto(server.page(`transfers/${made.id}`));
  await expect(page.getByText('on its way over the rail')).toBeVisible();
  await page.getByRole('button', { name: 'Give it back' }).click();
  await page.getByRole('dialog').getByLabel('Because').selectOption('NAME_MISMATCH');
  await page.getByRole('dialog').getByRole('button', { name: 'Give it back' }).click();
  await expect(page.getByText('The name did not fit the account.')).toBeVisible();
  await expect.poll(() => server.balance('Emergency Fund')).toBeGreaterThanOrEqual(before);
});

test('the books balance, and an entry leads to its transfer', async ({ page, server }) => {
  await page.goto(server.page('status'));
  await expect(page.getByText('balanced')).toHaveCount(2);
  await page.goto(server.page(`accounts/${server.accounts['Vacation']}`));
  await page.getByRole('cell').getByRole('link').first().click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Main Payroll to Vacation');
  await page.getByRole('link', { name: 'Vacation' }).click();
  await expect(page.getByRole('heading', { name: 'Vacation', level: 1 })).toBeVisible();
});

test('rows are opened from the keyboard', async ({ page, server }) => {
  await page.goto(server.page('accounts'));
  await page.getByLabel('Find by name').fill('emergency');
  await page.getByRole('row', { name: /Emergency Fund/ }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Emergency Fund', level: 1 })).toBeVisible();
});
