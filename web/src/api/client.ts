// The typed client. Paths, parameters and bodies are checked against docs/reference/openapi.json when the page is built.
import createClient, { type ClientMethod } from 'openapi-fetch';

import { problemOf } from './problem';
import type { paths } from './schema';
import { send } from './transport';

export const client = createClient<paths>({
  baseUrl: typeof location === 'undefined' ? '' : location.origin,
  credentials: 'same-origin',
  fetch: send,
});

export type { ClientMethod };

/** The body of a reply; throws ApiError for a refusal. */
export async function body<T>(reply: Promise<{ data?: T; response: Response; error?: unknown }>): Promise<T> {
  const { data, response, error } = await reply;
  if (!response.ok) {
    // openapi-fetch has read the body already.
    throw await problemOf(
      new Response(JSON.stringify(error ?? {}), { status: response.status, headers: response.headers }),
    );
  }
  return data as T;
}

/** A request to a route that may be missing in this server, and so in its OpenAPI document. */
export async function request<T>(
  method: string,
  path: string,
  options: { json?: unknown; version?: number } = {},
): Promise<T> {
  const response = await rawRequest(method, path, options);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

export async function rawRequest(
  method: string,
  path: string,
  options: { json?: unknown; version?: number; accept?: string; signal?: AbortSignal; key?: string } = {},
): Promise<Response> {
  const headers: Record<string, string> = {};
  if (options.json !== undefined)
    headers['Content-Type'] = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  if (options.version !== undefined) headers['If-Match'] = ifMatch(options.version);
  if (options.accept) headers['Accept'] = options.accept;
  if (options.key) headers['Idempotency-Key'] = options.key;
  const response = await send(
    new Request(new URL(path, location.origin), {
      method,
      headers,
      credentials: 'same-origin',
      signal: options.signal ?? null,
      body: options.json === undefined ? null : JSON.stringify(options.json),
    }),
  );
  if (!response.ok) throw await problemOf(response);
  return response;
}

export const ifMatch = (version: number) => `"v${version}"`;

/** One part of a path: `ollama/llama3` is one name. */
export const part = (name: string) => encodeURIComponent(name);
