import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { inLanes, lanesMax, patiently } from './lanes';
import { ApiError } from './problem';

const items = Array.from({ length: 20 }, (_, i) => i);

it('works on some items at a time, and on each of them once', async () => {
  const seen: number[] = [];
  let running = 0;
  let most = 0;
  await inLanes(items, async (item) => {
    most = Math.max(most, ++running);
    seen.push(item);
    await Promise.resolve();
    running--;
  });
  expect(seen).toEqual(items);
  expect(most).toBe(lanesMax);
});

it('begins nothing more after a failure, and throws it when the rest has ended', async () => {
  const ended: number[] = [];
  const work = async (item: number) => {
    if (item === 0) throw new Error('refused');
    await Promise.resolve();
    await Promise.resolve();
    ended.push(item);
  };
  await expect(inLanes(items, work)).rejects.toThrow('refused');
  expect(ended).toEqual(items.slice(1, lanesMax));
});

it('begins nothing more when it is stopped', async () => {
  const seen: number[] = [];
  await inLanes(
    items,
    async (item) => void seen.push(item),
    () => seen.length >= 6,
  );
  expect(seen).toHaveLength(6);
});

const problem = (status: number) => ({
  type: '',
  code: '',
  title: '',
  status,
  detail: `status ${status}`,
  hint: '',
  retryable: true,
  request_id: '',
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('asks again after the time that the server names', async () => {
  const ask = vi
    .fn()
    .mockRejectedValueOnce(new ApiError(problem(429), 3))
    .mockResolvedValue('answer');
  const asked = patiently(ask);
  await vi.advanceTimersByTimeAsync(2999);
  expect(ask).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  await expect(asked).resolves.toBe('answer');
});

it('does not ask again after another refusal', async () => {
  const ask = vi.fn().mockRejectedValue(new ApiError(problem(503)));
  await expect(patiently(ask)).rejects.toThrow('status 503');
  expect(ask).toHaveBeenCalledTimes(1);
});
