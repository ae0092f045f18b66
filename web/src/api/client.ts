// The typed client. Paths, parameters and bodies are checked against docs/reference/openapi.json when the page is built.
import type { Client } from 'openapi-fetch';

import { addressOf, type Parameters } from './address';
import { problemOf } from './problem';
import type { paths } from './schema';
import { send } from './transport';

interface Init {
  params?: Parameters & { header?: Record<string, unknown> };
  headers?: Record<string, string>;
  body?: unknown;
}

async function call(method: string, path: string, { params = {}, headers, body }: Init = {}) {
  const response = await send(
    new Request(new URL(addressOf(path, params), location.origin), {
      method,
      credentials: 'same-origin',
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
        ...(params.header as Record<string, string> | undefined),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  // Who asked reads a refusal (`body`).
  return { data: response.ok && response.status !== 204 ? ((await response.json()) as unknown) : undefined, response };
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

// The types are those of openapi-fetch. Its code does more than the page needs, and is a hundredth of the scripts.
export const client = Object.fromEntries(
  methods.map((method) => [method, (path: string, init?: Init) => call(method, path, init)]),
) as unknown as Pick<Client<paths>, (typeof methods)[number]>;

/** The body of a reply; throws ApiError for a refusal. */
export async function body<T>(reply: Promise<{ data?: T; response: Response }>): Promise<T> {
  const { data, response } = await reply;
  if (!response.ok) throw await problemOf(response);
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

/** What a change expects to find: the version that was read, or nothing where it makes something. 412 otherwise. */
export function precondition(version: number): { 'If-Match': string };
export function precondition(version: number | undefined): { 'If-Match': string } | { 'If-None-Match': '*' };
export function precondition(version: number | undefined) {
  return version === undefined ? { 'If-None-Match': '*' } : { 'If-Match': ifMatch(version) };
}

/** One part of a path: `ollama/llama3` is one name. */
export const part = (name: string) => encodeURIComponent(name);
