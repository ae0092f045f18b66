import { expect, find, org, test, unique } from './world';

interface Rule {
  id: string;
  subject: string;
  effect: string;
}

test('lists models with provider, kind and status', async ({ admin, api }) => {
  const embedding = await api.model({
    modelName: unique('vectors'),
    kind: 'embedding',
    capabilities: { embedding: 'supported' },
  });
  await admin.getByRole('button', { name: 'Refresh' }).click();
  const row = await find(admin, embedding.slug.split('/')[1] ?? '');
  await expect(row).toContainText('Embedding');
  await expect(row).toContainText(/Not served|Active/);
  await expect(row).toContainText('ollama:');
  await admin.getByRole('tab', { name: /^Generation/ }).click();
  await expect(admin.getByText('No model matches')).toBeVisible();
  await admin.getByRole('tab', { name: /^Embedding/ }).click();
  await expect(row).toBeVisible();
});

test('a disabled model stays in its place', async ({ admin, api }) => {
  const name = unique('stays');
  await api.model({ modelName: name });
  await admin.goto(`/ui/orgs/${org}/models?q=${name}`);
  const row = admin.getByRole('row').filter({ hasText: name });
  await row.getByRole('switch').click();
  await expect(admin.getByText(`${name} is disabled. It stays in the list.`)).toBeVisible();
  await expect(row).toContainText('Disabled');
  await expect.poll(async () => (await api.read(`ollama/${name}`)).enabled).toBe(false);
  await admin.getByRole('button', { name: 'Undo' }).click();
  await expect(row.getByRole('switch')).toBeChecked();
  await expect.poll(async () => (await api.read(`ollama/${name}`)).enabled).toBe(true);
});

test('many models are changed with the keyboard alone, and the change is undone', async ({ admin, api }) => {
  const tag = unique('bulk');
  for (let i = 0; i < 5; i++) await api.model({ modelName: `${tag}-${i}`, tags: [tag] });
  await admin.goto(`/ui/orgs/${org}/models?q=${tag}`);
  const grid = admin.getByRole('grid', { name: 'Models' });
  await expect(admin.getByRole('row').filter({ hasText: tag })).toHaveCount(5);
  await grid.focus();
  await admin.keyboard.press('Home');
  await admin.keyboard.press('Space');
  await admin.keyboard.press('Shift+ArrowDown');
  await expect(admin.getByText('2 selected')).toBeVisible();
  await admin.keyboard.press('Control+a');
  await expect(admin.getByText('5 selected')).toBeVisible();
  await admin.getByRole('button', { name: 'Disable', exact: true }).press('Enter');
  await expect(admin.getByText('5 models changed.')).toBeVisible();
  expect((await api.read(`ollama/${tag}-4`)).enabled).toBe(false);
  await admin.getByRole('button', { name: 'Undo' }).click();
  await expect(admin.getByText('5 changes undone.')).toBeVisible();
  expect((await api.read(`ollama/${tag}-4`)).enabled).toBe(true);
});

test('many models are granted in one request, and taken back', async ({ admin, api }) => {
  const tag = unique('granted');
  for (let i = 0; i < 5; i++) await api.model({ modelName: `${tag}-${i}`, tags: [tag] });
  const rules = async () => {
    const { data } = await api.call<{ data: Rule[] }>('GET', `/v1/orgs/${org}/grants?page_size=1000`);
    return data.filter((rule) => rule.subject === tag);
  };
  const denied = await api.call<Rule>('POST', `/v1/orgs/${org}/grants`, {
    subjectKind: 'group',
    subject: tag,
    objectKind: 'model',
    object: `ollama/${tag}-4`,
    effect: 'deny',
  });
  const sent: string[] = [];
  admin.on('request', (request) => {
    if (request.method() === 'POST' && request.url().includes('/grants')) sent.push(new URL(request.url()).pathname);
  });
  await admin.goto(`/ui/orgs/${org}/models?q=${tag}`);
  await expect(admin.getByRole('row').filter({ hasText: tag })).toHaveCount(5);
  await admin.getByRole('checkbox', { name: 'Select all models shown' }).click();
  await admin.getByRole('region', { name: 'Change the selected models' }).getByRole('button', { name: 'More' }).click();
  await admin.getByRole('menuitem', { name: 'Grant access…' }).click();
  await admin.getByRole('combobox', { name: 'Who gets access' }).click();
  await admin.getByRole('option', { name: 'A group' }).click();
  await admin.getByRole('textbox', { name: /Name of the group/ }).fill(tag);
  await admin.getByRole('button', { name: 'Apply' }).click();
  await expect(admin.getByText('Access granted to 4 models.')).toBeVisible();
  const refused = admin.getByRole('dialog', { name: '1 model was not changed' });
  await expect(refused.getByText(/A rule denies it, and stays/)).toBeVisible();
  await refused.getByRole('button', { name: 'Close' }).click();
  expect(await rules()).toHaveLength(5);
  await admin.getByRole('button', { name: 'Undo' }).click();
  await expect(admin.getByText('4 changes undone.')).toBeVisible();
  expect(await rules()).toEqual([denied]);
  expect(sent).toEqual([`/v1/orgs/${org}/grants:batch`, `/v1/orgs/${org}/grants:remove`]);
});

