// Small pages of governance: sets of models behind one name, and who belongs to the organisation.
import { type ApiModel, expect, test } from './world';

test('the shares of an A/B set follow its weights', async ({ page, api, own }) => {
  const models: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    const { slug } = await api.call<ApiModel>('POST', `/v1/orgs/${own}/models`, {
      provider: 'ollama',
      modelName: name,
    });
    models.push(slug);
  }
  const [a, b, c] = models as [string, string, string];
  await api.call('PUT', `/v1/orgs/${own}/aliases/house`, {
    targets: [
      { model: a, weight: 1 },
      { model: b, weight: 1 },
    ],
  });
  await page.goto(`/ui/orgs/${own}/defaults`);
  const row = page.getByRole('row').filter({ hasText: 'house' });
  await expect(row.getByText('50 %')).toHaveCount(2);
  await row.getByRole('button', { name: 'Edit house' }).click();
  const form = page.getByRole('dialog', { name: 'Edit house' });
  const weight = (number: number) => form.getByRole('spinbutton', { name: `Weight of model ${number}` });
  await weight(1).fill('3');
  await expect(form.getByText('75 % of the requests')).toBeVisible();
  await expect(form.getByText('25 % of the requests')).toBeVisible();
  await form.getByRole('button', { name: 'Add a model to the set' }).click();
  await form.getByRole('combobox', { name: 'Model 3' }).fill(c);
  await weight(3).fill('6');
  await weight(2).fill('0');
  await expect(form.getByText('No requests')).toBeVisible();
  await weight(2).fill('1');
  await expect(form.getByText('60 % of the requests')).toBeVisible();
  await form.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('house is saved.')).toBeVisible();
  for (const share of ['30 %', '10 %', '60 %']) await expect(row.getByText(share)).toBeVisible();
  const { targets } = await api.call<{ targets: { model: string; weight: number }[] }>(
    'GET',
    `/v1/orgs/${own}/aliases/house`,
  );
  expect(Object.fromEntries(targets.map(({ model, weight: share }) => [model, share]))).toEqual({
    [a]: 3,
    [b]: 1,
    [c]: 6,
  });
});

test('a member is removed, and the trail names who did it', async ({ page, api, own }) => {
  const at = `/v1/orgs/${own}/members`;
  const names = async () =>
    (await api.call<{ data: { subject: string }[] }>('GET', at)).data.map((member) => member.subject);
  for (const subject of ['bo', 'cy']) await api.call('PUT', at, { issuer: 'dev', subject, role: 'viewer' });
  await page.goto(`/ui/orgs/${own}/members`);
  const row = page.getByRole('row').filter({ hasText: 'bo' });
  await row.getByRole('button', { name: 'Remove bo' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(await names()).toContain('bo');
  await row.getByRole('button', { name: 'Remove bo' }).click();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByText('bo is removed.')).toBeVisible();
  await expect(row).toHaveCount(0);
  await expect(page.getByRole('row').filter({ hasText: 'cy' })).toBeVisible();
  expect(await names()).not.toContain('bo');
  await page.getByRole('link', { name: 'Audit' }).click();
  const entry = page.getByRole('table', { name: 'Audit trail' }).getByRole('row').filter({ hasText: 'member.removed' });
  await expect(entry).toContainText('alice');
});
