// How the page reads: cached, repeated where that can help, and never paused: the banner says when the server is away.
import { QueryClient } from '@tanstack/react-query';

import { ApiError, isRetryable } from './api/problem';

const retriesMax = 2;

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        gcTime: 10 * 60_000,
        networkMode: 'always',
        retry: (count, error) => count < retriesMax && isRetryable(error),
        retryDelay: (count, error) => {
          const asked = error instanceof ApiError && error.retryAfter ? error.retryAfter * 1000 : 0;
          return Math.min(Math.max(asked, 500 * 2 ** count), 30_000);
        },
      },
      mutations: { networkMode: 'always', retry: false },
    },
  });
}
