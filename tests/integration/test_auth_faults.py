"""Stored keys that go in the query, as Basic, and in a further header beside the key, with every fault of
test_gateway_faults.py. Each request ends as the fault has it, and no key is found anywhere."""

import base64
import hashlib

import pytest

from simulator_words import answer
from stack import Log, answers, finished, http_post, text_of, wait_until
from test_auth_types import forms
from test_gateway_faults import FAULTS, NAME, QUOTES_KEY, journal, store_connections
from test_stored_credentials import everything_said

# The simulator quotes the last of these that it knows: the key in the query `key`, Authorization, and the header api-key.
KINDS = {
    "query": {"provider": "openai-compatible", "auth": "query", "auth_name": "key", "key": "canary/query+81d0a6"},
    "basic": {"provider": "vllm", "auth": "basic", "auth_name": "anna", "key": "canary/basic+c93f17"},
    "header": {"provider": "llamacpp", "auth": "header", "auth_name": "X-Acme-Key", "key": "canary/header+05be72",
               "headers": {"api-key": "canary/further+6a44c8"}},
}
# How a request ends that has no fallback. A model without a fault, and those that are there for fallbacks, are left out.
ENDS = {"429-once": None, "429-always": "PROVIDER_RATE_LIMITED", "500-once": None, "503-always": "PROVIDER_UNAVAILABLE",
        "reset-once": None, "silent": "PROVIDER_TIMEOUT", "slow": None, "too-slow": "PROVIDER_TIMEOUT",
        "cut": "PROVIDER_UNAVAILABLE", "stall": "PROVIDER_TIMEOUT", "garbled": None, "no-end": None,
        "too-long": "CONTEXT_TOO_LONG", "filtered": "CONTENT_FILTERED", "flap": None, "quotes-key": "PROVIDER_AUTH",
        "quotes-key-late": "PROVIDER_UNAVAILABLE"}
LEFT_OUT = {"503-whole", "503-prefill", "no-prefill", "spare"}


@pytest.fixture(name="stack")
def running_stack(make_stack):
    stack = make_stack(settings={"TOKENRAIL_ROUTER_FIRST_TOKEN_TIMEOUT": "8s", "TOKENRAIL_ROUTER_IDLE_TIMEOUT": "8s"})
    ring = store_connections(stack, [{"name": name, "url": stack.simulator_url + "/v1", **kind} for name, kind in KINDS.items()])
    stack.simulator()
    http_post(stack.simulator_url + "/_sim/script", {
        "models": [NAME + fault for fault in ENDS],
        "rules": [{"model": NAME + fault, "behaviour": FAULTS[fault]} for fault in ENDS]})
    stack.sync(**ring).wait_ready()
    wanted = {(kind["provider"], NAME + fault) for kind in KINDS.values() for fault in ENDS}
    wait_until("the models are listed", lambda: wanted <= {
        tuple(row) for row in stack.sql("SELECT provider, model_name FROM model WHERE enabled")})
    wait_until("the models are published",
               lambda: stack.sql("SELECT count(*) FROM outbox WHERE published_at IS NULL")[0][0] == 0)
    stack.router(**ring).wait_ready()
    return stack


def test_no_fault_shows_a_key_of_any_auth_type(stack):
    assert set(ENDS) | LEFT_OUT == set(FAULTS)
    chunks = Log(stack, "chat.chunks")

    def ends(faults):
        names = {f"{kind}-{fault}": fault for kind in KINDS for fault in faults}
        for kind, about in KINDS.items():
            for fault in faults:
                name = f"{kind}-{fault}"
                stack.ask(name, f"{name} [[sim id={name}]]", key=name, modelProvider=about["provider"], modelName=NAME + fault)
        stack.flush()

        def said(values, name):
            return answers([v for v in values if v["requestId"] == name]).get(("acme", name), [])
        chunks.wait(f"ends of {list(faults)}", lambda values: all(finished(said(values, name)) for name in names))
        for name, fault in names.items():
            one = said(chunks.values(), name)
            assert one[-1].get("error", {}).get("code") == ENDS[fault], (name, one[-1])
            if ENDS[fault] is None:
                assert text_of(one) == answer(name, 12)
    # A connection whose key was refused is not asked again for a while.
    ends([fault for fault in ENDS if fault not in QUOTES_KEY])
    ends(QUOTES_KEY)

    sent = {call["authorizationSha256"] for call in journal(stack)}
    basic = base64.b64encode(f"anna:{KINDS['basic']['key']}".encode()).decode()
    further = KINDS["header"]["headers"]["api-key"]
    for place in (KINDS["query"]["key"], "Basic " + basic, further):
        assert hashlib.sha256(place.encode()).hexdigest() in sent, place

    texts = [*everything_said(stack), *(process.out.read_text(errors="replace") for process in stack.processes)]
    # What was said beside the keys is there: the search looks where they would be.
    assert any("is wrong" in text for text in texts) and any("has expired" in text for text in texts)
    secrets = [*KINDS.values(), {**KINDS["header"], "key": further}]
    for form in {form for kind in secrets for form in forms(kind)}:
        for text in texts:
            found = text.find(form)
            assert found < 0, f"{form} is in: …{text[max(0, found - 300):found + 80]}"
