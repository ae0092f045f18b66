import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Paper from '@mui/material/Paper';
import Stack from '@mui/material/Stack';
import Typography from '@mui/material/Typography';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { Problem } from '../components/Problem';
import { Skeletons } from '../components/States';
import { texts } from '../texts';
import { DevLoginForm } from './DevLoginForm';
import { loginUrl, sessionOptionsQuery, type SessionState } from './session';

export default function LoginPage({ state }: { state: SessionState }) {
  return (
    <Box
      component="main"
      sx={{ minHeight: '100vh', display: 'grid', placeItems: 'center', p: 2, bgcolor: 'surface.container' }}
    >
      <Paper elevation={0} sx={{ width: '100%', maxWidth: 420, p: { xs: 3, sm: 5 }, borderRadius: '28px' }}>
        <Stack sx={{ gap: 2.5 }}>
          <Stack direction="row" sx={{ gap: 1.5, alignItems: 'center' }}>
            <img src={`${import.meta.env.BASE_URL}icon.svg`} alt="" width={44} height={44} />
            <div>
              <Typography variant="h1">{texts.common.appName}</Typography>
              <Typography color="textSecondary">{texts.login.intro}</Typography>
            </div>
          </Stack>
          {state.kind === 'unsupported' ? (
            <Alert severity="warning">
              <strong>{texts.login.unsupported}.</strong> {texts.login.unsupportedHint}
            </Alert>
          ) : (
            <WaysIn />
          )}
        </Stack>
      </Paper>
    </Box>
  );
}

/** Why the login before failed, from the address that the server leads back to. The address itself forgets it. */
function useLoginError(): string | null {
  const [code] = useState(() => new URLSearchParams(location.search).get('loginError'));
  useEffect(() => {
    if (code !== null) history.replaceState(history.state, '', withoutLoginError());
  }, [code]);
  return code;
}

function withoutLoginError(): string {
  const params = new URLSearchParams(location.search);
  params.delete('loginError');
  const query = params.toString();
  return location.pathname + (query && `?${query}`);
}

function LoginError({ code }: { code: string }) {
  const known = texts.login.errors[code];
  return (
    <Alert severity="error">
      <strong>{known?.title ?? texts.login.unknownError(code)}.</strong> {known?.hint ?? texts.login.unknownErrorHint}
    </Alert>
  );
}

function WaysIn() {
  const failed = useLoginError();
  const options = useQuery(sessionOptionsQuery);
  if (options.error) return <Problem error={options.error} optional onRetry={() => void options.refetch()} />;
  if (!options.data) return <Skeletons rows={3} />;
  const { oidc, mode } = options.data;
  return (
    <>
      {failed !== null && <LoginError code={failed} />}
      {oidc && (
        <Button variant="contained" size="large" href={loginUrl(withoutLoginError())}>
          {failed === null ? texts.login.withProvider : texts.login.again}
        </Button>
      )}
      {mode === 'dev' && (
        <>
          <Alert severity="info">{texts.login.devNote}</Alert>
          <DevLoginForm options={options.data} />
        </>
      )}
      {!oidc && mode !== 'dev' && (
        <Alert severity="warning">
          <strong>{texts.login.noWay}.</strong> {texts.login.noWayHint}
        </Alert>
      )}
    </>
  );
}
