"""Workers that come, go, die and are stopped under streams: nothing runs twice that need not, and no stream is cut by a
worker that leaves in order. The sizes are small here; `./dev test promises` runs the same tests with those of the promises,
by the environment: TOKENRAIL_TEST_STREAMS, _STREAM_SECONDS, _REPEATS, _KILLS, _STOPPED_STREAMS and _DRAINED_STREAMS."""

import collections
import os
import signal
import threading
import time

import pytest

from stack import Log, answers, finished, text_of, wait_until

STREAMS = int(os.environ.get("TOKENRAIL_TEST_STREAMS", 60))
STREAM_SECONDS = float(os.environ.get("TOKENRAIL_TEST_STREAM_SECONDS", 8))
REPEATS = int(os.environ.get("TOKENRAIL_TEST_REPEATS", 1))
KILLS = int(os.environ.get("TOKENRAIL_TEST_KILLS", 3))
KILLS_MORE = 9
STOPPED_STREAMS = int(os.environ.get("TOKENRAIL_TEST_STOPPED_STREAMS", 40))
DRAINED_STREAMS = int(os.environ.get("TOKENRAIL_TEST_DRAINED_STREAMS", 40))
TOKENS = 40
SHORT_SESSION = {"TOKENRAIL_KAFKA_SESSION_TIMEOUT_MS": "6000"}
PATIENCE = 180 + 4 * STREAM_SECONDS


@pytest.fixture
def tell(capsys):
    """A figure for the reader of the tests' output."""
    def say(text):
        with capsys.disabled():
            print(f"  [{text}]", end=" ", flush=True)
    return say


class Load:
    """Streams that begin one after another, so that about STREAMS run at any time; each a conversation of its own."""

    def __init__(self, stack, streams=STREAMS, seconds=STREAM_SECONDS):
        self.stack = stack
        self.every = seconds / streams
        self.pace = int(seconds * 1000 / TOKENS)
        self.asked = {}  # request id -> Unix time in ms
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        begin, number = time.monotonic(), 0
        while not self.stopping.wait(max(0.0, begin + number * self.every - time.monotonic())):
            ask(self.stack, self.asked, f"s{number}", self.pace)
            number += 1

    def stop(self):
        self.stopping.set()
        self.thread.join()
        self.stack.flush()


def ask(stack, asked, request_id, pace, tokens=TOKENS, more=""):
    asked[request_id] = time.time() * 1000
    stack.ask(request_id, f"{request_id} [[sim tokens={tokens} pace={pace} {more}]]", key=f"k-{request_id}")


class Story:
    """What the logs say of every request."""

    def __init__(self, stack):
        self.stack = stack
        self.chunks = Log(stack, "chat.chunks")
        self.audit = Log(stack, "llm.audit")

    def wait(self, asked, seconds=PATIENCE):
        """Until each has ended: its highest attempt has an answer, and a response that is not `interrupted`."""
        def ended(events):
            highest, first = {}, {}
            for event in events:
                if event["type"] == "llm.request":
                    highest[event["requestId"]] = max(event["attempt"], highest.get(event["requestId"], 0))
                elif event["type"] == "llm.response":
                    # Of the responses the first; those that a stalled worker adds later are void.
                    first.setdefault((event["requestId"], event["attempt"]), event["outcome"])
            return all(first.get((r, highest.get(r)), "interrupted") != "interrupted" for r in asked)
        self.audit.wait("an end of each", ended, seconds)
        self.chunks.wait("an answer to each",
                         lambda v: len({r for (_, r), pieces in answers(v).items() if finished(pieces)}) >= len(asked),
                         seconds)
        return self

    def events(self, kind):
        return [(r, e) for r, e in zip(self.audit.records, self.audit.values()) if e["type"] == kind]

    def attempts(self):
        """request id -> its attempt numbers, in the order of the log."""
        found = collections.defaultdict(list)
        for _, event in self.events("llm.request"):
            found[event["requestId"]].append(event["attempt"])
        return found

    def interrupted(self):
        return collections.Counter(e["cause"] for _, e in self.events("llm.response") if e["outcome"] == "interrupted")

    def recovered(self):
        return sum(1 for _, e in self.events("llm.response") if e.get("recovered"))

    def slowest_start(self, asked):
        """ms from sending a request to its llm.request."""
        first = {}
        for record, event in self.events("llm.request"):
            first.setdefault(event["requestId"], record.timestamp()[1])
        return max(first[request_id] - at for request_id, at in asked.items())

    def check_answers(self, asked):
        """By the reader's rule each has one whole answer, and it is what the provider said."""
        told = {c["lastUserMessage"].split()[0]: c["text"] for c in self.stack.journal() if c["ending"] == "complete"}
        by_request = {request_id: pieces for (_, request_id), pieces in answers(self.chunks.values()).items()}
        assert set(by_request) == set(asked)
        for request_id, pieces in by_request.items():
            assert [c["seq"] for c in pieces] == list(range(len(pieces))), request_id
            assert finished(pieces) and pieces[-1]["finishReason"] == "stop", (request_id, pieces[-1])
            assert text_of(pieces) == told[request_id], request_id

    def check_uncut(self, asked):
        """Each ran once, to its end, whichever router owned its partition meanwhile."""
        self.check_answers(asked)
        assert self.interrupted() == {}
        assert {r: a for r, a in self.attempts().items() if len(a) != 1} == {}
        assert len(self.stack.journal()) == len(asked), "no call was made twice"

    def close(self):
        self.chunks.close()
        self.audit.close()


