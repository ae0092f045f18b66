"""The brokers refuse one record for good, because a topic's limit was lowered under a running router: that request ends,
the others run once and to their end."""

import collections
import json
import re

import confluent_kafka.admin
import pytest

from stack import Log, answers, finished, text_of, wait_until
from test_main_job import by_request, done

STREAMS = 20
TOKENS, PACE = 40, 200  # eight seconds


@pytest.fixture
def limit():
    """Sets max.message.bytes of a topic, under everything that runs."""
    def set_limit(stack, name, bytes_max):
        admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": stack.kafka})
        resource = confluent_kafka.admin.ConfigResource("TOPIC", stack.topic(name))
        described = list(admin.describe_configs([resource]).values())[0].result(30)
        kept = {e.name: e.value for e in described.values() if e.source == 1}  # a topic's own settings are all replaced
        changed = confluent_kafka.admin.ConfigResource(
            "TOPIC", stack.topic(name), set_config={**kept, "max.message.bytes": str(bytes_max)})
        list(admin.alter_configs([changed]).values())[0].result(30)
        return int(described["max.message.bytes"].value)
    return set_limit


def streams(stack, chunks):
    for number in range(STREAMS):
        stack.ask(f"s{number}", f"s{number} [[sim tokens={TOKENS} pace={PACE}]]", key=f"k{number}")
    stack.flush()
    chunks.wait("every stream has begun", lambda v: len({c["requestId"] for c in v if not c["done"]}) == STREAMS)


def each_ran_once(stack, chunks):
    chunks.wait("an answer to each", lambda v: all(finished(by_request(v, f"s{n}")) for n in range(STREAMS)))
    for number in range(STREAMS):
        assert by_request(chunks.values(), f"s{number}")[-1]["finishReason"] == "stop"
    calls = collections.Counter(re.match(r"s\d+|\w+", c["lastUserMessage"]).group() for c in stack.journal())
    assert {calls[f"s{n}"] for n in range(STREAMS)} == {1}
    return calls


def doctor_names(stack, router, condition, topic):
    done = stack.cli("doctor", "--json", check=False,
                     environment={"TOKENRAIL_DOCTOR_ROUTERS": f"http://127.0.0.1:{router.port}"})
    said = [json.loads(line) for line in done.stdout.splitlines()]
    found = [f for f in said if f["part"] == f"router http://127.0.0.1:{router.port}" and f["text"].startswith(condition)]
    assert done.returncode == 1 and len(found) == 1 and topic in found[0]["text"], done.stdout
    assert found[0]["verdict"] == "bad" and found[0]["remedy"], found


def metric(router, name):
    return [line for line in router.metrics().splitlines() if line.startswith(name)]


def test_refused_chunk_ends_its_request_alone(make_stack, limit):
    stack = make_stack()
    router, = stack.whole()
    router.wait_ready()
    chunks = Log(stack, "chat.chunks")
    streams(stack, chunks)
    before = limit(stack, "chat.chunks", 2_000)
    stack.ask("large", "large [[sim tokens=2000 pace=0]]", key="large", stream=False)
    stack.flush()
    chunks.wait("the refused request ends", done("large"))
    end = by_request(chunks.values(), "large")[-1]
    assert end["error"]["code"] == "RESPONSE_TOO_LARGE"
    assert "chat.chunks" in end["error"]["message"] and "max.message.bytes" in end["error"]["message"]
    assert "chat.chunks" in router.readyz()[1]
    doctor_names(stack, router, "outputs", "chat.chunks")
    assert metric(router, "tokenrail_router_records_refused_total")
    calls = each_ran_once(stack, chunks)
    assert calls["large"] == 1
    limit(stack, "chat.chunks", before)


def test_refused_audit_event_is_written_smaller(make_stack, limit):
    stack = make_stack(settings={"TOKENRAIL_AUDIT_CONTENT": "full"})
    router, = stack.whole()
    router.wait_ready()
    chunks = Log(stack, "chat.chunks")
    streams(stack, chunks)
    before = limit(stack, "llm.audit", 4_000)
    stack.ask("large", "large " + "x" * 20_000, key="large")
    stack.flush()
    chunks.wait("the request with the large event is answered", done("large"))
    assert by_request(chunks.values(), "large")[-1]["finishReason"] == "stop"
    calls = each_ran_once(stack, chunks)
    assert calls["large"] == 1
    limit(stack, "llm.audit", before)


def test_refused_dead_letter_waits(make_stack, limit):
    stack = make_stack()
    router, = stack.whole()
    router.wait_ready()
    chunks = Log(stack, "chat.chunks")
    streams(stack, chunks)
    before = limit(stack, "chat.requests.dlq", 100)
    stack.produce(b"this is no JSON", key="broken")
    stack.flush()
    wait_until("the router says that a dead letter waits",
               lambda: "chat.requests.dlq" in router.readyz()[1]
               and "tokenrail_router_dead_letters_waiting 1" in router.metrics())
    doctor_names(stack, router, "dead_letters", "chat.requests.dlq")
    each_ran_once(stack, chunks)
    limit(stack, "chat.requests.dlq", before)
    letters = Log(stack, "chat.requests.dlq")
    wait_until("the dead letter is written", lambda: letters.poll(), 120)
    assert len(letters.records) == 1
    wait_until("nothing waits any more", lambda: "tokenrail_router_dead_letters_waiting 0" in router.metrics())
