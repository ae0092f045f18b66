"""Stored credentials in every place that `authType` names, at providers that fail and quote the key in each way they can."""

import base64
import http.server
import json
import threading
import urllib.parse

import pytest

from stack import Log, wait_until
from test_stored_credentials import everything_said

CHAT = (b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"yes"},"finish_reason":"stop"}]}\n\n'
        b"data: [DONE]\n\n")
RESPONSES = (b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id":"i","output_index":0,'
             b'"content_index":0,"delta":"yes"}\n\nevent: response.completed\ndata: {"type":"response.completed","response":'
             b'{"id":"r","status":"completed","output":[{"id":"i","type":"message","role":"assistant","content":'
             b'[{"type":"output_text","text":"yes"}]}],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}}\n\n')

# A key of each connection; with characters that are sent in another form in a query.
KINDS = {
    "query": {"provider": "openai-compatible", "auth": "query", "auth_name": "api_key", "key": "canary/query+7d1c"},
    "basic": {"provider": "openai-compatible", "auth": "basic", "auth_name": "anna", "key": "canary/basic+52fe"},
    "azure": {"provider": "azure", "auth": "bearer", "auth_name": "", "key": "canary/azure+90ab"},
    "responses": {"provider": "openai-responses", "auth": "bearer", "auth_name": "", "key": "canary/responses+33cd"},
}
# What providers do, and how the request has to end.
FAULTS = {"refused": "PROVIDER_AUTH", "busy": "PROVIDER_UNAVAILABLE", "broken": "PROVIDER_UNAVAILABLE",
          "garbled": "PROVIDER_PROTOCOL", "redirect": "INVALID_MODEL_CONFIG"}


def forms(kind):
    """The key in each form in which it is sent or could be quoted."""
    key = kind["key"]
    return {key, urllib.parse.quote(key, safe=""), base64.b64encode(f"{kind['auth_name']}:{key}".encode()).decode()}


class Provider(http.server.BaseHTTPRequestHandler):
    """Speaks the OpenAI APIs. The request's text says what goes wrong."""

    protocol_version = "HTTP/1.1"
    seen = {}  # by kind: request line and Authorization of the last call

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, kind="application/json", **headers):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        kind = next(k for k in KINDS if f"kind-{k}" in body)
        Provider.seen[kind] = (self.path, self.headers["authorization"])
        quoted = f"{self.path} {self.headers['authorization']} {KINDS[kind]['key']}"
        error = json.dumps({"error": {"message": f"not so: {quoted}", "code": quoted}}).encode()
        if "refused" in body:
            self.answer(401, error)
        elif "busy" in body:
            self.answer(503, error)
        elif "redirect" in body:
            self.answer(307, error, location="/elsewhere?" + quoted.replace(" ", "%20"))
        elif "broken" in body:
            self.close_connection = True
        elif "garbled" in body:
            self.answer(200, f"data: {{{quoted}\n\ndata: [{quoted}\n\n".encode(), "text/event-stream")
        else:
            self.answer(200, RESPONSES if "/responses" in self.path else CHAT, "text/event-stream")


@pytest.fixture(name="provider")
def running_provider():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class World:
    """A stack whose organisation acme has a model on a connection of each kind, and one more whose server is gone."""

    def __init__(self, stack, url):
        self.stack = stack
        self.ring = str(stack.folder / "keyring.json")
        stack.cli("keys", "create", self.ring)
        stack.cli("org", "create", "acme")
        for name, kind in KINDS.items():
            stack.cli("credentials", "put", name, "--org", "acme", "--provider", kind["provider"], stdin=kind["key"],
                      environment={"TOKENRAIL_KEYRING_FILE": self.ring})
            for suffix, base in (("", url), ("-gone", "http://127.0.0.1:9")):
                named = ["--auth-name", kind["auth_name"]] if kind["auth_name"] else []
                stack.cli("connections", "add", name + suffix, "--org", "acme", "--provider", kind["provider"], "--base-url",
                          base, "--credential", name, "--auth", kind["auth"], *named)
                stack.cli("registry", "add", f"{kind['provider']}/{name}{suffix}", "--org", "acme", "--connection",
                          name + suffix)

    def ask(self, name, model, text):
        self.stack.produce({"requestId": name, "orgId": "acme", "modelProvider": KINDS[model.removesuffix("-gone")]["provider"],
                            "modelName": model, "messages": [{"role": "user", "content": text}]}, key=name)


def test_every_auth_type_carries_its_key_and_shows_it_nowhere(make_stack, provider):
    stack = make_stack(settings={"TOKENRAIL_ROUTER_CALLS_MAX": "1"})
    world = World(stack, provider)
    stack.simulator()
    stack.sync().wait_ready()
    wait_until("the outbox is published",
               lambda: stack.sql("SELECT count(*) FROM outbox WHERE published_at IS NULL")[0][0] == 0)
    stack.router(TOKENRAIL_KEYRING_FILE=world.ring).wait_ready()
    chunks = Log(stack, "chat.chunks")

    def ends(names):
        def found(values):
            return {c["requestId"]: c for c in values if c["done"] and c["requestId"] in names}
        stack.flush()
        chunks.wait(f"ends of {names}", lambda values: len(found(values)) == len(names))
        return found(chunks.values())

    for kind in KINDS:
        world.ask(kind, kind, f"kind-{kind} hello")
    for name, last in ends(set(KINDS)).items():
        assert last["finishReason"] == "stop", (name, last)
    path, authorization = Provider.seen["query"]
    assert f"api_key={urllib.parse.quote(KINDS['query']['key'], safe='')}" in path and authorization is None
    expected = base64.b64encode(f"anna:{KINDS['basic']['key']}".encode()).decode()
    assert Provider.seen["basic"][1] == f"Basic {expected}"
    for kind in ("azure", "responses"):
        assert Provider.seen[kind][1] == f"Bearer {KINDS[kind]['key']}"
    assert Provider.seen["responses"][0].endswith("/responses")

    for fault in FAULTS:
        for kind in KINDS:
            world.ask(f"{kind}-{fault}", kind, f"kind-{kind} {fault}")
    for kind in KINDS:
        world.ask(f"{kind}-gone", f"{kind}-gone", f"kind-{kind} hello")
    wanted = {f"{kind}-{fault}": code for fault, code in {**FAULTS, "gone": "PROVIDER_UNAVAILABLE"}.items() for kind in KINDS}
    codes = {name: last["error"]["code"] for name, last in ends(set(wanted)).items()}
    assert codes == wanted

    said = everything_said(stack)
    for kind in KINDS.values():
        for form in forms(kind):
            for text in said:
                assert form not in text, f"{form} is in: …{text[max(0, text.find(form) - 300):text.find(form) + 80]}"
