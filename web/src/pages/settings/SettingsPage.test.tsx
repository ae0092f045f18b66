// @vitest-environment jsdom
import { cleanup, fireEvent, screen } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';

import { problem, serve, showPage } from '../../test/page';
import SettingsPage from './SettingsPage';

afterEach(cleanup);

const saved = { id: 'acme', slug: 'acme', displayName: 'Acme', mode: 'open', strictDefault: false, version: 5 };

it('saves only what was changed, by version', async () => {
  const calls = serve({
    'GET /v1/orgs/acme': { body: saved },
    'PATCH /v1/orgs/acme': { body: { ...saved, displayName: 'Acme Ltd', version: 6 } },
  });
  showPage(<SettingsPage />);
  fireEvent.change(await screen.findByLabelText('Name'), { target: { value: 'Acme Ltd' } });
  fireEvent.click(screen.getByText('Save'));
  await screen.findByText('The settings are saved.');
  const patch = calls.find((call) => call.method === 'PATCH');
  expect(patch?.body).toEqual({ displayName: 'Acme Ltd' });
  expect(patch?.headers.get('If-Match')).toBe('"v5"');
});

it('keeps what was typed when another person has saved, and shows both', async () => {
  let reads = 0;
  serve({
    'GET /v1/orgs/acme': () => ({ body: ++reads === 1 ? saved : { ...saved, displayName: 'Theirs', version: 9 } }),
    'PATCH /v1/orgs/acme': problem(412, 'VERSION_CONFLICT', 'Changed.'),
  });
  showPage(<SettingsPage />);
  fireEvent.change(await screen.findByLabelText('Name'), { target: { value: 'Mine' } });
  fireEvent.click(screen.getByText('Save'));
  expect(await screen.findByText('Theirs')).toBeVisible();
  expect(screen.getByText('Mine')).toBeVisible();
  fireEvent.click(screen.getByText('Go on editing'));
  expect(screen.getByLabelText('Name')).toHaveValue('Mine');
});

it('is read-only for a viewer', async () => {
  serve({ 'GET /v1/orgs/acme': { body: saved } });
  showPage(<SettingsPage />, { role: 'viewer' });
  expect(await screen.findByLabelText('Name')).toBeDisabled();
  expect(screen.queryByText('Save')).toBeNull();
});
