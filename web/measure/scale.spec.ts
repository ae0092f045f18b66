// The list of models with 10,000 of them: scrolling and filter. tests/web/run.py has put the models into the organisation
// `large`.
import { expect, type Page, test } from '@playwright/test';

import { keep, spread } from './figures';

const group = '10,000 models';
const list = '/ui/orgs/large/models';
const rounds = 3;

async function logIn(page: Page) {
  const login = await page.request.post('/v1/session:dev', {
    data: { user: 'measurer', org: 'large', role: 'org_admin' },
  });
  expect(login.status()).toBe(200);
}

const loaded = (page: Page) =>
  expect(page.getByText('10,000 models', { exact: true })).toBeVisible({ timeout: 200_000 });

test('scrolling', async ({ page }) => {
  await logIn(page);
  await page.goto(list);
  await loaded(page);
  // The frames of the list, and of a page that does nothing: the machine's own.
  const frames = (pixels: number) =>
    page.evaluate(
      ([step, count]) =>
        new Promise<number[]>((resolve) => {
          const scroller = document.querySelector('[role=grid]');
          const times: number[] = [];
          const next = (time: number) => {
            times.push(time);
            if (scroller) scroller.scrollTop += step ?? 0;
            if (times.length < (count ?? 0)) requestAnimationFrame(next);
            else resolve(times.slice(1).map((t, i) => t - (times[i] ?? 0)));
          };
          requestAnimationFrame(next);
        }),
      [pixels, 300],
    );
  const dropped = (deltas: number[]) => deltas.reduce((sum, delta) => sum + Math.round(delta / (1000 / 60)) - 1, 0);
  const idle = await frames(0);
  const slow = await frames(40);
  const fast = await frames(1500);
  const at = await page.evaluate(() => document.querySelector('[role=grid]')?.scrollTop ?? 0);
  expect(at).toBeGreaterThan(300_000);
  // What is scrolled to is there.
  await expect(page.locator('[role=row]').nth(5)).toBeVisible();
  for (const [name, deltas] of Object.entries({ 'at rest': idle, '40 pixels a frame': slow, '25 rows a frame': fast }))
    keep({
      group,
      name: `frames dropped of 300, ${name}`,
      value: `${dropped(deltas)}; longest ${Math.round(Math.max(...deltas))} ms`,
      ...(deltas === idle ? {} : { budget: '60 frames a second' }),
    });
});

test('filter', async ({ page }) => {
  await logIn(page);
  await page.goto(list);
  await loaded(page);
  const box = page.getByRole('searchbox', { name: 'Search models' });
  const status = page.getByText(/ models? of 10,000/);
  // From the key to the frame in which the rows of the new filter are painted.
  await page.evaluate(() => {
    const times: number[] = [];
    Object.assign(window, { times });
    let pressed = 0;
    document.addEventListener('input', (event) => (pressed = event.timeStamp), true);
    const line = [...document.querySelectorAll('[role=status]')].find((e) => e.textContent?.includes('10,000 models'));
    new MutationObserver(() => {
      const since = pressed;
      if (since) requestAnimationFrame(() => setTimeout(() => times.push(performance.now() - since)));
      pressed = 0;
    }).observe(line as Node, { subtree: true, characterData: true, childList: true });
  });
  for (let round = 0; round < rounds; round++) {
    await box.fill('');
    await loaded(page);
    for (const [i, letters] of ['7', '77', '777', '7777'].entries()) {
      await box.press('7');
      await expect(box).toHaveValue(letters);
      await expect(status).toHaveText(/ of 10,000/);
      if (i === 3) await expect(status).toHaveText(/^1 model of 10,000/);
    }
  }
  const times = await page.evaluate(() => (window as unknown as { times: number[] }).times);
  expect(times.length).toBeGreaterThanOrEqual(rounds);
  keep({ group, name: 'filter, from the key to the painted rows', value: spread(times), budget: '< 100 ms' });
});
