import type { Connection } from '../../api/records';
import { Age } from '../../components/Age';
import { StateChip, type Tone } from '../../components/chips';
import { texts } from '../../texts';
import { nameOfSync, toneOfSync } from '../sync/runs';
import type { LastTest } from './useConnections';

const t = texts.connections;
const tones: Record<Connection['health'], Tone> = { unknown: 'off', healthy: 'good', degraded: 'warn', down: 'bad' };

export function HealthChip({ connection }: { connection: Connection }) {
  if (!connection.enabled) return <StateChip tone="off" label={t.paused} hint={t.pausedHint} />;
  return (
    <StateChip
      tone={tones[connection.health] ?? 'off'}
      label={t.healthName[connection.health] ?? connection.health}
      hint={t.healthHint[connection.health] ?? ''}
    />
  );
}

export function LastSyncText({ connection: { lastSync } }: { connection: Connection }) {
  const words = lastSync.errorClass
    ? `${nameOfSync(lastSync.status)}: ${t.cause[lastSync.errorClass] ?? lastSync.errorClass}`
    : nameOfSync(lastSync.status);
  return (
    <span style={{ display: 'inline-flex', flexWrap: 'wrap', gap: 6, alignItems: 'center' }}>
      <StateChip tone={toneOfSync(lastSync.status)} label={words} />
      {lastSync.since && (
        <span>
          {t.since} <Age at={lastSync.since} />
        </span>
      )}
    </span>
  );
}

export function LastTestText({ test }: { test: LastTest | undefined }) {
  if (!test) return <>{t.neverTested}</>;
  const ok = test.outcome === 'ok';
  return (
    <span style={{ display: 'inline-flex', flexWrap: 'wrap', gap: 6, alignItems: 'center' }}>
      <StateChip tone={ok ? 'good' : 'bad'} label={ok ? t.testPassed : (t.cause[test.outcome] ?? test.outcome)} />
      <Age at={test.at} />
    </span>
  );
}
