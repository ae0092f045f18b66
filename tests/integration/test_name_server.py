"""A name server that does not answer, or fails, holds up the calls to its names, and nothing else.

`./dev test promises` has more of both (TOKENRAIL_TEST_STUCK_CALLS, TOKENRAIL_TEST_STUCK_STREAMS) and prints how late what came."""

import json
import os
import pathlib
import re
import socket
import threading
import time

import pytest

from stack import Log, answers, finished, http_get, run_queue, text_of, wait_until
from test_hand_over import running

STUCK_NAME = "stuck.tokenrail.test"
STUCK = int(os.environ.get("TOKENRAIL_TEST_STUCK_CALLS", "20"))
STREAMS = int(os.environ.get("TOKENRAIL_TEST_STUCK_STREAMS", "40"))
# The promises are about a machine that has nothing else to do; what it ran instead of the router is taken out all the same.
PROMISED = "TOKENRAIL_TEST_STUCK_STREAMS" in os.environ
LATE_MS_MAX, LIVEZ_MS_MAX, CANCELLED_MS_MAX = 100, 100, 1_000
PACE_MS = 200


@pytest.fixture
def silent_name_server():
    """A UDP socket that takes every question and answers none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(60)
        yield server


def asking(stack, server):
    """The environment of a worker that asks that server, and that says so where it calls getaddrinfo() for the stuck name."""
    library = pathlib.Path(stack.bin) / "tokenrail-stuck-getaddrinfo.so"
    assert library.exists(), "build the target tokenrail-stuck-getaddrinfo"
    return {"LD_PRELOAD": str(library), "TOKENRAIL_TEST_STUCK_NAME": STUCK_NAME,
            "TOKENRAIL_PROVIDERS_NAME_SERVERS": f"127.0.0.1:{server.getsockname()[1]}"}


def add_model(stack, name, host, number=0):
    """A model of another connection, as registry-sync would publish it: the simulator's, under that host name. Ends the
    sync, which would take what its database does not know out of the topic again."""
    log = Log(stack, "model_registry")
    log.wait("a model in the registry", lambda v: any(e.get("type") == "model_registry.upserted" for e in v))
    for process in stack.processes:
        if process.name.startswith("sync") and process.alive():
            assert process.stop() == 0
    event = json.loads(json.dumps(next(e for e in log.values() if e.get("type") == "model_registry.upserted")))
    log.close()
    model = event["model"]
    upstream = model["deployments"][0]["upstreamName"] if host != STUCK_NAME else name
    model.update(id=name, modelName=name, slug=name, displayName=name, isDefault=False)
    model["deployments"] = model["deployments"][:1]
    model["deployments"][0].update(id=name, connectionId=name, connectionName=name,
                                   baseUrl=f"http://{host}:{stack.simulator_port}", upstreamName=upstream)
    event.update(key=event["key"].rsplit("/", 1)[0] + "/" + name, version=event["version"] + 1_000_000 + number)
    stack.produce(event, key=event["key"], topic="model_registry",
                  headers=[(name, b"test") for name in ("ce_id", "ce_source", "ce_time", "content-type")]
                  + [("ce_type", b"model_registry.upserted"), ("ce_specversion", b"1.0")])
    stack.flush()


def without_queue(router, begin_ms, end_ms):
    """Of this time, what the router did not wait for a processor."""
    return max(0, end_ms - begin_ms - run_queue.waited_ms(router.pid, begin_ms / 1000, end_ms / 1000))


def lateness_ms(chunks, names, router):
    """By how much more than the pace two chunks of one stream were apart, at most: by the records' timestamps."""
    last, late = {}, 0
    for chunk, record in zip(chunks.values(), chunks.records):
        name, at = chunk["requestId"], record.timestamp()[1]
        if name in names and not chunk["done"]:
            before = last.get(name, at)
            if at - before - PACE_MS > late:
                late = max(late, without_queue(router, before, at) - PACE_MS)
            last[name] = at
    return late


class Livez(threading.Thread):
    """Asks /livez again and again until it is stopped, and keeps the longest time that an answer took."""

    def __init__(self, router):
        super().__init__(daemon=True)
        self.url = f"http://127.0.0.1:{router.port}/livez"
        self.over = threading.Event()
        self.asked, self.failed, self.longest = 0, 0, 0.0
        self.longest_at = 0.0

    def run(self):
        while not self.over.is_set():
            began = time.monotonic()
            status = http_get(self.url)[0]
            took = time.monotonic() - began
            if took > self.longest:
                self.longest, self.longest_at = took, time.time()
            self.asked += 1
            self.failed += status != 200
            self.over.wait(0.05)

    def stop(self):
        self.over.set()
        self.join()


