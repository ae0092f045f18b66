import type { Page } from '@playwright/test';

import { enter, expect, find, logIn, org, test, unique } from './world';

const open = (slug: string, tab = 'overview') => `/ui/orgs/${org}/models?model=${encodeURIComponent(slug)}&tab=${tab}`;

test('a model is edited and saved', async ({ admin, api }) => {
  const { slug } = await api.model({ contextWindow: 4096 });
  await admin.goto(open(slug));
  await admin.getByRole('textbox', { name: 'Display name' }).fill('House model');
  await admin.getByRole('tab', { name: 'Limits' }).click();
  await admin.getByRole('spinbutton', { name: 'Context window' }).fill('8192');
  await expect(admin.getByText('2 unsaved changes')).toBeVisible();
  await admin.getByRole('button', { name: 'Save' }).click();
  await expect(admin.getByText('House model is saved.')).toBeVisible();
  expect(await api.read(slug)).toMatchObject({ displayName: 'House model', contextWindow: 8192 });
});

test('the usage of a model links to its dashboard', async ({ admin, api }) => {
  const { slug } = await api.model();
  await admin.goto(open(slug, 'usage'));
  await expect(admin.getByRole('link', { name: 'Open the dashboard of this model' })).toHaveAttribute(
    'href',
    `https://grafana.example.org/d/tokenrail-use?var-org=${org}&var-provider=ollama&var-model=${slug.split('/')[1] ?? ''}`,
  );
});

test('what is not saved is still there when the model is opened again', async ({ admin, api }) => {
  const { slug } = await api.model();
  await admin.goto(open(slug));
  await admin.getByRole('textbox', { name: 'Description' }).fill('Half a thought');
  await admin.getByRole('button', { name: 'Close' }).click();
  await (await find(admin, slug.split('/')[1] ?? '')).click();
  await expect(admin.getByRole('textbox', { name: 'Description' })).toHaveValue('Half a thought');
});

test('two people edit one model in two browsers and neither loses a change', async ({ person: mine, browser, api }) => {
  const { slug } = await api.model({ displayName: 'Before', description: 'old' });
  const context = await browser.newContext();
  const theirs = await context.newPage();
  await enter(theirs, 'bob', 'org_admin');
  const field = (page: Page, name: string) => page.getByRole('textbox', { name });
  for (const page of [mine, theirs]) {
    await page.goto(open(slug));
    await expect(field(page, 'Display name')).toHaveValue('Before');
  }
  await field(mine, 'Display name').fill('Mine');
  await field(mine, 'Family').fill('my family');
  await field(theirs, 'Display name').fill('Theirs');
  await field(theirs, 'Description').fill('new');
  await theirs.getByRole('button', { name: 'Save' }).click();
  await expect(theirs.getByText('Theirs is saved.')).toBeVisible();
  await mine.getByRole('button', { name: 'Save' }).click();
  const dialog = mine.getByRole('dialog', { name: 'Someone else has changed this model' });
  await expect(dialog).toContainText('Only they changed');
  const save = dialog.getByRole('button', { name: 'Save what I chose' });
  await expect(save).toBeDisabled();
  await dialog.getByRole('radio', { name: 'Mine' }).check();
  await save.click();
  await expect(mine.getByText('Mine is saved.')).toBeVisible();
  expect(await api.read(slug)).toMatchObject({ displayName: 'Mine', description: 'new', family: 'my family' });
  await context.close();
});

test('two people make one alias in two browsers and the second one sees both', async ({
  person: mine,
  browser,
  api,
}) => {
  const alias = unique('house');
  const [one, two] = [await api.model(), await api.model()];
  const context = await browser.newContext();
  const theirs = await context.newPage();
  await enter(theirs, 'bob', 'org_admin');
  for (const [page, model] of [
    [mine, one],
    [theirs, two],
  ] as const) {
    await page.goto(`/ui/orgs/${org}/defaults`);
    await page.getByRole('button', { name: 'Add an alias' }).click();
    await page.getByRole('textbox', { name: /^Alias/ }).fill(alias);
    await page.getByRole('combobox', { name: /^Model/ }).fill(model.slug);
  }
  await theirs.getByRole('button', { name: 'Save' }).click();
  await expect(theirs.getByText(`${alias} is saved.`)).toBeVisible();
  await mine.getByRole('button', { name: 'Save' }).click();
  const dialog = mine.getByRole('dialog', { name: 'There is one already' });
  await expect(dialog).toContainText(`${one.slug} 100 %`);
  await expect(dialog).toContainText(`${two.slug} 100 %`);
  await dialog.getByRole('button', { name: 'Save mine over it' }).click();
  await expect(mine.getByText(`${alias} is saved.`)).toBeVisible();
  const path = `/v1/orgs/${org}/aliases/${alias}`;
  expect(await api.call('GET', path)).toMatchObject({ targets: [{ model: one.slug, weight: 1 }] });
  await api.call('DELETE', path);
  await context.close();
});

