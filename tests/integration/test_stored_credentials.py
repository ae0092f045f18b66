"""Keys that an organisation stores: sealed in the database and on the topic, opened by routers for its own calls only."""

import gzip
import http.server
import json
import threading

import confluent_kafka.admin
import pytest

from stack import Log, wait_until

ANSWER = (b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"yes"},"finish_reason":"stop"}]}\n\n'
          b"data: [DONE]\n\n")
FIRST, SECOND, STRANGE = "canary-first-6fb1d0c2", "canary-second-97e4a3b8", "canary-strange-11c05d7e"


class Provider(http.server.BaseHTTPRequestHandler):
    """Speaks OpenAI's API, takes the keys of `accepted`, and quotes what it refuses."""

    protocol_version = "HTTP/1.1"
    accepted = set()
    seen = []  # the keys of the chat calls, in their order
    projects = []  # a further header of these
    listed = []  # the keys of the calls for a list

    def log_message(self, *arguments):
        pass

    @staticmethod
    def served_with(key):
        return (Provider.seen + Provider.listed).count(key)

    def answer(self, status, body, kind):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        key = self.headers["x-acme-key"]
        Provider.listed.append(key)
        if key in Provider.accepted:
            self.answer(200, json.dumps({"data": [{"id": "listed", "note": key}]}).encode(), "application/json")
        else:
            self.answer(401, json.dumps({"error": {"message": f"no such key: {key}"}}).encode(), "application/json")

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        key = self.headers["x-acme-key"]
        Provider.seen.append(key)
        Provider.projects.append(self.headers["x-project"])
        if key in Provider.accepted:
            self.answer(200, ANSWER, "text/event-stream")
        else:
            self.answer(401, json.dumps({"error": {"message": f"no such key: {key}"}}).encode(), "application/json")


@pytest.fixture(name="provider")
def running_provider():
    """The URL of a provider that runs."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class World:
    """A stack whose organisation acme has a model on a connection with a stored credential."""

    def __init__(self, stack, url):
        self.stack = stack
        self.ring = str(stack.folder / "keyring.json")
        stack.cli("keys", "create", self.ring)
        stack.cli("org", "create", "acme")
        stack.cli("org", "create", "other")
        self.put(FIRST)
        stack.cli("connections", "add", "own", "--org", "acme", "--provider", "openai-compatible", "--base-url", url,
                  "--credential", "main", "--auth", "header", "--auth-name", "X-Acme-Key")
        stack.cli("registry", "add", "openai-compatible/m", "--org", "acme", "--connection", "own")
        self.chunks, self.audit = Log(stack, "chat.chunks"), Log(stack, "llm.audit")

    def put(self, secret):
        """Stores acme's key, or another one in its place."""
        self.stack.cli("credentials", "put", "main", "--org", "acme", "--provider", "openai-compatible", stdin=secret,
                       environment={"TOKENRAIL_KEYRING_FILE": self.ring})

    def published(self):
        """registry-sync has nothing left to publish."""
        wait_until("the outbox is published",
                   lambda: self.stack.sql("SELECT count(*) FROM outbox WHERE published_at IS NULL")[0][0] == 0)

    def ask(self, request_id, org="acme", **fields):
        self.stack.produce({"requestId": request_id, "orgId": org, "modelProvider": "openai-compatible",
                            "modelName": "m", "messages": [{"role": "user", "content": "hello"}], **fields}, key=request_id)

    def ends(self, request_ids):
        """The last chunk of each of these requests."""
        self.stack.flush()

        def found(values):
            return {c["requestId"]: c for c in values if c["done"] and c["requestId"] in request_ids}
        self.chunks.wait(f"ends of {request_ids}", lambda values: len(found(values)) == len(request_ids))
        return found(self.chunks.values())

    def end(self, request_id, **fields):
        self.ask(request_id, **fields)
        return self.ends([request_id])[request_id]


def everything_said(stack):
    """All that a stranger could read: topics, logs and metrics."""
    texts = [p.text() for p in stack.processes]
    texts += [p.metrics() + p.readyz()[1] for p in stack.processes if hasattr(p, "metrics") and p.alive()]
    for name in ("chat.chunks", "llm.audit", "chat.requests.dlq", "model_registry", "model_registry.events",
                 "model_registry.credentials"):
        log = Log(stack, name)
        texts += [f"{r.key()} {r.value()} {r.headers()}" for r in log.catch_up()]
        log.close()
    return texts


