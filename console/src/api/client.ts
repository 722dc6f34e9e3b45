// The admin API, typed by its own OpenAPI document (`npm run client src/api/admin.d.ts` makes the types from it).

import createClient, { type Middleware } from 'openapi-fetch';

import { signOut, token } from '../session';
import type { components, paths } from './admin';

export type Schemas = components['schemas'];
export type Account = Schemas['AccountBody'];
export type Approval = Schemas['ApprovalBody'];
export type Attempt = Schemas['AttemptBody'];
export type Entry = Schemas['EntryBody'];
export type Execution = Schemas['RuleExecution'];
export type Owner = Schemas['OwnerBody'];
export type Party = Schemas['PartyBody'];
export type Problem = Schemas['Problem'];
export type Rule = Schemas['RuleBody'];
export type Settings = Schemas['SettingsBody'];
export type Tenant = Schemas['TenantBody'];
export type Transfer = Schemas['TransferBody'];
export type Webhook = Schemas['WebhookBody'];
export type EventBody = Schemas['EventBody'];

/** What the server refused, in its own words (RFC 9457), or that it could not be reached. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: readonly { field: string; reason: string }[];

  constructor(problem: Partial<Problem>, status: number) {
    super(problem.detail ?? problem.title ?? `the server answered ${status}`);
    this.status = status;
    this.code = problem.code ?? 'unknown';
    this.fields = problem.errors ?? [];
  }
}

const authorize: Middleware = {
  onRequest({ request }) {
    const shown = token();
    if (shown) request.headers.set('Authorization', `Bearer ${shown}`);
    return request;
  },
  onResponse({ response }) {
    if (response.status === 401) signOut();
    return response;
  },
};

export const api = createClient<paths>({ baseUrl: '/admin/v1' });
api.use(authorize);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of an answer. Throws `Refused` when it was an error or there was none. */
export async function ask<T>(answering: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await answering;
  } catch {
    throw new Refused({ detail: 'the server cannot be reached', code: 'unreachable' }, 0);
  }
  if (!answer.response.ok) {
    throw new Refused((answer.error ?? {}) as Partial<Problem>, answer.response.status);
  }
  return answer.data as T;
}
