"""Requests that are generated from the API's own OpenAPI document, valid and invalid ones, and answers that are compared
with it. The seed is fixed, and SEED and ROUNDS in the environment change it for a longer search."""

import json
import os
import random
import urllib.parse

import pytest

from api_document import LEFT_OUT, ODD_TEXTS, ORG, WRONG_BODIES, Generator, Pool, Validators, encoded, mistakes_in, send, taken_though_wrong
from registry_world import World

SEED = int(os.environ.get("TOKENRAIL_TEST_CONTRACT_SEED", "1"))
ROUNDS = int(os.environ.get("TOKENRAIL_TEST_CONTRACT_ROUNDS", "10"))


@pytest.fixture(scope="module")
def world(make_shared_stack, tmp_path_factory):
    world = World(make_shared_stack(), tmp_path_factory.mktemp("contract"))
    world.root.ok("POST", "/v1/orgs", {"id": ORG}, 201)
    return world


def requests_of(document, pool, dice):
    """Each is (operation, method, target, headers, body)."""
    make = Generator(document, pool, dice)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for number in range(ROUNDS):
                odd = number % 2 == 1
                target = path
                for parameter in operation["parameters"]:
                    if parameter["in"] != "path":
                        continue
                    text = make.known(parameter["name"]) or make.value(parameter["schema"], parameter["name"]) or "x"
                    if odd and parameter["name"] != "org" and dice.random() < 0.2:
                        text = dice.choice(ODD_TEXTS) or "-"
                    target = target.replace("{%s}" % parameter["name"], encoded(text))
                query = []
                for parameter in operation["parameters"]:
                    if parameter["in"] != "query" or (not parameter.get("required") and dice.random() < 0.75):
                        continue
                    value = make.value(parameter["schema"], parameter["name"])
                    for one in value if isinstance(value, list) else [value]:
                        one = json.dumps(one) if isinstance(one, (bool, int, float)) else one
                        query.append((parameter["name"], dice.choice(ODD_TEXTS) if odd and dice.random() < 0.3 else one))
                if odd and dice.random() < 0.05:
                    query.append(("unknown", "1"))
                target += "?" + urllib.parse.urlencode(query) if query else ""
                headers, body = {}, None
                if odd and dice.random() < 0.2:
                    headers["If-Match"] = dice.choice(['"v1"', "*", "garbage", 'W/"v1"', '""'])
                    headers["Idempotency-Key"] = dice.choice(["k" + str(dice.random()), "", "x" * 300, "k"])
                if odd and dice.random() < 0.1:
                    headers["If-None-Match"] = dice.choice(["*", '"v1"', "garbage", ""])
                if "requestBody" in operation:
                    (media, content), = operation["requestBody"]["content"].items()
                    value = make.value(content["schema"])
                    body = json.dumps(make.broken(value) if odd else value).encode()
                    if odd and dice.random() < 0.1:
                        body = dice.choice(WRONG_BODIES)
                    headers["Content-Type"] = "text/plain" if odd and dice.random() < 0.03 else media
                yield operation, method.upper(), target, headers, body


# Before the test that deletes whatever it can, the platform's connection among it.
def test_members_that_fields_may_name_are_all_documented(world):
    schemas = world.root.ok("GET", "/openapi.json")["components"]["schemas"]
    pool = Pool(world)
    for path, schema in (("/v1/orgs", "Organization"), (f"/v1/orgs/{ORG}/models", "Model"),
                         (f"/v1/orgs/{ORG}/connections", "Connection"), (f"/v1/orgs/{ORG}/audit", "AuditEntry")):
        api = world.root if path == "/v1/orgs" else pool.admin
        items = api.ok("GET", path)["data"]
        members = {member for item in items for member in item}
        assert items and members <= set(schemas[schema]["properties"]), f"{schema}: {sorted(members - set(schemas[schema]['properties']))}"
        for member in members:
            assert set(api.ok("GET", f"{path}?fields={member}")["data"][0]) <= {"id", member}
        problem = api.refused("GET", f"{path}?fields=id,creatdAt", 400, "INVALID_QUERY")
        assert "creatdAt" in problem["detail"]


def test_answers_are_as_the_document_says(world):
    document = world.root.ok("GET", "/openapi.json")
    validators = Validators(document)
    dice = random.Random(SEED)
    pool = Pool(world)
    tokens = [pool.admin.token, world.root.token]
    found, seen = [], {}
    for number, (operation, method, target, headers, body) in enumerate(requests_of(document, pool, dice)):
        if operation["operationId"] in LEFT_OUT:
            continue
        if number % (4 * ROUNDS) == 0:
            pool.refresh()
        status, answered, content = send(world.url, dice.choice(tokens), method, target, headers, body)
        seen.setdefault(operation["operationId"], set()).add(status)
        mistake = mistakes_in(operation, target, validators, status, answered, content) or taken_though_wrong(
            operation, validators, body, status)
        if mistake:
            found.append(f"{method} {target[:300]} {headers} {body[:400] if body else ''}\n    {mistake}")
    assert world.process.alive()
    assert not found, f"{len(found)} mistakes with the seed {SEED}:\n" + "\n".join(found[:25])
    never = {operation for operation, statuses in seen.items() if not [s for s in statuses if s < 400]}
    # Without a provider to log in at or a held change, say, there is nothing to succeed; most operations do.
    assert 3 * len(never) < len(seen), f"these operations never succeeded: {sorted(never)}"
