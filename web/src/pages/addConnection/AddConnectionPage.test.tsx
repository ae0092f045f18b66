// @vitest-environment jsdom
import { cleanup, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { page, problem, type Server, serve, showPage } from '../../test/page';
import { aConnection, openAi } from '../../test/records';
import { aModel } from '../../test/models';
import AddConnectionPage from './AddConnectionPage';
import { draftOf, emptyDraft, freeName } from './draft';

afterEach(cleanup);
beforeEach(() => draftOf('acme').set(emptyDraft));

const org = '/v1/orgs/acme';
const secret = 'sk-very-secret';
const passed = { outcome: 'ok', latencyMs: 20, stages: [{ stage: 'list', status: 'ok', message: '', fix: '' }] };
const made = aConnection({ id: 'c9', name: 'openai' });
const model = aModel({
  slug: 'openai/gpt-5',
  provider: 'openai',
  modelName: 'gpt-5',
  enabled: false,
  deployments: [{ connectionId: 'c9' } as never],
});
const server = (more: Server = {}): Server => ({
  'GET /v1/providers': page(openAi),
  [`GET ${org}/connections`]: page(),
  [`GET ${org}/credentials`]: page(),
  [`GET ${org}/sync-runs`]: page(),
  [`GET ${org}/defaults`]: page(),
  [`GET ${org}/models`]: page(model),
  [`POST ${org}/connections:test`]: { body: passed },
  [`POST ${org}/credentials`]: { status: 201, body: { id: 'k9' } },
  [`POST ${org}/connections`]: { status: 201, body: made },
  [`POST ${org}/connections/c9:sync`]: { status: 202, body: { id: 'op1' } },
  [`GET ${org}/operations/op1`]: { body: { id: 'op1', state: 'done' } },
  ...more,
});

async function toTest() {
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: /Anything/ }));
  await user.click(await screen.findByRole('button', { name: /OpenAI/ }));
  expect(screen.getByRole('textbox', { name: /Base URL/ })).toHaveValue('https://api.openai.com/v1');
  await user.type(screen.getByLabelText(/API key/), secret);
  await user.click(screen.getByRole('button', { name: 'Next' }));
  return user;
}

it('tests the draft with the key, then stores key and connection', async () => {
  const calls = serve(server());
  showPage(<AddConnectionPage />);
  const user = await toTest();
  await user.click(screen.getByRole('button', { name: 'Test' }));
  await screen.findByText(/The connection works/);
  await user.click(screen.getByRole('button', { name: 'Save the connection' }));
  await screen.findByText('Which models may be used?');
  const posted = (path: string) => calls.find((call) => call.method === 'POST' && call.path === path)?.body;
  expect(posted(`${org}/connections:test`)).toMatchObject({ provider: 'openai', authType: 'bearer', secret });
  expect(posted(`${org}/credentials`)).toMatchObject({ provider: 'openai', label: 'openai', secret });
  expect(posted(`${org}/connections`)).toEqual({
    provider: 'openai',
    name: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    authType: 'bearer',
    credentialId: 'k9',
    onNew: 'disabled',
  });
});

it('keeps the key out of the caches, the storage and the draft', async () => {
  serve(server({ [`POST ${org}/connections`]: problem(409, 'ALREADY_EXISTS', 'The name is taken.') }));
  const { queryClient } = showPage(<AddConnectionPage />);
  const user = await toTest();
  await user.click(screen.getByRole('button', { name: 'Test' }));
  await screen.findByText(/The connection works/);
  const kept = JSON.stringify([
    queryClient
      .getQueryCache()
      .getAll()
      .map((query) => [query.queryKey, query.state.data]),
    queryClient
      .getMutationCache()
      .getAll()
      .map((mutation) => mutation.state),
    draftOf('acme').get(),
    { ...localStorage },
    { ...sessionStorage },
  ]);
  expect(kept).not.toContain(secret);
});

async function addHeader() {
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: /Anything/ }));
  await user.click(await screen.findByRole('button', { name: /OpenAI/ }));
  await user.type(screen.getByLabelText(/API key/), secret);
  await user.click(screen.getByRole('button', { name: 'Add a secret header' }));
  await user.type(screen.getByLabelText(/^Name of header 1/), 'X-Project');
  expect(screen.getByText('Enter the name and the value of each secret header, or remove it.')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Next' })).toBeDisabled();
  await user.type(screen.getByLabelText(/^Value of header 1/), 'p-1');
  await user.click(screen.getByRole('button', { name: 'Next' }));
  return user;
}

