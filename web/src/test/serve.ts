// Answers requests of tests by path, in place of the network.
import { vi } from 'vitest';

type Answer = unknown | ((request: Request) => Response | Promise<Response>);

export interface Served {
  requests: Request[];
}

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });

export const problem = (status: number, code: string, detail = 'No.') =>
  json(
    {
      type: `/problems/${code}`,
      code,
      title: 'Refused',
      status,
      detail,
      hint: 'Do something.',
      retryable: status >= 500,
      request_id: 'req-1',
    },
    status,
  );

/** The longest path that begins the request's path wins; others get 404. */
export function serve(answers: Record<string, Answer>): Served {
  const served: Served = { requests: [] };
  vi.stubGlobal('fetch', async (input: Request) => {
    served.requests.push(input);
    const { pathname } = new URL(input.url);
    const path = Object.keys(answers)
      .filter((prefix) => pathname.startsWith(prefix))
      .sort((a, b) => b.length - a.length)[0];
    if (path === undefined) return problem(404, 'NOT_FOUND');
    const answer = answers[path];
    return typeof answer === 'function' ? await (answer as (request: Request) => Response)(input) : json(answer);
  });
  return served;
}
