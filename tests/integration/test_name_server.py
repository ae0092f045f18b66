"""A name server that does not answer holds up the calls to its names, and nothing else.

`./dev test promises` has more of both (TOKENRAIL_TEST_STUCK_CALLS, TOKENRAIL_TEST_STUCK_STREAMS) and prints how late what came."""

import json
import os
import pathlib
import socket
import threading
import time

import pytest

from stack import Log, http_get, wait_until
from test_hand_over import running

STUCK_NAME = "stuck.tokenrail.test"
STUCK = int(os.environ.get("TOKENRAIL_TEST_STUCK_CALLS", "20"))
STREAMS = int(os.environ.get("TOKENRAIL_TEST_STUCK_STREAMS", "40"))
PACE_MS = 200


@pytest.fixture
def silent_name_server():
    """A UDP socket that takes every question and answers none; what to preload into a worker that shall ask it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(60)
        yield server


def preloaded(stack, server):
    library = pathlib.Path(stack.bin) / "tokenrail-silent-name-server.so"
    assert library.exists(), "build the target tokenrail-silent-name-server"
    return {"LD_PRELOAD": str(library), "TOKENRAIL_TEST_STUCK_NAME": STUCK_NAME,
            "TOKENRAIL_TEST_DNS_PORT": str(server.getsockname()[1])}


def add_stuck_model(stack, sync):
    """A model of another connection, as registry-sync would publish it: the simulator's, under the name that is stuck.
    Ends the sync, which would take what its database does not know out of the topic again."""
    log = Log(stack, "model_registry")
    log.wait("a model in the registry", lambda v: any(e.get("type") == "model_registry.upserted" for e in v))
    assert sync.stop() == 0
    event = json.loads(json.dumps(next(e for e in log.values() if e.get("type") == "model_registry.upserted")))
    log.close()
    model = event["model"]
    model.update(id="stuck", modelName="stuck:1b", slug="stuck", displayName="stuck", isDefault=False)
    model["deployments"] = model["deployments"][:1]
    model["deployments"][0].update(id="stuck", connectionId="stuck", connectionName="stuck",
                                   baseUrl=f"http://{STUCK_NAME}:{stack.simulator_port}", upstreamName="stuck:1b")
    event.update(key=event["key"].rsplit("/", 1)[0] + "/stuck:1b", version=event["version"] + 1_000_000)
    stack.produce(event, key=event["key"], topic="model_registry",
                  headers=[(name, b"test") for name in ("ce_id", "ce_source", "ce_time", "content-type")]
                  + [("ce_type", b"model_registry.upserted"), ("ce_specversion", b"1.0")])
    stack.flush()


def lateness_ms(chunks, names):
    """By how much more than the pace two chunks of one stream were apart, at most: by the records' timestamps."""
    last, late = {}, 0
    for chunk, record in zip(chunks.values(), chunks.records):
        name, at = chunk["requestId"], record.timestamp()[1]
        if name in names and not chunk["done"]:
            late = max(late, at - last.get(name, at) - PACE_MS)
            last[name] = at
    return late


class Livez(threading.Thread):
    """Asks /livez again and again until it is stopped, and keeps the longest time that an answer took."""

    def __init__(self, router):
        super().__init__(daemon=True)
        self.url = f"http://127.0.0.1:{router.port}/livez"
        self.over = threading.Event()
        self.asked, self.failed, self.longest = 0, 0, 0.0

    def run(self):
        while not self.over.is_set():
            began = time.monotonic()
            status = http_get(self.url)[0]
            self.longest = max(self.longest, time.monotonic() - began)
            self.asked += 1
            self.failed += status != 200
            self.over.wait(0.05)

    def stop(self):
        self.over.set()
        self.join()


