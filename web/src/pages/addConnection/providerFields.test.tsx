// @vitest-environment jsdom
// The fields that each provider needs: S1.4, S1.7, S1.33.
import { cleanup, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { page, serve, showPage } from '../../test/page';
import { openAi } from '../../test/records';
import AddConnectionPage from './AddConnectionPage';
import { draftOf, emptyDraft } from './draft';

const azure = {
  ...openAi,
  id: 'azure',
  displayName: 'Azure OpenAI',
  authTypes: ['header', 'bearer'],
  defaultBaseUrl: null,
};
const ollama = {
  ...openAi,
  id: 'ollama',
  displayName: 'Ollama',
  authTypes: ['none', 'bearer'],
  defaultBaseUrl: 'http://localhost:11434',
};
const cohere = {
  ...openAi,
  id: 'cohere',
  displayName: 'Cohere',
  kinds: ['generation', 'rerank'],
  authTypes: ['bearer'],
};

afterEach(cleanup);
beforeEach(() => {
  draftOf('acme').set(emptyDraft);
  serve({
    'GET /v1/providers': page(openAi, azure, ollama, cohere),
    'GET /v1/orgs/acme/connections': page(),
    'GET /v1/orgs/acme/credentials': page(),
  });
  showPage(<AddConnectionPage />);
});

async function choose(kind: RegExp, provider: string) {
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: kind }));
  await user.click(await screen.findByRole('button', { name: new RegExp(`^${provider}`) }));
  return user;
}
const next = () => screen.getByRole('button', { name: 'Next' });

it('asks for the address of a provider that has none of its own', async () => {
  const user = await choose(/Anything/, 'Azure OpenAI');
  expect(screen.getByRole('textbox', { name: /Base URL/ })).toHaveValue('');
  await user.type(screen.getByLabelText(/API key/), 'k');
  expect(next()).toBeDisabled();
  await user.type(screen.getByRole('textbox', { name: /Base URL/ }), 'https://mine.openai.azure.com');
  await user.click(next());
  expect(await screen.findByRole('button', { name: 'Test' })).toBeVisible();
});

it('asks for no key where the provider needs none', async () => {
  const user = await choose(/Anything/, 'Ollama');
  expect(screen.getByRole('textbox', { name: /Base URL/ })).toHaveValue('http://localhost:11434');
  expect(screen.queryByLabelText(/API key/)).toBeNull();
  await user.click(next());
  expect(await screen.findByRole('button', { name: 'Test' })).toBeVisible();
});

it('asks for a key where the provider cannot do without one', async () => {
  const user = await choose(/Anything/, 'Cohere');
  expect(next()).toBeDisabled();
  await user.type(screen.getByLabelText(/API key/), 'k');
  expect(next()).toBeEnabled();
});

it('offers only providers of the chosen kind of models', async () => {
  await userEvent.click(await screen.findByRole('button', { name: /^Rerank/ }));
  expect(await screen.findByRole('button', { name: /^Cohere/ })).toBeVisible();
  expect(screen.queryByRole('button', { name: /^OpenAI/ })).toBeNull();
});
