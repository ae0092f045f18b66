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
  const [lowest, middle, highest] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map(text);
  return lowest === highest ? `${middle} ${unit}` : `${middle} (${lowest}…${highest}) ${unit}`;
}

export const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** The probability of a standard normal value above `z` (Abramowitz and Stegun 7.1.26). */
function above(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const polynomial = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const tail = 0.5 * polynomial * Math.exp(-x * x);
  return z >= 0 ? tail : 1 - tail;
}

// Lighthouse's curves for desktops: a value at `middle` scores 50, one at `good` scores 90. Its speed index is left out.
const curves = {
  firstPaint: { weight: 10, middle: 1600, good: 934 },
  largest: { weight: 25, middle: 2400, good: 1200 },
  blocked: { weight: 30, middle: 350, good: 150 },
  shift: { weight: 25, middle: 0.25, good: 0.1 },
};
const zOfNinety = 1.2815515655;

/** From 0 to 100, as Lighthouse scores performance. */
export function performanceScore(measured: Record<keyof typeof curves, number>): number {
  let sum = 0;
  let weights = 0;
  for (const [name, { weight, middle, good }] of Object.entries(curves)) {
    const value = Math.max(measured[name as keyof typeof curves], 1e-6);
    const deviation = (Math.log(middle) - Math.log(good)) / zOfNinety;
    sum += weight * above((Math.log(value) - Math.log(middle)) / deviation);
    weights += weight;
  }
  return Math.round((100 * sum) / weights);
}
