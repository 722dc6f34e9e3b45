// What a transfer's state means, in a sentence.

import type { Transfer } from '../../api/client';

/** Codes that a rail gives money back with. */
export const RETURNS = [
  'PAYMENT_FAILED',
  'INSUFFICIENT_FUNDS',
  'DISCONNECTED_ACCOUNT',
  'NAME_MISMATCH',
  'PAYMENT_NOT_SUPPORTED',
  'RESOURCE_DELETED',
];

const STATES: Record<string, string> = {
  scheduled: 'It waits for its time.',
  pending_approval: 'It waits for a person to approve it. Nothing has moved.',
  processing: 'It is recorded and settles in a moment.',
  pending: 'The money has left and is on its way over the rail.',
  complete: 'The money has arrived.',
  cancelled: 'It was called off. Nothing has moved.',
  denied: 'It was denied. Nothing has moved.',
  rejected: 'It was refused. Nothing has moved.',
};

const ERRORS: Record<string, string> = {
  INSUFFICIENT_FUNDS: 'There was less available than the amount.',
  FUNDS_INSUFFICIENT: 'There was less available than amount and fee.',
  DISCONNECTED_ACCOUNT: 'The institution is not connected any more.',
  NAME_MISMATCH: 'The name did not fit the account.',
  PAYMENT_NOT_SUPPORTED: 'An account is blocked, or there is no rail for it.',
  PAYMENT_FAILED: 'The rail could not carry it.',
  RESOURCE_DELETED: 'An account was closed.',
};

export function meaning({ status, error_code }: Pick<Transfer, 'status' | 'error_code'>): string {
  if (error_code) {
    const why = ERRORS[error_code] ?? `It ended with ${error_code}.`;
    return status === 'returned' ? `The money came back. ${why}` : `No money has moved in the end. ${why}`;
  }
  return STATES[status] ?? '';
}
