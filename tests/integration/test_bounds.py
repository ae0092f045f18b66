"""Whatever arrives: a clear error, and bounded memory."""

import json
import os

import confluent_kafka
import confluent_kafka.admin

from stack import Log, wait_until
from test_main_job import by_request, done

# Stated in docs/reference/performance.md. The sanitized builds need about three times as much.
RESIDENT_BYTES_MAX = 512 * 1024 * 1024
SANITIZED_FACTOR = 3


# `./dev test promises` has fifty and a million.
EMPTY_HEADERS = 500_000
RECORDS_OF_HEADERS = int(os.environ.get("TOKENRAIL_TEST_RECORDS_OF_HEADERS", "5"))
REFUSED_REQUESTS = int(os.environ.get("TOKENRAIL_TEST_REFUSED_REQUESTS", "10000"))


def resident_bound(stack):
    program = (stack.bin / "tokenrail-router").read_bytes()
    sanitized = b"__asan_init" in program or b"__tsan_init" in program
    return RESIDENT_BYTES_MAX * (SANITIZED_FACTOR if sanitized else 1)


def test_a_request_of_50_megabytes_is_refused_clearly(make_stack):
    stack = make_stack(settings={"TOKENRAIL_TOPICS_REQUEST_BYTES_MAX": "64MiB"})
    router, = stack.whole()
    router.wait_ready()
    stack.produce({"requestId": "huge", "orgId": "acme", "messages": [{"role": "user", "content": "x" * 50_000_000}]})
    stack.produce(b"y" * 50_000_000, key="nonsense")
    stack.flush()
    chunks, letters = Log(stack, "chat.chunks"), Log(stack, "chat.requests.dlq")
    chunks.wait("terminal chunk", done("huge"))
    end = by_request(chunks.values(), "huge")[-1]
    assert end["error"]["code"] == "INVALID_REQUEST"
    assert "bytes" in end["error"]["message"]
    wait_until("the dead letter", lambda: len(letters.poll()) == 1)
    assert letters.records[0].value() == b"y" * 50_000_000
    assert router.resident_bytes() < resident_bound(stack)


def test_10000_messages_a_provider_without_end_and_a_line_of_100_megabytes(make_stack):
    stack = make_stack(settings={"TOKENRAIL_ROUTER_ANSWER_BYTES_MAX": "1MiB", "TOKENRAIL_ROUTER_CALLS_MAX": "1"})
    router, = stack.whole()
    router.wait_ready()
    chunks = Log(stack, "chat.chunks")
    stack.produce({"requestId": "talk", "orgId": "acme",
                   "messages": [{"role": "user", "content": f"message {n}"} for n in range(10_000)]}, key="a")
    stack.ask("endless", "go [[sim fault=endless]]", key="b")
    stack.ask("line", "go [[sim fault=huge-line:100]]", key="c")
    stack.ask("late", "go [[sim fault=hang]]", key="d", timeoutMs=3000)
    stack.flush()
    for name in ("talk", "endless", "line", "late"):
        chunks.wait(f"terminal chunk of {name}", done(name), 180)
    ends = {name: by_request(chunks.values(), name)[-1] for name in ("talk", "endless", "line", "late")}
    assert ends["talk"]["error"]["code"] == "CONTEXT_TOO_LONG", ends["talk"]
    assert "sim-chat" in ends["talk"]["error"]["message"]
    assert ends["endless"]["error"]["code"] == "RESPONSE_TOO_LARGE"
    assert ends["line"]["error"]["code"] == "RESPONSE_TOO_LARGE"
    assert ends["late"]["error"]["code"] == "DEADLINE_EXCEEDED"
    assert router.resident_bytes() < resident_bound(stack)


def print_peak(router, what):
    print(f"{what}: peak {router.resident_bytes() / 2**20:.0f} MiB")


def test_records_of_empty_headers(make_stack):
    """Two bytes each in the record, and some eighty in the client library's list of them."""
    stack = make_stack()
    router, = stack.whole()
    router.wait_ready()
    chunks = Log(stack, "chat.chunks")
    names = [f"h{n}" for n in range(RECORDS_OF_HEADERS)]
    headers = [("", b"")] * EMPTY_HEADERS
    for name in names:
        stack.produce({"requestId": name, "orgId": "acme", "messages": [{"role": "user", "content": "hello"}]}, key=name,
                      headers=headers)
        stack.flush()
    for name in names:
        chunks.wait(f"terminal chunk of {name}", done(name))
    print_peak(router, f"{RECORDS_OF_HEADERS} records of {EMPTY_HEADERS} headers")
    assert router.resident_bytes() < resident_bound(stack)


def test_many_request_ids_that_are_refused(make_stack):
    stack = make_stack()
    router, = stack.whole()
    router.wait_ready()
    for n in range(REFUSED_REQUESTS):
        stack.produce(f'{{"requestId":"refused-{n:036}","orgId":"acme","messages":[]}}', key=str(n))
    stack.flush()
    chunks = Log(stack, "chat.chunks")

    def answered():
        return sum(chunks.consumer.get_watermark_offsets(p, timeout=60)[1] for p in chunks.partitions)
    wait_until("a chunk for each", lambda: answered() >= REFUSED_REQUESTS, 1800)
    print_peak(router, f"{REFUSED_REQUESTS} refused requests")
    assert router.resident_bytes() < resident_bound(stack)


def test_no_key_reaches_a_log_or_a_topic(make_stack):
    canary = "sk-canary0123456789abcdefABCDEF0123456789abcdef"
    stack = make_stack()
    router, = stack.whole()
    router.wait_ready()
    stack.ask("canary", f"my key is {canary}, is it safe?")
    stack.flush()
    chunks, audit = Log(stack, "chat.chunks"), Log(stack, "llm.audit")
    chunks.wait("terminal chunk", done("canary"))
    audit.wait("response", lambda v: any(e["type"] == "llm.response" for e in v))
    assert all(canary.encode() not in r.value() for r in audit.records)
    for process in stack.processes[1:]:
        assert canary not in process.text()
