import CssBaseline from '@mui/material/CssBaseline';
import { ThemeProvider } from '@mui/material/styles';
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { Suspense } from 'react';
import { BrowserRouter, Navigate, useParams, useRoutes } from 'react-router-dom';

import { CrashBoundary } from './components/CrashBoundary';
import { Notices } from './components/Notices';
import { Empty, Skeletons } from './components/States';
import { makeQueryClient } from './queries';
import { homePath, pageAt, pages } from './routes';
import { PageFrame } from './shell/PageFrame';
import { sessionQuery } from './session/session';
import { SessionGate } from './session/SessionGate';
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
              <route.page />
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

/**
 * Asks for the code of the page, who is logged in, and then for the data of the page, before anything is shown. One after
 * another they would take three times as long. Who shows them repeats what fails.
 */
export function start({ pathname, search }: Pick<Location, 'pathname' | 'search'>): QueryClient {
  const queryClient = makeQueryClient();
  const opened = pageAt(pathname.replace(/^\/ui/, ''));
  opened?.route.load().catch(() => undefined);
  queryClient
    .fetchQuery(sessionQuery)
    .then((state) => {
      // Behind the details of a model, the list can wait. A login that is asked for before they open would be hidden by them.
      if (state.kind === 'in' && !new URLSearchParams(search).has('model'))
        void opened?.route.prefetch?.(queryClient, opened.org);
    })
    .catch(() => undefined);
  return queryClient;
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
