// What the browser tests share: the API as an administrator, the login, and names that no other test uses.
import { randomBytes } from 'node:crypto';

import { expect, type Page, test as base } from '@playwright/test';

import { Provider } from './provider';

const url = process.env.WEB_URL ?? '';
const token = process.env.WEB_TOKEN ?? '';

/** Each of the browsers that run beside each other has an organisation of its own. */
const parallel = Number(process.env.TEST_PARALLEL_INDEX ?? 0);
export const org = parallel === 0 ? 'acme' : `acme-${parallel}`;

export interface ApiModel {
  id: string;
  slug: string;
  version: number;
  displayName: string;
  enabled: boolean;
  tags: string[];
}

/** The API with a token of a platform admin, beside the page. */
export class Api {
  async call<T>(method: string, path: string, json?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const response = await fetch(url + path, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...headers },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  model(fields: Record<string, unknown> = {}): Promise<ApiModel> {
    const modelName = (fields.modelName as string | undefined) ?? unique('m');
    return this.call('POST', `/v1/orgs/${org}/models`, {
      provider: 'ollama',
      modelName,
      enabled: true,
      capabilities: { chat: 'supported' },
      ...fields,
    });
  }

  read(slug: string): Promise<ApiModel> {
    return this.call('GET', `/v1/orgs/${org}/models/${encodeURIComponent(slug)}`);
  }
}

export const unique = (prefix: string) => `${prefix}-${randomBytes(4).toString('hex')}`;

/** Logs the browser of a page in, without the form. */
export async function enter(page: Page, user: string, role: string, id = org) {
  const login = await page.request.post('/v1/session:dev', { data: { user, org: id, role } });
  expect(login.status()).toBe(200);
}

/** An API of one test, which it may stop: the others have theirs (tests/web/own_apis.py). */
export class OwnApi {
  private constructor(
    private readonly id: string,
    readonly url: string,
    /** Where people log in, if they do not by the form of dev mode. */
    readonly issuer: string | null,
  ) {}

  private static async ask<T>(path: string, json: unknown): Promise<T> {
    const response = await fetch(`${process.env.WEB_OWN_APIS}/${path}`, { method: 'POST', body: JSON.stringify(json) });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as T;
  }
  static async begin(oidc?: { org: string }): Promise<OwnApi> {
    const made = await OwnApi.ask<{ id: string; url: string; issuer: string | null }>('apis', oidc ? { oidc } : {});
    return new OwnApi(made.id, made.url, made.issuer);
  }
  private readonly tell = (what: string, json: unknown = {}) => OwnApi.ask<object>(`apis/${this.id}/${what}`, json);
  /** Ends the process. */
  stop = () => this.tell('stop');
  /** Another process at the same address, which answers when this returns. */
  start = () => this.tell('start');
  setIssuer = (fields: { denies: string | null }) => this.tell('issuer', fields);
  end = () => this.tell('end');
}

/** Through the form, as a person does. */
export async function logIn(page: Page, role: string, user = 'alice') {
  await page.goto('/ui/');
  await page.getByLabel('User name').fill(user);
  await page.getByLabel('Role').click();
  await page.getByRole('option', { name: role, exact: true }).click();
  if (role !== 'Platform admin') await page.getByLabel('Organisation').fill(org);
  await page.getByRole('button', { name: 'Log in' }).click();
  await openModels(page);
}

/** From the page that a login leads to. */
async function openModels(page: Page) {
  await expect(page).toHaveURL(/\/overview$/);
  await page.goto(page.url().replace(/overview$/, 'models'));
  await expect(page.getByRole('heading', { level: 1, name: 'Models' })).toBeVisible();
}

interface Fixtures {
  api: Api;
  person: Page;
  admin: Page;
  refused: string[];
  hosts: string[];
  ownApi: (oidc?: { org: string }) => Promise<OwnApi>;
  own: string;
  provider: Provider;
}

export const test = base.extend<Fixtures, { shared: Api }>({
  shared: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const api = new Api();
      await api.call('POST', '/v1/orgs', { id: org, displayName: 'Acme' }).catch((error: Error) => {
        if (!error.message.includes(' 409 ')) throw error;
      });
      await use(api);
    },
    { scope: 'worker', auto: true },
  ],
  api: async ({ shared }, use) => use(shared),
  /** Whom the page may ask. */
  // eslint-disable-next-line no-empty-pattern
  hosts: async ({}, use) => use([url]),
  /** What the content security policy refused, and errors that no one caught. Each test ends without any. */
  refused: [
    async ({ page, hosts }, use) => {
      const refused: string[] = [];
      page.on('pageerror', (error) => refused.push(error.message));
      page.on('console', (message) => {
        if (/Content Security Policy|Refused to/.test(message.text())) refused.push(message.text());
      });
      page.on('request', (request) => {
        if (!hosts.some((host) => request.url().startsWith(host)) && !/^(data|blob):/.test(request.url()))
          refused.push(`other host: ${request.url()}`);
      });
      await use(refused);
      expect(refused).toEqual([]);
    },
    { auto: true },
  ],
  /** Someone who is logged in as an admin of the organisation; only the test of the login goes through its form. */
  person: async ({ page }, use) => {
    await enter(page, 'alice', 'org_admin');
    await use(page);
  },
  /** An organisation of this test alone; the browser is logged in as its admin. */
  own: async ({ page, api }, use) => {
    const id = unique('own');
    await api.call('POST', '/v1/orgs', { id, displayName: id });
    await enter(page, 'alice', 'org_admin', id);
    await use(id);
  },
  ownApi: async ({ hosts }, use) => {
    const begun: OwnApi[] = [];
    await use(async (oidc) => {
      const own = await OwnApi.begin(oidc);
      begun.push(own);
      hosts.push(own.url, ...(own.issuer ? [own.issuer] : []));
      return own;
    });
    for (const own of begun) await own.end();
  },
  // eslint-disable-next-line no-empty-pattern
  provider: async ({}, use) => {
    const provider = new Provider();
    await provider.start();
    await use(provider);
    provider.stop();
  },
  /** The same, with the list of models open. */
  admin: async ({ person }, use) => {
    await person.goto(`/ui/orgs/${org}/models`);
    await expect(person.getByRole('heading', { level: 1, name: 'Models' })).toBeVisible();
    await use(person);
  },
});

/** The row or card of a model, found by search. */
export async function find(page: Page, name: string) {
  await page.getByRole('searchbox', { name: 'Search models' }).fill(name);
  const row = page.getByRole('row').filter({ hasText: name });
  await expect(row).toHaveCount(1);
  return row;
}

export { expect };
