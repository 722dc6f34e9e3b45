import { expect, it } from 'vitest';

import { Parser } from '../src/api/stream';

const event = (id: string) => ({
  id,
  type: 'transfer.created',
  tenant_id: 'ten_1',
  created_at: '',
  data: {},
});
const text = `: still here\n\nid: evt_1\nevent: transfer.created\ndata: ${JSON.stringify(event('evt_1'))}\n\nid: evt_2\ndata: ${JSON.stringify(event('evt_2'))}\n\n`;

it('reads events however the stream was cut', () => {
  for (let length = 1; length <= text.length; length += 1) {
    const parser = new Parser();
    const found: string[] = [];
    for (let at = 0; at < text.length; at += length) {
      found.push(...parser.take(text.slice(at, at + length)).map(({ id }) => id));
    }
    expect(found, `pieces of ${length}`).toEqual(['evt_1', 'evt_2']);
  }
});

it('waits for the end of an event', () => {
  const parser = new Parser();
  expect(parser.take(`data: ${JSON.stringify(event('evt_1'))}\n`)).toEqual([]);
  expect(parser.take('\n').map(({ id }) => id)).toEqual(['evt_1']);
});
