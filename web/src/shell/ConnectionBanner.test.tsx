// @vitest-environment jsdom
import { act, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { body, client } from '../api/client';
import { connection } from '../api/transport';
import { showPage } from '../test/page';
import { ConnectionBanner } from './ConnectionBanner';

const banner =
  'The server fails to answer some requests. You see what was loaded before. The page tries again by itself.';
const back = 'The server answers again.';

/** Paths whose requests fail; all others answer. */
let failing: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  connection.set('online');
  vi.stubGlobal('fetch', (asked: Request | string) => {
    const path = new URL(typeof asked === 'string' ? asked : asked.url, location.origin).pathname;
    return Promise.resolve(new Response('{}', { status: failing.includes(path) ? 500 : 200 }));
  });
});
afterEach(() => vi.useRealTimers());

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const readViews = () =>
  act(() => body(client.GET('/v1/orgs/{org}/views', { params: { path: { org: 'acme' } } })).catch(() => undefined));
const readProviders = () => act(() => body(client.GET('/v1/providers', {})));

it('stays while one read fails, although the session and other reads answer', async () => {
  failing = ['/v1/orgs/acme/views'];
  showPage(<ConnectionBanner />);
  await readViews();
  for (let second = 1; second <= 12; second++) {
    await pass(1000);
    await readProviders();
    expect(screen.getByText(banner)).toBeVisible();
  }
  expect(screen.queryByText(back)).toBeNull();
  failing = [];
  await pass(3000);
  expect(screen.queryByText(banner)).toBeNull();
  expect(screen.getByText(back)).toBeVisible();
});

it('is not shown for a failure that a repetition heals at once', async () => {
  failing = ['/v1/orgs/acme/views'];
  showPage(<ConnectionBanner />);
  await readViews();
  await pass(500);
  expect(screen.queryByText(banner)).toBeNull();
  failing = [];
  await readViews();
  await pass(5000);
  expect(screen.queryByText(banner)).toBeNull();
  expect(screen.queryByText(back)).toBeNull();
});

it('is not shown for a change that failed, which the form explains', async () => {
  failing = ['/v1/orgs/acme/defaults'];
  showPage(<ConnectionBanner />);
  await act(() =>
    body(
      client.PUT('/v1/orgs/{org}/defaults', {
        params: { path: { org: 'acme' } },
        body: { kind: 'generation', model: 'ollama/a' },
      }),
    ).catch(() => undefined),
  );
  await pass(2000);
  expect(screen.queryByText(banner)).toBeNull();
});
