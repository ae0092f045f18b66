// How the page loads, as Lighthouse would look at it: largest paint, moves of the layout, time in which the page does not
// answer, bytes, and what axe finds.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

import { expect, test } from '@playwright/test';
import type { AxeResults } from 'axe-core';

import { keep, spread } from './figures';

const group = 'Loading';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rounds = 5;

interface Load {
  largest: number;
  shift: number;
  blocked: number;
  bytes: number;
  requests: number;
}

for (const path of ['overview', 'models'])
  test(`loading ${path}`, async ({ browser, baseURL }) => {
    const loads: Load[] = [];
    let faults = 0;
    const errors: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const context = await browser.newContext({ baseURL: baseURL ?? '' });
      const page = await context.newPage();
      page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      await page.request.post('/v1/session:dev', { data: { user: 'measurer', org: 'acme', role: 'org_admin' } });
      await page.addInitScript(() => {
        const load = { largest: 0, shift: 0, blocked: 0, bytes: 0, requests: 0 };
        Object.assign(window, { load });
        const watch = (type: string, take: (entry: PerformanceEntry) => void) =>
          new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
        watch('largest-contentful-paint', (entry) => (load.largest = entry.startTime));
        watch('layout-shift', (entry) => (load.shift += (entry as unknown as { value: number }).value));
        watch('longtask', (entry) => (load.blocked += Math.max(0, entry.duration - 50)));
      });
      await page.goto(`/ui/orgs/acme/${path}`);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await page.waitForLoadState('networkidle');
      loads.push(
        await page.evaluate(() => {
          const { load } = window as unknown as { load: Load };
          const sent = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
          load.requests = sent.length;
          load.bytes = sent.reduce((sum, entry) => sum + entry.encodedBodySize, 0);
          return load;
        }),
      );
      if (round === 0) {
        await page.evaluate(axe);
        const found = await page.evaluate(() =>
          (window as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
        );
        expect(found.passes.length).toBeGreaterThan(10);
        faults = found.violations.length;
      }
      await context.close();
    }
    const of = (take: (load: Load) => number) => loads.map(take);
    const shift = Math.max(...of((load) => load.shift));
    keep(
      {
        group,
        name: `${path}: largest contentful paint`,
        value: spread(of((load) => load.largest)),
        budget: '< 2,500 ms',
      },
      { group, name: `${path}: total blocking time`, value: spread(of((load) => load.blocked)), budget: '< 200 ms' },
      { group, name: `${path}: cumulative layout shift`, value: shift.toFixed(3), budget: '< 0.1' },
      {
        group,
        name: `${path}: transferred`,
        value: `${spread(
          of((load) => load.bytes / 1024),
          'KiB',
        )} in ${loads[0]?.requests} requests`,
      },
      { group, name: `${path}: rules that axe finds broken`, value: String(faults), budget: '0' },
      { group, name: `${path}: errors in the console`, value: String(errors.length), budget: '0' },
    );
  });