def test_registry_sync_lists_models_with_an_organisations_key(make_stack, provider):
    Provider.accepted, Provider.seen = {FIRST}, []
    stack = make_stack()
    world = World(stack, provider)
    stack.simulator()
    sync = stack.sync(TOKENRAIL_KEYRING_FILE=world.ring).wait_ready()

    def runs():
        return stack.sql("SELECT r.status, r.error_class FROM sync_run r JOIN connection c ON c.id = r.connection_id WHERE "
                         "c.name = 'own' ORDER BY r.finished_at DESC LIMIT 1")
    wait_until("the list", lambda: runs() == [("ok", "")])
    assert stack.sql("SELECT org_id, model_name FROM model WHERE org_id = 'acme' ORDER BY 2") == [
        ("acme", "listed"), ("acme", "m")]
    # Another key: the provider quotes what it refuses.
    world.put(STRANGE)
    stack.cli("registry", "sync", "--connection", "own", check=False)
    wait_until("the refusal", lambda: runs() == [("failed", "auth")])
    world.put(FIRST)
    stack.cli("registry", "sync", "--connection", "own")
    assert runs() == [("ok", "")]
    world.published()
    said = "\n".join(everything_said(world.stack)) + sync.text() + str(stack.sql("SELECT detail FROM sync_run"))
    for secret in (FIRST, STRANGE):
        assert secret not in said
    kept = stack.sql("SELECT body FROM provider_snapshot")
    texts = [gzip.decompress(bytes(body)) for body, in kept]
    assert any(b'"listed"' in text for text in texts)
    assert not any(secret.encode() in text for text in texts for secret in (FIRST, STRANGE))


def test_registry_sync_without_a_key_ring_names_it(make_stack, provider):
    stack = make_stack()
    World(stack, provider)
    stack.simulator()
    sync = stack.sync().wait_ready()
    wait_until("the cause", lambda: "this process has no key ring" in sync.text())
    assert stack.sql("SELECT health FROM connection WHERE name = 'env-ollama'") == [("healthy",)]


def test_an_organisations_key_is_used_replaced_and_revoked(make_stack, provider):
    Provider.accepted, Provider.seen = {FIRST, SECOND}, []
    stack = make_stack()
    world = World(stack, provider)
    stack.simulator()
    stack.sync().wait_ready()
    world.published()
    router = stack.router(TOKENRAIL_KEYRING_FILE=world.ring).wait_ready()

    assert world.end("first")["finishReason"] == "stop"
    assert Provider.seen == [FIRST]
    other = world.end("of-another-organisation", org="other")
    assert other["error"]["code"] in ("MODEL_NOT_FOUND", "MODEL_NOT_ENABLED"), other

    # Requests run while the key is replaced.
    running, stop = [], threading.Event()

    def ask_on():
        while not stop.wait(0.01):
            if len(running) < len(Provider.seen) + 50:  # no more than a slow machine will have answered at the end
                running.append(f"running-{len(running)}")
                world.ask(running[-1])
    asking = threading.Thread(target=ask_on)
    asking.start()
    try:
        wait_until("requests with the first key", lambda: len(Provider.seen) > 20)
        world.put(SECOND)
        wait_until("requests with the second key", lambda: Provider.seen.count(SECOND) > 20)
    finally:
        stop.set()
        asking.join()
    ends = world.ends(set(running))
    assert [e for e in ends.values() if e["finishReason"] != "stop"] == []
    # The change is for good.
    Provider.accepted = {SECOND}
    assert world.end("with-the-second")["finishReason"] == "stop"

    # A provider that quotes the key that it refuses.
    world.put(STRANGE)
    wait_until("the third key is used", lambda: world.end(f"strange-{len(Provider.seen)}")
               and Provider.seen[-1] == STRANGE)
    assert world.end("refused")["error"]["code"] == "PROVIDER_AUTH"

    stack.cli("credentials", "revoke", "main", "--org", "acme", "--force")
    world.published()
    revoked = wait_until("the credential is revoked", lambda: next(
        (e for e in [world.end(f"revoked-{len(world.chunks.records)}")] if e["error"]["code"] == "CREDENTIAL_MISSING"),
        None))
    assert "was revoked" in revoked["error"]["message"]
    calls = len(Provider.seen)
    world.end("after-the-revocation")
    assert len(Provider.seen) == calls, "nothing is called without a key"
    assert "tokenrail_router_credentials_missing_total" in router.metrics()

    for text in everything_said(world.stack):
        assert "canary-" not in text


