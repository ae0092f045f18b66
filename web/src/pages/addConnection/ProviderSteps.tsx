// The first two steps: which kind of models, and which provider.
import { mdiMagnify } from '@mdi/js';
import Box from '@mui/material/Box';
import ButtonBase from '@mui/material/ButtonBase';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';
import { useState } from 'react';

import { useProviders } from '../../api/lists';
import type { ProviderTemplate } from '../../api/records';
import type { Kind } from '../../api/types';
import { Problem } from '../../components/Problem';
import { SearchBox } from '../../components/SearchBox';
import { Empty, Skeletons } from '../../components/States';
import { texts } from '../../texts';

const t = texts.addConnection;

export function KindStep({ kind, onChoose }: { kind: Kind | ''; onChoose: (kind: Kind | '') => void }) {
  const providers = useProviders();
  const offered = new Set(providers.data?.flatMap((row) => row.kinds) ?? []);
  const kinds = (Object.keys(texts.models.kind) as Kind[]).filter((name) => offered.has(name));
  return (
    <States query={providers}>
      <Tiles>
        <Tile title={t.anyKind} text={t.anyKindHint} chosen={kind === ''} onChoose={() => onChoose('')} />
        {kinds.map((name) => (
          <Tile
            key={name}
            title={texts.models.kind[name]}
            text={t.kindHint[name] ?? ''}
            chosen={kind === name}
            onChoose={() => onChoose(name)}
          />
        ))}
      </Tiles>
    </States>
  );
}

interface ProviderProps {
  kind: Kind | '';
  provider: string;
  onChoose: (template: ProviderTemplate) => void;
}

export function ProviderStep({ kind, provider, onChoose }: ProviderProps) {
  const providers = useProviders();
  const [q, setQ] = useState('');
  const wanted = q.trim().toLowerCase();
  const rows = (providers.data ?? [])
    .filter((row) => kind === '' || row.kinds.includes(kind))
    .filter((row) => `${row.displayName} ${row.id}`.toLowerCase().includes(wanted))
    .sort((a, b) => a.displayName.localeCompare(b.displayName));
  return (
    <States query={providers}>
      <SearchBox label={t.searchProvider} value={q} onChange={setQ} />
      {rows.length === 0 ? (
        <Empty icon={mdiMagnify} title={t.noProvider} hint={t.noProviderHint} />
      ) : (
        <Tiles>
          {rows.map((row) => (
            <Tile
              key={row.id}
              title={row.displayName}
              text={row.defaultBaseUrl ?? t.ownAddress}
              chosen={row.id === provider}
              onChoose={() => onChoose(row)}
            />
          ))}
        </Tiles>
      )}
    </States>
  );
}

function States({
  query,
  children,
}: {
  query: { isPending: boolean; error: unknown; data?: unknown; refetch: () => unknown };
  children: ReactNode;
}) {
  if (query.isPending) return <Skeletons rows={4} />;
  if (query.error && !query.data) return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  return <>{children}</>;
}

function Tiles({ children }: { children: ReactNode }) {
  return (
    <Box
      sx={{
        display: 'grid',
        gridTemplateColumns: { xs: '1fr', sm: 'repeat(auto-fill, minmax(240px, 1fr))' },
        gap: 1.5,
      }}
    >
      {children}
    </Box>
  );
}

function Tile(props: { title: string; text: string; chosen: boolean; onChoose: () => void }) {
  return (
    <ButtonBase
      onClick={props.onChoose}
      aria-pressed={props.chosen}
      sx={{
        display: 'block',
        textAlign: 'left',
        p: 2,
        borderRadius: 1.5,
        border: 1,
        borderColor: props.chosen ? 'primary.main' : 'divider',
        bgcolor: props.chosen ? 'surface.secondaryContainer' : 'transparent',
        color: props.chosen ? 'surface.onSecondaryContainer' : 'text.primary',
        '&:hover': { bgcolor: props.chosen ? 'surface.secondaryContainer' : 'surface.low' },
      }}
    >
      <Typography component="span" sx={{ display: 'block', fontWeight: 500 }}>
        {props.title}
      </Typography>
      <Typography
        component="span"
        variant="body2"
        sx={{ display: 'block', color: props.chosen ? 'inherit' : 'text.secondary', overflowWrap: 'anywhere' }}
      >
        {props.text}
      </Typography>
    </ButtonBase>
  );
}
