// @vitest-environment jsdom
import { cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';

import { page, problem, serve, showPage } from '../../test/page';
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
  version: 6,
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

const changed = problem(412, 'PRECONDITION_FAILED', 'The resource has version 9 now.', { current_version: 9 });

it('shows the role that another person has given meanwhile', async () => {
  let now: object = bo;
  const calls = serve({
    [`GET ${base}`]: () => page(now),
    [`PUT ${base}`]: (call) => {
      now = { ...bo, role: 'org_admin', version: 9 };
      return call.headers.get('If-Match') === '"v9"' ? { body: bo } : changed;
    },
  });
  showPage(<MembersPage />);
  fireEvent.click(await screen.findByLabelText('Edit Bo'));
  fireEvent.click(screen.getByText('Save'));
  const dialog = within(await screen.findByRole('dialog', { name: 'Someone else has changed this' }));
  expect(dialog.getByText('Organisation admin')).toBeVisible();
  expect(dialog.getByText('Viewer')).toBeVisible();
  fireEvent.click(dialog.getByText('Save mine over it'));
  await screen.findByText('Bo is saved.');
  expect(calls.filter((call) => call.method === 'PUT').map((call) => call.headers.get('If-Match'))).toEqual([
    '"v6"',
    '"v9"',
  ]);
});

it('shows a member that another person has added meanwhile', async () => {
  let now: object[] = [];
  const calls = serve({
    [`GET ${base}`]: () => page(...now),
    [`PUT ${base}`]: () => {
      now = [bo];
      return changed;
    },
  });
  showPage(<MembersPage />);
  fireEvent.click(await screen.findByText('Add a member'));
  fireEvent.change(screen.getByLabelText(/User name/), { target: { value: 'bo' } });
  fireEvent.click(screen.getByText('Save'));
  expect(await screen.findByRole('dialog', { name: 'There is one already' })).toBeVisible();
  expect(calls.find((call) => call.method === 'PUT')?.headers.get('If-None-Match')).toBe('*');
});

it('removes a member only as it was seen', async () => {
  const calls = serve({ [`GET ${base}`]: page(bo), [`DELETE ${base}/p2`]: changed });
  showPage(<MembersPage />);
  fireEvent.click(await screen.findByLabelText('Remove Bo'));
  fireEvent.click(within(screen.getByRole('dialog')).getByText('Remove'));
  expect(await screen.findByText(/look at what is there now/)).toBeVisible();
  expect(calls.find((call) => call.method === 'DELETE')?.headers.get('If-Match')).toBe('"v6"');
});
