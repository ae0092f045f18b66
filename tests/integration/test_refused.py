"""A topic does not take what a running router writes: its limit was lowered, it was deleted, or the right to write was taken
away. A request whose record is refused for good ends; what may be written later waits; the others run once and to their
end."""

import collections
import json
import os
import re
import secrets

import confluent_kafka.admin
import pytest

from conftest import required
from secured_kafka import SecuredKafka
from stack import Log, Stack, apply_config, finished, wait_until
from test_main_job import by_request, done
from test_secured import DEFAULT_GROUP, acls_of

STREAMS = int(os.environ.get("TOKENRAIL_TEST_REFUSED_STREAMS", "20"))
PACE = 200
TOKENS = int(os.environ.get("TOKENRAIL_TEST_REFUSED_STREAM_SECONDS", "8")) * 1000 // PACE


@pytest.fixture
def limit():
    """Sets max.message.bytes of a topic, under everything that runs."""
    def set_limit(stack, name, bytes_max):
        return int(apply_config(stack, name, max_message_bytes=bytes_max)["max.message.bytes"])
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
    def found():
        """Nothing where a part did not answer within the few seconds that doctor gives it."""
        done = stack.cli("doctor", "--json", check=False,
                         environment={"TOKENRAIL_DOCTOR_ROUTERS": f"http://127.0.0.1:{router.port}"})
        assert done.returncode == 1, done.stdout
        said = [json.loads(line) for line in done.stdout.splitlines()]
        return [f for f in said if f["part"] == f"router http://127.0.0.1:{router.port}" and f["text"].startswith(condition)]
    finding, = wait_until(f"doctor names {condition}", found)
    assert topic in finding["text"] and finding["verdict"] == "bad" and finding["remedy"], finding


def metric(router, name):
    return [line for line in router.metrics().splitlines() if line.startswith(name)]


def refused_records(stack, router, topic):
    lines = metric(router, f'tokenrail_router_records_refused_total{{topic="{stack.topic(topic)}"}}')
    return int(lines[0].rsplit(" ", 1)[1]) if lines else 0


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
    assert refused_records(stack, router, "chat.chunks") >= 1
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
    wait_until("the router names the topic", lambda: stack.topic("llm.audit") in router.readyz()[1])
    doctor_names(stack, router, "outputs", "llm.audit")
    assert refused_records(stack, router, "llm.audit") >= 1
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
    wait_until("the dead letter is written", lambda: letters.poll())
    assert len(letters.records) == 1
    wait_until("nothing waits any more", lambda: "tokenrail_router_dead_letters_waiting 0" in router.metrics())


def test_batches_stay_below_the_limit_that_the_topic_had_at_the_start(make_stack, limit):
    stack = make_stack(partitions=1, settings={"TOKENRAIL_ROUTER_RECORD_BYTES_MAX": "16KiB"})
    limit(stack, "chat.chunks", 33_000)
    # Batches of up to a megabyte, if nothing keeps them below the topic's limit.
    router, = stack.whole(TOKENRAIL_KAFKA_LINGER_MS="100", TOKENRAIL_KAFKA_BATCH_SIZE="1000000")
    router.wait_ready()
    chunks = Log(stack, "chat.chunks")
    names = [f"s{n}" for n in range(8)]
    for name in names:
        stack.ask(name, f"{name} [[sim tokens=500 pace=0]]", key=name)
    stack.flush()
    chunks.wait("every answer", lambda v: all(finished(by_request(v, name)) for name in names))
    assert {by_request(chunks.values(), name)[-1]["finishReason"] for name in names} == {"stop"}
    replaced = metric(router, f'kafka_producer_clients_replaced_total{{topic="{stack.topic("chat.chunks")}"}}')
    assert [line.rsplit(" ", 1)[1] for line in replaced] in ([], ["0"]), replaced


def test_dead_letter_waits_for_a_topic_that_was_deleted(make_stack):
    stack = make_stack()
    router, = stack.whole()
    router.wait_ready()
    chunks = Log(stack, "chat.chunks")
    streams(stack, chunks)
    name = stack.topic("chat.requests.dlq")
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": stack.kafka})
    admin.delete_topics([name], operation_timeout=20)[name].result(20)
    stack.produce(b"this is no JSON", key="broken")
    stack.flush()
    wait_until("the router says that a dead letter waits",
               lambda: "chat.requests.dlq" in router.readyz()[1]
               and "tokenrail_router_dead_letters_waiting 1" in router.metrics())
    wait_until("doctor names the topic", lambda: "chat.requests.dlq" in stack.cli("doctor", check=False).stdout)
    each_ran_once(stack, chunks)
    stack.cli("topics", "apply")
    letters = Log(stack, "chat.requests.dlq")
    wait_until("the dead letter is written", lambda: letters.poll())
    wait_until("nothing waits any more", lambda: "tokenrail_router_dead_letters_waiting 0" in router.metrics())
    assert len(letters.poll()) == 1


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    broker = SecuredKafka(tmp_path_factory.mktemp("secured"), required("TOKENRAIL_TEST_KAFKA_DISTRIBUTION"))
    yield broker
    broker.close()


@pytest.fixture
def secured_stack(secured, tmp_path):
    """A stack on that broker whose routers are the user router, and the rights of that user."""
    name = "t" + secrets.token_hex(4)
    stack = Stack(tmp_path, secured.inner, required("TOKENRAIL_TEST_DATABASE_URL"), required("TOKENRAIL_TEST_BIN_DIR"),
                  name=name, settings=DEFAULT_GROUP)
    rights = acls_of("router", "router", name + ".")
    secured.acls.add(rights)
    yield stack, rights
    for process in stack.processes:
        assert "Sanitizer" not in process.text(), process.text()[-6000:]
    stack.close()


@pytest.mark.parametrize("topic", ["chat.chunks", "llm.audit", "chat.requests.dlq"])
def test_what_may_not_be_written_waits_for_the_right(secured, secured_stack, topic):
    stack, rights = secured_stack
    router, = stack.whole(**secured.settings_of("router"))
    router.wait_ready()
    chunks = Log(stack, "chat.chunks")
    streams(stack, chunks)
    right, = (r for r in rights if r["operation"] == "Write" and r["name"] == stack.topic(topic))
    secured.acls.remove(right)
    stack.produce(b"this is no JSON", key="broken")
    stack.ask("beside", "beside", key="beside")
    stack.flush()
    wait_until("the router names right and topic",
               lambda: f"the right WRITE on the topic {stack.topic(topic)} is missing" in router.readyz()[1])
    doctor_names(stack, router, "outputs", topic)
    if topic == "chat.requests.dlq":
        wait_until("a dead letter waits", lambda: "tokenrail_router_dead_letters_waiting 1" in router.metrics())
        each_ran_once(stack, chunks)
    secured.acls.add([right])
    letters = Log(stack, "chat.requests.dlq")
    wait_until("the dead letter is written", lambda: letters.poll())
    chunks.wait("the request beside them", done("beside"))
    calls = each_ran_once(stack, chunks)
    assert calls["beside"] == 1
    wait_until("nothing is wrong any more", lambda: router.readyz()[0] == 200)
    assert router.stop() == 0
    stack.verify()
