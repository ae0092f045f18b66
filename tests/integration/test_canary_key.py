"""The keys of an organisation are found nowhere but at the provider: not in a dump of the database, on any topic, in any answer of
the API or in any log, whatever the three programs did with them."""

import base64
import gzip
import json
import re
import secrets
import subprocess
import urllib.parse

import confluent_kafka.admin

from registry_world import World, name
from stack import Log, Worker, finished, http_get, wait_until
from test_stored_credentials import Provider, running_provider  # noqa: F401  (a fixture)

# Answered with a redirect, or only in a login.
LOGIN = {"session.login", "session.callback"}


def canary():
    return "canary-" + secrets.token_hex(16)


class Installation:
    """API, registry-sync and a router with one key ring, and the organisation acme with a connection, a model and a key."""

    def __init__(self, make_stack, folder, url, **settings):
        self.stack = make_stack(settings={"TOKENRAIL_KEYRING_FILE": str(folder / "keys.json"), "TOKENRAIL_LOG_LEVEL": "debug",
                                          **settings})
        self.world = World(self.stack, folder)
        self.api = self.world.process
        self.sync = next(process for process in self.stack.processes if process.name.startswith("sync"))
        self.router = self.stack.router().wait_ready()
        self.admin = self.world.api("acme", "org_admin")
        self.key, self.header = canary(), canary()
        self.url = url
        Provider.accepted, Provider.seen, Provider.projects = {self.key}, [], []
        self.credential = self.admin.ok("POST", "/v1/orgs/acme/credentials", {
            "provider": "openai-compatible", "label": "the-label", "secret": self.key, "headers": {"X-Project": self.header}},
            201)["id"]
        self.connection = self.admin.ok("POST", "/v1/orgs/acme/connections", {
            "provider": "openai-compatible", "name": "own", "baseUrl": url, "authType": "header", "authName": "X-Acme-Key",
            "credentialId": self.credential}, 201)["id"]
        self.model = self.admin.ok("POST", "/v1/orgs/acme/models", {
            "provider": "openai-compatible", "modelName": "m", "enabled": True,
            "deployments": [{"connectionId": self.connection}]}, 201)["id"]
        self.chunks = Log(self.stack, "chat.chunks")
        self.operation = None

    def lists(self):
        """Has registry-sync ask the provider for its models; whether that went well."""
        self.operation = self.admin.ok("POST", f"/v1/orgs/acme/connections/{self.connection}:sync", {}, 202)["id"]
        path = f"/v1/orgs/acme/operations/{self.operation}"
        wait_until("the sync has ended", lambda: self.admin.ok("GET", path)["state"] != "running")
        runs = self.stack.sql(f"SELECT status FROM sync_run WHERE connection_id = '{self.connection}' ORDER BY finished_at DESC")
        return runs[0][0] == "ok"

    def tests(self):
        """Has the API test the connection; the outcome."""
        return self.admin.ok("POST", f"/v1/orgs/acme/connections/{self.connection}:test", {})["outcome"]

    def chats(self):
        """Has a router call the provider; the last chunk of the answer."""
        request = "r-" + secrets.token_hex(4)
        self.stack.ask(request, modelProvider="openai-compatible", modelName="m")
        self.stack.flush()

        def chunks(values):
            return [chunk for chunk in values if chunk["requestId"] == request]
        self.chunks.wait(f"the end of {request}", lambda values: finished(chunks(values)))
        return chunks(self.chunks.values())[-1]

    def is_used_by_all(self):
        """Each of the three programs has opened the key and called the provider with it."""
        def published():
            return self.stack.sql("SELECT count(*) FROM outbox WHERE published_at IS NULL")[0][0] == 0
        for uses in (self.lists, lambda: self.tests() == "ok"):
            calls = Provider.served_with(self.key)
            assert uses() and Provider.served_with(self.key) > calls
        wait_until("the model is published", published)
        calls = len(Provider.seen)
        wait_until("a router serves the model", lambda: self.chats()["finishReason"] == "stop")
        assert self.key in Provider.seen[calls:] and self.header in Provider.projects

    def replace(self, secret):
        self.admin.ok("POST", f"/v1/orgs/acme/credentials/{self.credential}:replace", {"secret": secret})

    def dump(self):
        """The database as text, and what the values of it are that are stored as bytes."""
        text = subprocess.run(["pg_dump", "--enable-row-security", "--dbname", self.stack.database], check=True,
                              capture_output=True).stdout
        yield "dump", text
        for found in re.findall(rb"\\\\x([0-9a-f]{8,})", text):
            value = bytes.fromhex(found.decode())
            yield "bytes of the dump", gzip.decompress(value) if value.startswith(b"\x1f\x8b") else value

    def topics(self):
        admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": self.stack.kafka, "log_level": 2})
        names = [topic[len(self.stack.prefix):] for topic in admin.list_topics(timeout=60).topics
                 if topic.startswith(self.stack.prefix)]
        assert {"chat.requests", "chat.chunks", "llm.audit", "model_registry", "model_registry.events",
                "model_registry.credentials"} <= set(names)
        log = Log(self.stack, *names)
        for record in log.catch_up():
            yield record.topic()[len(self.stack.prefix):], repr((record.key(), record.value(), record.headers())).encode()
        log.close()

    def answers(self):
        """What every GET of the API's document answers to those who may read the most."""
        base = "/v1/orgs/acme"
        versions = [row["version"] for row in self.admin.ok("GET", f"{base}/models/{self.model}/revisions")["data"]]
        lists = self.admin.ok("GET", f"{base}/connections/{self.connection}/lists")["data"]
        models = {"/api/v1/admin/": self.world.root.ok("GET", "/v1/orgs/_/models")["data"][0]["id"],
                  "/api/models/": self.admin.ok("POST", "/api/models", {"provider": "openai", "modelName": "mine"}, 201)["id"]}
        grant = self.admin.ok("POST", f"{base}/grants", {"subjectKind": "group", "subject": "some", "objectKind": "model",
                                                         "object": self.model, "effect": "allow"}, 201)
        member = self.world.root.ok("PUT", f"{base}/members", {"issuer": "tokenrail-dev", "subject": "zoe", "role": "viewer"})
        values = {"org": "acme", "model": self.model, "grant": grant["id"], "member": member["id"],
                  "alias": "best", "connection": self.connection, "list": lists[0]["id"],
                  "credential": self.credential, "view": "house", "operation": self.operation, "name": "NOT_FOUND",
                  "catalog": "litellm", "from": versions[-1], "to": versions[0]}
        document, unanswered = self.admin.ok("GET", "/openapi.json"), []
        for path, operations in document["paths"].items():
            operation = operations.get("get")
            if operation is None:
                continue
            known = values | {"model": model for prefix, model in models.items() if path.startswith(prefix)}
            url = re.sub(r"\{(\w+)\}", lambda found: name(str(known[found.group(1)])), path)
            needed = {parameter["name"]: known[parameter["name"]] for parameter in operation["parameters"]
                      if parameter["in"] == "query" and parameter.get("required")}
            statuses = []
            for client in (self.admin, self.world.root):
                status, body, headers = client.call("GET", url + ("?" + urllib.parse.urlencode(needed) if needed else ""))
                statuses.append(status)
                yield operation["operationId"], f"{json.dumps(body)} {headers}".encode()
            if 200 not in statuses and operation["operationId"] not in LOGIN:
                unanswered.append(f"{url}: {statuses}")
        assert not unanswered

    def said(self):
        for process in self.stack.processes:
            yield f"log of {process.name}", process.log.read_bytes() + process.out.read_bytes()
            if isinstance(process, Worker):
                yield f"metrics of {process.name}", (process.metrics() + process.readyz()[1]).encode()
        for command in (("credentials", "list", "--org", "acme", "--json"), ("connections", "list", "--org", "acme", "--json"),
                        ("doctor",)):
            done = self.stack.cli(*command, check=False)
            yield " ".join(command), (done.stdout + done.stderr).encode()
        yield "the journal of the simulator", http_get(self.stack.simulator_url + "/_sim/journal")[1].encode()


