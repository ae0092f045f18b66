// Requests that are sent before the page has its code. The first script of the page sends them (src/ahead.ts), and who asks for
// the same address takes the reply.
const replies = new Map<string, Promise<Response>>();

export function askAhead(path: string, timeoutMs = 30_000) {
  const url = new URL(path, location.origin);
  const reply = fetch(new Request(url, { credentials: 'same-origin', signal: AbortSignal.timeout(timeoutMs) }));
  // Who takes it handles the failure; a reply that is not taken has none to report.
  reply.catch(() => undefined);
  replies.set(url.href, reply);
}

/** The reply to `url` that was asked for ahead. Each is handed out once: who asks again wants what is true now. */
export function takeAhead(url: string): Promise<Response> | undefined {
  const reply = replies.get(url);
  replies.delete(url);
  return reply;
}
