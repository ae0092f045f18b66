// The API is really stopped and started again, in an own process of the test.
import { expect, test } from './world';

test('the API is stopped and started again: the page recovers without a reload, and nothing typed is lost', async ({
  page,
  api,
  own,
  ownApi,
}) => {
  const server = await ownApi();
  const slug = encodeURIComponent('ollama/typed');
  await api.call('PUT', `/v1/orgs/${own}/models/${slug}`, { enabled: true });
  await page.goto(`${server.url}/ui/orgs/${own}/models?model=${slug}`);
  const field = page.getByRole('textbox', { name: 'Description' });
  await field.fill('Typed before the server was stopped');
  const before = await page.evaluateHandle(() => window.document);
  const away = page.getByText('No connection to the server. You see');

  await server.stop();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('The server cannot be reached').first()).toBeVisible();
  await expect(away).toBeVisible();
  await expect(field).toHaveValue('Typed before the server was stopped');
  // Pages that were not opened yet need their code too.
  await page.getByRole('button', { name: 'Close' }).first().click();
  await page.getByRole('link', { name: 'Audit' }).click();
  await expect(away).toBeVisible();

  await server.start();
  await expect(away).toHaveCount(0);
  await expect(page.getByRole('table', { name: 'Audit trail' })).toBeVisible();
  await page.goBack();
  await page.getByRole('row').filter({ hasText: 'typed' }).click();
  await expect(field).toHaveValue('Typed before the server was stopped');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect
    .poll(() => api.call<{ description: string }>('GET', `/v1/orgs/${own}/models/${slug}`))
    .toMatchObject({ description: 'Typed before the server was stopped' });
  expect(await before.evaluate((document) => document === window.document)).toBe(true);
});
