// @vitest-environment jsdom
import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';

import { aModel } from '../../../test/models';
import { page, type Server, serve, showPage } from '../../../test/page';
import { ExplainTab } from './ExplainTab';

const model = aModel({ slug: 'ollama/one', modelName: 'one' });
const explained = (user: string | null) => ({
  usable: user !== 'bo',
  clauses: [{ clause: 'granted', holds: user !== 'bo', detail: `asked for ${user ?? 'anyone'}` }],
});
const server: Server = {
  'GET /v1/orgs/acme/models/ollama/one/explain': ({ path }) => ({
    body: explained(new URL(path, location.origin).searchParams.get('user')),
  }),
  'GET /v1/orgs/acme/members': page(
    { id: '1', issuer: 'dev', subject: 'anna', displayName: 'Anna', role: 'org_admin', denied: [] },
    { id: '2', issuer: 'dev', subject: 'bo', displayName: 'Bo Lind', role: 'member', denied: [] },
  ),
};

it('explains why the person can use a model, and why another member cannot', async () => {
  serve(server);
  showPage(<ExplainTab org="acme" model={model} />);
  expect(await screen.findByText('asked for anna')).toBeVisible();
  await userEvent.click(screen.getByRole('combobox', { name: 'For whom' }));
  await userEvent.click(await screen.findByRole('option', { name: 'Bo Lind' }));
  expect(await screen.findByText('asked for bo')).toBeVisible();
  expect(screen.getByText('It cannot be used.')).toBeVisible();
  await userEvent.click(screen.getByRole('combobox', { name: 'For whom' }));
  expect(screen.getAllByRole('option').map((option) => option.textContent)).toEqual([
    'Me',
    'Anyone in the organisation',
    'Bo Lind',
  ]);
  await userEvent.click(screen.getByRole('option', { name: 'Anyone in the organisation' }));
  expect(await screen.findByText('asked for anyone')).toBeVisible();
});

it('asks for no members where the person may not see them', async () => {
  const calls = serve(server);
  showPage(<ExplainTab org="acme" model={model} />, { role: 'member' });
  expect(await screen.findByText('asked for anna')).toBeVisible();
  expect(calls.some((call) => call.path.includes('/members'))).toBe(false);
});

it('explains a model of the platform for everyone', async () => {
  const calls = serve({
    'GET /v1/orgs/_/models/ollama/one/explain': { body: explained(null) },
  });
  showPage(<ExplainTab org="_" model={model} />, { role: 'platform_admin', org: '_' });
  expect(await screen.findByText('asked for anyone')).toBeVisible();
  expect(screen.queryByRole('combobox')).toBeNull();
  expect(calls).toHaveLength(1);
});
