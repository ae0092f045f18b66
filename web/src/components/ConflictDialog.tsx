import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogContentText from '@mui/material/DialogContentText';
import DialogTitle from '@mui/material/DialogTitle';
import { useId } from 'react';

import { texts } from '../texts';
import { RecordTable } from './RecordTable';

export interface ConflictRow {
  field: string;
  theirs: string;
  mine: string;
}

interface Props {
  version: number;
  /** What was to be made is there: another person has made it meanwhile. */
  made?: boolean;
  rows: ConflictRow[];
  onTakeTheirs: () => void;
  onKeepMine: () => void;
  onClose: () => void;
}

const t = texts.conflict;

/** Two people have edited the same record: both values side by side, and the choice. */
export function ConflictDialog({ version, made, rows, onTakeTheirs, onKeepMine, onClose }: Props) {
  const id = useId();
  const title = made ? t.made : t.title;
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="sm" aria-labelledby={id}>
      <DialogTitle id={id}>{title}</DialogTitle>
      <DialogContent>
        <DialogContentText sx={{ mb: 1 }}>{made ? t.madeIntro(version) : t.intro(version)}</DialogContentText>
        <RecordTable
          label={title}
          query={{ data: rows, isPending: false, error: null, refetch: () => undefined }}
          rowKey={(row) => row.field}
          columns={[
            { id: 'field', label: t.field, cell: (row) => row.field },
            { id: 'theirs', label: t.theirs, cell: (row) => row.theirs || '—' },
            { id: 'mine', label: t.mine, cell: (row) => row.mine || '—' },
          ]}
          empty={null}
        />
      </DialogContent>
      <DialogActions sx={{ flexWrap: 'wrap' }}>
        <Button onClick={onClose}>{t.back}</Button>
        <Button onClick={onTakeTheirs}>{t.takeTheirs}</Button>
        <Button variant="contained" onClick={onKeepMine}>
          {t.keepMine}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
