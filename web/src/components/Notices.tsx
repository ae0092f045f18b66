// Short notices at the bottom of the page, with an undo where there is one. Outside React, so that a mutation can notify
// after its component has gone.
import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import Snackbar from '@mui/material/Snackbar';

import { makeStore, useStore } from '../store';
import { explain } from './Problem';

interface Notice {
  id: number;
  severity: 'success' | 'info' | 'error';
  text: string;
  action?: { label: string; run: () => void };
  /** It stays until it is closed, or another notice comes: what cannot be undone later. */
  lasting?: boolean;
}

const current = makeStore<Notice | null>(null);
let count = 0;

export function notify(text: string, options: Partial<Pick<Notice, 'severity' | 'action' | 'lasting'>> = {}) {
  current.set({ id: ++count, severity: 'success', text, ...options });
}

/** What failed and what to do, in a line. */
export function whyOf(error: unknown): string {
  const { title, detail, hint } = explain(error);
  return [detail ?? title, hint].filter(Boolean).join(' ');
}

export const notifyError = (error: unknown) => notify(whyOf(error), { severity: 'error' });

export function Notices() {
  const notice = useStore(current);
  if (!notice) return null;
  const close = () => current.set(null);
  return (
    <Snackbar
      key={notice.id}
      open
      autoHideDuration={notice.severity === 'error' || notice.lasting ? null : notice.action ? 12_000 : 5_000}
      onClose={(_, reason) => reason !== 'clickaway' && close()}
      anchorOrigin={{ vertical: 'bottom', horizontal: 'center' }}
      sx={{ mb: { xs: 8, sm: 7 } }}
    >
      <Alert
        severity={notice.severity}
        variant="filled"
        onClose={close}
        action={
          notice.action && (
            <Button
              color="inherit"
              size="small"
              onClick={() => {
                close();
                notice.action?.run();
              }}
            >
              {notice.action.label}
            </Button>
          )
        }
        sx={{ maxWidth: 560 }}
      >
        {notice.text}
      </Alert>
    </Snackbar>
  );
}
