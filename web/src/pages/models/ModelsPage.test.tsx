// @vitest-environment jsdom
import { readFileSync } from 'node:fs';

import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { aModel } from '../../test/models';
import { type Call, layOut, page, problem, serve, showPage } from '../../test/page';
import { dashboardOf } from './detail/UsageTab';
import ModelsPage from './ModelsPage';

const list = 'GET /v1/orgs/acme/models';
const oneRow = '/v1/orgs/acme/models/ollama/one';
const one = aModel({ slug: 'ollama/one', modelName: 'one', version: 7, scope: 'organization', inherits: false });
const two = aModel({ slug: 'ollama/two', modelName: 'two', version: 8, isDefault: true });

async function row(name: string) {
  return waitFor(() => {
    const found = screen.getAllByRole('row').find((element) => element.textContent?.includes(`ollama:${name}`));
    if (!found) throw new Error(`no row ${name}`);
    return found;
  });
}

beforeEach(() => {
  localStorage.clear();
  layOut();
});

const show = (options: object = {}) => showPage(<ModelsPage />, { path: 'models', ...options });

it('switches a model off with its version, and keeps it in the list', async () => {
  const calls = serve({
    [list]: page(one, two),
    [`PATCH ${oneRow}`]: { body: { ...one, enabled: false, status: 'disabled', version: 9 } },
  });
  show();
  await userEvent.click(within(await row('one')).getByRole('switch'));
  expect(await screen.findByText('one is disabled. It stays in the list.')).toBeInTheDocument();
  const patch = calls.find((call) => call.method === 'PATCH');
  expect(patch?.headers.get('If-Match')).toBe('"v7"');
  expect(within(await row('one')).getByRole('switch')).not.toBeChecked();
});

it('gives the switch back and explains when the change is refused', async () => {
  serve({ [list]: page(one), [`PATCH ${oneRow}`]: problem(403, 'FORBIDDEN', 'You may not do this.') });
  show();
  await userEvent.click(within(await row('one')).getByRole('switch'));
  expect(await screen.findByText(/You may not do this/)).toBeInTheDocument();
  expect(within(await row('one')).getByRole('switch')).toBeChecked();
});

