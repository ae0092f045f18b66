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
const field = (name: string, authTypes: string[], more: object) => ({
  name,
  authTypes,
  help: `What ${name} is for.`,
  secret: name === 'secret',
  required: true,
  ...more,
});
const anthropic = {
  ...openAi,
  id: 'anthropic',
  displayName: 'Anthropic',
  authTypes: ['header'],
  credentialForm: {
    fields: [
      field('baseUrl', ['header'], { label: 'Base URL', default: 'https://api.anthropic.com' }),
      field('authName', ['header'], { label: 'Header', default: 'x-api-key', required: false }),
      field('secret', ['header'], { label: 'Key of the workspace', help: 'Made on the page of the workspace.' }),
    ],
  },
};
const gateway = {
  ...openAi,
  id: 'gateway',
  displayName: 'Gateway',
  authTypes: ['query', 'basic', 'none'],
  defaultBaseUrl: null,
  credentialForm: {
    fields: [
      field('baseUrl', ['query', 'basic', 'none'], { label: 'Base URL', example: 'https://models.example.com/v1' }),
      field('authName', ['query'], { label: 'Query parameter', default: 'key' }),
      field('authName', ['basic'], { label: 'User' }),
      field('secret', ['query'], { label: 'API key' }),
      field('secret', ['basic'], { label: 'Password' }),
    ],
  },
};

afterEach(cleanup);
beforeEach(() => {
  draftOf('acme').set(emptyDraft);
  serve({
    'GET /v1/providers': page(openAi, azure, ollama, cohere, anthropic, gateway),
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

it('asks by the form of the provider, with its labels, help and first values', async () => {
  const user = await choose(/Anything/, 'Anthropic');
  expect(screen.getByRole('textbox', { name: /Base URL/ })).toHaveValue('https://api.anthropic.com');
  expect(screen.getByText(/^What baseUrl is for/)).toBeVisible();
  expect(screen.getByRole('textbox', { name: 'Header' })).toHaveValue('x-api-key');
  expect(screen.getByText('What authName is for.')).toBeVisible();
  const key = screen.getByLabelText(/^Key of the workspace/);
  expect(key).toHaveAttribute('type', 'password');
  expect(screen.getByText(/^Made on the page of the workspace/)).toHaveTextContent(/never shown again/);
  expect(next()).toBeDisabled();
  await user.type(key, 'k');
  // What is not required may be empty.
  await user.clear(screen.getByRole('textbox', { name: 'Header' }));
  expect(next()).toBeEnabled();
});

it('asks for other fields with another kind of login', async () => {
  const user = await choose(/Anything/, 'Gateway');
  const login = async (name: string) => {
    await user.click(screen.getByRole('combobox', { name: 'How the key is sent' }));
    await user.click(screen.getByRole('option', { name }));
  };
  const address = screen.getByRole('textbox', { name: /Base URL/ });
  expect(address).toHaveAttribute('placeholder', 'https://models.example.com/v1');
  await user.type(address, 'https://models.internal/v1');
  expect(screen.getByRole('textbox', { name: /Query parameter/ })).toHaveValue('key');
  await login('User name and password');
  expect(screen.queryByRole('textbox', { name: /Query parameter/ })).toBeNull();
  expect(screen.queryByLabelText(/API key/)).toBeNull();
  expect(screen.getByText('Fill in “User”.')).toBeVisible();
  await user.type(screen.getByRole('textbox', { name: /User/ }), 'anna');
  await user.type(screen.getByLabelText(/^Password/), 'p');
  expect(next()).toBeEnabled();
  await login('No key');
  expect(screen.queryByRole('textbox', { name: /User/ })).toBeNull();
  expect(screen.queryByLabelText(/^Password/)).toBeNull();
  expect(address).toHaveValue('https://models.internal/v1');
  expect(next()).toBeEnabled();
});
