// Who relies on the model, and through which connections requests reach it.
import { mdiLinkOff } from '@mdi/js';
import Link from '@mui/material/Link';
import Stack from '@mui/material/Stack';
import Typography from '@mui/material/Typography';
import { Link as RouterLink } from 'react-router-dom';

import type { Deployment, Model } from '../../../api/types';
import { Problem } from '../../../components/Problem';
import { Empty, Skeletons } from '../../../components/States';
import { formatPercent } from '../../../format';
import { orgPath } from '../../../paths';
import { platformOrg } from '../../../session/permissions';
import { useSession } from '../../../session/session';
import { texts } from '../../../texts';
import { nameOfDependent, useDependents } from './dependents';
import css from './detail.module.css';

const t = texts.detail.usage;

/** The page that shows a thing of this type; undefined for those that live outside of Tokenrail. */
const pageOf: Record<string, string> = { default: 'defaults', alias: 'defaults', view: 'views' };

/** The part of the requests that a deployment gets while all are healthy: by weight, among those that come first. */
export function shareOf(deployment: Deployment, all: readonly Deployment[]): number {
  const usable = all.filter((other) => other.enabled && other.connectionEnabled);
  const first = Math.min(...usable.map((other) => other.priority));
  const sharing = usable.filter((other) => other.priority === first);
  if (!sharing.includes(deployment)) return 0;
  const sum = sharing.reduce((total, other) => total + other.weight, 0);
  return sum === 0 ? 1 / sharing.length : deployment.weight / sum;
}

/** The dashboard, for this model alone. The variables are those of deploy/grafana/use.json. */
export function dashboardOf(url: string, org: string, { provider, modelName }: Pick<Model, 'provider' | 'modelName'>) {
  const address = new URL(url);
  if (org !== platformOrg) address.searchParams.set('var-org', org);
  address.searchParams.set('var-provider', provider);
  address.searchParams.set('var-model', modelName);
  return address.href;
}

/** The registry does not count requests; routers do. */
export function metricQueries({ provider, modelName }: Pick<Model, 'provider' | 'modelName'>): string[] {
  const labels = `{provider=${JSON.stringify(provider)}, modelName=${JSON.stringify(modelName)}}`;
  return ['llm_tokens_input_total', 'llm_tokens_output_total', 'llm_cost_micros_total'].map(
    (name) => `sum(increase(${name}${labels}[1d]))`,
  );
}

export function UsageTab({ org, model }: { org: string; model: Model }) {
  const dependents = useDependents(org, model.slug);
  const { dashboardUrl } = useSession();
  const deployments = model.deployments ?? [];
  return (
    <Stack sx={{ gap: 3 }}>
      <section>
        <Typography variant="h3" gutterBottom>
          {t.usedBy}
        </Typography>
        {dependents.error && <Problem error={dependents.error} onRetry={() => void dependents.refetch()} />}
        {dependents.isPending && <Skeletons rows={2} height={32} />}
        {dependents.data?.length === 0 && <Empty icon={mdiLinkOff} title={t.unused} hint={t.unusedHint} />}
        {dependents.data && dependents.data.length > 0 && (
          <ul className={css.plain}>
            {dependents.data.map((dependent) => {
              const { refType, refId } = dependent;
              const page = pageOf[refType ?? ''];
              const name = nameOfDependent(dependent);
              return (
                <li key={`${refType}/${refId}`}>
                  <strong>{texts.detail.remove.refType[refType ?? ''] ?? refType}</strong>{' '}
                  {page ? (
                    <Link component={RouterLink} to={orgPath(org, page)}>
                      {name}
                    </Link>
                  ) : (
                    name
                  )}
                </li>
              );
            })}
          </ul>
        )}
      </section>
      <section>
        <Typography variant="h3" gutterBottom>
          {t.servedBy}
        </Typography>
        {deployments.length === 0 && <Typography color="textSecondary">{t.unserved}</Typography>}
        <ul className={css.plain}>
          {deployments.map((row) => (
            <li key={row.id}>
              <Link component={RouterLink} to={orgPath(org, 'connections', row.connectionId)}>
                {row.connection}
              </Link>{' '}
              {row.enabled && row.connectionEnabled
                ? t.serves(
                    formatPercent(shareOf(row, deployments)),
                    texts.connections.healthName[row.health as 'healthy'] ?? row.health,
                  )
                : t.off}
            </li>
          ))}
        </ul>
      </section>
      <section>
        <Typography variant="h3" gutterBottom>
          {t.counted}
        </Typography>
        <Typography color="textSecondary" gutterBottom>
          {t.countedHint}
        </Typography>
        <Typography gutterBottom>
          {dashboardUrl ? (
            <Link href={dashboardOf(dashboardUrl, org, model)} target="_blank" rel="noreferrer">
              {t.dashboard}
            </Link>
          ) : (
            t.noDashboard
          )}
        </Typography>
        <Typography color="textSecondary" gutterBottom>
          {t.query}
        </Typography>
        <pre className={css.raw} tabIndex={0}>
          {metricQueries(model).join('\n')}
        </pre>
      </section>
    </Stack>
  );
}
