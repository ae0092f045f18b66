import type { Tone } from '../../components/chips';
import { formatNumber } from '../../format';
import { texts } from '../../texts';

const t = texts.sync;
const counted = ['listed', 'added', 'updated', 'unchanged', 'missing', 'failed'] as const;

/** "12 listed, 3 added": what is zero or unknown is left out. */
export function countsText(counts: Record<string, unknown>): string {
  return counted
    .flatMap((name) => {
      const count = counts[name];
      return typeof count === 'number' && count > 0 ? [`${formatNumber(count)} ${t.count[name]}`] : [];
    })
    .join(', ');
}

const tones: Record<string, Tone> = { ok: 'good', held: 'warn', failed: 'bad', never: 'off' };
export const toneOfSync = (status: string): Tone => tones[status] ?? 'off';
export const nameOfSync = (status: string): string => t.status[status as keyof typeof t.status] ?? status;

/** How long a run took, in seconds with one decimal. */
export function durationText(startedAt: string, finishedAt: string): string {
  const ms = Date.parse(finishedAt) - Date.parse(startedAt);
  if (!Number.isFinite(ms)) return '';
  return ms < 1000 ? t.milliseconds(Math.max(0, Math.round(ms))) : t.seconds(formatNumber(Math.round(ms / 100) / 10));
}