const defaults = '/v1/orgs/acme/defaults';
const makeDefault = async () => {
  await userEvent.click(screen.getByRole('button', { name: 'More' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Make default' }));
};

it('shows the default with a star, moves it, and gives it back', async () => {
  const calls = serve({
    [list]: page(one, two),
    [`GET ${defaults}`]: page(
      { kind: 'generation', purpose: '', provider: 'openai', model: 'openai/other', version: 3 },
      { kind: 'generation', purpose: '', provider: null, model: 'ollama/two', version: 4 },
    ),
    [`PUT ${defaults}`]: { body: { version: 9 } },
  });
  show();
  expect(within(await row('two')).getByText(/★/)).toBeInTheDocument();
  await userEvent.click(within(await row('one')).getByRole('checkbox'));
  await makeDefault();
  expect(await screen.findByText('one is the default for Generation.')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  expect(await screen.findByText('1 default is as before.')).toBeInTheDocument();
  const puts = calls.filter((call) => call.method === 'PUT');
  expect(puts.map((put) => put.body)).toEqual([
    { kind: 'generation', model: 'ollama/one' },
    { kind: 'generation', model: 'ollama/two' },
  ]);
  expect(puts[0]?.headers.get('If-Match')).toBe('"v4"');
  // Of the default as this page has set it: another person's later choice stays.
  expect(puts[1]?.headers.get('If-Match')).toBe('"v9"');
});

it('makes one model of each kind the default, and removes what was not there before', async () => {
  const vectors = aModel({ id: 'id-3', slug: 'ollama/vectors', modelName: 'vectors', kind: 'embedding' });
  const calls = serve({
    [list]: page(one, { ...two, id: 'id-2' }, vectors),
    [`GET ${defaults}`]: page(),
    [`PUT ${defaults}`]: { body: { version: 9 } },
    [`DELETE ${defaults}`]: { status: 204 },
  });
  show();
  await row('one');
  await userEvent.click(screen.getByRole('checkbox', { name: 'Select all models shown' }));
  await userEvent.click(screen.getByRole('button', { name: 'More' }));
  expect(await screen.findByRole('menuitem', { name: 'Make default' })).toHaveAttribute('aria-disabled', 'true');
  await userEvent.keyboard('{Escape}');
  await userEvent.click(within(await row('two')).getByRole('checkbox'));
  await makeDefault();
  expect(await screen.findByText('2 defaults are set.')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  expect(await screen.findByText('2 defaults are as before.')).toBeInTheDocument();
  const removed = calls.filter((call) => call.method === 'DELETE').map((call) => call.path);
  expect(removed).toEqual([`${defaults}?kind=generation`, `${defaults}?kind=embedding`]);
});

it('says which default could not be set, and takes back those before it', async () => {
  const vectors = aModel({ id: 'id-3', slug: 'ollama/vectors', modelName: 'vectors', kind: 'embedding' });
  const calls = serve({
    [list]: page(one, vectors),
    [`GET ${defaults}`]: page(),
    [`PUT ${defaults}`]: (call) =>
      (call.body as { kind: string }).kind === 'embedding'
        ? problem(500, 'INTERNAL', 'The database is away.')
        : { body: { version: 9 } },
    [`DELETE ${defaults}`]: { status: 204 },
  });
  show();
  await row('one');
  await userEvent.click(screen.getByRole('checkbox', { name: 'Select all models shown' }));
  await makeDefault();
  expect(await screen.findByText('The database is away.')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  expect(await screen.findByText('1 default is as before.')).toBeInTheDocument();
  expect(calls.filter((call) => call.method === 'DELETE').map((call) => call.path)).toEqual([
    `${defaults}?kind=generation`,
  ]);
});

it('leaves the star where another person has moved it meanwhile', async () => {
  serve({
    [list]: page(one, two),
    [`GET ${defaults}`]: page(),
    [`PUT ${defaults}`]: ({ headers }) =>
      headers.get('If-None-Match') === '*'
        ? problem(412, 'PRECONDITION_FAILED', 'The resource has version 9 now.', { current_version: 9 })
        : {},
  });
  show();
  await userEvent.click(within(await row('one')).getByRole('checkbox'));
  await makeDefault();
  expect(await screen.findByText(/It was changed while you looked at it\. Nothing was saved\./)).toBeInTheDocument();
  expect(within(await row('two')).getByText(/★/)).toBeInTheDocument();
});

it('asks before it deletes, and warns of knowledge bases', async () => {
  const calls = serve({
    [list]: page(one, two),
    [`GET ${oneRow}`]: { body: one },
    [`DELETE ${oneRow}`]: { status: 204 },
    [`GET ${oneRow}/dependents`]: page({ refType: 'knowledge_base', refId: 'kb-1', label: 'Contracts' }),
  });
  show({ query: '?model=ollama%2Fone' });
  await userEvent.click(await screen.findByRole('button', { name: 'Delete…' }));
  const dialog = await screen.findByRole('dialog', { name: 'Delete one?' });
  expect(await within(dialog).findByText('1 thing uses this model')).toBeInTheDocument();
  expect(within(dialog).getByText(/holds vectors of this model/)).toBeInTheDocument();
  expect(within(dialog).getByRole('button', { name: 'Delete' })).toBeDisabled();
  await userEvent.click(within(dialog).getByRole('checkbox'));
  await userEvent.click(within(dialog).getByRole('button', { name: 'Delete' }));
  await waitFor(() =>
    expect(calls.some((call) => call.method === 'DELETE' && call.path.includes('force=true'))).toBe(true),
  );
});

it('points a default at another model before it deletes, and deletes the version that it then has', async () => {
  let version = 7;
  const calls = serve({
    [list]: page(one, two),
    [`GET ${oneRow}`]: () => ({ body: { ...one, version } }),
    [`GET ${oneRow}/dependents`]: page({ refType: 'default', refId: 'generation', label: null }),
    'GET /v1/orgs/acme/defaults': page({ kind: 'generation', purpose: '', model: 'ollama/one', version: 5 }),
    'PUT /v1/orgs/acme/defaults': () => {
      version = 9;
      return {};
    },
    [`DELETE ${oneRow}`]: ({ headers }) =>
      headers.get('If-Match') === `"v${version}"` ? { status: 204 } : problem(412, 'PRECONDITION_FAILED', 'Changed.'),
  });
  show({ query: '?model=ollama%2Fone' });
  await userEvent.click(await screen.findByRole('button', { name: 'Delete…' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Delete one?' }));
  await userEvent.click(await dialog.findByRole('combobox'));
  await userEvent.click(await screen.findByRole('option', { name: /two/ }));
  await userEvent.click(dialog.getByRole('button', { name: 'Replace and delete' }));
  await waitFor(() => expect(calls.some((call) => call.method === 'DELETE')).toBe(true));
  expect(calls.find((call) => call.method === 'PUT')?.headers.get('If-Match')).toBe('"v5"');
  expect(calls.find((call) => call.method === 'DELETE')?.headers.get('If-Match')).toBe('"v9"');
});

it('points the default of one provider elsewhere, and no other', async () => {
  const row = { kind: 'generation', purpose: '' };
  const calls = serve({
    [list]: page(one, two),
    [`GET ${oneRow}`]: { body: one },
    [`GET ${oneRow}/dependents`]: page({ refType: 'default', refId: 'generation', label: null }),
    [`GET ${defaults}`]: page(
      { ...row, provider: null, model: 'openai/other', version: 4 },
      { ...row, provider: 'ollama', model: 'ollama/one', version: 5 },
      { ...row, provider: null, purpose: 'title', model: 'ollama/one', version: 6 },
    ),
    [`PUT ${defaults}`]: {},
    [`DELETE ${oneRow}`]: { status: 204 },
  });
  show({ query: '?model=ollama%2Fone' });
  await userEvent.click(await screen.findByRole('button', { name: 'Delete…' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Delete one?' }));
  await userEvent.click(await dialog.findByRole('combobox'));
  await userEvent.click(await screen.findByRole('option', { name: /two/ }));
  await userEvent.click(dialog.getByRole('button', { name: 'Replace and delete' }));
  await waitFor(() => expect(calls.some((call) => call.method === 'DELETE')).toBe(true));
  const puts = calls.filter((call) => call.method === 'PUT');
  expect(puts.map(({ body, headers }) => [body, headers.get('If-Match')])).toEqual([
    [{ kind: 'generation', model: 'ollama/two', provider: 'ollama' }, '"v5"'],
  ]);
});

it('points nothing elsewhere where another person has changed the model that is to go', async () => {
  let version = 7;
  const calls = serve({
    [list]: page(one, two),
    [`GET ${oneRow}`]: () => ({ body: { ...one, version } }),
    [`GET ${oneRow}/dependents`]: page({ refType: 'default', refId: 'generation', label: null }),
    [`DELETE ${oneRow}`]: problem(412, 'PRECONDITION_FAILED', 'Changed.'),
  });
  show({ query: '?model=ollama%2Fone' });
  await userEvent.click(await screen.findByRole('button', { name: 'Delete…' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Delete one?' }));
  await userEvent.click(await dialog.findByRole('combobox'));
  await userEvent.click(await screen.findByRole('option', { name: /two/ }));
  version = 8;
  await userEvent.click(dialog.getByRole('button', { name: 'Replace and delete' }));
  expect(await dialog.findByText('It was changed while you looked at it. Nothing was saved.')).toBeInTheDocument();
  expect(calls.some((call) => call.method === 'PUT')).toBe(false);
});

it('names the next step where there is no model', async () => {
  serve({ [list]: page() });
  show();
  expect(await screen.findByText('No models configured yet.')).toBeInTheDocument();
});

it('offers a viewer no change', async () => {
  serve({ [list]: page(one) });
  show({ role: 'viewer' });
  expect(within(await row('one')).getByRole('switch')).toBeDisabled();
  expect(screen.queryByRole('checkbox', { name: /Select/ })).toBeNull();
});

it('shows the prices that the list has, and that others are unknown', async () => {
  serve({ [list]: page({ ...one, prices: { input: '0.15', output: '2' } }, { ...two, prices: null }) });
  show();
  expect(await row('one')).toHaveTextContent('$0.15 / $2');
  expect(await row('two')).toHaveTextContent('Unknown');
});

it('shows the models of a saved view in its order, and pins another', async () => {
  const view = {
    name: 'team',
    scope: 'organization',
    version: 4,
    filter: { kind: 'generation' },
    pins: [],
    forAuto: true,
    updatedAt: '',
  };
  const three = aModel({ id: 'id-3', slug: 'ollama/three', modelName: 'three' });
  const calls = serve({
    [list]: ({ path }) => (path.includes('view=team') ? page(two, one) : page(one, two, three)),
    'GET /v1/orgs/acme/views': page(view),
    'PUT /v1/orgs/acme/views/team': { body: view },
  });
  show();
  await row('three');
  await userEvent.click(await screen.findByRole('button', { name: 'Views' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: /team/ }));
  await waitFor(() => expect(screen.queryByText('ollama:three')).toBeNull());
  const names = () =>
    screen
      .getAllByRole('row')
      .flatMap((element) => /ollama:(one|two|three)/.exec(element.textContent ?? '')?.[1] ?? []);
  expect(names()).toEqual(['two', 'one']);
  await userEvent.click(within(await row('one')).getByRole('checkbox'));
  await userEvent.click(screen.getByRole('button', { name: 'View: team' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Pin 1 selected model' }));
  expect(await screen.findByText('The pins of team are changed.')).toBeVisible();
  const put = calls.find((call) => call.method === 'PUT');
  expect(put?.headers.get('If-Match')).toBe('"v4"');
  expect(put?.body).toEqual({ filter: { kind: 'generation' }, pins: ['ollama/one'], forAuto: true });
});

it('saves the filters as a view, and shows it', async () => {
  const calls = serve({
    [list]: page(one, two),
    'GET /v1/orgs/acme/views': page(),
    'GET /v1/providers': page(),
    'PUT /v1/orgs/acme/views/mine': { body: {} },
  });
  const { router } = show({ query: '?q=one&status=active&status=disabled' });
  await row('one');
  await userEvent.click(screen.getByRole('button', { name: 'Views' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Save these filters as a view…' }));
  expect(await screen.findByText(/A view has one provider and one status/)).toBeVisible();
  await userEvent.type(screen.getByLabelText(/^Name/), 'mine');
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(router.state.location.search).toContain('view=mine'));
  expect(calls.find((call) => call.method === 'PUT')?.body).toEqual({
    filter: { status: 'active', q: 'one' },
    pins: [],
    forAuto: false,
  });
});

it('explains a view that is not there', async () => {
  serve({ [list]: ({ path }) => (path.includes('view=') ? problem(404, 'NOT_FOUND', 'No.') : page(one)) });
  show({ query: '?view=gone' });
  expect(await screen.findByText('There is no view gone.')).toBeVisible();
});

it('names what uses a model, and what serves it', async () => {
  const deployment = {
    id: 'd',
    connectionId: 'c1',
    connection: 'eu',
    upstreamName: 'one',
    priority: 1,
    health: 'healthy',
    availability: 'available',
  };
  const served = {
    ...one,
    deployments: [
      { ...deployment, weight: 3, enabled: true, connectionEnabled: true },
      { ...deployment, id: 'e', connection: 'us', weight: 1, enabled: true, connectionEnabled: true },
      { ...deployment, id: 'f', connection: 'old', weight: 1, enabled: false, connectionEnabled: true },
    ],
  };
  serve({
    [list]: page(one),
    [`GET ${oneRow}`]: { body: served },
    [`GET ${oneRow}/dependents`]: page({ refType: 'alias', refId: 'house-chat', label: null }),
  });
  show({ query: '?model=ollama%2Fone&tab=usage' });
  expect(await screen.findByRole('link', { name: 'house-chat' })).toHaveAttribute('href', '/orgs/acme/defaults');
  expect(screen.getByText(/gets 75% of its requests/)).toBeVisible();
  expect(screen.getByText(/gets 25% of its requests/)).toBeVisible();
  expect(screen.getByText(/is switched off/)).toBeVisible();
  expect(screen.getByText(/The registry does not count requests, tokens or costs/)).toBeVisible();
  expect(screen.getByText(/There is no link to a dashboard/)).toBeVisible();
  expect(screen.getByText(/llm_cost_micros_total\{provider="ollama", modelName="one"\}/)).toBeVisible();
});

it('links to the dashboard of a model where the API names one', async () => {
  const sharp = aModel({ slug: 'ollama/c#', modelName: 'c#&var-org=x' });
  serve({ [list]: page(sharp), 'GET /v1/orgs/acme/models/ollama/c#': { body: sharp } });
  show({
    query: `?model=${encodeURIComponent('ollama/c#')}&tab=usage`,
    dashboardUrl: 'https://grafana.example.org/d/tokenrail-use?from=now-7d',
  });
  expect(await screen.findByRole('link', { name: 'Open the dashboard of this model' })).toHaveAttribute(
    'href',
    'https://grafana.example.org/d/tokenrail-use?from=now-7d&var-org=acme&var-provider=ollama&var-model=c%23%26var-org%3Dx',
  );
  expect(screen.queryByText(/There is no link/)).toBeNull();
});

it('sets only variables that the dashboard has', () => {
  const { templating } = JSON.parse(readFileSync('../deploy/grafana/use.json', 'utf8')) as {
    templating: { list: { name: string }[] };
  };
  const address = new URL(dashboardOf('https://grafana.example.org/d/x', 'acme', one));
  const known = templating.list.map(({ name }) => `var-${name}`);
  expect([...address.searchParams.keys()].filter((name) => !known.includes(name))).toEqual([]);
});

async function grantTo(group: string) {
  await userEvent.click(screen.getByRole('checkbox', { name: 'Select all models shown' }));
  await userEvent.click(screen.getByRole('button', { name: 'More' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Grant access…' }));
  await userEvent.click(await screen.findByRole('combobox', { name: 'Who gets access' }));
  await userEvent.click(screen.getByRole('option', { name: 'A group' }));
  await userEvent.type(screen.getByRole('textbox', { name: /Name of the group/ }), group);
  await userEvent.click(screen.getByRole('button', { name: 'Apply' }));
}

const batch = 'POST /v1/orgs/acme/grants:batch';
const removal = 'POST /v1/orgs/acme/grants:remove';
const objectsOf = (call: Call) => (call.body as { grants: { object: string }[] }).grants.map((grant) => grant.object);
const granted = (call: Call) => ({
  body: {
    results: objectsOf(call).map((object, i) => ({ object, status: 201, grant: { id: `g${i}`, version: 40 + i } })),
  },
});

it('grants access to all selected models in one request, and takes it back', async () => {
  const calls = serve({
    [list]: page(one, two),
    [batch]: granted,
    [removal]: { body: { results: ['g0', 'g1'].map((id) => ({ id, status: 204 })) } },
  });
  show();
  await row('one');
  await grantTo('staff');
  expect(await screen.findByText('Access granted to 2 models.')).toBeInTheDocument();
  const sent = calls.filter((call) => call.method === 'POST');
  expect(sent).toHaveLength(1);
  const rule = { subjectKind: 'group', subject: 'staff', objectKind: 'model', effect: 'allow', version: 0 };
  expect(sent[0]?.body).toEqual({
    grants: [
      { ...rule, object: 'ollama/one' },
      { ...rule, object: 'ollama/two' },
    ],
  });
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  expect(await screen.findByText('2 changes undone.')).toBeInTheDocument();
  expect(calls.find((call) => call.path.endsWith('/grants:remove'))?.body).toEqual({
    grants: [
      { id: 'g0', version: 40 },
      { id: 'g1', version: 41 },
    ],
  });
});

it('leaves a rule that denies as it is, and names it', async () => {
  const there = (effect: string) => ({
    status: 412,
    grant: { id: 'g9', version: 9, effect },
    problem: { detail: 'The resource has version 9 now.', hint: '' },
  });
  serve({
    [list]: page(one, two, aModel({ slug: 'ollama/three', modelName: 'three' })),
    [batch]: {
      body: {
        results: [
          { object: 'ollama/one', ...there('deny') },
          { object: 'ollama/two', ...there('allow') },
          { object: 'ollama/three', status: 201, grant: { id: 'g1', version: 41 } },
        ],
      },
    },
  });
  show();
  await row('one');
  await grantTo('staff');
  expect(await screen.findByText('Access granted to 1 model. 1 model had it already.')).toBeInTheDocument();
  const dialog = await screen.findByRole('dialog', { name: '1 model was not changed' });
  expect(within(dialog).getByText(/A rule denies it, and stays/)).toBeInTheDocument();
  expect(within(dialog).getByText('ollama/one')).toBeInTheDocument();
});

it('keeps who was to get access when granting fails', async () => {
  let failing = true;
  serve({
    [list]: page(one, two),
    [batch]: (call) => (failing ? problem(500, 'INTERNAL', 'The database is away.') : granted(call)),
  });
  show();
  await row('one');
  await grantTo('staff');
  expect(await screen.findByText(/0 models of 2, then it ended\. The database is away\./)).toBeInTheDocument();
  failing = false;
  await userEvent.click(screen.getByRole('button', { name: 'More' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Grant access…' }));
  expect(await screen.findByRole('textbox', { name: /Name of the group/ })).toHaveValue('staff');
  await userEvent.click(screen.getByRole('button', { name: 'Apply' }));
  expect(await screen.findByText('Access granted to 2 models.')).toBeInTheDocument();
});
