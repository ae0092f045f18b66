// @vitest-environment jsdom
import { cleanup, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, it } from 'vitest';

import { page, problem, type Server, serve, showPage } from '../../test/page';
import { aConnection, openAi } from '../../test/records';
import ConnectionsPage from './ConnectionsPage';

afterEach(cleanup);

const base = '/v1/orgs/acme/connections';
const server = (more: Server = {}): Server => ({
  [`GET ${base}`]: page(aConnection(), aConnection({ id: 'c2', name: 'shared', scope: 'platform', health: 'down' })),
  'GET /v1/providers': page(openAi),
  'GET /v1/orgs/acme/audit': page({
    targetId: 'c1',
    at: '2026-01-02T00:00:00Z',
    after: { outcome: 'auth' },
    action: 'connection.tested',
  }),
  ...more,
});
const openMenu = async (name: string) => {
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: `More for ${name}` }));
  return user;
};

it('shows health, the last sync and the cause of the last failed test', async () => {
  serve(server());
  showPage(<ConnectionsPage />);
  const row = (await screen.findByText('openai-eu')).closest('tr') as HTMLElement;
  expect(within(row).getByText('Reachable')).toBeVisible();
  expect(within(row).getByText('In sync')).toBeVisible();
  expect(await within(row).findByText('Key missing or wrong')).toBeVisible();
});

it('offers a sync only where the sync is on', async () => {
  serve(
    server({ [`GET ${base}`]: page(aConnection(), aConnection({ id: 'c2', name: 'by-hand', syncEnabled: false })) }),
  );
  showPage(<ConnectionsPage />);
  const user = await openMenu('openai-eu');
  expect(screen.getByRole('menuitem', { name: 'Sync now' })).toBeVisible();
  await user.keyboard('{Escape}');
  await openMenu('by-hand');
  expect(await screen.findByRole('menuitem', { name: 'Edit' })).toBeVisible();
  expect(screen.queryByRole('menuitem', { name: 'Sync now' })).toBeNull();
});

it('offers no change of a connection of the platform', async () => {
  serve(server());
  showPage(<ConnectionsPage />);
  const row = (await screen.findByText('shared')).closest('tr') as HTMLElement;
  expect(within(row).queryByRole('button')).toBeNull();
});

it('offers a viewer nothing to change', async () => {
  serve(server());
  showPage(<ConnectionsPage />, { role: 'viewer' });
  await screen.findByText('openai-eu');
  expect(screen.queryByRole('button')).toBeNull();
  expect(screen.queryByRole('link', { name: 'Add a connection' })).toBeNull();
});

it('names the next step where there is no connection', async () => {
  serve(server({ [`GET ${base}`]: page() }));
  showPage(<ConnectionsPage />);
  expect(await screen.findByRole('link', { name: 'Add a connection' })).toHaveAttribute(
    'href',
    '/orgs/acme/connections/new',
  );
});

it('pauses by the version that it shows, and offers an undo', async () => {
  const calls = serve(server({ [`PATCH ${base}/c1`]: { body: aConnection({ enabled: false, version: 8 }) } }));
  showPage(<ConnectionsPage />);
  const user = await openMenu('openai-eu');
  await user.click(screen.getByRole('menuitem', { name: 'Pause' }));
  expect(await screen.findByRole('button', { name: 'Undo' })).toBeVisible();
  const patch = calls.find((call) => call.method === 'PATCH');
  expect(patch?.body).toEqual({ enabled: false });
  expect(patch?.headers.get('If-Match')).toBe('"v7"');
});

it('shows each stage of a test with the cause and the fix', async () => {
  serve(
    server({
      [`POST ${base}/c1:test`]: {
        body: {
          outcome: 'auth',
          latencyMs: 40,
          stages: [
            { stage: 'dns', status: 'ok', latencyMs: 3, message: '', fix: '' },
            {
              stage: 'auth',
              status: 'failed',
              cause: 'auth',
              httpStatus: 401,
              message: 'The key was refused.',
              fix: 'Replace the key.',
            },
            { stage: 'list', status: 'skipped', message: '', fix: '' },
          ],
        },
      },
    }),
  );
  showPage(<ConnectionsPage />);
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: 'Test' }));
  await user.click(screen.getByRole('button', { name: 'Run the test' }));
  const dialog = within(screen.getByRole('dialog'));
  expect(await dialog.findByText('The connection does not work.')).toBeVisible();
  expect(dialog.getByText('HTTP 401')).toBeVisible();
  expect(dialog.getByText('Replace the key.', { exact: false })).toBeVisible();
});

it('lists what needs the connection, and deletes only by force', async () => {
  const calls = serve(
    server({
      [`DELETE ${base}/c1`]: (call) =>
        call.path.includes('force=true')
          ? { status: 204 }
          : problem(409, 'IN_USE', 'It serves models.', { dependents: ['openai/gpt-5'] }),
    }),
  );
  showPage(<ConnectionsPage />);
  const user = await openMenu('openai-eu');
  await user.click(screen.getByRole('menuitem', { name: 'Delete' }));
  await user.click(screen.getByRole('button', { name: 'Delete' }));
  expect(await screen.findByText('openai/gpt-5')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Delete' })).toBeDisabled();
  await user.click(screen.getByRole('checkbox', { name: 'Delete it all the same' }));
  await user.click(screen.getByRole('button', { name: 'Delete' }));
  await screen.findByText('openai-eu is deleted.');
  expect(calls.filter((call) => call.method === 'DELETE')).toHaveLength(2);
});

it('shows both edits after a 412, and saves only what was edited here', async () => {
  const theirs = aConnection({ version: 9, baseUrl: 'https://eu.example/v1', weight: 3 });
  const calls = serve(
    server({
      [`GET ${base}/c1`]: { body: theirs },
      'GET /v1/orgs/acme/credentials': page(),
      [`PATCH ${base}/c1`]: (call) =>
        call.headers.get('If-Match') === '"v9"'
          ? { body: { ...theirs, baseUrl: 'https://mine.example/v1', version: 10 } }
          : problem(412, 'VERSION_CONFLICT', 'Changed.'),
    }),
  );
  showPage(<ConnectionsPage />);
  const user = await openMenu('openai-eu');
  await user.click(screen.getByRole('menuitem', { name: 'Edit' }));
  const url = screen.getByRole('textbox', { name: /Base URL/ });
  await user.clear(url);
  await user.type(url, 'https://mine.example/v1');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText('Someone else has changed this')).toBeVisible();
  expect(screen.getByText('https://eu.example/v1')).toBeVisible();
  expect(screen.getByText('https://mine.example/v1')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Save mine over it' }));
  await screen.findByText('openai-eu is saved.');
  expect(calls.filter((call) => call.method === 'PATCH').at(-1)?.body).toEqual({ baseUrl: 'https://mine.example/v1' });
});

it('shows a failure with a way to try again, and no empty list', async () => {
  serve(server({ [`GET ${base}`]: problem(500, 'INTERNAL', 'The database is away.', { retryable: true }) }));
  showPage(<ConnectionsPage />);
  expect(await screen.findByText('The database is away.')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Try again' })).toBeVisible();
  expect(screen.queryByText('No connections yet')).toBeNull();
});
