import { describe, expect, test } from 'vitest';

import type { Rule } from '../src/api/client';
import { editable, read } from '../src/pages/rules/draft';
import { locate, parts } from '../src/pages/rules/locate';

const TEXT = `{
  "trigger": { "type": "MANUAL" },
  "steps": [
    { "actions": [] },
    {
      "actions": [
        { "type": "percentage, \\"{[", "percentage_value": 120.5 }
      ]
    }
  ]
}`;

test('paths are taken apart', () => {
  expect(parts('steps[1].actions[0].percentage_value')).toEqual([
    'steps',
    1,
    'actions',
    0,
    'percentage_value',
  ]);
});

describe('places', () => {
  const at = (path: string) => {
    const place = locate(TEXT, path);
    return place && [TEXT.slice(place.start, place.end), place.line];
  };

  test('of a value, however deep', () => {
    expect(at('steps[1].actions[0].percentage_value')).toEqual(['120.5', 7]);
    expect(at('trigger.type')).toEqual(['"MANUAL"', 2]);
    expect(at('steps[0].actions')).toEqual(['[]', 4]);
  });

  test('signs inside of strings are no structure', () => {
    expect(at('steps[1].actions[0].type')).toEqual(['"percentage, \\"{["', 7]);
  });

  test('what is missing is shown where it should be', () => {
    expect(at('trigger.account_id')).toEqual(['{ "type": "MANUAL" }', 2]);
    expect(at('steps[7].actions')?.[1]).toBe(3);
  });

  test('text that is no JSON has none', () => {
    expect(locate('{', 'steps')).toBeNull();
  });
});

describe('drafts', () => {
  const rule: Rule = {
    id: 'rule_1',
    owner_id: 'own_1',
    approval_above: null,
    status: 'enabled',
    created_at: '2026-11-01T00:00:00Z',
    updated_at: '2026-11-01T00:00:00Z',
    nickname: 'Save',
    description: null,
    trigger: { account_id: 'acc_1', type: 'ON_FUNDS_TRANSFERRED' },
    steps: [
      {
        conditions: null,
        actions: [
          {
            ach_description: null,
            amount_in_cents: 0,
            destination: { id: 'acc_2', type: 'pod', name: 'Taxes' },
            group_index: 0,
            type: 'top_up',
            up_to_enabled: true,
            is_direct_deposit: false,
          },
        ],
      },
    ],
  };

  test('have what can be changed, and nothing that says nothing', () => {
    expect(JSON.parse(editable(rule))).toEqual({
      nickname: 'Save',
      trigger: { type: 'ON_FUNDS_TRANSFERRED', account_id: 'acc_1' },
      steps: [
        {
          actions: [
            {
              type: 'top_up',
              destination: { id: 'acc_2', name: 'Taxes' },
              amount_in_cents: 0,
              up_to_enabled: true,
            },
          ],
        },
      ],
    });
    expect(editable(rule).indexOf('"top_up"')).toBeLessThan(editable(rule).indexOf('"acc_2"'));
  });

  test('are one JSON object', () => {
    expect(read('{"steps": []}')).toEqual({ draft: { steps: [] } });
    expect(read('[]')).toHaveProperty('fault');
    expect(read('{')).toHaveProperty('fault');
  });
});
