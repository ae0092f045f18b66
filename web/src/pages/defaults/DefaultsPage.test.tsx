// @vitest-environment jsdom
import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';

import { page, problem, type Server, serve, showPage } from '../../test/page';
import { aModel } from '../../test/models';
import DefaultsPage from './DefaultsPage';
import { sharesOf } from './shares';

afterEach(cleanup);

const org = '/v1/orgs/acme';
const alias = {
  alias: 'house-chat',
  scope: 'organization',
  version: 4,
  sticky: 'conversation',
  description: '',
  targets: [
    { modelId: 'm1', model: 'openai/gpt-5', weight: 2 },
    { modelId: 'm2', model: 'ollama/small', weight: 1 },
  ],
  updatedAt: '2026-01-01T00:00:00Z',
};
const server = (more: Server = {}): Server => ({
  [`GET ${org}/defaults`]: page({
    kind: 'generation',
    provider: null,
    purpose: 'summary',
    modelId: 'm1',
    model: 'openai/gpt-5',
    version: 1,
    updatedAt: '2026-01-01T00:00:00Z',
  }),
  [`GET ${org}/aliases`]: page(alias, { ...alias, alias: 'shared', scope: 'platform' }),
  [`GET ${org}/models`]: page(aModel({ slug: 'openai/gpt-5' }), aModel({ slug: 'ollama/small' })),
  'GET /v1/providers': page(),
  ...more,
});

it('shows weights as shares that sum up to 100', async () => {
  expect(sharesOf([2, 1])).toEqual([67, 33]);
  expect(sharesOf([1, 1, 1])).toEqual([34, 33, 33]);
  expect(sharesOf([0, 0])).toEqual([0, 0]);
  serve(server());
  showPage(<DefaultsPage />);
  const row = (await screen.findByText('house-chat')).closest('tr') as HTMLElement;
  expect(within(row).getByText('67 %')).toBeVisible();
  expect(within(row).getByText('33 %')).toBeVisible();
});

it('removes exactly the default that is shown', async () => {
  const calls = serve(server({ [`DELETE ${org}/defaults`]: { status: 204 } }));
  showPage(<DefaultsPage />);
  fireEvent.click(await screen.findByLabelText('Remove the default for Generation, summary'));
  fireEvent.click(within(screen.getByRole('dialog')).getByText('Remove'));
  await screen.findByText('The default is removed.');
  const sent = calls.find((call) => call.method === 'DELETE');
  expect(sent?.path).toBe(`${org}/defaults?kind=generation&purpose=summary`);
  expect(sent?.headers.get('If-Match')).toBe('"v1"');
});

it('saves a set by the version that was edited, and shows both sets after a 412', async () => {
  const theirs = { ...alias, version: 9, targets: [{ modelId: 'm1', model: 'openai/gpt-5', weight: 1 }] };
  const calls = serve(
    server({
      [`GET ${org}/aliases/house-chat`]: { body: theirs },
      [`PUT ${org}/aliases/house-chat`]: (call) =>
        call.headers.get('If-Match') === '"v9"' ? { body: theirs } : problem(412, 'VERSION_CONFLICT', 'Changed.'),
    }),
  );
  showPage(<DefaultsPage />);
  fireEvent.click(await screen.findByLabelText('Edit house-chat'));
  fireEvent.change(screen.getByLabelText('Weight of model 2'), { target: { value: '2' } });
  expect(screen.getAllByText('50 % of the requests')).toHaveLength(2);
  fireEvent.click(screen.getByText('Save'));
  expect(await screen.findByText('openai/gpt-5 50 %, ollama/small 50 %')).toBeVisible();
  expect(screen.getByText('openai/gpt-5 100 %')).toBeVisible();
  fireEvent.click(screen.getByText('Save mine over it'));
  await screen.findByText('house-chat is saved.');
  expect(calls.filter((call) => call.method === 'PUT').at(-1)?.body).toEqual({
    sticky: 'conversation',
    targets: [
      { model: 'openai/gpt-5', weight: 2 },
      { model: 'ollama/small', weight: 2 },
    ],
  });
});

it('offers no change of an alias of the platform, and a viewer none at all', async () => {
  serve(server());
  showPage(<DefaultsPage />);
  await screen.findByText('shared');
  expect(screen.queryByLabelText('Edit shared')).toBeNull();
  cleanup();
  showPage(<DefaultsPage />, { role: 'viewer' });
  await screen.findByText('shared');
  expect(screen.queryByText('Edit')).toBeNull();
  expect(screen.queryByText('Set a default')).toBeNull();
});