test('a value of the platform is overridden, named as such, and reset', async ({ admin, api }) => {
  const modelName = unique('shared');
  await api.call('POST', '/v1/orgs/_/models', {
    provider: 'ollama',
    modelName,
    displayName: 'Platform name',
    enabled: true,
  });
  const slug = `ollama/${modelName}`;
  await admin.goto(open(slug));
  await admin.getByRole('textbox', { name: 'Display name' }).fill('Our name');
  await admin.getByRole('button', { name: 'Save' }).click();
  await expect(admin.getByText('Set by the organisation')).toBeVisible();
  await admin.getByRole('button', { name: 'Reset: Display name' }).click();
  await expect(admin.getByText('Will be reset when you save')).toBeVisible();
  await admin.getByRole('button', { name: 'Save' }).click();
  await expect(admin.getByRole('heading', { name: 'Platform name' })).toBeVisible();
  expect((await api.read(slug)).displayName).toBe('Platform name');
});

test('history shows what changed and rolls back', async ({ admin, api }) => {
  const { slug } = await api.model({ description: 'first words' });
  await api.call('PATCH', `/v1/orgs/${org}/models/${encodeURIComponent(slug)}`, { description: 'second words' });
  await admin.goto(open(slug, 'history'));
  const newest = admin.getByRole('button', { name: /Description/ });
  await newest.click();
  await expect(admin.getByRole('cell', { name: 'second words' })).toBeVisible();
  await admin.getByRole('tabpanel').getByRole('button', { name: / by / }).last().click();
  await admin.getByRole('button', { name: 'Roll back to this' }).click();
  await admin
    .getByRole('dialog', { name: /Roll back to version/ })
    .getByRole('button', { name: 'Roll back to this' })
    .click();
  await expect(admin.getByText(/Rolled back to version/)).toBeVisible();
  expect(await api.read(slug)).toMatchObject({ description: 'first words' });
});

test('deleting names what uses the model and points it at another', async ({ admin, api }) => {
  const [old, next] = [await api.model(), await api.model()];
  const alias = unique('best');
  await api.call('PUT', `/v1/orgs/${org}/aliases/${alias}`, { targets: [{ model: old.slug, weight: 3 }] });
  await admin.goto(open(old.slug));
  await admin.getByRole('button', { name: 'Delete…' }).click();
  const dialog = admin.getByRole('dialog', { name: /^Delete / });
  await expect(dialog).toContainText('1 thing uses this model');
  await expect(dialog.getByRole('button', { name: 'Delete', exact: true })).toBeDisabled();
  await dialog.getByLabel('Replace with').fill(next.slug.split('/')[1] ?? '');
  await admin.getByRole('option').click();
  await dialog.getByRole('button', { name: 'Replace and delete' }).click();
  await expect(admin.getByText(/is deleted\.$/)).toBeVisible();
  const { targets } = await api.call<{ targets: { model: string }[] }>('GET', `/v1/orgs/${org}/aliases/${alias}`);
  expect(targets.map((target) => target.model)).toEqual([next.slug]);
});

test('why a model cannot be used is explained', async ({ admin, api }) => {
  const { slug } = await api.model({ enabled: false });
  await admin.goto(open(slug, 'explain'));
  await expect(admin.getByText('It cannot be used.')).toBeVisible();
  await expect(admin.getByRole('img', { name: 'does not hold' })).not.toHaveCount(0);
});

test('a viewer sees everything and changes nothing', async ({ page, api }) => {
  const { slug } = await api.model({ description: 'to be seen' });
  await logIn(page, 'Viewer', 'victor');
  await page.goto(open(slug));
  await expect(page.getByRole('textbox', { name: 'Description' })).toHaveValue('to be seen');
  await expect(page.getByRole('textbox', { name: 'Description' })).toBeDisabled();
  await expect(page.getByRole('button', { name: 'Delete…' })).toHaveCount(0);
  await expect(page.getByText('You can look at everything here.')).toBeVisible();
  await page.goto(`/ui/orgs/${org}/playground`);
  await expect(page.getByText('You may not see this page')).toBeVisible();
});
