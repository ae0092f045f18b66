// Further headers with secrets, which calls carry beside the key. Their values are state of the form alone, as the key is.
import { mdiClose } from '@mdi/js';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';

import { texts } from '../texts';
import { Icon } from './Icon';
import { SecretField } from './SecretField';

const t = texts.credentials;
/** As many as the API takes. */
const headersMax = 16;

export interface SecretHeader {
  name: string;
  value: string;
}

/** A row with a name or a value of its own, and without the other. */
export const isHalf = (row: SecretHeader) => (row.name.trim() === '') !== (row.value === '');

/** The headers as requests have them; no member where there are none. */
export function headersIn(rows: readonly SecretHeader[]): { headers?: Record<string, string> } {
  const given = rows.filter((row) => row.name.trim() !== '');
  return given.length === 0 ? {} : { headers: Object.fromEntries(given.map((row) => [row.name.trim(), row.value])) };
}

interface Props {
  rows: SecretHeader[];
  hint?: ReactNode;
  onChange: (rows: SecretHeader[]) => void;
}

export function SecretHeaders({ rows, hint = t.headersHint, onChange }: Props) {
  const set = (i: number, patch: Partial<SecretHeader>) =>
    onChange(rows.map((row, at) => (at === i ? { ...row, ...patch } : row)));
  return (
    <Box sx={{ display: 'flex', flexDirection: 'column', gap: 1.5, alignItems: 'flex-start' }}>
      {rows.length > 0 && (
        <Typography variant="body2" color="textSecondary">
          {hint}
        </Typography>
      )}
      {rows.map((row, i) => (
        <Box key={i} sx={{ display: 'flex', flexWrap: { xs: 'wrap', sm: 'nowrap' }, gap: 1, width: '100%' }}>
          <TextField
            label={t.headerName(i + 1)}
            value={row.name}
            placeholder="X-Project"
            sx={{ flex: { xs: '1 1 auto', sm: '1 1 40%' } }}
            slotProps={{
              htmlInput: { maxLength: 128, autoComplete: 'off', spellCheck: false },
              inputLabel: { shrink: true },
            }}
            onChange={(event) => set(i, { name: event.target.value })}
          />
          <SecretField label={t.headerValue(i + 1)} value={row.value} onChange={(value) => set(i, { value })} />
          <IconButton
            aria-label={t.removeHeader(i + 1)}
            onClick={() => onChange(rows.filter((_, at) => at !== i))}
            sx={{ alignSelf: 'center' }}
          >
            <Icon path={mdiClose} />
          </IconButton>
        </Box>
      ))}
      {rows.length < headersMax && (
        <Button size="small" onClick={() => onChange([...rows, { name: '', value: '' }])}>
          {t.addHeader}
        </Button>
      )}
    </Box>
  );
}
