// Readers with another language, and readers without a mouse.
import type { Locator, Page } from '@playwright/test';

import { expect, org, test, unique } from './world';

/** Presses Tab until it has the focus. */
async function tabTo(page: Page, target: Locator) {
  for (let i = 0; i < 100; i++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  await expect(target).toBeFocused();
}

test('a model is found, edited and saved with the keyboard alone', async ({ person: page, api }) => {
  const name = unique('keys');
  const { slug } = await api.model({ modelName: name });
  await page.goto(`/ui/orgs/${org}/models`);
  const grid = page.getByRole('grid', { name: 'Models' });
  await tabTo(page, page.getByRole('searchbox', { name: 'Search models' }));
  await page.keyboard.type(name);
  await expect(page.getByRole('row').filter({ hasText: name })).toHaveCount(1);
  await tabTo(page, grid);
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  const description = page.getByRole('textbox', { name: 'Description' });
  await expect(description).toBeVisible();
  await tabTo(page, description);
  await page.keyboard.type('Typed');
  const limits = page.getByRole('tab', { name: 'Limits' });
  await tabTo(page, page.getByRole('tab', { name: 'Overview' }));
  while (!(await limits.evaluate((element) => element === document.activeElement)))
    await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('spinbutton', { name: 'Context window' }));
  await page.keyboard.type('8192');
  await tabTo(page, page.getByRole('button', { name: 'Save' }));
  await page.keyboard.press('Enter');
  await expect(page.getByText(/ is saved\.$/)).toBeVisible();
  expect(await api.read(slug)).toMatchObject({ description: 'Typed', contextWindow: 8192 });
  await page.keyboard.press('Escape');
  await expect(page.getByRole('tab', { name: 'Overview' })).toHaveCount(0);
  await expect(grid).toBeFocused();
});

test.describe('in German', () => {
  test.use({ locale: 'de-DE', timezoneId: 'Europe/Berlin' });

  test('numbers, prices and times are written as the reader writes them', async ({ person: page, api }) => {
    const { slug } = await api.model({ modelName: unique('zahlen'), contextWindow: 131072 });
    await api.call('PUT', `/v1/orgs/${org}/models/${encodeURIComponent(slug)}/prices`, {
      prices: [{ dimension: 'input', amount: '0.5' }],
    });
    const at = (tab: string) => `/ui/orgs/${org}/models?model=${encodeURIComponent(slug)}&tab=${tab}`;
    await page.goto(at('pricing'));
    await expect(page.getByRole('tabpanel').getByText(/^0,50\s\$$/)).toBeVisible();
    await page.goto(at('overview'));
    await expect(page.getByRole('tabpanel').getByText(/^\d\d\.\d\d\.\d{4}, \d\d:\d\d$/)).toHaveCount(2);
    await page.goto(`/ui/orgs/${org}/models?q=${slug.split('/')[1] ?? ''}`);
    await expect(page.getByRole('row').filter({ hasText: '131.072' })).toHaveCount(1);
  });
});
