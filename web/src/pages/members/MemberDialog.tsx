import Autocomplete from '@mui/material/Autocomplete';
import TextField from '@mui/material/TextField';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client, precondition } from '../../api/client';
import { listKey, readList, useList } from '../../api/lists';
import { isStatus } from '../../api/problem';
import type { Member } from '../../api/records';
import type { Role } from '../../api/types';
import { ConflictDialog } from '../../components/ConflictDialog';
import { Choice } from '../../components/fields';
import { FormDialog } from '../../components/FormDialog';
import { notify } from '../../components/Notices';
import { permissionsOf } from '../../session/permissions';
import { texts } from '../../texts';
import { orgRoles, permissionName } from './roles';

const t = texts.members;
interface Props {
  org: string;
  row: Member | null;
  issuer: string;
  onClose: () => void;
}

export function MemberDialog({ org, row, issuer: ownIssuer, onClose }: Props) {
  const [subject, setSubject] = useState(row?.subject ?? '');
  const [issuer, setIssuer] = useState(row?.issuer ?? ownIssuer);
  const [displayName, setDisplayName] = useState(row?.displayName ?? '');
  const [role, setRole] = useState<Exclude<Role, 'platform_admin'>>(
    row && row.role !== 'platform_admin' ? row.role : 'member',
  );
  const [denied, setDenied] = useState<string[]>(row?.denied ?? []);
  const [theirs, setTheirs] = useState<Member | null>(null);
  const queryClient = useQueryClient();
  const known = useList('members', org);
  // Saving a new one would replace the role unseen.
  const isSame = (other: Member) => other.subject === subject.trim() && other.issuer === issuer.trim();
  const taken = !row && (known.data ?? []).some(isSame);
  const save = useMutation({
    mutationFn: (version: number | undefined) =>
      body(
        client.PUT('/v1/orgs/{org}/members', {
          params: { path: { org }, header: precondition(version) },
          body: {
            subject: subject.trim(),
            issuer: issuer.trim(),
            role,
            denied,
            ...(displayName.trim() ? { displayName: displayName.trim() } : {}),
          },
        }),
      ),
    onSuccess: () => {
      notify(t.saved(displayName.trim() || subject.trim()));
      void queryClient.invalidateQueries({ queryKey: listKey('members', org) });
      onClose();
    },
    onError: async (error) => {
      if (!isStatus(error, 412)) return;
      const now = await queryClient.fetchQuery({
        queryKey: listKey('members', org),
        queryFn: () => readList('members', org),
        staleTime: 0,
      });
      setTheirs(now.find(isSame) ?? null);
    },
  });
  const rights = (of: Pick<Member, 'denied'>) => of.denied.map(permissionName).join(', ');
  return (
    <>
      <FormDialog
        title={row ? t.editTitle(row.displayName || row.subject) : t.add}
        submit={texts.common.save}
        busy={save.isPending}
        error={theirs ? null : save.error}
        blocked={!subject.trim() || !issuer.trim() || taken}
        onSubmit={() => save.mutate(row?.version)}
        onClose={onClose}
      >
        <TextField
          label={t.subject}
          required
          value={subject}
          disabled={!!row}
          error={taken}
          helperText={taken ? texts.common.nameTaken : t.subjectHint}
          onChange={(event) => setSubject(event.target.value)}
        />
        <TextField
          label={t.issuer}
          required
          value={issuer}
          disabled={!!row}
          helperText={t.issuerHint}
          onChange={(event) => setIssuer(event.target.value)}
        />
        <TextField label={t.displayName} value={displayName} onChange={(event) => setDisplayName(event.target.value)} />
        <Choice
          label={t.role}
          value={role}
          hint={texts.shell.roleHint[role]}
          options={orgRoles.map((value) => ({ value, label: texts.shell.role[value] }))}
          onChange={setRole}
        />
        <Autocomplete
          multiple
          options={permissionsOf[role]}
          getOptionLabel={permissionName}
          value={denied}
          onChange={(_, next) => setDenied(next)}
          renderInput={(params) => <TextField {...params} label={t.denied} helperText={t.deniedHint} />}
        />
      </FormDialog>
      {theirs && (
        <ConflictDialog
          version={theirs.version}
          made={!row}
          rows={[
            { field: t.role, theirs: texts.shell.role[theirs.role], mine: texts.shell.role[role] },
            { field: t.denied, theirs: rights(theirs), mine: rights({ denied }) },
            // An empty name leaves the one that is there.
            {
              field: t.displayName,
              theirs: theirs.displayName ?? '',
              mine: displayName.trim() || (theirs.displayName ?? ''),
            },
          ].filter((line) => line.theirs !== line.mine)}
          onClose={() => setTheirs(null)}
          onTakeTheirs={onClose}
          onKeepMine={() => {
            setTheirs(null);
            save.mutate(theirs.version);
          }}
        />
      )}
    </>
  );
}
