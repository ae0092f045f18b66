import { mdiCashRemove, mdiDeleteOutline, mdiPlus } from '@mdi/js';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import InputAdornment from '@mui/material/InputAdornment';
import MenuItem from '@mui/material/MenuItem';
import Stack from '@mui/material/Stack';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import type { Model } from '../../../api/types';
import { ConflictDialog } from '../../../components/ConflictDialog';
import { Icon } from '../../../components/Icon';
import { notify } from '../../../components/Notices';
import { Problem } from '../../../components/Problem';
import { RecordTable } from '../../../components/RecordTable';
import { Empty, Skeletons } from '../../../components/States';
import { formatNumber, formatPrice } from '../../../format';
import { useStore } from '../../../store';
import { texts } from '../../../texts';
import { modelsKey } from '../useModels';
import {
  isAmount,
  keyOfPrice,
  type Price,
  type PriceDraft,
  priceDraftOf,
  type PriceList,
  readPrices,
  saveDraft,
  withShown,
} from './prices';

const t = texts.detail.pricing;
const nameOfDimension = (dimension: string) => t.dimension[dimension] ?? dimension;
/** From which prompt size and at which time of day a price holds. */
const conditionOf = ({ minContextTokens, utcFrom, utcTo }: Price) =>
  [
    minContextTokens > 0 ? t.fromContext(formatNumber(minContextTokens)) : t.any,
    ...(utcFrom && utcTo ? [t.window(utcFrom, utcTo)] : []),
  ].join(', ');
const textOf = (prices: Price[]) =>
  prices
    .map((price) => `${nameOfDimension(price.dimension)} (${conditionOf(price)}): ${formatPrice(price.amount)}`)
    .join(', ');
const blank = (dimension: string): Price => ({ dimension, serviceTier: 'standard', minContextTokens: 0, amount: '' });

export function PricingTab({ org, model, editable }: { org: string; model: Model; editable: boolean }) {
  const queryClient = useQueryClient();
  const key = ['prices', org, model.slug];
  const query = useQuery({ queryKey: key, queryFn: () => readPrices(org, model.slug) });
  const kept = priceDraftOf(org, model.slug);
  const draft = useStore(kept);
  const [theirs, setTheirs] = useState<PriceList | null>(null);
  const saving = useMutation({
    mutationFn: (wanted: PriceDraft) => saveDraft(org, model.slug, wanted),
    onSuccess: (found) => {
      if (found) {
        setTheirs(found);
        return;
      }
      kept.set(null);
      notify(t.saved);
      void queryClient.invalidateQueries({ queryKey: key });
      void queryClient.invalidateQueries({ queryKey: modelsKey(org) });
    },
  });
  if (query.error) return <Problem error={query.error} optional onRetry={() => void query.refetch()} />;
  if (!query.data) return <Skeletons rows={4} />;
  const { prices, own, version } = query.data;
  // A price that a person did not set is not theirs to save: it would no longer follow its list or catalogue.
  const start = () =>
    kept.set({
      prices: own.length > 0 ? own : [blank('input')],
      base: own,
      ...(version === undefined ? {} : { version }),
    });
  if (draft && editable)
    return (
      <>
        <PriceEditor
          prices={draft.prices}
          shown={prices}
          replaces={model.scope !== 'organization'}
          onChange={(next) => kept.set({ ...draft, prices: next })}
        />
        {saving.error && <Problem error={saving.error} optional onRetry={() => saving.mutate(draft)} />}
        <Stack direction="row" sx={{ gap: 1, mt: 2, justifyContent: 'flex-end' }}>
          <Button onClick={() => kept.set(null)}>{texts.detail.discard}</Button>
          <Button
            variant="contained"
            disabled={saving.isPending || !draft.prices.every((price) => isAmount(price.amount))}
            onClick={() => saving.mutate(draft)}
          >
            {t.save}
          </Button>
        </Stack>
        {theirs && (
          <ConflictDialog
            version={theirs.version ?? 0}
            rows={[{ field: texts.detail.tabs.pricing, theirs: textOf(theirs.own), mine: textOf(draft.prices) }]}
            onClose={() => setTheirs(null)}
            onTakeTheirs={() => {
              setTheirs(null);
              kept.set(null);
              void queryClient.invalidateQueries({ queryKey: key });
            }}
            onKeepMine={() => {
              setTheirs(null);
              const { own: base, version: now } = theirs;
              saving.mutate({ prices: draft.prices, base, ...(now === undefined ? {} : { version: now }) });
            }}
          />
        )}
      </>
    );
  if (prices.length === 0)
    return (
      <Empty
        icon={mdiCashRemove}
        title={t.none}
        hint={t.noneHint}
        action={
          editable && (
            <Button variant="contained" onClick={start}>
              {t.add}
            </Button>
          )
        }
      />
    );
  return (
    <Stack sx={{ gap: 1.5 }}>
      <RecordTable
        label={texts.detail.tabs.pricing}
        query={{ data: prices, isPending: false, error: null, refetch: () => undefined }}
        rows={prices}
        rowKey={(price) => `${keyOfPrice(price)} ${price.source}`}
        columns={[
          { id: 'dimension', label: t.column.dimension, cell: (price) => nameOfDimension(price.dimension) },
          { id: 'tier', label: t.column.tier, cell: (price) => t.tier[price.serviceTier] ?? price.serviceTier },
          { id: 'from', label: t.column.from, cell: conditionOf },
          { id: 'amount', label: t.column.amount, number: true, cell: (price) => formatPrice(price.amount) },
          {
            id: 'source',
            label: t.column.source,
            cell: (price) => price.source && (texts.detail.source[price.source] ?? price.source),
          },
        ]}
        empty={null}
      />
      <Typography variant="body2" color="textSecondary">
        {t.perUnit}
      </Typography>
      {editable && (
        <Button variant="outlined" sx={{ alignSelf: 'flex-start' }} onClick={start}>
          {texts.common.edit}
        </Button>
      )}
    </Stack>
  );
}

