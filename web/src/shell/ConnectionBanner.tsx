// Says that the server is away, asks it again by itself, and reads everything anew when it is back.
import { mdiCloudAlertOutline, mdiCloudOffOutline } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect } from 'react';

import { connection } from '../api/transport';
import { Icon } from '../components/Icon';
import { notify } from '../components/Notices';
import { useStore } from '../store';
import { texts } from '../texts';

const askEveryMs = 3000;

export function ConnectionBanner() {
  const state = useStore(connection);
  const queryClient = useQueryClient();
  const ask = useCallback(async () => {
    try {
      // Not through `send`: a server that lives but fails must not look healthy because /livez answers.
      const response = await fetch(state === 'offline' ? '/livez' : '/v1/session', { cache: 'no-store' });
      if (response.status >= 500) return;
    } catch {
      return;
    }
    connection.set('online');
    notify(texts.common.connection.back);
    await queryClient.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
  }, [queryClient, state]);
  useEffect(() => {
    if (state === 'online') return;
    const timer = setInterval(() => void ask(), askEveryMs);
    return () => clearInterval(timer);
  }, [state, ask]);
  if (state === 'online') return null;
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
