"""Changes by people while parts of the registry die: nothing that was accepted is lost, nothing is applied twice, and
database, topic and routers agree at the end.

TOKENRAIL_TEST_AWAY_SECONDS is how long the database or Kafka is away. `./dev test promises` sets what the promise names."""

import json
import os
import random
import threading
import time
import urllib.error

from conftest import required
from registry_world import Api, World, a_model
from stack import DEADLINE_SECONDS, Log, Stack, finished, wait_until
from test_kafka_restart import own_kafka  # noqa: F401  # pylint: disable=unused-import

CHANGES = 500
KILLS = 8
AWAY_SECONDS = float(os.environ.get("TOKENRAIL_TEST_AWAY_SECONDS", "0"))


def rows(stack, *options):
    """What the database, or with --projection the topic, has of each model."""
    lines = stack.cli("registry", "list", "--json", *options).stdout.splitlines()
    fields = ("orgId", "provider", "modelName", "version", "displayName", "enabled")
    return sorted(tuple(str(json.loads(line).get(field)) for field in fields) for line in lines)


def rounds():
    """Once, and again for as long as a part is to be away."""
    end = time.monotonic() + AWAY_SECONDS
    yield
    while time.monotonic() < end:
        yield


def wait_for_every_revision(stack, models):
    """Until the log of events has each version of the models that the database has, in its order."""
    revisions = {model: [row[0] for row in stack.sql(
        f"SELECT version FROM model_revision WHERE model_id = '{model}' ORDER BY version")] for model in models}
    events = Log(stack, "model_registry.events")

    def published():
        versions = {model: [] for model in models}
        for value in events.values():
            if value.get("model", {}).get("id") in versions:
                versions[value["model"]["id"]].append(value["version"])
        # One that was sent twice counts where it came first.
        return {model: list(dict.fromkeys(numbers)) for model, numbers in versions.items()}
    events.wait("every revision", lambda values: published() == revisions)
    events.close()


class Answers:
    """What routers answer to requests of acme."""

    def __init__(self, stack):
        self.stack, self.chunks, self.asked = stack, Log(stack, "chat.chunks"), 0

    def of(self, model_name):
        """The last chunk of the answer of one model, which is asked now."""
        self.asked += 1
        request = f"asked-{self.asked}"
        self.stack.ask(request, modelProvider="ollama", modelName=model_name)
        self.stack.flush()

        def chunks(values):
            return [chunk for chunk in values if chunk["requestId"] == request]
        self.chunks.wait(f"the end of {request}", lambda values: finished(chunks(values)))
        return chunks(self.chunks.values())[-1]

    def refusals(self, names):
        """{id: message} for {id: name} of models that cannot be used."""
        return {model: self.of(model_name)["error"]["message"] for model, model_name in names.items()}


class Changing:
    """Threads that change models until CHANGES changes were accepted. A change whose answer was lost is made again."""

    def __init__(self, models, client):
        self.models, self.client = models, client
        self.lock, self.done, self.sent = threading.Lock(), 0, 0
        self.newest = {}  # model id → the last accepted text
        self.wrong = []
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(4)]

    def run(self, number):
        mine = self.models[number::4]
        turn = 0
        while not self.wrong:
            with self.lock:
                if self.done >= CHANGES:
                    return
                self.done += 1
            model = mine[turn % len(mine)]
            turn += 1
            self.change(model, f"{number}.{turn}")

    def change(self, model, text):
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            with self.lock:
                self.sent += 1
            try:
                status, answer, _ = self.client().call("PATCH", f"/v1/orgs/acme/models/{model}",
                                                       {"displayName": text, "maintenanceReason": f"change {text}."})
            except (urllib.error.URLError, ConnectionError, OSError):
                time.sleep(0.02)  # until the next one listens
                continue
            if status == 503:
                time.sleep(0.02)
                continue
            if status != 200 or answer["displayName"] != text:
                self.wrong.append((status, answer))
                return
            self.newest[model] = text
            return
        self.wrong.append(f"{model} was not changed within {DEADLINE_SECONDS} s")


def test_nothing_is_lost_where_api_and_sync_are_killed(make_stack, tmp_path):
    stack = make_stack()
    world = World(stack, tmp_path)
    admin = world.api("acme", "org_admin")
    # Routers name the reason of the maintenance, so that one sees which change they hold.
    names = {made["id"]: made["modelName"] for made in (
        a_model(admin, enabled=True, deployments=[{"connectionId": "env-ollama"}], maintenanceUntil="2100-01-01T00:00:00Z")
        for _ in range(8))}
    models = list(names)
    router = stack.router().wait_ready()
    api, sync = world.process, next(p for p in stack.processes if p.name.startswith("sync"))
    current = {"url": world.url}
    token = admin.token

    def client():
        return Api(current["url"], token)

    changing = Changing(models, client)
    for thread in changing.threads:
        thread.start()
    chance = random.Random(7)
    for kill in range(KILLS):
        share = (kill + chance.random()) / KILLS
        wait_until("changes go on", lambda: changing.done >= CHANGES * share * 0.95 or changing.wrong)
        if kill % 2:
            sync.kill()
            sync = stack.sync()
        else:
            api.kill()
            api, current["url"] = world.start()
    for thread in changing.threads:
        thread.join()
    assert not changing.wrong, changing.wrong[0]

    reader = client()
    for model, text in changing.newest.items():
        assert reader.ok("GET", f"/v1/orgs/acme/models/{model}")["displayName"] == text
    written = stack.sql("SELECT count(*) FROM audit_log WHERE action = 'model.changed'")[0][0]
    assert CHANGES <= written <= changing.sent, (written, changing.sent)
    sync.wait_ready()
    wait_until("the topic has what the database has", lambda: rows(stack) == rows(stack, "--projection"))
    # Each change was one version, published in order and at least once.
    wait_for_every_revision(stack, models)

    # The router that ran all the while, and one that starts now.
    answers = Answers(stack)

    def agree():
        said = answers.refusals(names)
        return all(f"change {text}." in said[model] for model, text in changing.newest.items())
    wait_until("the router holds the last change of each model", agree)
    assert router.stop() == 0
    stack.router().wait_ready()
    assert agree(), (changing.newest, answers.refusals(names))


