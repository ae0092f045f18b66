// Adds a rule. One of the same subject and object is not replaced unseen: the reader sees both, and decides.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client, precondition } from '../../api/client';
import { listKey, readList } from '../../api/lists';
import { isStatus } from '../../api/problem';
import type { Grant } from '../../api/records';
import type { components } from '../../api/schema';
import { ConflictDialog } from '../../components/ConflictDialog';
import { texts } from '../../texts';

const t = texts.access;

type Wanted = components['schemas']['GrantInput'] & { effect: Grant['effect'] };

/** `onLeft`: the reader keeps the rule that is there. */
export function useAddGrant(org: string, { onAdded, onLeft }: { onAdded: () => void; onLeft: () => void }) {
  const queryClient = useQueryClient();
  const [conflict, setConflict] = useState<{ wanted: Wanted; theirs: Grant } | null>(null);
  const adding = useMutation({
    /** The rule that is there instead, with another effect; null: it is as wanted now. */
    mutationFn: async ({ wanted, version }: { wanted: Wanted; version?: number }): Promise<Grant | null> => {
      try {
        const params = { path: { org }, header: precondition(version) };
        await body(client.POST('/v1/orgs/{org}/grants', { params, body: wanted }));
        return null;
      } catch (error) {
        if (!isStatus(error, 412)) throw error;
        const theirs = (await readList('grants', org)).find((row) => row.version === error.problem.current_version);
        if (!theirs) throw error;
        return theirs.effect === wanted.effect ? null : theirs;
      }
    },
    onSuccess: (theirs, { wanted }) => {
      if (theirs) setConflict({ wanted, theirs });
      else onAdded();
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: listKey('grants', org) }),
  });
  return {
    add: (wanted: Wanted) => adding.mutate({ wanted }),
    isPending: adding.isPending,
    error: adding.error,
    dialog: conflict && (
      <ConflictDialog
        version={conflict.theirs.version}
        made
        rows={[
          {
            field: t.effect,
            theirs: t.effectName[conflict.theirs.effect],
            mine: t.effectName[conflict.wanted.effect],
          },
        ]}
        onClose={() => setConflict(null)}
        onTakeTheirs={() => {
          setConflict(null);
          onLeft();
        }}
        onKeepMine={() => {
          setConflict(null);
          adding.mutate({ wanted: conflict.wanted, version: conflict.theirs.version });
        }}
      />
    ),
  };
}
