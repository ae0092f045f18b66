// Shows the page to who is logged in, and the login to others. A session that ends keeps the page below the login, so that
// nothing typed is lost.
import Box from '@mui/material/Box';
import Container from '@mui/material/Container';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react';

import { expiries } from '../api/transport';
import type { Session } from '../api/types';
import { Problem } from '../components/Problem';
import { SlowNote } from '../components/States';
import { loadable } from '../shell/loadable';
import { useStore } from '../store';
import { loginAsked, SessionProvider, sessionQuery } from './session';

const login = loadable(() => import('./LoginPage'));
export const loadLogin = login.load;
const loadExpired = () => import('./ExpiredDialog');
const ExpiredDialog = lazy(loadExpired);

export function SessionGate({ children }: { children: ReactNode }) {
  const queryClient = useQueryClient();
  const state = useQuery(sessionQuery);
  const expired = useStore(expiries);
  const [seen, setSeen] = useState(expired);
  const [last, setLast] = useState<Session | null>(null);

  const session = state.data?.kind === 'in' ? state.data.session : null;
  useEffect(() => {
    if (!session) return;
    setLast((before) => {
      // Another person must not see what the one before has loaded.
      if (before && before.user.subject !== session.user.subject)
        queryClient.removeQueries({ predicate: (q) => q.queryKey[0] !== 'session' });
      return session;
    });
  }, [session, queryClient]);

  const entered = session !== null;
  useEffect(() => {
    // Loaded ahead: a session may end when the server has another version of the page. A failure is repeated when it is shown.
    if (entered) loadExpired().catch(() => undefined);
  }, [entered]);

  const shown = session ?? last;
  const asks = shown !== null && (expired !== seen || !session);
  useEffect(() => loginAsked.set(asks), [asks]);
  if (shown) {
    return (
      <SessionProvider value={shown}>
        {children}
        {asks && (
          <Suspense>
            <ExpiredDialog
              session={shown}
              onEntered={() => {
                setSeen(expiries.get());
                void queryClient.invalidateQueries({ predicate: (q) => q.queryKey[0] !== 'session' });
              }}
            />
          </Suspense>
        )}
      </SessionProvider>
    );
  }
  if (state.data)
    return (
      <Suspense>
        <login.Shown state={state.data} />
      </Suspense>
    );
  return (
    <Container maxWidth="sm" sx={{ pt: 8 }}>
      {state.error ? (
        <Problem error={state.error} onRetry={() => void state.refetch()} />
      ) : (
        <Box role="status">
          <SlowNote />
        </Box>
      )}
    </Container>
  );
}
