import { expect, type Server, test } from './server';

interface Rule {
  id: string;
  nickname: string;
  status: string;
  steps: { actions: { percentage_value?: number }[] }[];
}

async function rules(server: Server): Promise<Rule[]> {
  return (await server.call<{ data: Rule[] }>('GET', '/rules')).data;
}

async function rule(server: Server, nickname: string): Promise<Rule> {
  const found = (await rules(server)).find((one) => one.nickname === nickname);
  if (!found) throw new Error(`no rule ${nickname}`);
  return found;
}

test('a rule is read in words, switched off and on again', async ({ page, server }) => {
  await page.goto(server.page('rules'));
  await page.getByRole('link', { name: 'Paycheck split' }).click();
  await expect(page.getByRole('heading', { name: 'Paycheck split', level: 1 })).toBeVisible();
  await expect(page.getByText('When money arrives on Main Payroll')).toBeVisible();
  await expect(page.getByText('44 % of what came in')).toBeVisible();
  await expect(page.getByText('Nothing speaks against it.')).toBeVisible();

  const toggle = page.getByRole('switch', { name: 'Paycheck split is on' });
  await expect(toggle).toBeChecked();
  await toggle.click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  expect((await rule(server, 'Paycheck split')).status).toBe('enabled');
  await toggle.click();
  await page.getByRole('button', { name: 'Switch off' }).click();
  await expect(toggle).not.toBeChecked();
  expect((await rule(server, 'Paycheck split')).status).toBe('disabled');
  await expect(page.getByRole('button', { name: 'Trigger now' })).toBeDisabled();

  await toggle.click();
  await page.getByRole('button', { name: 'Switch on' }).click();
  await expect(toggle).toBeChecked();
  expect((await rule(server, 'Paycheck split')).status).toBe('enabled');
});