test('many models are hidden, tagged and given back from the bar', async ({ admin, api }) => {
  const tag = unique('bar');
  for (let i = 0; i < 3; i++) await api.model({ modelName: `${tag}-${i}` });
  const all = () => Promise.all([0, 1, 2].map((i) => api.read(`ollama/${tag}-${i}`)));
  const each = async (fields: Record<string, unknown>) => {
    for (const model of await all()) expect(model).toMatchObject(fields);
  };
  await admin.goto(`/ui/orgs/${org}/models?q=${tag}`);
  const rows = admin.getByRole('row').filter({ hasText: tag });
  await expect(rows).toHaveCount(3);
  await admin.getByRole('checkbox', { name: 'Select all models shown' }).click();
  const bar = admin.getByRole('region', { name: 'Change the selected models' });
  const choose = async (item: string) => {
    await bar.getByRole('button', { name: 'More' }).click();
    await admin.getByRole('menuitem', { name: item }).click();
  };
  await choose('Hide');
  await expect(admin.getByText('3 models changed.')).toBeVisible();
  await expect(rows.filter({ hasText: 'Hidden' })).toHaveCount(3);
  await each({ hidden: true });
  await admin.getByRole('button', { name: 'Undo' }).click();
  await expect(admin.getByText('3 changes undone.')).toBeVisible();
  await expect(rows.filter({ hasText: 'Hidden' })).toHaveCount(0);
  await each({ hidden: false });
  await choose('Add a tag…');
  const dialog = admin.getByRole('dialog');
  await dialog.getByRole('combobox', { name: 'Tag' }).fill('eu-only');
  await dialog.getByRole('button', { name: 'Apply' }).click();
  await expect(admin.getByText('3 models changed.')).toBeVisible();
  await each({ tags: ['eu-only'] });
  await choose('Remove a tag…');
  await dialog.getByRole('combobox', { name: 'Tag' }).click();
  await admin.getByRole('option', { name: 'eu-only' }).click();
  await dialog.getByRole('button', { name: 'Apply' }).click();
  await expect.poll(async () => (await all()).map((model) => model.tags)).toEqual([[], [], []]);
});

test('columns are chosen, and stay chosen', async ({ admin, api }) => {
  const tag = unique('column');
  await api.model({ modelName: tag, tags: ['chosen'] });
  await admin.goto(`/ui/orgs/${org}/models?q=${tag}`);
  const header = admin.getByRole('columnheader', { name: 'Tags' });
  const row = admin.getByRole('row').filter({ hasText: tag });
  await expect(row).toBeVisible();
  await expect(header).toHaveCount(0);
  const toggle = async () => {
    await admin.getByRole('button', { name: 'Columns' }).click();
    await admin.getByRole('menuitemcheckbox', { name: 'Tags' }).click();
    await admin.keyboard.press('Escape');
  };
  await toggle();
  await expect(header).toBeVisible();
  await expect(row).toContainText('chosen');
  await admin.reload();
  await expect(header).toBeVisible();
  await toggle();
  await expect(header).toHaveCount(0);
  await expect(row).not.toContainText('chosen');
});

