import { mdiStar, mdiStarOutline } from '@mdi/js';
import Button from '@mui/material/Button';
import Stack from '@mui/material/Stack';
import Typography from '@mui/material/Typography';

import { Icon } from '../../../components/Icon';
import { formatDateTime } from '../../../format';
import { useMay } from '../../../session/session';
import { texts } from '../../../texts';
import { useSetDefault } from '../useSetDefault';
import css from './detail.module.css';
import { type EditProps, FieldRow } from './FieldRow';
import { overviewFields } from './fields';
import { ServedBy } from './ServedBy';

const t = texts.detail;

export function OverviewTab(props: EditProps) {
  const model = props.draft.base;
  const mayDefault = useMay('org:defaults:write');
  const setDefault = useSetDefault(props.org);
  return (
    <Stack sx={{ gap: 1.5 }}>
      {mayDefault && (
        <Button
          variant="outlined"
          sx={{ alignSelf: 'flex-start' }}
          startIcon={<Icon path={model.isDefault ? mdiStar : mdiStarOutline} />}
          disabled={Boolean(model.isDefault) || setDefault.isPending}
          onClick={() => setDefault.mutate([model])}
        >
          {model.isDefault ? texts.models.default : t.makeDefault}
        </Button>
      )}
      {overviewFields.map((field) => (
        <FieldRow key={field.name} {...props} field={field} />
      ))}
      <ServedBy {...props} />
      <Typography variant="h2">{t.facts}</Typography>
      <dl className={css.facts}>
        <dt>{t.fact.id}</dt>
        <dd>
          <code>{model.slug}</code>
        </dd>
        <dt>{t.fact.availability}</dt>
        <dd>{model.availability}</dd>
        <dt>{t.fact.version}</dt>
        <dd>{model.version}</dd>
        <dt>{t.fact.created}</dt>
        <dd>{formatDateTime(model.createdAt)}</dd>
        <dt>{t.fact.updated}</dt>
        <dd>{formatDateTime(model.updatedAt)}</dd>
      </dl>
    </Stack>
  );
}
