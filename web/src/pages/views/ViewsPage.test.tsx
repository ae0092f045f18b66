// @vitest-environment jsdom
import { cleanup, fireEvent, screen } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';

import type { View } from '../../api/records';
import { page, serve, showPage } from '../../test/page';
import { filterOf, filterText, formOf, modelsQuery } from './viewForm';
import ViewsPage from './ViewsPage';

afterEach(cleanup);

const view: View = {
  name: 'chat-with-tools',
  scope: 'organization',
  version: 3,
  filter: { kind: 'generation', capabilities: ['tools'], tags: ['fast'], free: false, contextMin: 8192, hidden: false },
  pins: [{ modelId: 'm1', model: 'openai/gpt-5' }],
  updatedAt: '2026-01-01T00:00:00Z',
};

it('gives back the filter that it was made from', () => {
  expect(filterOf(formOf(view))).toEqual({
    kind: 'generation',
    capabilities: ['tools'],
    tags: ['fast'],
    free: false,
    contextMin: 8192,
  });
  expect(filterOf(formOf(null))).toEqual({});
});

it('describes a filter in words, and as the address of the models page', () => {
  expect(filterText(view.filter)).toBe('Generation, Tools, #fast, paid, ≥ 8,192 tokens');
  expect(filterText({})).toBe('All models');
  expect(modelsQuery({ kind: 'embedding', q: 'a&b' })).toBe('kind=embedding&q=a%26b');
});

it('saves filter and pins by the version that was edited', async () => {
  const calls = serve({
    'GET /v1/orgs/acme/views': page(view),
    'GET /v1/orgs/acme/models': page(),
    'GET /v1/providers': page(),
    'PUT /v1/orgs/acme/views/chat-with-tools': { body: view },
  });
  showPage(<ViewsPage />);
  fireEvent.click(await screen.findByLabelText('Edit chat-with-tools'));
  fireEvent.change(screen.getByLabelText('Search text'), { target: { value: 'gpt' } });
  fireEvent.click(screen.getByText('Save'));
  await screen.findByText('chat-with-tools is saved.');
  const put = calls.find((call) => call.method === 'PUT');
  expect(put?.headers.get('If-Match')).toBe('"v3"');
  expect(put?.body).toMatchObject({ filter: { kind: 'generation', q: 'gpt' }, pins: ['openai/gpt-5'] });
});

it('explains a server without views', async () => {
  serve({});
  showPage(<ViewsPage />);
  expect(await screen.findByText('This server does not offer it')).toBeVisible();
});
