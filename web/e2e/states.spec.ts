import { expect, org, test } from './world';

// The organisation of this browser: the other one runs its tests in another.
const models = `**/v1/orgs/${org}/models?**`;

test('a server that fails is named, and the page recovers by itself', async ({ admin, api }) => {
  await api.model();
  let failing = true;
  await admin.route('**/v1/**', (route) =>
    failing
      ? route.fulfill({
          status: 500,
          contentType: 'application/problem+json',
          body: '{"code":"INTERNAL","title":"The server failed","status":500,"detail":"The server failed.","hint":"Give the request_id to the operator.","retryable":false,"request_id":"req-42"}',
        })
      : route.continue(),
  );
  // A page that is not cached yet.
  await admin.getByRole('link', { name: 'Model picker' }).click();
  await expect(admin.getByText('Request req-42')).toBeVisible();
  await expect(admin.getByText('The server fails to answer some requests.')).toBeVisible();
  failing = false;
  await expect(admin.getByText(/^You may use/)).toBeVisible();
});

test('without a connection the page shows what it has, and says so', async ({ admin, api, context }) => {
  const { slug } = await api.model();
  const name = slug.split('/')[1] ?? '';
  await admin.goto(`/ui/orgs/${org}/models?q=${name}`);
  const row = admin.getByRole('row').filter({ hasText: name });
  await expect(row).toBeVisible();
  await context.setOffline(true);
  await admin.getByRole('button', { name: 'Refresh' }).click();
  await expect(admin.getByText('No connection to the server.')).toBeVisible();
  await expect(row).toBeVisible();
  await context.setOffline(false);
  await expect(admin.getByText('No connection to the server.')).toHaveCount(0);
});

test('a slow server is explained while rows are awaited', async ({ admin }) => {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  await admin.route(models, async (route) => {
    await released;
    await route.continue();
  });
  await admin.goto(`/ui/orgs/${org}/models`);
  await expect(admin.getByText('The server is slow.')).toBeVisible();
  release();
  await expect(admin.getByRole('grid', { name: 'Models' })).toBeVisible();
});

test('a session that ends loses nothing that was typed', async ({ admin, api, context }) => {
  const { slug } = await api.model();
  await admin.goto(`/ui/orgs/${org}/models?model=${encodeURIComponent(slug)}`);
  await admin.getByRole('textbox', { name: 'Description' }).fill('Typed before the session ended');
  await context.clearCookies();
  await admin.getByRole('button', { name: 'Save' }).click();
  const dialog = admin.getByRole('dialog', { name: 'Your session has ended' });
  await dialog.getByRole('button', { name: 'Log in' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(admin.getByRole('textbox', { name: 'Description' })).toHaveValue('Typed before the session ended');
  await admin.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => api.read(slug)).toMatchObject({ description: 'Typed before the session ended' });
});

test('a failed save keeps the form and names the wrong field', async ({ admin, api }) => {
  const { slug } = await api.model();
  await admin.goto(`/ui/orgs/${org}/models?model=${encodeURIComponent(slug)}&tab=limits`);
  await admin.getByRole('spinbutton', { name: 'Context window' }).fill('-5');
  await admin.getByRole('button', { name: 'Save' }).click();
  await expect(admin.getByText('/contextWindow', { exact: true })).toBeVisible();
  await expect(admin.getByRole('spinbutton', { name: 'Context window' })).toHaveValue('-5');
});
