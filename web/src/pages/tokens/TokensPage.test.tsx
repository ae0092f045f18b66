// @vitest-environment jsdom
import { cleanup, fireEvent, screen, waitFor } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';

import { page, serve, showPage } from '../../test/page';
import TokensPage from './TokensPage';

afterEach(cleanup);

const base = '/v1/orgs/acme/tokens';
const token = {
  id: 't1',
  name: 'ci',
  role: 'member',
  createdBy: 'user:anna',
  createdAt: '2026-01-01T00:00:00Z',
  expiresAt: '2026-01-02T00:00:00Z',
  lastUsedAt: null,
  revokedAt: null,
};

it('shows a new token once, and keeps it nowhere', async () => {
  const calls = serve({
    [`GET ${base}`]: page(),
    [`POST ${base}`]: { status: 201, body: { ...token, token: 'trk_secret' } },
  });
  const { queryClient } = showPage(<TokensPage />);
  fireEvent.click(await screen.findByText('Make a token'));
  fireEvent.change(screen.getByLabelText(/^Name/), { target: { value: 'ci' } });
  fireEvent.submit(screen.getByLabelText(/^Name/));
  expect(await screen.findByDisplayValue('trk_secret')).toBeVisible();
  expect(calls.find((call) => call.method === 'POST')?.headers.has('Idempotency-Key')).toBe(false);
  const kept = JSON.stringify([
    queryClient
      .getMutationCache()
      .getAll()
      .map((mutation) => mutation.state),
    queryClient
      .getQueryCache()
      .getAll()
      .map((query) => query.state),
  ]);
  expect(kept).not.toContain('trk_secret');
  fireEvent.click(screen.getByText('I have copied it'));
  await waitFor(() => expect(screen.queryByDisplayValue('trk_secret')).toBeNull());
});

it('marks a token that has expired, and offers a viewer of the list no change', async () => {
  serve({ [`GET ${base}`]: page(token) });
  showPage(<TokensPage />, { role: 'viewer' });
  expect(await screen.findByText('Expired')).toBeVisible();
  expect(screen.queryByRole('button')).toBeNull();
});
