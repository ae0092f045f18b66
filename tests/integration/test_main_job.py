"""The main job end to end: requests in on Kafka, chunks and audit out."""

import json
import pathlib
import random
import signal
import subprocess

from stack import Log, answers, finished, http_get, http_post, text_of, wait_until


def by_request(values, request_id):
    return [v for v in values if v.get("requestId") == request_id]


def done(request_id):
    return lambda values: finished(by_request(values, request_id))


def test_with_nothing_but_kcat_one_json_line_is_answered(make_stack):
    stack = make_stack()
    router, = stack.whole()
    router.wait_ready()
    chunks, audit = Log(stack, "chat.chunks"), Log(stack, "llm.audit")
    requests = {
        "plain": {"requestId": "plain", "orgId": "acme", "modelProvider": "ollama", "modelName": "sim-chat:1b",
                  "messages": [{"role": "user", "content": "hello"}]},
        "no-model": {"requestId": "no-model", "orgId": "acme", "messages": [{"role": "user", "content": "hello"}]},
        "unknown": {"requestId": "unknown", "orgId": "acme", "modelProvider": "ollama", "modelName": "no-such-model",
                    "messages": [{"role": "user", "content": "hello"}]},
        "whole": {"requestId": "whole", "orgId": "acme", "stream": False, "messages": [{"role": "user", "content": "hello"}]},
    }
    lines = "".join(json.dumps(r) + "\n" for r in requests.values())
    subprocess.run(["kcat", "-P", "-b", stack.kafka, "-t", stack.topic("chat.requests")], input=lines, text=True,
                   check=True, timeout=120)
    for name in requests:
        chunks.wait(f"terminal chunk of {name}", done(name))
    audit.wait("all responses", lambda v: sum(1 for e in v if e["type"] == "llm.response") == len(requests))

    said = {name: by_request(chunks.values(), name) for name in requests}
    for name, pieces in said.items():
        assert [c["seq"] for c in pieces] == list(range(len(pieces))), name
        assert [c["done"] for c in pieces] == [False] * (len(pieces) - 1) + [True], name
        events = by_request(audit.values(), name)
        assert [e["type"] for e in events] == ["llm.request", "llm.response"], name
        assert events[0]["attempt"] == events[1]["attempt"] == pieces[0]["attempt"]
    told = {c["lastUserMessage"]: c["text"] for c in stack.journal()}
    assert text_of(said["plain"]) == text_of(said["no-model"]) == text_of(said["whole"]) == told["hello"] != ""
    assert len(said["plain"]) > 2
    assert len(said["whole"]) == 2
    assert said["unknown"][0]["error"]["code"] == "MODEL_NOT_FOUND"
    assert said["unknown"][0]["delta"] is None
    assert said["plain"][-1]["usage"]["outputTokens"] > 0


def test_a_line_that_is_not_json_is_dead_lettered_byte_for_byte(make_stack):
    stack = make_stack()
    stack.whole()[0].wait_ready()
    nonsense = b"\x00\xff this is { not JSON \r\n\t"
    stack.produce(nonsense, key="k", headers=[("mine", b"\x01\x02")])
    stack.produce(None, key="null-value")
    stack.produce({"orgId": "acme", "messages": []}, key="no-id")
    stack.flush()
    letters = Log(stack, "chat.requests.dlq")
    wait_until("three dead letters", lambda: len(letters.poll()) == 3)
    record = next(r for r in letters.records if r.key() == b"k")
    assert record.value() == nonsense
    headers = dict(record.headers())
    assert headers["mine"] == b"\x01\x02"
    assert headers["kafka_dlt-original-topic"].decode() == stack.topic("chat.requests")
    assert "JSON" in headers["kafka_dlt-exception-message"].decode()
    assert next(r for r in letters.records if r.key() == b"null-value").value() is None


def test_tools_images_thinking_and_traces_go_through(make_stack):
    stack = make_stack()
    stack.whole()[0].wait_ready()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    stack.produce({"requestId": "tools", "orgId": "acme", "reasoning": True,
                   "messages": [{"role": "user", "content": "call it [[sim tool=auto tokens=3]]"}],
                   "tools": [{"name": "weather", "description": "d", "parameters": {"type": "object"}}]},
                  headers=[("traceparent", trace.encode())])
    stack.flush()
    chunks = Log(stack, "chat.chunks")
    chunks.wait("terminal chunk", done("tools"))
    pieces = by_request(chunks.values(), "tools")
    assert pieces[-1]["finishReason"] == "tool_calls"
    calls = [c for p in pieces for c in p.get("toolCalls", [])]
    assert calls[0]["name"] == "weather" and isinstance(calls[0]["arguments"], str)
    assert any(p.get("reasoning") for p in pieces)
    assert stack.journal()[0]["traceparent"] == trace
    for record in (chunks.records[0], chunks.records[-1]):
        assert dict(record.headers())["traceparent"].decode() == trace


