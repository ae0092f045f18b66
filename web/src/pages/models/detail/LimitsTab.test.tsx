// @vitest-environment jsdom
// The parameters of each kind of model: S1.3, S1.5, S1.6.
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import type { Model } from '../../../api/types';
import { aModel } from '../../../test/models';
import { type Call, layOut, page, serve, showPage } from '../../../test/page';
import ModelsPage from '../ModelsPage';

const list = 'GET /v1/orgs/acme/models';

beforeEach(() => {
  localStorage.clear();
  layOut();
});

async function openLimits(model: Model) {
  const one = `/v1/orgs/acme/models/${model.slug}`;
  const calls = serve({ [list]: page(model), [`GET ${one}`]: { body: model }, [`PATCH ${one}`]: { body: model } });
  showPage(<ModelsPage />, { path: 'models', query: `?model=${encodeURIComponent(model.slug)}&tab=limits` });
  await screen.findByRole('spinbutton', { name: 'Context window' });
  return calls;
}

/** The body of the change that saving sends. */
async function saved(calls: Call[]): Promise<unknown> {
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  return waitFor(() => {
    const found = calls.find((call) => call.method === 'PATCH');
    if (!found) throw new Error('nothing is saved yet');
    return found.body;
  });
}

it('asks for the parameters of an embedding model, and saves them', async () => {
  const calls = await openLimits(
    aModel({ slug: 'ollama/embed', modelName: 'embed', kind: 'embedding', scope: 'organization', inherits: false }),
  );
  expect(screen.queryByRole('spinbutton', { name: 'Temperature' })).toBeNull();
  expect(screen.queryByRole('spinbutton', { name: 'Output at most' })).toBeNull();
  const user = userEvent.setup();
  await user.type(screen.getByRole('spinbutton', { name: 'Dimensions' }), '768');
  await user.type(screen.getByRole('spinbutton', { name: 'Input at most' }), '512');
  await user.type(screen.getByRole('spinbutton', { name: 'Batch size' }), '16');
  await user.click(screen.getByRole('combobox', { name: 'Distance' }));
  await user.click(await screen.findByRole('option', { name: 'Cosine' }));
  await user.click(screen.getByRole('combobox', { name: 'Vectors are normalised' }));
  await user.click(await screen.findByRole('option', { name: 'Yes' }));
  expect(await saved(calls)).toEqual({
    embeddingDimensions: 768,
    inputTokensMax: 512,
    params: { batchSize: 16, distanceMetric: 'cosine', normalize: true },
  });
});

it('removes a parameter of an embedding model', async () => {
  const calls = await openLimits(
    aModel({
      slug: 'ollama/embed',
      modelName: 'embed',
      kind: 'embedding',
      scope: 'organization',
      inherits: false,
      params: { batchSize: 16, normalize: true },
    }),
  );
  await userEvent.clear(screen.getByRole('spinbutton', { name: 'Batch size' }));
  expect(await saved(calls)).toEqual({ params: { batchSize: null, normalize: true } });
});

it('asks for the parameters of a generation model, and saves them for its deployments', async () => {
  const deployment = { id: 'd1', connectionId: 'c1', connection: 'own', upstreamName: 'x', priority: 0, weight: 1 };
  const calls = await openLimits(
    aModel({
      slug: 'ollama/chat',
      modelName: 'chat',
      scope: 'organization',
      inherits: false,
      deployments: [
        { ...deployment, enabled: true, connectionEnabled: true, health: 'healthy', params: { topK: 7 } } as never,
      ],
    }),
  );
  expect(screen.queryByRole('spinbutton', { name: 'Dimensions' })).toBeNull();
  expect(screen.queryByRole('combobox', { name: 'Distance' })).toBeNull();
  expect(screen.getByRole('spinbutton', { name: 'Top K' })).toHaveValue(7);
  const user = userEvent.setup();
  await user.type(screen.getByRole('spinbutton', { name: 'Output at most' }), '2000');
  await user.type(screen.getByRole('spinbutton', { name: 'Temperature' }), '0.5');
  await user.type(screen.getByRole('spinbutton', { name: 'Top P' }), '0.9');
  expect(await saved(calls)).toEqual({
    outputTokensMax: 2000,
    deployments: [
      {
        connectionId: 'c1',
        upstreamName: 'x',
        priority: 0,
        weight: 1,
        enabled: true,
        params: { topK: 7, temperature: 0.5, topP: 0.9 },
      },
    ],
  });
});
