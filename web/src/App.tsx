import CssBaseline from '@mui/material/CssBaseline';
import { ThemeProvider } from '@mui/material/styles';
import { QueryClientProvider } from '@tanstack/react-query';
import { Suspense, useMemo } from 'react';
import { BrowserRouter, Navigate, useParams, useRoutes } from 'react-router-dom';

import { CrashBoundary } from './components/CrashBoundary';
import { Notices } from './components/Notices';
import { Empty, Skeletons } from './components/States';
import { makeQueryClient } from './queries';
import { homePath, pages } from './routes';
import { PageFrame } from './shell/PageFrame';
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

export function App() {
  const queryClient = useMemo(makeQueryClient, []);
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
