// Form fields that several pages share.
import Autocomplete, { createFilterOptions } from '@mui/material/Autocomplete';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import type { ReactNode } from 'react';

import type { Kind } from '../api/types';
import { useModels } from '../pages/models/useModels';
import { texts } from '../texts';

interface ChoiceProps<V extends string> {
  label: string;
  value: V;
  options: readonly { value: V; label: string }[];
  onChange: (value: V) => void;
  hint?: ReactNode;
  disabled?: boolean;
}

export function Choice<V extends string>({ label, value, options, onChange, hint, disabled }: ChoiceProps<V>) {
  return (
    <TextField
      select
      fullWidth
      label={label}
      value={value}
      helperText={hint}
      disabled={disabled ?? false}
      // An empty value has a name too, such as "All".
      slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
      onChange={(event) => onChange(event.target.value as V)}
      sx={{ minWidth: 160 }}
    >
      {options.map((option) => (
        <MenuItem key={option.value} value={option.value}>
          {option.label}
        </MenuItem>
      ))}
    </TextField>
  );
}

/** The choices of a record of texts, in its order. */
export const choicesOf = <V extends string>(names: Record<V, string>) =>
  (Object.keys(names) as V[]).map((value) => ({ value, label: names[value] }));

const someOfMany = createFilterOptions<string>({ limit: 50 });

interface ModelProps {
  org: string;
  label: string;
  value: string;
  onChange: (slug: string) => void;
  kind?: Kind;
  hint?: ReactNode;
  autoFocus?: boolean;
}

/** A model by its name. Search finds among thousands; a name that the list lacks can be typed. */
export function ModelField({ org, label, value, onChange, kind, hint, autoFocus }: ModelProps) {
  const { models, query } = useModels(org);
  const options = models.filter((model) => !kind || model.kind === kind).map((model) => model.slug);
  return (
    <Autocomplete
      freeSolo
      fullWidth
      options={options}
      filterOptions={someOfMany}
      loading={query.isPending}
      inputValue={value}
      onInputChange={(_, next) => onChange(next)}
      renderInput={(params) => (
        <TextField
          {...params}
          label={label}
          helperText={hint ?? texts.common.modelHint}
          autoFocus={autoFocus ?? false}
          required
        />
      )}
    />
  );
}
