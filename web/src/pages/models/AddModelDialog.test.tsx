// @vitest-environment jsdom
import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { aModel } from '../../test/models';
import { layOut, page, problem, type Server, serve, showPage } from '../../test/page';
import { aConnection, openAi } from '../../test/records';
import ModelsPage from './ModelsPage';

const org = '/v1/orgs/acme';
const made = aModel({ slug: 'openai/mine', provider: 'openai', modelName: 'mine' });
const server = (more: Server = {}): Server => ({
  [`GET ${org}/models`]: page(),
  [`GET ${org}/connections`]: page(aConnection()),
  'GET /v1/providers': page(openAi),
  ...more,
});

beforeEach(() => {
  localStorage.clear();
  layOut();
});

async function fill() {
  const user = userEvent.setup();
  await user.click((await screen.findAllByRole('button', { name: 'Add a model' }))[0] as HTMLElement);
  await user.type(await screen.findByLabelText(/^Name at the provider/), 'mine');
  // The person says which provider it is of.
  expect(screen.getByRole('button', { name: 'Add' })).toBeDisabled();
  await user.click(screen.getByRole('combobox', { name: 'Served by' }));
  await user.click(await screen.findByRole('option', { name: 'openai-eu · openai' }));
  await user.click(screen.getByRole('combobox', { name: 'Kind' }));
  await user.click(screen.getByRole('option', { name: 'Embedding' }));
  await user.click(screen.getByRole('button', { name: 'Add' }));
}

it('adds a model that no provider lists, and opens it', async () => {
  const calls = serve(
    server({ [`POST ${org}/models`]: { status: 201, body: made }, [`GET ${org}/models/openai/mine`]: { body: made } }),
  );
  const { router } = showPage(<ModelsPage />, { path: 'models' });
  await fill();
  expect(await screen.findByText('mine is added.')).toBeInTheDocument();
  expect(calls.find((call) => call.method === 'POST')?.body).toEqual({
    provider: 'openai',
    modelName: 'mine',
    kind: 'embedding',
    enabled: true,
    deployments: [{ connectionId: 'c1' }],
  });
  expect(new URLSearchParams(router.state.location.search).get('model')).toBe('openai/mine');
});

it('keeps what was typed where the name is taken', async () => {
  serve(server({ [`POST ${org}/models`]: problem(409, 'ALREADY_EXISTS', 'There is such a model.') }));
  showPage(<ModelsPage />, { path: 'models' });
  await fill();
  expect(await screen.findByText('There is such a model.')).toBeVisible();
  expect(screen.getByLabelText(/^Name at the provider/)).toHaveValue('mine');
});

it('leads a viewer of an empty list to nothing that a viewer may not do', async () => {
  serve(server());
  showPage(<ModelsPage />, { path: 'models', role: 'viewer' });
  await screen.findByText('No models configured yet.');
  expect(screen.queryByRole('button', { name: 'Add a model' })).toBeNull();
  expect(screen.queryByRole('link', { name: 'Add a connection' })).toBeNull();
});
