import { mdiClose, mdiFilterVariant, mdiMagnify } from '@mdi/js';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Checkbox from '@mui/material/Checkbox';
import Collapse from '@mui/material/Collapse';
import IconButton from '@mui/material/IconButton';
import InputAdornment from '@mui/material/InputAdornment';
import ListItemText from '@mui/material/ListItemText';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import { memo, useEffect, useMemo, useState } from 'react';

import type { Model } from '../../api/types';
import { capabilityName } from '../../components/chips';
import { Icon } from '../../components/Icon';
import { formatNumber } from '../../format';
import { texts } from '../../texts';
import { choicesIn, counts, type Filter, noFilter, supportedCapabilities } from './filters';
import type { GivenText } from './useSearchText';

const t = texts.models;

interface Props {
  filter: Filter;
  onFilter: (filter: Filter) => void;
  models: Model[];
  open: boolean;
}

type ListName = 'status' | 'provider' | 'capability' | 'scope' | 'tag';
const valuesOf: Record<ListName, (model: Model) => readonly string[]> = {
  status: (m) => [m.status],
  provider: (m) => [m.provider],
  capability: supportedCapabilities,
  scope: (m) => [m.scope],
  tag: (m) => m.tags,
};
const labelOf: Record<ListName, (value: string) => string> = {
  status: (v) => t.status[v as keyof typeof t.status] ?? v,
  provider: (v) => v,
  capability: capabilityName,
  scope: (v) => t.scope[v as keyof typeof t.scope] ?? v,
  tag: (v) => v,
};

export const SearchField = memo(function SearchField(props: { given: GivenText; onType: (q: string) => void }) {
  const { given, onType } = props;
  const [text, setText] = useState(given.q);
  useEffect(() => setText(given.q), [given]);
  const type = (next: string) => {
    setText(next);
    onType(next);
  };
  return (
    <TextField
      type="search"
      value={text}
      onChange={(event) => type(event.target.value)}
      placeholder={t.searchHint}
      sx={{ flex: '1 1 220px', maxWidth: 480 }}
      slotProps={{
        htmlInput: { 'aria-label': t.search },
        input: {
          sx: {
            borderRadius: 20,
            bgcolor: 'surface.high',
            '& fieldset': { border: 'none' },
            '& input': { textOverflow: 'ellipsis' },
            '& input::-webkit-search-cancel-button': { display: 'none' },
          },
          startAdornment: (
            <InputAdornment position="start">
              <Icon path={mdiMagnify} />
            </InputAdornment>
          ),
          endAdornment: text && (
            <InputAdornment position="end">
              <IconButton size="small" aria-label={texts.common.clear} onClick={() => type('')}>
                <Icon path={mdiClose} fontSize="small" />
              </IconButton>
            </InputAdornment>
          ),
        },
      }}
    />
  );
});

export function FiltersButton({
  filter,
  open,
  onOpen,
}: {
  filter: Filter;
  open: boolean;
  onOpen: (open: boolean) => void;
}) {
  const chosen = choicesIn(filter);
  return (
    <Button
      variant={open ? 'contained' : 'outlined'}
      startIcon={<Icon path={mdiFilterVariant} />}
      aria-expanded={open}
      onClick={() => onOpen(!open)}
    >
      {t.filters}
      {chosen > 0 && ` (${chosen})`}
    </Button>
  );
}

export const FilterBar = memo(function FilterBar({ filter, onFilter, models, open }: Props) {
  return (
    <Collapse in={open} unmountOnExit>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 1, px: 2, pb: 1.5, pt: 0.5, alignItems: 'center' }}>
        {(Object.keys(valuesOf) as ListName[]).map((name) => (
          <Choice key={name} name={name} filter={filter} onFilter={onFilter} models={models} />
        ))}
        <TextField
          select
          label={t.filter.hidden}
          value={filter.hidden}
          onChange={(event) => onFilter({ ...filter, hidden: event.target.value as Filter['hidden'] })}
          sx={{ minWidth: 170 }}
          slotProps={{ inputLabel: { shrink: true }, select: { displayEmpty: true } }}
        >
          {(['', 'without', 'only'] as const).map((value) => (
            <MenuItem key={value} value={value}>
              {t.hiddenFilter[value]}
            </MenuItem>
          ))}
        </TextField>
        {choicesIn(filter) > 0 && (
          <Button onClick={() => onFilter({ ...noFilter, q: filter.q, kind: filter.kind, view: filter.view })}>
            {t.clearFilters}
          </Button>
        )}
      </Box>
    </Collapse>
  );
});

function Choice({ name, filter, onFilter, models }: { name: ListName } & Omit<Props, 'open'>) {
  const chosen: readonly string[] = filter[name];
  const found = useMemo(() => counts(models, valuesOf[name]), [models, name]);
  // A choice of the address stays visible although no model has it.
  const all = [...found, ...chosen.filter((v) => !found.some(([f]) => f === v)).map((v): [string, number] => [v, 0])];
  return (
    <TextField
      select
      label={t.filter[name]}
      value={chosen}
      onChange={(event) => onFilter({ ...filter, [name]: event.target.value as unknown as string[] })}
      sx={{ minWidth: 140, maxWidth: 220 }}
      slotProps={{
        inputLabel: { shrink: true },
        select: {
          multiple: true,
          displayEmpty: true,
          renderValue: (values) => (values as string[]).map(labelOf[name]).join(', ') || t.anyOf,
          MenuProps: { slotProps: { paper: { sx: { maxHeight: 360 } } } },
        },
      }}
    >
      {all.map(([value, count]) => (
        <MenuItem key={value} value={value} dense>
          <Checkbox
            size="small"
            checked={chosen.includes(value)}
            tabIndex={-1}
            disableRipple
            slotProps={{ input: { 'aria-hidden': true, tabIndex: -1 } }}
          />
          <ListItemText primary={labelOf[name](value)} />
          <Box component="span" sx={{ pl: 2, color: 'text.secondary', fontSize: '0.8rem' }}>
            {formatNumber(count)}
          </Box>
        </MenuItem>
      ))}
    </TextField>
  );
}
