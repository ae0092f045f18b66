// A sync that a person asks for, and what it holds until someone decides.
import type { Page } from '@playwright/test';

import { connect, synced } from './provider';
import { expect, test, unique } from './world';

test('a sync shows that it reads, on every page of it, and then what it found', async ({
  page,
  api,
  own,
  provider,
}) => {
  const name = unique('read');
  provider.models = [{ id: 'first' }, { id: 'second' }];
  await synced(api, own, await connect(api, own, provider, { name }));
  provider.models.push({ id: 'third' });
  provider.hold();
  await page.goto(`/ui/orgs/${own}/sync`);
  const runs = page.getByRole('table', { name: 'Runs' }).getByRole('row');
  await expect(runs.nth(1)).toContainText('2 listed');
  await page.getByRole('button', { name: 'Sync now' }).click();
  const running = page.getByRole('status').filter({ hasText: `Reading the models of ${name}…` });
  await expect(running).toBeVisible();
  await expect(page.getByRole('progressbar', { name: `Reading the models of ${name}…` })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Sync now' })).toBeDisabled();
  await expect.poll(() => provider.held).toBeGreaterThan(0);
  // It goes on while the person looks elsewhere.
  await page.getByRole('link', { name: 'Connections', exact: true }).click();
  await expect(running).toBeVisible();
  provider.release();
  await expect(page.getByText(new RegExp(`${name} is in sync. 3 listed, 1 added`))).toBeVisible();
  await expect(running).toHaveCount(0);
  await page.getByRole('link', { name: 'Sync', exact: true }).click();
  await expect(runs.nth(1)).toContainText('3 listed, 1 added');
  await expect(runs.nth(1)).toContainText('A person');
});

const held = (page: Page, model: string) =>
  page.locator('.MuiPaper-root').filter({ has: page.getByRole('heading', { name: new RegExp(`/${model} · `) }) });

test('a held change says why, and is accepted or rejected', async ({ page, api, own, provider }) => {
  const name = unique('held');
  const list = (size: number) => ['kept', 'shrunk'].map((id) => ({ id, max_model_len: size }));
  provider.models = list(8192);
  const connection = await connect(api, own, provider, { name });
  await synced(api, own, connection);
  provider.models = list(1024);
  await synced(api, own, connection);
  const context = async (model: string) =>
    (
      await api.call<{ contextWindow: number }>(
        'GET',
        `/v1/orgs/${own}/models/${encodeURIComponent(`openai-compatible/${model}`)}`,
      )
    ).contextWindow;
  expect([await context('kept'), await context('shrunk')]).toEqual([8192, 8192]);

  await page.goto(`/ui/orgs/${own}/sync`);
  const kept = held(page, 'kept');
  await expect(kept).toContainText(name);
  await expect(kept).toContainText(/shrink/);
  await expect(kept.getByRole('row').filter({ hasText: 'contextWindow' })).toContainText(/8192.*1024/);
  await kept.getByRole('button', { name: 'Reject' }).click();
  const reject = page.getByRole('dialog', { name: 'Reject this change?' });
  await reject.getByLabel('Reason (optional)').fill('The provider is wrong');
  await reject.getByRole('button', { name: 'Reject' }).click();
  await expect(page.getByText('The change is rejected.')).toBeVisible();
  await expect(kept).toHaveCount(0);

  await held(page, 'shrunk').getByRole('button', { name: 'Accept' }).click();
  const accept = page.getByRole('dialog', { name: 'Accept this change?' });
  await accept.getByRole('button', { name: 'Accept' }).click();
  await expect(page.getByText('The change is applied.')).toBeVisible();
  await expect(page.getByText('Nothing is held.')).toBeVisible();
  await expect.poll(() => context('shrunk')).toBe(1024);

  // The next list says the same, and no person is asked again.
  await synced(api, own, connection);
  expect([await context('kept'), await context('shrunk')]).toEqual([8192, 1024]);
  const { data } = await api.call<{ data: unknown[] }>('GET', `/v1/orgs/${own}/held-changes`);
  expect(data).toEqual([]);
});
