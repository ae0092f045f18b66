"""Commands that govern the registry go through the registry API where one is configured: without a database URL, with the
rights of their token, and with the same results."""

import contextlib
import http.server
import json
import threading
import urllib.error
import urllib.request

import pytest

from registry_world import World, a_model
from stack import wait_until

KEY = "sk-canary-51d0b7e2a94c"


@pytest.fixture(scope="module")
def world(make_shared_stack, tmp_path_factory):
    return World(make_shared_stack(), tmp_path_factory.mktemp("api"))


class Person:
    """Runs commands with a token, and with no database."""

    def __init__(self, world, org, role, url=None):
        self.world, self.org = world, org
        token = world.api(org, role).token
        self.environment = {"TOKENRAIL_API_URL": url or world.url, "TOKENRAIL_API_TOKEN": token,
                            "TOKENRAIL_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}

    def cli(self, *arguments, stdin=None, check=True):
        org = ["--org", self.org] if self.org else []
        return self.world.stack.cli(*arguments, *org, environment=self.environment, stdin=stdin, check=check)

    def lines(self, *arguments):
        return [json.loads(line) for line in self.cli(*arguments, "--json").stdout.splitlines()]

    def one(self, *arguments):
        (line,) = self.lines(*arguments)
        return line


@pytest.fixture(name="admin", scope="module")
def the_admin(world):
    return Person(world, "acme", "org_admin")


def test_models_are_governed_through_the_api(world, admin):
    name = "ollama/" + a_model(world.api("acme", "org_admin"))["modelName"]
    assert admin.one("registry", "show", name)["modelName"] in name
    assert admin.one("registry", "enable", name)["enabled"] is True
    assert admin.one("registry", "disable", name)["enabled"] is False
    assert admin.one("registry", "set", name, '{"displayName":"Ours"}')["displayName"] == "Ours"
    assert admin.one("registry", "block", name)["blocked"] is True
    assert admin.one("registry", "unblock", name)["blocked"] is False
    history = admin.lines("registry", "history", name)
    assert len(history) >= 4 and history[0]["actor"].startswith("user:")
    assert "displayName" in history[2]["changedFields"]
    before = next(h["version"] for h in history if "displayName" in h["changedFields"])
    earlier = [h["version"] for h in history if h["version"] < before][0]
    assert admin.one("registry", "rollback", name, str(earlier)).get("displayName") != "Ours"
    # The same rows by the database: a person sees one registry, whichever way.
    stored = json.loads(world.stack.cli("registry", "show", name, "--org", "acme", "--json").stdout)
    assert stored == admin.one("registry", "show", name)
    audit = admin.lines("registry", "audit")
    assert audit[0]["action"].startswith("model.") and audit[0]["actor"] == history[0]["actor"]
    admin.cli("registry", "remove", name)
    missing = admin.cli("registry", "show", name, check=False)
    assert missing.returncode == 1 and name in missing.stderr


def test_defaults_aliases_and_grants_go_through_the_api(world, admin):
    api = world.api("acme", "org_admin")
    models = [a_model(api) for _ in range(2)]
    first, second = ("ollama/" + model["modelName"] for model in models)
    admin.cli("registry", "default", first)
    assert [d["model"] for d in admin.lines("registry", "default")] == [first]
    admin.cli("registry", "default", "--remove")
    assert admin.lines("registry", "default") == []
    admin.cli("registry", "alias", "fast", f"{first}=9", second)
    (alias,) = admin.lines("registry", "alias")
    weights = {t["modelId"]: t["weight"] for t in alias["targets"]}
    assert alias["alias"] == "fast" and [weights[model["id"]] for model in models] == [9, 1]
    assert admin.one("registry", "alias", "fast") == alias
    admin.cli("registry", "alias", "fast", "--remove")
    grant = admin.one("registry", "grant", first, "--user", "bob", "--deny")
    assert (grant["effect"], grant["subject"]) == ("deny", "bob")
    assert [g["id"] for g in admin.lines("registry", "grant")] == [grant["id"]]
    admin.cli("registry", "grant", "--remove", grant["id"])
    assert admin.lines("registry", "grant") == []


def test_a_key_is_stored_through_the_api_and_tested(world, admin):
    # No key ring here: the server seals.
    made = admin.cli("credentials", "put", "main", "--provider", "openai-compatible", stdin=KEY)
    admin.cli("credentials", "put", "main", stdin=KEY + "-2")
    (credential,) = admin.lines("credentials", "list")
    assert (credential["id"], credential["last4"], credential["secretVersion"]) == (made.stdout.strip(), "4c-2", 2)
    admin.cli("connections", "add", "own", "--provider", "openai-compatible", "--base-url",
              world.stack.simulator_url + "/v1", "--credential", "main")
    assert "own" in [c["name"] for c in admin.lines("connections", "list")]
    assert admin.one("connections", "set", "own", "--priority", "3")["priority"] == 3

    test = admin.one("connections", "test", "own")
    assert test["outcome"] == "ok" and [s["stage"] for s in test["stages"]] == ["dns", "tcp", "tls", "auth", "list", "call"]
    table = admin.cli("connections", "test", "own")
    assert table.stdout.splitlines()[0].split() == ["STAGE", "STATUS", "MS", "CAUSE", "MESSAGE"]
    assert "it works" in table.stderr

    admin.cli("connections", "set", "own", "--base-url", "http://127.0.0.1:1")
    failed = admin.cli("connections", "test", "own", check=False)
    assert failed.returncode == 1 and "unreachable" in failed.stdout and "it does not work" in failed.stderr
    fix = json.loads(admin.cli("connections", "test", "own", "--json", check=False).stdout)["stages"][1]["fix"]
    assert fix and f"tcp: {fix}" in failed.stdout
    refused = admin.cli("credentials", "revoke", "main", check=False)
    assert refused.returncode == 1 and "own" in refused.stderr
    admin.cli("credentials", "revoke", "main", "--force")
    admin.cli("connections", "remove", "own")
    assert KEY not in world.process.text()


def test_a_model_is_tested_and_explained(world, admin):
    root = Person(world, None, "platform_admin")
    listed = wait_until("a listed model", lambda: world.root.ok("GET", "/v1/orgs/_/models?status=active")["data"])[0]
    name = f"{listed['provider']}/{listed['modelName']}"
    (test,) = root.lines("registry", "test", name)
    assert test["outcome"] == "ok" and test["model"] == listed["deployments"][0]["upstreamName"]
    assert test["stages"][-1]["status"] == "ok", "the model was called"
    # The platform's key is not an organisation's to use.
    refused = admin.cli("registry", "test", name, check=False)
    assert refused.returncode == 1, refused.stderr

    explained = wait_until("the model is usable", lambda: json.loads(
        admin.cli("registry", "explain", name, "--json", check=False).stdout or "{}"))
    assert explained["model"] == name and {c["clause"] for c in explained["clauses"]}
    admin.cli("registry", "disable", name)
    disabled = wait_until("the change is known", lambda: next(
        (d for d in [admin.cli("registry", "explain", name, check=False)] if d.returncode == 1), None))
    assert "enabled" in disabled.stdout
    admin.cli("registry", "remove", name)


def test_organisations_and_rights_are_those_of_the_token(world, admin):
    root = Person(world, None, "platform_admin")
    assert root.cli("org", "create", "By Api").stdout == "by-api\n"
    assert "by-api" in [o["id"] for o in root.lines("org", "list")]
    viewer = Person(world, "acme", "viewer")
    refused = viewer.cli("registry", "default", "ollama/none", check=False)
    assert refused.returncode == 1 and "permission" in refused.stderr
    assert admin.world.stack.cli("registry", "show", "x", "--org", "beta", environment=admin.environment,
                                 check=False).returncode == 1
    viewer.environment["TOKENRAIL_API_TOKEN"] = "wrong"
    unknown = viewer.cli("registry", "default", check=False)
    assert unknown.returncode == 1 and "TOKENRAIL_API_TOKEN" in unknown.stderr


def test_connections_are_tested_from_the_database_too(world, admin):
    stack, ring = world.stack, {"TOKENRAIL_KEYRING_FILE": world.environment["TOKENRAIL_KEYRING_FILE"]}
    stack.cli("credentials", "put", "here", "--org", "acme", "--provider", "openai-compatible", environment=ring, stdin=KEY)
    stack.cli("connections", "add", "here", "--org", "acme", "--provider", "openai-compatible", "--base-url",
              stack.simulator_url + "/v1", "--credential", "here")
    without = stack.cli("connections", "test", "here", "--org", "acme", check=False)
    assert without.returncode == 2 and "TOKENRAIL_KEYRING_FILE" in without.stderr
    by_database = json.loads(stack.cli("connections", "test", "here", "--org", "acme", "--json", environment=ring).stdout)
    by_api = admin.one("connections", "test", "here")
    assert [(s["stage"], s["status"]) for s in by_database["stages"]] == [(s["stage"], s["status"]) for s in by_api["stages"]]
    assert set(by_database) == set(by_api) and by_database["outcome"] == by_api["outcome"] == "ok"
    tested = [entry for entry in admin.lines("registry", "audit") if entry["action"] == "connection.tested"][:2]
    assert [entry["actor"].split(":")[0] for entry in tested] == ["user", "cli"]

    # A base URL that leads inside is refused to an organisation here too.
    refused = stack.cli("connections", "test", "here", "--org", "acme", check=False,
                        environment={**ring, "TOKENRAIL_EGRESS_ALLOW": ""})
    assert refused.returncode == 1 and "refused_address" in refused.stdout
    assert KEY not in refused.stdout + refused.stderr


def test_commands_of_the_database_refuse_without_one(world, admin):
    environment = {**admin.environment, "TOKENRAIL_DATABASE_URL": ""}
    refused = world.stack.cli("migrate", environment=environment, check=False)
    assert refused.returncode == 2 and "TOKENRAIL_DATABASE_URL" in refused.stderr


def test_models_are_listed_and_synced_through_the_api(world, admin):
    root = Person(world, None, "platform_admin")
    assert root.one("registry", "sync", "--connection", "env-ollama")["status"] == "ok"
    (line,) = root.cli("registry", "sync").stdout.splitlines()
    assert "env-ollama" in line and "0 added" in line
    by_api = {line["modelName"]: line for line in root.lines("registry", "list")}
    by_database = [json.loads(line) for line in world.stack.cli("registry", "list", "--json").stdout.splitlines()]
    shared = [line for line in by_database if "orgId" not in line]
    assert shared and [by_api[line["modelName"]] for line in shared] == shared
    name = "ollama/" + a_model(world.api("acme", "org_admin"))["modelName"]
    assert name in admin.cli("registry", "list").stdout and name not in root.cli("registry", "list").stdout
    refused = admin.cli("registry", "sync", "--connection", "env-ollama", check=False)
    assert refused.returncode == 1 and "env-ollama" in refused.stderr


def test_parameters_and_republishing_go_through_the_api(world, admin):
    root = Person(world, None, "platform_admin")
    shared = wait_until("a listed model", lambda: world.root.ok("GET", "/v1/orgs/_/models?status=active")["data"])[0]
    listed = f"{shared['provider']}/{shared['modelName']}"
    path = f"/v1/orgs/_/models/{shared['id']}/parameters"
    refused = root.cli("registry", "set-parameters", listed, '{"temperature":3}', check=False)
    assert refused.returncode == 2 and "temperature must be a number from 0 to 2" in refused.stderr
    done = root.cli("registry", "set-parameters", listed, '{"temperature":0.5,"topK":3}', "--connection", "env-ollama")
    assert "1 deployment changed" in done.stderr
    assert "nothing to do" in root.cli("registry", "set-parameters", listed, '{"topK":3,"temperature":0.5}').stderr
    now = world.root.ok("GET", path)
    assert [(d["connection"], d["params"]) for d in now["deployments"]] == [("env-ollama", {"temperature": 0.5, "topK": 3})]
    [entry] = [e for e in root.lines("registry", "audit") if e["action"] == "model.parameters_changed"]
    assert entry["actor"].startswith("user:") and entry["after"]["deployments"][0]["params"] == {"temperature": 0.5, "topK": 3}

    wrong = world.root.refused("PUT", path, 422, "INVALID_VALUE", {"parameters": {"topP": 7, "stop": ["x"]}})
    assert [e["pointer"] for e in wrong["errors"]] == ["/parameters/topP"]
    stale = {"If-Match": f'"v{now["version"] - 1}"'}
    world.root.refused("PUT", path, 412, "PRECONDITION_FAILED", {"parameters": {}}, headers=stale)
    assert world.root.ok("PUT", path, {"parameters": {}}, headers={"If-Match": f'"v{now["version"]}"'})["changed"] == 1
    # The platform's deployments are not the organisation's.
    own = admin.cli("registry", "set-parameters", listed, "{}", check=False)
    assert own.returncode == 1 and "the platform's" in own.stderr

    assert "hold what the database holds" in root.cli("registry", "republish").stderr
    asked = world.root.ok("POST", "/v1/registry:republish", status=202)
    operation = f"/v1/orgs/_/operations/{asked['id']}"
    done = wait_until("the comparison", lambda: (lambda o: o if o["state"] == "done" else None)(world.root.ok("GET", operation)))
    assert (done["kind"], done["connection"]) == ("republish", None)
    world.api("acme", "org_admin").refused("POST", "/v1/registry:republish", 403, "FORBIDDEN")
    world.api("acme", "org_admin").refused("GET", f"/v1/orgs/acme/operations/{asked['id']}", 404, "NOT_FOUND")


def test_a_connection_that_is_not_synced_says_what_to_turn_on(world, admin):
    admin.cli("connections", "add", "by-hand", "--provider", "vllm", "--base-url", "http://127.0.0.1:9/v1", "--sync", "off")
    assert admin.cli("connections", "set", "by-hand", "--sync", "maybe", check=False).returncode == 2
    for flags, advice in ((["--sync", "off"], "--sync on"), (["--sync", "on", "--disable"], "--enable")):
        admin.cli("connections", "set", "by-hand", *flags)
        refused = admin.cli("registry", "sync", "--connection", "by-hand", check=False)
        assert refused.returncode == 1 and f"connections set by-hand {advice}" in refused.stderr
        by_database = world.stack.cli("registry", "sync", "--connection", "by-hand", "--org", "acme", check=False)
        assert by_database.returncode == 1 and f"connections set by-hand {advice}" in by_database.stderr
    client = world.api("acme", "org_admin")
    problem = client.refused("POST", "/v1/orgs/acme/connections/by-hand:sync", 409, "CONFLICT")
    assert "is disabled" in problem["detail"] and "--enable" in problem["hint"]
    assert world.stack.sql("SELECT count(*) FROM sync_request q JOIN connection c ON c.id = q.connection_id WHERE c.name = "
                           "'by-hand'")[0][0] == 0
    admin.cli("connections", "remove", "by-hand")


def test_prices_and_held_changes_go_through_the_api(world, admin):
    model = a_model(world.api("acme", "org_admin"))
    name = "ollama/" + model["modelName"]
    admin.cli("registry", "price", name, "input=2.5", "output/batch@200001@16:30-00:30=5")
    assert {(p["dimension"], p["amount"], p.get("utcFrom")) for p in admin.one("registry", "price", name)["own"]} == {
        ("input", "2.5", None), ("output", "5", "16:30")}
    assert "output/batch@200001@16:30-00:30" in admin.cli("registry", "price", name).stdout
    admin.cli("registry", "price", name, "--remove")
    assert admin.one("registry", "price", name)["own"] == []

    world.stack.cli("connections", "add", "listed", "--org", "acme", "--provider", "ollama", "--base-url",
                    world.stack.simulator_url)
    # Its first sync would end what no list of its own has held.
    wait_until("the connection is synced", lambda: world.stack.sql(
        "SELECT 1 FROM sync_run r JOIN connection c ON c.id = r.connection_id WHERE c.name = 'listed'"))
    world.stack.sql(f"UPDATE model SET context_window = 8192 WHERE id = '{model['id']}'")
    held = world.stack.sql(
        "INSERT INTO held_change (connection_id, model_id, before, after, reason) SELECT c.id, "
        f"""'{model['id']}', '{{"contextWindow":8192}}', '{{"contextWindow":512}}', 'it would shrink' FROM connection c """
        "WHERE c.name = 'listed' RETURNING CAST(id AS text)")[0][0]
    assert "it would shrink" in admin.cli("registry", "held").stdout
    admin.cli("registry", "decide", held, "accept", "--dry-run")
    assert [h["id"] for h in admin.lines("registry", "held")] == [held]
    decided = admin.one("registry", "decide", held, "accept", "--reason", "it was rebuilt")
    assert (decided["decision"], decided["decisionReason"]) == ("accepted", "it was rebuilt")
    assert admin.lines("registry", "held") == [] and admin.one("registry", "show", name)["contextWindow"] == 512


def test_configuration_goes_through_the_api(world, admin):
    root = Person(world, None, "platform_admin")
    shared = wait_until("a listed model", lambda: world.root.ok("GET", "/v1/orgs/_/models?status=active")["data"])[0]
    listed = f"{shared['provider']}/{shared['modelName']}"
    by_database = lambda: world.stack.cli("registry", "export").stdout
    exported = root.cli("registry", "export").stdout
    assert exported == by_database() and shared["modelName"] in exported
    assert root.cli("registry", "plan", "-", stdin=exported).stdout == ""
    wanted = {
        "organizations": [{"id": "gamma", "displayName": "Gamma", "mode": "allow_list", "metadata": {"cost": "7"}}],
        "connections": [{"org": "gamma", "name": "file", "provider": "vllm", "baseUrl": "http://127.0.0.1:9/v1", "weight": 3}],
        "models": [{"org": "gamma", "provider": "vllm", "modelName": "m", "enabled": True, "tags": ["x"],
                    "settings": {"capabilities": {"tools": "supported"}, "metadata": {"a": {"b": 1}}, "contextWindow": 4096},
                    "prices": [{"dimension": "input", "amount": "2.5"}, {"dimension": "input", "amount": "1", "connection": "file"}],
                    "deployments": [{"connection": "file", "upstreamName": "served", "requestsPerMinute": 60}]},
                   {"org": "gamma", "provider": shared["provider"], "modelName": shared["modelName"], "enabled": False}],
        "defaults": [{"org": "gamma", "kind": "generation", "model": "vllm/m"}],
        "aliases": [{"org": "gamma", "alias": "best", "description": "the best", "targets": [{"model": "vllm/m", "weight": 9},
                                                                                         {"model": listed, "weight": 1}]}],
        "grants": [{"org": "gamma", "to": "group", "subject": "g", "what": "alias", "object": "best"}]}
    text = json.dumps(wanted)
    planned = root.cli("registry", "plan", "-", stdin=text).stdout
    assert [line for line in planned.splitlines() if line[0] == "+"] == [
        "+ organizations gamma", "+ connections gamma file", "+ models gamma vllm/m", f"+ models gamma {listed}",
        "+ defaults gamma generation", "+ aliases gamma best", "+ grants gamma group g alias best"]
    assert root.cli("registry", "apply", "-", "--dry-run", stdin=text).stdout == planned and by_database() == exported
    assert [json.loads(line)["kind"] for line in root.cli("registry", "apply", "-", "--json", stdin=text).stdout.splitlines()] == ["create"] * 7
    assert root.cli("registry", "plan", "-", stdin=text).stdout == ""
    assert root.cli("registry", "export").stdout == by_database()
    # Maps become what the file says: what it no longer has goes. So does a limit.
    wanted["models"][0]["deployments"] = [{"connection": "file", "upstreamName": "served"}]
    wanted["models"][0]["settings"] = {"capabilities": {"vision": "supported"}, "metadata": {"a": {"c": 2}}}
    root.cli("registry", "apply", "-", stdin=json.dumps(wanted))
    assert root.cli("registry", "plan", "-", stdin=json.dumps(wanted)).stdout == ""
    # What the file lacks goes with --prune, and only that.
    rest = json.dumps({**json.loads(root.cli("registry", "export", "--json").stdout), **{
        kind: [e for e in json.loads(root.cli("registry", "export", "--json").stdout)[kind] if "gamma" not in (e.get("org"), e.get("id"))]
        for kind in wanted}})
    removed = root.cli("registry", "apply", "-", "--prune", stdin=rest).stdout.splitlines()
    assert len(removed) == 7 and all(line.startswith("- ") for line in removed)
    assert by_database() == exported

    refused = admin.world.stack.cli("registry", "export", environment=admin.environment, check=False)
    assert refused.returncode == 1 and "platform:orgs:write" in refused.stderr
    viewer = Person(world, "acme", "viewer")
    counts = viewer.one("registry", "inspect")
    lists = lambda inspected: [entry["connection"] for entry in inspected["lists"]]
    assert counts["models"] >= 1
    assert "env-ollama" not in lists(counts), "how old the platform's lists are is the platform's"
    assert "env-ollama" in lists(root.one("registry", "inspect"))
    assert "models:" in viewer.cli("registry", "inspect").stdout.splitlines()[0]


def test_catalogues_go_through_the_api(world, admin, tmp_path):
    root = Person(world, None, "platform_admin")
    models = [json.loads(line) for line in world.stack.cli("registry", "list", "--json").stdout.splitlines()]
    name = next(m["modelName"] for m in models if "orgId" not in m)
    world.root.ok("POST", "/v1/orgs/_/models", {"provider": "openai", "modelName": "catalogued"}, 201)
    entry = {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 128000, "max_output_tokens": 4096,
             "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05, "supports_function_calling": True}
    file = tmp_path / "model_prices.json"
    file.write_text(json.dumps({"catalogued": entry, "not-here": {**entry, "max_input_tokens": 1000}}))
    tried = json.loads(root.cli("catalog", "update", str(file), "--source", "litellm", "--dry-run", "--json").stdout)
    assert (tried["added"], tried["models"], tried["dryRun"]) == (2, 0, True)
    assert world.root.ok("GET", "/v1/catalogs/litellm/entries")["data"] == []
    done = json.loads(root.cli("catalog", "update", str(file), "--source", "litellm", "--json").stdout)
    assert (done["added"], done["models"]) == (2, 1)
    model = root.one("registry", "show", "openai/catalogued")
    assert model["contextWindow"] == 128000 or model["inputTokensMax"] == 128000
    assert model["prices"]["input"] == "2.5" and model["sources"]["capabilities.tools"] == "curated"
    again = json.loads(root.cli("catalog", "update", str(file), "--source", "litellm", "--json").stdout)
    assert (again["added"], again["changed"], again["unchanged"], again["models"]) == (0, 0, 2, 0)
    # What looks wrong is held here as by the database, and the database sees one catalogue.
    file.write_text(json.dumps({"catalogued": {**entry, "input_cost_per_token": 1e-3}, "not-here": {**entry, "max_input_tokens": 1000}}))
    held = json.loads(root.cli("catalog", "update", str(file), "--source", "litellm", "--json").stdout)
    assert (held["held"], held["models"]) == (1, 0)
    waiting = root.lines("registry", "held")[0]
    for flags in ((), ("--json",)):
        noted = root.cli("registry", "list", *flags).stderr
        assert f"held since {waiting['since']}: {waiting['model']}: {waiting['reason']}" in noted, noted
        assert f"Decide: tokenrail registry decide {waiting['id']} accept|reject" in noted, noted
    assert json.loads(world.stack.cli("catalog", "update", str(file), "--source", "litellm", "--json").stdout)["held"] == 1
    assert root.one("registry", "show", "openai/catalogued")["prices"]["input"] == "2.5"
    assert root.one("registry", "inspect")["catalogs"][0]["held"] == 1
    assert world.stack.sql("SELECT count(*), min(imported_by) FROM catalog_import")[0][0] >= 2

    scores = tmp_path / "scores.json"
    scores.write_text(json.dumps({"source": "us", "date": "2026-11-01", "scores": [
        {"provider": "openai", "modelName": "catalogued", "score": 0.75}, {"provider": "openai", "modelName": "nowhere", "score": 1}]}))
    assert json.loads(root.cli("catalog", "scores", str(scores), "--dry-run", "--json").stdout)["models"] == 1
    assert world.stack.sql("SELECT count(*) FROM quality_score") == [(0,)]
    assert json.loads(root.cli("catalog", "scores", str(scores), "--json").stdout) == {
        "source": "us", "date": "2026-11-01", "scores": 2, "models": 1, "unknownModels": ["openai/nowhere"], "refused": []}
    refused = Person(world, "acme", "org_admin")
    refused.org = None
    no = refused.cli("catalog", "scores", str(scores), check=False)
    assert no.returncode == 1 and "platform:models:write" in no.stderr and name


def test_dry_run_keeps_nothing(world, admin):
    name = "ollama/" + a_model(world.api("acme", "org_admin"))["modelName"]
    before = admin.one("registry", "show", name)
    audited = len(admin.lines("registry", "audit"))
    tried = admin.cli("registry", "set", name, '{"displayName":"Tried"}', "--dry-run", "--json")
    assert json.loads(tried.stdout)["displayName"] == "Tried"
    admin.cli("registry", "remove", name, "--dry-run")
    admin.cli("registry", "alias", "tried", name, "--dry-run")
    admin.cli("registry", "price", name, "input=1", "--dry-run")
    admin.cli("credentials", "put", "tried", "--provider", "openai", "--dry-run", stdin=KEY)
    assert admin.one("registry", "show", name) == before and len(admin.lines("registry", "audit")) == audited
    # What would be refused is refused.
    viewer = Person(world, "acme", "viewer")
    refused = viewer.cli("registry", "set", name, "{}", "--dry-run", check=False)
    assert refused.returncode == 1 and "permission" in refused.stderr


@contextlib.contextmanager
def other_is_faster(world, change):
    """The address of an API where `change` is made between what a command reads and its first own change."""
    waiting = [change]

    class Between(http.server.BaseHTTPRequestHandler):
        def forward(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            if self.command != "GET" and waiting:
                waiting.pop()()
            kept = ("Authorization", "Content-Type", "If-Match", "If-None-Match")
            request = urllib.request.Request(world.url + self.path, data=body, method=self.command, headers={
                name: self.headers[name] for name in kept if self.headers[name]})
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    status, content = answer.status, answer.read()
            except urllib.error.HTTPError as refusal:
                status, content = refusal.code, refusal.read()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Between) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
    assert not waiting, "the command changed nothing"


def test_a_command_does_not_overwrite_what_changed_after_it_had_read(world, admin):
    api = world.api("acme", "org_admin")
    connection = api.ok("POST", "/v1/orgs/acme/connections", {"provider": "ollama", "name": "raced", "enabled": False,
                                                             "baseUrl": "http://1.1.1.1:1"}, 201)
    at = f"/v1/orgs/acme/connections/{connection['id']}"
    with other_is_faster(world, lambda: api.ok("PATCH", at, {"weight": 7})) as url:
        late = Person(world, "acme", "org_admin", url).cli("connections", "set", "raced", "--weight", "2", check=False)
    assert late.returncode == 1 and "version" in late.stderr
    assert api.ok("GET", at)["weight"] == 7
    admin.cli("connections", "set", "raced", "--weight", "2")
    assert api.ok("GET", at)["weight"] == 2

    admin.cli("credentials", "put", "raced", "--provider", "openai", stdin=KEY)
    known = next(c for c in admin.lines("credentials", "list") if c["label"] == "raced")
    replace = f"/v1/orgs/acme/credentials/{known['id']}:replace"
    with other_is_faster(world, lambda: api.ok("POST", replace, {"secret": "sk-of-another-one-9876"})) as url:
        late = Person(world, "acme", "org_admin", url).cli("credentials", "put", "raced", stdin=KEY + "-2", check=False)
    assert late.returncode == 1 and KEY not in late.stderr
    assert api.ok("GET", f"/v1/orgs/acme/credentials/{known['id']}")["last4"] == "9876"


def test_a_file_is_applied_only_to_what_its_plan_has_seen(world):
    root = world.root
    api = world.api("acme", "org_admin")
    first, second, third = (f"ollama/{a_model(api)['modelName']}" for _ in range(3))
    alias = "/v1/orgs/acme/aliases/raced"

    def targets():
        return [target["model"] for target in api.ok("GET", alias)["targets"]]

    def applied(document, change):
        with other_is_faster(world, change) as url:
            return Person(world, None, "platform_admin", url).cli("registry", "apply", "-", stdin=json.dumps(document),
                                                                  check=False)

    file = {"aliases": [{"org": "acme", "alias": "raced", "targets": [{"model": first}]}]}
    made = applied(file, lambda: api.ok("PUT", alias, {"targets": [{"model": second}]}))
    assert made.returncode == 1 and "raced was not applied" in made.stderr and targets() == [second]
    changed = applied(file, lambda: api.ok("PUT", alias, {"targets": [{"model": third}]}))
    assert changed.returncode == 1 and targets() == [third]
    # The plan of the next command has seen it.
    person = Person(world, None, "platform_admin")
    person.cli("registry", "apply", "-", stdin=json.dumps(file))
    assert targets() == [first]
    assert "version" not in person.cli("registry", "export").stdout
    assert root.ok("GET", "/v1/configuration")["aliases"][0]["version"] > 0


def test_commands_work_with_a_server_that_requires_preconditions(world):
    process, url = world.start(TOKENRAIL_API_IF_MATCH_REQUIRED="true")
    try:
        strict = Person(world, "acme", "org_admin", url)
        first, second = (f"ollama/{a_model(world.api('acme', 'org_admin'))['modelName']}" for _ in range(2))
        assert strict.one("registry", "enable", first)["enabled"] is True
        for model in (first, second):
            assert strict.one("registry", "alias", "strict", model)["targets"][0]["model"] == model
            assert strict.one("registry", "default", model, "--purpose", "strict")["model"] == model
        for effect in ("allow", "deny"):
            grant = strict.one("registry", "grant", first, "--group", "strict", *(["--deny"] if effect == "deny" else []))
            assert grant["effect"] == effect
        strict.cli("registry", "grant", "--remove", grant["id"])
        strict.cli("registry", "price", first, "input=1")
        strict.cli("registry", "default", "--remove", "--purpose", "strict")
        strict.cli("registry", "alias", "strict", "--remove")
    finally:
        process.stop()
