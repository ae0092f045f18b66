// Pictures of every page, light and dark, wide and 320 px, for docs/screenshots. The models are few and have names that mean
// something.
import { everyPage, furnish } from '../e2e/everyPage';
import { expect, org, test } from '../e2e/world';

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

test.describe.configure({ mode: 'default' });

for (const scheme of ['light', 'dark'] as const)
  for (const width of [1280, 320])
    test(`${scheme}, ${width} px`, async ({ person: page, api }) => {
      await furnish(api);
      for (const [name, fields] of Object.entries(models))
        await api.call('PUT', `/v1/orgs/${org}/models/${encodeURIComponent(`ollama/${name}`)}`, fields);
      await api.call('PUT', `/v1/orgs/${org}/defaults`, { kind: 'generation', model: 'ollama/showcase' });
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
        await take(name);
      }
      await page.context().clearCookies();
      await page.goto('/ui/');
      await expect(page.getByLabel('User name')).toBeVisible();
      await take('login');
    });
