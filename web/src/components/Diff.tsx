// Two values of a record side by side: only what differs.
import { texts } from '../texts';
import { diffRows } from './diff';
import { RecordTable } from './RecordTable';

export function Diff({ label, before, after }: { label: string; before: unknown; after: unknown }) {
  const rows = diffRows(before, after);
  return (
    <RecordTable
      label={label}
      query={{ data: rows, isPending: false, error: null, refetch: () => undefined }}
      rowKey={(row) => row.field}
      columns={[
        { id: 'field', label: texts.common.field, cell: (row) => row.field },
        { id: 'before', label: texts.common.before, cell: (row) => <code>{row.before}</code> },
        { id: 'after', label: texts.common.after, cell: (row) => <code>{row.after}</code> },
      ]}
      empty={texts.common.noDifference}
    />
  );
}
