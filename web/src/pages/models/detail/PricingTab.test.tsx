// @vitest-environment jsdom
// Saving prices writes those that a person has set, and never what a list or a catalogue says.
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { aModel } from '../../../test/models';
import { type Call, layOut, page, problem, serve, showPage } from '../../../test/page';
import ModelsPage from '../ModelsPage';
import { priceDraftOf, withShown } from './prices';

const model = aModel({ slug: 'ollama/chat', modelName: 'chat', scope: 'override' });
const one = `/v1/orgs/acme/models/${model.slug}`;

const night = { dimension: 'output', serviceTier: 'standard', utcFrom: '16:30', utcTo: '00:30', amount: '0.5' };
const inputOfPerson = { dimension: 'input', amount: '3', source: 'override' };
const own = [inputOfPerson, { ...night, source: 'override' }];
const ofOthers = [
  { dimension: 'output', amount: '2', source: 'provider' },
  { dimension: 'cache_read', amount: '0.25', source: 'curated', origin: 'litellm' },
];

beforeEach(() => {
  localStorage.clear();
  layOut();
  priceDraftOf('acme', model.slug).set(null);
});

async function openPrices(answer: { prices: object[]; own?: object[] }) {
  const prices = { body: { ...answer, version: 1 } };
  const calls = serve({
    'GET /v1/orgs/acme/models': page(model),
    [`GET ${one}`]: { body: model },
    [`GET ${one}/prices`]: prices,
    [`PUT ${one}/prices`]: prices,
  });
  showPage(<ModelsPage />, { path: 'models', query: `?model=${encodeURIComponent(model.slug)}&tab=pricing` });
  await userEvent.click(await screen.findByRole('button', { name: 'Edit' }));
  return calls;
}

/** The prices that saving sends. */
async function saved(calls: Call[]): Promise<unknown> {
  await userEvent.click(screen.getByRole('button', { name: 'Save prices' }));
  return waitFor(() => {
    const found = calls.find((call) => call.method === 'PUT');
    if (!found) throw new Error('nothing is saved yet');
    return found.body;
  });
}

const input = { dimension: 'input', serviceTier: 'standard', minContextTokens: 0 };

it('saves the prices of a person without those of lists and catalogues', async () => {
  const calls = await openPrices({ prices: [...own, ...ofOthers], own });
  const amounts = screen.getAllByRole<HTMLInputElement>('textbox', { name: 'US dollars per million' });
  expect(amounts.map((amount) => amount.value)).toEqual(['3', '0.5']);
  const ofInput = screen.getByDisplayValue('3');
  await userEvent.clear(ofInput);
  await userEvent.type(ofInput, '4');
  expect(await saved(calls)).toEqual({
    prices: [
      { ...input, amount: '4' },
      { ...night, minContextTokens: 0 },
    ],
  });
});

it('begins with an empty price where all shown prices are from a catalogue', async () => {
  const calls = await openPrices({ prices: ofOthers, own: [] });
  await userEvent.type(screen.getByRole('textbox', { name: 'US dollars per million' }), '7');
  expect(await saved(calls)).toEqual({ prices: [{ ...input, amount: '7' }] });
});

it('copies the shown prices where the person asks for it', async () => {
  const calls = await openPrices({ prices: ofOthers, own: [] });
  await userEvent.click(screen.getByRole('button', { name: 'Copy the prices that hold now' }));
  expect(screen.queryByRole('button', { name: 'Copy the prices that hold now' })).toBeNull();
  expect(await saved(calls)).toEqual({
    prices: [
      { ...input, dimension: 'output', amount: '2' },
      { ...input, dimension: 'cache_read', amount: '0.25' },
    ],
  });
});

it('takes the prices with the source of a person where the server does not name them', async () => {
  const calls = await openPrices({ prices: [inputOfPerson, ...ofOthers] });
  expect(await saved(calls)).toEqual({ prices: [{ ...input, amount: '3' }] });
});

it('keeps the prices that another person has set meanwhile until the reader decides', async () => {
  let now = { prices: own, own, version: 1 };
  const calls = serve({
    'GET /v1/orgs/acme/models': page(model),
    [`GET ${one}`]: { body: model },
    [`GET ${one}/prices`]: () => ({ body: now }),
    [`PUT ${one}/prices`]: ({ headers }) =>
      headers.get('If-Match') === `"v${now.version}"` ? { body: now } : problem(412, 'PRECONDITION_FAILED', 'Changed.'),
  });
  showPage(<ModelsPage />, { path: 'models', query: `?model=${encodeURIComponent(model.slug)}&tab=pricing` });
  await userEvent.click(await screen.findByRole('button', { name: 'Edit' }));
  const ofInput = screen.getByDisplayValue('3');
  await userEvent.clear(ofInput);
  await userEvent.type(ofInput, '4');
  const theirs = [{ ...inputOfPerson, amount: '8' }];
  now = { prices: theirs, own: theirs, version: 5 };
  await userEvent.click(screen.getByRole('button', { name: 'Save prices' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Someone else has changed this' }));
  expect(dialog.getByText(/\$8/)).toBeInTheDocument();
  await userEvent.click(dialog.getByRole('button', { name: 'Save mine over it' }));
  expect(await screen.findByText('The prices are saved.')).toBeInTheDocument();
  const puts = calls.filter((call) => call.method === 'PUT');
  expect(puts.map((call) => call.headers.get('If-Match'))).toEqual(['"v1"', '"v5"']);
});

it('saves the prices where only something else of the model was changed', async () => {
  let version = 1;
  const calls = serve({
    'GET /v1/orgs/acme/models': page(model),
    [`GET ${one}`]: { body: model },
    [`GET ${one}/prices`]: () => ({ body: { prices: own, own, version } }),
    [`PUT ${one}/prices`]: ({ headers }) =>
      headers.get('If-Match') === `"v${version}"` ? { body: {} } : problem(412, 'PRECONDITION_FAILED', 'Changed.'),
  });
  showPage(<ModelsPage />, { path: 'models', query: `?model=${encodeURIComponent(model.slug)}&tab=pricing` });
  await userEvent.click(await screen.findByRole('button', { name: 'Edit' }));
  version = 6;
  await userEvent.click(screen.getByRole('button', { name: 'Save prices' }));
  expect(await screen.findByText('The prices are saved.')).toBeInTheDocument();
  const puts = calls.filter((call) => call.method === 'PUT');
  expect(puts.map((call) => call.headers.get('If-Match'))).toEqual(['"v1"', '"v6"']);
});

it('copies no price for what the draft has a price for', () => {
  const draft = [
    { ...input, amount: '1' },
    { ...input, dimension: 'output', amount: ' ' },
  ];
  const shown = [
    { ...input, amount: '9' },
    { ...input, dimension: 'output', amount: '8' },
  ];
  expect(withShown(draft, shown)).toEqual([
    { ...input, amount: '1' },
    { ...input, dimension: 'output', amount: '8' },
  ]);
});
