// Reads server-sent events of a reply, which EventSource cannot do for a POST.
export interface ServerEvent {
  event: string;
  data: string;
}

/** Takes text as it arrives, cut anywhere, and gives each event that is complete. Pure but for what it holds back. */
export function eventReader(): (text: string) => ServerEvent[] {
  let rest = '';
  return (text) => {
    // A pair of CR and LF may arrive in two pieces.
    rest = (rest + text).replace(/\r\n/g, '\n');
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    return blocks.flatMap((block) => {
      let event = 'message';
      const data: string[] = [];
      for (const line of block.split('\n')) {
        if (line.startsWith('event:')) event = line.slice(6).trim();
        else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
      }
      return data.length > 0 ? [{ event, data: data.join('\n') }] : [];
    });
  };
}

export async function* eventsOf(response: Response): AsyncGenerator<ServerEvent> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  const read = eventReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* read(value);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
