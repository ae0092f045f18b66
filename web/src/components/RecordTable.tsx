// A table of some dozens of records, with the states that every list has. Narrow screens get a card for each row.
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import { type ReactNode, useState } from 'react';

import { texts } from '../texts';
import { Problem } from './Problem';
import css from './RecordTable.module.css';
import { Skeletons } from './States';

export interface Column<T> {
  id: string;
  label: string;
  cell: (row: T) => ReactNode;
  number?: boolean;
}

interface Query<T> {
  data?: T[] | undefined;
  isPending: boolean;
  error: unknown;
  refetch: () => unknown;
}

export interface RecordTableProps<T> {
  label: string;
  query: Query<T>;
  columns: Column<T>[];
  rowKey: (row: T) => string;
  /** The rows to show, where a filter leaves some out. */
  rows?: T[];
  muted?: (row: T) => boolean;
  actions?: (row: T) => ReactNode;
  empty: ReactNode;
  /** The server may lack the route. */
  optional?: boolean;
}

/** What is made at once. Thousands of rows would keep the page from answering for seconds. */
const rowsAtOnce = 200;

export function RecordTable<T>(props: RecordTableProps<T>) {
  const { query } = props;
  const [rowsMax, setRowsMax] = useState(rowsAtOnce);
  const all = props.rows ?? query.data;
  const rows = all?.slice(0, rowsMax);
  const problem = query.error ? (
    <Problem error={query.error} onRetry={() => void query.refetch()} optional={props.optional ?? false} />
  ) : null;
  if (query.isPending) return <Skeletons rows={4} />;
  if (!all || !rows) return problem;
  if (rows.length === 0) return problem ?? <>{props.empty}</>;
  return (
    <>
      {problem}
      {/* The roles keep the table a table where the style makes it blocks. */}
      <table className={css.table} role="table" aria-label={props.label}>
        <thead role="rowgroup">
          <tr role="row">
            {props.columns.map((column) => (
              <th key={column.id} role="columnheader" scope="col" className={column.number ? css.number : undefined}>
                {column.label}
              </th>
            ))}
            {props.actions && (
              <th role="columnheader" scope="col" className={css.actions}>
                {texts.common.actions}
              </th>
            )}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={props.rowKey(row)} role="row" className={props.muted?.(row) ? css.muted : undefined}>
              {props.columns.map((column) => (
                <td
                  key={column.id}
                  role="cell"
                  data-label={column.label}
                  className={column.number ? css.number : undefined}
                >
                  <div>{column.cell(row)}</div>
                </td>
              ))}
              {props.actions && (
                <td role="cell" className={css.actions}>
                  {props.actions(row)}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length < all.length && (
        <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 2, mt: 1, color: 'text.secondary' }}>
          <span role="status">{texts.common.shownOf(rows.length, all.length)}</span>
          <Button onClick={() => setRowsMax(rowsMax + rowsAtOnce)}>{texts.common.showMore}</Button>
        </Box>
      )}
    </>
  );
}
