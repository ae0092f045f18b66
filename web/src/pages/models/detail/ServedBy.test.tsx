// @vitest-environment jsdom
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import type { Deployment, Model } from '../../../api/types';
import { aModel } from '../../../test/models';
import { layOut, page, serve, showPage } from '../../../test/page';
import { aConnection } from '../../../test/records';
import ModelsPage from '../ModelsPage';

const served: Deployment = {
  id: 'd1',
  connectionId: 'c1',
  connection: 'openai-eu',
  upstreamName: 'gpt-5',
  priority: 3,
  weight: 1,
  enabled: true,
  connectionEnabled: true,
  health: 'healthy',
  availability: 'listed',
};
const own = aModel({ slug: 'openai/gpt-5', provider: 'openai', modelName: 'gpt-5', scope: 'organization' });

beforeEach(() => {
  localStorage.clear();
  layOut();
});

function open(model: Model) {
  const one = `/v1/orgs/acme/models/${model.slug}`;
  const calls = serve({
    'GET /v1/orgs/acme/models': page(model),
    [`GET ${one}`]: { body: model },
    [`PATCH ${one}`]: { body: model },
    'GET /v1/orgs/acme/connections': page(
      aConnection(),
      aConnection({ id: 'c2', name: 'openai-us' }),
      aConnection({ id: 'c3', name: 'other', provider: 'ollama' }),
    ),
  });
  showPage(<ModelsPage />, { path: 'models', query: `?model=${encodeURIComponent(model.slug)}` });
  return calls;
}

it('gives a model of the organisation another connection that serves it', async () => {
  const calls = open({ ...own, deployments: [served] });
  const user = userEvent.setup();
  await user.click(await screen.findByRole('combobox', { name: 'Serve it by a connection' }));
  // Neither what serves it already nor a connection to another provider.
  expect(screen.getAllByRole('option').map((option) => option.textContent)).toEqual(['None', 'openai-us']);
  await user.click(screen.getByRole('option', { name: 'openai-us' }));
  expect(screen.getByText('when you save')).toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() =>
    expect(calls.find((call) => call.method === 'PATCH')?.body).toEqual({
      deployments: [
        { connectionId: 'c1', upstreamName: 'gpt-5', priority: 3, weight: 1, enabled: true },
        { connectionId: 'c2' },
      ],
    }),
  );
});

it('takes a connection from a model of the organisation', async () => {
  const calls = open({ ...own, deployments: [served] });
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: 'No longer serve it by openai-eu' }));
  await user.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(calls.find((call) => call.method === 'PATCH')?.body).toEqual({ deployments: [] }));
});

it('leaves the connections of a model of the platform as they are', async () => {
  open({ ...own, scope: 'platform', deployments: [served] });
  expect(await screen.findByText('openai-eu')).toBeInTheDocument();
  expect(screen.queryByRole('combobox', { name: 'Serve it by a connection' })).toBeNull();
  expect(screen.queryByRole('button', { name: /No longer serve/ })).toBeNull();
});
