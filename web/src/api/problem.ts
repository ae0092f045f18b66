// What can go wrong with a request, as values that the page can show.
import type { components } from './schema';

export type Problem = components['schemas']['Problem'];

/** The server refused or failed, and explained it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly problem: Problem,
    /** Seconds after which the server wants to be asked again. */
    readonly retryAfter?: number,
  ) {
    super(problem.detail);
  }
  get status() {
    return this.problem.status;
  }
}

/** No reply arrived: the network or the server is away, or the time ran out. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  constructor(readonly timedOut: boolean) {
    super(timedOut ? 'timed out' : 'no connection');
  }
}

export const isStatus = (error: unknown, status: number): error is ApiError =>
  error instanceof ApiError && error.status === status;

/** Whether the server knows no such route: an older server, or one that is built without the part. */
export const isMissingRoute = (error: unknown): boolean => isStatus(error, 404) && error.problem.code === 'NOT_FOUND';

export const isRetryable = (error: unknown): boolean =>
  error instanceof NetworkError || (error instanceof ApiError && (error.problem.retryable || error.status >= 500));

/** The problem of a reply. A reply that is no problem document (of a proxy, say) gets one made from its status. */
export async function problemOf(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get('Retry-After')) || undefined;
  const made: Problem = {
    type: 'about:blank',
    code: `HTTP_${response.status}`,
    title: response.statusText || `Status ${response.status}`,
    status: response.status,
    detail: `The server answered with status ${response.status}.`,
    hint: '',
    retryable: response.status >= 500,
    request_id: response.headers.get('X-Request-Id') ?? '',
  };
  try {
    const body: unknown = await response.json();
    if (typeof body === 'object' && body !== null && 'code' in body && 'detail' in body)
      return new ApiError({ ...made, ...(body as Partial<Problem>) }, retryAfter);
  } catch {
    // No JSON: the made problem is what there is to show.
  }
  return new ApiError(made, retryAfter);
}
