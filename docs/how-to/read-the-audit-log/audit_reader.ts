// The rule for llm.audit: from its records, in the order of each partition, to the attempts that count.
//
// An event is void if a router.claimed with a higher epoch precedes it; an attempt exists if its llm.request is not void;
// of its responses the first that is not void counts. A router that hands a partition over may still end the attempts that
// its router.released lists. An event about another partition than that of its record counts for nothing.
//
// No dependency. Copy this file; the tests of Tokenrail hold it to tests/golden/reader/attempts.json.

// A record's value, parsed; docs/reference/records.md describes the fields.
export interface AuditEvent {
  type: string;
  [field: string]: any;
}

export interface AuditRecord {
  partition: number;
  offset: number;
  value: any; // the record's value as text, or parsed
}

export interface Attempt {
  partition: number;
  sourceOffset: number; // of the request, in that partition of chat.requests
  attempt: number;
  orgId: string;
  requestId: string;
  requestOffset: number | null; // of the llm.request in llm.audit; null: not read, or a duplicate, which has none
  request: AuditEvent | null;
  responseOffset: number | null; // of the llm.response that counts; null: the attempt is open
  response: AuditEvent | null;
  continuedBy: string | null; // the router that gave the partition up and continues: its epoch and instance
}

export interface Lost {
  partition: number;
  from: number;
  to: number;
}

export interface Summary {
  partition: number;
  sourceOffset: number;
  attempt: number;
  orgId: string;
  requestId: string;
  requestOffset: number | null;
  responseOffset: number | null;
  outcome: string | null;
  cause: string | null;
  called: boolean | null;
  recovered: boolean;
  continued: boolean;
}

// counts.   repeated: a second llm.request or llm.response of its attempt, no effect.   void: a claim with a higher epoch
// precedes it, no effect.   other_partition: about another partition of chat.requests, no effect.   unknown: of a type that
// this reader does not know, ignore it.   unreadable: not an audit event, ignore it and have a person look.
export type Verdict = "counts" | "repeated" | "void" | "other_partition" | "unknown" | "unreadable";

export interface Step {
  verdict: Verdict;
  attempt?: Attempt; // of an llm.request or llm.response that counts
  lost?: Lost; // of a requests.lost that counts; may come more than once
}

export interface Position {
  offset: number;
  epoch: number;
}

export interface Effective {
  attempts: Summary[];
  lost: Lost[];
}

const EPOCH_MAX = 9_000_000_000_000;

// What an event must have to be read. "+": a whole number from 0 on; "#": any whole number; "$": a text that is not empty.
const ATTEMPT = { epoch: "+", sourcePartition: "#", sourceOffset: "+", attempt: "+", orgId: "$", requestId: "$" };
const OWNERSHIP = { epoch: "+", partition: "#" };
const FIELDS = new Map<string, object>([
  ["llm.request", ATTEMPT],
  ["llm.response", { ...ATTEMPT, outcome: "$" }],
  ["router.claimed", OWNERSHIP],
  ["router.released", { ...OWNERSHIP, continuing: "[]" }],
  ["router.continuing", { ...OWNERSHIP, continuing: "[]" }],
  ["requests.lost", { ...OWNERSHIP, from: "#", to: "#" }],
]);

export class AuditReader {
  private partitions = new Map<number, Partition>();
  private endedMax: number;

  // endedMax: how many attempts that have ended are remembered a partition, so that a second response is known to be
  // one. Attempts that are open are all remembered.
  constructor(endedMax: number = 10000) {
    this.endedMax = endedMax;
  }

  // Before the first record, where reading begins inside the log: what resume() gave.
  start(partition: number, offset: number, epoch: number): void {
    this.partitions.set(partition, new Partition(offset, epoch));
  }

  // Call it in the order of the partition.
  apply(record: AuditRecord): Step {
    const log: Partition = this.partitions.get(record.partition) ?? new Partition(0, 0);
    this.partitions.set(record.partition, log);
    log.next = Math.max(log.next, record.offset + 1);
    const event = eventOf(record.value);
    if (!event) return { verdict: "unreadable" };
    const fields = FIELDS.get(event.type);
    if (!fields) return { verdict: "unknown" };
    const readable: boolean = Object.entries(fields).every(([name, what]) => is(event[name], what));
    if (!readable || event.epoch > EPOCH_MAX) return { verdict: "unreadable" };
    const about: number = event.type.startsWith("llm.") ? event.sourcePartition : event.partition;
    if (about !== record.partition) return { verdict: "other_partition" };
    if (event.type === "router.claimed") return { verdict: log.claim(record.offset, event) };
    if (event.type === "llm.request") return log.request(record.offset, event);
    if (event.type === "llm.response") return log.respond(record.offset, event, this.endedMax);
    if (event.type === "router.released") return { verdict: log.release(event) };
    if (event.type === "router.continuing") return { verdict: log.renew(event) };
    if (event.epoch < log.epoch) return { verdict: "void" };
    return { verdict: "counts", lost: { partition: record.partition, from: event.from, to: event.to } };
  }

  // The attempts without a response that counts.
  open(): Attempt[] {
    return [...this.partitions.values()].flatMap((log) => [...log.open.values()]);
  }

  // Store both with your results. After a restart, call start() with them and read from the offset on: the reader then
  // knows again every attempt that is open.
  resume(partition: number): Position {
    const log: Partition = this.partitions.get(partition) ?? new Partition(0, 0);
    const offset: number = log.oldestNeeded();
    let epoch: number = log.startEpoch;
    for (const claim of log.claims) if (claim.offset < offset) epoch = claim.epoch;
    return { offset, epoch };
  }
}

