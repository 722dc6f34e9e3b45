// A real server with the demo for each test, on free ports and an empty folder, and its console opened
// in a browser. `TIDEGATE_BIN` names the program; else that of a debug build is taken, which serves
// `dist` as it is on disk.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { expect, test as base } from '@playwright/test';

const HERE = dirname(fileURLToPath(import.meta.url));
const PROGRAM = process.env['TIDEGATE_BIN'] ?? join(HERE, '../../target/debug/tidegate');

export class Server {
  private child: ChildProcess | null = null;
  readonly folder = mkdtempSync(join(tmpdir(), 'tidegate-console-'));
  admin = '';
  token = '';
  tenant = '';
  /** Ids by name, such as `Main Payroll`. */
  accounts: Record<string, string> = {};

  /** Starts it, on the ports it had if it ran before. */
  async start(): Promise<void> {
    const listen = this.admin ? new URL(this.admin).host : '127.0.0.1:0';
    const flags = ['serve', '--demo', '--listen', '127.0.0.1:0', '--admin-listen', listen];
    const child = spawn(PROGRAM, flags, { cwd: this.folder, stdio: ['ignore', 'pipe', 'ignore'] });
    this.child = child;
    const lines = createInterface({ input: child.stdout });
    for await (const line of lines) {
      const found = /^listening api=\S+ admin=(\S+)$/.exec(line);
      if (found?.[1]) {
        this.admin = found[1];
        break;
      }
    }
    if (!this.admin) throw new Error('the server did not start');
    const env = readFileSync(join(this.folder, 'data/demo.env'), 'utf8');
    const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(env)?.[1] ?? '';
    this.token = value('ADMIN_TOKEN');
    this.tenant = value('TENANT');
    const { data } = await this.call<{ data: { id: string; name: string }[] }>('GET', '/accounts');
    this.accounts = Object.fromEntries(data.map(({ id, name }) => [name, id]));
  }

  /** Kills it, as a power failure would. */
  async kill(): Promise<void> {
    const child = this.child;
    if (!child) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    this.child = null;
  }

  /** A call of the admin API below the demo's tenant. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.admin}/admin/v1/tenants/${this.tenant}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    expect(response.ok, `${method} ${path}: ${response.status}`).toBe(true);
    return (await response.json()) as T;
  }

  /** What an account has, in minor units. */
  async balance(account: string): Promise<number> {
    const { balance } = await this.call<{ balance: number }>(
      'GET',
      `/accounts/${this.accounts[account] ?? '?'}`,
    );
    return balance;
  }

  /** Pay arrives. */
  async paycheck(account: string, amount: number): Promise<void> {
    await this.call('POST', '/simulate/paycheck', {
      account_id: this.accounts[account],
      amount_in_cents: amount,
    });
  }

  /** The console's address of a page, such as `money`. */
  page(path: string): string {
    return `${this.admin}/console/${this.tenant}/${path}#token=${this.token}`;
  }
}

/** A test with a server of its own. It fails when the page logs an error. */
export const test = base.extend<{ server: Server }>({
  // eslint-disable-next-line no-empty-pattern
  server: async ({}, provide) => {
    const server = new Server();
    await server.start();
    await provide(server);
    await server.kill();
    rmSync(server.folder, { recursive: true, force: true });
  },
  page: async ({ page }, provide) => {
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => {
      // A refusal that the page shows is also logged by the browser, and so is a server that is away.
      const expected = /Failed to load resource|ERR_CONNECTION|net::/.test(message.text());
      if (message.type() === 'error' && !expected) errors.push(message.text());
    });
    await provide(page);
    expect(errors).toEqual([]);
  },
});

export { expect };
