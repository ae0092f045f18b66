import TextField from '@mui/material/TextField';
import { useState } from 'react';

import { useList } from '../../api/lists';
import type { Grant } from '../../api/records';
import { Choice, choicesOf, ModelField } from '../../components/fields';
import { FormDialog } from '../../components/FormDialog';
import { notify } from '../../components/Notices';
import { texts } from '../../texts';
import { useAddGrant } from './useAddGrant';

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
  const adding = useAddGrant(org, {
    onAdded: () => {
      notify(t.added);
      onClose();
    },
    onLeft: onClose,
  });
  const named =
    objectKind === 'connection'
      ? (connections.data ?? []).map((row) => ({ value: row.name, label: row.name }))
      : (aliases.data ?? []).map((row) => ({ value: row.alias, label: row.alias }));
  return (
    <>
      <FormDialog
        title={t.add}
        submit={texts.common.add}
        busy={adding.isPending}
        error={adding.error}
        blocked={!object.trim() || (subjectKind !== 'org' && !subject.trim())}
        onSubmit={() =>
          adding.add({
            effect,
            subjectKind,
            objectKind,
            object: object.trim(),
            ...(subjectKind === 'org' ? {} : { subject: subject.trim() }),
          })
        }
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
      {adding.dialog}
    </>
  );
}