test('the default moves with one click', async ({ admin, api }) => {
  const [first, second] = [unique('first'), unique('second')];
  await api.model({ provider: 'cohere', modelName: first, kind: 'rerank' });
  await api.model({ provider: 'cohere', modelName: second, kind: 'rerank' });
  for (const name of [first, second]) {
    await admin.goto(`/ui/orgs/${org}/models?kind=rerank&model=${encodeURIComponent(`cohere/${name}`)}`);
    await admin.getByRole('button', { name: 'Make default' }).click();
    await expect(admin.getByText(`${name} is the default for Rerank.`)).toBeVisible();
  }
  const undo = admin.getByRole('button', { name: 'Undo' });
  await admin.getByRole('button', { name: 'Close' }).first().click();
  await expect(admin.getByRole('row').filter({ hasText: second })).toContainText('Default');
  await expect(admin.getByRole('row').filter({ hasText: first })).not.toContainText('Default');
  await undo.click();
  await expect(admin.getByText('1 default is as before.')).toBeVisible();
  await expect(admin.getByRole('row').filter({ hasText: first })).toContainText('Default');
  await expect(admin.getByRole('row').filter({ hasText: second })).not.toContainText('Default');
});

test('filters are in the address, and a link shows the same', async ({ admin, api }) => {
  const tag = unique('linked');
  await api.model({ modelName: `${tag}-a`, tags: [tag] });
  await api.model({ modelName: `${tag}-b` });
  await admin.goto(`/ui/orgs/${org}/models`);
  await admin.getByRole('button', { name: 'Filters' }).click();
  await admin.getByLabel('Tags').click();
  await admin.getByRole('option', { name: tag }).click();
  await admin.keyboard.press('Escape');
  await expect(admin.getByRole('row').filter({ hasText: tag })).toHaveCount(1);
  await expect(admin).toHaveURL(new RegExp(`tag=${tag}`));
  await admin.reload();
  await expect(admin.getByRole('row').filter({ hasText: tag })).toHaveCount(1);
});

test('cards show the same models', async ({ admin, api }) => {
  const name = unique('card');
  await api.model({ modelName: name, description: 'As a card' });
  await admin.goto(`/ui/orgs/${org}/models?q=${name}`);
  await admin.getByRole('button', { name: 'Cards' }).click();
  const card = admin.getByRole('row').filter({ hasText: name });
  await card.getByRole('switch').click();
  await expect(card).toContainText('Disabled');
});

test('filters are saved as a view, which a link shows to others, and a model is pinned to it', async ({
  admin,
  api,
}) => {
  const tag = unique('view');
  for (const name of ['a', 'b']) await api.model({ modelName: `${tag}-${name}`, tags: [tag] });
  const other = await api.model({ modelName: unique('pinned') });
  await admin.goto(`/ui/orgs/${org}/models?tag=${tag}`);
  await admin.getByRole('button', { name: 'Views' }).click();
  await admin.getByRole('menuitem', { name: 'Save these filters as a view…' }).click();
  await admin.getByLabel('Name', { exact: false }).first().fill(tag);
  await admin.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(admin).toHaveURL(new RegExp(`view=${tag}`));
  await admin.goto(`/ui/orgs/${org}/models?view=${tag}`);
  const rows = admin.getByRole('row').filter({ hasText: 'ollama:' });
  await expect(rows).toHaveCount(2);
  await api.call('PUT', `/v1/orgs/${org}/views/${tag}`, { filter: { tags: [tag] }, pins: [other.slug] });
  await admin.getByRole('button', { name: 'Refresh' }).click();
  await expect(rows).toHaveCount(3);
  await expect(rows.first()).toContainText(other.slug.split('/')[1] ?? '');
  await admin.getByRole('button', { name: `View: ${tag}` }).click();
  await admin.getByRole('menuitem', { name: 'Delete this view…' }).click();
  await admin.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(admin.getByText(`${tag} is deleted.`)).toBeVisible();
  await expect(admin).not.toHaveURL(/view=/);
});
