import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import Typography from '@mui/material/Typography';
import { useId } from 'react';

import type { AuditEntry } from '../../api/records';
import { Diff } from '../../components/Diff';
import { formatDateTime } from '../../format';
import { texts } from '../../texts';

const t = texts.audit;

/** One entry with what it changed, before and after. */
export function EntryDialog({ entry, onClose }: { entry: AuditEntry; onClose: () => void }) {
  const id = useId();
  const hasValues = entry.before != null || entry.after != null;
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="md" aria-labelledby={id}>
      <DialogTitle id={id}>
        {entry.action} · {entry.targetName || entry.targetId}
      </DialogTitle>
      <DialogContent tabIndex={0}>
        <Typography>
          {entry.actor} · {formatDateTime(entry.at)}
        </Typography>
        <Typography variant="body2" color="textSecondary" sx={{ mb: 2, overflowWrap: 'anywhere' }}>
          {entry.cause && `${t.cause} ${entry.cause}`}
          {entry.requestId && ` · ${t.request} ${entry.requestId}`}
        </Typography>
        {hasValues ? <Diff label={t.detailsTitle} before={entry.before} after={entry.after} /> : t.noValues}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose} autoFocus>
          {texts.common.close}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
