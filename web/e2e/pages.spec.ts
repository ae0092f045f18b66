// Each page in both themes, wide and narrow: no violation of accessibility rules, nothing wider than the window, and a
// screenshot.
import { createRequire } from 'node:module';

import type { Page } from '@playwright/test';
import type { AxeResults } from 'axe-core';

import { expect, logIn, org, test } from './world';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const shots = `${process.env.WEB_RESULTS ?? 'test-results'}/screenshots`;

const views = {
  models: { path: 'models', ready: (page: Page) => page.getByRole('grid') },
  overview: {
    path: 'models?model=ollama%2Fshowcase',
    ready: (page: Page) => page.getByRole('textbox', { name: 'Display name' }),
  },
  pricing: {
    path: 'models?model=ollama%2Fshowcase&tab=pricing',
    ready: (page: Page) => page.getByRole('tabpanel').locator('> *').first(),
  },
  limits: {
    path: 'models?model=ollama%2Fshowcase&tab=limits',
    ready: (page: Page) => page.getByRole('spinbutton', { name: 'Context window' }),
  },
  capabilities: {
    path: 'models?model=ollama%2Fshowcase&tab=capabilities',
    ready: (page: Page) => page.getByText('Vision', { exact: true }).last(),
  },
  access: { path: 'models?model=ollama%2Fshowcase&tab=access', ready: (page: Page) => page.getByText('Access rules') },
  history: {
    path: 'models?model=ollama%2Fshowcase&tab=history',
    ready: (page: Page) => page.getByRole('button', { name: / by / }).first(),
  },
  usage: {
    path: 'models?model=ollama%2Fshowcase&tab=usage',
    ready: (page: Page) => page.getByText('Used by', { exact: true }),
  },
  explain: {
    path: 'models?model=ollama%2Fshowcase&tab=explain',
    ready: (page: Page) => page.getByRole('tabpanel').getByRole('alert').first(),
  },
  raw: { path: 'models?model=ollama%2Fshowcase&tab=raw', ready: (page: Page) => page.getByText('"slug"') },
  playground: { path: 'playground', ready: (page: Page) => page.getByLabel('Your message') },
  picker: { path: 'picker', ready: (page: Page) => page.getByText(/^You may use/) },
};

async function violations(page: Page): Promise<string[]> {
  // Injected as the page's own file would be: the policy refuses scripts from elsewhere.
  const { readFileSync } = await import('node:fs');
  await page.evaluate(readFileSync(axePath, 'utf8'));
  const found = await page.evaluate(async () => {
    const axe = (window as unknown as { axe: { run: (options: unknown) => Promise<AxeResults> } }).axe;
    return axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
  });
  // Rules that find nothing to look at would pass too.
  expect(found.passes.length).toBeGreaterThan(10);
  return found.violations.flatMap((v) =>
    v.nodes.map((node) => `${v.id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`),
  );
}

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [1280, 320]) {
    test(`pages are accessible, ${scheme}, ${width} px`, async ({ page, api }) => {
      test.setTimeout(180_000);
      await api.call('PUT', `/v1/orgs/${org}/models/${encodeURIComponent('ollama/showcase')}`, {
        displayName: 'Showcase',
        description: 'For screenshots.',
        enabled: true,
        contextWindow: 131072,
        outputTokensMax: 8192,
        capabilities: { chat: 'supported', vision: 'unsupported', tools: 'supported' },
        tags: ['fast', 'eu'],
      });
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 800 });
      await page.goto('/ui/');
      await expect(page.getByLabel('User name')).toBeVisible();
      const found: string[] = [];
      const look = async (name: string) => {
        await page.screenshot({ path: `${shots}/${name}-${scheme}-${width}.png` });
        found.push(...(await violations(page)).map((text) => `${name}: ${text}`));
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (overflow > 0) found.push(`${name}: ${overflow} px wider than the window`);
      };
      await look('login');
      await logIn(page, 'Organisation admin');
      for (const [name, view] of Object.entries(views)) {
        await page.goto(`/ui/orgs/${org}/${view.path}`);
        await expect(view.ready(page)).toBeVisible();
        await look(name);
      }
      expect(found).toEqual([]);
    });
  }
}
