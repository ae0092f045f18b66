import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogContentText from '@mui/material/DialogContentText';
import DialogTitle from '@mui/material/DialogTitle';
import Stack from '@mui/material/Stack';
import { type ReactNode, useId } from 'react';

import { texts } from '../texts';
import { Problem } from './Problem';

interface Props {
  title: string;
  text?: ReactNode;
  action: string;
  danger?: boolean;
  busy?: boolean;
  /** The action may not be confirmed yet. */
  blocked?: boolean;
  error?: unknown;
  onConfirm: () => void;
  onClose: () => void;
  children?: ReactNode;
}

/** Asks before something that is hard to take back. A failure is shown in the dialog, which stays. */
export function ConfirmDialog(props: Props) {
  const id = useId();
  return (
    <Dialog open onClose={props.onClose} fullWidth maxWidth="xs" aria-labelledby={id}>
      <DialogTitle id={id}>{props.title}</DialogTitle>
      <DialogContent>
        <Stack sx={{ gap: 2 }}>
          {props.text && <DialogContentText component="div">{props.text}</DialogContentText>}
          {props.children}
          {props.error ? <Problem error={props.error} onRetry={props.onConfirm} /> : null}
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button onClick={props.onClose}>{texts.common.cancel}</Button>
        <Button
          variant="contained"
          color={props.danger ? 'error' : 'primary'}
          disabled={props.busy || props.blocked}
          onClick={props.onConfirm}
        >
          {props.action}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
