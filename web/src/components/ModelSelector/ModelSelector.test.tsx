// @vitest-environment jsdom
import { cleanup, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { aModel } from '../../test/models';
import { page, serve, showPage } from '../../test/page';
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

function Page({ org = 'acme' }: { org?: string }) {
  const [value, setValue] = useState('');
  return (
    <>
      <ModelSelector org={org} value={value} onChange={setValue} />
      <output>{value}</output>
    </>
  );
}

beforeEach(() => localStorage.clear());
afterEach(cleanup);

const server = (org: string) => ({
  'GET /v1/models': page({ id: 'openai/gpt-5' }, { id: 'ollama/small' }),
  [`GET /v1/orgs/${org}/models`]: page(house, small, secret),
});

async function chooseSmall(person: ReturnType<typeof userEvent.setup>) {
  await vi.waitFor(() => expect(screen.getByPlaceholderText('Default: House model')).toBeInTheDocument());
  await person.type(screen.getByRole('combobox'), 'sma');
  const list = await screen.findByRole('listbox');
  expect(within(list).getAllByRole('option')).toHaveLength(1);
  await person.keyboard('{ArrowDown}{Enter}');
}
const star = () => screen.getByRole('button', { name: 'small is a favourite' });

it('searches, chooses with the keyboard, and keeps a favourite', async () => {
  serve(server('acme'));
  const person = userEvent.setup();
  showPage(<Page />);
  await chooseSmall(person);
  expect(screen.getByRole('status')).toHaveTextContent('ollama/small');
  await person.click(star());
  expect(star()).toHaveAttribute('aria-pressed', 'true');
  expect(Object.values({ ...localStorage })).toContain('["ollama/small"]');
});

it.each([
  { of: 'another person of the browser', org: 'acme', subject: 'bo', liked: 'false' },
  { of: 'another organisation', org: 'globex', subject: 'anna', liked: 'false' },
  { of: 'the same person', org: 'acme', subject: 'anna', liked: 'true' },
])('keeps the favourites of $of apart, or again', async ({ org, subject, liked }) => {
  const person = userEvent.setup();
  serve(server('acme'));
  showPage(<Page />);
  await chooseSmall(person);
  if (star().getAttribute('aria-pressed') === 'false') await person.click(star());
  cleanup();
  serve(server(org));
  showPage(<Page org={org} />, { org, subject });
  await chooseSmall(person);
  expect(star()).toHaveAttribute('aria-pressed', liked);
});
