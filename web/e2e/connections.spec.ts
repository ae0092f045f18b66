// Connections and their keys, as an administrator changes them.
import type { Page } from '@playwright/test';

import { connect } from './provider';
import { type Api, expect, test, unique } from './world';

interface Stored {
  id: string;
  enabled: boolean;
  priority: number;
  weight: number;
  includeGlobs: string[];
}
const read = (api: Api, org: string, id: string) => api.call<Stored>('GET', `/v1/orgs/${org}/connections/${id}`);

test('a connection is paused and enabled again, in the list and on its page', async ({ page, api, own, provider }) => {
  const name = unique('paused');
  const { id } = await connect(api, own, provider, { name, syncEnabled: false });
  await page.goto(`/ui/orgs/${own}/connections`);
  const row = page.getByRole('row').filter({ hasText: name });
  await row.getByRole('button', { name: `More for ${name}` }).click();
  await page.getByRole('menuitem', { name: 'Pause' }).click();
  await expect(page.getByText(`${name} is paused. Requests no longer use it.`)).toBeVisible();
  await expect(row).toContainText('Paused');
  expect((await read(api, own, id)).enabled).toBe(false);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByText(`${name} is enabled again.`)).toBeVisible();
  await expect(row).not.toContainText('Paused');
  expect((await read(api, own, id)).enabled).toBe(true);
  await row.getByRole('link', { name }).click();
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByText('Paused', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByText('Paused', { exact: true })).toHaveCount(0);
  await expect.poll(async () => (await read(api, own, id)).enabled).toBe(true);
});

test('two people change one connection, and neither loses a change', async ({ page, api, own, provider }) => {
  const name = unique('shared');
  const { id } = await connect(api, own, provider, { name, syncEnabled: false });
  await page.goto(`/ui/orgs/${own}/connections/${name}`);
  await page.getByRole('button', { name: 'Edit' }).click();
  const form = page.getByRole('dialog', { name: `Edit ${name}` });
  await form.getByLabel('Weight', { exact: true }).fill('5');
  await form.getByLabel('Only models that match').fill('mine-*');
  await api.call('PATCH', `/v1/orgs/${own}/connections/${id}`, { priority: 7, weight: 3 });
  await form.getByRole('button', { name: 'Save' }).click();
  const conflict = page.getByRole('dialog', { name: 'Someone else has changed this' });
  const cells = (field: string) => conflict.getByRole('row').filter({ hasText: field }).getByRole('cell');
  await expect(cells('Weight')).toHaveText(['Weight', '3', '5']);
  await expect(cells('Only models that match')).toHaveText(['Only models that match', '—', 'mine-*']);
  // What was not edited here is theirs in both columns.
  await expect(cells('Priority')).toHaveText(['Priority', '7', '7']);
  await conflict.getByRole('button', { name: 'Go on editing' }).click();
  await expect(form.getByLabel('Weight', { exact: true })).toHaveValue('5');
  await form.getByRole('button', { name: 'Save' }).click();
  await conflict.getByRole('button', { name: 'Save mine over it' }).click();
  await expect(page.getByText(`${name} is saved.`)).toBeVisible();
  expect(await read(api, own, id)).toMatchObject({ weight: 5, priority: 7, includeGlobs: ['mine-*'] });
});

async function tested(page: Page, org: string, name: string) {
  await page.goto(`/ui/orgs/${org}/connections/${name}`);
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  await page.getByRole('button', { name: 'Run the test' }).click();
  return page.getByRole('dialog');
}

test('a key is replaced and revoked, and the connection follows at once', async ({ page, api, own, provider }) => {
  const [name, label] = [unique('keyed'), unique('production')];
  provider.models = [{ id: 'one' }];
  provider.key = 'sk-the-new-key-0002';
  const key = await api.call<{ id: string }>('POST', `/v1/orgs/${own}/credentials`, {
    provider: 'openai-compatible',
    label,
    secret: 'sk-the-old-key-0001',
  });
  await connect(api, own, provider, { name, authType: 'bearer', credentialId: key.id, syncEnabled: false });
  await expect(await tested(page, own, name)).toContainText('The connection does not work.');
  await expect(page.getByRole('dialog')).toContainText('Key missing or wrong');

  const row = page.getByRole('row').filter({ hasText: label });
  await page.goto(`/ui/orgs/${own}/credentials`);
  await expect(row).toContainText('…0001');
  await row.getByRole('button', { name: `Replace ${label}` }).click();
  const replace = page.getByRole('dialog', { name: `Replace the key ${label}` });
  await expect(replace.getByRole('button', { name: 'Replace' })).toBeDisabled();
  await replace.getByLabel(/^Key/).fill(provider.key);
  await replace.getByRole('button', { name: 'Replace' }).click();
  await expect(page.getByText(`${label} is replaced.`)).toBeVisible();
  await expect(row).toContainText('…0002');
  await expect(row).toContainText('replaced 1 time');
  await expect(await tested(page, own, name)).toContainText('The connection works');

  await page.goto(`/ui/orgs/${own}/credentials`);
  await row.getByRole('button', { name: `Revoke ${label}` }).click();
  const revoke = page.getByRole('dialog', { name: `Revoke ${label}?` });
  await expect(revoke.getByRole('listitem')).toHaveText([name]);
  await expect(revoke.getByRole('button', { name: 'Revoke' })).toBeDisabled();
  await revoke.getByLabel('Revoke it all the same').check();
  await revoke.getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByText(`${label} is revoked.`)).toBeVisible();
  await expect(row).toHaveCount(0);
  await page.getByLabel('Show revoked keys').check();
  await expect(row).toContainText('Revoked');
  await expect(row.getByRole('button')).toHaveCount(0);
  await expect(await tested(page, own, name)).toContainText(`There is no credential ${key.id}.`);
  expect(await page.content()).not.toContain('the-new-key');
});
