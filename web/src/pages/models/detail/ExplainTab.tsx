import { mdiCheckCircle, mdiCloseCircle } from '@mdi/js';
import Alert from '@mui/material/Alert';
import List from '@mui/material/List';
import ListItem from '@mui/material/ListItem';
import ListItemIcon from '@mui/material/ListItemIcon';
import ListItemText from '@mui/material/ListItemText';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client } from '../../../api/client';
import { useList } from '../../../api/lists';
import type { Model } from '../../../api/types';
import { Choice } from '../../../components/fields';
import { Icon } from '../../../components/Icon';
import { Problem } from '../../../components/Problem';
import { Skeletons } from '../../../components/States';
import { platformOrg } from '../../../session/permissions';
import { useMay, useSession } from '../../../session/session';
import { texts } from '../../../texts';

const t = texts.detail.explain;

/** Why a person can or cannot use the model: the one who asks, or whom they ask for. */
export function ExplainTab({ org, model }: { org: string; model: Model }) {
  const me = useSession().user.subject;
  const mayAskForOthers = useMay('org:members:read') && org !== platformOrg;
  const members = useList('members', org, { enabled: mayAskForOthers });
  const [user, setUser] = useState(org === platformOrg ? '' : me);
  const others = (members.data ?? []).filter((member) => member.subject !== me);
  return (
    <>
      {org !== platformOrg && (
        <Choice
          label={t.forWhom}
          value={user}
          options={[
            { value: me, label: t.me },
            { value: '', label: t.anyone },
            ...others.map((member) => ({ value: member.subject, label: member.displayName || member.subject })),
          ]}
          onChange={setUser}
        />
      )}
      <Conditions org={org} model={model} user={user} />
    </>
  );
}

/** Every condition of using the model, and which of them fails. */
function Conditions({ org, model, user }: { org: string; model: Model; user: string }) {
  const query = useQuery({
    queryKey: ['explain', org, model.slug, model.version, user],
    queryFn: () =>
      body(
        client.GET('/v1/orgs/{org}/models/{model}/explain', {
          params: { path: { org, model: model.slug }, query: user ? { user } : {} },
        }),
      ),
  });
  if (query.error) return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Skeletons rows={5} />;
  const { usable, clauses } = query.data;
  return (
    <>
      <Alert severity={usable ? 'success' : 'error'} sx={{ mt: 2 }}>
        <strong>{usable ? t.yes : t.no}.</strong> {texts.models.statusHint[model.status]}
      </Alert>
      <List>
        {clauses.map((clause) => (
          <ListItem key={clause.clause} disableGutters>
            <ListItemIcon sx={{ minWidth: 40 }}>
              <Icon
                path={clause.holds ? mdiCheckCircle : mdiCloseCircle}
                color={clause.holds ? 'success' : 'error'}
                title={clause.holds ? t.holds : t.fails}
              />
            </ListItemIcon>
            <ListItemText
              primary={t.clause[clause.clause] ?? clause.clause}
              secondary={[clause.detail, clause.hint].filter(Boolean).join(' ')}
            />
          </ListItem>
        ))}
      </List>
    </>
  );
}
