// Every request of the page goes through `send`: it adds what the session needs, watches the connection, and
// distinguishes an expired session from a refusal.
import { makeStore } from '../store';
import { takeAhead } from './ahead';
import { NetworkError } from './problem';

const timeoutMs = 30_000;

export type Connection = 'online' | 'offline' | 'failing';

/** offline: no reply arrives. failing: the server replies to a read that it cannot. */
export const connection = makeStore<Connection>('online');

// What the server failed to answer, and the page that wanted it. Another read that succeeds says nothing about these. A change
// that failed is explained where it was made.
const failedReads = new Map<string, string>();
const failedReadsMax = 20;
let asking = false;
const failed = (status: number) => status >= 500 && status !== 501;

// Null until the first answer: the scripts of the page have just come from the server, however long the browser reads them.
let answeredAt: number | null = null;
const freshMs = 1000;

/** Whether the server gives out what belongs to the page, as far as is known for this long, or as it says now. */
export async function reaches(knownForMs = freshMs): Promise<boolean> {
  if (answeredAt === null ? knownForMs > 0 : Date.now() - answeredAt < knownForMs) return true;
  try {
    const file = new URL(`${import.meta.env.BASE_URL}icon.svg`, location.origin);
    await fetch(new Request(file, { cache: 'no-store' }), { signal: AbortSignal.timeout(timeoutMs) });
    answeredAt = Date.now();
    return true;
  } catch {
    connection.set('offline');
    return false;
  }
}

/** When the server is not away any more. */
export const backOnline = () =>
  new Promise<void>((resolve) => {
    const look = () => {
      if (connection.get() === 'offline') return;
      forget();
      resolve();
    };
    const forget = connection.subscribe(look);
    look();
  });

function settle() {
  connection.set(failedReads.size > 0 ? 'failing' : 'online');
}

function note(url: string, status: number) {
  if (!failed(status)) failedReads.delete(url);
  else if (failedReads.has(url) || failedReads.size < failedReadsMax) failedReads.set(url, location.pathname);
}

/**
 * Asks again for what failed; whether the server answers it now. Where the server was away, being there is enough. What only a
 * page before wanted is asked for once more, and then forgotten.
 */
export async function askAgain(): Promise<boolean> {
  if (asking) return false;
  asking = true;
  let answered = false;
  const fails = async (url: string) =>
    failed((await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(timeoutMs) })).status);
  try {
    if (connection.get() === 'offline') {
      if (await fails('/livez')) return false;
      failedReads.clear();
      answered = true;
    }
    for (const [url, page] of [...failedReads]) {
      const again = await fails(url);
      if (again && page === location.pathname) return false;
      failedReads.delete(url);
      answered ||= !again;
    }
  } catch {
    return false;
  } finally {
    asking = false;
  }
  settle();
  return answered;
}

/** Grows each time the server answers that it does not know the caller any more. */
export const expiries = makeStore(0);

export const csrfToken = makeStore('');

export function newKey(): string {
  // crypto.randomUUID exists on https and localhost only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// The server takes no Idempotency-Key with a secret, because what is kept for a key is not sealed.
const carriesSecret = /\/(credentials|tokens)(\/[^/]+:replace)?$|\/connections(\/[^/]+)?:test$|\/session/;

function prepared(request: Request): Request {
  if (request.method === 'GET') return request;
  const headers = new Headers(request.headers);
  if (csrfToken.get()) headers.set('X-CSRF-Token', csrfToken.get());
  if (
    request.method === 'POST' &&
    !headers.has('Idempotency-Key') &&
    !carriesSecret.test(new URL(request.url).pathname)
  )
    headers.set('Idempotency-Key', newKey());
  return new Request(request, { headers });
}

async function attempt(request: Request, timeout: AbortSignal): Promise<Response> {
  try {
    const ahead = request.method === 'GET' ? takeAhead(request.url) : undefined;
    return await (ahead ?? fetch(request.clone(), { signal: AbortSignal.any([request.signal, timeout]) }));
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new NetworkError(timeout.aborted);
  }
}

/** As fetch. A POST with an Idempotency-Key is repeated once where no reply came: it takes effect once all the same. */
export async function send(input: Request): Promise<Response> {
  const request = prepared(input);
  const streams = request.headers.get('Accept') === 'text/event-stream';
  const timeout = () => (streams ? new AbortController().signal : AbortSignal.timeout(timeoutMs));
  try {
    let response: Response;
    try {
      response = await attempt(request, timeout());
    } catch (error) {
      if (!(error instanceof NetworkError) || !request.headers.has('Idempotency-Key') || streams) throw error;
      response = await attempt(request, timeout());
    }
    answeredAt = Date.now();
    if (request.method === 'GET') note(request.url, response.status);
    settle();
    // Data may be asked for before it is known whether anyone is logged in.
    if (response.status === 401 && csrfToken.get() && !request.url.includes('/v1/session'))
      expiries.set(expiries.get() + 1);
    return response;
  } catch (error) {
    if (error instanceof NetworkError) connection.set('offline');
    throw error;
  }
}