def running(router):
    """How many attempts that router works on, its own and those that it finishes after a hand-over."""
    for line in router.metrics().splitlines():
        if line.startswith("tokenrail_router_in_flight "):
            return float(line.split()[1])
    raise AssertionError("no metric says how many attempts are in flight")


def all_begun(story, asked):
    story.chunks.wait("all have begun", lambda v: len({c["requestId"] for c in v}) >= len(asked), PATIENCE)


def many(stack, count, seconds, more=""):
    """`count` streams at once, each of about that length."""
    asked = {}
    for number in range(count):
        ask(stack, asked, f"s{number}", int(seconds * 1000 / TOKENS), more=more)
    stack.flush()
    return asked


# For streams that have to run when a test does something, however long it takes until then: only what runs again has an end.
ENDLESS_AT_FIRST = "fault=endless times=1"


def test_rolling_restart_of_all_routers_cuts_no_stream(make_stack, tell):
    stack = make_stack(partitions=6, settings={"TOKENRAIL_ROUTER_DRAIN_TIMEOUT": f"{int(STREAM_SECONDS * 3 + 30)}s"})
    routers = stack.whole(routers=3)
    for router in routers:
        router.wait_ready()
    story = Story(stack)
    load = Load(stack)
    story.chunks.wait("as many streams run as are wanted", lambda v: len({c["requestId"] for c in v}) >= STREAMS, PATIENCE)
    old = []
    for _ in range(REPEATS):
        for number, router in enumerate(routers):
            router.signal(signal.SIGTERM)
            old.append(router)
            routers[number] = stack.router().wait_ready()
    load.stop()
    story.wait(load.asked).check_uncut(load.asked)
    for router in old:
        assert router.wait(PATIENCE) == 0
    tell(f"{len(load.asked)} requests, the slowest was taken up after {story.slowest_start(load.asked):.0f} ms")
    story.close()


def test_scale_out_to_four_routers_and_back_cuts_no_stream(make_stack, tell):
    stack = make_stack(partitions=8, settings={"TOKENRAIL_ROUTER_DRAIN_TIMEOUT": f"{int(STREAM_SECONDS * 3 + 30)}s"})
    first, = stack.whole()
    first.wait_ready()
    story = Story(stack)
    load = Load(stack)
    story.chunks.wait("as many streams run as are wanted", lambda v: len({c["requestId"] for c in v}) >= STREAMS, PATIENCE)
    more = [stack.router().wait_ready() for _ in range(3)]
    wait_until("each has work", lambda: all(running(r) > 0 for r in more), PATIENCE)
    for router in more:
        router.signal(signal.SIGTERM)
        wait_until("it has left", lambda: router.readyz()[0] != 200)  # noqa: B023  called at once
    load.stop()
    story.wait(load.asked).check_uncut(load.asked)
    for router in more:
        assert router.wait(PATIENCE) == 0
    tell(f"{len(load.asked)} requests, the slowest was taken up after {story.slowest_start(load.asked):.0f} ms")
    story.close()


def test_a_partition_that_comes_straight_back_cuts_no_stream(make_stack):
    stack = make_stack(settings={"TOKENRAIL_ROUTER_DRAIN_TIMEOUT": "60s"})
    first, = stack.whole()
    first.wait_ready()
    story = Story(stack)
    # Some run at any time, however long the second router takes to start.
    load = Load(stack, streams=40, seconds=8)
    story.chunks.wait("as many streams run as are wanted", lambda v: len({c["requestId"] for c in v}) >= 40, PATIENCE)
    second = stack.router()
    wait_until("the second has been given partitions", lambda: "partitions assigned" in second.text())
    second.signal(signal.SIGTERM)
    assert second.wait() == 0
    load.stop()
    asked = load.asked
    for number in range(20):
        ask(stack, asked, f"after{number}", 10)
    stack.flush()
    story.wait(asked).check_uncut(asked)
    _, claim = min(story.events("router.claimed"), key=lambda entry: entry[0].timestamp()[1])
    released = [e for _, e in story.events("router.released") if e["instance"] == claim["instance"]]
    assert any(e["continuing"] for e in released), "streams of the first ran on while their partition was away"
    story.close()


