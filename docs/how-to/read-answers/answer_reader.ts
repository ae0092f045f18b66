// The reader's rule for chat.chunks: from the chunks of many requests, in the order of the log, to one answer each.
//
// Per (orgId, requestId) the highest attempt wins; when a higher one appears, drop what you have; within an attempt
// seq counts from 0 without gaps; a terminal chunk (done: true) ends the attempt, and with finishReason "error" it is
// an answer too; attempt 0 answers a duplicate and never displaces another. Without its terminal chunk an answer is
// not complete.
//
// No dependency. Copy this file; the tests of Tokenrail hold it to tests/golden/reader/answers.json.

export interface ProviderBlock {
  provider: string;
  data: object;
}

export interface Chunk {
  requestId: string;
  orgId: string;
  attempt: number;
  seq: number;
  delta: string | null;
  providerBlocks?: ProviderBlock[];
  done: boolean;
  finishReason?: string;
  error?: { code: string; message: string; retryable: boolean };
}

export interface Answer {
  orgId: string;
  requestId: string;
  attempt: number;
  nextSeq: number;
  text: string;
  providerBlocks: ProviderBlock[]; // send them back unchanged, in the assistant's message
  terminal: Chunk | null;
}

// accepted: belongs to the answer, right after what was there.   restarted: drop what you showed, then take this chunk.
// ignored: of a lower attempt, or seen before.   gap: chunks are missing; what you have is not an answer.
export type Step = "accepted" | "restarted" | "ignored" | "gap";

export class AnswerReader {
  private answers = new Map<string, Answer>();
  private over = new Set<string>(); // ended, the oldest first
  private overMax: number;

  // overMax: how many answers that have ended are remembered, so that late chunks about them are known to be late.
  constructor(overMax: number = 10000) {
    this.overMax = overMax;
  }

  apply(chunk: Chunk): Step {
    const key: string = chunk.orgId + "\0" + chunk.requestId;
    const known = this.answers.get(key);
    if (known && chunk.attempt < known.attempt) return "ignored";
    const displaces: boolean = known !== undefined && chunk.attempt > known.attempt;
    const answer: Answer = known && !displaces ? known : AnswerReader.begin(chunk);
    this.answers.set(key, answer);
    if (displaces) this.over.delete(key);

    if (answer.terminal || chunk.seq < answer.nextSeq) return "ignored";
    if (chunk.done) this.remember(key);
    if (chunk.seq > answer.nextSeq) return "gap";
    answer.nextSeq = chunk.seq + 1;
    answer.text += chunk.delta ?? "";
    answer.providerBlocks.push(...(chunk.providerBlocks ?? []));
    if (chunk.done) answer.terminal = chunk;
    return displaces ? "restarted" : "accepted";
  }

  // Complete where `terminal` is there; a higher attempt may still displace it.
  answer(orgId: string, requestId: string): Answer | undefined {
    return this.answers.get(orgId + "\0" + requestId);
  }

  private static begin(chunk: Chunk): Answer {
    const { orgId, requestId, attempt } = chunk;
    return { orgId, requestId, attempt, nextSeq: 0, text: "", providerBlocks: [], terminal: null };
  }

  private remember(key: string): void {
    this.over.add(key);
    if (this.over.size <= this.overMax) return;
    for (const oldest of this.over) {
      this.over.delete(oldest);
      this.answers.delete(oldest);
      return;
    }
  }
}
