"""Who may do what over HTTP, for every operation of the OpenAPI document: no token, wrong tokens, another organisation,
and each role, against the tables in docs/explanation/authorisation.md."""

import json
import pathlib
import re
import time

import pytest

from oidc_issuer import Issuer, Key
from registry_world import Api, World

METHODS = {"get", "put", "post", "patch", "delete"}
ROLES = ("viewer", "member", "model_admin", "org_admin")
NO_ID = "00000000-0000-7000-8000-000000000000"
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "explanation" / "authorisation.md"


@pytest.fixture(scope="module")
def world(make_shared_stack, tmp_path_factory):
    return World(make_shared_stack(), tmp_path_factory.mktemp("rights"))


def place_of(path):
    """Whose rows an operation is about."""
    if "{org}" in path:
        return "organisation"
    for prefix, place in (("/api/v1/admin/", "platform"), ("/api/models", "caller"), ("/api/v1/models/", "caller's organisation")):
        if path.startswith(prefix):
            return place
    return ""


def operations(world):
    """Each operation that needs a token: method, a URL of acme, a body, the permission, and whose rows it is about."""
    document = Api(world.url).ok("GET", "/openapi.json")
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method not in METHODS or operation.get("security") == []:
                continue
            url = re.sub(r"\{\w+\}", NO_ID, path.replace("{org}", "acme"))
            required = [f"{p['name']}=1" for p in operation["parameters"] if p["in"] == "query" and p.get("required")]
            found.append((method.upper(), url + ("?" + "&".join(required) if required else ""),
                          {} if "requestBody" in operation else None, operation.get("x-permission", ""), place_of(path)))
    assert len(found) > 40
    return found


def table(personal=False):
    """{permission: roles that have it}, the first table of the page or that of personal rows."""
    lines = PAGE.read_text(encoding="utf-8").split("## Personal rows")[personal].split("\n## ")[0 if personal else -1].splitlines()
    head = next(line for line in lines if line.startswith("| permission"))
    roles = [cell.strip() for cell in head.strip("|").split("|")][1:]
    rows = {}
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].startswith("`"):
            rows[cells[0].strip("`")] = {role for role, cell in zip(roles, cells[1:]) if cell == "yes"}
    return rows


def test_without_a_valid_token_nothing_is_answered(world):
    def token(**environment):
        return world.stack.cli("auth", "token", "--org", "acme", "--role", "org_admin",
                               environment={**world.environment, **environment}).stdout.strip()
    good = token()
    forged = good[:-8] + ("AAAAAAAA" if not good.endswith("AAAAAAAA") else "BBBBBBBB")
    stranger = token(TOKENRAIL_AUTH_DEV_KEY_FILE=str(world.stack.folder / "another-key.json"))
    clients = {"none": Api(world.url), "no token at all": Api(world.url, "a.b.c"), "forged": Api(world.url, forged),
               "for another audience": Api(world.url, token(TOKENRAIL_AUTH_AUDIENCE="another")),
               "signed with another key": Api(world.url, stranger), "of no service": Api(world.url, "trk_abcdefgh_" + "x" * 43)}
    assert Api(world.url, good).call("GET", "/v1/orgs/acme")[0] == 200
    for what, client in clients.items():
        for method, url, body, _, _ in operations(world):
            status, problem, _ = client.call(method, url, body)
            assert status == 401, f"{what}: {method} {url}: {status} {problem}"
            assert problem["code"] == "UNAUTHENTICATED"


def test_a_token_counts_in_its_time_and_place_only(world, tmp_path):
    """Tokens of an identity provider, all signed, each with one thing wrong."""
    issuer = Issuer(tmp_path)
    process, url = world.start(TOKENRAIL_AUTH_MODE="jwt", TOKENRAIL_AUTH_ISSUER=issuer.url, TOKENRAIL_AUTH_AUDIENCE="tokenrail",
                               TOKENRAIL_AUTH_JWKS_URL=issuer.url + "/jwks")
    now = int(time.time())

    def client(key=issuer.key, without=(), **claims):
        claims = {"iss": issuer.url, "aud": "tokenrail", "sub": "anna", "org": "acme", "role": "org_admin", "iat": now,
                  "exp": now + 3600, **claims}
        return Api(url, key.sign({name: value for name, value in claims.items() if name not in without}, issuer.key.kid))
    assert client().call("GET", "/v1/orgs/acme")[0] == 200
    # The clocks may differ by 60 s.
    wrong = {"expired": client(iat=now - 7200, exp=now - 61), "for ever": client(without=["exp"]),
             "not yet valid": client(nbf=now + 3600), "issued in the future": client(iat=now + 3600, exp=now + 7200),
             "of another issuer": client(iss=issuer.url + "/other"), "for another audience": client(aud="another"),
             "signed with another key": client(key=Key(tmp_path, "other"))}
    for what, caller in wrong.items():
        # An expired token is sent to every operation. The rest is looked at in the same place of the program.
        for method, path, body, _, _ in operations(world)[:None if what == "expired" else 3]:
            status, problem, _ = caller.call(method, path, body)
            assert (status, problem["code"]) == (401, "UNAUTHENTICATED"), f"{what}: {method} {path}: {status} {problem}"
    assert process.stop() == 0
    issuer.close()


def test_another_organisation_is_not_there(world):
    stranger = world.api("beta", "org_admin")
    for method, url, body, permission, place in operations(world):
        status, problem, _ = stranger.call(method, url, body)
        if place.startswith("caller"):
            # These take the organisation from the token.
            assert status not in (401, 403, 500) and "acme" not in json.dumps(problem), f"{method} {url}: {problem}"
        elif place == "organisation" and permission.startswith("org:"):
            assert (status, problem["code"]) == (404, "NOT_FOUND"), f"{method} {url}"
        elif permission:
            assert (status, problem["code"]) == (403, "FORBIDDEN"), f"{method} {url}"


def test_accepting_every_held_change_needs_the_right_to_decide_one(world):
    url = f"/v1/orgs/acme/connections/{NO_ID}:sync"
    client = world.api("acme", "model_admin")
    assert client.call("POST", url, {})[0] == 404
    assert client.call("POST", url, {"acceptHeld": True})[0] == 403
    assert world.api("acme", "org_admin").call("POST", url, {"acceptHeld": True})[0] == 404


def test_what_another_users_requests_lead_to_is_for_admins(world):
    url = "/v1/orgs/acme/models:resolve"
    for role in ("viewer", "member", "model_admin"):
        client = world.api("acme", role)
        status, problem, _ = client.call("POST", url, {"userId": "somebody-else"})
        assert (status, problem["code"]) == (403, "FORBIDDEN"), role
        assert client.call("POST", url, {})[0] != 403, role
    assert world.api("acme", "org_admin").call("POST", url, {"userId": "somebody-else"})[0] != 403


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_the_table_says(world, role):
    client, shared, personal = world.api("acme", role), table(), table(personal=True)
    refused = 0
    for method, url, body, permission, place in operations(world):
        if not permission:
            continue
        status, problem, _ = client.call(method, url, body)
        rights = personal if place == "caller" else shared
        if place != "platform" and role in rights[permission]:
            # What it asks for is not there or its body says too little; that is looked at after the rights.
            assert status not in (401, 403, 500), f"{role}: {method} {url}: {problem}"
        else:
            assert (status, problem["code"]) == (403, "FORBIDDEN"), f"{role}: {method} {url}: {problem}"
            refused += 1
    assert refused > 0
