"""What an administrator tries on the web page: a question to a model, answered by a real router over a real Kafka, and a
sync whose progress is streamed."""

import http.client
import json
import urllib.parse

import pytest

from registry_world import World
from stack import Log, free_port, text_of


@pytest.fixture(scope="module")
def world(make_shared_stack, tmp_path_factory):
    stack = make_shared_stack()
    made = World(stack, tmp_path_factory.mktemp("api"))
    stack.router().wait_ready()
    return made


class Events:
    """The server-sent events of one reply."""

    def __init__(self, api, method, path, body=None):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(api.url).netloc, timeout=60)
        headers = {"Authorization": f"Bearer {api.token}", "Accept": "text/event-stream"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        self.answer = self.connection.getresponse()
        self.status = self.answer.status

    def __iter__(self):
        name, data = None, None
        while line := self.answer.readline():
            line = line.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif not line and name:
                yield name, data
                name, data = None, None

    def close(self):
        self.answer.close()
        self.connection.close()


def question(text, **params):
    return {"model": "ollama/sim-chat:1b", "messages": [{"role": "user", "content": text}], "params": params}


def test_answer_is_streamed_as_it_comes(world):
    member = world.api("acme", "member")
    log = Log(world.stack, "chat.chunks")
    events = Events(member, "POST", "/v1/orgs/acme/chat", question("hello [[sim tokens=20 pace=5]]", temperature=0.1))
    assert events.status == 200
    assert events.answer.headers["Content-Type"] == "text/event-stream"
    seen = list(events)
    assert [name for name, _ in seen] == ["chunk"] * (len(seen) - 1) + ["done"]
    chunks = [data for name, data in seen if name == "chunk"]
    assert len(chunks) > 2 and chunks[-1]["done"] and chunks[-1]["finishReason"] == "stop"
    assert {c["orgId"] for c in chunks} == {"acme"}
    # They are the records of the topic.
    request = chunks[0]["requestId"]
    on_topic = log.wait("the answer on the topic", lambda v: [c for c in v if c["requestId"] == request and c["done"]])
    assert on_topic[-1] == chunks[-1]
    assert text_of(chunks) == text_of([c for c in log.values() if c["requestId"] == request])
    log.close()


def test_organisation_and_user_are_those_of_the_caller(world):
    member = world.api("acme", "member")
    audit = Log(world.stack, "llm.audit")
    events = Events(member, "POST", "/v1/orgs/acme/chat", question("who"))
    request = [data for name, data in events if name == "chunk"][0]["requestId"]
    entry = audit.wait("the audit event", lambda v: [e for e in v if e.get("requestId") == request
                                                     and e["type"] == "llm.request"])[0]
    assert (entry["orgId"], entry["userId"]) == ("acme", "member@acme")
    audit.close()
    refused = member.refused("POST", "/v1/orgs/acme/chat", 400, "INVALID_BODY", question("x", orgId="beta"))
    assert refused["errors"][0]["pointer"] == "/params/orgId"
    assert member.refused("POST", "/v1/orgs/beta/chat", 404, "NOT_FOUND", question("x"))
    assert world.api("acme", "viewer").refused("POST", "/v1/orgs/acme/chat", 403, "FORBIDDEN", question("x"))


def test_failure_of_a_model_is_an_answer(world):
    events = Events(world.api("acme", "member"), "POST", "/v1/orgs/acme/chat",
                    {**question("x"), "model": "ollama/no-such-model"})
    seen = list(events)
    assert [name for name, _ in seen] == ["chunk", "done"]
    assert seen[0][1]["finishReason"] == "error" and seen[0][1]["error"]["code"] == "MODEL_NOT_FOUND"


def test_reader_that_goes_away_cancels_the_request(world):
    log = Log(world.stack, "chat.chunks")
    events = Events(world.api("acme", "member"), "POST", "/v1/orgs/acme/chat",
                    question("for ever [[sim fault=endless pace=20]]"))
    name, chunk = next(iter(events))
    assert name == "chunk"
    events.close()
    log.wait("the request is cancelled", lambda v: any(
        c["requestId"] == chunk["requestId"] and c["done"] and c["finishReason"] == "cancelled" for c in v))
    log.close()


def test_one_caller_cannot_take_every_place(world):
    member = world.api("acme", "member")
    slow = [Events(member, "POST", "/v1/orgs/acme/chat", question(f"{n} [[sim fault=endless pace=50]]"))
            for n in range(4)]
    assert [e.status for e in slow] == [200] * 4
    assert member.refused("POST", "/v1/orgs/acme/chat", 429, "RATE_LIMITED", question("fifth"))
    other = Events(world.api("acme", "model_admin"), "POST", "/v1/orgs/acme/chat", question("another caller"))
    assert list(other)[-1][0] == "done"
    for events in slow:
        events.close()


def test_missing_kafka_is_a_problem_and_harms_nothing_else(world):
    _, url = world.start(TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{free_port()}")
    member = world.api("acme", "member", url)
    refused = member.refused("POST", "/v1/orgs/acme/chat", 503, "UNAVAILABLE", question("x"))
    assert refused["retryable"]
    assert member.ok("GET", "/v1/orgs/acme/models")["total_size"] >= 1


def test_sync_is_an_operation_with_progress(world):
    root = world.root
    connection = root.ok("GET", "/v1/orgs/_/connections")["data"][0]
    status, asked, headers = root.call("POST", f"/v1/orgs/_/connections/{connection['id']}:sync")
    assert status == 202 and asked["state"] == "running"
    path = headers["Location"]
    assert path == f"/v1/orgs/_/operations/{asked['id']}"
    seen = list(Events(root, "GET", path))
    assert {name for name, _ in seen[:-1]} <= {"progress"} and seen[-1][0] == "done"
    done = seen[-1][1]
    assert (done["id"], done["kind"], done["state"]) == (asked["id"], "sync", "done")
    assert done["progress"]["phase"] == "finished" and done["result"]["runs"][0]["status"] == "ok"
    assert root.ok("GET", path) == done
    # An operation of another organisation is not there.
    assert world.api("acme", "org_admin").refused("GET", f"/v1/orgs/acme/operations/{asked['id']}", 404, "NOT_FOUND")
    assert root.refused("GET", "/v1/orgs/_/operations/none", 404, "NOT_FOUND")
