"""Default parameters of a deployment, from the command of an administrator to the body that a provider gets."""

import json

from stack import Log, wait_until


def calls(stack):
    """The bodies that the provider got, in their order."""
    return [json.loads(call["request"]) for call in stack.journal()]


def answered(chunks, request):
    chunks.wait("the answer", lambda values: any(c["requestId"] == request and c["done"] for c in values))


def test_default_parameters_reach_the_provider_where_the_request_is_silent(make_stack):
    stack = make_stack()
    stack.whole()
    model = json.loads(stack.cli("registry", "list", "--json").stdout.splitlines()[0])
    name = f"{model['provider']}/{model['modelName']}"
    parameters = {"temperature": 0.25, "topK": 7, "maxTokens": 500, "stop": ["NEVER"], "numCtx": 2048,
                  "keepAlive": "10m"}
    refused = stack.cli("registry", "set-parameters", name, '{"temperature":3}', check=False)
    assert refused.returncode != 0 and "temperature must be a number from 0 to 2" in refused.stderr
    stack.cli("registry", "set-parameters", name, json.dumps(parameters))

    def seen_by_routers():
        listed = stack.cli("registry", "list", "--projection", "--json").stdout.splitlines()
        return any(row.get("parameters") for row in map(json.loads, listed))
    wait_until("the model is published", seen_by_routers)
    assert '"numCtx":2048' in stack.cli("registry", "list").stdout

    chunks, audit = Log(stack, "chat.chunks"), Log(stack, "llm.audit")
    fields = {"modelProvider": model["provider"], "modelName": model["modelName"]}

    # The router has its own reader of the topic: ask until its calls have them.
    bodies = []

    def called_with_defaults():
        request = f"silent-{len(bodies)}"
        stack.ask(request, **fields)
        stack.flush()
        answered(chunks, request)
        bodies.append(calls(stack)[-1])
        return bodies[-1].get("options", {}).get("temperature") == 0.25
    wait_until("a call with the defaults", called_with_defaults)
    assert bodies[-1]["options"] == {"temperature": 0.25, "top_k": 7, "num_predict": 500, "stop": ["NEVER"],
                                     "num_ctx": 2048}
    assert bodies[-1]["keep_alive"] == "10m"

    stack.ask("own", temperature=1, providerConfig={"ollama": {"options": {"num_ctx": 512}}}, **fields)
    stack.flush()
    answered(chunks, "own")
    options = calls(stack)[-1]["options"]
    assert options["temperature"] == 1 and options["num_ctx"] == 512 and options["top_k"] == 7

    def requests(values):
        return {v["requestId"]: v["parameters"] for v in values if v["type"] == "llm.request"}
    audit.wait("the audit event", lambda values: "own" in requests(values))
    assert requests(audit.values())["own"] == {"temperature": 1, "topK": 7, "maxTokens": 500, "stream": True}
