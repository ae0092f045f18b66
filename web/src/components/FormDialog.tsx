import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import Stack from '@mui/material/Stack';
import { type ReactNode, useId } from 'react';

import { texts } from '../texts';
import { Problem } from './Problem';

interface Props {
  title: string;
  submit: string;
  busy: boolean;
  error: unknown;
  /** Not complete yet. */
  blocked?: boolean;
  wide?: boolean;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** A form over the page. A click beside it does not close it, and a failure leaves everything typed where it is. */
export function FormDialog(props: Props) {
  const id = useId();
  return (
    <Dialog
      open
      onClose={(_, reason) => reason !== 'backdropClick' && props.onClose()}
      fullWidth
      maxWidth={props.wide ? 'md' : 'sm'}
      aria-labelledby={id}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          // A form in a dialog is inside the page's tree: the event would reach a form around it.
          event.stopPropagation();
          if (!props.busy && !props.blocked) props.onSubmit();
        }}
        style={{ display: 'flex', flexDirection: 'column', minHeight: 0 }}
      >
        <DialogTitle id={id}>{props.title}</DialogTitle>
        <DialogContent>
          <Stack sx={{ gap: 2, pt: 1 }}>
            {props.children}
            {props.error ? <Problem error={props.error} onRetry={props.onSubmit} /> : null}
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={props.onClose}>{texts.common.cancel}</Button>
          <Button type="submit" variant="contained" disabled={props.busy || props.blocked}>
            {props.busy ? texts.common.saving : props.submit}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
