// Every page while the API is stopped, failing, or has ended the session: the page says so, and recovers without a
// reload. The faults are made between the page and the real API.
import type { Page, Route } from '@playwright/test';

import { expect, org, test } from './world';

const pages = [
  'overview',
  'models',
  'models?model=ollama%2Fsim-chat%3A1b',
  'connections',
  'connections/new',
  'credentials',
  'sync',
  'defaults',
  'views',
  'picker',
  'access',
  'members',
  'tokens',
  'audit',
  'settings',
];

const problem = (status: number, code: string) => ({
  status,
  contentType: 'application/problem+json',
  body: JSON.stringify({
    type: `/problems/${code}`,
    code,
    title: 'The server failed',
    status,
    detail: 'The server failed.',
    hint: 'Give the request_id to the operator.',
    retryable: false,
    request_id: 'req-42',
  }),
});

// The data of the pages. Who is logged in was asked before.
const data = /\/v1\/(orgs|models|providers)|\/livez/;

interface Fault {
  name: string;
  make: (route: Route) => Promise<void>;
  seen: (page: Page) => ReturnType<Page['getByText']>;
  heal?: (page: Page) => Promise<void>;
}

const faults: Fault[] = [
  {
    name: 'is stopped',
    make: (route) => route.abort('connectionrefused'),
    seen: (page) => page.getByText('No connection to the server. You see'),
  },
  {
    name: 'answers 500',
    make: (route) => route.fulfill(problem(500, 'INTERNAL')),
    seen: (page) => page.getByText('The server fails to answer some requests.'),
  },
  {
    name: 'has ended the session',
    make: (route) => route.fulfill(problem(401, 'UNAUTHENTICATED')),
    seen: (page) => page.getByRole('dialog', { name: 'Your session has ended' }),
    heal: (page) =>
      page.getByRole('dialog', { name: 'Your session has ended' }).getByRole('button', { name: 'Log in' }).click(),
  },
];

for (const { name, make, seen, heal } of faults)
  test(`each page says that the API ${name}, and recovers without a reload`, async ({ admin }) => {
    test.setTimeout(300_000);
    let failing = true;
    await admin.route(data, (route) => (failing ? make(route) : route.continue()));
    for (const path of pages) {
      await test.step(path, async () => {
        failing = true;
        await admin.goto(`/ui/orgs/${org}/${path}`);
        await expect(seen(admin)).toBeVisible();
        const document = await admin.evaluateHandle(() => window.document);
        failing = false;
        await heal?.(admin);
        await expect(seen(admin)).toHaveCount(0, { timeout: 30_000 });
        // What failed is read again.
        await expect(admin.getByText('req-42')).toHaveCount(0);
        await expect(admin.getByRole('heading').first()).toBeVisible();
        expect(await document.evaluate((before) => before === window.document)).toBe(true);
      });
    }
  });