def test_further_secret_headers_reach_the_provider(make_stack, provider):  # S2.20
    Provider.accepted, Provider.seen, Provider.projects = {FIRST}, [], []
    stack = make_stack()
    world = World(stack, provider)
    stack.simulator()
    stack.sync().wait_ready()
    environment = {"TOKENRAIL_KEYRING_FILE": world.ring}
    put = ("credentials", "put", "main", "--org", "acme", "--headers")
    for names, lines in (("Host", f"{FIRST}\n{SECOND}"), ("X-Project", FIRST), ("X-Project", f"{FIRST}\n{SECOND}\n{STRANGE}")):
        refused = stack.cli(*put, names, stdin=lines, environment=environment, check=False)
        assert refused.returncode == 2 and "canary-" not in refused.stdout + refused.stderr
    stack.cli(*put, "X-Project,X-Other", stdin=f"{FIRST}\n{SECOND}\n{STRANGE}\n", environment=environment)
    (listed,) = stack.cli("credentials", "list", "--org", "acme", "--json").stdout.splitlines()
    assert json.loads(listed)["headerNames"] == ["X-Project", "X-Other"] and "canary-" not in listed
    world.published()
    stack.router(TOKENRAIL_KEYRING_FILE=world.ring).wait_ready()
    assert world.end("with-headers")["finishReason"] == "stop"
    assert (Provider.seen, Provider.projects) == ([FIRST], [SECOND])
    # Another key without headers: they are gone.
    world.put(FIRST)
    wait_until("calls without them", lambda: world.end(f"without-{len(Provider.seen)}") and Provider.projects[-1] is None)
    for text in everything_said(world.stack):
        assert "canary-" not in text


def test_a_router_without_a_key_ring_answers_what_needs_none(make_stack, provider):
    stack = make_stack()
    world = World(stack, provider)
    stack.simulator()
    stack.sync().wait_ready()
    world.published()
    router = stack.router().wait_ready()
    missing = world.end("no-ring")
    assert missing["error"]["code"] == "CREDENTIAL_MISSING"
    assert "TOKENRAIL_KEYRING_FILE" in missing["error"]["message"]
    status, body = router.readyz()
    assert status == 200 and "TOKENRAIL_KEYRING_FILE" in body, body
    stack.ask("needs-none", orgId="other")
    assert world.ends(["needs-none"])["needs-none"]["finishReason"] == "stop"
    assert router.stop() == 0

    # A ring that has another key.
    strange = str(stack.folder / "strange.json")
    stack.cli("keys", "create", strange, "--id", "strange")
    router = stack.router(TOKENRAIL_KEYRING_FILE=strange).wait_ready()
    missing = world.end("another-ring")
    assert missing["error"]["code"] == "CREDENTIAL_MISSING"
    assert "key ring" in missing["error"]["message"]
    assert "cannot be opened" in router.readyz()[1]


def test_a_missing_credentials_topic_stops_no_router(make_stack, provider):
    Provider.accepted, Provider.seen = {FIRST}, []
    stack = make_stack()
    world = World(stack, provider)
    stack.simulator()
    stack.sync().wait_ready()
    world.published()
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": stack.kafka})
    name = stack.topic("model_registry.credentials")
    admin.delete_topics([name])[name].result(120)
    wait_until("the topic is gone", lambda: name not in admin.list_topics(timeout=60).topics)

    router = stack.router(TOKENRAIL_KEYRING_FILE=world.ring).wait_ready()
    assert f"{name} does not exist" in router.readyz()[1]
    assert router.text().count("no stored credentials") == 1
    stack.ask("needs-none", orgId="other")
    assert world.ends(["needs-none"])["needs-none"]["finishReason"] == "stop"
    assert world.end("needs-one")["error"]["code"] == "CREDENTIAL_MISSING"

    # registry-sync fills the topic as soon as it is there again, and the router reads it.
    stack.cli("topics", "apply")
    stack.cli("registry", "republish")
    wait_until("the credential is known", lambda: world.end(f"again-{len(world.chunks.records)}")["finishReason"] == "stop")
    assert router.text().count("no stored credentials") == 1
