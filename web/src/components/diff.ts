export interface DiffRow {
  field: string;
  before: string;
  after: string;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function shown(value: unknown): string {
  if (value === undefined || value === null) return '—';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

// What changes with every write, and says nothing.
const noise = new Set(['version', 'updatedAt']);

/** The fields that differ, nested ones by their path. */
export function diffRows(before: unknown, after: unknown, path = ''): DiffRow[] {
  if (isObject(before) || isObject(after)) {
    const a = isObject(before) ? before : {};
    const b = isObject(after) ? after : {};
    return [...new Set([...Object.keys(a), ...Object.keys(b)])]
      .filter((key) => path !== '' || !noise.has(key))
      .flatMap((key) => diffRows(a[key], b[key], path ? `${path}.${key}` : key));
  }
  const [from, to] = [shown(before), shown(after)];
  return from === to ? [] : [{ field: path, before: from, after: to }];
}
