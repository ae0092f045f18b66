// Shows a page as the app does, with a server that answers from a table.
import { ThemeProvider } from '@mui/material/styles';
import { QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import type { ReactElement } from 'react';
import { createMemoryRouter, RouterProvider } from 'react-router-dom';
import { vi } from 'vitest';

import type { Role } from '../api/types';
import { Notices } from '../components/Notices';
import { makeQueryClient } from '../queries';
import { SessionProvider } from '../session/session';
import { theme } from '../theme';

export interface Call {
  method: string;
  path: string;
  body: unknown;
  headers: Headers;
}

export interface Answer {
  status?: number;
  body?: unknown;
}

/** `GET /v1/…` without the query: what it answers with, or what decides that. */
export type Server = Record<string, Answer | ((call: Call) => Answer)>;

export const page = (...data: unknown[]): Answer => ({ body: { data, next_page_token: '', total_size: data.length } });

export const problem = (status: number, code: string, detail: string, more: object = {}): Answer => ({
  status,
  body: { type: '', code, title: code, status, detail, hint: '', retryable: false, request_id: 'r1', ...more },
});

/** Answers of the server; the calls that were made are kept. What the table lacks is a 404. */
export function serve(server: Server): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const url = new URL(request.url);
    const text = await request.text();
    const call: Call = {
      method: request.method,
      path: url.pathname + url.search,
      body: text ? JSON.parse(text) : undefined,
      headers: request.headers,
    };
    calls.push(call);
    const found = server[`${request.method} ${decodeURIComponent(url.pathname)}`];
    const answer = typeof found === 'function' ? found(call) : (found ?? problem(404, 'NOT_FOUND', 'No such route.'));
    const status = answer.status ?? 200;
    return new Response(status === 204 ? null : JSON.stringify(answer.body ?? {}), {
      status,
      headers: { 'Content-Type': 'application/json' },
    });
  });
  return calls;
}

interface Options {
  role?: Role;
  org?: string;
  /** Who is logged in. */
  subject?: string;
  /** As api.dashboard_url is set. */
  dashboardUrl?: string;
  /** Below the organisation, as in the address. */
  path?: string;
  /** As in the table of routes. */
  route?: string;
  /** Such as `?q=llama`. */
  query?: string;
}

/** jsdom lays nothing out; a list that shows what is in the window needs a size. */
export function layOut() {
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(800);
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(1280);
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  );
}

export function showPage(element: ReactElement, options: Options = {}) {
  const {
    role = 'org_admin',
    org = 'acme',
    subject = 'anna',
    path = 'here',
    route = path,
    query = '',
    dashboardUrl,
  } = options;
  const queryClient = makeQueryClient();
  queryClient.setDefaultOptions({ queries: { ...queryClient.getDefaultOptions().queries, retry: false } });
  const router = createMemoryRouter(
    [
      { path: `/orgs/:org/${route}`, element },
      { path: '*', element: <p>elsewhere</p> },
    ],
    { initialEntries: [`/orgs/${org}/${path}${query}`] },
  );
  const session = {
    user: { issuer: 'dev', subject, name: subject },
    platformAdmin: role === 'platform_admin',
    memberships: [{ org, name: org, role, denied: [] }],
    csrfToken: 'csrf',
    expiresAt: '2099-01-01T00:00:00Z',
    mode: 'dev' as const,
    ...(dashboardUrl ? { dashboardUrl } : {}),
  };
  const shown = render(
    <ThemeProvider theme={theme}>
      <QueryClientProvider client={queryClient}>
        <SessionProvider value={session}>
          <RouterProvider router={router} />
        </SessionProvider>
        <Notices />
      </QueryClientProvider>
    </ThemeProvider>,
  );
  return { ...shown, queryClient, router };
}
