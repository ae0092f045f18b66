// Many requests of one action: some at a time, and no more than the server takes.
import { ApiError } from './problem';

/** Of one action. The server has more connections to its database, so others are answered meanwhile. */
export const lanesMax = 4;

/**
 * Runs `work` for each item, at most `lanes` at a time. After a failure nothing more is begun; what runs is awaited, and the
 * first failure is thrown.
 */
export async function inLanes<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
  stopped: () => boolean = () => false,
  lanes = lanesMax,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const lane = async () => {
    while (failures.length === 0 && !stopped()) {
      const next = rest.next();
      if (next.done) return;
      try {
        await work(next.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failures.length > 0) throw failures[0];
}

const refusalsMax = 20;
const pauseMs = 1000;

/** Repeats what the server refuses because it is asked too often, after the time that it names. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let refusals = 1; ; refusals++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 429 || refusals === refusalsMax) throw error;
      const ms = error.retryAfter ? error.retryAfter * 1000 : pauseMs;
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }
}
