import { expect, type Server, test } from './server';

interface Rule {
  nickname: string;
  status: string;
  steps: { actions: { type: string; percentage_value?: number; amount_in_cents?: number | null }[] }[];
}

async function rule(server: Server, nickname: string): Promise<Rule | undefined> {
  return (await server.call<{ data: Rule[] }>('GET', '/rules')).data.find((one) => one.nickname === nickname);
}

test('a template becomes a rule, and the rule is switched on', async ({ page, server }) => {
  await page.goto(server.page('templates'));
  await page.getByRole('button', { name: 'Use Wallet refill' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('From').selectOption({ label: 'Emergency Fund (USD)' });
  await dialog.getByLabel('To', { exact: true }).selectOption('Vacation');
  await dialog.getByLabel('Fill it up to (USD)').fill('2,000.00');
  await dialog.getByRole('button', { name: 'Make the rule' }).click();
  await expect(dialog.getByText('fills Vacation up to $2,000.00')).toBeVisible();
  await expect(dialog.getByText('the balance of Vacation is less than $1,000.00')).toBeVisible();
  expect((await rule(server, 'Wallet refill'))?.status).toBe('disabled');

  await dialog.getByRole('button', { name: 'Switch it on' }).click();
  await expect(dialog.getByText('It is on')).toBeVisible();
  expect((await rule(server, 'Wallet refill'))?.status).toBe('enabled');

  // The next morning the account is full.
  await server.call('PUT', '/clock', { advance_ms: 2 * 24 * 3_600_000 });
  expect(await server.balance('Vacation')).toBe(200_000);
});

test('shares are added up while they are typed', async ({ page, server }) => {
  await page.goto(server.page('templates'));
  await page.getByRole('button', { name: 'Use Profit First split' }).click();
  const dialog = page.getByRole('dialog');
  const make = dialog.getByRole('button', { name: 'Make the rule' });
  await expect(make).toBeDisabled();
  await dialog.getByLabel('Share 1, %').fill('50');
  await dialog.getByLabel('Share 2, %').fill('30.5');
  await dialog.getByRole('button', { name: 'Remove line 3' }).click();
  await expect(dialog.getByText('Together 80.5 %; the rest stays where it arrives.')).toBeVisible();
  await dialog.getByLabel('Name').fill('Mine');
  await make.click();
  await expect(dialog.getByText('30.5 % of what came in')).toBeVisible();
  const actions = (await rule(server, 'Mine'))?.steps[0]?.actions;
  expect(actions?.map(({ percentage_value }) => percentage_value)).toEqual([50, 30.5]);
});

test('a second rule that waits on the same account is refused, with the reason', async ({ page, server }) => {
  await page.goto(server.page('templates'));
  await page.getByRole('button', { name: 'Use Tax reserve' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('To', { exact: true })).toHaveValue(server.accounts['Taxes'] ?? '');
  await dialog.getByRole('button', { name: 'Make the rule' }).click();
  await dialog.getByRole('button', { name: 'Switch it on' }).click();
  await expect(dialog.getByRole('alert')).toContainText('rule_unsound');
  await dialog.getByRole('button', { name: 'Look at it first' }).click();
  await expect(page.getByRole('heading', { name: 'Tax reserve', level: 1 })).toBeVisible();
  await expect(page.getByText('waits for money on the same account')).toBeVisible();
});

test('debts need rates for an avalanche', async ({ page, server }) => {
  await page.goto(server.page('templates'));
  await page.getByRole('button', { name: 'Use Debt avalanche' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByText('Each rate is a number such as 24.99.')).toBeVisible();
  await dialog.getByLabel('Rate 1, % a year').fill('24.99');
  await dialog.getByRole('button', { name: 'Make the rule' }).click();
  await expect(dialog.getByText('(24.99 % a year)')).toBeVisible();
  expect((await rule(server, 'Debt avalanche'))?.steps[0]?.actions[0]?.amount_in_cents).toBe(30_000);
});
