import { mdiClose } from '@mdi/js';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client, precondition } from '../../api/client';
import { listKey, useList } from '../../api/lists';
import { isStatus } from '../../api/problem';
import type { Alias } from '../../api/records';
import { ConflictDialog } from '../../components/ConflictDialog';
import { Choice, choicesOf, ModelField } from '../../components/fields';
import { FormDialog } from '../../components/FormDialog';
import { Icon } from '../../components/Icon';
import { notify } from '../../components/Notices';
import { formatNumber } from '../../format';
import { platformOrg } from '../../session/permissions';
import { texts } from '../../texts';
import { sharesOf } from './shares';

const t = texts.defaults;

interface Target {
  model: string;
  weight: string;
}
export const percent = (share: number) => (share > 0 ? t.share(`${formatNumber(share)} %`) : t.noShare);
export const targetsText = (targets: readonly { model: string; weight: number }[]) => {
  const shares = sharesOf(targets.map((target) => target.weight));
  return targets.map((target, i) => `${target.model} ${shares[i]} %`).join(', ');
};

/** Makes an alias, or changes one. A set of several models shares the requests by weight. */
export function AliasDialog({ org, row, onClose }: { org: string; row: Alias | null; onClose: () => void }) {
  const [alias, setAlias] = useState(row?.alias ?? '');
  const [description, setDescription] = useState(row?.description ?? '');
  const [sticky, setSticky] = useState<Alias['sticky']>(row?.sticky ?? 'conversation');
  const [targets, setTargets] = useState<Target[]>(
    row?.targets.map(({ model, weight }) => ({ model, weight: String(weight) })) ?? [{ model: '', weight: '1' }],
  );
  const [theirs, setTheirs] = useState<Alias | null>(null);
  const queryClient = useQueryClient();
  const known = useList('aliases', org);
  // Saving a new one would replace it unseen.
  const taken =
    !row &&
    (known.data ?? []).some(
      (other) => other.alias === alias.trim() && (other.scope === 'platform') === (org === platformOrg),
    );
  const wanted = targets.map(({ model, weight }) => ({ model: model.trim(), weight: Number(weight) }));
  const shares = sharesOf(wanted.map((target) => target.weight));
  const one = targets.length === 1;
  const save = useMutation({
    mutationFn: (version: number | undefined) =>
      body(
        client.PUT('/v1/orgs/{org}/aliases/{alias}', {
          params: {
            path: { org, alias: alias.trim() },
            header: precondition(version),
          },
          body: {
            targets: wanted,
            sticky,
            ...(description.trim() ? { description: description.trim() } : {}),
          },
        }),
      ),
    onSuccess: () => {
      notify(t.aliasSaved(alias.trim()));
      void queryClient.invalidateQueries({ queryKey: listKey('aliases', org) });
      onClose();
    },
    onError: (error) => {
      if (!isStatus(error, 412)) return;
      void body(client.GET('/v1/orgs/{org}/aliases/{alias}', { params: { path: { org, alias: alias.trim() } } })).then(
        (now) => setTheirs(now as unknown as Alias),
        () => undefined,
      );
    },
  });
  const setTarget = (i: number, patch: Partial<Target>) =>
    setTargets(targets.map((target, at) => (at === i ? { ...target, ...patch } : target)));
  return (
    <>
      <FormDialog
        title={row ? t.editAlias(row.alias) : t.addAlias}
        submit={texts.common.save}
        busy={save.isPending}
        error={theirs ? null : save.error}
        blocked={!alias.trim() || taken || wanted.some(({ model, weight }) => !model || !(weight >= 0))}
        onSubmit={() => save.mutate(row?.version)}
        onClose={onClose}
      >
        <TextField
          label={t.alias}
          required
          value={alias}
          disabled={!!row}
          error={taken}
          helperText={taken ? texts.common.nameTaken : t.aliasHint}
          onChange={(event) => setAlias(event.target.value)}
        />
        <Typography variant="h3">{t.targets}</Typography>
        {targets.map((target, i) => (
          <Box
            key={i}
            sx={{ display: 'flex', flexWrap: { xs: 'wrap', sm: 'nowrap' }, gap: 1, alignItems: 'flex-start' }}
          >
            <ModelField
              org={org}
              label={one ? t.model : t.modelOf(i + 1)}
              value={target.model}
              onChange={(model) => setTarget(i, { model })}
              hint={one ? undefined : percent(shares[i] ?? 0)}
            />
            {!one && (
              <>
                <TextField
                  label={t.weight}
                  type="number"
                  value={target.weight}
                  onChange={(event) => setTarget(i, { weight: event.target.value })}
                  slotProps={{ htmlInput: { min: 0, max: 1_000_000, 'aria-label': t.weightOf(i + 1) } }}
                  sx={{ width: 110, flexShrink: 0 }}
                />
                <IconButton
                  aria-label={t.removeTarget(i + 1)}
                  onClick={() => setTargets(targets.filter((_, at) => at !== i))}
                >
                  <Icon path={mdiClose} />
                </IconButton>
              </>
            )}
          </Box>
        ))}
        <div>
          <Button onClick={() => setTargets([...targets, { model: '', weight: '1' }])}>{t.addTarget}</Button>
        </div>
        {!one && (
          <Choice
            label={t.sticky}
            value={sticky}
            hint={t.stickyHint}
            options={choicesOf(t.stickyName)}
            onChange={setSticky}
          />
        )}
        <TextField label={t.description} value={description} onChange={(event) => setDescription(event.target.value)} />
      </FormDialog>
      {theirs && (
        <ConflictDialog
          version={theirs.version}
          made={!row}
          rows={[
            { field: t.targets, theirs: targetsText(theirs.targets), mine: targetsText(wanted) },
            { field: t.sticky, theirs: t.stickyName[theirs.sticky], mine: t.stickyName[sticky] },
            { field: t.description, theirs: theirs.description, mine: description },
          ].filter((line) => line.theirs !== line.mine)}
          onClose={() => setTheirs(null)}
          onTakeTheirs={() => {
            void queryClient.invalidateQueries({ queryKey: listKey('aliases', org) });
            onClose();
          }}
          onKeepMine={() => {
            setTheirs(null);
            save.mutate(theirs.version);
          }}
        />
      )}
    </>
  );
}
