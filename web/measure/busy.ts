// How long the page's main thread was busy, as its processor time: other programs on the machine make it hardly longer,
// while the clock shows them all.
import type { Page } from '@playwright/test';

const kinds = { TaskDuration: 'all', ScriptDuration: 'script', RecalcStyleDuration: 'style', LayoutDuration: 'layout' };
export type Busy = Record<'all' | 'script' | 'style' | 'layout', number>;

/** Milliseconds of the main thread while `run` runs. */
export async function busyDuring(page: Page, run: () => Promise<unknown>): Promise<Busy> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const read = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return new Map(metrics.map(({ name, value }) => [name, value * 1000]));
  };
  const before = await read();
  await run();
  const after = await read();
  await session.detach();
  return Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [kind, (after.get(name) ?? NaN) - (before.get(name) ?? NaN)]),
  ) as Busy;
}

/** "5.1 ms (script 0.7, style 0.2, layout 0.5)" of each of `count` steps. */
export function perStep(busy: Busy, count: number): string {
  const of = (ms: number) => (ms / count).toFixed(1);
  return `${of(busy.all)} ms (script ${of(busy.script)}, style ${of(busy.style)}, layout ${of(busy.layout)})`;
}
