// @vitest-environment jsdom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { beforeEach, expect, it, vi } from 'vitest';

import { aModel } from '../../test/models';
import { page, serve } from '../../test/page';
import { matching, optionsOf } from './groups';
import { ModelSelector } from './ModelSelector';
import { usableModels } from './usableModels';

const house = aModel({ slug: 'openai/gpt-5', provider: 'openai', displayName: 'House model', isDefault: true });
const small = aModel({ slug: 'ollama/small', provider: 'ollama', modelName: 'small' });
const secret = aModel({ slug: 'ollama/secret', provider: 'ollama', modelName: 'secret' });
const hidden = aModel({ slug: 'ollama/hidden', provider: 'ollama', modelName: 'hidden', hidden: true });

it('offers what the server allows, without hidden models', () => {
  const usable = usableModels(
    ['openai/gpt-5', 'ollama/small', 'ollama/hidden', 'vllm/other'],
    [house, small, secret, hidden],
    [],
  );
  expect(usable.map((model) => model.slug)).toEqual(['openai/gpt-5', 'ollama/small', 'vllm/other']);
  expect(usable[2]).toMatchObject({ name: 'other', provider: 'vllm' });
});

it('puts favourites first and groups the rest by provider', () => {
  const usable = usableModels(['openai/gpt-5', 'ollama/small', 'ollama/secret'], [house, small, secret], []);
  const options = optionsOf(usable, ['ollama/small'], 'Favourites');
  expect(options.map((o) => `${o.group}:${o.model.slug}`)).toEqual([
    'Favourites:ollama/small',
    'ollama:ollama/secret',
    'openai:openai/gpt-5',
  ]);
  expect(matching(options, 'GPT openai').map((o) => o.model.slug)).toEqual(['openai/gpt-5']);
});

function Page() {
  const [value, setValue] = useState('');
  return (
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <ModelSelector org="acme" value={value} onChange={setValue} />
      <output>{value}</output>
    </QueryClientProvider>
  );
}

beforeEach(() => localStorage.clear());

it('searches, chooses with the keyboard, and keeps a favourite', async () => {
  serve({
    'GET /v1/models': page({ id: 'openai/gpt-5' }, { id: 'ollama/small' }),
    'GET /v1/orgs/acme/models': page(house, small, secret),
  });
  const person = userEvent.setup();
  render(<Page />);
  await vi.waitFor(() => expect(screen.getByPlaceholderText('Default: House model')).toBeInTheDocument());
  await person.type(screen.getByRole('combobox'), 'sma');
  const list = await screen.findByRole('listbox');
  expect(within(list).getAllByRole('option')).toHaveLength(1);
  await person.keyboard('{ArrowDown}{Enter}');
  expect(screen.getByRole('status')).toHaveTextContent('ollama/small');
  await person.click(screen.getByRole('button', { name: 'small is a favourite' }));
  expect(localStorage.getItem('tokenrail.favourites')).toBe('["ollama/small"]');
});
