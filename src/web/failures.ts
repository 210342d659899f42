/** How failed calls are tried again, and what failures the page as a whole has to react to. */
import { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import type { FailureKind } from './api-client.ts';
import { ApiFailure } from './api-client.ts';

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 5000;

/** Makes the client of all calls: it tries again for ever while the server is away, and never when it said no. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (_count, error) => error instanceof ApiFailure && error.isRetryable,
        retryDelay: (count) => Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** count),
        // What was found stays until somebody searches again: nothing moves under the reader's eyes.
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        staleTime: Infinity,
        gcTime: 60_000,
        // The browser's idea of being online says nothing about a server on this machine.
        networkMode: 'always',
      },
    },
  });
}

/** Returns the kind of failure that concerns the whole page: `unauthorized` when any call met it. */
export function useFailure(client: QueryClient): FailureKind | undefined {
  const cache = client.getQueryCache();
  return useSyncExternalStore(
    (onChange) => cache.subscribe(onChange),
    () => {
      const isLocked = cache.getAll().some(({ state }) => isUnauthorized(state.error));
      return isLocked ? 'unauthorized' : undefined;
    },
  );
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof ApiFailure && error.kind === 'unauthorized';
}
