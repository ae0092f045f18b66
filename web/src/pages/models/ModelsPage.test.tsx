// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import type { Model } from '../../api/types';
import { aModel } from '../../test/models';
import { renderPage } from '../../test/modelsPage';
import { json, problem, serve } from '../../test/serve';
import ModelsPage from './ModelsPage';

const list = '/v1/orgs/acme/models';
const one = aModel({ slug: 'ollama/one', modelName: 'one', version: 7, scope: 'organization', inherits: false });
const two = aModel({ slug: 'ollama/two', modelName: 'two', version: 8, isDefault: true });
const page = (...models: Model[]) => ({ data: models, next_page_token: '', total_size: models.length });

async function row(name: string) {
  return waitFor(() => {
    const found = screen.getAllByRole('row').find((element) => element.textContent?.includes(`ollama:${name}`));
    if (!found) throw new Error(`no row ${name}`);
    return found;
  });
}

beforeEach(() => localStorage.clear());

it('switches a model off with its version, and keeps it in the list', async () => {
  const served = serve({
    [list]: page(one, two),
    [`${list}/ollama%2Fone`]: () => json({ ...one, enabled: false, status: 'disabled', version: 9 }),
  });
  renderPage(<ModelsPage />);
  await userEvent.click(within(await row('one')).getByRole('switch'));
  expect(await screen.findByText('one is disabled. It stays in the list.')).toBeInTheDocument();
  const patch = served.requests.find((request) => request.method === 'PATCH');
  expect(patch?.headers.get('If-Match')).toBe('"v7"');
  expect(within(await row('one')).getByRole('switch')).not.toBeChecked();
});

it('gives the switch back and explains when the change is refused', async () => {
  serve({ [list]: page(one), [`${list}/ollama%2Fone`]: () => problem(403, 'FORBIDDEN', 'You may not do this.') });
  renderPage(<ModelsPage />);
  await userEvent.click(within(await row('one')).getByRole('switch'));
  expect(await screen.findByText(/You may not do this/)).toBeInTheDocument();
  expect(within(await row('one')).getByRole('switch')).toBeChecked();
});

it('shows the default with a star, and moves it', async () => {
  const served = serve({ [list]: page(one, two), '/v1/orgs/acme/defaults': {} });
  renderPage(<ModelsPage />);
  expect(within(await row('two')).getByText(/★/)).toBeInTheDocument();
  await userEvent.click(within(await row('one')).getByRole('checkbox'));
  await userEvent.click(screen.getByRole('button', { name: 'More' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Make default' }));
  expect(await screen.findByText('one is the default for Generation.')).toBeInTheDocument();
  const put = served.requests.find((request) => request.method === 'PUT');
  expect(await put?.json()).toEqual({ kind: 'generation', model: 'ollama/one' });
});

it('asks before it deletes, and warns of knowledge bases', async () => {
  const served = serve({
    [list]: page(one, two),
    [`${list}/ollama%2Fone`]: (request: Request) =>
      request.method === 'DELETE' ? new Response(null, { status: 204 }) : json(one),
    [`${list}/ollama%2Fone/dependents`]: {
      data: [{ refType: 'knowledge_base', refId: 'kb-1', label: 'Contracts' }],
      next_page_token: '',
    },
  });
  renderPage(<ModelsPage />, { query: '?model=ollama%2Fone' });
  await userEvent.click(await screen.findByRole('button', { name: 'Delete…' }));
  const dialog = await screen.findByRole('dialog', { name: 'Delete one?' });
  expect(await within(dialog).findByText('1 thing uses this model')).toBeInTheDocument();
  expect(within(dialog).getByText(/holds vectors of this model/)).toBeInTheDocument();
  expect(within(dialog).getByRole('button', { name: 'Delete' })).toBeDisabled();
  await userEvent.click(within(dialog).getByRole('checkbox'));
  await userEvent.click(within(dialog).getByRole('button', { name: 'Delete' }));
  await waitFor(() =>
    expect(served.requests.some((request) => request.method === 'DELETE' && request.url.includes('force=true'))).toBe(
      true,
    ),
  );
});

it('names the next step where there is no model', async () => {
  serve({ [list]: page() });
  renderPage(<ModelsPage />);
  expect(await screen.findByText('No models configured yet.')).toBeInTheDocument();
});

it('offers a viewer no change', async () => {
  serve({ [list]: page(one) });
  renderPage(<ModelsPage />, { role: 'viewer' });
  expect(within(await row('one')).getByRole('switch')).toBeDisabled();
  expect(screen.queryByRole('checkbox', { name: /Select/ })).toBeNull();
});
