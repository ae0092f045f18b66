"""The load: chat requests over many conversations at a steady rate, some of them duplicates, some cancelled, late,
broken or unlucky with their provider. All ids are unique but those of the duplicates."""

import collections
import json
import pathlib
import random
import sys
import threading
import time

import confluent_kafka

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from simulator_words import answer  # noqa: E402, F401 - figures.py takes it from here

ORGS = ("acme", "birch", "cobalt", "dune", "elm")
FAULTS = ("reset-after:3", "close-after:2", "eof-after:4", "error-after:3", "malformed-after:2", "status:503",
          "status:400", "status:429", "hang-after:2")


class Load:
    """Sends until it is stopped, in a thread of its own. `sent` counts what the brokers have acknowledged."""

    def __init__(self, bootstrap, topic, rate, seed, conversations=800):
        self.topic = topic
        self.rate = rate
        self.draw = random.Random(f"{seed}/load")
        self.keys = [f"conversation-{n}" for n in range(conversations)]
        self.later = []          # (when, topic, key, value) of what follows a request: duplicates, cancellations
        self.counts = collections.Counter()
        self.expected = {}       # (org, request id) -> the text of a whole answer
        self.first_ms = {}       # (org, request id) -> Unix time at which it was sent first
        self.number = 0
        self.stopping = threading.Event()
        self.problems = []
        self.deleted = 0         # how often a topic was deleted; what the newest producer and the wanted one know of that
        self.begun = 0
        self.wanted = 0
        self.bootstrap = bootstrap
        self.producer = self._producer(bootstrap)
        self.thread = threading.Thread(target=self._run, name="load", daemon=True)

    def _producer(self, bootstrap):
        # It must outlast any fault, so it is not idempotent: such a producer may end for good when leaders change. What it
        # sends twice is answered as a duplicate.
        return confluent_kafka.Producer({
            "log_level": 2, "bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 2,
            "message.timeout.ms": 900_000, "topic.metadata.refresh.fast.interval.ms": 100,
            "error_cb": lambda error: self.problems.append(str(error)) if error.fatal() else None})

    def loses_records(self):
        """What cannot be delivered from now on is no problem: its topic is gone."""
        self.deleted += 1

    def begin_again(self):
        """A producer that knew a topic before it was created again may never find its leaders."""
        self.wanted = self.deleted

    def start(self):
        self.thread.start()

    def stop(self):
        self.stopping.set()
        self.thread.join()
        left = self.producer.flush(180)
        if left or self.problems:
            raise RuntimeError(f"the load could not be sent: {left} records left, {self.problems[:3]}")

    @property
    def sent(self):
        return self.counts["acknowledged"]

    def _run(self):
        begin = time.monotonic()
        while not self.stopping.is_set():
            now = time.monotonic()
            if self.begun < self.wanted:
                wanted = self.wanted
                self.producer.purge()
                self.producer.flush(5)
                self.producer = self._producer(self.bootstrap)
                self.begun = wanted
            for entry in [e for e in self.later if e[0] <= now]:
                self.later.remove(entry)
                self._produce(*entry[1:])
            if self.number < (now - begin) * self.rate:
                self._request(now)
            else:
                self.producer.poll(0.01)

    def _produce(self, topic, key, value):
        def reported(error, _message):
            if error is None:
                self.counts["acknowledged"] += 1
            elif self.deleted > self.begun:
                self.counts["not taken"] += 1
            else:
                self.problems.append(str(error))
        if isinstance(value, dict):
            value = json.dumps(value)
        while not self.stopping.is_set():
            try:
                self.producer.produce(self.topic(topic), value=value, key=key, on_delivery=reported)
                break
            except BufferError:
                self.producer.poll(0.1)
            except confluent_kafka.KafkaException:
                # The topic is deleted, and this producer knows.
                if self.deleted == self.begun:
                    raise
                self.counts["not taken"] += 1
                break
        self.producer.poll(0)

    def _request(self, now):
        draw = self.draw
        self.number += 1
        request_id = f"r{self.number:07}"
        org = draw.choice(ORGS)
        key = draw.choice(self.keys) if draw.random() > 0.01 else None
        kind = draw.choices(
            ("plain", "long", "whole", "fault", "duplicate", "cancelled", "cancelled-before", "short-of-time", "tool",
             "broken"), (80, 4, 2, 3, 3, 3, 1, 1, 2, 1))[0]
        self.counts[kind] += 1
        tokens, pace, more = draw.randint(5, 70), f"10-{draw.randint(30, 150)}", ""
        if kind == "long":
            tokens, pace = 100, "100-250"
        if kind == "fault":
            more = f" fault={draw.choice(FAULTS)}" + (" times=1" if draw.random() < 0.5 else "")
        if kind == "tool":
            more = " tool=auto"
        message = f"{request_id} please"
        request = {"requestId": request_id, "orgId": org, "metadata": {"conversationId": key or ""},
                   "messages": [{"role": "user", "content": f"{message} [[sim tokens={tokens} pace={pace}{more}]]"}]}
        if kind == "whole":
            request["stream"] = False
        if kind == "tool":
            request["tools"] = [{"name": "weather", "description": "d", "parameters": {"type": "object"}}]
        if kind == "short-of-time":
            request["timeoutMs"] = draw.randint(300, 4000)
        cancellation = ("chat.cancellations", request_id, {"orgId": org, "requestId": request_id, "reason": "chaos"})
        if kind == "cancelled-before":
            self._produce(*cancellation)
        if kind == "broken":
            self._produce("chat.requests", key, draw.choice((f"not JSON {self.number}", "{\"orgId\": \"acme\"}")))
            return
        self.first_ms[org, request_id] = time.time() * 1000
        if kind in ("plain", "long", "whole", "duplicate"):
            self.expected[(org, request_id)] = (message, tokens)
        self._produce("chat.requests", key, request)
        if kind == "duplicate":
            self.later.append((now + draw.uniform(0, 20), "chat.requests", key, request))
        if kind == "cancelled":
            self.later.append((now + draw.uniform(0, 6), *cancellation))

