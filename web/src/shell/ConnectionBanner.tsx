// Says that the server is away, asks it again by itself, and reads everything again when it is back.
import { mdiCloudAlertOutline, mdiCloudOffOutline } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';

import { askAgain, connection } from '../api/transport';
import { Icon } from '../components/Icon';
import { notify } from '../components/Notices';
import { useStore } from '../store';
import { texts } from '../texts';

const askEveryMs = 3000;
/** A failure that a repetition heals sooner is not worth a banner. */
const failingForMs = 1000;

export function ConnectionBanner() {
  const state = useStore(connection);
  const queryClient = useQueryClient();
  const [lasting, setLasting] = useState(false);
  const ask = useCallback(async () => {
    // Not through React Query: what fails is asked for itself, so that the banner stays until that answers.
    if (!(await askAgain())) return;
    notify(texts.common.connection.back);
    await queryClient.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
  }, [queryClient]);
  useEffect(() => {
    if (state === 'online') return;
    const timer = setInterval(() => void ask(), askEveryMs);
    return () => clearInterval(timer);
  }, [state, ask]);
  useEffect(() => {
    if (state !== 'failing') return;
    const timer = setTimeout(() => setLasting(true), failingForMs);
    return () => {
      clearTimeout(timer);
      setLasting(false);
    };
  }, [state]);
  if (state === 'online' || (state === 'failing' && !lasting)) return null;
  return (
    <Alert
      severity="warning"
      variant="filled"
      icon={<Icon path={state === 'offline' ? mdiCloudOffOutline : mdiCloudAlertOutline} />}
      sx={{ borderRadius: 0 }}
      action={
        <Button color="inherit" size="small" onClick={() => void ask()}>
          {texts.common.retry}
        </Button>
      }
    >
      {texts.common.connection[state]}
    </Alert>
  );
}
