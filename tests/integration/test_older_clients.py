"""Clients of older APIs, on the paths that the registry API serves for them."""

import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess

import pytest

from registry_world import World, a_model, name
from stack import wait_until

CLIENT = pathlib.Path(__file__).parent / "clients" / "org_models.ts"
# The client's types, taken out, so that a node that knows no types runs it.
TYPES = re.compile(r"^export (?:interface \w+ \{.*?^\}|type \w+ = Promise<[^\n]*>;)\n", re.MULTILINE | re.DOTALL)
ANNOTATION = re.compile(r"(?<=\w): (?:string|Sent|OrgModelChange)(?=[,)])|(?<=\)): (?:ModelsReply|ModelReply)(?= \{)")

DRIVER = """
import { fetchOrgModels, upsertOrgModel } from './client.mjs';
const { admin, viewer, org, change } = JSON.parse(process.env.CASE);
const refusal = async (call) => call.then(() => null, (error) => ({ status: error.status, ...error.body }));
const made = (await upsertOrgModel(admin, org, change)).model;
const disabled = (await upsertOrgModel(admin, org, {
  provider: change.provider, modelName: change.modelName, displayName: 'Renamed', isEnabled: false })).model;
const listed = (await fetchOrgModels(viewer, org)).models;
const invalid = await refusal(upsertOrgModel(admin, org, { ...change, displayName: '', contextWindow: -1 }));
const forbidden = await refusal(upsertOrgModel(viewer, org, change));
const stranger = await refusal(fetchOrgModels(admin, 'beta'));
console.log(JSON.stringify({ made, disabled, listed, invalid, forbidden, stranger }));
"""


@pytest.fixture(scope="module")
def world(make_shared_stack, tmp_path_factory):
    return World(make_shared_stack(), tmp_path_factory.mktemp("api"))


@pytest.fixture
def admin(world):
    return world.api("acme", "org_admin")


def test_typescript_client_runs_unchanged(world, admin, tmp_path):  # S0.50 to S0.54, S0.57
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        pytest.skip("no node here; the TypeScript client is not run")
    shared = world.root.ok("POST", "/v1/orgs/_/models", {"provider": "ollama", "enabled": True,
                                                         "modelName": "shared-" + secrets.token_hex(4)}, 201)
    change = {"provider": "ollama", "modelName": "ts-" + secrets.token_hex(4), "displayName": "First", "description": "d",
              "isDefault": True, "capabilities": ["chat", "streaming"], "contextWindow": 8192, "maxOutputTokens": 1024,
              "inputPriceMicros": 150, "outputPriceMicros": 600, "metadata": {"team": {"name": "ml"}}}
    (tmp_path / "client.mjs").write_text(ANNOTATION.sub("", TYPES.sub("", CLIENT.read_text())))
    (tmp_path / "driver.mjs").write_text(DRIVER)
    case = {"admin": admin.token, "viewer": world.api("acme", "viewer").token, "org": "acme", "change": change}
    done = subprocess.run([node, tmp_path / "driver.mjs"], capture_output=True, text=True, timeout=300,
                          env={**os.environ, "REGISTRY_API": world.url, "CASE": json.dumps(case)})
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)

    made = seen["made"]
    fields = CLIENT.read_text().partition("interface OrgModel {")[2].partition("}")[0]
    assert set(made) == set(re.findall(r"^  (\w+):", fields, re.MULTILINE))
    assert made == {**change, "id": made["id"], "orgId": "acme", "isEnabled": True, "scope": "org"}
    assert seen["disabled"] == {**made, "displayName": "Renamed", "description": None, "isEnabled": False}
    listed = {m["id"]: m for m in seen["listed"]}
    assert listed[made["id"]] == seen["disabled"]
    assert (listed[shared["id"]]["scope"], listed[shared["id"]]["orgId"]) == ("global", None)
    assert listed[shared["id"]]["inputPriceMicros"] is None
    assert (seen["invalid"]["status"], seen["invalid"]["error"]) == (400, "INVALID_BODY")
    assert {"displayName", "contextWindow"} <= set(seen["invalid"]["details"])
    assert (seen["forbidden"]["status"], seen["forbidden"]["error"]) == (403, "FORBIDDEN")
    assert (seen["stranger"]["status"], seen["stranger"]["error"]) == (404, "NOT_FOUND")


