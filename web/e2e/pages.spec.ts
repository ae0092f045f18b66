// Each page in both themes, wide and narrow: no violation of accessibility rules, nothing wider than the window, and a
// screenshot.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { Page } from '@playwright/test';
import type { AxeResults } from 'axe-core';

import { everyPage, furnish } from './everyPage';
import { expect, org, test } from './world';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const shots = `${process.env.WEB_RESULTS ?? 'test-results'}/screenshots`;
const schemes = ['light', 'dark'] as const;
const widths = [1280, 320];

const allRules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** What a theme changes. */
const rulesOfColours = ['color-contrast', 'link-in-text-block'];

async function violations(page: Page, scheme: string): Promise<string[]> {
  const runOnly = scheme === 'light' ? { type: 'tag', values: allRules } : { type: 'rule', values: rulesOfColours };
  const found = await page.evaluate(async (rules) => {
    const { axe } = window as unknown as { axe: { run: (options: unknown) => Promise<AxeResults> } };
    return axe.run({ runOnly: rules, resultTypes: ['violations'] });
  }, runOnly);
  // Rules that find nothing to look at would pass too.
  expect(found.passes.length).toBeGreaterThan(scheme === 'light' ? 10 : 0);
  return found.violations.flatMap((v) =>
    v.nodes.map((node) => `${v.id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`),
  );
}

/** Two frames after the change, and when what moves or fades has come to rest. */
async function painted() {
  await new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
  const ending = document.getAnimations().filter((each) => each.effect?.getComputedTiming().endTime !== Infinity);
  await Promise.allSettled(ending.map((each) => each.finished));
}

/** `open` loads the page: once for each width, in the light theme, which the dark one follows without a reload. */
async function look(page: Page, name: string, open: () => Promise<void>) {
  const found: string[] = [];
  for (const width of widths) {
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 800 });
    await open();
    // Injected as the page's own file would be: the policy refuses scripts from elsewhere.
    await page.evaluate(axe);
    for (const scheme of schemes) {
      const where = `${name}-${scheme}-${width}`;
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await expect(page.locator('html')).toHaveAttribute('data-scheme', scheme);
      await page.evaluate(painted);
      await page.screenshot({ path: `${shots}/${where}.jpg`, type: 'jpeg', quality: 60 });
      found.push(...(await violations(page, scheme)).map((text) => `${where}: ${text}`));
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (overflow > 0) found.push(`${where}: ${overflow} px wider than the window`);
    }
  }
  expect(found).toEqual([]);
}

test('login is accessible in both themes, wide and narrow', ({ page }) =>
  look(page, 'login', async () => {
    await page.goto('/ui/');
    await expect(page.getByLabel('User name')).toBeVisible();
  }));

for (const { name, path, ready } of everyPage)
  test(`${name} is accessible in both themes, wide and narrow`, async ({ person: page, api }) => {
    await furnish(api);
    await look(page, name, async () => {
      await page.goto(`/ui/orgs/${org}/${path}`);
      await expect(ready(page)).toBeVisible();
      await expect(page.getByRole('status', { name: 'Loading…' })).toHaveCount(0);
    });
  });
