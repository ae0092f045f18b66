import Autocomplete from '@mui/material/Autocomplete';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import LinearProgress from '@mui/material/LinearProgress';
import List from '@mui/material/List';
import ListItem from '@mui/material/ListItem';
import ListItemText from '@mui/material/ListItemText';
import MenuItem from '@mui/material/MenuItem';
import Stack from '@mui/material/Stack';
import TextField from '@mui/material/TextField';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';

import { body, client } from '../../api/client';
import { inLanes, patiently } from '../../api/lanes';
import type { Model } from '../../api/types';
import { notify } from '../../components/Notices';
import { Problem } from '../../components/Problem';
import { texts } from '../../texts';
import type { BulkResult } from './bulk';
import { counts } from './filters';

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

type SubjectKind = 'org' | 'group' | 'user';

export function GrantDialog({ org, models, onClose }: { org: string; models: Model[]; onClose: () => void }) {
  const [subjectKind, setSubjectKind] = useState<SubjectKind>('org');
  const [subject, setSubject] = useState('');
  const [done, setDone] = useState(0);
  // Of this subject, so that another try leaves out what an earlier one has granted.
  const granted = useRef(new Set<string>());
  const stopped = useRef(false);
  const queryClient = useQueryClient();
  const forAnother = () => {
    granted.current.clear();
    setDone(0);
  };
  const granting = useMutation({
    mutationFn: async () => {
      stopped.current = false;
      const rest = models.filter((model) => !granted.current.has(model.slug));
      const grant = async ({ slug }: Model) => {
        await patiently(() =>
          body(
            client.POST('/v1/orgs/{org}/grants', {
              params: { path: { org } },
              body: {
                subjectKind,
                objectKind: 'model',
                object: slug,
                effect: 'allow',
                ...(subjectKind === 'org' ? {} : { subject: subject.trim() }),
              },
            }),
          ),
        );
        setDone(granted.current.add(slug).size);
      };
      await inLanes(rest, grant, () => stopped.current);
    },
    onSuccess: () => {
      if (granted.current.size > 0) notify(t.granted(granted.current.size));
      onClose();
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: ['grants', org] }),
  });
  const busy = granting.isPending;
  const leave = () => {
    stopped.current = true;
    if (!busy) onClose();
  };
  return (
    <Dialog open onClose={leave} fullWidth maxWidth="xs">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          granting.mutate();
        }}
      >
        <DialogTitle>{t.grant}</DialogTitle>
        <DialogContent>
          <Stack sx={{ gap: 2, pt: 1 }}>
            <TextField
              select
              label={t.grantTo}
              value={subjectKind}
              disabled={busy}
              onChange={(e) => {
                setSubjectKind(e.target.value as SubjectKind);
                forAnother();
              }}
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
                disabled={busy}
                onChange={(e) => {
                  setSubject(e.target.value);
                  forAnother();
                }}
                required
                autoFocus
              />
            )}
            {busy && (
              <Box role="status">
                {t.granting(done, models.length)}
                <LinearProgress
                  variant="determinate"
                  value={(100 * done) / models.length}
                  aria-label={t.granting(done, models.length)}
                />
              </Box>
            )}
            {granting.error && <Problem error={granting.error} onRetry={() => granting.mutate()} />}
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={leave}>{busy ? t.stop : texts.common.cancel}</Button>
          <Button type="submit" variant="contained" disabled={busy}>
            {t.apply}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** What a bulk change could not do, model by model. */
export function FailedDialog({ failed, onClose }: { failed: BulkResult['failed']; onClose: () => void }) {
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
