import Tab from '@mui/material/Tab';
import Tabs from '@mui/material/Tabs';
import { memo, useMemo } from 'react';

import type { Kind, Model } from '../../api/types';
import { formatNumber } from '../../format';
import { texts } from '../../texts';
import { counts } from './filters';

const t = texts.models;

/** All, Generation and Embedding always; other kinds where there are models of them. */
export const KindTabs = memo(function KindTabs({
  models,
  kind,
  onKind,
}: {
  models: Model[];
  kind: Kind | '';
  onKind: (kind: Kind | '') => void;
}) {
  const found = useMemo(() => new Map(counts(models, (model) => [model.kind])), [models]);
  const kinds = [...new Set<Kind>(['generation', 'embedding', ...(kind ? [kind] : []), ...found.keys()])];
  return (
    <Tabs
      value={kind}
      onChange={(_, next: Kind | '') => onKind(next)}
      variant="scrollable"
      scrollButtons="auto"
      allowScrollButtonsMobile
      aria-label={t.column.kind}
      sx={{ px: 1, borderBottom: 1, borderColor: 'divider', flexShrink: 0 }}
    >
      <Tab value="" label={`${t.all} ${formatNumber(models.length)}`} />
      {kinds.map((name) => (
        <Tab key={name} value={name} label={`${t.kind[name] ?? name} ${formatNumber(found.get(name) ?? 0)}`} />
      ))}
    </Tabs>
  );
});