def test_silent_name_server_holds_up_nothing_else(make_stack, silent_name_server):
    # Long enough for the look-ups to last as long as the test: what ends them is the cancellation.
    stack = make_stack(settings={"TOKENRAIL_ROUTER_CONNECT_TIMEOUT": "5m"})
    router, = stack.whole(**asking(stack, silent_name_server))
    router.wait_ready()
    add_model(stack, "stuck:1b", STUCK_NAME)
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
    late = lateness_ms(chunks, set(streams), router)
    cancelled = without_queue(router, cancelled_at, cancelled_at + max(ends))
    alive = without_queue(router, (livez.longest_at - livez.longest) * 1000, livez.longest_at * 1000)
    print(f"{STUCK} calls stuck beside {STREAMS} streams: a chunk up to {late:.0f} ms late, "
          f"the last cancellation done after {cancelled:.0f} ms")
    print(f"longest turn {router.longest_turn_ms()} ms, longest /livez {alive:.0f} ms of {livez.asked}")
    if PROMISED:
        assert late < LATE_MS_MAX and alive < LIVEZ_MS_MAX and cancelled < CANCELLED_MS_MAX
    # The look-up blocks for twelve seconds: on the loop it would be seen here, whatever else runs on this machine.
    assert livez.longest < 12
    router.check_turns()
    assert "getaddrinfo was called" not in router.text()
    assert STUCK_NAME.split(".", maxsplit=1)[0].encode() in silent_name_server.recv(1500), "the name server was asked"
    chunks.close()


def test_router_stops_at_once_while_a_name_is_looked_up(make_stack, silent_name_server):
    stack = make_stack(settings={"TOKENRAIL_ROUTER_CONNECT_TIMEOUT": "5m", "TOKENRAIL_ROUTER_DRAIN_TIMEOUT": "100ms"})
    stack.verified_at_end = False  # its request is left to the next router, which there is none
    router, = stack.whole(**asking(stack, silent_name_server))
    router.wait_ready()
    add_model(stack, "stuck:1b", STUCK_NAME)
    stack.ask("stuck", modelProvider="ollama", modelName="stuck:1b")
    stack.flush()
    silent_name_server.recv(1500)
    assert router.stop() == 0
    assert "getaddrinfo was called" not in router.text()


def test_name_that_cannot_be_found_is_a_failed_call_and_a_fallback_answers(make_stack):
    """The simulator is the name server too. Each kind of failure ends in bounded time, and rescued where a fallback is."""
    stack = make_stack(settings={"TOKENRAIL_ROUTER_CONNECT_TIMEOUT": "5s"})
    simulator = stack.simulator("--dns-port", "0")
    server = re.search(r"^dns (\S+)$", wait_until("the name server", simulator.out.read_text), re.M).group(1)
    stack.sync().wait_ready()
    stack.router(TOKENRAIL_PROVIDERS_NAME_SERVERS=server).wait_ready()
    faults = ("nxdomain", "servfail", "refused", "silent")
    for number, name in enumerate(("found", *faults)):
        add_model(stack, name, f"{name}.tokenrail.test", number)
    chunks = Log(stack, "chat.chunks")
    audit = Log(stack, "llm.audit")
    stack.ask("found", key="found", modelProvider="ollama", modelName="found")
    for fault in faults:
        stack.ask(fault, key=fault, modelProvider="ollama", modelName=fault)
        stack.ask(fault + "-rescued", key=fault + "-rescued", modelProvider="ollama", modelName=fault, fallbacks=["ollama/found"])
    stack.flush()

    def of(values, name):
        return answers([v for v in values if v["requestId"] == name]).get(("acme", name), [])
    names = ["found", *faults, *(fault + "-rescued" for fault in faults)]
    chunks.wait("all are answered", lambda values: all(finished(of(values, name)) for name in names))
    said = {name: of(chunks.values(), name) for name in names}
    for name in ("found", *(fault + "-rescued" for fault in faults)):
        assert said[name][-1]["finishReason"] == "stop" and text_of(said[name]), said[name][-1]
    for fault in faults:
        last = said[fault][-1]
        assert last["finishReason"] == "error" and last["error"]["retryable"], last
        assert last["error"]["code"] in ("PROVIDER_UNAVAILABLE", "PROVIDER_TIMEOUT"), last
    audit.wait("all are on record",
               lambda values: len([v for v in values if v["type"] == "llm.response"]) == len(names))
    calls = {v["requestId"]: v["calls"] for v in audit.values() if v["type"] == "llm.response"}
    for fault in faults:
        assert {c["deploymentId"] for c in calls[fault]} == {fault} and all(c["errorClass"] for c in calls[fault]), calls[fault]
        assert calls[fault + "-rescued"][-1]["deploymentId"] == "found", calls[fault + "-rescued"]
        assert calls[fault + "-rescued"][0]["errorClass"], calls[fault + "-rescued"]
    chunks.close()
    audit.close()
