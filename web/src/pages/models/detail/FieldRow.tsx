// One field: its control, where its value comes from, and the way back to what it inherits.
import { mdiRestore } from '@mdi/js';
import Autocomplete from '@mui/material/Autocomplete';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import FormControlLabel from '@mui/material/FormControlLabel';
import MenuItem from '@mui/material/MenuItem';
import Switch from '@mui/material/Switch';
import TextField from '@mui/material/TextField';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import { type Dispatch, type SetStateAction, useState } from 'react';

import type { Model } from '../../../api/types';
import { Icon } from '../../../components/Icon';
import { texts } from '../../../texts';
import { isOwnValue } from '../bulk';
import { type Draft, isReset, keepField, resetField, setField, valueIn } from './draft';
import { type Field, fieldLabel, type FieldName } from './fields';

const t = texts.detail;

export interface EditProps {
  org: string;
  draft: Draft;
  setDraft: Dispatch<SetStateAction<Draft>>;
  editable: boolean;
}

/** Where a value comes from, in words; nothing for a value that is not set. */
export function sourceText(model: Model, name: string, org: string): string {
  const source = model.sources?.[name];
  if (!source) return '';
  if (source === 'override' && model.scope !== 'organization' && org !== '_') return t.sourceOfPlatform;
  if (source === 'override' && model.scope === 'organization') return t.source.organization ?? '';
  const origin = model.origins?.[name];
  const words = t.source[source] ?? source;
  return origin ? `${words} (${origin})` : words;
}

export function Source({ org, draft, setDraft, editable, name }: EditProps & { name: FieldName }) {
  const reset = isReset(draft, name);
  const changed = draft.patch[name] !== undefined;
  const resettable = editable && !changed && isOwnValue(draft.base, name, org);
  return (
    <Box sx={{ display: 'flex', alignItems: 'center', flexWrap: 'wrap', gap: 1, minHeight: 24 }}>
      <Typography variant="caption" color={reset || changed ? 'primary' : 'textSecondary'}>
        {reset ? t.willReset : sourceText(draft.base, name, org)}
      </Typography>
      {resettable && (
        <Tooltip title={t.resetHint}>
          <Button
            size="small"
            startIcon={<Icon path={mdiRestore} />}
            sx={{ minHeight: 24, py: 0 }}
            aria-label={`${t.reset}: ${fieldLabel(name)}`}
            onClick={() => setDraft((d) => resetField(d, name))}
          >
            {t.reset}
          </Button>
        </Tooltip>
      )}
      {editable && changed && (
        <Button
          size="small"
          sx={{ minHeight: 24, py: 0 }}
          aria-label={`${texts.common.undo}: ${fieldLabel(name)}`}
          onClick={() => setDraft((d) => keepField(d, name))}
        >
          {texts.common.undo}
        </Button>
      )}
    </Box>
  );
}

export function FieldRow(props: EditProps & { field: Field }) {
  return (
    <Box>
      <Control {...props} />
      <Source {...props} name={props.field.name} />
    </Box>
  );
}

/** The value of a datetime-local input: local time without a zone. */
function localTime(iso: unknown): string {
  if (typeof iso !== 'string' || !iso) return '';
  const date = new Date(iso);
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

function Control({ field, draft, setDraft, editable }: EditProps & { field: Field }) {
  const { name } = field;
  const value = valueIn(draft, name);
  const set = (next: unknown) => setDraft((d) => setField(d, name, next));
  const disabled = !editable || isReset(draft, name);
  const label = fieldLabel(name);
  const help = t.help[name];
  if (field.control === 'switch')
    return (
      <FormControlLabel
        control={<Switch checked={Boolean(value)} disabled={disabled} onChange={(e) => set(e.target.checked)} />}
        label={
          <>
            {label}
            {help && (
              <Typography variant="body2" color="textSecondary">
                {help}
              </Typography>
            )}
          </>
        }
      />
    );
  if (field.control === 'tags')
    return (
      <Autocomplete
        multiple
        freeSolo
        options={[] as string[]}
        disabled={disabled}
        value={(value as string[] | undefined) ?? []}
        onChange={(_, next) => set([...new Set(next.map((tag) => tag.trim()).filter(Boolean))])}
        renderInput={(params) => <TextField {...params} label={label} helperText={help} />}
      />
    );
  const common = { fullWidth: true, label, disabled, helperText: help };
  if (field.control === 'choice')
    return (
      <TextField {...common} select value={value ?? ''} onChange={(e) => set(e.target.value)}>
        {field.choices?.map((choice) => (
          <MenuItem key={choice.value} value={choice.value}>
            {choice.label}
          </MenuItem>
        ))}
      </TextField>
    );
  if (field.control === 'count')
    return (
      <CountField
        {...common}
        value={typeof value === 'number' ? value : null}
        unit={t.unit[name]}
        onCount={set}
        onEmpty={() => setDraft((d) => keepField(d, name))}
      />
    );
  if (field.control === 'time')
    return (
      <TextField
        {...common}
        type="datetime-local"
        value={localTime(value)}
        onChange={(e) => set(e.target.value ? new Date(e.target.value).toISOString() : null)}
        slotProps={{ inputLabel: { shrink: true } }}
      />
    );
  const text = typeof value === 'string' ? value : '';
  return (
    <TextField
      {...common}
      value={text}
      onChange={(e) => set(e.target.value)}
      {...(field.control === 'lines' ? { multiline: true, minRows: 2, maxRows: 8 } : {})}
    />
  );
}

interface CountProps {
  label: string;
  disabled: boolean;
  value: number | null;
  unit: string | undefined;
  onCount: (count: number) => void;
  onEmpty: () => void;
}

/** A whole number. An empty field is one that is being typed in: it changes nothing, and shows the value again when left. */
function CountField({ value, unit, onCount, onEmpty, ...rest }: CountProps) {
  const [empty, setEmpty] = useState(false);
  return (
    <TextField
      {...rest}
      fullWidth
      type="number"
      value={empty ? '' : (value ?? '')}
      onBlur={() => setEmpty(false)}
      onChange={(e) => {
        setEmpty(e.target.value === '');
        if (e.target.value === '') onEmpty();
        else onCount(Number(e.target.value));
      }}
      slotProps={{
        htmlInput: { min: 1, step: 1, inputMode: 'numeric' },
        input: {
          endAdornment: (
            <Typography component="span" variant="body2" color="textSecondary" sx={{ pl: 1, whiteSpace: 'nowrap' }}>
              {unit}
            </Typography>
          ),
        },
      }}
    />
  );
}
