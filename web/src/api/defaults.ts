// Which default there is now: a change of it names its version.
import type { QueryClient } from '@tanstack/react-query';

import { listKey, readList } from './lists';
import type { Default } from './records';

interface Of {
  kind: string;
  provider?: string;
  purpose?: string;
}

export const findDefault = (rows: readonly Default[] | undefined, { kind, provider = '', purpose = '' }: Of) =>
  rows?.find((row) => row.kind === kind && (row.provider ?? '') === provider && row.purpose === purpose);

/** `ageMax`: of what was read before and is good enough, in ms. */
export const readDefaults = (queryClient: QueryClient, org: string, ageMax = 0) =>
  queryClient.fetchQuery({
    queryKey: listKey('defaults', org),
    queryFn: () => readList('defaults', org),
    staleTime: ageMax,
  });
