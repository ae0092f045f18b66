import { mdiDeleteOutline } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import MenuItem from '@mui/material/MenuItem';
import Stack from '@mui/material/Stack';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client, precondition } from '../../../api/client';
import { listKey, useList } from '../../../api/lists';
import type { Grant } from '../../../api/records';
import { ScopeChip } from '../../../components/chips';
import { Icon } from '../../../components/Icon';
import { Problem } from '../../../components/Problem';
import { Skeletons } from '../../../components/States';
import { platformOrg } from '../../../session/permissions';
import { useMay } from '../../../session/session';
import { texts } from '../../../texts';
import { useAddGrant } from '../../access/useAddGrant';
import css from './detail.module.css';
import { type EditProps, FieldRow } from './FieldRow';

const t = texts.detail.access;

export function AccessTab(props: EditProps) {
  const { org, draft } = props;
  const model = draft.base;
  return (
    <Stack sx={{ gap: 2 }}>
      <Stack direction="row" sx={{ gap: 1, alignItems: 'center', flexWrap: 'wrap' }}>
        {t.scope}: <ScopeChip scope={model.scope} />
        <Typography variant="body2" color="textSecondary">
          {texts.models.scopeHint[model.scope]}
        </Typography>
      </Stack>
      {model.blockedBy && (
        <Alert severity="error">{t.blockedBy[model.blockedBy] ?? texts.models.statusHint.blocked}</Alert>
      )}
      <FieldRow {...props} field={{ name: 'blocked', control: 'switch' }} />
      {org !== platformOrg && (
        <>
          <Mode org={org} />
          <Grants org={org} slug={model.slug} />
        </>
      )}
    </Stack>
  );
}

function Mode({ org }: { org: string }) {
  const query = useQuery({
    queryKey: ['organization', org],
    queryFn: () => body(client.GET('/v1/orgs/{org}', { params: { path: { org } } })),
  });
  const mode = query.data?.mode;
  return mode ? <Alert severity="info">{t.mode[mode] ?? mode}</Alert> : null;
}

type SubjectKind = 'org' | 'group' | 'user';

function Grants({ org, slug }: { org: string; slug: string }) {
  const mayWrite = useMay('org:grants:write');
  const queryClient = useQueryClient();
  const query = useList('grants', org);
  const [form, setForm] = useState<{ kind: SubjectKind; subject: string; effect: 'allow' | 'deny' }>({
    kind: 'group',
    subject: '',
    effect: 'allow',
  });
  const changed = () => void queryClient.invalidateQueries({ queryKey: listKey('grants', org) });
  const begin = () => setForm((before) => ({ ...before, subject: '' }));
  const adding = useAddGrant(org, { onAdded: begin, onLeft: begin });
  const removing = useMutation({
    mutationFn: ({ id, version }: Grant) =>
      body(
        client.DELETE('/v1/orgs/{org}/grants/{grant}', {
          params: { path: { org, grant: id }, header: precondition(version) },
        }),
      ),
    onSettled: changed,
  });
  if (query.error) return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Skeletons rows={2} />;
  const grants = query.data.filter((grant) => grant.objectKind === 'model' && grant.object === slug);
  const nameOfSubject = (kind: string, subject?: string | null) =>
    [t.subject[kind] ?? kind, kind === 'org' ? '' : subject].filter(Boolean).join(' ');
  return (
    <>
      <Typography variant="h2">{t.grants}</Typography>
      {grants.length === 0 && <Typography color="textSecondary">{t.none}</Typography>}
      <ul className={css.plain}>
        {grants.map((grant) => (
          <li key={grant.id}>
            <strong>{nameOfSubject(grant.subjectKind, grant.subject)}</strong>
            {grant.effect === 'deny' ? t.deny : t.allow}
            {mayWrite && (
              <IconButton
                sx={{ ml: 'auto' }}
                size="small"
                aria-label={t.remove(nameOfSubject(grant.subjectKind, grant.subject))}
                disabled={removing.isPending}
                onClick={() => removing.mutate(grant)}
              >
                <Icon path={mdiDeleteOutline} fontSize="small" />
              </IconButton>
            )}
          </li>
        ))}
      </ul>
      {removing.error && <Problem error={removing.error} />}
      {mayWrite && (
        <Stack
          component="form"
          direction="row"
          sx={{ gap: 1, flexWrap: 'wrap' }}
          onSubmit={(event) => {
            event.preventDefault();
            adding.add({
              subjectKind: form.kind,
              objectKind: 'model',
              object: slug,
              effect: form.effect,
              ...(form.kind === 'org' ? {} : { subject: form.subject.trim() }),
            });
          }}
        >
          <TextField
            select
            label={texts.models.bulk.grantTo}
            value={form.kind}
            onChange={(e) => setForm({ ...form, kind: e.target.value as SubjectKind })}
            sx={{ minWidth: 150 }}
          >
            {(['org', 'group', 'user'] as const).map((kind) => (
              <MenuItem key={kind} value={kind}>
                {t.subject[kind]}
              </MenuItem>
            ))}
          </TextField>
          {form.kind !== 'org' && (
            <TextField
              required
              label={texts.models.bulk.subject[form.kind]}
              value={form.subject}
              onChange={(e) => setForm({ ...form, subject: e.target.value })}
            />
          )}
          <TextField
            select
            label={t.effect}
            value={form.effect}
            onChange={(e) => setForm({ ...form, effect: e.target.value as 'allow' | 'deny' })}
            sx={{ minWidth: 130 }}
          >
            <MenuItem value="allow">{t.allow}</MenuItem>
            <MenuItem value="deny">{t.deny}</MenuItem>
          </TextField>
          <Button type="submit" variant="outlined" disabled={adding.isPending}>
            {t.add}
          </Button>
        </Stack>
      )}
      {adding.error && <Problem error={adding.error} />}
      {adding.dialog}
    </>
  );
}
