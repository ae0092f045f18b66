// Which connections serve the model. Of a model of one's own they are chosen; those of the platform's models are its own.
import { mdiClose } from '@mdi/js';
import IconButton from '@mui/material/IconButton';
import Typography from '@mui/material/Typography';

import type { Deployment } from '../../../api/types';
import { Choice } from '../../../components/fields';
import { Icon } from '../../../components/Icon';
import { platformOrg } from '../../../session/permissions';
import { texts } from '../../../texts';
import { useConnections } from '../../connections/useConnections';
import { setField, valueIn } from './draft';
import css from './detail.module.css';
import { type EditProps, Source } from './FieldRow';

const t = texts.detail;

/** As the draft holds it: what the API sent, or what was added here. */
type Served = Pick<Deployment, 'connectionId'> & Partial<Deployment> & { params?: Record<string, unknown> };

/** What the API takes of a deployment. Another model of the connection keeps its own. */
const inputOf = ({ connectionId, upstreamName, priority, weight, enabled, params }: Served) => ({
  connectionId,
  ...(upstreamName === undefined ? {} : { upstreamName }),
  ...(priority === undefined ? {} : { priority }),
  ...(weight === undefined ? {} : { weight }),
  ...(enabled === undefined ? {} : { enabled }),
  ...(params === undefined ? {} : { params }),
});

const keyOf = ({ connectionId, upstreamName = '' }: Served) => `${connectionId} ${upstreamName}`;

export function ServedBy(props: EditProps) {
  const { org, draft, setDraft, editable } = props;
  const model = draft.base;
  const rows = (valueIn(draft, 'deployments') ?? []) as Served[];
  const mayChoose = editable && (model.scope === 'organization' || org === platformOrg);
  const known = new Map((model.deployments ?? []).map((row) => [keyOf(row), row]));
  return (
    <>
      <Typography variant="h2">{t.served}</Typography>
      {rows.length === 0 && <Typography color="textSecondary">{t.servedNone}</Typography>}
      {rows.length > 0 && (
        <ul className={css.plain}>
          {rows.map((row) => {
            const old = known.get(keyOf(row));
            return (
              <li key={keyOf(row)}>
                {old ? (
                  <>
                    <strong>{old.connection}</strong> {t.servedAs(old.upstreamName)}
                  </>
                ) : (
                  <ConnectionName org={org} id={row.connectionId} />
                )}
                <span className={css.aside}>
                  {!old
                    ? t.servedSoon
                    : old.enabled && old.connectionEnabled
                      ? (t.health[old.health] ?? old.health)
                      : t.off}
                </span>
                {mayChoose && (
                  <IconButton
                    size="small"
                    aria-label={t.servedRemove(old?.connection ?? row.connectionId)}
                    onClick={() =>
                      setDraft((d) =>
                        setField(
                          d,
                          'deployments',
                          rows.filter((other) => other !== row).map((other) => inputOf(other)),
                        ),
                      )
                    }
                  >
                    <Icon path={mdiClose} fontSize="small" />
                  </IconButton>
                )}
              </li>
            );
          })}
        </ul>
      )}
      {mayChoose && (
        <AddServed
          {...props}
          taken={rows.map((row) => row.connectionId)}
          onAdd={(connectionId) =>
            setDraft((d) =>
              setField(
                d,
                'deployments',
                [...rows, { connectionId }].map((row) => inputOf(row)),
              ),
            )
          }
        />
      )}
      {mayChoose && <Source {...props} name="deployments" />}
    </>
  );
}

function ConnectionName({ org, id }: { org: string; id: string }) {
  const connections = useConnections(org);
  return <strong>{connections.data?.find((row) => row.id === id)?.name ?? id}</strong>;
}

function AddServed(props: EditProps & { taken: string[]; onAdd: (connectionId: string) => void }) {
  const connections = useConnections(props.org);
  const offered = (connections.data ?? []).filter(
    (row) => row.provider === props.draft.base.provider && !props.taken.includes(row.id),
  );
  if (offered.length === 0) return null;
  return (
    <Choice
      label={t.servedAdd}
      value=""
      options={[{ value: '', label: texts.common.none }, ...offered.map((row) => ({ value: row.id, label: row.name }))]}
      onChange={(id) => id && props.onAdd(id)}
    />
  );
}
