// Every page of the web page, for tests that hold for each of them: how it is reached, what shows that it has its data, what
// a person types there, and what only those who may change it are offered. A test compares the table with src/routes.tsx.
import { readFileSync } from 'node:fs';

import type { Locator, Page } from '@playwright/test';

import { type Api, expect, org, unique } from './world';

/** What a person types on a page, and what sends it. */
export interface Form {
  fill: () => Promise<void>;
  /** What was typed is still there. */
  kept: () => Promise<void>;
  send: () => Promise<void>;
  /** What is shown while the server has not answered. */
  waiting: Locator;
  /** What is shown when it has. */
  done: Locator;
  /** Where the page keeps what was typed elsewhere, and sends it from there the second time. */
  sendAgain?: () => Promise<void>;
}

export interface EveryPage {
  name: string;
  /** As in src/routes.tsx. */
  route: string;
  /** Below the organisation. */
  path: string;
  /** It shows what the row before has read, so faults of the API are tried there. */
  sameData?: true;
  /** The page has its data. */
  ready: (page: Page) => Locator;
  form?: (page: Page) => Form;
  /** Offered to those who may change what the page shows. */
  offers?: (page: Page) => Locator;
}

/** What the pages show; made once, and the same for each browser that asks again. */
export async function furnish(api: Api) {
  await api.call('PUT', `/v1/orgs/${org}/models/${encodeURIComponent('ollama/showcase')}`, {
    displayName: 'House chat',
    description: 'For every day.',
    enabled: true,
    contextWindow: 131072,
    outputTokensMax: 8192,
    capabilities: { chat: 'supported', vision: 'unsupported', tools: 'supported' },
    tags: ['fast', 'eu'],
  });
  await api.call('PUT', `/v1/orgs/${org}/models/${encodeURIComponent('ollama/showcase')}/prices`, {
    prices: [
      { dimension: 'input', amount: '0.5' },
      { dimension: 'output', amount: '2' },
    ],
  });
  const connections = await api.call<{ data: { name: string }[] }>('GET', `/v1/orgs/${org}/connections`);
  if (!connections.data.some((row) => row.name === 'house'))
    await api.call('POST', `/v1/orgs/${org}/connections`, {
      provider: 'ollama',
      name: 'house',
      baseUrl: 'http://127.0.0.1:9',
      syncEnabled: false,
    });
  await api.call('PUT', `/v1/orgs/${org}/aliases/house-chat`, { targets: [{ model: 'ollama/showcase', weight: 1 }] });
  await api.call('PUT', `/v1/orgs/${org}/views/house-view`, { filter: { kind: 'generation' }, pins: [] });
}

/** A form whose fields are found by their labels. */
function formOf(
  page: Page,
  fields: Record<string, string>,
  more: Pick<Form, 'done'> & Partial<Form> & { open?: () => Promise<void>; button: string; within?: Locator },
): Form {
  const { open, button, within: place, ...rest } = more;
  const within = place ?? page;
  const field = (label: string) =>
    within
      .getByLabel(label, { exact: true })
      .or(within.getByLabel(`${label} *`, { exact: true }))
      .first();
  return {
    async fill() {
      await open?.();
      for (const [label, value] of Object.entries(fields)) await field(label).fill(value);
    },
    async kept() {
      for (const [label, value] of Object.entries(fields)) await expect(field(label)).toHaveValue(value);
    },
    send: () => within.getByRole('button', { name: button, exact: true }).click(),
    waiting: within.getByRole('button', { name: 'Saving…' }),
    ...rest,
  };
}

async function choose(page: Page, label: string, option: string) {
  await page.getByRole('combobox', { name: label }).click();
  await page.getByRole('option', { name: option, exact: true }).click();
}

const showcase = (tab: string) => `models?model=${encodeURIComponent('ollama/showcase')}&tab=${tab}`;
const drawer = (name: string, ready: EveryPage['ready']): EveryPage => ({
  name: `model-${name}`,
  route: 'models',
  path: showcase(name),
  ready,
});
const dialog = (page: Page) => page.getByRole('dialog').first();
const button = (name: string) => (page: Page) => page.getByRole('button', { name, exact: true }).first();