it('replaces no alias by a new one of the same name', async () => {
  serve(server());
  showPage(<DefaultsPage />);
  fireEvent.click(await screen.findByText('Add an alias'));
  const dialog = within(screen.getByRole('dialog'));
  fireEvent.change(dialog.getByLabelText(/^Model/), { target: { value: 'openai/gpt-5' } });
  fireEvent.change(dialog.getByLabelText(/^Alias/), { target: { value: 'house-chat' } });
  expect(dialog.getByText(/This name is in use/)).toBeVisible();
  expect(dialog.getByText('Save')).toBeDisabled();
  fireEvent.change(dialog.getByLabelText(/^Alias/), { target: { value: 'house-chat-2' } });
  expect(dialog.getByText('Save')).toBeEnabled();
});

it('shows an alias that another person has made meanwhile, and replaces it only when asked', async () => {
  const theirs = {
    ...alias,
    alias: 'late',
    version: 9,
    targets: [{ modelId: 'm1', model: 'openai/gpt-5', weight: 1 }],
  };
  const calls = serve(
    server({
      [`GET ${org}/aliases/late`]: { body: theirs },
      [`PUT ${org}/aliases/late`]: (call) =>
        call.headers.get('If-Match') === '"v9"'
          ? { body: theirs }
          : problem(412, 'PRECONDITION_FAILED', 'The resource has version 9 now.', { current_version: 9 }),
    }),
  );
  showPage(<DefaultsPage />);
  fireEvent.click(await screen.findByText('Add an alias'));
  const form = within(screen.getByRole('dialog'));
  fireEvent.change(form.getByLabelText(/^Model/), { target: { value: 'ollama/small' } });
  fireEvent.change(form.getByLabelText(/^Alias/), { target: { value: 'late' } });
  fireEvent.click(form.getByText('Save'));
  const dialog = within(await screen.findByRole('dialog', { name: 'There is one already' }));
  expect(dialog.getByText('openai/gpt-5 100 %')).toBeVisible();
  expect(dialog.getByText('ollama/small 100 %')).toBeVisible();
  expect(calls.find((call) => call.method === 'PUT')?.headers.get('If-None-Match')).toBe('*');
  fireEvent.click(dialog.getByText('Save mine over it'));
  await screen.findByText('late is saved.');
});

const generation = {
  kind: 'generation',
  provider: null,
  purpose: '',
  modelId: 'm1',
  model: 'openai/gpt-5',
  version: 3,
  updatedAt: '2026-01-01T00:00:00Z',
};

async function setDefault(model: string) {
  fireEvent.click(await screen.findByText('Set a default'));
  fireEvent.change(within(screen.getByRole('dialog')).getByLabelText(/^Model/), { target: { value: model } });
  await waitFor(() => expect(screen.getByText('Save')).toBeEnabled());
}

it('names the default that a new one replaces, and replaces only that', async () => {
  const calls = serve(
    server({ [`GET ${org}/defaults`]: page(generation), [`PUT ${org}/defaults`]: { body: generation } }),
  );
  showPage(<DefaultsPage />);
  await setDefault('ollama/small');
  expect(screen.getByText('It is openai/gpt-5 now.')).toBeVisible();
  fireEvent.click(screen.getByText('Save'));
  await screen.findByText('ollama/small is the default.');
  expect(calls.find((call) => call.method === 'PUT')?.headers.get('If-Match')).toBe('"v3"');
});

it('shows a default that another person has set meanwhile', async () => {
  let set = false;
  const calls = serve(
    server({
      [`GET ${org}/defaults`]: () => (set ? page({ ...generation, version: 8 }) : page()),
      [`PUT ${org}/defaults`]: (call) => {
        set = true;
        return call.headers.get('If-Match') === '"v8"'
          ? { body: generation }
          : problem(412, 'PRECONDITION_FAILED', 'The resource has version 8 now.', { current_version: 8 });
      },
    }),
  );
  showPage(<DefaultsPage />);
  await setDefault('ollama/small');
  fireEvent.click(screen.getByText('Save'));
  fireEvent.click(await screen.findByText('Save mine over it'));
  await screen.findByText('ollama/small is the default.');
  const puts = calls.filter((call) => call.method === 'PUT');
  expect(puts.map((call) => [call.headers.get('If-None-Match'), call.headers.get('If-Match')])).toEqual([
    ['*', null],
    [null, '"v8"'],
  ]);
});

it('keeps a default that was changed before it was to be removed', async () => {
  serve(
    server({
      [`DELETE ${org}/defaults`]: problem(412, 'PRECONDITION_FAILED', 'The resource has version 8 now.'),
    }),
  );
  showPage(<DefaultsPage />);
  fireEvent.click(await screen.findByLabelText('Remove the default for Generation, summary'));
  fireEvent.click(within(screen.getByRole('dialog')).getByText('Remove'));
  expect(await screen.findByText('It was changed while you looked at it. Nothing was saved.')).toBeVisible();
});
