// @vitest-environment jsdom
import { beforeEach, expect, it, vi } from 'vitest';

import { askForPage } from './ahead';
import { takeAhead } from './api/ahead';
import { csrfToken, expiries } from './api/transport';
import { start } from './App';
import { pageAt, pageCode } from './pages/code';
import { modelsKey } from './pages/models/useModels';
import { aModel } from './test/models';
import { page, problem, type Server, serve } from './test/page';

const at = (pathname: string, search = '') => ({ pathname: `/ui/orgs/acme/${pathname}`, search });
const session = {
  user: { issuer: 'dev', subject: 'anna', name: 'Anna' },
  platformAdmin: false,
  memberships: [{ org: 'acme', name: 'acme', role: 'viewer', denied: [] }],
  csrfToken: 'csrf',
  expiresAt: '2099-01-01T00:00:00Z',
  mode: 'dev',
};
const models = 'GET /v1/orgs/acme/models';
const server = (more: Server = {}): Server => ({
  'GET /v1/session': { body: session },
  [models]: page(aModel({})),
  ...more,
});
const isModels = (path: string) => path.startsWith('/v1/orgs/acme/models?');

beforeEach(() => {
  csrfToken.set('');
  vi.spyOn(pageCode, 'models').mockReturnValue(new Promise(() => undefined));
});

it('asks for the session, the models and the code before the page has its code', () => {
  const calls = serve(server());
  askForPage(at('models'));
  expect(pageCode.models).toHaveBeenCalledOnce();
  return vi.waitFor(() =>
    expect(calls.map((call) => call.path.replace(/\?.*/, ''))).toEqual(['/v1/session', '/v1/orgs/acme/models']),
  );
});

it('asks for nothing twice when the page takes what was asked for', async () => {
  const calls = serve(server());
  askForPage(at('models'));
  const { queryClient, ready } = start(at('models'));
  await ready;
  await vi.waitFor(() => expect(queryClient.getQueryData(modelsKey('acme'))).toBeDefined());
  expect(queryClient.getQueryData(['session'])).toMatchObject({ kind: 'in' });
  expect(calls).toHaveLength(2);
});

it('asks for what the overview shows first, and for nothing twice', async () => {
  const calls = serve(
    server({
      'GET /v1/orgs/acme/connections': page(),
      'GET /v1/orgs/acme/defaults': page(),
      'GET /v1/orgs/acme/held-changes': page(),
    }),
  );
  askForPage(at('overview'));
  await start(at('overview')).ready;
  // On a slow machine the page asks by its icon whether the server is still there, before it loads more code.
  const asked = calls.map((call) => call.path).filter((path) => !path.endsWith('/icon.svg'));
  expect(new Set(asked).size).toBe(asked.length);
  expect(asked.map((path) => path.replace(/\?.*/, ''))).toEqual([
    '/v1/session',
    '/v1/orgs/acme/models',
    '/v1/orgs/acme/connections',
    '/v1/orgs/acme/defaults',
    '/v1/orgs/acme/held-changes',
  ]);
});

it('hands each reply out once', async () => {
  serve(server());
  askForPage(at('audit'));
  const url = new URL('/v1/session', location.origin).href;
  expect((await takeAhead(url))?.status).toBe(200);
  expect(takeAhead(url)).toBeUndefined();
});

it('leaves the list to itself behind the details of a model', async () => {
  const calls = serve(server());
  askForPage(at('models', '?model=ollama%2Fone'));
  await start(at('models', '?model=ollama%2Fone')).ready;
  expect(calls.filter((call) => isModels(call.path))).toEqual([]);
});

it('does not take a visitor who is not logged in for a session that has ended', async () => {
  const calls = serve(
    server({
      'GET /v1/session': problem(401, 'UNAUTHENTICATED', 'Log in.'),
      [models]: problem(401, 'UNAUTHENTICATED', 'Log in.'),
    }),
  );
  const before = expiries.get();
  askForPage(at('models'));
  const { queryClient } = start(at('models'));
  await vi.waitFor(() => expect(queryClient.getQueryState(modelsKey('acme'))?.status).toBe('error'));
  expect(queryClient.getQueryData(['session'])).toEqual({ kind: 'out' });
  expect(expiries.get()).toBe(before);
  expect(calls).toHaveLength(2);
});

it('knows the page of an address', () => {
  expect(pageAt('/orgs/a%20b/connections/house')).toEqual({ page: 'connections/:connection', org: 'a b' });
  expect(pageAt('/orgs/acme/connections/new/')).toEqual({ page: 'connections/new', org: 'acme' });
  expect(pageAt('/orgs/acme/nothing')).toBeUndefined();
  expect(pageAt('/orgs/acme')).toBeUndefined();
  expect(pageAt('/orgs/%E0/models')).toBeUndefined();
});