// All of a list of records: the attempts that count, in the order of their first event, and the ranges of requests that
// were lost.
export function effectiveAttempts(records: AuditRecord[]): Effective {
  const reader = new AuditReader();
  const attempts = new Map<string, Attempt>();
  const lost = new Map<string, Lost>();
  for (const record of records) {
    const step = reader.apply(record);
    if (step.attempt) {
      const key: string = [step.attempt.partition, step.attempt.sourceOffset, step.attempt.attempt].join();
      if (!attempts.has(key)) attempts.set(key, step.attempt);
    }
    if (step.lost) lost.set([step.lost.partition, step.lost.from, step.lost.to].join(), step.lost);
  }
  return { attempts: [...attempts.values()].map(summaryOf), lost: [...lost.values()] };
}

export function summaryOf(attempt: Attempt): Summary {
  const { partition, sourceOffset, orgId, requestId, requestOffset, responseOffset, response } = attempt;
  return {
    partition,
    sourceOffset,
    attempt: attempt.attempt,
    orgId,
    requestId,
    requestOffset,
    responseOffset,
    outcome: response?.outcome ?? null,
    cause: response?.cause ?? null,
    called: response ? response.called === true : null,
    recovered: response?.recovered === true,
    continued: attempt.continuedBy !== null,
  };
}

// One partition of llm.audit.
class Partition {
  epoch: number; // of the highest claim
  startEpoch: number; // before the first of `claims`
  next: number;
  claims = new Array<Position>(); // those that took effect, as far back as resume() needs
  open = new Map<string, Attempt>(); // in the order of the log
  ended = new Map<string, Attempt>();

  constructor(offset: number, epoch: number) {
    this.next = offset;
    this.epoch = epoch;
    this.startEpoch = epoch;
  }

  claim(offset: number, event: AuditEvent): Verdict {
    if (event.epoch <= this.epoch) return "void";
    this.epoch = event.epoch;
    this.claims.push({ offset, epoch: event.epoch });
    while (this.claims.length > 1 && this.claims[1].offset < this.oldestNeeded()) {
      this.startEpoch = this.claims[0].epoch;
      this.claims.shift();
    }
    return "counts";
  }

  request(offset: number, event: AuditEvent): Step {
    if (event.epoch < this.epoch) return { verdict: "void" };
    const key: string = keyOf(event.sourceOffset, event.attempt);
    const known = this.known(key);
    if (known && known.requestOffset !== null) return { verdict: "repeated" };
    const attempt: Attempt = known ?? begin(event);
    if (!known) this.open.set(key, attempt);
    attempt.requestOffset = offset;
    attempt.request = event;
    return { verdict: "counts", attempt };
  }

  respond(offset: number, event: AuditEvent, endedMax: number): Step {
    const key: string = keyOf(event.sourceOffset, event.attempt);
    const known = this.known(key);
    const continued: boolean = known !== undefined && known.continuedBy === writerOf(event);
    if (event.epoch < this.epoch && !continued) return { verdict: "void" };
    if (known?.response) return { verdict: "repeated" };
    const attempt: Attempt = known ?? begin(event);
    attempt.responseOffset = offset;
    attempt.response = event;
    this.open.delete(key);
    this.ended.set(key, attempt);
    for (const oldest of this.ended.keys()) {
      if (this.ended.size <= endedMax) break;
      this.ended.delete(oldest);
    }
    return { verdict: "counts", attempt };
  }

  release(event: AuditEvent): Verdict {
    if (event.epoch < this.epoch) return "void";
    for (const entry of event.continuing) {
      const attempt = this.known(keyOf(entry.offset, entry.attempt));
      if (attempt) attempt.continuedBy = writerOf(event);
    }
    return "counts";
  }

  renew(event: AuditEvent): Verdict {
    let renewed: boolean = false;
    for (const entry of event.continuing) {
      if (this.known(keyOf(entry.offset, entry.attempt))?.continuedBy === writerOf(event)) renewed = true;
    }
    return renewed || event.epoch >= this.epoch ? "counts" : "void";
  }

  oldestNeeded(): number {
    for (const attempt of this.open.values()) return attempt.requestOffset ?? this.next;
    return this.next;
  }

  private known(key: string): Attempt | undefined {
    return this.open.get(key) ?? this.ended.get(key);
  }
}

function begin(event: AuditEvent): Attempt {
  return {
    partition: event.sourcePartition,
    sourceOffset: event.sourceOffset,
    attempt: event.attempt,
    orgId: event.orgId,
    requestId: event.requestId,
    requestOffset: null,
    request: null,
    responseOffset: null,
    response: null,
    continuedBy: null,
  };
}

function keyOf(sourceOffset: number, attempt: number): string {
  return sourceOffset + ":" + attempt;
}

function writerOf(event: AuditEvent): string {
  return event.epoch + ":" + (event.instance ?? "");
}

function eventOf(value: any): AuditEvent | null {
  let parsed: any = value;
  if (typeof value === "string") {
    try {
      parsed = JSON.parse(value);
    } catch {
      return null;
    }
  }
  return parsed !== null && typeof parsed === "object" && typeof parsed.type === "string" ? parsed : null;
}

function is(value: any, what: string): boolean {
  if (what === "$") return typeof value === "string" && value !== "";
  if (what === "[]") {
    return Array.isArray(value) && value.every((entry) => is(entry?.offset, "#") && is(entry?.attempt, "#"));
  }
  return Number.isInteger(value) && (what === "#" || value >= 0);
}
