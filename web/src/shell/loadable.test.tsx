// @vitest-environment jsdom
import { act, cleanup, render, screen } from '@testing-library/react';
import { Suspense } from 'react';
import { afterEach, expect, it, vi } from 'vitest';

import { connection, reaches } from '../api/transport';
import { loadable } from './loadable';

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const Part = ({ name }: { name: string }) => <p>part {name}</p>;
const shown = (loading: ReturnType<typeof loadable<{ name: string }>>) =>
  render(
    <Suspense fallback={<p>loading</p>}>
      <loading.Shown name="one" />
    </Suspense>,
  );

it('shows the fallback until the code has arrived', async () => {
  shown(loadable(() => Promise.resolve({ default: Part })));
  expect(screen.getByText('loading')).toBeVisible();
  expect(await screen.findByText('part one')).toBeVisible();
});

it('is shown at once where the code was loaded ahead', async () => {
  const part = loadable(() => Promise.resolve({ default: Part }));
  await part.load();
  shown(part);
  expect(screen.getByText('part one')).toBeVisible();
});

it('asks for the code again after a failure ahead', async () => {
  const code = vi.fn().mockRejectedValueOnce(new Error('offline')).mockResolvedValue({ default: Part });
  const part = loadable<{ name: string }>(code);
  await expect(part.load()).rejects.toThrow('offline');
  shown(part);
  expect(await screen.findByText('part one')).toBeVisible();
});

let clock = Date.now();
/** The server was heard of, and long ago. */
async function heardLongAgo() {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response()));
  await reaches(0);
  vi.useFakeTimers({ toFake: ['Date'], now: (clock += 60_000) });
}
const file = vi.fn<() => Promise<Response>>();

it('asks for no code while the server is away, and for it when the server is back', async () => {
  await heardLongAgo();
  vi.stubGlobal('fetch', file.mockRejectedValue(new TypeError('Failed to fetch')));
  const code = vi.fn().mockResolvedValue({ default: Part });
  const part = loadable<{ name: string }>(code);
  await expect(part.load()).rejects.toThrow();
  shown(part);
  await vi.waitFor(() => expect(connection.get()).toBe('offline'));
  expect(screen.getByText('loading')).toBeVisible();
  expect(code).not.toHaveBeenCalled();
  file.mockResolvedValue(new Response());
  act(() => connection.set('online'));
  expect(await screen.findByText('part one')).toBeVisible();
});

it('waits for a server that goes away while the code is on its way', async () => {
  await heardLongAgo();
  vi.stubGlobal(
    'fetch',
    file
      .mockReset()
      .mockResolvedValueOnce(new Response())
      .mockRejectedValueOnce(new TypeError('Failed to fetch'))
      .mockResolvedValue(new Response()),
  );
  const code = vi.fn().mockRejectedValueOnce(new Error('no code')).mockResolvedValue({ default: Part });
  shown(loadable<{ name: string }>(code));
  await vi.waitFor(() => expect(connection.get()).toBe('offline'));
  act(() => connection.set('online'));
  expect(await screen.findByText('part one')).toBeVisible();
});

it('asks for the code at once before the server was heard of, however long the browser has read scripts', async () => {
  vi.resetModules();
  const fresh = await import('./loadable');
  vi.useFakeTimers({ toFake: ['Date'], now: (clock += 60_000) });
  vi.stubGlobal('fetch', file.mockReset());
  await fresh.loadable(() => Promise.resolve({ default: Part })).load();
  expect(file).not.toHaveBeenCalled();
});