def test_prices_of_the_older_unit_keep_the_others(world, admin):
    made = a_model(admin)
    path = f"/v1/orgs/acme/models/{made['id']}/prices"
    admin.ok("PUT", path, {"prices": [{"dimension": "cache_read", "amount": "0.1"}, {"dimension": "input", "amount": "1"},
                                      {"dimension": "input", "serviceTier": "batch", "amount": "0.5"}]})
    body = {"provider": "ollama", "modelName": made["modelName"], "displayName": "x", "inputPriceMicros": 2000}
    model = admin.ok("PUT", "/orgs/acme/models", body)["model"]
    assert (model["inputPriceMicros"], model["outputPriceMicros"]) == (2000, None)
    own = {(p["dimension"], p["serviceTier"]): p["amount"] for p in admin.ok("GET", path)["own"]}
    assert own == {("cache_read", "standard"): "0.1", ("input", "standard"): "2", ("input", "batch"): "0.5"}
    admin.ok("PUT", path, {"prices": [{"dimension": "input", "amount": "0.0001"}]})
    listed = [m for m in admin.ok("GET", "/orgs/acme/models")["models"] if m["id"] == made["id"]]
    assert listed[0]["inputPriceMicros"] == 0.1


def test_administrators_paths_are_served(world):  # S1.19 to S1.25
    root, base = world.root, "/api/v1/admin/models"
    body = {"provider": "ollama", "modelName": "s1-" + secrets.token_hex(4), "kind": "embedding",
            "embeddingDimensions": 768}
    made = root.ok("POST", base, body, 201)
    assert root.call("POST", base, {**body, "modelName": "x" + body["modelName"]})[2]["Location"].startswith("/v1/orgs/_/")
    listed = root.ok("GET", f"{base}?kind=embedding&provider=ollama&page_size=1000")["data"]
    assert made["id"] in {m["id"] for m in listed} and made["scope"] == "platform"
    assert root.ok("GET", f"{base}/{made['id']}")["embeddingDimensions"] == 768
    assert root.ok("PUT", f"{base}/{made['id']}", {"enabled": True, "displayName": "E"})["displayName"] == "E"
    default = root.ok("PATCH", f"{base}/{made['id']}/default")
    assert (default["kind"], default["modelId"]) == ("embedding", made["id"])
    root.refused("DELETE", f"{base}/{made['id']}", 409, "IN_USE")
    root.ok("DELETE", "/v1/orgs/_/defaults?kind=embedding", status=204)
    assert root.ok("DELETE", f"{base}/{made['id']}", status=204) == ""
    root.refused("GET", f"{base}/{made['id']}", 404, "E4001")
    world.api("acme", "org_admin").refused("GET", base, 403, "FORBIDDEN")


def served_model(world):
    """One that registry-sync found at the simulator."""
    return wait_until("a model of the simulator", lambda: [
        m for m in world.root.ok("GET", "/v1/orgs/_/models?provider=ollama&kind=generation")["data"] if m["deployments"]])[0]


def test_model_is_tested_on_the_administrators_path(world):  # S1.25
    served = served_model(world)
    result = world.root.ok("POST", f"/api/v1/admin/models/{served['id']}/test")
    assert result["model"] == served["deployments"][0]["upstreamName"] and result["stages"]
    unserved = world.root.ok("POST", "/v1/orgs/_/models", {"provider": "ollama",
                                                           "modelName": "un-" + secrets.token_hex(4)}, 201)
    world.root.refused("POST", f"/api/v1/admin/models/{unserved['id']}/test", 409, "CONFLICT")


def test_active_models_of_a_kind_are_listed_for_members(world, admin):  # S1.26, S1.27
    model = served_model(world)
    admin.ok("PATCH", f"/v1/orgs/acme/models/{name(model['slug'])}", {"enabled": True})
    viewer = world.api("acme", "viewer")
    listed = viewer.ok("GET", "/api/v1/models/generation")["data"]
    assert model["slug"] in {m["slug"] for m in listed}
    assert {(m["kind"], m["status"]) for m in listed} == {("generation", "active")}
    assert {m["kind"] for m in viewer.ok("GET", "/api/v1/models/embedding")["data"]} <= {"embedding"}
    world.root.refused("GET", "/api/v1/models/generation", 400, "INVALID_QUERY")


def test_paths_of_personal_models_are_served(world):  # S2.42 to S2.46
    member = world.api("acme", "member")
    body = {"provider": "ollama", "modelName": "s2-" + secrets.token_hex(4), "enabled": True}
    made = member.ok("POST", "/api/models", body, 201)
    path = f"/api/models/{made['id']}"
    assert made["id"] in {m["id"] for m in member.ok("GET", "/api/models?page_size=1000")["data"]}
    assert member.ok("PATCH", path, {"displayName": "Mine"})["displayName"] == "Mine"
    assert member.ok("GET", path)["displayName"] == "Mine"
    world.api("acme", "model_admin").refused("GET", path, 404, "E4001")
    assert made["id"] not in {m["id"] for m in member.ok("GET", "/v1/orgs/acme/models?page_size=1000")["data"]}
    assert "ollama" in {t["id"] for t in member.ok("GET", "/api/models/templates?page_size=1000")["data"]}
    tested = member.ok("POST", "/api/models/test-connection", {"provider": "ollama", "baseUrl": "http://169.254.169.254"})
    assert tested["outcome"] != "ok"
    assert member.ok("DELETE", path, status=204) == ""
    member.refused("GET", path, 404, "E4001")
