import { formatAge, formatDateTime } from '../format';

/** How long ago, with the moment itself as the title. */
export function Age({ at }: { at: string | null | undefined }) {
  if (!at) return <>—</>;
  return (
    <time dateTime={at} title={formatDateTime(at)}>
      {formatAge(at)}
    </time>
  );
}
