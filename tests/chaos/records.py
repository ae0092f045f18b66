"""What the topics contain when all is over, and what of the audit log counts: a second version of design rules that the
router has in C++ (common/events/audit_fold), so that neither is judged by itself."""

import dataclasses
import json

import confluent_kafka


def read_all(bootstrap, topic):
    """Every record of a topic, partition after partition."""
    consumer = confluent_kafka.Consumer({
        "log_level": 2, "bootstrap.servers": bootstrap, "group.id": "chaos-reader", "enable.auto.commit": False,
        "isolation.level": "read_uncommitted", "auto.offset.reset": "earliest", "enable.partition.eof": True,
        "fetch.message.max.bytes": 8_000_000})
    try:
        for partition in sorted(consumer.list_topics(topic, timeout=30).topics[topic].partitions):
            consumer.assign([confluent_kafka.TopicPartition(topic, partition, 0)])
            at_end, quiet = False, 0
            while not at_end:
                batch = consumer.consume(10_000, 1.0)
                quiet = 0 if batch else quiet + 1
                if quiet > 60:
                    raise RuntimeError(f"{topic} {partition} cannot be read to its end")
                for message in batch:
                    if message.error() is None:
                        yield message
                    elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                        at_end = True
            consumer.unassign()
    finally:
        consumer.close()


def dead_letters(messages, requests_topic):
    """The requests that lie among the dead letters, each once: a letter may come more than once."""
    found = set()
    for message in messages:
        headers = dict(message.headers() or ())
        if headers.get("kafka_dlt-original-topic") == requests_topic.encode():
            found.add(tuple(int.from_bytes(headers[f"kafka_dlt-original-{name}"], "big")
                            for name in ("partition", "offset")))
    return found


@dataclasses.dataclass
class Attempt:
    partition: int
    offset: int
    number: int
    org_id: str = ""
    request_id: str = ""
    epoch: int = 0
    instance: str = ""
    requested_ms: int = -1       # when its llm.request was written; -1: it has none
    response: dict = None        # the one that counts
    responded_ms: int = -1
    continued: tuple = None      # (epoch, instance) that goes on with it after a hand-over
    source_ms: int = -1          # the timestamp of the request's record; in a log that was created again it is another one

    @property
    def interrupted(self):
        return self.response is not None and self.response["outcome"] == "interrupted"


@dataclasses.dataclass
class Claim:
    partition: int
    epoch: int
    instance: str
    at_ms: int


class AuditLog:
    """The fold of llm.audit."""

    def __init__(self):
        self.attempts = {}       # (partition, source offset, attempt) -> Attempt
        self.claims = {}         # partition -> effective claims in order
        self.void = 0
        self.repeated = 0        # requests or responses of an attempt that has one already
        self.recovered = 0
        self.released = 0
        self.handed_over = 0     # attempts that were finished by their worker after it gave the partition up
        self.lost = []           # (partition, from, to) of requests.lost
        self.problems = []       # (Unix time in ms since which all of it is in this log; 0: unknown, text)

    def epoch(self, partition):
        claims = self.claims.get(partition)
        return claims[-1].epoch if claims else -1

    def apply(self, message):
        event = json.loads(message.value())
        kind, partition = event["type"], message.partition()
        at_ms = message.timestamp()[1]
        epoch, instance = event["epoch"], event["instance"]
        void = epoch < self.epoch(partition)
        if kind == "router.claimed":
            if epoch > self.epoch(partition):
                self.claims.setdefault(partition, []).append(Claim(partition, epoch, instance, at_ms))
        elif kind == "llm.request":
            self._request(event, partition, at_ms, void)
        elif kind == "llm.response":
            self._response(event, partition, at_ms, void, (epoch, instance))
        elif kind == "requests.lost" and not void:
            self.lost.append((partition, event["from"], event["to"]))
        elif kind == "router.released" and not void:
            self.released += 1
            for listed in event["continuing"]:
                attempt = self.attempts.get((partition, listed["offset"], listed["attempt"]))
                if attempt is None:
                    # Listed before its llm.request has been acknowledged; it precedes the release all the same.
                    self.problems.append((0, f"llm.audit {partition}:{message.offset()} continues attempt "
                                             f"{listed['attempt']} of offset {listed['offset']}, which is not in the log"))
                elif attempt.response is None:
                    attempt.continued = (epoch, instance)
        if not void and kind != "router.claimed":
            owner = self.claims.get(partition, [None])[-1]
            if owner is None or (owner.epoch == epoch and owner.instance != instance):
                self.problems.append((at_ms, f"llm.audit {partition}:{message.offset()} is by {instance}, which never owned "
                                             f"epoch {epoch}"))

    def _request(self, event, partition, at_ms, void):
        key = (partition, event["sourceOffset"], event["attempt"])
        source_ms = event.get("sourceTimestamp", -1)
        if void:
            self.void += 1
        elif self._known(key, source_ms) is not None:
            self.repeated += 1
        else:
            self.attempts[key] = Attempt(*key, event["orgId"], event["requestId"], event["epoch"], event["instance"],
                                         at_ms, source_ms=source_ms)

    def _known(self, key, source_ms):
        """The attempt; of another record at that offset, in a log that is gone: none."""
        attempt = self.attempts.get(key)
        return attempt if attempt is None or attempt.source_ms == source_ms else None

    def _response(self, event, partition, at_ms, void, writer):
        key = (partition, event["sourceOffset"], event["attempt"])
        source_ms = event.get("sourceTimestamp", -1)
        attempt = self._known(key, source_ms)
        if attempt is None and event["attempt"] == 0 and not void:
            attempt = self.attempts[key] = Attempt(*key, event["orgId"], event["requestId"], *writer, source_ms=source_ms)
        if attempt is None:
            if not void:
                self.problems.append((max(source_ms, 0), f"llm.audit {partition}: the response to attempt {key[2]} of offset "
                                                         f"{key[1]} has no llm.request"))
            self.void += void
        elif void and attempt.continued != writer:
            self.void += 1
        elif attempt.response is not None:
            self.repeated += 1
        else:
            attempt.response, attempt.responded_ms = event, at_ms
            self.recovered += bool(event.get("recovered"))
            self.handed_over += attempt.continued == writer


@dataclasses.dataclass
class Answer:
    """What chat.chunks has of one attempt."""
    chunks: int = 0
    contiguous: bool = True
    text: list = dataclasses.field(default_factory=list)
    terminal: dict = None
    terminal_ms: int = -1


def answers(messages):
    """(partition, org, request id, attempt) -> Answer. Attempt 0 may appear twice and is kept once."""
    found = {}
    for message in messages:
        chunk = json.loads(message.value())
        key = (message.partition(), chunk["orgId"], chunk["requestId"], chunk["attempt"])
        if chunk["attempt"] == 0:
            key += (chunk["sourceOffset"],)
        answer = found.setdefault(key, Answer())
        if chunk["attempt"] == 0 and answer.terminal is not None:
            continue
        answer.contiguous &= chunk["seq"] == answer.chunks and answer.terminal is None
        answer.chunks += 1
        if chunk["delta"]:
            answer.text.append(chunk["delta"])
        if chunk["done"]:
            answer.terminal, answer.terminal_ms = chunk, message.timestamp()[1]
            answer.contiguous &= chunk["chunks"] == answer.chunks
    return found
