"""The rule for llm.audit: from its records, in the order of each partition, to the attempts that count.

An event is void if a router.claimed with a higher epoch precedes it; an attempt exists if its llm.request is not void; of
its responses the first that is not void counts. A router that hands a partition over may still end the attempts that its
router.released lists. An event about another partition than that of its record counts for nothing.

No dependency. Copy this file; the tests of Tokenrail hold it to tests/golden/reader/attempts.json. As a program it reads
one JSON object a line, {"partition", "offset", "value"}, and prints one attempt a line:

    tokenrail topics tail llm.audit --from-beginning --until-end --json | python3 audit_reader.py
"""

import json
import sys
from dataclasses import dataclass, field
from typing import Any, Optional

COUNTS = "counts"
REPEATED = "repeated"  # a second llm.request or llm.response of its attempt: no effect
VOID = "void"  # a claim with a higher epoch precedes it: no effect
OTHER_PARTITION = "other_partition"  # about another partition of chat.requests: no effect
UNKNOWN = "unknown"  # of a type that this reader does not know: ignore it
UNREADABLE = "unreadable"  # not an audit event: ignore it, and have a person look

EPOCH_MAX = 9_000_000_000_000


@dataclass
class Attempt:
    partition: int
    source_offset: int  # of the request, in that partition of chat.requests
    attempt: int
    org_id: str
    request_id: str
    request_offset: Optional[int] = None  # of the llm.request in llm.audit; None: not read, or a duplicate, which has none
    request: Optional[dict] = None
    response_offset: Optional[int] = None  # of the llm.response that counts; None: the attempt is open
    response: Optional[dict] = None
    continued_by: Optional[tuple] = None  # (epoch, instance) of the router that gave the partition up and continues

    def summary(self) -> dict:
        response = self.response or {}
        return {
            "partition": self.partition, "sourceOffset": self.source_offset, "attempt": self.attempt,
            "orgId": self.org_id, "requestId": self.request_id,
            "requestOffset": self.request_offset, "responseOffset": self.response_offset,
            "outcome": response.get("outcome"), "cause": response.get("cause"),
            "called": response.get("called") is True if self.response else None,
            "recovered": response.get("recovered") is True, "continued": self.continued_by is not None,
        }


@dataclass
class Step:
    verdict: str
    attempt: Optional[Attempt] = None  # of an llm.request or llm.response that counts
    lost: Optional[dict] = None  # of a requests.lost that counts: partition, from, to; may come more than once


@dataclass
class _Partition:
    epoch: int = 0  # of the highest claim
    next: int = 0
    claims: list = field(default_factory=list)  # (offset, epoch) of claims that took effect, as far back as resume() needs
    start_epoch: int = 0  # before the first of them
    open: dict = field(default_factory=dict)  # (source offset, attempt) -> Attempt, in the order of the log
    ended: dict = field(default_factory=dict)


class AuditReader:
    def __init__(self, ended_max: int = 10_000):
        """`ended_max`: how many attempts that have ended are remembered a partition, so that a second response is known
        to be one. Attempts that are open are all remembered."""
        self._partitions: dict = {}
        self._ended_max = ended_max

    def start(self, partition: int, offset: int, epoch: int) -> None:
        """Before the first record, where reading begins inside the log: what resume() gave."""
        self._partitions[partition] = _Partition(epoch=epoch, next=offset, start_epoch=epoch)

    def apply(self, partition: int, offset: int, value: Any) -> Step:
        """`value`: the record's value as text, or parsed. Call it in the order of the partition."""
        log = self._partitions.setdefault(partition, _Partition())
        log.next = max(log.next, offset + 1)
        event = _event(value)
        if event is None:
            return Step(UNREADABLE)
        kind = event["type"]
        if kind not in _FIELDS:
            return Step(UNKNOWN)
        if not _readable(event):
            return Step(UNREADABLE)
        if event.get("sourcePartition" if kind in ("llm.request", "llm.response") else "partition") != partition:
            return Step(OTHER_PARTITION)
        if kind == "router.claimed":
            return _claimed(log, offset, event)
        if kind == "llm.request":
            return _requested(log, offset, event)
        if kind == "llm.response":
            return self._responded(log, offset, event)
        if kind == "router.released":
            return _released(log, event)
        if kind == "router.continuing":
            return _continuing(log, event)
        if event["epoch"] < log.epoch:
            return Step(VOID)
        return Step(COUNTS, lost={"partition": partition, "from": event["from"], "to": event["to"]})

    def open(self) -> list:
        """The attempts without a response that counts."""
        return [attempt for log in self._partitions.values() for attempt in log.open.values()]

    def resume(self, partition: int) -> tuple:
        """(offset, epoch): store them with your results. After a restart, call start() with them and read from the offset
        on: the reader then knows again every attempt that is open."""
        log = self._partitions.get(partition, _Partition())
        offset = _oldest_needed(log)
        epoch = log.start_epoch
        for at, claimed in log.claims:
            if at < offset:
                epoch = claimed
        return offset, epoch

    def _responded(self, log: _Partition, offset: int, event: dict) -> Step:
        key = (event["sourceOffset"], event["attempt"])
        attempt = _known(log, key)
        if event["epoch"] < log.epoch and not (attempt and attempt.continued_by == _writer(event)):
            return Step(VOID)
        if attempt and attempt.response:
            return Step(REPEATED)
        attempt = attempt or _attempt(event)
        attempt.response_offset, attempt.response = offset, event
        log.open.pop(key, None)
        log.ended[key] = attempt
        if len(log.ended) > self._ended_max:
            del log.ended[next(iter(log.ended))]
        return Step(COUNTS, attempt)


