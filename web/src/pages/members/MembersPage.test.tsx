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

it('says what each role may do beyond the one before', async () => {
  serve({ [`GET ${base}`]: page(bo) });
  showPage(<MembersPage />);
  const roles = within(await screen.findByRole('region', { name: 'What each role may do' }));
  const card = (name: string) => roles.getByRole('heading', { name }).parentElement as HTMLElement;
  expect(
    within(card('Member'))
      .getAllByRole('listitem')
      .map((item) => item.textContent),
  ).toEqual(['Ask models', 'Test connections']);
  expect(within(card('Organisation admin')).getByText('Store, replace and revoke keys')).toBeVisible();
  // Each permission has a name that people read.
  expect(roles.queryByText(/^org:/)).toBeNull();
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

it('replaces no role of a member by adding the member again', async () => {
  serve({ [`GET ${base}`]: page(bo) });
  showPage(<MembersPage />);
  fireEvent.click(await screen.findByText('Add a member'));
  fireEvent.change(screen.getByLabelText(/User name/), { target: { value: 'bo' } });
  expect(screen.getByText(/This name is in use/)).toBeVisible();
  expect(screen.getByText('Save')).toBeDisabled();
  fireEvent.change(screen.getByLabelText(/Issuer/), { target: { value: 'https://login.example.org' } });
  expect(screen.getByText('Save')).toBeEnabled();
});
