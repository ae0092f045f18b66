// How the page loads, as Lighthouse would look at it: largest paint, moves of the layout, time in which the page does not
// answer, bytes, and what axe finds.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

import { expect, test } from '@playwright/test';
import type { AxeResults } from 'axe-core';

import { keep, median, performanceScore, spread } from './figures';

const group = 'Loading';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rounds = 5;

interface Load {
  firstPaint: number;
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
    let rules = 0;
    let practices: Record<string, boolean> = {};
    const errors: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const context = await browser.newContext({ baseURL: baseURL ?? '' });
      const page = await context.newPage();
      const hosts = new Set<string>();
      page.on('request', (request) => hosts.add(new URL(request.url()).host));
      page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      await page.request.post('/v1/session:dev', { data: { user: 'measurer', org: 'acme', role: 'org_admin' } });
      await page.addInitScript(() => {
        const load = { firstPaint: 0, largest: 0, shift: 0, blocked: 0, bytes: 0, requests: 0 };
        Object.assign(window, { load });
        const watch = (type: string, take: (entry: PerformanceEntry) => void) =>
          new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
        watch('paint', (entry) => {
          if (entry.name === 'first-contentful-paint') load.firstPaint = entry.startTime;
        });
        watch('largest-contentful-paint', (entry) => (load.largest = entry.startTime));
        watch('layout-shift', (entry) => (load.shift += (entry as unknown as { value: number }).value));
        watch('longtask', (entry) => (load.blocked += Math.max(0, entry.duration - 50)));
      });
      const reply = await page.goto(`/ui/orgs/acme/${path}`);
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
        rules = faults + found.passes.length;
        const sent = (await reply?.allHeaders()) ?? {};
        practices = {
          'one host': hosts.size === 1,
          'no inline script': /script-src 'self'(;|$)/.test(sent['content-security-policy'] ?? ''),
          'types are not guessed': sent['x-content-type-options'] === 'nosniff',
          ...(await page.evaluate(() => ({
            doctype: document.compatMode === 'CSS1Compat',
            language: document.documentElement.lang !== '',
            title: document.title !== '',
            'fits the window': document.querySelector('meta[name=viewport]') !== null,
            'images have a size': [...document.images].every((image) => image.width > 0 && image.height > 0),
          }))),
        };
      }
      await context.close();
    }
    const of = (take: (load: Load) => number) => loads.map(take);
    const shift = Math.max(...of((load) => load.shift));
    const kept = { 'no error in the console': errors.length === 0, ...practices };
    const broken = Object.entries(kept).flatMap(([name, holds]) => (holds ? [] : [name]));
    const score = performanceScore({
      firstPaint: median(of((load) => load.firstPaint)),
      largest: median(of((load) => load.largest)),
      blocked: median(of((load) => load.blocked)),
      shift,
    });
    keep(
      {
        group,
        name: `${path}: performance, by Lighthouse’s curves for desktops`,
        value: `${score} of 100`,
        budget: '≥ 90',
      },
      {
        group,
        name: `${path}: accessibility, rules of axe that hold`,
        value: `${rules - faults} of ${rules}`,
        budget: 'all',
      },
      {
        group,
        name: `${path}: best practices that hold`,
        value: `${Object.keys(kept).length - broken.length} of ${Object.keys(kept).length}${broken.length > 0 ? ` (not: ${broken.join(', ')})` : ''}`,
        budget: 'all',
      },
    );
    keep(
      {
        group,
        name: `${path}: first contentful paint`,
        value: spread(of((load) => load.firstPaint)),
        budget: '< 1,800 ms',
      },
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
    );
  });
