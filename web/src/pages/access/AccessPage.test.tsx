// @vitest-environment jsdom
import { cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';

import { page, problem, type Server, serve, showPage } from '../../test/page';
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
  version: 2,
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

async function denyResearch() {
  fireEvent.click(await screen.findByText('Add a rule'));
  fireEvent.change(screen.getByLabelText(/Name of the group/), { target: { value: 'research' } });
  fireEvent.change(screen.getByLabelText(/^Model/), { target: { value: 'openai/gpt-5' } });
  fireEvent.click(screen.getByText('Add'));
}
const changed = problem(412, 'PRECONDITION_FAILED', 'The resource has version 2 now.', { current_version: 2 });

it('does not turn a rule of another person around unseen', async () => {
  const calls = serve(
    server({
      [`GET ${org}/grants`]: page({ ...grant, effect: 'allow' }),
      [`POST ${org}/grants`]: (call) =>
        call.headers.get('If-Match') === '"v2"' ? { status: 201, body: grant } : changed,
    }),
  );
  showPage(<AccessPage />);
  await screen.findByText('Group research');
  await denyResearch();
  const dialog = within(await screen.findByRole('dialog', { name: 'There is one already' }));
  expect(dialog.getByText('Allowed')).toBeVisible();
  expect(dialog.getByText('Denied')).toBeVisible();
  expect(calls.find((call) => call.method === 'POST')?.headers.get('If-None-Match')).toBe('*');
  fireEvent.click(dialog.getByText('Save mine over it'));
  await screen.findByText('The rule is added.');
});

it('is content with a rule that is there as wanted', async () => {
  const calls = serve(server({ [`POST ${org}/grants`]: changed }));
  showPage(<AccessPage />);
  await screen.findByText('Group research');
  await denyResearch();
  await screen.findByText('The rule is added.');
  expect(calls.filter((call) => call.method === 'POST')).toHaveLength(1);
});

it('removes a rule only as it was seen', async () => {
  const calls = serve(server({ [`DELETE ${org}/grants/g1`]: changed }));
  showPage(<AccessPage />);
  fireEvent.click(await screen.findByLabelText('Remove the rule for Model openai/gpt-5'));
  fireEvent.click(within(screen.getByRole('dialog')).getByText('Remove'));
  expect(await screen.findByText('It was changed while you looked at it. Nothing was saved.')).toBeVisible();
  expect(calls.find((call) => call.method === 'DELETE')?.headers.get('If-Match')).toBe('"v2"');
});