test('a simulation explains every number and moves nothing', async ({ page, server }) => {
  const { id } = await rule(server, 'Paycheck split');
  const before = await server.balance('Taxes');
  await page.goto(server.page(`rules/${id}`));
  await page.getByRole('button', { name: 'Simulate' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Pretend that so much came in (USD)').fill('1,000.00');
  await dialog.getByRole('button', { name: 'Simulate' }).click();
  await expect(dialog.getByText('It would move $890.00 in 4 actions.')).toBeVisible();
  const taxes = dialog.getByRole('row').filter({ hasText: 'Taxes' });
  await expect(taxes.getByRole('cell', { name: '$200.00' })).toHaveCount(3);
  await expect(taxes.getByText('$1,000.00 came in')).toBeVisible();

  await dialog.getByRole('link', { name: 'Open as a run' }).click();
  await expect(page.getByRole('heading', { name: 'Simulated run of “Paycheck split”' })).toBeVisible();
  expect(await server.balance('Taxes')).toBe(before);
});

test('a rule is triggered, and its run leads to what it moved', async ({ page, server }) => {
  const { id } = await rule(server, 'Paycheck split');
  const before = await server.balance('Vacation');
  await page.goto(server.page(`rules/${id}`));
  await page.getByRole('button', { name: 'Trigger now' }).click();
  await page.getByLabel('As if so much had come in (USD)').fill('100');
  await page.getByRole('button', { name: 'Move the money' }).click();
  await expect(page.getByRole('heading', { name: 'Run of “Paycheck split”', level: 1 })).toBeVisible();
  await expect(page.getByText('It ordered $89.00 in 4 actions.')).toBeVisible();
  await expect(page.getByText('Set off: triggered by hand, as if $100.00 had come in')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Main Payroll → Vacation', exact: true })).toBeVisible();
  expect(await server.balance('Vacation')).toBe(before + 500);
});

test('what is wrong with a draft is shown at its place, and then it is saved', async ({ page, server }) => {
  await page.goto(server.page('rules'));
  await page.getByRole('button', { name: 'Write a rule' }).click();
  const text = page.getByLabel('The rule');
  const begun = JSON.parse(await text.inputValue()) as {
    nickname: string;
    trigger: { type: string };
    steps: { actions: { percentage_value: number }[] }[];
  };
  const write = (percent: number) => {
    begun.nickname = 'A tenth by hand';
    begun.trigger.type = 'MANUAL';
    for (const action of begun.steps[0]?.actions ?? []) action.percentage_value = percent;
    return text.fill(JSON.stringify(begun, null, 2));
  };

  await text.fill('{ "steps": [');
  await expect(page.getByRole('button', { name: 'Check', exact: true })).toBeDisabled();

  await write(120);
  await page.getByRole('button', { name: 'Check and save' }).click();
  await page.getByRole('button', { name: 'steps[0].actions[0].percentage_value' }).click();
  const selected = await text.evaluate((area: HTMLTextAreaElement) =>
    area.value.slice(area.selectionStart, area.selectionEnd),
  );
  expect(selected).toBe('120');
  expect(await rules(server)).toHaveLength(1);

  await write(10);
  await page.getByRole('button', { name: 'Check and save' }).click();
  await expect(page.getByRole('heading', { name: 'A tenth by hand', level: 1 })).toBeVisible();
  const made = await rule(server, 'A tenth by hand');
  expect(made.status).toBe('disabled');
  expect(made.steps[0]?.actions[0]?.percentage_value).toBe(10);

  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete the rule' }).click();
  await expect(page.getByRole('heading', { name: 'Rules', level: 1 })).toBeVisible();
  expect((await rules(server)).map(({ nickname }) => nickname)).toEqual(['Paycheck split']);
});

test('what is written stays when accounts change meanwhile', async ({ page, server }) => {
  await page.goto(server.page('rules/new'));
  const text = page.getByLabel('The rule');
  // The example begins with the first income source that is active.
  const income = server.accounts['Main Payroll'] ?? '';
  expect(await text.inputValue()).toContain(income);
  await text.fill('{ "nickname": "Half written');
  await server.call('POST', `/accounts/${income}/block`);
  const { owner_id } = await server.call<{ owner_id: string }>('GET', `/accounts/${income}`);
  await server.call('POST', '/accounts', { owner_id, type: 'pod', name: 'Newcomer', currency: 'USD' });
  await expect(page.getByRole('cell', { name: 'Newcomer' })).toBeVisible();
  await expect(text).toHaveValue('{ "nickname": "Half written');
});

test('a warning is read before it is saved all the same', async ({ page, server }) => {
  await page.goto(server.page('rules/new'));
  const draft = {
    nickname: 'Never known',
    trigger: {
      type: 'SCHEDULED',
      account_id: server.accounts['Main Payroll'],
      schedule_type: 'DAILY',
      start_date: '2030-01-01T00:00:00Z',
    },
    steps: [
      {
        conditions: { condition: { fact: 'TRANSFER_AMOUNT', operator: 'GREATER_THAN', value: 100 } },
        actions: [
          { type: 'fixed_amount', amount_in_cents: 500, destination: { id: server.accounts['Taxes'] } },
        ],
      },
    ],
  };
  await page.getByLabel('The rule').fill(JSON.stringify(draft));
  await expect(page.getByText('what came in is more than $1.00')).toBeVisible();
  await page.getByRole('button', { name: 'Check and save' }).click();
  await expect(page.getByLabel('Findings').getByText('A run by the time does not know')).toBeVisible();
  await page.getByRole('button', { name: 'Save all the same' }).click();
  await expect(page.getByRole('heading', { name: 'Never known', level: 1 })).toBeVisible();
});

test('a rule that asks for its amount is told where', async ({ page, server }) => {
  const made = await server.call<Rule>('POST', '/rules', {
    nickname: 'Asks',
    trigger: { type: 'MANUAL', account_id: server.accounts['Main Payroll'] },
    steps: [{ actions: [{ type: 'queried_amount', destination: { id: server.accounts['Taxes'] } }] }],
  });
  await page.goto(server.page(`rules/${made.id}`));
  await page.getByLabel('URL').fill('https://example.com/amounts');
  await page.getByRole('button', { name: 'Set', exact: true }).last().click();
  await page.getByRole('button', { name: 'Show the secret' }).click();
  const source = await server.call<{ url: string; secret: string }>('GET', `/rules/${made.id}/amount-source`);
  expect(source.url).toBe('https://example.com/amounts');
  await expect(page.getByText(source.secret)).toBeVisible();

  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page.getByLabel('URL')).toHaveValue('');
});

test('runs are found by how they ended', async ({ page, server }) => {
  await server.paycheck('Main Payroll', 100_000);
  await page.goto(server.page('runs'));
  await expect(page.getByRole('cell', { name: '$1,000.00 came in' })).toBeVisible();
  await page.getByLabel('State').selectOption('Failed');
  await expect(page.getByText('No run is like that.')).toBeVisible();
  await page.getByLabel('State').selectOption('Executed');
  await page.getByLabel('Kind').selectOption('Live');
  await page.getByLabel('Rule', { exact: true }).selectOption('Paycheck split');
  await expect(page.getByRole('cell', { name: '$1,000.00 came in' })).toBeVisible();
});
