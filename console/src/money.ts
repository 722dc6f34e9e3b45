// Amounts are integers of minor units, here as in the ledger: never a float in between.

/** How many digits a currency has behind its point. */
export function digits(currency: string): number {
  return (
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  );
}

/** Minor units as a decimal: 123456 of USD is `1234.56`. */
export function decimal(minor: number | bigint, currency: string): string {
  const places = digits(currency);
  const value = BigInt(minor);
  const text = (value < 0n ? -value : value).toString().padStart(places + 1, '0');
  const whole = text.slice(0, text.length - places);
  const sign = value < 0n ? '-' : '';
  return places === 0 ? `${sign}${whole}` : `${sign}${whole}.${text.slice(-places)}`;
}

/** Minor units for people: 123456 of USD is `$1,234.56`. */
export function money(minor: number | bigint, currency: string): string {
  const exact = typeof minor === 'bigint' || Number.isSafeInteger(minor);
  const format = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
  });
  const text = format.format(decimal(minor, currency) as Intl.StringNumericLiteral);
  return exact ? text : `≈${text}`;
}

/** What somebody typed, in minor units: `1,234.5` of USD is 123450. Null when it is no amount. */
export function parse(text: string, currency: string): number | null {
  const places = digits(currency);
  const match = /^(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?$/.exec(text.trim());
  if (!match) return null;
  const fraction = match[2] ?? '';
  if (fraction.length > places) return null;
  const minor = Number((match[1] ?? '').replaceAll(',', '') + fraction.padEnd(places, '0'));
  return Number.isSafeInteger(minor) && minor > 0 ? minor : null;
}

/** As `parse`, but nothing is an amount too. */
export function parseFromZero(text: string, currency: string): number | null {
  return /^0+(\.0*)?$/.test(text.trim()) ? 0 : parse(text, currency);
}
