// @vitest-environment jsdom
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';

import { aModel } from '../../../test/models';
import { page, serve, showPage } from '../../../test/page';
import { AccessTab } from './AccessTab';

const rule = (subject: string, object: string) => ({
  id: subject,
  subjectKind: 'group',
  subject,
  objectKind: 'model',
  object,
  objectId: object,
  effect: 'allow',
  version: 4,
  createdBy: 'anna',
  createdAt: '2026-01-01T00:00:00Z',
});

it('finds the rules of a model among more than one answer holds', async () => {
  serve({
    'GET /v1/orgs/acme': { body: { id: 'acme', mode: 'open' } },
    'GET /v1/orgs/acme/grants': ({ path }) =>
      path.includes('page_token=')
        ? page(rule('late', 'ollama/one'))
        : { body: { data: [rule('early', 'ollama/one'), rule('else', 'ollama/two')], next_page_token: 'next' } },
  });
  const base = aModel({ slug: 'ollama/one', modelName: 'one' });
  showPage(<AccessTab org="acme" draft={{ base, patch: {} }} setDraft={() => undefined} editable />);
  expect(await screen.findByText('Group late')).toBeVisible();
  expect(screen.getByText('Group early')).toBeVisible();
  expect(screen.queryByText('Group else')).toBeNull();
});

it('adds a rule where there is none, and removes one as it was seen', async () => {
  const calls = serve({
    'GET /v1/orgs/acme': { body: { id: 'acme', mode: 'open' } },
    'GET /v1/orgs/acme/grants': page(rule('early', 'ollama/one')),
    'POST /v1/orgs/acme/grants': { status: 201, body: rule('late', 'ollama/one') },
    'DELETE /v1/orgs/acme/grants/early': { status: 204 },
  });
  const base = aModel({ slug: 'ollama/one', modelName: 'one' });
  showPage(<AccessTab org="acme" draft={{ base, patch: {} }} setDraft={() => undefined} editable />);
  await screen.findByText('Group early');
  const subject = screen.getByRole('textbox', { name: /Name of the group/ });
  await userEvent.type(subject, 'late');
  await userEvent.click(screen.getByRole('button', { name: 'Add a rule' }));
  await waitFor(() => expect(subject).toHaveValue(''));
  expect(calls.find((call) => call.method === 'POST')?.headers.get('If-None-Match')).toBe('*');
  await userEvent.click(screen.getByRole('button', { name: /Group early/ }));
  await waitFor(() => expect(calls.some((call) => call.method === 'DELETE')).toBe(true));
  expect(calls.find((call) => call.method === 'DELETE')?.headers.get('If-Match')).toBe('"v4"');
});