def test_many_conversations_two_routers_one_killed(make_stack):
    """1,000 requests over 50 conversations with random pace and length; one of two routers dies half-way."""
    stack = make_stack(settings={"TOKENRAIL_KAFKA_SESSION_TIMEOUT_MS": "6000"})
    first, second = stack.whole(routers=2)
    first.wait_ready()
    second.wait_ready()
    chunks = Log(stack, "chat.chunks")
    draw = random.Random(7)
    asked = []
    for n in range(1000):
        key = f"conversation-{draw.randrange(50)}"
        request_id = f"r{n:04}"
        asked.append((request_id, key))
        text = f"{request_id} [[sim tokens={draw.randint(1, 30)} pace=0-{draw.randint(1, 20)}]]"
        stack.ask(request_id, text, key=key, metadata={"conversationId": key})
    stack.flush()
    chunks.wait("half of the answers", lambda v: sum(1 for c in v if c["done"]) >= 500, 300)
    first.kill()
    chunks.wait("an answer to each",
                lambda v: len({c["requestId"] for c in v if c["done"]}) == len(asked), 300)
    stack.processes.remove(first)

    values = chunks.values()
    told = {c["lastUserMessage"].split()[0]: c["text"] for c in stack.journal() if c["ending"] == "complete"}
    for (_, request_id), pieces in answers(values).items():
        assert [c["seq"] for c in pieces] == list(range(len(pieces))), request_id
        assert finished(pieces), request_id
        assert text_of(pieces) == told[request_id], request_id
    attempts = {}
    for c in values:
        attempts.setdefault((c["requestId"], c["attempt"]), []).append(c["seq"])
    for attempt, seqs in attempts.items():
        assert seqs == list(range(len(seqs))), attempt

    # Per conversation the first terminal chunks come in the order in which the requests were sent.
    order = {}
    for position, record in enumerate(chunks.records):
        chunk = json.loads(record.value())
        if chunk["done"]:
            order.setdefault(chunk["requestId"], (record.partition(), record.offset()))
    for key in {k for _, k in asked}:
        ends = [order[request_id] for request_id, k in asked if k == key]
        assert ends == sorted(ends), key
    assert second.stop() == 0


def test_sigterm_finishes_what_runs(make_stack):
    stack = make_stack()
    router, = stack.whole()
    router.wait_ready()
    chunks = Log(stack, "chat.chunks")
    for n in range(20):
        stack.ask(f"r{n}", f"r{n} [[sim tokens=40 pace=50]]", key=f"k{n}")
    stack.flush()
    chunks.wait("all have begun", lambda v: len({c["requestId"] for c in v}) == 20)
    assert router.stop() == 0
    chunks.catch_up()
    assert all(finished(p) for p in answers(chunks.values()).values())
    assert len(stack.journal()) == 20
    later = stack.router().wait_ready()
    stack.ask("after", "after", key="k-after")
    stack.flush()
    chunks.wait("the next router answers", done("after"))
    assert len(stack.journal()) == 21, "nothing ran twice"
    assert later.stop() == 0


def test_a_router_without_topics_waits_and_names_the_command(make_stack):
    stack = make_stack()
    elsewhere = {"TOKENRAIL_TOPIC_PREFIX": stack.prefix + "nowhere."}
    router = stack.router(**elsewhere)
    wait_until("it says what is missing", lambda: "tokenrail topics apply" in router.readyz()[1])
    assert router.readyz()[0] == 503
    assert "nowhere.chat.requests does not exist; run: tokenrail topics apply" in router.text()
    stack.simulator()
    stack.cli("topics", "apply", environment=elsewhere)
    stack.sync(**elsewhere).wait_ready()
    router.wait_ready()
    assert router.text().count("nowhere.chat.requests does not exist") == 1


def test_a_wrong_setting_stops_the_start_and_is_named(make_stack):
    stack = make_stack()
    router = stack.router(TOKENRAIL_ROUTER_IN_FLIGHT_MAX="many")
    assert router.wait() == 2
    assert "many" in router.text() and "in_flight_max" in router.text().lower().replace("-", "_")
    stack.processes.remove(router)
