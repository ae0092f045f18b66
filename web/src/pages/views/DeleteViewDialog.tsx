import { useMutation, useQueryClient } from '@tanstack/react-query';

import { body, client, ifMatch } from '../../api/client';
import { listKey } from '../../api/lists';
import type { View } from '../../api/records';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { notify } from '../../components/Notices';
import { texts } from '../../texts';

const t = texts.views;

interface Props {
  org: string;
  row: View;
  onClose: () => void;
  onRemoved?: () => void;
}

export function DeleteViewDialog({ org, row, onClose, onRemoved }: Props) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      body(
        client.DELETE('/v1/orgs/{org}/views/{view}', {
          params: { path: { org, view: row.name }, header: { 'If-Match': ifMatch(row.version) } },
        }),
      ),
    onSuccess: () => {
      notify(t.removed(row.name));
      onClose();
      onRemoved?.();
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: listKey('views', org) }),
  });
  return (
    <ConfirmDialog
      title={t.removeTitle(row.name)}
      text={t.removeText}
      action={texts.common.delete}
      danger
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}
