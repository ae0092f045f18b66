import TextField from '@mui/material/TextField';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client } from '../../api/client';
import { listKey, useList } from '../../api/lists';
import type { Grant } from '../../api/records';
import { Choice, choicesOf, ModelField } from '../../components/fields';
import { FormDialog } from '../../components/FormDialog';
import { notify } from '../../components/Notices';
import { texts } from '../../texts';

const t = texts.access;

export function RuleDialog({
  org,
  effect: usual,
  onClose,
}: {
  org: string;
  effect: Grant['effect'];
  onClose: () => void;
}) {
  const [effect, setEffect] = useState(usual);
  const [subjectKind, setSubjectKind] = useState<Grant['subjectKind']>('group');
  const [subject, setSubject] = useState('');
  const [objectKind, setObjectKind] = useState<Grant['objectKind']>('model');
  const [object, setObject] = useState('');
  const connections = useList('connections', org);
  const aliases = useList('aliases', org);
  const queryClient = useQueryClient();
  const add = useMutation({
    mutationFn: () =>
      body(
        client.POST('/v1/orgs/{org}/grants', {
          params: { path: { org } },
          body: {
            effect,
            subjectKind,
            objectKind,
            object: object.trim(),
            ...(subjectKind === 'org' ? {} : { subject: subject.trim() }),
          },
        }),
      ),
    onSuccess: () => {
      notify(t.added);
      void queryClient.invalidateQueries({ queryKey: listKey('grants', org) });
      onClose();
    },
  });
  const named =
    objectKind === 'connection'
      ? (connections.data ?? []).map((row) => ({ value: row.name, label: row.name }))
      : (aliases.data ?? []).map((row) => ({ value: row.alias, label: row.alias }));
  return (
    <FormDialog
      title={t.add}
      submit={texts.common.add}
      busy={add.isPending}
      error={add.error}
      blocked={!object.trim() || (subjectKind !== 'org' && !subject.trim())}
      onSubmit={() => add.mutate()}
      onClose={onClose}
    >
      <Choice label={t.effect} value={effect} options={choicesOf(t.effectName)} onChange={setEffect} />
      <Choice label={t.who} value={subjectKind} options={choicesOf(t.subjectKind)} onChange={setSubjectKind} />
      {subjectKind !== 'org' && (
        <TextField
          label={t.subject[subjectKind]}
          required
          value={subject}
          onChange={(event) => setSubject(event.target.value)}
        />
      )}
      <Choice
        label={t.what}
        value={objectKind}
        options={choicesOf(t.objectKind)}
        onChange={(next) => {
          setObjectKind(next);
          setObject('');
        }}
      />
      {objectKind === 'model' ? (
        <ModelField org={org} label={t.objectOf.model} value={object} onChange={setObject} />
      ) : (
        <Choice label={t.objectOf[objectKind]} value={object} options={named} onChange={setObject} />
      )}
    </FormDialog>
  );
}
