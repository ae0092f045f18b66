// Work that goes on after the reply that started it.
import { rawRequest, part } from './client';
import { eventsOf } from './events';
import { isStatus } from './problem';

export interface Operation {
  id: string;
  kind?: string;
  state: 'running' | 'done' | 'failed';
  progress?: Record<string, unknown>;
  result?: Record<string, unknown>;
}

/**
 * Follows an operation to its end. Where the stream breaks off, it is opened again.
 * `null`: the server has no operations, so there is nothing to follow.
 */
export async function followOperation(
  org: string,
  id: string,
  onChange: (operation: Partial<Operation>) => void,
  signal: AbortSignal,
): Promise<Operation | null> {
  const path = `/v1/orgs/${part(org)}/operations/${part(id)}`;
  for (;;) {
    let response: Response;
    try {
      response = await rawRequest('GET', path, { accept: 'text/event-stream', signal });
    } catch (error) {
      if (isStatus(error, 404)) return null;
      throw error;
    }
    if (response.headers.get('Content-Type')?.startsWith('text/event-stream')) {
      for await (const { event, data } of eventsOf(response)) {
        const parsed = JSON.parse(data) as Record<string, unknown>;
        if (event === 'done') break;
        onChange('progress' in parsed ? parsed : { progress: parsed });
      }
      response = await rawRequest('GET', path, { signal });
    }
    const now = (await response.json()) as Operation;
    if (now.state !== 'running') return now;
    onChange(now);
    await pause(1000, signal);
  }
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