def effective_attempts(records) -> dict:
    """All of a list of records {"partition", "offset", "value"}: the attempts that count, in the order of their first
    event, and the ranges of requests that were lost."""
    reader = AuditReader()
    attempts: dict = {}
    lost: list = []
    for record in records:
        step = reader.apply(record["partition"], record["offset"], record.get("value"))
        if step.attempt:
            found = step.attempt
            attempts.setdefault((found.partition, found.source_offset, found.attempt), found)
        if step.lost and step.lost not in lost:
            lost.append(step.lost)
    return {"attempts": [attempt.summary() for attempt in attempts.values()], "lost": lost}


def _claimed(log: _Partition, offset: int, event: dict) -> Step:
    if event["epoch"] <= log.epoch:
        return Step(VOID)
    log.epoch = event["epoch"]
    log.claims.append((offset, log.epoch))
    while len(log.claims) > 1 and log.claims[1][0] < _oldest_needed(log):
        log.start_epoch = log.claims.pop(0)[1]
    return Step(COUNTS)


def _requested(log: _Partition, offset: int, event: dict) -> Step:
    if event["epoch"] < log.epoch:
        return Step(VOID)
    key = (event["sourceOffset"], event["attempt"])
    attempt = _known(log, key)
    if attempt and attempt.request_offset is not None:
        return Step(REPEATED)
    if not attempt:
        attempt = log.open[key] = _attempt(event)
    attempt.request_offset, attempt.request = offset, event
    return Step(COUNTS, attempt)


def _released(log: _Partition, event: dict) -> Step:
    if event["epoch"] < log.epoch:
        return Step(VOID)
    for entry in event["continuing"]:
        attempt = _known(log, (entry["offset"], entry["attempt"]))
        if attempt:
            attempt.continued_by = _writer(event)
    return Step(COUNTS)


def _continuing(log: _Partition, event: dict) -> Step:
    known = (_known(log, (entry["offset"], entry["attempt"])) for entry in event["continuing"])
    renewed = any(attempt and attempt.continued_by == _writer(event) for attempt in known)
    return Step(COUNTS if renewed or event["epoch"] >= log.epoch else VOID)


def _oldest_needed(log: _Partition) -> int:
    first = next(iter(log.open.values()), None)
    return log.next if first is None else first.request_offset


def _known(log: _Partition, key: tuple) -> Optional[Attempt]:
    return log.open.get(key) or log.ended.get(key)


def _attempt(event: dict) -> Attempt:
    return Attempt(event["sourcePartition"], event["sourceOffset"], event["attempt"], event["orgId"], event["requestId"])


def _writer(event: dict) -> tuple:
    return event["epoch"], event.get("instance")


# What an event must have to be read. "+": a whole number from 0 on; "#": any whole number; "$": a text that is not empty.
_ATTEMPT = {"epoch": "+", "sourcePartition": "#", "sourceOffset": "+", "attempt": "+", "orgId": "$", "requestId": "$"}
_OWNERSHIP = {"epoch": "+", "partition": "#"}
_FIELDS = {
    "llm.request": _ATTEMPT,
    "llm.response": {**_ATTEMPT, "outcome": "$"},
    "router.claimed": _OWNERSHIP,
    "router.released": {**_OWNERSHIP, "continuing": "[]"},
    "router.continuing": {**_OWNERSHIP, "continuing": "[]"},
    "requests.lost": {**_OWNERSHIP, "from": "#", "to": "#"},
}


def _event(value: Any) -> Optional[dict]:
    if isinstance(value, (str, bytes)):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, dict) and isinstance(value.get("type"), str) else None


def _readable(event: dict) -> bool:
    return all(_is(event.get(name), what) for name, what in _FIELDS[event["type"]].items()) and event["epoch"] <= EPOCH_MAX


def _is(value: Any, what: str) -> bool:
    if what == "$":
        return isinstance(value, str) and value != ""
    if what == "[]":
        return isinstance(value, list) and all(
            isinstance(entry, dict) and _is(entry.get("offset"), "#") and _is(entry.get("attempt"), "#") for entry in value)
    whole = isinstance(value, (int, float)) and not isinstance(value, bool) and value == value // 1
    return whole and (what == "#" or value >= 0)


if __name__ == "__main__":
    found = effective_attempts(json.loads(line) for line in sys.stdin if line.strip())
    for entry in (*found["attempts"], *({"lost": entry} for entry in found["lost"])):
        print(json.dumps(entry))
