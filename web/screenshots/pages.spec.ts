// Pictures of every page, light and dark, wide and 320 px, for docs/screenshots. The models are few and have names that mean
// something.
import type { Page } from '@playwright/test';

import { everyPage, furnish } from '../e2e/everyPage';
import { type Api, expect, org, test } from '../e2e/world';

const folder = process.env.WEB_SCREENSHOTS ?? 'test-results/screenshots';

const models: Record<string, object> = {
  'long-reader': {
    displayName: 'Long reader',
    enabled: true,
    contextWindow: 1048576,
    capabilities: { chat: 'supported' },
  },
  'vectors-small': {
    displayName: 'Small vectors',
    kind: 'embedding',
    enabled: true,
    embeddingDimensions: 768,
    capabilities: { embedding: 'supported' },
  },
  'old-chat': { displayName: 'Old chat', enabled: false, lifecycle: 'deprecated', capabilities: { chat: 'supported' } },
};

/** People, keys and rules, and a sync that failed: what the pages are for. The same for each of the pictures. */
async function settle(api: Api) {
  const at = (path: string) => `/v1/orgs/${org}/${path}`;
  const list = async (path: string) => (await api.call<{ data: unknown[] }>('GET', at(path))).data;
  for (const [subject, displayName, role] of [
    ['anna', 'Anna Berg', 'org_admin'],
    ['bo', 'Bo Lind', 'model_admin'],
    ['carl', 'Carl Ek', 'viewer'],
  ])
    await api.call('PUT', at('members'), { issuer: 'https://login.example.org', subject, displayName, role });
  if ((await list('credentials')).length === 0)
    await api.call('POST', at('credentials'), {
      provider: 'openai',
      label: 'production',
      secret: 'sk-of-a-picture-7Qx2',
      headers: { 'X-Project': 'pictures' },
      expiresInDays: 90,
    });
  if ((await list('tokens')).length === 0)
    await api.call('POST', at('tokens'), { name: 'billing', role: 'viewer', expiresInDays: 90 });
  if ((await list('grants')).length === 0)
    await api.call('POST', at('grants'), {
      subjectKind: 'group',
      subject: 'interns',
      objectKind: 'model',
      object: 'ollama/long-reader',
      effect: 'deny',
    });
  await api.call('PUT', at('aliases/fast'), {
    description: 'An A/B set',
    targets: [
      { model: 'ollama/showcase', weight: 3 },
      { model: 'ollama/long-reader', weight: 1 },
    ],
  });
  if ((await list('sync-runs')).length === 0) {
    await api.call('POST', at('connections/house:test'), {});
    await api.call('POST', at('connections'), { provider: 'ollama', name: 'lab', baseUrl: 'http://127.0.0.1:9' });
    await api.call('POST', at('connections/lab:sync'), {});
    await expect.poll(() => list('sync-runs'), { timeout: 60_000 }).not.toHaveLength(0);
  }
}

/** An answer, as an administrator sees it before others do. */
async function ask(page: Page) {
  await page.getByRole('combobox', { name: 'Model' }).click();
  await page.getByRole('option').filter({ hasText: 'ollama/sim-chat' }).click();
  await page.getByLabel('Your message').fill('Which model are you?');
  await page.keyboard.press('Enter');
  await expect(page.getByText(/ in all/)).toBeVisible();
}

test.describe.configure({ mode: 'default' });

for (const scheme of ['light', 'dark'] as const)
  for (const width of [1280, 320])
    test(`${scheme}, ${width} px`, async ({ person: page, api }) => {
      await furnish(api);
      for (const [name, fields] of Object.entries(models))
        await api.call('PUT', `/v1/orgs/${org}/models/${encodeURIComponent(`ollama/${name}`)}`, fields);
      await api.call('PUT', `/v1/orgs/${org}/defaults`, { kind: 'generation', model: 'ollama/showcase' });
      await settle(api);
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 800 });
      const take = async (name: string) => {
        await expect(page.getByRole('status', { name: 'Loading…' })).toHaveCount(0);
        await page.waitForLoadState('networkidle');
        await page.screenshot({ path: `${folder}/${name}-${scheme}-${width}.jpg`, type: 'jpeg', quality: 60 });
      };
      for (const { name, path, ready } of everyPage) {
        await page.goto(`/ui/orgs/${org}/${path}`);
        await expect(ready(page)).toBeVisible();
        if (name === 'playground') await ask(page);
        await take(name);
      }
      await page.context().clearCookies();
      await page.goto('/ui/');
      await expect(page.getByLabel('User name')).toBeVisible();
      await take('login');
    });
