import { mdiSync } from '@mdi/js';
import Typography from '@mui/material/Typography';

import type { SyncRun } from '../../api/records';
import { Age } from '../../components/Age';
import { StateChip } from '../../components/chips';
import { type Column, RecordTable } from '../../components/RecordTable';
import { Empty } from '../../components/States';
import { texts } from '../../texts';
import { countsText, durationText, nameOfSync, toneOfSync } from './runs';

const t = texts.sync;

interface Props {
  query: { data?: SyncRun[] | undefined; isPending: boolean; error: unknown; refetch: () => unknown };
  rows: SyncRun[];
  withConnection: boolean;
}

export function RunTable({ query, rows, withConnection }: Props) {
  const columns: Column<SyncRun>[] = [
    ...(withConnection ? [{ id: 'connection', label: t.connection, cell: (row: SyncRun) => row.connection }] : []),
    { id: 'finished', label: t.finished, cell: (row) => <Age at={row.finishedAt} /> },
    {
      id: 'result',
      label: t.result,
      cell: (row) => (
        <div>
          <StateChip tone={toneOfSync(row.status)} label={nameOfSync(row.status)} />
          {(row.detail || row.errorClass) && (
            <Typography variant="body2" color="textSecondary">
              {row.detail || (texts.connections.cause[row.errorClass] ?? row.errorClass)}
            </Typography>
          )}
        </div>
      ),
    },
    {
      id: 'counts',
      label: t.counts,
      cell: (row) => countsText(row as unknown as Record<string, unknown>) || t.noChange,
    },
    { id: 'trigger', label: t.trigger, cell: (row) => t.triggers[row.trigger] ?? row.trigger },
    { id: 'took', label: t.took, number: true, cell: (row) => durationText(row.startedAt, row.finishedAt) },
  ];
  return (
    <RecordTable
      label={t.runs}
      query={query}
      rows={rows}
      columns={columns}
      rowKey={(row) => row.id}
      empty={<Empty icon={mdiSync} title={t.noRuns} hint={t.noRunsHint} />}
    />
  );
}
