// @vitest-environment jsdom
// 10,000 models: what is made and what is asked for, in counts. How long it takes is measured in a browser.
import { fireEvent, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { aModel } from '../../test/models';
import { layOut, page, serve, showPage } from '../../test/page';
import ModelsPage from './ModelsPage';

const total = 10_000;
const models = Array.from({ length: total }, (_, n) => {
  const modelName = `m${String(n).padStart(4, '0')}`;
  return aModel({ id: modelName, modelName, slug: `ollama/${modelName}`, tags: ['all'], contextWindow: 8192 });
});
const list = 'GET /v1/orgs/acme/models';

beforeEach(() => {
  localStorage.clear();
  layOut();
});

async function showList() {
  const calls = serve({ [list]: page(...models), 'GET /v1/orgs/acme/views': page() });
  const shown = showPage(<ModelsPage />, { path: 'models' });
  const grid = await screen.findByRole('grid', { name: 'Models' });
  return { calls, grid, rows: () => grid.querySelectorAll('[role=row][id]'), ...shown };
}

function scroll(grid: HTMLElement, top: number) {
  grid.scrollTop = top;
  fireEvent.scroll(grid);
}

it('renders the rows that are seen, and some around them', async () => {
  const { grid, rows } = await showList();
  expect(grid).toHaveAttribute('aria-rowcount', String(total + 1));
  expect(rows().length).toBeGreaterThanOrEqual(800 / 60);
  expect(rows().length).toBeLessThan(40);
  scroll(grid, 300_000);
  expect(grid.querySelector('#row-5000')).toHaveTextContent('m5000');
  expect(rows().length).toBeLessThan(40);
});

it('makes no element while the list is scrolled fast', async () => {
  const { grid, rows } = await showList();
  scroll(grid, 3000);
  const before = new Set(grid.querySelectorAll('*'));
  for (let top = 6000; top <= 60_000; top += 3000) {
    scroll(grid, top);
    expect(grid.querySelector(`#row-${top / 60}`)).toHaveTextContent(`m${String(top / 60).padStart(4, '0')}`);
    expect([...grid.querySelectorAll('*')].filter((element) => !before.has(element))).toEqual([]);
  }
  // At rest, there are rows around those that are seen again.
  const fast = rows().length;
  await waitFor(() => expect(rows().length).toBeGreaterThan(fast));
});

it('keeps the rows in their order when some leave and others enter', async () => {
  const { grid, rows } = await showList();
  for (const top of [200, 400, 350, 600, 100]) {
    scroll(grid, top);
    const indices = [...rows()].map((row) => Number(row.id.slice(4)));
    expect(indices).toEqual([...indices].sort((a, b) => a - b));
    expect(new Set(indices).size).toBe(indices.length);
  }
});

it('filters without asking the server, and changes the address once the typing pauses', async () => {
  const { calls, rows, router } = await showList();
  await waitFor(() => expect(calls.some((call) => call.path.includes('/views'))).toBe(true));
  const asked = calls.length;
  const addresses: string[] = [];
  router.subscribe(({ location }) => addresses.push(location.search));
  await userEvent.type(screen.getByRole('searchbox'), 'm777');
  await waitFor(() => expect(screen.getByText('10 models of 10,000')).toBeInTheDocument());
  expect([...rows()].map((row) => row.textContent?.includes('m777'))).toEqual(Array(10).fill(true));
  await waitFor(() => expect(router.state.location.search).toBe('?q=m777'));
  expect(addresses.length).toBeLessThanOrEqual(4);
  expect(calls.length).toBe(asked);
});

it('takes the text of the search from a link, and clears it', async () => {
  serve({ [list]: page(...models), 'GET /v1/orgs/acme/views': page() });
  const { router } = showPage(<ModelsPage />, { path: 'models', query: '?q=m0042' });
  expect(await screen.findByText('1 model of 10,000')).toBeInTheDocument();
  const box = screen.getByRole('searchbox');
  expect(box).toHaveValue('m0042');
  await userEvent.type(box, '9');
  await userEvent.click((await screen.findAllByRole('button', { name: 'Clear filters' }))[0] as HTMLElement);
  expect(box).toHaveValue('');
  await waitFor(() => expect(screen.getByText('10,000 models')).toBeInTheDocument());
  await waitFor(() => expect(router.state.location.search).toBe(''));
});

it('leaves the focus with the list when a row is clicked', async () => {
  const { grid } = await showList();
  await userEvent.click(screen.getByRole('checkbox', { name: 'Select m0003' }));
  expect(screen.getByRole('checkbox', { name: 'Select m0003' })).toBeChecked();
  expect(grid).toHaveFocus();
  await userEvent.keyboard('{ArrowDown} ');
  expect(screen.getByRole('checkbox', { name: 'Select m0004' })).toBeChecked();
});
