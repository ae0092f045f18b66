// @vitest-environment jsdom
import { cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';

import { page, serve, showPage } from '../../test/page';
import MembersPage from './MembersPage';

afterEach(cleanup);

const bo = {
  id: 'p2',
  issuer: 'dev',
  subject: 'bo',
  kind: 'user',
  displayName: 'Bo',
  role: 'viewer',
  denied: [],
  createdAt: '2026-01-01T00:00:00Z',
};
const base = '/v1/orgs/acme/members';

it('adds a member at the issuer of the person who adds', async () => {
  const calls = serve({ [`GET ${base}`]: page(), [`PUT ${base}`]: { body: bo } });
  showPage(<MembersPage />);
  fireEvent.click(await screen.findByText('Add a member'));
  fireEvent.change(screen.getByLabelText(/User name/), { target: { value: 'bo' } });
  fireEvent.click(screen.getByText('Save'));
  await screen.findByText('bo is saved.');
  expect(calls.find((call) => call.method === 'PUT')?.body).toEqual({
    subject: 'bo',
    issuer: 'dev',
    role: 'member',
    denied: [],
  });
});

it('warns who removes their own role', async () => {
  serve({
    [`GET ${base}`]: page({ ...bo, subject: 'anna', displayName: 'Anna' }),
    [`DELETE ${base}/p2`]: { status: 204 },
  });
  showPage(<MembersPage />);
  fireEvent.click(await screen.findByLabelText('Remove Anna'));
  const dialog = within(screen.getByRole('dialog'));
  expect(dialog.getByText(/This is you/)).toBeVisible();
  fireEvent.click(dialog.getByText('Remove'));
  expect(await screen.findByText('Anna is removed.')).toBeVisible();
});
