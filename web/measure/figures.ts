// Keeps what is measured: each figure as a row of the page that ./dev web measure writes.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const folder = process.env.WEB_RESULTS ?? 'test-results';
const file = `${folder}/measured.json`;

export interface Figure {
  group: string;
  name: string;
  value: string;
  budget?: string;
}

export function keep(...figures: Figure[]) {
  mkdirSync(folder, { recursive: true });
  let before: Figure[] = [];
  try {
    before = JSON.parse(readFileSync(file, 'utf8')) as Figure[];
  } catch {
    // The first one.
  }
  const rest = before.filter((old) => !figures.some((row) => row.group === old.group && row.name === old.name));
  writeFileSync(file, JSON.stringify([...rest, ...figures], null, 1));
}

/** "85 (80…91) ms": the median, and the lowest and highest. */
export function spread(values: number[], unit = 'ms'): string {
  const sorted = [...values].sort((a, b) => a - b);
  const text = (value: number | undefined) => Math.round(value ?? NaN).toLocaleString('en-US');
  return `${text(sorted[Math.floor(sorted.length / 2)])} (${text(sorted[0])}…${text(sorted.at(-1))}) ${unit}`;
}
