// Every page while the API is slow, stopped, failing, or has ended the session: the page says so, recovers without a reload,
// and keeps what was typed. The faults are made between the page and the real API.
import { readFileSync } from 'node:fs';

import type { Locator, Page, Route } from '@playwright/test';

import { everyPage, furnish, routes } from './everyPage';
import { expect, org, test } from './world';

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

/** Answers as the fault says, until it is healed. */
class Server {
  private fault: ((route: Route) => Promise<void>) | null = null;
  private held: (() => void)[] = [];

  async start(page: Page) {
    await page.route(data, (route) => (this.fault ? this.fault(route) : route.continue()));
  }
  readonly stop = () => (this.fault = (route) => route.abort('connectionrefused'));
  readonly fail = () => (this.fault = (route) => route.fulfill(problem(500, 'INTERNAL')));
  readonly forget = () => (this.fault = (route) => route.fulfill(problem(401, 'UNAUTHENTICATED')));
  /** Answers when it is healed: longer than two seconds, as the clock of the page shows. */
  readonly slow = () =>
    (this.fault = async (route) => {
      await new Promise<void>((resolve) => this.held.push(resolve));
      await route.continue();
    });
  heal() {
    this.fault = null;
    for (const release of this.held.splice(0)) release();
  }
}

/** Lets time pass in the page until `condition` holds: pauses between two questions to the server take no time here. */
async function inTime(page: Page, condition: () => Promise<void>) {
  await expect(async () => {
    await page.clock.fastForward(2000);
    await condition();
  }).toPass({ intervals: [50], timeout: 30_000 });
}
const soon = { timeout: 300 };
const seen = (locator: Locator) => expect(locator).toBeVisible(soon);
const gone = (locator: Locator) => expect(locator).toHaveCount(0, soon);

const ended = (page: Page) => page.getByRole('dialog', { name: 'Your session has ended' });
const faults = [
  { name: 'is slow', make: 'slow', seen: (page: Page) => page.getByText('The server is slow.').first() },
  { name: 'is stopped', make: 'stop', seen: (page: Page) => page.getByText('No connection to the server. You see') },
  {
    name: 'answers 500',
    make: 'fail',
    seen: (page: Page) => page.getByText('The server fails to answer some requests.'),
  },
  { name: 'has ended the session', make: 'forget', seen: ended },
] as const;

const logInAgain = (page: Page) => ended(page).getByRole('button', { name: 'Log in' }).click();

test('every page has its row here, and its pictures in the docs', () => {
  expect(new Set(everyPage.map((page) => page.route))).toEqual(new Set(routes()));
  const docs = readFileSync(new URL('../../docs/web-page.md', import.meta.url), 'utf8');
  const shown = ['light-1280', 'dark-1280', 'light-320', 'dark-320'].flatMap((how) =>
    ['login', ...everyPage.map((page) => page.name)].map((name) => `screenshots/${name}-${how}.jpg`),
  );
  expect(shown.filter((picture) => !docs.includes(picture))).toEqual([]);
});

test.beforeEach(async ({ page, api }) => {
  await furnish(api);
  await page.clock.install();
  // As the person who is logged in already.
  await page.addInitScript(
    ([user, id]) => localStorage.setItem('tokenrail.devLogin', JSON.stringify({ user, org: id, role: 'org_admin' })),
    ['alice', org],
  );
});

for (const { name, path, ready, form } of everyPage.filter((page) => !page.sameData))
  test(`${name} says what is wrong with the API, recovers, and keeps what was typed`, async ({
    person: page,
    context,
  }) => {
    const server = new Server();
    await server.start(page);
    for (const fault of faults)
      await test.step(`the API ${fault.name}`, async () => {
        server[fault.make]();
        await page.goto(`/ui/orgs/${org}/${path}`);
        await inTime(page, () => seen(fault.seen(page)));
        const document = await page.evaluateHandle(() => window.document);
        server.heal();
        if (fault.make === 'forget') await logInAgain(page);
        await inTime(page, () => gone(fault.seen(page)));
        // What failed is read again.
        await inTime(page, () => seen(ready(page)));
        await expect(page.getByText('req-42')).toHaveCount(0);
        expect(await document.evaluate((before) => before === window.document)).toBe(true);
      });
    if (!form) return;
    const { fill, kept, send, waiting, done, sendAgain } = form(page);
    await fill();
    let sendNow = send;
    const failing = async (how: () => unknown, what: Locator, heal: () => Promise<void>, banner = what) => {
      await how();
      await sendNow();
      await expect(what.first()).toBeVisible();
      await heal();
      await inTime(page, () => gone(banner));
      await kept();
      sendNow = sendAgain ?? send;
    };
    const healed = async () => server.heal();
    const [, stopped, failed] = faults.map((fault) => fault.seen(page));
    await test.step('what is sent finds the API stopped', () =>
      failing(server.stop, page.getByText('The server cannot be reached'), healed, stopped));
    await test.step('what is sent is answered with 500', () =>
      failing(server.fail, page.getByText('Request req-42'), healed, failed));
    await test.step('the session has ended', () =>
      failing(
        () => context.clearCookies(),
        ended(page),
        () => logInAgain(page),
      ));
    await test.step('what is sent is answered slowly', async () => {
      server.slow();
      await sendNow();
      await expect(waiting.first()).toBeVisible();
      server.heal();
      await expect(done.first()).toBeVisible();
    });
  });
