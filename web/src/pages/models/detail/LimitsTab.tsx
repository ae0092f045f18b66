import MenuItem from '@mui/material/MenuItem';
import Stack from '@mui/material/Stack';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';

import type { Model } from '../../../api/types';
import { platformOrg } from '../../../session/permissions';
import { texts } from '../../../texts';
import { setField, valueIn } from './draft';
import { type EditProps, FieldRow } from './FieldRow';
import { appliesTo, type FieldName, limitFields } from './fields';

const t = texts.detail;

interface Parameter {
  name: string;
  min?: number;
  max?: number;
  step?: number | 'any';
  choices?: string[];
}

// Of generation: what the router sends where a request is silent. Of embedding: what readers of vectors have to know.
const generation: Parameter[] = [
  { name: 'temperature', min: 0, max: 2, step: 'any' },
  { name: 'topP', min: 0, max: 1, step: 'any' },
  { name: 'topK', min: 1, step: 1 },
  { name: 'maxTokens', min: 1, step: 1 },
];
const embedding: Parameter[] = [
  { name: 'normalize', choices: ['true', 'false'] },
  { name: 'distanceMetric', choices: ['cosine', 'dot', 'l2'] },
  { name: 'batchSize', min: 1, step: 1 },
];

export function LimitsTab(props: EditProps) {
  const kind = String(valueIn(props.draft, 'kind'));
  return (
    <Stack sx={{ gap: 1.5 }}>
      {limitFields
        .filter((field) => appliesTo(field, kind))
        .map((field) => (
          <FieldRow key={field.name} {...props} field={field} />
        ))}
      {kind === 'embedding' && <EmbeddingParameters {...props} />}
      {kind === 'generation' && <DeploymentParameters {...props} />}
    </Stack>
  );
}

function EmbeddingParameters({ draft, setDraft, editable }: EditProps) {
  const params = (valueIn(draft, 'params') ?? {}) as Record<string, unknown>;
  return (
    <>
      <Typography variant="h2">{t.parameters}</Typography>
      {embedding.map((parameter) => (
        <ParameterField
          key={parameter.name}
          parameter={parameter}
          value={params[parameter.name] ?? undefined}
          disabled={!editable}
          // The change is merged into what is there: null removes a parameter.
          onChange={(value) => setDraft((d) => setField(d, 'params', { ...params, [parameter.name]: value ?? null }))}
        />
      ))}
    </>
  );
}

type Deployments = NonNullable<Model['deployments']>;
type WithParams = Deployments[number] & { params?: Record<string, unknown> };

function DeploymentParameters({ org, draft, setDraft, editable }: EditProps) {
  const deployments = (valueIn(draft, 'deployments') ?? []) as WithParams[];
  const own = draft.base.scope === 'organization' || org === platformOrg;
  const params = deployments[0]?.params ?? {};
  if (deployments.length === 0) return null;
  const set = (name: string, value: unknown) => {
    const next = deployments.map(({ connectionId, upstreamName, priority, weight, enabled, params: before }) => ({
      connectionId,
      upstreamName,
      priority,
      weight,
      enabled,
      params: withMember(before ?? {}, name, value),
    }));
    setDraft((d) => setField(d, 'deployments' as FieldName, next));
  };
  return (
    <>
      <Typography variant="h2">{t.parameters}</Typography>
      <Typography variant="body2" color="textSecondary">
        {own ? t.parametersHint : t.parametersInherited}
      </Typography>
      {generation.map((parameter) => (
        <ParameterField
          key={parameter.name}
          parameter={parameter}
          value={params[parameter.name]}
          disabled={!editable || !own}
          onChange={(value) => set(parameter.name, value)}
        />
      ))}
    </>
  );
}

function withMember(object: Record<string, unknown>, name: string, value: unknown): Record<string, unknown> {
  const next = { ...object, [name]: value };
  if (value === undefined) delete next[name];
  return next;
}

function ParameterField(props: {
  parameter: Parameter;
  value: unknown;
  disabled: boolean;
  onChange: (value: unknown) => void;
}) {
  const { parameter, value, disabled, onChange } = props;
  const label = t.parameter[parameter.name];
  if (parameter.choices)
    return (
      <TextField
        select
        label={label}
        value={value === undefined ? '' : String(value)}
        disabled={disabled}
        onChange={(e) =>
          onChange(
            e.target.value === ''
              ? undefined
              : parameter.name === 'normalize'
                ? e.target.value === 'true'
                : e.target.value,
          )
        }
        slotProps={{ inputLabel: { shrink: true }, select: { displayEmpty: true } }}
      >
        <MenuItem value="">{t.notSet}</MenuItem>
        {parameter.choices.map((choice) => (
          <MenuItem key={choice} value={choice}>
            {choice === 'true'
              ? texts.common.yes
              : choice === 'false'
                ? texts.common.no
                : (t.distance[choice] ?? choice)}
          </MenuItem>
        ))}
      </TextField>
    );
  return (
    <TextField
      type="number"
      label={label}
      value={value ?? ''}
      disabled={disabled}
      onChange={(e) => onChange(e.target.value === '' ? undefined : Number(e.target.value))}
      slotProps={{ htmlInput: { min: parameter.min, max: parameter.max, step: parameter.step } }}
    />
  );
}
