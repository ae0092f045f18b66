// @vitest-environment jsdom
import { cleanup, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, it } from 'vitest';

import { diffRows } from '../../components/diff';
import { page, problem, type Server, serve, showPage } from '../../test/page';
import { aConnection } from '../../test/records';
import { countsText, durationText } from './runs';
import SyncPage from './SyncPage';

afterEach(cleanup);

const org = '/v1/orgs/acme';
const run = {
  id: 'r1',
  connection: 'openai-eu',
  connectionId: 'c1',
  trigger: 'manual',
  status: 'failed',
  listed: 0,
  added: 0,
  updated: 0,
  unchanged: 0,
  missing: 0,
  failed: 0,
  errorClass: 'auth',
  detail: '',
  startedAt: '2026-01-01T00:00:00Z',
  finishedAt: '2026-01-01T00:00:01Z',
};
const held = {
  id: 'h1',
  connection: 'openai-eu',
  connectionId: 'c1',
  modelId: 'm1',
  model: 'openai/gpt-5',
  reason: 'The context window falls by more than half.',
  before: { contextWindow: 400000 },
  after: { contextWindow: 8000 },
  since: '2026-01-01T00:00:00Z',
};
const server = (more: Server = {}): Server => ({
  [`GET ${org}/connections`]: page(aConnection()),
  [`GET ${org}/sync-runs`]: page(run),
  [`GET ${org}/held-changes`]: page(held),
  ...more,
});

it('shows why a change is held and what it would change, and sends the decision with its reason', async () => {
  const calls = serve(server({ [`POST ${org}/held-changes/h1:decide`]: { body: held } }));
  showPage(<SyncPage />);
  expect(await screen.findByText(held.reason)).toBeVisible();
  const row = screen.getByText('contextWindow').closest('tr') as HTMLElement;
  expect(within(row).getByText('400000')).toBeVisible();
  expect(within(row).getByText('8000')).toBeVisible();
  const user = userEvent.setup();
  await user.click(screen.getByRole('button', { name: 'Reject' }));
  await user.type(screen.getByRole('textbox', { name: /Reason/ }), 'The provider is wrong');
  await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Reject' }));
  await screen.findByText('The change is rejected.');
  expect(calls.find((call) => call.method === 'POST')?.body).toEqual({
    decision: 'reject',
    reason: 'The provider is wrong',
  });
});

it('explains a server that cannot decide', async () => {
  serve(server());
  showPage(<SyncPage />);
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: 'Accept' }));
  await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Accept' }));
  expect(await screen.findByText(/cannot decide on single changes/)).toBeVisible();
});

it('reports the end of a sync that was asked for', async () => {
  let asked = false;
  serve(
    server({
      [`GET ${org}/sync-runs`]: () =>
        page(...(asked ? [{ ...run, id: 'r2', status: 'ok', added: 3, listed: 12 }] : []), run),
      [`POST ${org}/connections/c1:sync`]: () => {
        asked = true;
        return { status: 202, body: { id: 'op1' } };
      },
      [`GET ${org}/operations/op1`]: { body: { id: 'op1', state: 'done' } },
    }),
  );
  showPage(<SyncPage />);
  await userEvent.click(await screen.findByRole('button', { name: 'Sync now' }));
  expect(await screen.findByText(/openai-eu is in sync. 12 listed, 3 added/)).toBeVisible();
});

it('lets a viewer look and decide nothing', async () => {
  serve(server({ [`GET ${org}/sync-runs`]: problem(500, 'INTERNAL', 'The database is away.') }));
  showPage(<SyncPage />, { role: 'viewer' });
  expect(await screen.findByText(held.reason)).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Accept' })).toBeNull();
  expect(await screen.findByText('The database is away.')).toBeVisible();
});

it('compares nested values by their paths', () => {
  expect(diffRows({ a: { b: 1 }, c: 2, version: 1 }, { a: { b: 3 }, c: 2, version: 2 })).toEqual([
    { field: 'a.b', before: '1', after: '3' },
  ]);
});

it('counts what is not zero, and how long a run took', () => {
  expect(countsText(run)).toBe('');
  expect(durationText(run.startedAt, run.finishedAt)).toBe('1 s');
});