it('tests and stores further secret headers with the key', async () => {
  const calls = serve(server());
  showPage(<AddConnectionPage />);
  const user = await addHeader();
  await user.click(screen.getByRole('button', { name: 'Test' }));
  await screen.findByText(/The connection works/);
  await user.click(screen.getByRole('button', { name: 'Save the connection' }));
  await screen.findByText('Which models may be used?');
  for (const path of [`${org}/connections:test`, `${org}/credentials`])
    expect(calls.find((call) => call.method === 'POST' && call.path === path)?.body).toMatchObject({
      secret,
      headers: { 'X-Project': 'p-1' },
    });
});

it('keeps the names of secret headers while another page is looked at, and not their values', async () => {
  serve(server());
  const { unmount } = showPage(<AddConnectionPage />);
  await addHeader();
  expect(JSON.stringify(draftOf('acme').get())).not.toContain('p-1');
  unmount();
  showPage(<AddConnectionPage />);
  expect(await screen.findByLabelText(/^Name of header 1/)).toHaveValue('X-Project');
  expect(screen.getByLabelText(/^Value of header 1/)).toHaveValue('');
});

it('stores the key once where the connection is refused at first', async () => {
  let tries = 0;
  const calls = serve(
    server({
      [`POST ${org}/connections`]: () =>
        ++tries === 1 ? problem(409, 'ALREADY_EXISTS', 'The name is taken.') : { status: 201, body: made },
    }),
  );
  showPage(<AddConnectionPage />);
  const user = await toTest();
  await user.click(screen.getByRole('button', { name: 'Save the connection' }));
  expect(await screen.findByText('The name is taken.')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Save the connection' }));
  await screen.findByText('Which models may be used?');
  expect(calls.filter((call) => call.method === 'POST' && call.path === `${org}/credentials`)).toHaveLength(1);
});

it('keeps what was typed while another page is looked at, and asks for the key again', async () => {
  serve(server());
  const { unmount } = showPage(<AddConnectionPage />);
  await toTest();
  unmount();
  showPage(<AddConnectionPage />);
  expect(await screen.findByText(/Enter it again/)).toBeVisible();
  expect(screen.getByRole('textbox', { name: /^Name/ })).toHaveValue('openai');
  expect(screen.getByLabelText(/API key/)).toHaveValue('');
});

it('enables the chosen models, then sets a default', async () => {
  let enabled = false;
  const calls = serve(
    server({
      [`GET ${org}/models`]: () => page({ ...model, enabled }),
      [`POST ${org}/models:batch`]: () => {
        enabled = true;
        return { body: { results: [{ model: 'openai/gpt-5', status: 200, version: 2 }] } };
      },
      [`PUT ${org}/defaults`]: { body: {} },
    }),
  );
  draftOf('acme').set({ ...emptyDraft, step: 4, provider: 'openai', connection: made });
  const { router } = showPage(<AddConnectionPage />);
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: 'Choose all' }));
  await user.click(screen.getByRole('button', { name: 'Enable 1 model' }));
  await user.click(await screen.findByRole('combobox', { name: 'Generation' }));
  await user.click(screen.getByRole('option', { name: 'gpt-5' }));
  await user.click(screen.getByRole('button', { name: 'Finish' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/orgs/acme/connections/c9'));
  const put = calls.find((call) => call.method === 'PUT');
  expect(put?.body).toEqual({ kind: 'generation', model: 'openai/gpt-5' });
  expect(put?.headers.get('If-None-Match')).toBe('*');
});

it('stays with the models that could not be enabled, and enables them at the next try', async () => {
  let failing = true;
  serve(
    server({
      [`GET ${org}/models`]: page({ ...model, enabled: false }),
      [`POST ${org}/models:batch`]: () =>
        failing
          ? problem(500, 'INTERNAL', 'The database is away.')
          : { body: { results: [{ model: 'openai/gpt-5', status: 200, version: 2 }] } },
    }),
  );
  draftOf('acme').set({ ...emptyDraft, step: 4, provider: 'openai', connection: made });
  showPage(<AddConnectionPage />);
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: 'Choose all' }));
  await user.click(screen.getByRole('button', { name: 'Enable 1 model' }));
  expect(await screen.findByText('The database is away.')).toBeVisible();
  failing = false;
  await user.click(screen.getByRole('button', { name: 'Enable 1 model' }));
  expect(await screen.findByText('1 model enabled.')).toBeVisible();
  expect(await screen.findByRole('button', { name: 'Finish' })).toBeVisible();
});

it('offers the flow only to users who may add connections', () => {
  serve(server());
  showPage(<AddConnectionPage />, { role: 'model_admin' });
  expect(screen.getByText('You may not add connections')).toBeVisible();
});

it('finds a name that is free', () => {
  expect(freeName('openai', ['openai', 'openai-2'])).toBe('openai-3');
});
