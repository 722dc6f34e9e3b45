import { describe, expect, it } from 'vitest';

import { decimal, digits, money, parse } from '../src/money';

describe('amounts', () => {
  it('have the digits of their currency', () => {
    expect([digits('USD'), digits('JPY'), digits('KWD')]).toEqual([2, 0, 3]);
    expect(decimal(123_456, 'USD')).toBe('1234.56');
    expect(decimal(5, 'USD')).toBe('0.05');
    expect(decimal(-5, 'USD')).toBe('-0.05');
    expect(decimal(500, 'JPY')).toBe('500');
    expect(decimal(1_234_567, 'KWD')).toBe('1234.567');
  });

  it('are exact however great, and say so when they cannot be', () => {
    expect(money(9_007_199_254_740_993n, 'USD')).toBe('$90,071,992,547,409.93');
    expect(money(Number.MAX_SAFE_INTEGER, 'USD')).toBe('$90,071,992,547,409.91');
    expect(money(2 ** 53, 'USD')).toMatch(/^≈/);
  });

  it('are taken as they are typed, or not at all', () => {
    const cases: [string, string, number | null][] = [
      ['1,234.5', 'USD', 123_450],
      [' 0.01 ', 'USD', 1],
      ['1234', 'USD', 123_400],
      ['500', 'JPY', 500],
      ['0.1', 'JPY', null],
      ['0.001', 'USD', null],
      ['1,23.00', 'USD', null],
      ['-5', 'USD', null],
      ['0', 'USD', null],
      ['', 'USD', null],
      ['1e3', 'USD', null],
      ['90,071,992,547,409.92', 'USD', null],
    ];
    for (const [text, currency, minor] of cases) expect(parse(text, currency), text).toBe(minor);
  });

  it('come back as they went', () => {
    for (const minor of [1, 99, 100, 123_456_789, Number.MAX_SAFE_INTEGER]) {
      expect(parse(decimal(minor, 'EUR'), 'EUR')).toBe(minor);
    }
  });
});
