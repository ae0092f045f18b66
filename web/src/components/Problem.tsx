// Errors as people can act on them: what failed, what to do, and the id that the server's log knows.
import { mdiAlertCircleOutline, mdiCloudOffOutline } from '@mdi/js';
import Alert from '@mui/material/Alert';
import AlertTitle from '@mui/material/AlertTitle';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';

import { ApiError, isMissingRoute, isRetryable, isStatus, NetworkError } from '../api/problem';
import { texts } from '../texts';
import { Icon } from './Icon';

interface Explained {
  title: string;
  detail?: string;
  hint?: string;
  fields?: { pointer: string; detail: string }[];
  requestId?: string;
}

/** `optional`: the route may be missing in this server, so a 404 names the server and not the address. */
export function explain(error: unknown, optional = false): Explained {
  const t = texts.common;
  if (error instanceof NetworkError)
    return error.timedOut
      ? { title: t.errors.timedOut, hint: t.errors.timedOutHint }
      : { title: t.errors.offline, hint: t.errors.offlineHint };
  if (optional && isMissingRoute(error)) return { title: t.notOffered, hint: t.notOfferedHint };
  // The server's own words are about headers, which a reader of the page has not written.
  if (isStatus(error, 412))
    return {
      title: texts.conflict.title,
      detail: texts.conflict.detail,
      hint: texts.conflict.hint,
      requestId: error.problem.request_id,
    };
  if (error instanceof ApiError) {
    const { title, detail, hint, errors, request_id: requestId } = error.problem;
    return { title, detail, hint, requestId, ...(errors ? { fields: errors } : {}) };
  }
  return { title: t.crashed, hint: t.crashedHint, detail: String(error) };
}

export function Problem({ error, onRetry, optional }: { error: unknown; onRetry?: () => void; optional?: boolean }) {
  const { title, detail, hint, fields, requestId } = explain(error, optional);
  const away = error instanceof NetworkError;
  return (
    <Alert
      severity={away || (optional && isMissingRoute(error)) ? 'warning' : 'error'}
      icon={<Icon path={away ? mdiCloudOffOutline : mdiAlertCircleOutline} />}
      action={
        onRetry && isRetryable(error) ? (
          <Button color="inherit" size="small" onClick={onRetry}>
            {texts.common.retry}
          </Button>
        ) : undefined
      }
    >
      <AlertTitle>{title}</AlertTitle>
      {detail && detail !== title && <div>{detail}</div>}
      {fields && fields.length > 0 && (
        <ul style={{ margin: '4px 0', paddingLeft: 20 }}>
          {fields.map((field) => (
            <li key={field.pointer}>
              <code>{field.pointer}</code> {field.detail}
            </li>
          ))}
        </ul>
      )}
      {hint && <div>{hint}</div>}
      {requestId && (
        <Typography variant="caption" component="div" sx={{ mt: 0.5, opacity: 0.85, overflowWrap: 'anywhere' }}>
          {texts.common.requestId(requestId)}
        </Typography>
      )}
    </Alert>
  );
}
