// @vitest-environment jsdom
import { cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';

import { page, serve, showPage } from '../../test/page';
import AuditPage from './AuditPage';

afterEach(cleanup);

const entry = (fields: object = {}) => ({
  id: 'a1',
  at: '2026-01-01T00:00:00Z',
  actor: 'user:anna',
  action: 'model.changed',
  targetType: 'model',
  targetId: 'm1',
  targetName: '<script>alert(1)</script>',
  before: { enabled: false, version: 1 },
  after: { enabled: true, version: 2 },
  cause: 'api',
  requestId: 'r9',
  ...fields,
});

it('shows what was changed, before and after, as text', async () => {
  serve({ 'GET /v1/orgs/acme/audit': page(entry()) });
  showPage(<AuditPage />);
  expect(await screen.findByText('<script>alert(1)</script>')).toBeVisible();
  fireEvent.click(screen.getByText('Details'));
  const row = within(screen.getByRole('dialog')).getByText('enabled').closest('tr') as HTMLElement;
  expect(within(row).getByText('false')).toBeVisible();
  expect(within(row).getByText('true')).toBeVisible();
});

it('asks the server with the filters, and keeps them in the address', async () => {
  const calls = serve({ 'GET /v1/orgs/acme/audit': page(entry()) });
  const { router } = showPage(<AuditPage />);
  await screen.findByText('model.changed');
  fireEvent.change(screen.getByLabelText('Who'), { target: { value: 'user:bo' } });
  fireEvent.click(screen.getByText('Apply'));
  await screen.findByText('Clear');
  expect(router.state.location.search).toBe('?actor=user%3Abo');
  expect(calls.at(-1)?.path).toContain('actor=user%3Abo');
});

it('loads older entries on request', async () => {
  serve({
    'GET /v1/orgs/acme/audit': (call) =>
      call.path.includes('page_token')
        ? { body: { data: [entry({ id: 'a2', action: 'model.created' })], next_page_token: '', total_size: 2 } }
        : { body: { data: [entry()], next_page_token: 'next', total_size: 2 } },
  });
  showPage(<AuditPage />);
  fireEvent.click(await screen.findByText('Show older entries'));
  expect(await screen.findByText('model.created')).toBeVisible();
  expect(screen.getByText('2 of 2 entries')).toBeVisible();
});