def forms(secret):
    """A text as it is and as it would be encoded, without what depends on its neighbours."""
    plain = secret.encode()
    yield plain
    yield plain.hex().encode()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + plain)
        yield encoded[4 if shift else 0:len(encoded) - 4]


def test_a_key_is_found_nowhere_but_at_the_provider(make_stack, tmp_path, provider):
    there = Installation(make_stack, tmp_path, provider)
    there.is_used_by_all()
    there.admin.ok("PUT", "/v1/orgs/acme/aliases/best", {"targets": [{"model": there.model}]})
    there.admin.ok("PUT", "/v1/orgs/acme/views/house", {"filter": {"kind": "generation"}})
    # A draft with a key that is right, and with one that the provider quotes as it refuses it.
    draft, strange = canary(), canary()
    Provider.accepted = {there.key, draft}
    for secret, outcome in ((draft, True), (strange, False)):
        tested = there.admin.ok("POST", "/v1/orgs/acme/connections:test", {
            "provider": "openai-compatible", "baseUrl": provider, "authType": "header", "authName": "X-Acme-Key",
            "secret": secret, "headers": {"X-Project": there.header}})
        assert (tested["outcome"] == "ok") == outcome, tested
    # The same of the stored one, wherever it is used.
    wrong = canary()
    there.replace(wrong)
    assert not there.lists() and there.tests() != "ok"
    wait_until("the router calls with it", lambda: there.chats().get("error") is not None and wrong in Provider.seen)
    # What is refused is not kept either.
    unused = canary()
    assert there.admin.call("POST", "/v1/orgs/acme/credentials", {"provider": "nobody", "label": "x", "secret": unused})[0] >= 400
    assert there.admin.call("POST", "/v1/orgs/acme/credentials", {"provider": "openai", "key": unused})[0] >= 400

    hidden = {what: list(forms(secret)) for what, secret in
              (("key", there.key), ("header", there.header), ("draft", draft), ("strange", strange), ("wrong", wrong),
               ("unused", unused))}
    everything = {}
    for source in (there.dump(), there.topics(), there.answers(), there.said()):
        for place, content in source:
            for what, words in hidden.items():
                assert not any(word in content for word in words), f"the {what} is in {place}: {content[:2000]}"
            everything[place] = everything.get(place, b"") + content
    # The search looks where things are: what is no secret of them is there.
    for place, word in (("dump", "the-label"), ("bytes of the dump", "listed"), ("model_registry.credentials", there.credential),
                        ("model_registry", "own"), ("chat.chunks", "PROVIDER_AUTH"), ("credentials.list", "the-label"),
                        ("connections.list_text", "listed"), ("audit.list", "credential.replaced"),
                        (f"log of {there.api.name}", "/credentials"), (f"log of {there.router.name}", "partition 0"),
                        (f"log of {there.sync.name}", "own"), ("credentials list --org acme --json", "the-label")):
        assert word.encode() in everything[place], f"{word} is not in {place}"
