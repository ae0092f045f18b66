// @vitest-environment jsdom
// What happens when another person has saved the same model first.
import { act, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { loginAsked } from '../../../session/session';
import { aModel } from '../../../test/models';
import { type Answer, layOut, page, problem, serve, showPage } from '../../../test/page';
import ModelsPage from '../ModelsPage';
import { draftOf } from './draft';

const slug = 'ollama/mine';
const one = `/v1/orgs/acme/models/${slug}`;
const before = aModel({ slug, modelName: 'mine', scope: 'organization', displayName: 'Before', version: 1 });
const theirs = { ...before, displayName: 'Theirs', version: 2 };
const conflict = problem(412, 'PRECONDITION_FAILED', 'Version 2 was saved.');

beforeEach(() => {
  localStorage.clear();
  draftOf('acme', slug).set(null);
  layOut();
});

/** Saves a name while another person has saved theirs. `reads` and `saves` answer one request after the other. */
async function saveMine(reads: Answer[], saves: Answer[]) {
  serve({
    'GET /v1/orgs/acme/models': page(before),
    [`GET ${one}`]: () => reads.shift() ?? problem(404, 'E4001', 'No such model.'),
    [`PATCH ${one}`]: () => saves.shift() ?? problem(404, 'E4001', 'No such model.'),
  });
  showPage(<ModelsPage />, { path: 'models', query: `?model=${encodeURIComponent(slug)}` });
  const user = userEvent.setup();
  const name = await screen.findByRole('textbox', { name: 'Display name' });
  await user.clear(name);
  await user.type(name, 'Mine');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  return user;
}

it('does not open over a login that is asked for, and stays below one that comes later', async () => {
  serve({ 'GET /v1/orgs/acme/models': page(before), [`GET ${one}`]: { body: before } });
  act(() => loginAsked.set(true));
  showPage(<ModelsPage />, { path: 'models', query: `?model=${encodeURIComponent(slug)}` });
  await screen.findByRole('grid', { name: 'Models' });
  expect(screen.queryByLabelText(`Details of ${slug}`)).toBeNull();
  act(() => loginAsked.set(false));
  expect(await screen.findByRole('textbox', { name: 'Display name' })).toBeInTheDocument();
  act(() => loginAsked.set(true));
  expect(screen.getByRole('textbox', { name: 'Display name' })).toBeInTheDocument();
  act(() => loginAsked.set(false));
});

it('says in the dialog that saving what was chosen failed, and saves it again', async () => {
  const failed = problem(503, 'UNAVAILABLE', 'The database is away.', { retryable: true });
  const user = await saveMine(
    [{ body: before }, { body: theirs }, { body: theirs }],
    [conflict, failed, { body: { ...theirs, displayName: 'Mine', version: 3 } }],
  );
  const dialog = within(await screen.findByRole('dialog', { name: 'Someone else has changed this model' }));
  await user.click(dialog.getByRole('radio', { name: 'Mine' }));
  await user.click(dialog.getByRole('button', { name: 'Save what I chose' }));
  expect(await dialog.findByText('The database is away.')).toBeVisible();
  await user.click(dialog.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('Mine is saved.')).toBeInTheDocument();
});

it('says that the version of the other person cannot be read, and keeps what was typed', async () => {
  await saveMine([{ body: before }, problem(500, 'INTERNAL', 'The server failed.')], [conflict]);
  expect(await screen.findByText('The server failed.')).toBeInTheDocument();
  expect(screen.getByRole('textbox', { name: 'Display name' })).toHaveValue('Mine');
});
