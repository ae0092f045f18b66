// @vitest-environment jsdom
import { cleanup, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, it, vi } from 'vitest';

import { page, problem, type Server, serve, showPage } from '../../test/page';
import { aModel } from '../../test/models';
import { aConnection, aCredential } from '../../test/records';
import { OrgSwitcher } from '../../shell/OrgSwitcher';
import { attentionOf, attentionTo } from './attention';
import OverviewPage from './OverviewPage';

afterEach(cleanup);

const org = '/v1/orgs/acme';
const server = (more: Server = {}): Server => ({
  [`GET ${org}/models`]: page(),
  [`GET ${org}/connections`]: page(),
  [`GET ${org}/defaults`]: page(),
  [`GET ${org}/aliases`]: page(),
  [`GET ${org}/held-changes`]: page(),
  [`GET ${org}/credentials`]: page(),
  ...more,
});

it('leads a new organisation to its first connection', async () => {
  serve(server());
  showPage(<OverviewPage />);
  expect(await screen.findByRole('link', { name: 'Add a connection' })).toHaveAttribute(
    'href',
    '/orgs/acme/connections/new',
  );
});

it('leads on to the models where there is a connection', async () => {
  serve(
    server({
      [`GET ${org}/connections`]: page(aConnection()),
      [`GET ${org}/models`]: page(aModel({ status: 'disabled' })),
    }),
  );
  showPage(<OverviewPage />);
  expect(await screen.findByRole('link', { name: 'Choose models' })).toHaveAttribute('href', '/orgs/acme/models');
});

it('names a dead connection with its cause and the fix', async () => {
  const dead = aConnection({ health: 'down', lastSync: { status: 'failed', errorClass: 'unreachable', since: null } });
  serve(server({ [`GET ${org}/connections`]: page(dead) }));
  showPage(<OverviewPage />);
  expect(await screen.findByText('openai-eu is down: Unreachable')).toBeVisible();
  expect(screen.getByText(/Check that the server runs/)).toBeVisible();
});

it('shows the rest where a part fails', async () => {
  serve(server({ [`GET ${org}/defaults`]: problem(500, 'INTERNAL', 'The database is away.') }));
  showPage(<OverviewPage />);
  expect(await screen.findByText('The database is away.')).toBeVisible();
  expect(screen.getByText('Nothing needs you.', { exact: false })).toBeVisible();
});

it('does not call well what could not be read', async () => {
  serve(server({ [`GET ${org}/held-changes`]: problem(500, 'INTERNAL', 'The database is away.') }));
  showPage(<OverviewPage />);
  expect(await screen.findByText('The database is away.')).toBeVisible();
  expect(screen.queryByText('Nothing needs you.', { exact: false })).toBeNull();
});

it('shows the parts together, so that none moves when another comes', async () => {
  serve(server());
  const answer = fetch;
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  vi.stubGlobal('fetch', async (request: Request) => {
    if (request.url.includes('/defaults')) await held;
    return answer(request);
  });
  const { queryClient } = showPage(<OverviewPage />);
  for (const part of ['models', 'connections', 'held-changes', 'credentials'])
    await waitFor(() => expect(queryClient.getQueryData([part, 'acme'])).toBeDefined());
  expect(screen.queryByRole('heading', { name: 'Needs attention' })).toBeNull();
  release();
  expect(await screen.findByRole('heading', { name: 'Needs attention' })).toBeVisible();
});

it('names the cause that a failed test has found', () => {
  const connection = aConnection({ health: 'down', healthReason: 'auth' });
  expect(attentionTo(connection)).toMatchObject({
    title: 'openai-eu is down: Key missing or wrong',
    fix: 'Replace the key: the provider does not take it.',
  });
});

it('orders what needs attention, and ignores what does not', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const found = attentionOf(
    {
      connections: [
        aConnection({ id: 'a', name: 'slow', health: 'degraded' }),
        aConnection({ id: 'b', name: 'gone', health: 'down' }),
        aConnection({ id: 'c', name: 'paused', health: 'down', enabled: false }),
      ],
      held: [],
      credentials: [
        aCredential({ id: 'k1', label: 'soon', usedBy: ['slow'], expiresAt: '2026-01-05T00:00:00Z' }),
        aCredential({ id: 'k2', label: 'unused', expiresAt: '2026-01-05T00:00:00Z' }),
      ],
    },
    now,
  );
  expect(found.map((item) => item.title)).toEqual(['gone is down', 'slow is degraded', 'The key soon expires soon']);
});

it('leads a new installation to its first organisation', async () => {
  const empty = (orgs: ReturnType<typeof page>): Server => ({
    ...Object.fromEntries(Object.entries(server()).map(([route, answer]) => [route.replace('acme', '_'), answer])),
    'GET /v1/orgs': orgs,
  });
  const platform = (
    <>
      <OrgSwitcher />
      <OverviewPage />
    </>
  );
  serve(empty(page()));
  showPage(platform, { role: 'platform_admin', org: '_' });
  await userEvent.click(await screen.findByRole('button', { name: 'Add an organisation' }));
  expect(await screen.findByRole('dialog', { name: 'Add an organisation' })).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  cleanup();
  serve(empty(page({ id: 'acme', displayName: 'Acme' })));
  showPage(platform, { role: 'platform_admin', org: '_' });
  expect(await screen.findByText('Needs attention')).toBeVisible();
  expect(screen.queryByText('No organisation yet')).toBeNull();
});
