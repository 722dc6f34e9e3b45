import { expect, test } from './server';

test('assumed income shows where balances go, to the cent', async ({ page, server }) => {
  const taxes = await server.balance('Taxes');
  const bills = await server.balance('Rent and Bills');
  await page.goto(server.page('forecast'));
  const panel = page.getByRole('heading', { name: 'What the balances will be' });
  await expect(panel).toBeVisible();
  await expect(page.getByLabel('Amount (USD)')).toHaveValue('5000.00');

  await page.getByRole('button', { name: 'Remove income 1' }).click();
  await page.getByRole('button', { name: 'Add income' }).click();
  await page.getByLabel('Income 1: on').selectOption('Main Payroll');
  await expect(page.getByRole('button', { name: 'Look ahead' })).toBeDisabled();
  await page.getByLabel('Amount (USD)').fill('1,000.00');
  await page.getByLabel('How often').selectOption('Once');
  await page.getByLabel('Days', { exact: true }).fill('10');
  await page.getByRole('button', { name: 'Look ahead' }).click();
  await expect(
    page.getByText('In 10 days there is one run of a rule, and 5 transfers complete.'),
  ).toBeVisible();

  const dollars = (minor: number) =>
    (minor / 100).toLocaleString('en', { style: 'currency', currency: 'USD' });
  const row = (name: string) => page.getByRole('row').filter({ has: page.getByLabel(`Show ${name}`) });
  await expect(row('Taxes').getByRole('cell').nth(1)).toHaveText(dollars(taxes + 20_000));
  await expect(row('Rent and Bills').getByRole('cell').nth(1)).toHaveText(dollars(bills + 44_000));
  // A pointer over the chart asks for a day.
  await page
    .getByRole('img', { name: 'Balances over the coming days' })
    .hover({ position: { x: 120, y: 100 } });
  await expect(page.getByRole('columnheader', { name: /^On / })).toBeVisible();
  await expect(row('Taxes').getByRole('cell').nth(1)).toHaveText(dollars(taxes));
  // Nothing was written.
  expect(await server.balance('Taxes')).toBe(taxes);
});

test('a rule that starves another is named, and a limit that cuts', async ({ page, server }) => {
  const schedule = { schedule_type: 'WEEKLY', account_id: server.accounts['Vacation'], type: 'SCHEDULED' };
  const pay = async (nickname: string, at: string, amount: number, limit?: number) => {
    const { id } = await server.call<{ id: string }>('POST', '/rules', {
      nickname,
      trigger: { ...schedule, start_date: at },
      steps: [
        {
          actions: [
            {
              type: 'fixed_amount',
              amount_in_cents: amount,
              destination: { id: server.accounts['Taxes'] },
              ...(limit && { limit: { period: 'PER_MONTH', amount_in_cents: limit } }),
            },
          ],
        },
      ],
    });
    await server.call('POST', `/rules/${id}/enable`);
  };
  const { now } = await server.call<{ now: string }>('GET', '/clock');
  const hours = (count: number) => new Date(Date.parse(now) + count * 3_600_000).toISOString();
  const has = await server.balance('Vacation');
  await pay('Greedy', hours(24), has - 100);
  await pay('Hungry', hours(25), 50_000);
  await pay('Capped', hours(26), 20_000, 20_000);

  await page.goto(server.page('forecast'));
  await expect(
    page.getByText(/“Hungry” finds too little on Vacation .* “Greedy” takes from there/),
  ).toBeVisible();
  await expect(page.getByText(/“Hungry” fails: the source has too little/).first()).toBeVisible();
  await page
    .getByRole('link', { name: /“Hungry” fails/ })
    .first()
    .click();
  await expect(page.getByRole('heading', { name: 'Hungry', level: 1 })).toBeVisible();
});
