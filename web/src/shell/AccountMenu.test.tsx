// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';

import { problem, serve, showPage } from '../test/page';
import { AccountMenu } from './AccountMenu';

async function choose(item: string) {
  showPage(<AccountMenu />);
  await userEvent.click(screen.getByRole('button', { name: 'Account' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: item }));
}

function watchLeaving() {
  const assign = vi.fn();
  vi.stubGlobal('location', { assign, origin: location.origin });
  return assign;
}

it('ends the session of this browser alone', async () => {
  const calls = serve({ 'DELETE /v1/session': { status: 204 } });
  const assign = watchLeaving();
  await choose('Log out');
  await waitFor(() => expect(assign).toHaveBeenCalledOnce());
  expect(calls.map((call) => call.path)).toEqual(['/v1/session']);
});

it('ends the sessions of all browsers after a question', async () => {
  const calls = serve({ 'DELETE /v1/session': { status: 204 } });
  const assign = watchLeaving();
  await choose('Log out everywhere');
  const dialog = await screen.findByRole('dialog', { name: 'Log out in every browser?' });
  // The code of the dialog may be preceded by a read, which asks whether the server is there.
  const changes = () => calls.filter(({ method }) => method !== 'GET').map(({ path }) => path);
  expect(changes()).toEqual([]);
  await userEvent.click(within(dialog).getByRole('button', { name: 'Log out everywhere' }));
  await waitFor(() => expect(assign).toHaveBeenCalledOnce());
  expect(changes()).toEqual(['/v1/session?everywhere=true']);
});

it('stays where it is when the sessions could not be ended', async () => {
  serve({ 'DELETE /v1/session': problem(503, 'UNAVAILABLE', 'The database is away.') });
  const assign = watchLeaving();
  await choose('Log out everywhere');
  await userEvent.click(await screen.findByRole('button', { name: 'Log out everywhere' }));
  expect(await screen.findByText('The database is away.')).toBeVisible();
  expect(assign).not.toHaveBeenCalled();
});