def test_silent_name_server_holds_up_nothing_else(make_stack, silent_name_server):
    # Long enough for the look-ups to last as long as the test: what ends them is the cancellation.
    stack = make_stack(settings={"TOKENRAIL_ROUTER_CONNECT_TIMEOUT": "5m"})
    stack.simulator()
    sync = stack.sync()
    sync.wait_ready()
    router = stack.router(**preloaded(stack, silent_name_server))
    router.wait_ready()
    add_stuck_model(stack, sync)
    chunks = Log(stack, "chat.chunks")
    livez = Livez(router)
    livez.start()

    streams = [f"s{n}" for n in range(STREAMS)]
    for name in streams:
        # They speak until they are cancelled at the end, however long this machine takes until then.
        stack.ask(name, f"{name} [[sim tokens=1000000 pace={PACE_MS}]]", key=name)
    stack.flush()
    chunks.wait("all streams have begun", lambda v: {c["requestId"] for c in v} >= set(streams))

    stuck = [f"stuck{n}" for n in range(STUCK)]
    for name in stuck:
        stack.ask(name, key=name, modelProvider="ollama", modelName="stuck:1b")
    stack.flush()
    wait_until("all of them run", lambda: running(router) >= STUCK + STREAMS)
    cancelled_at = time.time() * 1000
    for name in stuck:
        stack.produce({"requestId": name, "orgId": "acme"}, key=name, topic="chat.cancellations")
    stack.flush()

    def ended(v):
        return [c for c in v if c["done"] and c["requestId"] in stuck]
    chunks.wait("the stuck ones have ended", lambda v: len(ended(v)) == STUCK)
    assert {c["finishReason"] for c in ended(chunks.values())} == {"cancelled"}
    assert not [c for c in chunks.values() if c["done"] and c["requestId"] in streams]

    # The streams have not been held up: each goes on to speak.
    def spoken(v):
        last = {}
        for c in v:
            last[c["requestId"]] = c["seq"]
        return last
    before = spoken(chunks.values())
    chunks.wait("each stream goes on", lambda v: all(spoken(v)[name] > before[name] for name in streams))
    for name in streams:
        stack.produce({"requestId": name, "orgId": "acme"}, key=name, topic="chat.cancellations")
    stack.ask("last", key="last")
    stack.flush()
    chunks.wait("all have ended", lambda v: sum(c["done"] for c in v) == STREAMS + STUCK + 1)
    livez.stop()
    reasons = {c["requestId"]: c["finishReason"] for c in chunks.values() if c["done"]}
    assert {reasons[name] for name in streams} == {"cancelled"} and reasons["last"] == "stop"
    assert livez.failed == 0 and livez.asked > 10
    ends = [r.timestamp()[1] - cancelled_at for c, r in zip(chunks.values(), chunks.records)
            if c["done"] and c["requestId"] in stuck]
    print(f"{STUCK} calls stuck beside {STREAMS} streams: a chunk up to {lateness_ms(chunks, set(streams))} ms late, "
          f"the last cancellation done after {max(ends):.0f} ms")
    print(f"longest turn {router.longest_turn_ms()} ms, longest /livez {livez.longest * 1000:.0f} ms of {livez.asked}")
    # The look-up blocks for twelve seconds: on the loop it would be seen here, whatever else runs on this machine.
    assert livez.longest < 12
    router.check_turns()
    assert "getaddrinfo was called" not in router.text()
    assert STUCK_NAME.split(".", maxsplit=1)[0].encode() in silent_name_server.recv(1500), "the name server was asked"
    chunks.close()


def test_router_stops_at_once_while_a_name_is_looked_up(make_stack, silent_name_server):
    stack = make_stack(settings={"TOKENRAIL_ROUTER_CONNECT_TIMEOUT": "5m", "TOKENRAIL_ROUTER_DRAIN_TIMEOUT": "100ms"})
    stack.verified_at_end = False  # its request is left to the next router, which there is none
    stack.simulator()
    sync = stack.sync()
    sync.wait_ready()
    router = stack.router(**preloaded(stack, silent_name_server))
    router.wait_ready()
    add_stuck_model(stack, sync)
    stack.ask("stuck", modelProvider="ollama", modelName="stuck:1b")
    stack.flush()
    silent_name_server.recv(1500)
    assert router.stop() == 0
    assert "getaddrinfo was called" not in router.text()
