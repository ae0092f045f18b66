// @vitest-environment jsdom
// What a row shows of a model: S0.59, S0.60, S0.64.
import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, it } from 'vitest';

import type { Model } from '../../api/types';
import { aModel } from '../../test/models';
import { layOut, page, serve, showPage } from '../../test/page';
import { chosenColumns } from './columns';
import ModelsPage from './ModelsPage';
import css from './ModelTable.module.css';

const defaultColumns = chosenColumns.get();

beforeEach(() => {
  chosenColumns.set(defaultColumns);
  layOut();
});

/** The row of a list that has only this model. */
async function rowOf(model: Model) {
  serve({ 'GET /v1/orgs/acme/models': page(model) });
  showPage(<ModelsPage />, { path: 'models' });
  return waitFor(() => {
    const row = screen.getAllByRole('row').find((element) => element.textContent?.includes(`:${model.modelName}`));
    if (!row) throw new Error('no row yet');
    return row;
  });
}

it('names the model, what it is called at the provider, whose it is, and its description', async () => {
  const row = await rowOf(
    aModel({ displayName: 'House model', description: 'Answers customers', scope: 'override', inherits: false }),
  );
  expect(within(row).getByText('House model')).toBeVisible();
  expect(within(row).getByText('ollama:llama3 · Answers customers')).toBeVisible();
  expect(within(row).getByText('Org override')).toBeVisible();
});

it('says Platform of a model that the organisation has not changed', async () => {
  const row = await rowOf(aModel());
  expect(within(row).getByText('Platform')).toBeVisible();
  expect(within(row).queryByText('Org override')).toBeNull();
});

it('marks the default, capabilities and limits', async () => {
  chosenColumns.set([...defaultColumns, 'output']);
  const row = await rowOf(
    aModel({
      isDefault: true,
      capabilities: { tools: 'supported', vision: 'supported', reasoning: 'unsupported', pdf: 'unknown' },
      contextWindow: 131072,
      outputTokensMax: 8192,
    }),
  );
  expect(within(row).getByText(/Default/)).toBeVisible();
  expect(within(row).getByText('Tools')).toBeVisible();
  expect(within(row).getByText('Vision')).toBeVisible();
  expect(within(row).queryByText('Reasoning')).toBeNull();
  expect(within(row).queryByText('PDF')).toBeNull();
  expect(within(row).getByText('131,072')).toBeVisible();
  expect(within(row).getByText('8,192')).toBeVisible();
});

it('mutes a disabled model', async () => {
  const row = await rowOf(aModel({ enabled: false, status: 'disabled' }));
  expect(within(row).getByText('Disabled')).toBeVisible();
  expect(css.off).toBeTruthy();
  expect(row).toHaveClass(css.off ?? '');
});

it('does not mute an enabled model', async () => {
  expect(await rowOf(aModel())).not.toHaveClass(css.off ?? '');
});

it('marks a deprecated model', async () => {
  const row = await rowOf(aModel({ lifecycle: 'deprecated' }));
  expect(within(row).getByText('Deprecated')).toBeVisible();
});

it('marks no model that is simply active', async () => {
  const row = await rowOf(aModel({ lifecycle: 'active' }));
  expect(within(row).queryByText('Deprecated')).toBeNull();
});

it('says until when a list had the model', async () => {
  chosenColumns.set([...defaultColumns, 'seen']);
  const threeDaysAgo = new Date(Date.now() - 3 * 86_400_000).toISOString();
  const row = await rowOf(aModel({ availability: 'missing', missingSince: threeDaysAgo }));
  expect(within(row).getByText('Until 3 days ago')).toHaveAttribute('title', expect.stringMatching(/first without it/));
});

it('says that the newest list has the model', async () => {
  chosenColumns.set([...defaultColumns, 'seen']);
  const row = await rowOf(aModel({ availability: 'listed', missingSince: null }));
  expect(within(row).getByText('In the newest list')).toBeVisible();
});
