"""The main job against a real LLM server, in three wire formats: keys and base URLs come from the environment, models from
the server's own list."""

import json

import pytest

import real_llm
from stack import Log, finished, http_get, text_of, wait_until
from test_stored_credentials import everything_said

KEY = "sk-canary-5f1d0c7e9a"


def by_request(values, request_id):
    return [v for v in values if v.get("requestId") == request_id]


@pytest.fixture(scope="module")
def llm(tmp_path_factory):
    if not (real_llm.folder() / "llama_serve.py").exists():
        pytest.skip(f"there is no LLM server at {real_llm.folder()}; TOKENRAIL_TEST_REAL_LLM names its folder")
    server = real_llm.RealLlm(tmp_path_factory.mktemp("llm"))
    yield server
    server.stop()


def add_responses(stack, llm):
    """A connection of acme to the server's Responses API, with a stored key."""
    ring = str(stack.folder / "keyring.json")
    stack.cli("keys", "create", ring)
    stack.cli("org", "create", "acme")
    stack.cli("credentials", "put", "main", "--org", "acme", "--provider", "openai-responses", stdin=KEY,
              environment={"TOKENRAIL_KEYRING_FILE": ring})
    stack.cli("connections", "add", "own", "--org", "acme", "--provider", "openai-responses", "--base-url", llm.url + "/v1",
              "--credential", "main", "--auth", "bearer")
    stack.cli("registry", "add", "openai-responses/tiny", "--org", "acme", "--connection", "own")
    return {"TOKENRAIL_KEYRING_FILE": ring}


def wait_published(stack):
    wait_until("the outbox is published",
               lambda: stack.sql("SELECT count(*) FROM outbox WHERE published_at IS NULL")[0][0] == 0)


def connected(make_stack, llm, responses=False):
    """A stack whose environment names the server under three providers. `responses`: a stored connection names it too."""
    stack = make_stack(settings={
        "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": llm.url + "/v1",
        "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": llm.url,
        "OPENAI_COMPATIBLE_BASE_URL": llm.url,
        "TOKENRAIL_MODELS": "openai/by-hand",
    })
    ring = add_responses(stack, llm) if responses else {}
    stack.simulator()
    stack.sync().wait_ready()
    wait_published(stack)
    stack.router(**ring).wait_ready()
    return stack


def models(stack):
    return {tuple(row) for row in stack.sql("SELECT provider, model_name FROM model WHERE enabled")}


def ask(stack, request_id, provider, text="hello", tokens=12, **fields):
    stack.ask(request_id, text, key=request_id, modelProvider=provider, modelName="tiny", maxTokens=tokens, **fields)


def test_three_wire_formats_stream_from_one_server(make_stack, llm):
    stack = connected(make_stack, llm)
    wanted = {("openai", "tiny"), ("anthropic", "tiny"), ("openai-compatible", "tiny"), ("openai", "by-hand")}
    wait_until("the models are listed", lambda: wanted <= models(stack))
    chunks, audit = Log(stack, "chat.chunks"), Log(stack, "llm.audit")
    providers = ("openai", "anthropic", "openai-compatible")
    for provider in providers:
        for n in range(4):
            ask(stack, f"{provider}-{n}", provider, stream=n != 3)
    for provider in providers:
        for n in range(4):
            name = f"{provider}-{n}"
            chunks.wait(name, lambda v, name=name: finished(by_request(v, name)))
            said = by_request(chunks.values(), name)
            assert said[-1]["finishReason"] in ("stop", "length"), said[-1]
            assert said[-1]["model"]["provider"] == provider
            assert said[-1]["usage"]["outputTokens"] > 0
            assert text_of(said) != "" and (n == 3 or len(said) > 2), said
    audit.wait("every response", lambda v: sum(1 for e in v if e["type"] == "llm.response") == 12)
    stack.verify()
    everything = "".join(process.text() for process in stack.processes)
    for topic in ("chat.chunks", "llm.audit", "model_registry", "model_registry.events"):
        log = Log(stack, topic)
        log.poll(1)
        everything += "".join((r.value() or b"").decode(errors="replace") for r in log.records)
    everything += "".join(process.metrics() for process in stack.processes if hasattr(process, "metrics"))
    everything += json.dumps(stack.sql("SELECT row_to_json(connection) FROM connection"))
    assert KEY not in everything


def test_a_cancelled_stream_frees_its_slot_and_a_long_prompt_says_so(make_stack, llm):
    stack = connected(make_stack, llm, responses=True)
    providers = ("openai", "anthropic", "openai-responses")
    wait_until("the models are listed", lambda: {(provider, "tiny") for provider in providers} <= models(stack))
    chunks = Log(stack, "chat.chunks")
    for provider in providers:
        name = f"long-answer-{provider}"
        ask(stack, name, provider, tokens=100_000)
        chunks.wait("the first piece", lambda v, name=name: by_request(v, name))
        stack.produce({"requestId": name, "orgId": "acme"}, key=name, topic="chat.cancellations")
        chunks.wait("the end", lambda v, name=name: finished(by_request(v, name)))
        assert by_request(chunks.values(), name)[-1]["finishReason"] == "cancelled"
        wait_until("the slot is free", lambda: llm.busy_slots() == 0)

    for provider in providers:
        ask(stack, f"too-long-{provider}", provider, text="word " * 20_000)
    for provider in providers:
        name = f"too-long-{provider}"
        chunks.wait(name, lambda v, name=name: finished(by_request(v, name)))
        assert by_request(chunks.values(), name)[-1]["error"]["code"] == "CONTEXT_TOO_LONG"


def test_without_a_key_the_message_names_the_variable(make_stack, llm):
    stack = connected(make_stack, llm)
    wait_until("the models are listed", lambda: ("openai", "tiny") in models(stack))
    bare = stack.router(OPENAI_API_KEY="", OPENAI_BASE_URL="").wait_ready()
    stack.processes[-2].stop()
    chunks = Log(stack, "chat.chunks")
    ask(stack, "no-key", "openai")
    chunks.wait("the end", lambda v: finished(by_request(v, "no-key")))
    error = by_request(chunks.values(), "no-key")[-1]["error"]
    assert error["code"] == "CREDENTIAL_MISSING" and "OPENAI_API_KEY" in error["message"]
    assert http_get(f"http://127.0.0.1:{bare.port}/readyz")[0] == 200


def test_responses_api_streams_with_a_stored_key(make_stack, llm):
    stack = make_stack()
    ring = add_responses(stack, llm)
    stack.simulator()
    stack.sync().wait_ready()
    wait_published(stack)
    stack.router(**ring).wait_ready()
    chunks = Log(stack, "chat.chunks")
    for n in range(4):
        ask(stack, f"responses-{n}", "openai-responses", orgId="acme", stream=n != 3)
    for n in range(4):
        name = f"responses-{n}"
        chunks.wait(name, lambda v, name=name: finished(by_request(v, name)))
        said = by_request(chunks.values(), name)
        assert said[-1]["finishReason"] in ("stop", "length"), said[-1]
        assert said[-1]["usage"]["outputTokens"] > 0
        assert text_of(said) != "" and (n == 3 or len(said) > 2), said
    assert all(KEY not in text for text in everything_said(stack))
