import { mdiCheckCircle, mdiCloseCircle } from '@mdi/js';
import Alert from '@mui/material/Alert';
import List from '@mui/material/List';
import ListItem from '@mui/material/ListItem';
import ListItemIcon from '@mui/material/ListItemIcon';
import ListItemText from '@mui/material/ListItemText';
import { useQuery } from '@tanstack/react-query';

import { body, client } from '../../../api/client';
import type { Model } from '../../../api/types';
import { Icon } from '../../../components/Icon';
import { Problem } from '../../../components/Problem';
import { Skeletons } from '../../../components/States';
import { texts } from '../../../texts';

const t = texts.detail.explain;

/** Every condition of using the model, and which of them fails. */
export function ExplainTab({ org, model }: { org: string; model: Model }) {
  const query = useQuery({
    queryKey: ['explain', org, model.slug, model.version],
    queryFn: () =>
      body(client.GET('/v1/orgs/{org}/models/{model}/explain', { params: { path: { org, model: model.slug } } })),
  });
  if (query.error) return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Skeletons rows={5} />;
  const { usable, clauses } = query.data;
  return (
    <>
      <Alert severity={usable ? 'success' : 'error'}>
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
