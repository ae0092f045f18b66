// @vitest-environment jsdom
import { cleanup, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, it } from 'vitest';

import { page, problem, type Server, serve, showPage } from '../test/page';
import { idFrom, isId } from './organizationId';
import { OrgSwitcher } from './OrgSwitcher';

afterEach(cleanup);

async function openForm(server: Server, org = '_') {
  const calls = serve({ 'GET /v1/orgs': page(), ...server });
  const { router } = showPage(<OrgSwitcher />, { role: 'platform_admin', org });
  await userEvent.click(await screen.findByRole('button', { name: /^Organisation: / }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Add an organisation' }));
  await screen.findByRole('dialog', { name: 'Add an organisation' });
  const add = () => userEvent.click(screen.getByRole('button', { name: 'Add' }));
  return { add, router, made: () => calls.filter((call) => call.method === 'POST') };
}
const named = (label: string) => screen.getByRole('textbox', { name: new RegExp(`^${label}`) });

it('adds the first organisation, and opens it', async () => {
  const { add, router, made } = await openForm({
    'POST /v1/orgs': ({ body }) => ({ status: 201, body: { version: 1, ...(body as object) } }),
  });
  await userEvent.type(named('Name'), 'Société Acme');
  await add();
  await waitFor(() => expect(router.state.location.pathname).toBe('/orgs/societe-acme/overview'));
  expect(made().map((call) => call.body)).toEqual([{ id: 'societe-acme', displayName: 'Société Acme' }]);
  expect(await screen.findByText('Société Acme is added.')).toBeVisible();
});

it('keeps what was typed where the id is taken', async () => {
  const { add, router } = await openForm({
    'POST /v1/orgs': problem(409, 'ALREADY_EXISTS', 'There is an organisation acme already.'),
  });
  await userEvent.type(named('Name'), 'Acme');
  await userEvent.clear(named('Id'));
  await userEvent.type(named('Id'), 'acme-2');
  await userEvent.type(named('Name'), ' Ltd');
  await add();
  expect(await screen.findByText('There is an organisation acme already.')).toBeVisible();
  expect(named('Id')).toHaveValue('acme-2');
  expect(named('Name')).toHaveValue('Acme Ltd');
  expect(router.state.location.pathname).toBe('/orgs/_/here');
});

it('offers no organisation to add to others', async () => {
  serve({});
  showPage(<OrgSwitcher />, { role: 'org_admin' });
  expect(await screen.findByText('acme')).toBeVisible();
  expect(screen.queryByRole('button', { name: /^Organisation: / })).toBeNull();
});

it('makes ids that the registry takes', () => {
  const ids = {
    Acme: 'acme',
    'Acme GmbH & Co.': 'acme-gmbh-co',
    ' 9 to 5 ': '9-to-5',
    東京: '',
    ['x'.repeat(80)]: 'x'.repeat(63),
  };
  for (const [name, id] of Object.entries(ids)) expect(idFrom(name)).toBe(id);
  expect(['acme', '9-to-5', 'x'.repeat(63)].every(isId)).toBe(true);
  expect(['', '_', '-a', 'A', 'a/b', 'x'.repeat(64)].some(isId)).toBe(false);
});
