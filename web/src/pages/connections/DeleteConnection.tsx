import Checkbox from '@mui/material/Checkbox';
import FormControlLabel from '@mui/material/FormControlLabel';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client, ifMatch } from '../../api/client';
import { listKey } from '../../api/lists';
import { ApiError } from '../../api/problem';
import type { Connection } from '../../api/records';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { notify } from '../../components/Notices';
import { texts } from '../../texts';

const t = texts.connections;

interface Props {
  org: string;
  connection: Connection;
  onClose: () => void;
  onDeleted: () => void;
}

/** Deletes a connection. Where models need it, they are listed, and the person decides again. */
export function DeleteConnection({ org, connection, onClose, onDeleted }: Props) {
  const [force, setForce] = useState(false);
  const queryClient = useQueryClient();
  const removal = useMutation({
    mutationFn: () =>
      body(
        client.DELETE('/v1/orgs/{org}/connections/{connection}', {
          params: {
            path: { org, connection: connection.id },
            query: force ? { force: true } : {},
            header: { 'If-Match': ifMatch(connection.version) },
          },
        }),
      ),
    onSuccess: () => {
      notify(t.removed(connection.name));
      void queryClient.invalidateQueries({ queryKey: listKey('connections', org) });
      void queryClient.invalidateQueries({ queryKey: ['models', org] });
      onDeleted();
    },
    onError: () => void queryClient.invalidateQueries({ queryKey: listKey('connections', org) }),
  });
  const { error } = removal;
  const inUse = error instanceof ApiError && error.problem.code === 'IN_USE';
  const dependents = error instanceof ApiError ? (error.problem.dependents ?? []) : [];
  return (
    <ConfirmDialog
      title={t.removeTitle(connection.name)}
      text={t.removeText}
      action={t.remove}
      danger
      busy={removal.isPending}
      blocked={inUse && !force}
      error={error}
      onConfirm={() => removal.mutate()}
      onClose={onClose}
    >
      {dependents.length > 0 && (
        <div>
          {t.removeInUse}
          <ul style={{ margin: '4px 0', paddingLeft: 20, maxHeight: 200, overflow: 'auto' }}>
            {dependents.map((name) => (
              <li key={name}>{name}</li>
            ))}
          </ul>
        </div>
      )}
      {inUse && (
        <FormControlLabel
          control={<Checkbox checked={force} onChange={(event) => setForce(event.target.checked)} />}
          label={t.removeForce}
        />
      )}
    </ConfirmDialog>
  );
}
