import { useMutation } from '@tanstack/react-query';

import { ConfirmDialog } from '../components/ConfirmDialog';
import { logOut } from '../session/session';
import { texts } from '../texts';

const t = texts.shell;

/** Asks first: other browsers lose what is typed there. */
export default function LogOutEverywhere({ onLeft, onClose }: { onLeft: () => void; onClose: () => void }) {
  const leaving = useMutation({ mutationFn: () => logOut(true), onSuccess: onLeft });
  return (
    <ConfirmDialog
      title={t.logOutEverywhereTitle}
      text={t.logOutEverywhereText}
      action={t.logOutEverywhere}
      busy={leaving.isPending}
      error={leaving.error}
      onConfirm={() => leaving.mutate()}
      onClose={onClose}
    />
  );
}
