// A provider that one test has for itself, with a list of models in OpenAI's form: what it lists and which key it takes changes
// as the test says, and its answers wait for the test.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect } from '@playwright/test';

import type { Api } from './world';

interface Listed {
  id: string;
  /** Its context window, as vLLM names it. */
  max_model_len?: number;
}

export class Provider {
  models: Listed[] = [];
  /** The only key that it takes; any where there is none. */
  key: string | null = null;
  private waiting: (() => void)[] | null = null;
  private readonly server = createServer((request, response) => {
    const answer = () => {
      const known = this.key === null || request.headers.authorization === `Bearer ${this.key}`;
      response.writeHead(known ? 200 : 401, { 'Content-Type': 'application/json' });
      response.end(
        JSON.stringify(
          known
            ? { object: 'list', data: this.models.map((model) => ({ object: 'model', ...model })) }
            : {
                error: {
                  message: 'Incorrect API key provided.',
                  type: 'invalid_request_error',
                  code: 'invalid_api_key',
                },
              },
        ),
      );
    };
    if (this.waiting) this.waiting.push(answer);
    else answer();
  });

  start = () => new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  stop() {
    this.release();
    this.server.close();
    this.server.closeAllConnections();
  }
  get url() {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }
  /** Calls wait from now on. */
  hold() {
    this.waiting ??= [];
  }
  get held() {
    return this.waiting?.length ?? 0;
  }
  release() {
    const waiting = this.waiting ?? [];
    this.waiting = null;
    for (const answer of waiting) answer();
  }
}

interface Made {
  id: string;
  name: string;
}

/** A connection of the organisation to the provider. */
export const connect = (api: Api, org: string, provider: Provider, fields: Record<string, unknown>): Promise<Made> =>
  api.call('POST', `/v1/orgs/${org}/connections`, {
    provider: 'openai-compatible',
    baseUrl: provider.url,
    ...fields,
  });

/** Syncs the connection, beside the page. */
export async function synced(api: Api, org: string, { id }: Made) {
  const at = `/v1/orgs/${org}`;
  const operation = await api.call<{ id: string }>('POST', `${at}/connections/${id}:sync`, {});
  const state = async () => (await api.call<{ state: string }>('GET', `${at}/operations/${operation.id}`)).state;
  await expect.poll(state, { timeout: 90_000 }).toBe('done');
}
