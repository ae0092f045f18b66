// What needs a person, worst first.
import type { Connection, Credential, HeldChange } from '../../api/records';
import { texts } from '../../texts';

const t = texts.overview;
const soonMs = 14 * 86_400_000;

export interface Attention {
  id: string;
  severity: 'error' | 'warning';
  title: string;
  /** What to do. */
  fix: string;
  since?: string | null | undefined;
  action: string;
  /** Below the organisation. */
  path: string[];
}

interface Known {
  connections: readonly Connection[];
  held: readonly HeldChange[];
  credentials: readonly Credential[];
}

/** What is wrong with a connection that is in use; null where nothing is known to be. */
export function attentionTo(connection: Connection): Attention | null {
  const { id, name, health, healthReason, lastSync, enabled } = connection;
  const failed = lastSync.status === 'failed';
  if (!enabled || (health !== 'down' && health !== 'degraded' && !failed)) return null;
  const title = health === 'down' ? t.down(name) : failed ? t.failedSync(name) : t.degraded(name);
  const reason = (failed && lastSync.errorClass) || healthReason || '';
  const cause = texts.connections.cause[reason];
  return {
    id: `connection/${id}`,
    severity: health === 'down' || failed ? 'error' : 'warning',
    title: cause ? `${title}: ${cause}` : title,
    fix: t.fix[reason] ?? t.anyFix,
    since: lastSync.since,
    action: t.test,
    path: ['connections', id],
  };
}

export function attentionOf({ connections, held, credentials }: Known, now = Date.now()): Attention[] {
  const found: Attention[] = [];
  for (const connection of connections) {
    const attention = attentionTo(connection);
    if (attention) found.push(attention);
  }
  for (const change of held)
    found.push({
      id: `held/${change.id}`,
      severity: 'warning',
      title: t.heldOf(change.model ?? change.connection ?? ''),
      fix: change.reason,
      since: change.since,
      action: t.decide,
      path: ['sync'],
    });
  for (const key of credentials) {
    if (key.revokedAt || !key.expiresAt || key.usedBy.length === 0) continue;
    const left = Date.parse(key.expiresAt) - now;
    if (left < soonMs)
      found.push({
        id: `key/${key.id}`,
        severity: left <= 0 ? 'error' : 'warning',
        title: left <= 0 ? t.expired(key.label) : t.expiring(key.label),
        fix: key.usedBy.join(', '),
        action: t.replace,
        path: ['credentials'],
      });
  }
  return found.sort((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'));
}