def test_the_database_is_away_for_a_while(make_stack, tmp_path):
    stack = make_stack()
    world = World(stack, tmp_path)
    admin = world.api("acme", "org_admin")
    # The simulator has a model of that name.
    served = stack.sql("SELECT model_name FROM model WHERE org_id IS NULL ORDER BY model_name")[0][0]
    model = a_model(admin, enabled=True, deployments=[{"connectionId": "env-ollama", "upstreamName": served}])
    path = f"/v1/orgs/acme/models/{model['id']}"
    wait_until("the model is published",
               lambda: model["slug"] in [m["id"] for m in admin.ok("GET", "/v1/models?org=acme")["data"]])
    changes = "SELECT count(*) FROM audit_log WHERE action = 'model.changed'"
    before = stack.sql(changes)[0][0]
    stack.router().wait_ready()
    answers = Answers(stack)
    wait_until("the router has the model", lambda: answers.of(model["modelName"])["finishReason"] == "stop")
    with stack._admin() as (_, cursor):
        cursor.execute(f"ALTER DATABASE {stack.database_name} ALLOW_CONNECTIONS false")
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                       (stack.database_name,))
    try:
        asked = {"modelProvider": "ollama", "modelName": model["modelName"]}
        for _ in rounds():
            problem = admin.refused("PATCH", path, 503, "UNAVAILABLE", {"displayName": "never"})
            assert problem["retryable"]
            wait_until("the API says what is away",
                       lambda: world.process.readyz()[0] == 503 and "database" in world.process.readyz()[1])
            # What routers would do is known without the database, and they do it.
            assert admin.ok("POST", "/v1/orgs/acme/models:resolve", asked)["usable"]
            assert model["slug"] in [m["id"] for m in admin.ok("GET", "/v1/models?org=acme")["data"]]
            assert answers.of(model["modelName"])["finishReason"] == "stop"
    finally:
        with stack._admin() as (_, cursor):
            cursor.execute(f"ALTER DATABASE {stack.database_name} ALLOW_CONNECTIONS true")
    wait_until("the API is ready again", world.process.ready)
    assert admin.ok("GET", path)["displayName"] != "never"
    assert admin.ok("PATCH", path, {"displayName": "once"})["displayName"] == "once"
    assert stack.sql(changes)[0][0] == before + 1
    wait_until("the topic has what the database has", lambda: rows(stack) == rows(stack, "--projection"))
    wait_for_every_revision(stack, [model["id"]])
    assert admin.ok("PATCH", path, {"enabled": False})["enabled"] is False
    wait_until("the router hears of it", lambda: answers.of(model["modelName"]).get("error") is not None)
    assert answers.of(model["modelName"])["error"]["code"] == "MODEL_NOT_ENABLED"


def test_kafka_is_away_while_people_change_things(own_kafka, tmp_path):
    (tmp_path / "stack").mkdir()
    stack = Stack(tmp_path / "stack", own_kafka("start"), required("TOKENRAIL_TEST_DATABASE_URL"),
                  required("TOKENRAIL_TEST_BIN_DIR"))
    try:
        world = World(stack, tmp_path)
        admin = world.api("acme", "org_admin")
        model = a_model(admin, enabled=True, deployments=[{"connectionId": "env-ollama"}])
        asked = {"modelProvider": "ollama", "modelName": model["modelName"]}

        def usable():
            return admin.ok("POST", "/v1/orgs/acme/models:resolve", asked)["usable"]
        wait_until("the model is published", usable)
        own_kafka("stop")
        # People go on; what they change waits in the outbox, and what routers hold stays as it was.
        path = f"/v1/orgs/acme/models/{model['id']}"
        for _ in rounds():
            for turn in range(20):
                admin.ok("PATCH", path, {"displayName": f"turn {turn}", "enabled": turn % 2 == 0})
        assert stack.sql("SELECT count(*) FROM outbox WHERE published_at IS NULL")[0][0] >= 20
        assert usable() and world.process.readyz()[0] == 200
        own_kafka("start")
        wait_until("routers hear of the last change", lambda: not usable())
        wait_until("the outbox is empty",
                   lambda: stack.sql("SELECT count(*) FROM outbox WHERE published_at IS NULL")[0][0] == 0)
        assert rows(stack) == rows(stack, "--projection")
        wait_for_every_revision(stack, [model["id"]])
    finally:
        stack.close()
