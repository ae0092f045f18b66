// Who is logged in. The session itself is a cookie that scripts cannot read.
import { queryOptions } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import { useParams } from 'react-router-dom';

import { rawRequest, request } from '../api/client';
import { isMissingRoute, isStatus } from '../api/problem';
import { csrfToken } from '../api/transport';
import type { Role, Session, SessionOptions } from '../api/types';
import { makeStore } from '../store';
import { may } from './permissions';

export type SessionState = { kind: 'in'; session: Session } | { kind: 'out' } | { kind: 'unsupported' };

function entered(session: Session): SessionState {
  csrfToken.set(session.csrfToken);
  return { kind: 'in', session };
}

export const sessionQuery = queryOptions<SessionState>({
  queryKey: ['session'],
  staleTime: Infinity,
  queryFn: async () => {
    try {
      return entered(await request<Session>('GET', '/v1/session'));
    } catch (error) {
      if (isStatus(error, 401)) return { kind: 'out' };
      if (isMissingRoute(error)) return { kind: 'unsupported' };
      throw error;
    }
  },
});

export const sessionOptionsQuery = queryOptions({
  queryKey: ['session', 'options'],
  staleTime: Infinity,
  queryFn: () => request<SessionOptions>('GET', '/v1/session/options'),
});

export const logInDev = async (user: string, org: string, role: Role): Promise<SessionState> =>
  entered(
    await request<Session>('POST', '/v1/session:dev', {
      json: { user, role, ...(role === 'platform_admin' ? {} : { org }) },
    }),
  );

/** Here, or in every browser where the person is logged in. */
export const logOut = (everywhere: boolean) =>
  rawRequest('DELETE', `/v1/session${everywhere ? '?everywhere=true' : ''}`);

export const loginUrl = (returnTo: string) => `/v1/session:login?returnTo=${encodeURIComponent(returnTo)}`;

/** Whether a login is asked for above the page. What opens over the page by itself waits until it is not, or it would hide it. */
export const loginAsked = makeStore(false);

/** Whether the form of a new organisation is open. A page may open it; the switcher of organisations shows it. */
export const organizationAsked = makeStore(false);

const SessionContext = createContext<Session | null>(null);
export const SessionProvider = SessionContext.Provider;

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('useSession outside of a session');
  return session;
}

/** The organisation of the page's address. */
export function useOrg(): string {
  return useParams().org ?? '';
}

/** Whether the person may do this in the organisation of the page. */
export function useMay(permission: string): boolean {
  return may(useSession(), useOrg(), permission);
}
