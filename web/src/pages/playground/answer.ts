// An answer, put together from its chunks by the reader's rules of chat.chunks. Pure.
export interface Chunk {
  attempt: number;
  seq: number;
  delta: string | null;
  reasoning?: string;
  done: boolean;
  finishReason?: string;
  usage?: { inputTokens?: number; outputTokens?: number };
  model?: { provider?: string; name?: string };
  timing?: { firstTokenMs?: number; totalMs?: number };
  cost?: number;
  warnings?: string[];
  error?: { code?: string; message?: string };
}

export interface Answer {
  attempt: number;
  /** The next chunk of the attempt. */
  next: number;
  text: string;
  reasoning: string;
  last?: Chunk;
}

export const noAnswer: Answer = { attempt: -1, next: 0, text: '', reasoning: '' };

/** The highest attempt wins; a chunk that was seen is a repetition; attempt 0 displaces no other. */
export function withChunk(answer: Answer, chunk: Chunk): Answer {
  if (chunk.attempt < answer.attempt) return answer;
  const before = chunk.attempt > answer.attempt ? { ...noAnswer, attempt: chunk.attempt } : answer;
  if (chunk.seq < before.next) return before;
  return {
    attempt: chunk.attempt,
    next: chunk.seq + 1,
    text: before.text + (chunk.delta ?? ''),
    reasoning: before.reasoning + (chunk.reasoning ?? ''),
    ...(chunk.done ? { last: chunk } : {}),
  };
}
