// @vitest-environment jsdom
import { cleanup, fireEvent, screen } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';

import type { View } from '../../api/records';
import { page, problem, serve, showPage } from '../../test/page';
import { noFilter } from '../models/filters';
import { filterOf, filterText, formOf, formOfFilter } from './viewForm';
import ViewsPage from './ViewsPage';

afterEach(cleanup);

const view: View = {
  name: 'chat-with-tools',
  scope: 'organization',
  version: 3,
  filter: { kind: 'generation', capabilities: ['tools'], tags: ['fast'], free: false, contextMin: 8192, hidden: false },
  pins: [{ modelId: 'm1', model: 'openai/gpt-5' }],
  forAuto: false,
  updatedAt: '2026-01-01T00:00:00Z',
};

it('gives back the filter that it was made from', () => {
  expect(filterOf(formOf(view))).toEqual({
    kind: 'generation',
    capabilities: ['tools'],
    tags: ['fast'],
    free: false,
    contextMin: 8192,
    hidden: false,
  });
  expect(filterOf(formOf(null))).toEqual({});
});

it('describes a filter in words', () => {
  expect(filterText(view.filter)).toBe('Generation, Tools, #fast, without hidden, paid, ≥ 8,192 tokens');
  expect(filterText({})).toBe('All models');
});

it('takes over what the page of models shows, and knows what it cannot', () => {
  const filter = {
    ...noFilter,
    q: 'gpt',
    kind: 'generation' as const,
    tag: ['eu', 'fast'],
    hidden: 'without' as const,
  };
  expect(formOfFilter(filter)).toMatchObject({ exact: true, form: { q: 'gpt', tags: 'eu, fast', hidden: false } });
  expect(formOfFilter({ ...filter, scope: ['override', 'organization'] })).toMatchObject({
    exact: true,
    form: { scope: 'organization' },
  });
  for (const more of [
    { provider: ['a', 'b'] },
    { status: ['active' as const, 'blocked' as const] },
    { hidden: 'only' as const },
    { view: 'other' },
    { scope: ['override'] },
  ])
    expect(formOfFilter({ ...filter, ...more }).exact).toBe(false);
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

it('makes a view the one that "auto" selects from', async () => {
  const calls = serve({
    'GET /v1/orgs/acme/views': page(view, { ...view, name: 'free', forAuto: true }),
    'GET /v1/orgs/acme/models': page(),
    'GET /v1/providers': page(),
    'PUT /v1/orgs/acme/views/chat-with-tools': { body: view },
  });
  showPage(<ViewsPage />);
  expect(await screen.findAllByText('Source')).toHaveLength(1);
  fireEvent.click(screen.getByLabelText('Edit chat-with-tools'));
  const source = screen.getByRole('switch', { name: '“auto” selects from this view' });
  expect(source).not.toBeChecked();
  fireEvent.click(source);
  fireEvent.click(screen.getByText('Save'));
  await screen.findByText('chat-with-tools is saved.');
  expect(calls.find((call) => call.method === 'PUT')?.body).toMatchObject({ forAuto: true, pins: ['openai/gpt-5'] });
});

it('explains a server without views', async () => {
  serve({});
  showPage(<ViewsPage />);
  expect(await screen.findByText('This server does not offer it')).toBeVisible();
});

it('replaces no view by a new one of the same name', async () => {
  serve({
    'GET /v1/orgs/acme/views': page(view, { ...view, name: 'shared', scope: 'platform' }),
    'GET /v1/orgs/acme/models': page(),
    'GET /v1/providers': page(),
  });
  showPage(<ViewsPage />);
  fireEvent.click(await screen.findByText('Add a view'));
  const name = screen.getByLabelText(/^Name/);
  fireEvent.change(name, { target: { value: 'chat-with-tools' } });
  expect(screen.getByText(/This name is in use/)).toBeVisible();
  expect(screen.getByText('Save')).toBeDisabled();
  // The organisation's own view precedes the platform's of the same name.
  fireEvent.change(name, { target: { value: 'shared' } });
  expect(screen.getByText('Save')).toBeEnabled();
});

it('shows a view that another person has made meanwhile', async () => {
  const calls = serve({
    'GET /v1/orgs/acme/views': page(),
    'GET /v1/orgs/acme/models': page(),
    'GET /v1/providers': page(),
    'GET /v1/orgs/acme/views/chat-with-tools': { body: view },
    'PUT /v1/orgs/acme/views/chat-with-tools': (call) =>
      call.headers.get('If-Match') === '"v3"'
        ? { body: view }
        : problem(412, 'PRECONDITION_FAILED', 'The resource has version 3 now.', { current_version: 3 }),
  });
  showPage(<ViewsPage />);
  fireEvent.click(await screen.findByText('Add a view'));
  fireEvent.change(screen.getByLabelText(/^Name/), { target: { value: 'chat-with-tools' } });
  fireEvent.click(screen.getByText('Save'));
  expect(await screen.findByRole('dialog', { name: 'There is one already' })).toBeVisible();
  expect(calls.find((call) => call.method === 'PUT')?.headers.get('If-None-Match')).toBe('*');
  fireEvent.click(screen.getByText('Save mine over it'));
  await screen.findByText('chat-with-tools is saved.');
});
