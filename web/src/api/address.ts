export interface Parameters {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
}

const encode = (value: unknown) => encodeURIComponent(String(value));

/** The address of a request; a list becomes a parameter for each of its values. */
export function addressOf(path: string, { path: names = {}, query = {} }: Parameters): string {
  const asked = Object.entries(query).flatMap(([name, value]) =>
    [value]
      .flat()
      .filter((each) => each != null)
      .map((each) => `${encode(name)}=${encode(each)}`),
  );
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encode(names[name]));
  return asked.length > 0 ? `${filled}?${asked.join('&')}` : filled;
}
