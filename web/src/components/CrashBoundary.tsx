import Alert from '@mui/material/Alert';
import AlertTitle from '@mui/material/AlertTitle';
import Button from '@mui/material/Button';
import { Component, type ReactNode } from 'react';

import { texts } from '../texts';

/** Keeps the rest of the page alive where a part of it fails. */
export class CrashBoundary extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {};
  static getDerivedStateFromError(error: unknown) {
    return { error };
  }
  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <Alert
        severity="error"
        sx={{ m: 2 }}
        action={
          <Button color="inherit" size="small" onClick={() => location.reload()}>
            {texts.common.reload}
          </Button>
        }
      >
        <AlertTitle>{texts.common.crashed}</AlertTitle>
        {texts.common.crashedHint}
        <pre style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{String(this.state.error)}</pre>
      </Alert>
    );
  }
}