export const everyPage: EveryPage[] = [
  {
    name: 'overview',
    route: 'overview',
    path: 'overview',
    ready: (page) => page.getByRole('heading', { name: 'Needs attention' }),
  },
  {
    name: 'models',
    route: 'models',
    path: 'models',
    ready: (page) => page.getByRole('grid', { name: 'Models' }),
    offers: (page) => page.getByRole('checkbox', { name: /^Select / }).or(button('Add a model')(page)),
    form: (page) => {
      const name = unique('typed');
      return formOf(
        page,
        { 'Name at the provider': name, 'Display name': 'Typed and kept' },
        {
          open: async () => {
            await page.getByRole('button', { name: 'Add a model' }).click();
            await choose(page, 'Served by', 'house · ollama');
          },
          within: dialog(page),
          button: 'Add',
          done: page.getByText('Typed and kept is added.'),
        },
      );
    },
  },
  {
    ...drawer('overview', (page) => page.getByRole('textbox', { name: 'Display name' })),
    offers: button('Delete…'),
    form: (page) =>
      formOf(page, { Description: unique('Typed') }, { button: 'Save', done: page.getByText('House chat is saved.') }),
  },
  {
    ...drawer('pricing', (page) => page.getByRole('tabpanel').getByRole('table')),
  },
  { ...drawer('limits', (page) => page.getByRole('spinbutton', { name: 'Context window' })), sameData: true },
  { ...drawer('capabilities', (page) => page.getByText('Vision', { exact: true }).last()), sameData: true },
  drawer('access', (page) => page.getByText('Access rules')),
  drawer('history', (page) => page.getByRole('button', { name: / by / }).first()),
  drawer('usage', (page) => page.getByText('Used by', { exact: true })),
  drawer('explain', (page) => page.getByRole('tabpanel').getByRole('alert').first()),
  { ...drawer('raw', (page) => page.getByText('"slug"')), sameData: true },
  {
    name: 'playground',
    route: 'playground',
    path: 'playground',
    ready: (page) => page.getByRole('combobox', { name: 'Model' }),
    form: (page) => {
      const question = unique('Who answers');
      return {
        fill: () => page.getByLabel('Your message').fill(question),
        // A question that failed stays in the conversation, with a button that asks it again.
        kept: () => expect(page.getByText(question).last()).toBeVisible(),
        send: () => page.getByRole('button', { name: 'Send' }).click(),
        sendAgain: async () => {
          await page.getByLabel('Your message').fill(question);
          await page.getByRole('button', { name: 'Send' }).click();
        },
        waiting: page.getByText('Waiting for the first words…'),
        done: page.getByText(/ in all/),
      };
    },
  },
  {
    name: 'connections',
    route: 'connections',
    path: 'connections',
    ready: (page) => page.getByRole('link', { name: 'house' }),
    offers: (page) => page.getByRole('link', { name: 'Add a connection' }),
  },
  {
    name: 'connection-new',
    route: 'connections/new',
    path: 'connections/new',
    ready: (page) => page.getByRole('button', { name: /^Anything/ }),
    offers: (page) => page.getByRole('button', { name: /^Anything/ }),
    form: (page) => {
      const name = unique('typed');
      const fields = { Name: name, 'Base URL': 'http://127.0.0.1:9/v1', 'API key': 'sk-typed-and-kept' };
      const form = formOf(page, fields, {
        open: async () => {
          await page.getByRole('button', { name: /^Anything/ }).click();
          await page.getByRole('button', { name: /^OpenAI-compatible/ }).click();
          await choose(page, 'How the key is sent', 'Bearer token');
        },
        button: 'Next',
        waiting: page.getByText(/^Testing/),
        done: page.getByText('The connection does not work.'),
      });
      return {
        ...form,
        async kept() {
          await page.getByRole('button', { name: 'Back' }).click();
          await form.kept();
        },
        async send() {
          await form.send();
          await page.getByRole('button', { name: 'Test', exact: true }).click();
        },
      };
    },
  },
  {
    name: 'connection',
    route: 'connections/:connection',
    path: 'connections/house',
    ready: (page) => page.getByRole('heading', { name: 'house' }),
    offers: button('Edit'),
    form: (page) =>
      formOf(
        page,
        { 'Only models that match': unique('typed') },
        {
          open: () => page.getByRole('button', { name: 'Edit' }).click(),
          within: dialog(page),
          button: 'Save',
          done: page.getByText('house is saved.'),
        },
      ),
  },
  {
    name: 'credentials',
    route: 'credentials',
    path: 'credentials',
    ready: button('Store a key'),
    offers: button('Store a key'),
    form: (page) => {
      const label = unique('typed');
      return formOf(
        page,
        { Label: label, Key: 'sk-typed-and-kept' },
        {
          open: async () => {
            await page.getByRole('button', { name: 'Store a key' }).click();
            await choose(page, 'Provider', 'OpenAI');
          },
          within: dialog(page),
          button: 'Save',
          done: page.getByText(`${label} is stored.`),
        },
      );
    },
  },
  {
    name: 'sync',
    route: 'sync',
    path: 'sync',
    ready: (page) => page.getByRole('heading', { name: 'Runs', exact: true }),
    offers: (page) => page.getByRole('button', { name: /^Sync (now|all)$/ }),
  },
  {
    name: 'defaults',
    route: 'defaults',
    path: 'defaults',
    ready: (page) => page.getByRole('cell', { name: /house-chat/ }).first(),
    offers: button('Add an alias'),
    form: (page) => {
      const alias = unique('typed');
      return formOf(
        page,
        { Alias: alias, Model: 'ollama/showcase', Description: 'Typed and kept' },
        {
          open: () => page.getByRole('button', { name: 'Add an alias' }).click(),
          within: dialog(page),
          button: 'Save',
          done: page.getByText(`${alias} is saved.`),
        },
      );
    },
  },
  {
    name: 'views',
    route: 'views',
    path: 'views',
    ready: (page) => page.getByText('house-view'),
    offers: button('Add a view'),
    form: (page) => {
      const name = unique('typed');
      return formOf(
        page,
        { Name: name, 'Search text': 'typed and kept' },
        {
          open: () => page.getByRole('button', { name: 'Add a view' }).click(),
          within: dialog(page),
          button: 'Save',
          done: page.getByText(`${name} is saved.`),
        },
      );
    },
  },
  {
    name: 'picker',
    route: 'picker',
    path: 'picker',
    ready: (page) => page.getByText(/^You may use/),
  },
  {
    name: 'access',
    route: 'access',
    path: 'access',
    ready: (page) => page.getByRole('table', { name: 'Rules' }).or(page.getByText('No rules yet')),
    offers: button('Add a rule'),
    form: (page) =>
      formOf(
        page,
        { 'Name of the group': unique('typed'), Model: 'ollama/showcase' },
        {
          open: () => page.getByRole('button', { name: 'Add a rule' }).click(),
          within: dialog(page),
          button: 'Add',
          done: page.getByText('The rule is added.'),
        },
      ),
  },
  {
    name: 'members',
    route: 'members',
    path: 'members',
    ready: button('Add a member'),
    offers: button('Add a member'),
    form: (page) => {
      const subject = unique('typed');
      return formOf(
        page,
        { 'User name': subject },
        {
          open: () => page.getByRole('button', { name: 'Add a member' }).click(),
          within: dialog(page),
          button: 'Save',
          done: page.getByText(`${subject} is saved.`),
        },
      );
    },
  },
  {
    name: 'tokens',
    route: 'tokens',
    path: 'tokens',
    ready: button('Make a token'),
    offers: button('Make a token'),
    form: (page) => {
      const name = unique('typed');
      return formOf(
        page,
        { Name: name },
        {
          open: () => page.getByRole('button', { name: 'Make a token' }).click(),
          within: dialog(page),
          button: 'Make a token',
          done: page.getByRole('heading', { name: `The token ${name}` }),
        },
      );
    },
  },
  {
    name: 'audit',
    route: 'audit',
    path: 'audit',
    ready: (page) => page.getByRole('table', { name: 'Audit trail' }),
    form: (page) => {
      const action = page.getByLabel('Action', { exact: true });
      const send = () => page.getByRole('button', { name: 'Apply' }).click();
      let typed = unique('typed');
      return {
        fill: () => action.fill(typed),
        kept: () => expect(action).toHaveValue(typed),
        send,
        // The same filter again would ask nothing.
        sendAgain: async () => {
          typed = unique('typed');
          await action.fill(typed);
          await send();
        },
        waiting: page.getByRole('status', { name: 'Loading…' }),
        done: page.getByText('No entry matches'),
      };
    },
  },
  {
    name: 'settings',
    route: 'settings',
    path: 'settings',
    ready: (page) => page.getByLabel('Name', { exact: true }),
    offers: button('Save'),
    form: (page) =>
      formOf(page, { Name: unique('Acme') }, { button: 'Save', done: page.getByText('The settings are saved.') }),
  },
];

/** The addresses of src/routes.tsx. */
export function routes(): string[] {
  const source = readFileSync(new URL('../src/routes.tsx', import.meta.url), 'utf8');
  return [...source.matchAll(/^ {4}path: '([^']+)',$/gm)].map((found) => found[1] ?? '');
}

/** The permission of each address. */
export function permissions(): Map<string, string> {
  const source = readFileSync(new URL('../src/routes.tsx', import.meta.url), 'utf8');
  return new Map(
    [...source.matchAll(/^ {4}path: '([^']+)',$[^}]*?^ {4}permission: '([^']+)',$/gms)].map((found) => [
      found[1] ?? '',
      found[2] ?? '',
    ]),
  );
}
