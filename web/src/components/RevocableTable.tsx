// A table of records that can be revoked, such as keys and tokens. Revoked ones stay and are shown on demand; a user who
// may not write sees a note about it and has no actions.
import Alert from '@mui/material/Alert';
import FormControlLabel from '@mui/material/FormControlLabel';
import Switch from '@mui/material/Switch';
import { type ReactNode, useState } from 'react';

import { texts } from '../texts';
import { RecordTable, type RecordTableProps } from './RecordTable';

interface Revocable {
  id: string;
  revokedAt?: string | null | undefined;
}

interface Props<T extends Revocable> extends Omit<RecordTableProps<T>, 'rowKey' | 'rows' | 'muted' | 'actions'> {
  mayWrite: boolean;
  showRevoked: string;
  /** Of a record that is not revoked. */
  actions: (row: T) => ReactNode;
}

export function RevocableTable<T extends Revocable>({ mayWrite, showRevoked, actions, ...table }: Props<T>) {
  const [withRevoked, setWithRevoked] = useState(false);
  const all = table.query.data ?? [];
  return (
    <>
      {!mayWrite && (
        <Alert severity="info" sx={{ mb: 2 }}>
          {texts.common.readOnly}
        </Alert>
      )}
      {all.some((row) => row.revokedAt) && (
        <FormControlLabel
          control={<Switch checked={withRevoked} onChange={(event) => setWithRevoked(event.target.checked)} />}
          label={showRevoked}
          sx={{ mb: 1 }}
        />
      )}
      <RecordTable
        {...table}
        rows={all.filter((row) => withRevoked || !row.revokedAt)}
        rowKey={(row) => row.id}
        muted={(row) => Boolean(row.revokedAt)}
        {...(mayWrite ? { actions: (row: T) => (row.revokedAt ? null : actions(row)) } : {})}
      />
    </>
  );
}
