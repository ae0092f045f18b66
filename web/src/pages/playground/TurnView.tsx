import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import CircularProgress from '@mui/material/CircularProgress';
import Typography from '@mui/material/Typography';

import { Problem } from '../../components/Problem';
import { formatPrice } from '../../format';
import { texts } from '../../texts';
import type { Turn } from './useChat';

const t = texts.playground;

/** One question and its answer. Text stays text: what a model writes is never HTML here. */
export function TurnView({ turn, onAgain }: { turn: Turn; onAgain: () => void }) {
  const { answer, state } = turn;
  const last = answer.last;
  const failed = last?.error;
  return (
    <Box component="li" sx={{ listStyle: 'none', display: 'flex', flexDirection: 'column', gap: 1.5 }}>
      <Box
        sx={{
          alignSelf: 'flex-end',
          maxWidth: '85%',
          px: 2,
          py: 1.25,
          borderRadius: '20px 20px 4px 20px',
          bgcolor: 'surface.primaryContainer',
          color: 'surface.onPrimaryContainer',
          whiteSpace: 'pre-wrap',
          overflowWrap: 'anywhere',
        }}
      >
        {turn.question}
      </Box>
      <Box
        sx={{ alignSelf: 'flex-start', maxWidth: '100%', minWidth: 0 }}
        aria-live={state === 'running' ? 'off' : 'polite'}
      >
        {answer.reasoning && (
          <details>
            <Box component="summary" sx={{ cursor: 'pointer', color: 'text.secondary' }}>
              {t.thinking}
            </Box>
            <Typography variant="body2" color="textSecondary" sx={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
              {answer.reasoning}
            </Typography>
          </details>
        )}
        {answer.text && (
          <Typography sx={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }} data-testid="answer">
            {answer.text}
          </Typography>
        )}
        {state === 'running' && !answer.text && (
          <Box sx={{ display: 'flex', gap: 1.5, alignItems: 'center', color: 'text.secondary' }} role="status">
            <CircularProgress size={18} aria-label={texts.common.loading} /> {t.waiting}
          </Box>
        )}
        {state === 'stopped' && <Alert severity="info">{t.stopped}</Alert>}
        {state === 'incomplete' && <Alert severity="warning">{t.incomplete}</Alert>}
        {state === 'failed' && <Problem error={turn.error} optional onRetry={onAgain} />}
        {failed && (
          <Alert severity="error">
            <strong>{failed.code}</strong> {failed.message}
          </Alert>
        )}
        {last?.finishReason && t.finish[last.finishReason] && (
          <Alert severity="warning">{t.finish[last.finishReason]}</Alert>
        )}
        {last && (
          <Typography variant="caption" color="textSecondary" component="p" sx={{ mt: 0.5 }}>
            {[
              last.model && `${last.model.provider ?? ''}/${last.model.name ?? ''}`,
              last.usage && t.tokens(last.usage.inputTokens ?? 0, last.usage.outputTokens ?? 0),
              last.timing?.firstTokenMs !== undefined && t.firstToken(last.timing.firstTokenMs),
              last.timing?.totalMs !== undefined && t.took(last.timing.totalMs),
              last.cost !== undefined && t.cost(formatPrice((last.cost / 1_000_000).toFixed(6))),
            ]
              .filter(Boolean)
              .join(' · ')}
          </Typography>
        )}
        {last?.warnings?.map((warning) => (
          <Alert key={warning} severity="info">
            {warning}
          </Alert>
        ))}
      </Box>
    </Box>
  );
}
