"""The reader's rule for chat.chunks: from the chunks of many requests, in the order of the log, to one answer each.

Per (orgId, requestId) the highest attempt wins; when a higher one appears, drop what you have; within an attempt seq
counts from 0 without gaps; a terminal chunk (done: true) ends the attempt, and with finishReason "error" it is an answer
too; attempt 0 answers a duplicate and never displaces another. Without its terminal chunk an answer is not complete.

No dependency. Copy this file; the tests of Tokenrail hold it to tests/golden/reader/answers.json.
"""

from dataclasses import dataclass, field
from typing import Optional

ACCEPTED = "accepted"  # belongs to the answer, right after what was there
RESTARTED = "restarted"  # drop what you showed, then take this chunk
IGNORED = "ignored"  # of a lower attempt, or seen before
GAP = "gap"  # chunks are missing; what you have is not an answer


@dataclass
class Answer:
    org_id: str
    request_id: str
    attempt: int
    next_seq: int = 0
    text: str = ""
    provider_blocks: list = field(default_factory=list)  # send them back unchanged, in the assistant's message
    terminal: Optional[dict] = None  # complete where it is there; a higher attempt may still displace it


class AnswerReader:
    def __init__(self, over_max: int = 10_000):
        """`over_max`: how many answers that have ended are remembered, so that late chunks are known to be late."""
        self._answers: dict = {}
        self._over: dict = {}  # keys of answers that have ended, the oldest first
        self._over_max = over_max

    def apply(self, chunk: dict) -> str:
        key = (chunk["orgId"], chunk["requestId"])
        answer = self._answers.get(key)
        if answer is not None and chunk["attempt"] < answer.attempt:
            return IGNORED
        displaces = answer is not None and chunk["attempt"] > answer.attempt
        if answer is None or displaces:
            answer = self._answers[key] = Answer(*key, chunk["attempt"])
            self._over.pop(key, None)

        if answer.terminal is not None or chunk["seq"] < answer.next_seq:
            return IGNORED
        if chunk["done"]:
            self._remember(key)
        if chunk["seq"] > answer.next_seq:
            return GAP
        answer.next_seq = chunk["seq"] + 1
        answer.text += chunk["delta"] or ""
        answer.provider_blocks += chunk.get("providerBlocks", [])
        if chunk["done"]:
            answer.terminal = chunk
        return RESTARTED if displaces else ACCEPTED

    def answer(self, org_id: str, request_id: str) -> Optional[Answer]:
        return self._answers.get((org_id, request_id))

    def _remember(self, key: tuple) -> None:
        self._over[key] = None
        if len(self._over) > self._over_max:
            oldest = next(iter(self._over))
            del self._over[oldest], self._answers[oldest]