def test_a_router_stopped_for_twice_the_session(make_stack, tell):
    stack = make_stack(settings=SHORT_SESSION)
    first, second = stack.whole(routers=2)
    first.wait_ready()
    second.wait_ready()
    story = Story(stack)
    asked = many(stack, STOPPED_STREAMS, 10 + STOPPED_STREAMS / 50)
    all_begun(story, asked)
    first.signal(signal.SIGSTOP)
    stopped = time.monotonic()
    claims = len(story.events("router.claimed"))
    story.audit.wait("its partitions have been claimed", lambda v: sum(
        1 for e in v if e["type"] == "router.claimed") >= claims + stack.partitions)
    wait_until("twice the session is over", lambda: time.monotonic() > stopped + 12)
    first.signal(signal.SIGCONT)
    story.wait(asked).check_answers(asked)
    wait_until("it works again", first.ready)
    reruns = sum(len(a) - 1 for a in story.attempts().values())
    assert reruns == sum(story.interrupted().values())
    assert reruns > 0, "it held streams when it was stopped"
    assert set(story.interrupted()) == {"lost"}
    tell(f"{reruns} of {len(asked)} ran again, {story.recovered()} were recovered")
    story.close()


def test_a_kill_between_the_terminal_chunk_and_its_audit_event(make_stack, tell):
    """With a linger the response stays a moment longer than the chunk that has to be acknowledged before it. A kill that comes
    too late for that is made up for by another one."""
    stack = make_stack(partitions=1, settings={**SHORT_SESSION, "TOKENRAIL_KAFKA_LINGER_MS": "300"})
    router, = stack.whole()
    story = Story(stack)
    asked, missing = {}, 0
    for number in range(KILLS + KILLS_MORE):
        if number >= KILLS and missing:
            break
        router.wait_ready()
        request_id = f"r{number}"
        ask(stack, asked, request_id, 5, tokens=5)
        stack.flush()
        end = time.monotonic() + PATIENCE
        while not any(c["done"] and c["requestId"] == request_id for c in story.chunks.values()):
            story.chunks.poll(0.002)
            assert time.monotonic() < end, "no terminal chunk"
        router.signal(signal.SIGKILL)
        router.wait()
        stack.processes.remove(router)
        router = stack.router()
        story.wait(asked)
        missing += any(e.get("recovered") and e["requestId"] == request_id for _, e in story.events("llm.response"))
    story.check_uncut(asked)
    tell(f"{missing} of {len(asked)} responses were missing and have been recovered")
    assert missing > 0, "no kill hit the moment that this test is about"
    story.close()


def test_sigterm_with_a_short_drain_ends_in_time_and_a_successor_finishes(make_stack, tell):
    bounds = {f"TOKENRAIL_ROUTER_{name}": str(max(1000, 2 * DRAINED_STREAMS))
              for name in ("IN_FLIGHT_MAX", "ORG_IN_FLIGHT_MAX", "CONNECTION_IN_FLIGHT_MAX")}
    stack = make_stack(settings={"TOKENRAIL_ROUTER_DRAIN_TIMEOUT": "5s", **bounds})
    first, = stack.whole()
    first.wait_ready()
    story = Story(stack)
    asked = many(stack, DRAINED_STREAMS, 8 + DRAINED_STREAMS / 200, ENDLESS_AT_FIRST)
    all_begun(story, asked)
    held = running(first)
    second = stack.router().wait_ready()
    begin = time.monotonic()
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    took = time.monotonic() - begin
    story.wait(asked).check_answers(asked)
    causes = story.interrupted()
    assert causes == {"drain": DRAINED_STREAMS}
    assert sum(len(a) - 1 for a in story.attempts().values()) == causes["drain"]
    assert second.alive()
    tell(f"{held:.0f} ran at once; ended after {took:.1f} s; {causes['drain']} of {len(asked)} were cut and finished elsewhere")
    story.close()


def test_a_second_sigterm_does_not_wait(make_stack):
    stack = make_stack(settings={"TOKENRAIL_ROUTER_DRAIN_TIMEOUT": "10m", "TOKENRAIL_ROUTER_DRAIN_GRACE": "60s"})
    first, = stack.whole()
    first.wait_ready()
    story = Story(stack)
    asked = many(stack, 20, 8, ENDLESS_AT_FIRST)
    all_begun(story, asked)
    first.signal(signal.SIGTERM)
    story.audit.wait("its partitions are released", lambda v: len(
        {e["partition"] for e in v if e["type"] == "router.released"}) == stack.partitions)
    assert first.alive(), "it goes on with what runs"
    first.signal(signal.SIGTERM)
    assert first.wait() == 0, "it does not wait for streams without end, nor for its drain timeout"
    stack.router().wait_ready()
    story.wait(asked).check_answers(asked)
    assert set(story.interrupted()) == {"drain"}
    story.close()
