// @vitest-environment jsdom
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';

import { RecordTable } from './RecordTable';

const rowsOf = (count: number) => Array.from({ length: count }, (_, i) => `record ${i}`);
const show = (count: number) =>
  render(
    <RecordTable
      label="Records"
      query={{ data: rowsOf(count), isPending: false, error: null, refetch: () => undefined }}
      columns={[{ id: 'name', label: 'Name', cell: (row) => row }]}
      rowKey={(row) => row}
      empty={null}
    />,
  );

it('makes no more rows than a page can show at once, and more when asked', async () => {
  show(450);
  expect(screen.getAllByRole('cell')).toHaveLength(200);
  expect(screen.getByRole('status')).toHaveTextContent('200 of 450');
  await userEvent.click(screen.getByRole('button', { name: 'Show more' }));
  await userEvent.click(screen.getByRole('button', { name: 'Show more' }));
  expect(screen.getAllByRole('cell')).toHaveLength(450);
  expect(screen.queryByRole('button', { name: 'Show more' })).toBeNull();
});

it('offers no more where all rows are shown', () => {
  show(200);
  expect(screen.getAllByRole('cell')).toHaveLength(200);
  expect(screen.queryByRole('button', { name: 'Show more' })).toBeNull();
});