interface EditorProps {
  prices: Price[];
  /** What holds now, which a person may take over. */
  shown: Price[];
  /** The prices would hide all that the platform's model has. */
  replaces: boolean;
  onChange: (prices: Price[]) => void;
}

function PriceEditor({ prices, shown, replaces, onChange }: EditorProps) {
  const set = (index: number, change: Partial<Price>) =>
    onChange(prices.map((price, i) => (i === index ? { ...price, ...change } : price)));
  return (
    <Stack sx={{ gap: 2 }}>
      <Typography variant="body2" color="textSecondary">
        {replaces ? t.ownReplaces : t.ownHint}
      </Typography>
      {prices.map((price, i) => (
        <Box
          key={i}
          sx={{ display: 'grid', gridTemplateColumns: { xs: '1fr 1fr 40px', sm: '1.3fr 1fr 1fr 1fr 40px' }, gap: 1 }}
        >
          <TextField
            select
            label={t.column.dimension}
            value={price.dimension}
            onChange={(e) => set(i, { dimension: e.target.value })}
          >
            {Object.entries(t.dimension).map(([value, label]) => (
              <MenuItem key={value} value={value}>
                {label}
              </MenuItem>
            ))}
          </TextField>
          <TextField
            select
            label={t.column.tier}
            value={price.serviceTier}
            onChange={(e) => set(i, { serviceTier: e.target.value })}
          >
            {Object.entries(t.tier).map(([value, label]) => (
              <MenuItem key={value} value={value}>
                {label}
              </MenuItem>
            ))}
          </TextField>
          <TextField
            type="number"
            label={t.column.from}
            value={price.minContextTokens}
            onChange={(e) => set(i, { minContextTokens: Math.max(0, Number(e.target.value)) })}
            slotProps={{ htmlInput: { min: 0, step: 1 } }}
          />
          <TextField
            label={t.column.amount}
            value={price.amount}
            placeholder={t.amountHint}
            error={price.amount !== '' && !isAmount(price.amount)}
            helperText={
              price.amount !== '' && !isAmount(price.amount)
                ? t.invalid
                : price.utcFrom && price.utcTo && t.window(price.utcFrom, price.utcTo)
            }
            onChange={(e) => set(i, { amount: e.target.value })}
            slotProps={{
              htmlInput: { inputMode: 'decimal' },
              input: { startAdornment: <InputAdornment position="start">$</InputAdornment> },
            }}
          />
          <IconButton
            aria-label={t.remove(nameOfDimension(price.dimension))}
            onClick={() => onChange(prices.filter((_, other) => other !== i))}
          >
            <Icon path={mdiDeleteOutline} />
          </IconButton>
        </Box>
      ))}
      <Stack direction="row" sx={{ gap: 1, flexWrap: 'wrap' }}>
        <Button startIcon={<Icon path={mdiPlus} />} onClick={() => onChange([...prices, blank('output')])}>
          {t.add}
        </Button>
        {withShown(prices, shown).length > prices.filter((price) => price.amount.trim() !== '').length && (
          <Button onClick={() => onChange(withShown(prices, shown))}>{t.takeShown}</Button>
        )}
      </Stack>
    </Stack>
  );
}
