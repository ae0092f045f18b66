// @vitest-environment jsdom
import { render, screen } from '@testing-library/react';
import { Suspense } from 'react';
import { expect, it, vi } from 'vitest';

import { loadable } from './loadable';

const Part = ({ name }: { name: string }) => <p>part {name}</p>;
const shown = (loading: ReturnType<typeof loadable<{ name: string }>>) =>
  render(
    <Suspense fallback={<p>loading</p>}>
      <loading.Shown name="one" />
    </Suspense>,
  );

it('shows the fallback until the code has arrived', async () => {
  shown(loadable(() => Promise.resolve({ default: Part })));
  expect(screen.getByText('loading')).toBeVisible();
  expect(await screen.findByText('part one')).toBeVisible();
});

it('is shown at once where the code was loaded ahead', async () => {
  const part = loadable(() => Promise.resolve({ default: Part }));
  await part.load();
  shown(part);
  expect(screen.getByText('part one')).toBeVisible();
});

it('asks for the code again after a failure ahead', async () => {
  const code = vi.fn().mockRejectedValueOnce(new Error('offline')).mockResolvedValue({ default: Part });
  const part = loadable<{ name: string }>(code);
  await expect(part.load()).rejects.toThrow('offline');
  shown(part);
  expect(await screen.findByText('part one')).toBeVisible();
});
