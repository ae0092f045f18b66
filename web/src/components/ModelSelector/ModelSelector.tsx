// Chooses a model: search, groups by provider, the person's favourites, the default marked. Offers only what the person may
// use. The browser keeps the favourites, apart for each person and organisation.
import { mdiStar, mdiStarOutline } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Autocomplete from '@mui/material/Autocomplete';
import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import TextField from '@mui/material/TextField';
import Tooltip from '@mui/material/Tooltip';
import { useMemo } from 'react';

import type { Kind } from '../../api/types';
import { formatCompact } from '../../format';
import { useSession } from '../../session/session';
import { keptValues, useStore } from '../../store';
import { texts } from '../../texts';
import { DefaultChip } from '../chips';
import { Icon } from '../Icon';
import { Problem } from '../Problem';
import { SlowNote } from '../States';
import { matching, type Option, optionsOf, shownMax } from './groups';
import { useUsableModels } from './usableModels';

const t = texts.picker;
const favouritesOf = keptValues<string[]>('favourites', []);

interface Props {
  org: string;
  /** Slug of the chosen model; '' leaves the choice to the default. */
  value: string;
  onChange: (slug: string) => void;
  kind?: Kind;
  label?: string;
}

export function ModelSelector({ org, value, onChange, kind, label = t.label }: Props) {
  const { usable, isPending, error, retry } = useUsableModels(org);
  const { issuer, subject } = useSession().user;
  const favourites = favouritesOf(JSON.stringify([org, issuer, subject]));
  const liked = useStore(favourites);
  const offered = useMemo(
    () => usable.filter((model) => !kind || model.kind === kind || model.kind === ''),
    [usable, kind],
  );
  const options = useMemo(() => optionsOf(offered, liked, t.favourites), [offered, liked]);
  const chosen = options.find((option) => option.model.slug === value) ?? null;
  const standard = offered.find((model) => model.isDefault);
  if (error) return <Problem error={error} onRetry={retry} />;
  if (!isPending && offered.length === 0) return <Alert severity="info">{t.none}</Alert>;
  const isLiked = chosen !== null && liked.includes(chosen.model.slug);
  return (
    <Box sx={{ display: 'flex', gap: 0.5, alignItems: 'flex-start' }}>
      <Autocomplete<Option>
        fullWidth
        loading={isPending}
        loadingText={texts.common.loading}
        noOptionsText={t.noMatch}
        options={options}
        value={chosen}
        onChange={(_, next) => onChange(next?.model.slug ?? '')}
        groupBy={(option) => option.group}
        getOptionLabel={(option) => option.model.name}
        getOptionKey={(option) => option.model.slug}
        isOptionEqualToValue={(a, b) => a.model.slug === b.model.slug}
        filterOptions={(all, { inputValue }) => {
          const search = chosen && inputValue === chosen.model.name ? '' : inputValue;
          return matching(all, search).slice(0, shownMax);
        }}
        renderOption={({ key, ...props }, { model }) => (
          <li key={key} {...props}>
            <Box sx={{ flex: 1, minWidth: 0 }}>
              <Box sx={{ display: 'flex', gap: 1, alignItems: 'center' }}>
                <Box component="span" sx={{ overflow: 'hidden', textOverflow: 'ellipsis' }}>
                  {model.name}
                </Box>
                {model.isDefault && <DefaultChip />}
              </Box>
              <Box component="span" sx={{ color: 'text.secondary', fontSize: '0.8rem' }}>
                {model.slug}
                {model.personal && ` · ${texts.models.scope.personal}`}
              </Box>
            </Box>
            {model.contextWindow !== null && (
              <Box component="span" sx={{ color: 'text.secondary', fontSize: '0.8rem', pl: 1 }}>
                {formatCompact(model.contextWindow)}
              </Box>
            )}
          </li>
        )}
        renderInput={(params) => (
          <TextField
            {...params}
            label={label}
            placeholder={standard ? t.defaultIs(standard.name) : t.placeholder}
            helperText={
              isPending ? <SlowNote /> : options.length > shownMax ? t.more(options.length - shownMax) : undefined
            }
            slotProps={{ ...params.slotProps, inputLabel: { ...params.slotProps.inputLabel, shrink: true } }}
          />
        )}
      />
      {chosen && (
        <Tooltip title={t.favourite(chosen.model.name)}>
          <IconButton
            aria-label={t.favourite(chosen.model.name)}
            aria-pressed={isLiked}
            onClick={() =>
              favourites.set(
                isLiked ? liked.filter((slug) => slug !== chosen.model.slug) : [...liked, chosen.model.slug],
              )
            }
          >
            <Icon path={isLiked ? mdiStar : mdiStarOutline} color={isLiked ? 'primary' : 'inherit'} />
          </IconButton>
        </Tooltip>
      )}
    </Box>
  );
}
