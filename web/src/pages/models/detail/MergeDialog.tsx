import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogContentText from '@mui/material/DialogContentText';
import DialogTitle from '@mui/material/DialogTitle';
import FormControlLabel from '@mui/material/FormControlLabel';
import Radio from '@mui/material/Radio';
import RadioGroup from '@mui/material/RadioGroup';
import Typography from '@mui/material/Typography';
import { useState } from 'react';

import type { Model } from '../../../api/types';
import { Problem } from '../../../components/Problem';
import { texts } from '../../../texts';
import css from './detail.module.css';
import { changesIn, type Draft } from './draft';
import { fieldLabel, type FieldName, shownValue } from './fields';
import { isDecided, mergeRows, rebased, type Side, theirChanges } from './merge';

const t = texts.detail.merge;

interface Props {
  draft: Draft;
  theirs: Model;
  busy: boolean;
  /** Of saving what was chosen; the dialog stays. */
  error: unknown;
  /** The draft on their version, with what was chosen. */
  onMerged: (draft: Draft) => void;
  onClose: () => void;
}

/** Both versions side by side. Fields that only one person changed are taken as they are; for the others the person chooses. */
export function MergeDialog({ draft, theirs, busy, error, onMerged, onClose }: Props) {
  const rows = mergeRows(draft, theirs);
  const others = theirChanges(draft, theirs);
  const [chosen, setChosen] = useState<Partial<Record<FieldName, Side>>>({});
  const decided = isDecided(rows, chosen);
  const merged = rebased(draft, theirs, chosen);
  const mineText = (name: FieldName, value: unknown) =>
    value === null ? texts.detail.willReset : shownValue(name, value);
  const nothingLeft = decided && changesIn(merged).length === 0;
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="md" aria-labelledby="merge-title">
      <DialogTitle id="merge-title">{t.title}</DialogTitle>
      <DialogContent>
        <DialogContentText sx={{ mb: 2 }}>{t.intro(theirs.version)}</DialogContentText>
        <table className={css.diff}>
          <thead>
            <tr>
              <th>{t.field}</th>
              <th>{t.before}</th>
              <th>{t.mine}</th>
              <th>{t.theirs}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name}>
                <th scope="row">{fieldLabel(row.name)}</th>
                <td>{shownValue(row.name, row.before)}</td>
                {row.conflict ? (
                  <td colSpan={2}>
                    <RadioGroup
                      row
                      aria-label={fieldLabel(row.name)}
                      value={chosen[row.name] ?? ''}
                      onChange={(_, side) => setChosen({ ...chosen, [row.name]: side as Side })}
                      sx={{ display: 'grid', gridTemplateColumns: '1fr 1fr', alignItems: 'start' }}
                    >
                      <FormControlLabel
                        value="mine"
                        control={<Radio size="small" />}
                        label={mineText(row.name, row.mine)}
                      />
                      <FormControlLabel
                        value="theirs"
                        control={<Radio size="small" />}
                        label={shownValue(row.name, row.theirs)}
                      />
                    </RadioGroup>
                  </td>
                ) : (
                  <>
                    <td className={css.added}>{mineText(row.name, row.mine)}</td>
                    <td>{shownValue(row.name, row.theirs)}</td>
                  </>
                )}
              </tr>
            ))}
          </tbody>
        </table>
        {others.length > 0 && (
          <>
            <Typography variant="h3" sx={{ mt: 2, mb: 0.5 }}>
              {t.theirOnly}
            </Typography>
            <table className={css.diff}>
              <tbody>
                {others.map((change) => (
                  <tr key={change.name}>
                    <th scope="row">{fieldLabel(change.name)}</th>
                    <td>{shownValue(change.name, change.before)}</td>
                    <td className={css.added}>{shownValue(change.name, change.now)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </>
        )}
        {nothingLeft && <DialogContentText sx={{ mt: 2 }}>{t.nothing}</DialogContentText>}
        {error ? <Problem error={error} onRetry={() => onMerged(merged)} /> : null}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{texts.common.cancel}</Button>
        <Button variant="contained" disabled={!decided || busy} onClick={() => onMerged(merged)}>
          {nothingLeft ? t.close : t.save}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
