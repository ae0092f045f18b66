import Autocomplete from '@mui/material/Autocomplete';
import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import List from '@mui/material/List';
import ListItem from '@mui/material/ListItem';
import ListItemText from '@mui/material/ListItemText';
import MenuItem from '@mui/material/MenuItem';
import Stack from '@mui/material/Stack';
import TextField from '@mui/material/TextField';
import { useState } from 'react';

import type { Model } from '../../api/types';
import { texts } from '../../texts';
import type { Failed } from './bulk';
import { counts } from './filters';
import type { Who } from './grants';

const t = texts.models.bulk;

interface TagProps {
  remove: boolean;
  models: Model[];
  onClose: () => void;
  onApply: (tag: string) => void;
}

export function TagDialog({ remove, models, onClose, onApply }: TagProps) {
  const [tag, setTag] = useState('');
  const known = counts(models, (model) => model.tags).map(([name]) => name);
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="xs">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (tag.trim()) onApply(tag.trim());
        }}
      >
        <DialogTitle>{remove ? t.removeTag : t.addTag}</DialogTitle>
        <DialogContent>
          <Autocomplete
            freeSolo={!remove}
            options={known}
            inputValue={tag}
            onInputChange={(_, value) => setTag(value)}
            renderInput={(params) => (
              <TextField
                {...params}
                autoFocus
                label={t.tag}
                helperText={remove ? undefined : t.tagHint}
                margin="dense"
              />
            )}
          />
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{texts.common.cancel}</Button>
          <Button type="submit" variant="contained" disabled={!tag.trim()}>
            {t.apply}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface GrantProps {
  /** Who was chosen last, so that another try begins with it. */
  who: Who;
  onClose: () => void;
  onApply: (who: Who) => void;
}

export function GrantDialog({ who, onClose, onApply }: GrantProps) {
  const [subjectKind, setSubjectKind] = useState(who.subjectKind);
  const [subject, setSubject] = useState(who.subject);
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="xs">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onApply({ subjectKind, subject: subject.trim() });
        }}
      >
        <DialogTitle>{t.grant}</DialogTitle>
        <DialogContent>
          <Stack sx={{ gap: 2, pt: 1 }}>
            <TextField
              select
              label={t.grantTo}
              value={subjectKind}
              onChange={(e) => setSubjectKind(e.target.value as Who['subjectKind'])}
            >
              {(['org', 'group', 'user'] as const).map((kind) => (
                <MenuItem key={kind} value={kind}>
                  {t.subjectKind[kind]}
                </MenuItem>
              ))}
            </TextField>
            {subjectKind !== 'org' && (
              <TextField
                label={t.subject[subjectKind]}
                value={subject}
                onChange={(e) => setSubject(e.target.value)}
                required
                autoFocus
              />
            )}
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{texts.common.cancel}</Button>
          <Button type="submit" variant="contained" disabled={subjectKind !== 'org' && !subject.trim()}>
            {t.apply}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** What a bulk change could not do, model by model. */
export function FailedDialog({ failed, onClose }: { failed: Failed[]; onClose: () => void }) {
  return (
    <Dialog open={failed.length > 0} onClose={onClose} fullWidth maxWidth="sm">
      <DialogTitle>{t.failed(failed.length)}</DialogTitle>
      <DialogContent dividers>
        {t.failedHint}
        <List dense>
          {failed.slice(0, 200).map(({ change, problem }) => (
            <ListItem key={change.slug} disableGutters>
              <ListItemText
                primary={change.slug}
                secondary={[problem.detail, problem.hint].filter(Boolean).join(' ')}
              />
            </ListItem>
          ))}
        </List>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{texts.common.close}</Button>
      </DialogActions>
    </Dialog>
  );
}
