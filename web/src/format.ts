// Numbers, dates and prices as the reader's language writes them.

const number = new Intl.NumberFormat();
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const plurals = new Intl.PluralRules('en');

export const formatNumber = (value: number) => number.format(value);
const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
export const formatPercent = (share: number) => percent.format(share);
export const formatCompact = (value: number) => compact.format(value);

/** "1 model", "2,000 models". */
export function counted(count: number, one: string, many: string): string {
  return `${formatNumber(count)} ${plurals.select(count) === 'one' ? one : many}`;
}

export function formatDateTime(iso: string | null | undefined): string {
  if (!iso) return '';
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? '' : dateTime.format(date);
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** "5 minutes ago", "in 2 days". */
export function formatAge(iso: string | null | undefined, now = Date.now()): string {
  if (!iso) return '';
  const time = new Date(iso).getTime();
  if (Number.isNaN(time)) return '';
  const seconds = Math.round((time - now) / 1000);
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(0, 'second');
}

// Making a format takes longer than using it a hundred times.
const priceFormats = new Map<string, Intl.NumberFormat>();
function priceFormat(currency: string, digits: number): Intl.NumberFormat {
  const key = `${currency}${digits}`;
  let format = priceFormats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(undefined, {
      style: 'currency',
      currency,
      minimumFractionDigits: 2,
      maximumFractionDigits: digits,
    });
    priceFormats.set(key, format);
  }
  return format;
}

/**
 * A price given as a decimal string. At least two decimals, and as many as the first significant digits need, so that a
 * price above zero is never shown as zero.
 */
export function formatPrice(decimal: string, currency = 'USD'): string {
  const value = Number(decimal);
  if (decimal.trim() === '' || !Number.isFinite(value)) return decimal;
  const digits = decimal.replace(/e.*$/i, '').split('.')[1]?.replace(/0+$/, '').length ?? 0;
  return priceFormat(currency, Math.min(Math.max(digits, 2), 12)).format(value);
}
