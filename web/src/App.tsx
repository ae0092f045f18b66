import CssBaseline from '@mui/material/CssBaseline';
import { ThemeProvider } from '@mui/material/styles';
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { Suspense } from 'react';
import { BrowserRouter, Navigate, useParams, useRoutes } from 'react-router-dom';

import { CrashBoundary } from './components/CrashBoundary';
import { Notices } from './components/Notices';
import { Empty, Skeletons } from './components/States';
import { makeQueryClient } from './queries';
import { pageAt } from './pages/code';
import { homePath, pages } from './routes';
import { PageFrame } from './shell/PageFrame';
import { sessionQuery } from './session/session';
import { loadLogin, SessionGate } from './session/SessionGate';
import { AppShell } from './shell/AppShell';
import { Home } from './shell/Home';
import { theme } from './theme';
import { texts } from './texts';
import { mdiMapMarkerQuestionOutline } from '@mdi/js';

function OrgHome() {
  return <Navigate to={homePath(useParams().org ?? '')} replace />;
}

const notFound = (
  <Empty icon={mdiMapMarkerQuestionOutline} title={texts.common.notFound} hint={texts.common.notFoundHint} />
);

const appRoutes = [
  {
    element: <AppShell />,
    children: [
      { path: '/', element: <Home /> },
      { path: '/orgs/:org', element: <OrgHome /> },
      ...pages.map((route) => ({
        path: `/orgs/:org/${route.path}`,
        element: (
          <PageFrame route={route}>
            <Suspense fallback={<Skeletons />}>
              <route.Shown />
            </Suspense>
          </PageFrame>
        ),
      })),
      { path: '*', element: notFound },
    ],
  },
];

// Not the router that loads data: React Query does that, and it is a tenth of the scripts.
const Pages = () => useRoutes(appRoutes);

/** How long nothing is shown while the page is on its way. After that, the page says that it waits. */
const nothingMs = 300;

interface Started {
  queryClient: QueryClient;
  /** It is known what to show, and its code is here; or both take longer. */
  ready: Promise<unknown>;
}

/**
 * Takes what the first script has asked for (src/ahead.ts) before anything is shown: what is shown first and then replaced costs
 * time twice. Who shows the page repeats what fails.
 */
export function start({ pathname, search }: Pick<Location, 'pathname' | 'search'>): Started {
  const queryClient = makeQueryClient();
  const opened = pageAt(pathname.replace(/^\/ui/, ''));
  const route = pages.find((each) => each.path === opened?.page);
  if (opened && !new URLSearchParams(search).has('model')) void route?.prefetch?.(queryClient, opened.org);
  const code = route?.load();
  const known = Promise.all([
    queryClient.fetchQuery(sessionQuery).then((state) => state.kind !== 'in' && loadLogin()),
    code,
  ]).catch(() => undefined);
  return { queryClient, ready: Promise.race([known, new Promise((resolve) => setTimeout(resolve, nothingMs))]) };
}

export function App({ queryClient }: { queryClient: QueryClient }) {
  return (
    <ThemeProvider theme={theme} defaultMode="system">
      <CssBaseline enableColorScheme />
      <QueryClientProvider client={queryClient}>
        <CrashBoundary>
          <SessionGate>
            <BrowserRouter basename="/ui">
              <Pages />
            </BrowserRouter>
          </SessionGate>
        </CrashBoundary>
        <Notices />
      </QueryClientProvider>
    </ThemeProvider>
  );
}
