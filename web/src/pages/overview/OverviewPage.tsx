import { mdiCheckCircleOutline } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Paper from '@mui/material/Paper';
import Stack from '@mui/material/Stack';
import Typography from '@mui/material/Typography';
import { Link as RouterLink } from 'react-router-dom';

import { useList } from '../../api/lists';
import { Age } from '../../components/Age';
import { Icon } from '../../components/Icon';
import { PageLayout, Section } from '../../components/PageLayout';
import { Problem } from '../../components/Problem';
import { Skeletons } from '../../components/States';
import { formatNumber } from '../../format';
import { orgPath } from '../../paths';
import { platformOrg } from '../../session/permissions';
import { organizationAsked, useMay, useOrg } from '../../session/session';
import { useOrganizations } from '../../shell/organizations';
import { texts } from '../../texts';
import { useConnections } from '../connections/useConnections';
import { useModels } from '../models/useModels';
import { attentionOf } from './attention';
import { SetupSteps } from './SetupSteps';

const t = texts.overview;

/** Where a person begins: what is there, what needs them, and the next step. */
export default function OverviewPage() {
  const org = useOrg();
  const mayKeys = useMay('org:credentials:read');
  const mayAddOrganizations = useMay('platform:orgs:write');
  const organizations = useOrganizations();
  const { choices } = organizations;
  const { query, models, total } = useModels(org);
  const connections = useConnections(org);
  const defaults = useList('defaults', org);
  const aliases = useList('aliases', org);
  const held = useList('held-changes', org);
  const credentials = useList('credentials', org, { enabled: mayKeys });
  const name = choices.find((choice) => choice.id === org)?.name ?? org;
  const attention = attentionOf({
    connections: connections.data ?? [],
    held: held.data ?? [],
    credentials: credentials.data ?? [],
  });
  const enabled = models.filter((model) => model.status === 'active').length;
  // Nothing found is good news only where all of it was read.
  const unread = Boolean(connections.error || held.error || credentials.error);
  // What would move the rest when it comes is waited for.
  const isPending =
    query.isPending ||
    (org === platformOrg && organizations.isPending) ||
    [connections, defaults, held, ...(mayKeys ? [credentials] : [])].some((part) => part.isPending);
  // A part that fails is named; the others are shown all the same.
  const failed = [
    { error: models.length === 0 ? query.error : null, retry: () => void query.refetch() },
    { error: connections.error, retry: () => void connections.refetch() },
    { error: defaults.error, retry: () => void defaults.refetch() },
    { error: held.error, retry: () => void held.refetch() },
    { error: credentials.error, retry: () => void credentials.refetch() },
  ].filter((part) => part.error);
  const cards = [
    {
      label: t.models,
      path: 'models',
      value: query.data ? formatNumber(total) : '—',
      text: query.data ? t.enabledOf(enabled, models.length) : '',
    },
    {
      label: t.connections,
      path: 'connections',
      value: connections.data ? formatNumber(connections.data.length) : '—',
      text: connections.data
        ? t.reachableOf(
            connections.data.filter((row) => row.enabled && row.health === 'healthy').length,
            connections.data.length,
          )
        : '',
    },
    {
      label: t.defaults,
      path: 'defaults',
      value: defaults.data ? formatNumber(defaults.data.length) : '—',
      text: defaults.data?.[0]?.model ?? '',
    },
    { label: t.aliases, path: 'defaults', value: aliases.data ? formatNumber(aliases.data.length) : '—', text: '' },
  ];
  return (
    <PageLayout title={t.title} intro={t.intro(name)}>
      {failed.map((part, i) => (
        <Box key={i} sx={{ mb: 2 }}>
          <Problem error={part.error} onRetry={part.retry} />
        </Box>
      ))}
      {isPending ? (
        <Skeletons rows={4} height={72} />
      ) : (
        <>
          <SetupSteps
            org={org}
            done={{
              connection: (connections.data?.length ?? 0) > 0,
              models: enabled > 0,
              default: (defaults.data?.length ?? 0) > 0 || models.some((model) => model.isDefault),
            }}
            known={Boolean(query.data && connections.data && defaults.data)}
          />
          {/* Models are asked, granted and paid for in an organisation. */}
          {org === platformOrg && mayAddOrganizations && !organizations.error && choices.length < 2 && (
            <Section title={t.firstOrganization.title}>
              <Typography sx={{ mb: 2 }}>{t.firstOrganization.text}</Typography>
              <Button variant="contained" onClick={() => organizationAsked.set(true)}>
                {texts.shell.newOrganization.title}
              </Button>
            </Section>
          )}
          <Section title={t.attention}>
            {attention.length === 0 && unread ? null : attention.length === 0 ? (
              <Typography color="textSecondary" sx={{ display: 'flex', gap: 1 }}>
                <Icon path={mdiCheckCircleOutline} color="success" />
                {t.allWell}
              </Typography>
            ) : (
              <Stack sx={{ gap: 1 }}>
                {attention.map((item) => (
                  <Alert
                    key={item.id}
                    severity={item.severity}
                    action={
                      <Button color="inherit" size="small" component={RouterLink} to={orgPath(org, ...item.path)}>
                        {item.action}
                      </Button>
                    }
                  >
                    <strong>{item.title}</strong>
                    {item.since && (
                      <>
                        {' · '}
                        {t.since} <Age at={item.since} />
                      </>
                    )}
                    <div>{item.fix}</div>
                  </Alert>
                ))}
              </Stack>
            )}
          </Section>
          <Box sx={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fill, minmax(200px, 1fr))', gap: 2 }}>
            {cards.map((card) => (
              <Paper
                key={card.label}
                variant="outlined"
                component={RouterLink}
                to={orgPath(org, card.path)}
                sx={{
                  p: 2,
                  color: 'text.primary',
                  textDecoration: 'none',
                  '&:hover': { bgcolor: 'surface.low' },
                }}
              >
                <Typography color="textSecondary">{card.label}</Typography>
                <Typography component="p" sx={{ fontSize: '1.75rem', lineHeight: 1.3 }}>
                  {card.value}
                </Typography>
                <Typography variant="body2" color="textSecondary" sx={{ overflowWrap: 'anywhere' }}>
                  {card.text}
                </Typography>
              </Paper>
            ))}
          </Box>
        </>
      )}
    </PageLayout>
  );
}
