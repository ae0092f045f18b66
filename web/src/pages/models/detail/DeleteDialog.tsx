import Alert from '@mui/material/Alert';
import Autocomplete from '@mui/material/Autocomplete';
import Checkbox from '@mui/material/Checkbox';
import FormControlLabel from '@mui/material/FormControlLabel';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client, precondition } from '../../../api/client';
import { type Model, nameOf } from '../../../api/types';
import { ConfirmDialog } from '../../../components/ConfirmDialog';
import { notify } from '../../../components/Notices';
import { Problem } from '../../../components/Problem';
import { Skeletons } from '../../../components/States';
import { texts } from '../../../texts';
import { readModel } from '../modelApi';
import { modelsKey, useModels } from '../useModels';
import { type Dependent, nameOfDependent, useDependents } from './dependents';
import css from './detail.module.css';
import { repoint } from './replace';

const t = texts.detail.remove;

interface Props {
  org: string;
  model: Model;
  onClose: () => void;
  onDeleted: () => void;
}

/** Lists what uses the model, and points it at another one before the model goes. */
export function DeleteDialog({ org, model, onClose, onDeleted }: Props) {
  const own = model.scope === 'override';
  const queryClient = useQueryClient();
  const [replacement, setReplacement] = useState<Model | null>(null);
  const [force, setForce] = useState(false);
  const { models } = useModels(org);
  const dependents = useDependents(org, model.slug);
  const deleting = useMutation({
    mutationFn: async (users: Dependent[]) => {
      let { version } = model;
      // Where another person has changed the model, nothing is pointed elsewhere: the deletion is refused.
      if (replacement && (await readModel(org, model.slug)).version === version) {
        for (const user of users) await repoint(org, model.slug, replacement.slug, user);
        // A model that is no longer a default has a new version.
        version = (await readModel(org, model.slug)).version;
      }
      await body(
        client.DELETE('/v1/orgs/{org}/models/{model}', {
          params: {
            path: { org, model: model.slug },
            query: force ? { force: true } : {},
            header: precondition(version),
          },
        }),
      );
    },
    onSuccess: () => {
      notify((own ? t.doneOwn : t.done)(nameOf(model)));
      onDeleted();
    },
    onSettled: () => {
      void queryClient.invalidateQueries({ queryKey: modelsKey(org) });
      void queryClient.invalidateQueries({ queryKey: ['dependents', org] });
      void queryClient.invalidateQueries({ queryKey: ['model', org] });
    },
  });
  const users = dependents.data ?? [];
  const others = models.filter((other) => other.kind === model.kind && other.slug !== model.slug);
  return (
    <ConfirmDialog
      danger
      title={(own ? t.titleOwn : t.title)(nameOf(model))}
      text={own ? t.hintOwn : t.hint}
      action={replacement ? t.replaceAndDelete : texts.common.delete}
      busy={deleting.isPending}
      blocked={!dependents.data || (users.length > 0 && !replacement && !force)}
      error={deleting.error}
      onConfirm={() => deleting.mutate(users)}
      onClose={onClose}
    >
      {dependents.error && <Problem error={dependents.error} onRetry={() => void dependents.refetch()} />}
      {dependents.isPending && <Skeletons rows={1} />}
      {users.length > 0 && (
        <>
          <Alert severity="warning">{t.dependents(users.length)}</Alert>
          <ul className={css.plain}>
            {users.map((user) => (
              <li key={`${user.refType}/${user.refId}`}>
                <strong>{t.refType[user.refType ?? ''] ?? user.refType}</strong> {nameOfDependent(user)}
              </li>
            ))}
          </ul>
          {users.some((user) => user.refType === 'knowledge_base') && <Alert severity="info">{t.knowledgeBase}</Alert>}
          <Autocomplete
            options={others}
            value={replacement}
            onChange={(_, next) => setReplacement(next)}
            getOptionLabel={nameOf}
            getOptionKey={(other) => other.slug}
            isOptionEqualToValue={(a, b) => a.slug === b.slug}
            renderInput={(params) => <TextField {...params} label={t.replace} helperText={t.replaceHint} />}
          />
          {!replacement && (
            <FormControlLabel
              control={<Checkbox checked={force} onChange={(e) => setForce(e.target.checked)} />}
              label={
                <>
                  {t.force}
                  <Typography variant="body2" color="textSecondary">
                    {t.forceHint}
                  </Typography>
                </>
              }
            />
          )}
        </>
      )}
    </ConfirmDialog>
  );
}
