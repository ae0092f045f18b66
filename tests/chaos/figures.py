"""Figures of a run, and what `tokenrail verify` cannot know: that the texts are those that the provider said, and that
nothing ran again without a reason."""

import collections
import datetime
import statistics

from load import answer
from records import AuditLog, answers, dead_letters, read_all


def clock(unix_ms):
    return datetime.datetime.fromtimestamp(unix_ms / 1000, datetime.timezone.utc).strftime("%H:%M:%S.%f")[:-3]


SETTLES_MS = 45_000  # after a log was created again: what began before that has ended, and workers and clients have noticed


def judged_from(replaced):
    """Requests sent since then are judged, as Unix time in ms; 0: all are. `replaced`: [(topic, when)] of logs that are gone."""
    return max((at_ms for _, at_ms in replaced), default=-SETTLES_MS) + SETTLES_MS


class Findings:
    def __init__(self, stack, load, fleet, conductor):
        self.load = load
        self.fleet = fleet
        self.conductor = conductor
        self.from_ms = judged_from(conductor.replaced)
        self.audit = AuditLog()
        for message in read_all(stack.kafka, stack.topic("llm.audit")):
            self.audit.apply(message)
        self.answers = answers(read_all(stack.kafka, stack.topic("chat.chunks")))
        self.requests = {(m.partition(), m.offset()) for m in read_all(stack.kafka, stack.topic("chat.requests"))
                         if m.timestamp()[1] >= self.from_ms}
        self.letters = dead_letters(read_all(stack.kafka, stack.topic("chat.requests.dlq")),
                                    stack.topic("chat.requests"))
        self.owners = fleet.epochs()
        self.by_request = collections.defaultdict(list)
        for attempt in self.audit.attempts.values():
            if attempt.source_ms >= self.from_ms or self.from_ms == 0:
                self.by_request[attempt.partition, attempt.offset].append(attempt)

    # --- what must hold ----------------------------------------------------------------------------------------------

    def problems(self):
        found = [text for since_ms, text in self.audit.problems if since_ms >= self.from_ms]
        found += self._attempts() + self._texts()
        found += [f"unexpected end: {text}" for text in self.fleet.unexpected]
        missing = self.requests - self.by_request.keys() - self.letters
        if missing:
            found.append(f"{len(self.requests)} requests, of which {len(missing)} have neither an attempt nor a dead letter, for "
                         f"example {min(missing)}")
        if not any(a.response and a.response["outcome"] == "completed" for attempts in self.by_request.values() for a in attempts):
            found.append("no request was answered well, so little was judged")
        if self.audit.lost and not any(topic == "chat.requests" for topic, _ in self.conductor.replaced):
            found.append(f"requests.lost names requests, and none were deleted: {self.audit.lost[:3]}")
        return found

    def _judged(self, org, request_id):
        return self.from_ms == 0 or self.load.first_ms.get((org, request_id), 0) >= self.from_ms

    def _attempts(self):
        found = []
        for (partition, offset), attempts in self.by_request.items():
            attempts.sort(key=lambda a: a.number)
            where = f"request {attempts[0].request_id} at {partition}:{offset}"
            for attempt in attempts:
                if attempt.response is None:
                    found.append(f"{where}: attempt {attempt.number} has no response that counts")
            if attempts[-1].interrupted:
                found.append(f"{where}: its last attempt {attempts[-1].number} is interrupted")
            found += [f"{where}: attempt {a.number} ended as {a.response['outcome']} and yet it was run again"
                      for a in attempts[:-1] if a.response is not None and not a.interrupted]
        return found

    def _texts(self):
        """By the reader's rule every request has one whole answer, and a whole answer is what the provider said."""
        found, best = [], {}
        for key, answer_ in self.answers.items():
            if not self._judged(*key[1:3]):
                continue
            if not answer_.contiguous:
                found.append(f"chunks of {key}: gaps in seq, or chunks behind the terminal one")
            if key[3] > 0 and key[:3] not in best or key[3] > best.get(key[:3], (0,))[0]:
                best[key[:3]] = (key[3], answer_)
        for (partition, org, request_id), (number, answer_) in best.items():
            if answer_.terminal is None:
                found.append(f"request {request_id} of {org} on {partition}: attempt {number} has no terminal chunk")
            elif answer_.terminal["finishReason"] == "stop" and (org, request_id) in self.load.expected:
                if "".join(answer_.text) != answer(*self.load.expected[org, request_id]):
                    found.append(f"request {request_id} of {org} on {partition}: attempt {number} says something else "
                                 "than the provider")
        for attempts in self.by_request.values():
            for attempt in attempts:
                key = (attempt.partition, attempt.org_id, attempt.request_id, attempt.number)
                key += (attempt.offset,) if attempt.number == 0 else ()
                told = self.answers.get(key)
                if attempt.response is not None and not attempt.interrupted and (told is None or told.terminal is None):
                    found.append(f"{key}: a response ({attempt.response['outcome']}) and no terminal chunk")
        return found

    # --- figures -----------------------------------------------------------------------------------------------------

    def interrupted(self):
        return collections.Counter(a.response.get("cause") for a in self.audit.attempts.values() if a.interrupted)

    def reruns(self):
        """Attempts that were interrupted and run again, by what happened to the worker that ran them."""
        reasons = collections.Counter()
        deaths = collections.defaultdict(list)
        for death in self.fleet.deaths:
            deaths[death.name].append(death)
        for attempts in self.by_request.values():
            for attempt in attempts[:-1]:
                if not attempt.interrupted:
                    continue
                cause = attempt.response.get("cause")
                worker = self.owners.get((attempt.partition, attempt.epoch), "?")
                kinds = [d.kind for d in deaths.get(worker, ()) if attempt.requested_ms - 20_000 < d.at_ms <
                         attempt.responded_ms]
                if cause != "lost":
                    reasons[cause] += 1
                elif kinds:
                    reasons["worker " + kinds[-1]] += 1
                else:
                    reasons["partition lost or failed"] += 1
        return reasons

    def ran_though_ended(self):
        """Attempts whose terminal chunk came into the log though they are closed as interrupted: late output."""
        return sum(1 for a in self.audit.attempts.values()
                   if a.interrupted and getattr(self.answers.get((a.partition, a.org_id, a.request_id, a.number)),
                                                "terminal", None))

    def successions(self):
        """Seconds from a worker's death to the first request that its successor announced, partition by partition."""
        first = {}
        for attempt in self.audit.attempts.values():
            if attempt.requested_ms >= 0:
                key = (attempt.partition, attempt.epoch)
                first[key] = min(first.get(key, attempt.requested_ms), attempt.requested_ms)
        times = []
        for death in self.fleet.deaths:
            for partition, claims in self.audit.claims.items():
                current = [c for c in claims if c.at_ms <= death.at_ms]
                if not current or self.owners.get((partition, current[-1].epoch)) != death.name:
                    continue
                later = [first[partition, c.epoch] for c in claims
                         if c.epoch > current[-1].epoch and first.get((partition, c.epoch), 0) > death.at_ms]
                if later:
                    times.append(((min(later) - death.at_ms) / 1000, partition, death.name))
        return sorted(times)

    def history(self):
        """Who owned what from when on, and what followed each death: for the reader who looks into a run."""
        lines = [f"{clock(c.at_ms)} partition {c.partition} epoch {c.epoch} claimed by "
                 f"{self.owners.get((c.partition, c.epoch), '?')}"
                 for claims in self.audit.claims.values() for c in claims]
        lines += [f"{clock(d.at_ms)} {d.name} {d.kind}" for d in self.fleet.deaths]
        lines.sort()
        return lines + [f"{seconds:6.1f} s from the death of {name} to the next dispatch from partition {partition}"
                        for seconds, partition, name in self.successions()]

    def table(self):
        fleet, audit = self.fleet.counts, self.audit
        called = [a for a in audit.attempts.values() if a.number > 0]
        rows = [
            ("worker deaths (SIGKILL)", fleet["routers killed"] + fleet["syncs killed"]),
            ("  of routers", fleet["routers killed"]),
            ("workers stopped beyond the session", fleet["routers paused"]),
            ("workers ended by SIGTERM", fleet["routers ended"]),
            ("slowest end after SIGTERM, s", f"{self.fleet.slowest_end:.1f}"),
            ("broker deaths", self.conductor.brokers.deaths),
            ("requests", len(self.requests)),
            ("dead letters", len(self.letters)),
            ("attempts", len(called)),
            ("duplicates answered", len(audit.attempts) - len(called)),
            ("effective claims", sum(len(c) for c in audit.claims.values())),
            ("attempts finished after a hand-over", audit.handed_over),
            ("responses recovered from the terminal chunk", audit.recovered),
            ("void events", audit.void),
            ("late terminal chunks of interrupted attempts", self.ran_though_ended()),
        ]
        if self.conductor.replaced:
            rows += [("logs created again", len(self.conductor.replaced) // 2),
                     ("judged are requests since", clock(self.from_ms)),
                     ("offsets in requests.lost", sum(to - begin for _, begin, to in self.audit.lost)),
                     ("records that a deleted topic did not take", self.load.counts["not taken"])]
        rows += [("questions that the name server did not answer", self.conductor.names.unanswered)]
        rows += [(f"interrupted, cause {cause}", count) for cause, count in sorted(self.interrupted().items())]
        rows += [(f"re-runs: {reason}", count) for reason, count in sorted(self.reruns().items())]
        times = [seconds for seconds, _, _ in self.successions()]
        if times:
            rows.append(("death to the successor's first dispatch, s: p50, p90, max",
                         f"{statistics.median(times):.1f}, {times[int(len(times) * 0.9)]:.1f}, {times[-1]:.1f}"))
        ends = collections.Counter(a.response["outcome"] for a in called if a.response)
        rows += [(f"outcome {outcome}", count) for outcome, count in sorted(ends.items())]
        return rows
