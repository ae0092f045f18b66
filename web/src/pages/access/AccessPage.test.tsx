// @vitest-environment jsdom
import { cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';

import { page, type Server, serve, showPage } from '../../test/page';
import AccessPage from './AccessPage';

afterEach(cleanup);

const org = '/v1/orgs/acme';
const grant = {
  id: 'g1',
  subjectKind: 'group',
  subject: 'research',
  objectKind: 'model',
  object: 'openai/gpt-5',
  objectId: 'm1',
  effect: 'deny',
  createdBy: 'user:anna',
  createdAt: '2026-01-01T00:00:00Z',
};
const settings = { id: 'acme', slug: 'acme', displayName: 'Acme', mode: 'open', strictDefault: false, version: 5 };
const server = (more: Server = {}): Server => ({
  [`GET ${org}`]: { body: settings },
  [`GET ${org}/grants`]: page(grant),
  [`GET ${org}/connections`]: page(),
  [`GET ${org}/aliases`]: page(),
  [`GET ${org}/models`]: page(),
  ...more,
});

it('warns before an allow list that allows nothing, and switches by version', async () => {
  const calls = serve(server({ [`PATCH ${org}`]: { body: { ...settings, mode: 'allow_list', version: 6 } } }));
  showPage(<AccessPage />);
  fireEvent.click(await screen.findByText('Switch to: Allow list'));
  const dialog = within(screen.getByRole('dialog'));
  expect(dialog.getByText(/All requests are refused until you allow something/)).toBeVisible();
  fireEvent.click(dialog.getByText('Switch to: Allow list'));
  await screen.findByText('The organisation’s mode is changed.');
  const patch = calls.find((call) => call.method === 'PATCH');
  expect(patch?.body).toEqual({ mode: 'allow_list' });
  expect(patch?.headers.get('If-Match')).toBe('"v5"');
});

it('adds a rule for a group, which denies where models are open', async () => {
  const calls = serve(server({ [`POST ${org}/grants`]: { status: 201, body: grant } }));
  showPage(<AccessPage />);
  expect(await screen.findByText('Group research')).toBeVisible();
  fireEvent.click(screen.getByText('Add a rule'));
  fireEvent.change(screen.getByLabelText(/Name of the group/), { target: { value: 'sales' } });
  fireEvent.change(screen.getByLabelText(/^Model/), { target: { value: 'openai/gpt-5' } });
  fireEvent.click(screen.getByText('Add'));
  await screen.findByText('The rule is added.');
  expect(calls.find((call) => call.method === 'POST')?.body).toEqual({
    effect: 'deny',
    subjectKind: 'group',
    subject: 'sales',
    objectKind: 'model',
    object: 'openai/gpt-5',
  });
});

it('lets a model admin change rules, and not the mode', async () => {
  serve(server());
  showPage(<AccessPage />, { role: 'model_admin' });
  expect(await screen.findByText('Group research')).toBeVisible();
  expect(screen.getByLabelText('Remove the rule for Model openai/gpt-5')).toBeVisible();
  expect(screen.queryByText('Switch to: Allow list')).toBeNull();
});
