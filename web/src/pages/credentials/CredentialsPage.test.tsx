// @vitest-environment jsdom
import { cleanup, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, it } from 'vitest';

import { page, problem, serve, showPage } from '../../test/page';
import { aCredential, openAi } from '../../test/records';
import CredentialsPage from './CredentialsPage';

afterEach(cleanup);

const base = '/v1/orgs/acme/credentials';
const lists = { 'GET /v1/providers': page(openAi) };

it('shows the label and the last four characters, and revoked keys on request', async () => {
  serve({
    ...lists,
    [`GET ${base}`]: page(aCredential(), aCredential({ id: 'k2', label: 'old', revokedAt: '2026-01-01' })),
  });
  showPage(<CredentialsPage />);
  expect(await screen.findByText('…x9z1')).toBeVisible();
  expect(screen.queryByText('old')).toBeNull();
  await userEvent.click(screen.getByRole('switch', { name: 'Show revoked keys' }));
  expect(screen.getByText('old')).toBeVisible();
});

it('replaces a key and keeps it nowhere', async () => {
  const calls = serve({
    ...lists,
    [`GET ${base}`]: page(aCredential()),
    [`POST ${base}/k1:replace`]: { body: aCredential({ secretVersion: 2 }) },
  });
  const { queryClient } = showPage(<CredentialsPage />);
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: 'Replace production' }));
  await user.type(screen.getByLabelText(/^Key/), 'sk-new');
  await user.click(screen.getByRole('button', { name: 'Replace' }));
  await screen.findByText('production is replaced.');
  const sent = calls.find((call) => call.method === 'POST');
  expect(sent?.body).toEqual({ secret: 'sk-new' });
  expect(sent?.headers.has('Idempotency-Key')).toBe(false);
  const kept = queryClient
    .getMutationCache()
    .getAll()
    .map((mutation) => mutation.state);
  expect(JSON.stringify(kept)).not.toContain('sk-new');
});

it('asks again for the secret headers of a key that is replaced', async () => {
  const calls = serve({
    ...lists,
    [`GET ${base}`]: page(aCredential({ headerNames: ['X-Project', 'X-Team'] })),
    [`POST ${base}/k1:replace`]: { body: aCredential({ secretVersion: 2 }) },
  });
  showPage(<CredentialsPage />);
  const user = userEvent.setup();
  expect(await screen.findByText('with X-Project, X-Team')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Replace production' }));
  await user.type(screen.getByLabelText(/^Key/), 'sk-new');
  // Without them calls would fail, so they are not left out silently.
  const replace = screen.getByRole('button', { name: 'Replace' });
  expect(replace).toBeDisabled();
  await user.type(screen.getByLabelText(/^Value of header 1/), 'p-1');
  await user.click(screen.getByRole('button', { name: 'Remove header 2' }));
  await user.click(replace);
  await screen.findByText('production is replaced.');
  expect(calls.find((call) => call.method === 'POST')?.body).toEqual({
    secret: 'sk-new',
    headers: { 'X-Project': 'p-1' },
  });
});

it('keeps what was typed when storing fails', async () => {
  serve({ ...lists, [`GET ${base}`]: page(), [`POST ${base}`]: problem(503, 'UNAVAILABLE', 'No key ring.') });
  showPage(<CredentialsPage />);
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: 'Store a key' }));
  await user.click(screen.getByRole('combobox', { name: 'Provider' }));
  await user.click(await screen.findByRole('option', { name: 'OpenAI' }));
  await user.type(screen.getByRole('textbox', { name: /Label/ }), 'production');
  await user.type(screen.getByLabelText(/^Key/), 'sk-new');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText('No key ring.')).toBeVisible();
  expect(screen.getByLabelText(/^Key/)).toHaveValue('sk-new');
});

it('names the connections that lose their key before it is revoked', async () => {
  const calls = serve({
    ...lists,
    [`GET ${base}`]: page(aCredential({ usedBy: ['openai-eu'] })),
    [`DELETE ${base}/k1`]: { status: 204 },
  });
  showPage(<CredentialsPage />);
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: 'Revoke production' }));
  expect(screen.getByRole('button', { name: 'Revoke' })).toBeDisabled();
  await user.click(screen.getByRole('checkbox', { name: 'Revoke it all the same' }));
  await user.click(screen.getByRole('button', { name: 'Revoke' }));
  await screen.findByText('production is revoked.');
  const sent = calls.find((call) => call.method === 'DELETE');
  expect(sent?.path).toBe(`${base}/k1?force=true`);
  expect(sent?.headers.get('If-Match')).toBe('"v1"');
});

it('shows that another person has replaced the key meanwhile, and keeps the one entered', async () => {
  const theirs = aCredential({ version: 8, last4: 'abcd', secretVersion: 2 });
  const calls = serve({
    ...lists,
    [`GET ${base}`]: page(aCredential()),
    [`GET ${base}/k1`]: { body: theirs },
    [`POST ${base}/k1:replace`]: (call) =>
      call.headers.get('If-Match') === '"v8"'
        ? { body: theirs }
        : problem(412, 'PRECONDITION_FAILED', 'The resource has version 8 now.', { current_version: 8 }),
  });
  showPage(<CredentialsPage />);
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: 'Replace production' }));
  await user.type(screen.getByLabelText(/^Key/), 'sk-new');
  await user.click(screen.getByRole('button', { name: 'Replace' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Someone else has changed this' }));
  expect(dialog.getByText('…abcd')).toBeVisible();
  await user.click(dialog.getByRole('button', { name: 'Go on editing' }));
  expect(screen.getByLabelText(/^Key/)).toHaveValue('sk-new');
  await user.click(screen.getByRole('button', { name: 'Replace' }));
  await user.click(await screen.findByRole('button', { name: 'Save mine over it' }));
  await screen.findByText('production is replaced.');
  const sent = calls.filter((call) => call.method === 'POST');
  expect(sent.map((call) => call.headers.get('If-Match'))).toEqual(['"v1"', '"v1"', '"v8"']);
});
