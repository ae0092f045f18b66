"""Answers that break off and are continued by servers that go on only where the request asks for it: vLLM by a switch beside the
messages, Mistral by a mark of the last message, whose text its answer repeats. No character is lost, and none comes twice."""

import json

import pytest

from simulator_words import answer
from stack import Log, answers, finished, http_get, http_post, text_of, wait_until

NAME = "goes-on-where-asked"
FAULTS = {"cut": "close-after:40", "stall": "hang-after:40"}


@pytest.fixture(scope="module", name="stack")
def running_stack(make_shared_stack):
    stack = make_shared_stack(settings={"MISTRAL_API_KEY": "canary-mistral-41c7", "TOKENRAIL_ROUTER_IDLE_TIMEOUT": "5s"})
    url = stack.simulator_url
    stack.environment.update({"MISTRAL_BASE_URL": url + "/v1"})
    stack.simulator()
    rules = [{"model": f"{NAME}-{fault}", "behaviour": {"tokens": 60, "fault": word, "times": 1, "continues": "asked"}}
             for fault, word in FAULTS.items()]
    http_post(url + "/_sim/script", {"models": [f"{NAME}-{fault}" for fault in FAULTS], "rules": rules})
    stack.cli("org", "create", "acme")
    stack.cli("connections", "add", "own", "--org", "acme", "--provider", "vllm", "--base-url", url + "/v1")
    for fault in FAULTS:
        stack.cli("registry", "add", f"vllm/{NAME}-{fault}", "--org", "acme", "--connection", "own")
    stack.sync().wait_ready()
    stack.router().wait_ready()
    wanted = {(provider, f"{NAME}-{fault}") for provider in ("vllm", "mistral") for fault in FAULTS}
    wait_until("the models are there", lambda: wanted <= {
        tuple(row) for row in stack.sql("SELECT provider, model_name FROM model WHERE enabled")})
    wait_until("the outbox is published",
               lambda: stack.sql("SELECT count(*) FROM outbox WHERE published_at IS NULL")[0][0] == 0)
    return stack


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("provider", ("vllm", "mistral"))
def test_a_server_that_is_asked_to_goes_on(stack, provider, fault):
    name = f"{provider}-{fault}"
    chunks, audit = Log(stack, "chat.chunks"), Log(stack, "llm.audit")
    stack.ask(name, f"{name} [[sim id={name}]]", key=name, modelProvider=provider, modelName=f"{NAME}-{fault}",
              onInterrupt="continue")

    def found(values):
        return answers([v for v in values if v["requestId"] == name]).get(("acme", name), [])
    chunks.wait("the end", lambda values: finished(found(values)))
    said = found(chunks.values())
    assert said[-1]["finishReason"] == "stop", said[-1]
    assert said[-1]["continued"] == 1
    assert text_of(said) == answer(name, 60)
    audit.wait("the record", lambda values: any(
        v["type"] == "llm.response" and v["requestId"] == name for v in values))
    responses = [v for v in audit.values() if v["type"] == "llm.response" and v["requestId"] == name]
    assert [len(r["calls"]) for r in responses] == [2], responses
    seen = json.loads(http_get(stack.simulator_url + "/_sim/journal?limit=1000")[1])["calls"]
    assert [c["status"] for c in seen if c["id"] == name] == [200, 200]
