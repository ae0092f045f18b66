// Over the page that stays as it is: the person logs in again and goes on.
import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogContent from '@mui/material/DialogContent';
import DialogContentText from '@mui/material/DialogContentText';
import DialogTitle from '@mui/material/DialogTitle';
import Stack from '@mui/material/Stack';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import type { Session } from '../api/types';
import { Problem } from '../components/Problem';
import { texts } from '../texts';
import { DevLoginForm } from './DevLoginForm';
import { loginUrl, sessionOptionsQuery, sessionQuery } from './session';

export default function ExpiredDialog({ session, onEntered }: { session: Session; onEntered: () => void }) {
  const options = useQuery(sessionOptionsQuery);
  const queryClient = useQueryClient();
  const [stillOut, setStillOut] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const goOn = async () => {
    setError(null);
    try {
      const state = await queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 });
      setStillOut(state.kind !== 'in');
      if (state.kind === 'in') onEntered();
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <Dialog open aria-labelledby="expired-title" maxWidth="xs" fullWidth>
      <DialogTitle id="expired-title">{texts.login.expired}</DialogTitle>
      <DialogContent>
        <Stack sx={{ gap: 2 }}>
          <DialogContentText>{texts.login.expiredHint}</DialogContentText>
          {session.mode === 'dev' && options.data ? (
            <DevLoginForm options={options.data} onEntered={onEntered} />
          ) : (
            <>
              <Button variant="outlined" href={loginUrl('/ui/')} target="_blank" rel="noreferrer">
                {texts.login.inNewTab}
              </Button>
              <Button variant="contained" onClick={() => void goOn()}>
                {texts.login.thenContinue}
              </Button>
            </>
          )}
          {stillOut && <Alert severity="warning">{texts.login.stillOut}</Alert>}
          {error !== null && <Problem error={error} onRetry={() => void goOn()} />}
        </Stack>
      </DialogContent>
    </Dialog>
  );
}
