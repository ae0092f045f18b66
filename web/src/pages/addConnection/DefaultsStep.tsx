import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import Stack from '@mui/material/Stack';
import Typography from '@mui/material/Typography';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client, precondition } from '../../api/client';
import { findDefault } from '../../api/defaults';
import { listKey, useList } from '../../api/lists';
import type { Connection } from '../../api/records';
import { type Kind, nameOf } from '../../api/types';
import { Choice } from '../../components/fields';
import { Problem } from '../../components/Problem';
import { Skeletons } from '../../components/States';
import { useMay } from '../../session/session';
import { texts } from '../../texts';
import { useConnectionModels } from './useConnectionModels';

const t = texts.addConnection;

/** Which of the enabled models answer where a request names none. */
export function DefaultsStep({ org, connection, onDone }: { org: string; connection: Connection; onDone: () => void }) {
  const models = useConnectionModels(org, connection);
  const defaults = useList('defaults', org);
  const mayWrite = useMay('org:defaults:write');
  const queryClient = useQueryClient();
  const [chosen, setChosen] = useState<Partial<Record<Kind, string>>>({});
  const saving = useMutation({
    mutationFn: async () => {
      for (const [kind, model] of Object.entries(chosen) as [Kind, string][]) {
        if (!model) continue;
        const version = findDefault(defaults.data, { kind })?.version;
        await body(
          client.PUT('/v1/orgs/{org}/defaults', {
            params: { path: { org }, header: precondition(version) },
            body: { kind, model },
          }),
        );
      }
    },
    onSuccess: onDone,
    // Also after a failure: the hints then name what another person has set.
    onSettled: () => {
      void queryClient.invalidateQueries({ queryKey: listKey('defaults', org) });
      void queryClient.invalidateQueries({ queryKey: ['models', org] });
    },
  });
  if (models.isPending || defaults.isPending) return <Skeletons rows={2} />;
  const enabled = (models.data ?? []).filter((model) => model.enabled);
  const kinds = [...new Set(enabled.map((model) => model.kind))];
  return (
    <Stack sx={{ gap: 2, maxWidth: 560 }}>
      <Typography color="textSecondary">{t.defaultHint}</Typography>
      {models.error ? <Problem error={models.error} onRetry={() => void models.refetch()} /> : null}
      {kinds.length === 0 && !models.error && <Alert severity="info">{t.noneEnabled}</Alert>}
      {!mayWrite && <Alert severity="info">{t.platformOnly}</Alert>}
      {mayWrite &&
        kinds.map((kind) => {
          const now = findDefault(defaults.data, { kind });
          return (
            <Choice
              key={kind}
              label={texts.models.kind[kind]}
              value={chosen[kind] ?? ''}
              hint={now ? t.defaultNow(now.model) : t.noDefaultYet}
              options={[
                { value: '', label: t.keepDefault },
                ...enabled
                  .filter((model) => model.kind === kind)
                  .map((model) => ({ value: model.slug, label: nameOf(model) })),
              ]}
              onChange={(model) => setChosen({ ...chosen, [kind]: model })}
            />
          );
        })}
      {saving.error && <Problem error={saving.error} onRetry={() => saving.mutate()} />}
      <div>
        <Button variant="contained" disabled={saving.isPending} onClick={() => saving.mutate()}>
          {t.finish}
        </Button>
      </div>
    </Stack>
  );
}
