// The first visit of an administrator: from the login that the page proposes to an organisation, an answer of a model of its own,
// and its traces in the audit trail. Nothing is made beside the page.
// Clicks are counted: a page that asks for one more must change the number here, and in docs/web-page.md. The time that the
// page takes to open is printed. No test judges it, because other programs of the machine change it.
import type { Locator } from '@playwright/test';

import { expect, test, unique } from './world';

test('a new administrator connects a provider, enables models and asks one in 22 clicks', async ({ page }) => {
  const own = unique('fresh');
  let clicks = 0;
  const click = async (target: Locator) => {
    clicks++;
    await target.click();
  };
  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });

  const begun = performance.now();
  await page.goto('/ui/');
  await expect(page.getByLabel('User name')).toHaveValue('admin');
  console.log(`The page could be used ${Math.round(performance.now() - begun)} ms after its address was entered.`);
  await click(button('Log in'));

  await test.step('an organisation is added', async () => {
    await click(button(/^Organisation: /));
    await click(page.getByRole('menuitem', { name: 'Add an organisation' }));
    await page.getByLabel('Name', { exact: true }).fill(own);
    await click(button('Add'));
    await expect(page).toHaveURL(new RegExp(`/ui/orgs/${own}/overview$`));
  });

  await test.step('the page lists the models of the platform', async () => {
    await click(page.getByRole('navigation').getByRole('link', { name: 'Models', exact: true }));
    await expect(page.getByRole('row').filter({ hasText: 'ollama:' }).first()).toBeVisible();
  });

  await test.step('a provider with a key is added and tested', async () => {
    await click(page.getByRole('link', { name: 'Connections', exact: true }));
    await click(page.getByRole('link', { name: 'Add a connection' }));
    await click(button(/^Anything/));
    await click(button(/^OpenAI-compatible/));
    await page.getByLabel('Base URL').fill(`${process.env.WEB_SIMULATOR}/v1`);
    await click(page.getByRole('combobox', { name: 'How the key is sent' }));
    await click(page.getByRole('option', { name: 'Bearer token' }));
    await page.getByLabel('API key').fill('sk-first-visit');
    await click(button('Next'));
    await click(button('Test'));
    await expect(page.getByText(/^The connection works/)).toBeVisible();
    await click(button('Save the connection'));
  });

  await test.step('two of its models are enabled, and one is the default', async () => {
    const boxes = page.getByRole('main').getByRole('checkbox');
    // registry-sync looks for requests every few seconds, and then asks the provider.
    await expect(boxes).not.toHaveCount(0, { timeout: 90_000 });
    for (const box of (await boxes.all()).slice(0, 2)) await click(box);
    await click(button('Enable 2 models'));
    await click(page.getByRole('combobox', { name: 'Generation' }));
    await click(page.getByRole('option').nth(1));
    await click(button('Finish'));
    await expect(page.getByText('The connection is set up.')).toBeVisible();
  });

  await test.step('the default answers in the playground', async () => {
    await click(page.getByRole('link', { name: 'Playground' }));
    await page.getByLabel('Your message').fill('Who answers?');
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('answer')).not.toBeEmpty();
    await expect(page.getByText(/openai-compatible\/.* in all/)).toBeVisible();
  });

  await test.step('the audit trail has both changes', async () => {
    await click(page.getByRole('link', { name: 'Audit' }));
    const trail = page.getByRole('table', { name: 'Audit trail' });
    await expect(trail.getByRole('row').filter({ hasText: 'model.changed' })).toHaveCount(2);
    await expect(trail.getByRole('row').filter({ hasText: /default\./ })).toHaveCount(1);
  });
  expect(clicks).toBe(22);
});
