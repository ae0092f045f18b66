// The page of models for tests: its address, its session, and a size for its virtual list.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { MemoryRouter, Route, Routes } from 'react-router-dom';
import { vi } from 'vitest';

import type { Role, Session } from '../api/types';
import { Notices } from '../components/Notices';
import { SessionProvider } from '../session/session';

const sessionOf = (role: Role): Session => ({
  user: { issuer: 'dev', subject: 'alice', name: 'Alice' },
  platformAdmin: role === 'platform_admin',
  memberships: [{ org: 'acme', name: 'Acme', role, denied: [] }],
  csrfToken: 'csrf',
  expiresAt: '2100-01-01T00:00:00Z',
  mode: 'dev',
});

export function renderPage(page: ReactNode, { role = 'org_admin' as Role, query = '' } = {}) {
  // jsdom lays nothing out; a virtual list needs a size to show rows in.
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
  HTMLElement.prototype.scrollTo ??= () => undefined;
  const client = new QueryClient({ defaultOptions: { queries: { retry: false }, mutations: { retry: false } } });
  return render(
    <QueryClientProvider client={client}>
      <SessionProvider value={sessionOf(role)}>
        <MemoryRouter initialEntries={[`/orgs/acme/models${query}`]}>
          <Routes>
            <Route path="/orgs/:org/models" element={page} />
          </Routes>
        </MemoryRouter>
        <Notices />
      </SessionProvider>
    </QueryClientProvider>,
  );
}
