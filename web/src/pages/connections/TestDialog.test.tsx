// @vitest-environment jsdom
import { cleanup, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, it, vi } from 'vitest';

import { showPage } from '../../test/page';
import { aConnection } from '../../test/records';
import { TestDialog } from './TestDialog';

afterEach(cleanup);

// S1.34
it('shows that a test runs until it has ended', async () => {
  let answer: (response: Response) => void = () => undefined;
  vi.stubGlobal('fetch', () => new Promise<Response>((resolve) => (answer = resolve)));
  showPage(<TestDialog org="acme" connection={aConnection()} onClose={() => undefined} />);
  await userEvent.click(screen.getByRole('button', { name: 'Run the test' }));
  expect(await screen.findByRole('progressbar')).toBeInTheDocument();
  expect(screen.getByRole('status')).toHaveTextContent('Testing.');
  expect(screen.getByRole('button', { name: 'Run the test' })).toBeDisabled();
  answer(
    new Response('{"outcome":"ok","latencyMs":20,"stages":[]}', { headers: { 'Content-Type': 'application/json' } }),
  );
  await waitFor(() => expect(screen.queryByRole('progressbar')).toBeNull());
  expect(screen.getByRole('status')).toHaveTextContent('The connection works');
  expect(screen.getByRole('button', { name: 'Test again' })).toBeEnabled();
});
