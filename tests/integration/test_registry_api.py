"""The registry API as a process on a real PostgreSQL: models, connections and credentials of two organisations, with
tokens of dev mode."""

import gzip
import hashlib
import http.server
import json
import secrets
import signal
import socket
import threading
import urllib.request

import jsonschema
import pytest

from registry_world import Api, World, a_model, name
from stack import Process, wait_until

CANARY = "sk-canary-" + secrets.token_hex(16)


@pytest.fixture(scope="module")
def world(make_shared_stack, tmp_path_factory):
    stack = make_shared_stack()
    return World(stack, tmp_path_factory.mktemp("api"))


@pytest.fixture
def admin(world):
    return world.api("acme", "org_admin")


def test_organisation_governs_its_models(world, admin):
    made = a_model(admin, enabled=True, capabilities={"chat": "supported"}, tags=["fast"], contextWindow=4096)
    slug = made["slug"]
    path = f"/v1/orgs/acme/models/{name(slug)}"
    assert admin.ok("GET", path)["contextWindow"] == 4096
    assert admin.ok("GET", f"/v1/orgs/acme/models/{made['id']}")["slug"] == slug

    changed = admin.ok("PATCH", path, {"contextWindow": None, "displayName": "Fast one"})
    assert changed["contextWindow"] is None and changed["displayName"] == "Fast one"
    assert changed["version"] > made["version"]

    listed = admin.ok("GET", "/v1/orgs/acme/models?capability=chat&tag=fast&fields=slug")
    assert {"id": made["id"], "slug": slug} in listed["data"]
    assert admin.ok("GET", "/v1/orgs/acme/models?capability=chat&capability=vision&tag=fast")["data"] == []

    revisions = admin.ok("GET", path + "/revisions")["data"]
    assert [r["version"] for r in revisions] == sorted((r["version"] for r in revisions), reverse=True)
    back = admin.ok("POST", path + ":rollback", {"version": made["version"]})
    assert back["contextWindow"] == 4096
    difference = admin.ok("GET", f"{path}/revisions:diff?from={changed['version']}&to={back['version']}")
    assert {"field": "/contextWindow", "before": None, "after": 4096} in difference["changes"]
    admin.refused("GET", f"{path}/revisions:diff?from=1&to={back['version']}", 404, "E4001")

    def why():
        status, parsed, _ = admin.call("GET", path + "/explain")
        return parsed if status == 200 and parsed["model"] == slug else None
    # Routers hear of it through Kafka.
    explained = wait_until("the model is published", why)
    assert not explained["usable"] and explained["failure"]["code"] == "INVALID_MODEL_CONFIG"
    assert [c["clause"] for c in explained["clauses"] if not c["holds"]] == ["deployment"]

    actions = {e["action"] for e in admin.ok("GET", f"/v1/orgs/acme/audit?target_id={made['id']}")["data"]}
    assert {"model.created", "model.changed", "model.rolled_back"} <= actions
    assert admin.ok("DELETE", path, status=204) == ""
    assert admin.refused("GET", path, 404, "E4001")["retryable"] is False  # S4.37


def test_model_is_replaced_by_natural_key(world, admin):
    model = "put-" + secrets.token_hex(4)
    path = f"/v1/orgs/acme/models/{name('ollama/' + model)}"
    made = admin.ok("PUT", path, {"displayName": "One", "contextWindow": 10}, 201)
    replaced = admin.ok("PUT", path, {"displayName": "Two"})
    assert replaced["id"] == made["id"] and replaced["displayName"] == "Two" and replaced["contextWindow"] is None
    admin.refused("PUT", path, 412, "PRECONDITION_FAILED", {}, {"If-None-Match": "*"})
    admin.refused("PUT", path, 422, "INVALID_VALUE", {"modelName": "other"})


def test_two_changes_of_one_version_conflict(world, admin):
    made = a_model(admin)
    path = f"/v1/orgs/acme/models/{made['id']}"
    tag = f'"v{made["version"]}"'
    statuses = []

    def change(text):
        status, body, _ = world.api("acme", "model_admin").call("PATCH", path, {"description": text}, {"If-Match": tag})
        statuses.append((status, body.get("current_version"), body.get("version")))
    threads = [threading.Thread(target=change, args=(text,)) for text in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won, lost = sorted(statuses, key=lambda s: s[0])
    assert (won[0], lost[0]) == (200, 412), statuses
    assert lost[1] == won[2], "the refusal names the version that is there"

    status, _, head = admin.call("GET", path)
    assert head["ETag"] == f'"v{won[2]}"'
    assert admin.call("GET", path, headers={"If-None-Match": head["ETag"]})[0] == 304


def conditional_resources(world, admin):
    """What two people may make or change at once: how it is written, read and removed, and two bodies of it."""
    one, two = a_model(admin)["slug"], a_model(admin)["slug"]
    word = secrets.token_hex(4)
    boss, org = world.api("acme", "org_admin"), "/v1/orgs/acme"
    of = f"kind=generation&purpose={word}"

    def in_list(client, path, **fields):
        return next(row for row in client.ok("GET", f"{path}?page_size=1000")["data"]
                    if all(row[key] == value for key, value in fields.items()))

    def default(model):
        return {"kind": "generation", "purpose": word, "model": model}

    def grant(effect):
        return {"subjectKind": "group", "subject": word, "objectKind": "model", "object": one, "effect": effect}

    def member(role):
        return {"issuer": "idp", "subject": word, "role": role}
    alias, view = f"{org}/aliases/a-{word}", f"{org}/views/v-{word}"
    return {
        "alias": (admin, "PUT", alias, {"targets": [{"model": one}]}, {"targets": [{"model": two}]},
                  lambda: admin.ok("GET", alias), lambda row: alias),
        "view": (admin, "PUT", view, {"filter": {"q": "a"}}, {"filter": {"q": "b"}},
                 lambda: admin.ok("GET", view), lambda row: view),
        "default": (admin, "PUT", f"{org}/defaults", default(one), default(two),
                    lambda: in_list(admin, f"{org}/defaults", purpose=word), lambda row: f"{org}/defaults?{of}"),
        "grant": (admin, "POST", f"{org}/grants", grant("deny"), grant("allow"),
                  lambda: in_list(admin, f"{org}/grants", subject=word), lambda row: f"{org}/grants/{row['id']}"),
        "member": (boss, "PUT", f"{org}/members", member("viewer"), member("member"),
                   lambda: in_list(boss, f"{org}/members", subject=word), lambda row: f"{org}/members/{row['id']}"),
    }


@pytest.mark.parametrize("kind", ["alias", "view", "default", "grant", "member"])
def test_what_two_people_make_or_change_at_once_is_not_overwritten(world, admin, kind):
    client, method, path, mine, theirs, read, one = conditional_resources(world, admin)[kind]
    success = 201 if method == "POST" else 200

    def at_once(bodies, headers):
        answers = []
        threads = [threading.Thread(target=lambda body=body: answers.append(client.call(method, path, body, headers)))
                   for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won, lost = sorted(answers, key=lambda answer: answer[0])
        assert (won[0], lost[0]) == (success, 412), answers
        assert lost[1]["code"] == "PRECONDITION_FAILED" and lost[1]["current_version"] == won[1]["version"]
        assert lost[2]["ETag"] == won[2]["ETag"] == f'"v{won[1]["version"]}"'
        now = read()
        assert now["version"] == won[1]["version"], "the first one stays"
        return now

    made = at_once([mine, theirs], {"If-None-Match": "*"})
    tag = {"If-Match": f'"v{made["version"]}"'}
    # Each has another content than what is there, so that both are changes.
    client.ok(method, path, mine, success)
    client.ok(method, path, theirs, success)
    changed = read()
    assert changed["version"] > made["version"]
    assert client.refused(method, path, 412, "PRECONDITION_FAILED", mine, tag)["current_version"] == changed["version"]
    assert client.refused("DELETE", one(changed), 412, "PRECONDITION_FAILED", headers=tag)["current_version"] == \
        changed["version"]
    client.ok(method, path, mine, success, {"If-Match": f'"v{changed["version"]}"'})
    now = read()
    client.refused(method, path, 400, "INVALID_HEADER", mine, {"If-None-Match": "*", "If-Match": "*"})
    client.ok("DELETE", one(now), status=204, headers={"If-Match": f'"v{now["version"]}"'})
    client.refused(method, path, 412, "PRECONDITION_FAILED", mine, {"If-Match": f'"v{now["version"]}"'})
    client.ok(method, path, mine, success, {"If-None-Match": "*"})
    client.ok("DELETE", one(read()), status=204)


def test_credential_is_replaced_and_revoked_by_version(world):
    boss = world.api("acme", "org_admin")
    made = boss.ok("POST", "/v1/orgs/acme/credentials",
                   {"provider": "openai", "label": "two-" + secrets.token_hex(4), "secret": "sk-" + "one" * 9}, 201)
    path, tag = f"/v1/orgs/acme/credentials/{made['id']}", {"If-Match": f'"v{made["version"]}"'}
    status, replaced, head = boss.call("POST", path + ":replace", {"secret": "sk-" + "two" * 9}, tag)
    assert status == 200 and head["ETag"] == f'"v{replaced["version"]}"'
    for method, at, body in (("POST", path + ":replace", {"secret": "sk-" + "own" * 9}), ("DELETE", path, None)):
        problem = boss.refused(method, at, 412, "PRECONDITION_FAILED", body, tag)
        assert problem["current_version"] == replaced["version"]
    assert boss.ok("GET", path)["secretVersion"] == 2
    boss.ok("DELETE", path, status=204, headers={"If-Match": head["ETag"]})


def test_grants_and_members_are_read_one_by_one(world, admin):
    boss, word = world.api("acme", "org_admin"), secrets.token_hex(4)
    grant = admin.ok("POST", "/v1/orgs/acme/grants", {"subjectKind": "group", "subject": word, "objectKind": "model",
                                                      "object": a_model(admin)["slug"]}, 201)
    member = boss.ok("PUT", "/v1/orgs/acme/members", {"issuer": "idp", "subject": word, "role": "viewer"})
    for path, row in ((f"/v1/orgs/acme/grants/{grant['id']}", grant), (f"/v1/orgs/acme/members/{member['id']}", member)):
        status, body, head = boss.call("GET", path)
        assert (status, body) == (200, row) and head["ETag"] == f'"v{row["version"]}"'
        assert boss.call("GET", path, headers={"If-None-Match": head["ETag"]})[0] == 304
        world.api("beta", "org_admin").refused("GET", path, 404, "NOT_FOUND")
        boss.refused("GET", path + "0", 404, "NOT_FOUND")


def test_strict_server_makes_and_changes_by_precondition_only(world):
    _, url = world.start(TOKENRAIL_API_IF_MATCH_REQUIRED="true")
    client, path = world.api("acme", "model_admin", url), f"/v1/orgs/acme/views/strict-{secrets.token_hex(4)}"
    client.refused("PUT", path, 428, "PRECONDITION_REQUIRED", {})
    made = client.ok("PUT", path, {}, headers={"If-None-Match": "*"})
    client.refused("DELETE", path, 428, "PRECONDITION_REQUIRED")
    client.ok("DELETE", path, status=204, headers={"If-Match": f'"v{made["version"]}"'})


def test_repeated_key_creates_once(world, admin):
    body = {"provider": "ollama", "modelName": "once-" + secrets.token_hex(4)}
    key = {"Idempotency-Key": secrets.token_hex(8)}
    first = admin.call("POST", "/v1/orgs/acme/models", body, key)
    second = admin.call("POST", "/v1/orgs/acme/models", body, key)
    assert (first[0], second[0]) == (201, 201)
    assert second[1] == first[1] and second[2]["Idempotency-Replayed"] == "true"
    assert second[2]["ETag"] == first[2]["ETag"]
    admin.refused("POST", "/v1/orgs/acme/models", 422, "IDEMPOTENCY_MISMATCH", {**body, "kind": "embedding"}, key)
    admin.refused("POST", "/v1/orgs/acme/models", 409, "ALREADY_EXISTS", body)


def test_pages_hold_every_model_once(world, admin):
    made = {a_model(admin, tags=["paged"])["id"] for _ in range(7)}
    seen, token = [], ""
    while True:
        page = admin.ok("GET", f"/v1/orgs/acme/models?tag=paged&page_size=3&page_token={token}")
        assert page["total_size"] == 7 and len(page["data"]) <= 3
        seen += [m["id"] for m in page["data"]]
        token = page["next_page_token"]
        if not token:
            break
    assert len(seen) == 7 and set(seen) == made
    first = admin.ok("GET", "/v1/orgs/acme/models?tag=paged&page_size=3")["next_page_token"]
    admin.refused("GET", f"/v1/orgs/acme/models?tag=other&page_token={first}", 400, "INVALID_PAGE_TOKEN")
    world.api("acme", "viewer").refused("GET", f"/v1/orgs/acme/models?tag=paged&page_token={first}", 400,
                                        "INVALID_PAGE_TOKEN")


def test_wrong_fields_are_named(world, admin):
    problem = admin.refused("POST", "/v1/orgs/acme/models", 400, "INVALID_BODY",  # S0.53
                            {"provider": "", "contextWindow": 0, "displayname": "x"})
    details = {e["pointer"]: e["detail"] for e in problem["errors"]}
    assert set(details) == {"/modelName", "/provider", "/contextWindow", "/displayname"}
    assert "did you mean 'displayName'?" in details["/displayname"]
    admin.refused("POST", "/v1/orgs/acme/models", 422, "E4003", {"provider": "no-such", "modelName": "x"})
    problem = admin.refused("GET", "/v1/orgs/acme/models?capabilty=chat", 400, "INVALID_QUERY")
    assert "'capability'" in problem["detail"]


def test_foreign_organisation_is_answered_as_unknown(world, admin):
    mine = a_model(admin)
    stranger = world.api("beta", "org_admin")
    texts = set()
    for org in ("acme", "none"):
        for method, path, body in (("GET", f"/v1/orgs/{org}/models/{mine['id']}", None),
                                   ("PATCH", f"/v1/orgs/{org}/models/{mine['id']}", {"enabled": True}),
                                   ("GET", f"/v1/orgs/{org}", None), ("GET", f"/v1/orgs/{org}/credentials", None)):
            problem = stranger.refused(method, path, 404, "NOT_FOUND", body)
            texts.add(problem["detail"].replace(org, "ORG"))
    assert len(texts) == 1
    # Its own scope does not show the other's rows either.
    stranger.refused("GET", f"/v1/orgs/beta/models/{mine['id']}", 404, "E4001")
    assert [o["id"] for o in stranger.ok("GET", "/v1/orgs")["data"]] == ["beta"]
    assert {o["id"] for o in world.root.ok("GET", "/v1/orgs")["data"]} >= {"acme", "beta"}


def test_viewer_reads_and_changes_nothing(world, admin):
    viewer = world.api("acme", "viewer")
    made = a_model(admin)
    assert viewer.ok("GET", f"/v1/orgs/acme/models/{made['id']}")["id"] == made["id"]
    problem = viewer.refused("PATCH", f"/v1/orgs/acme/models/{made['id']}", 403, "FORBIDDEN", {"enabled": True})
    assert "org:models:write" in problem["detail"]
    viewer.refused("GET", "/v1/orgs/acme/audit", 403, "FORBIDDEN")
    viewer.refused("GET", "/v1/orgs/_/models", 403, "FORBIDDEN")
    assert "request " in world.process.text() and "refused models.change by" in world.process.text()


def test_credential_is_written_and_never_shown(world, admin):
    label = "main-" + secrets.token_hex(4)
    made = admin.ok("POST", "/v1/orgs/acme/credentials", {"provider": "openai", "label": label, "secret": CANARY}, 201)
    assert made["last4"] == CANARY[-4:]
    path = f"/v1/orgs/acme/credentials/{made['id']}"
    connection = admin.ok("POST", "/v1/orgs/acme/connections",
                          {"provider": "openai", "name": label, "baseUrl": "https://api.openai.example/v1",
                           "authType": "bearer", "credentialId": made["id"]}, 201)
    assert connection["credential"]["label"] == label
    assert made["headerNames"] == []
    replaced = admin.ok("POST", path + ":replace", {"secret": CANARY + "-2", "headers": {"X-Project": CANARY + "-3"}})
    assert replaced["secretVersion"] == made["secretVersion"] + 1 and replaced["headerNames"] == ["X-Project"]
    for headers in ({"Host": CANARY}, {"no name": CANARY}, {"X-A": CANARY, "x-a": CANARY}):
        problem = admin.refused("POST", path + ":replace", 422, "INVALID_VALUE", {"secret": CANARY, "headers": headers})
        assert problem["errors"][0]["pointer"] == "/headers" and CANARY not in json.dumps(problem)
    admin.refused("POST", path + ":replace", 400, "INVALID_BODY", {"secret": CANARY, "headers": {"X-A": ""}})
    assert admin.ok("GET", path)["secretVersion"] == replaced["secretVersion"]
    everything = json.dumps([admin.ok("GET", p) for p in ("/v1/orgs/acme/credentials", path, "/v1/orgs/acme/audit",
                                                          f"/v1/orgs/acme/connections/{connection['id']}")])
    assert CANARY not in everything
    tables = [row[0] for row in world.stack.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    for table in tables:
        rows = world.stack.sql(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%{CANARY}%'")
        assert rows[0][0] == 0, table
    assert CANARY not in world.process.text()
    admin.refused("DELETE", path, 409, "IN_USE")
    admin.ok("DELETE", path + "?force=true", status=204)
    assert admin.ok("GET", path)["revokedAt"]


def stages_of(result):
    return {stage["stage"]: stage["status"] if stage["status"] != "failed" else stage["cause"]
            for stage in result["stages"]}


def test_connection_is_tested_stage_by_stage(world, admin):
    model = json.loads(urllib.request.urlopen(world.stack.simulator_url + "/api/tags").read())["models"][0]["name"]
    credential = admin.ok("POST", "/v1/orgs/acme/credentials",
                          {"provider": "ollama", "label": secrets.token_hex(4), "secret": CANARY}, 201)
    made = admin.ok("POST", "/v1/orgs/acme/connections",
                    {"provider": "ollama", "name": secrets.token_hex(4), "baseUrl": world.stack.simulator_url,
                     "authType": "bearer", "credentialId": credential["id"], "syncEnabled": False}, 201)
    path = f"/v1/orgs/acme/connections/{made['id']}:test"
    result = world.api("acme", "member").ok("POST", path, {"model": model})
    assert result["outcome"] == "ok" and result["connectionId"] == made["id"], result
    assert stages_of(result) == {"dns": "skipped", "tcp": "ok", "tls": "skipped", "auth": "ok", "list": "ok",
                                 "call": "ok"}
    calls = world.stack.journal()
    assert [call["model"] for call in calls][-1:] == [model]
    assert stages_of(admin.ok("POST", path))["call"] == "skipped"
    unknown = admin.ok("POST", path, {"model": "no-such-model"})
    assert (unknown["outcome"], stages_of(unknown)["call"]) == ("not_found_model", "not_found_model")
    # A model that is not there is no news about its connection.
    seen = admin.ok("GET", f"/v1/orgs/acme/connections/{made['id']}")
    assert (seen["health"], seen["healthReason"]) == ("healthy", "") and seen["healthSince"]

    # Others: a viewer may not, another organisation does not see it, and the platform's own is the platform's to test.
    world.api("acme", "viewer").refused("POST", path, 403, "FORBIDDEN")
    world.api("beta", "org_admin").refused("POST", f"/v1/orgs/beta/connections/{made['id']}:test", 404, "NOT_FOUND")
    shared = world.root.ok("POST", "/v1/orgs/_/connections",
                           {"provider": "ollama", "name": secrets.token_hex(4), "baseUrl": world.stack.simulator_url},
                           201)
    admin.refused("POST", f"/v1/orgs/acme/connections/{shared['id']}:test", 403, "FORBIDDEN")
    assert world.root.ok("POST", f"/v1/orgs/_/connections/{shared['id']}:test")["outcome"] == "ok"

    audited = admin.ok("GET", "/v1/orgs/acme/audit?action=connection.tested")["data"]
    assert [entry["after"]["outcome"] for entry in audited[:3]] == ["not_found_model", "ok", "ok"]
    assert audited[0]["targetId"] == made["id"] and audited[2]["after"]["model"] == model
    rows = world.stack.sql(f"SELECT outcome, tested_by FROM connection_test WHERE connection_id = '{made['id']}'")
    assert len(rows) == 3
    world.simulator.stop()
    try:
        assert admin.ok("POST", path)["outcome"] == "unreachable"
        seen = admin.ok("GET", f"/v1/orgs/acme/connections/{made['id']}")
        assert (seen["health"], seen["healthReason"]) == ("down", "unreachable")
        changes = [row[0] for row in world.stack.sql(
            "SELECT payload FROM outbox WHERE type = 'connection.health_changed' ORDER BY seq")]
        changes = [change for change in changes if change["connectionId"] == made["id"]]
        assert [(c["source"], c["previousHealth"], c["health"]) for c in changes] == [
            ("test", "unknown", "healthy"), ("test", "healthy", "down")]
        assert changes[1]["reason"] == "unreachable" and CANARY not in json.dumps(changes)
    finally:
        world.simulator = world.stack.simulator()


def test_model_is_tested_where_requests_for_it_go_first(world, admin):
    upstream = json.loads(urllib.request.urlopen(world.stack.simulator_url + "/api/tags").read())["models"][0]["name"]
    first, second = (admin.ok("POST", "/v1/orgs/acme/connections", {
        "provider": "ollama", "name": secrets.token_hex(4), "baseUrl": world.stack.simulator_url, "syncEnabled": False,
        "priority": priority}, 201)["id"] for priority in (0, 1))
    model = a_model(admin, deployments=[{"connectionId": second, "upstreamName": upstream},
                                        {"connectionId": first, "upstreamName": upstream}])
    path = f"/v1/orgs/acme/models/{name(model['slug'])}:test"
    result = world.api("acme", "member").ok("POST", path)
    assert (result["outcome"], result["connectionId"], result["model"]) == ("ok", first, upstream), result
    assert stages_of(result)["call"] == "ok"
    world.api("acme", "viewer").refused("POST", path, 403, "FORBIDDEN")
    world.api("beta", "org_admin").refused("POST", f"/v1/orgs/beta/models/{model['id']}:test", 404, "E4001")
    unserved = a_model(admin)
    admin.refused("POST", f"/v1/orgs/acme/models/{unserved['id']}:test", 409, "CONFLICT")
    # Where the platform's connection serves it, the platform tests it.
    shared = world.root.ok("POST", "/v1/orgs/_/connections", {
        "provider": "ollama", "name": secrets.token_hex(4), "baseUrl": world.stack.simulator_url, "syncEnabled": False}, 201)["id"]
    common = world.root.ok("POST", "/v1/orgs/_/models", {
        "provider": "ollama", "modelName": "m-" + secrets.token_hex(4), "enabled": True,
        "deployments": [{"connectionId": shared, "upstreamName": upstream}]}, 201)
    admin.refused("POST", f"/v1/orgs/acme/models/{common['id']}:test", 403, "FORBIDDEN")
    assert world.root.ok("POST", f"/v1/orgs/_/models/{common['id']}:test")["outcome"] == "ok"


def test_held_change_is_decided_once_by_who_may(world, admin):
    connection = admin.ok("POST", "/v1/orgs/acme/connections",
                          {"provider": "ollama", "name": secrets.token_hex(4), "baseUrl": world.stack.simulator_url,
                           "syncEnabled": False}, 201)
    model = a_model(admin, enabled=True)
    # As a list that would shrink it leaves it; what a sync said is in the row, not in what people set.
    world.stack.sql(f"UPDATE model SET context_window = 8192, override = override - 'contextWindow' "
                    f"WHERE id = '{model['id']}'")

    def hold(context_window):
        return world.stack.sql(
            "INSERT INTO held_change (connection_id, model_id, before, after, reason) VALUES "
            f"""('{connection['id']}', '{model['id']}', '{{"contextWindow":8192}}', """
            f"""'{{"contextWindow":{context_window}}}', 'it would shrink') RETURNING CAST(id AS text)""")[0][0]

    def window():
        return admin.ok("GET", f"/v1/orgs/acme/models/{model['id']}").get("contextWindow")
    first = hold(512)
    listed = admin.ok("GET", "/v1/orgs/acme/held-changes")["data"]
    assert [(c["id"], c["after"]["contextWindow"]) for c in listed] == [(first, 512)]
    path = f"/v1/orgs/acme/held-changes/{first}:decide"
    world.api("acme", "viewer").refused("POST", path, 403, "FORBIDDEN", {"decision": "accept"})
    world.api("beta", "org_admin").refused("POST", f"/v1/orgs/beta/held-changes/{first}:decide", 404, "NOT_FOUND",
                                           {"decision": "accept"})
    admin.refused("POST", path, 400, "INVALID_BODY", {"decision": "maybe"})
    admin.refused("POST", path, 400, "INVALID_BODY", {})
    admin.refused("POST", "/v1/orgs/acme/held-changes/none:decide", 404, "NOT_FOUND", {"decision": "accept"})
    assert window() == 8192
    decided = admin.ok("POST", path, {"decision": "accept", "reason": "it was rebuilt"})
    assert (decided["decision"], decided["decisionReason"]) == ("accepted", "it was rebuilt") and decided["decidedAt"]
    assert window() == 512
    admin.refused("POST", path, 409, "CONFLICT", {"decision": "reject"})

    second = hold(256)
    decided = admin.ok("POST", f"/v1/orgs/acme/held-changes/{second}:decide", {"decision": "reject"})
    assert decided["decision"] == "rejected" and window() == 512
    assert admin.ok("GET", "/v1/orgs/acme/held-changes")["data"] == []
    audited = admin.ok("GET", "/v1/orgs/acme/audit?page_size=50")["data"]
    assert [entry["action"] for entry in audited if entry["targetId"] in (first, second)] == [
        "held_change.rejected", "held_change.accepted"]
    asked = world.stack.sql(f"SELECT count(*) FROM sync_request WHERE connection_id = '{connection['id']}'")
    assert asked == [(2,)], "each decision syncs the connection again"


def test_draft_is_tested_and_not_kept(world, admin):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    draft = {"provider": "openai-compatible", "baseUrl": f"http://127.0.0.1:{port}/v1", "secret": CANARY}
    result = admin.ok("POST", "/v1/orgs/acme/connections:test", draft)
    assert (result["outcome"], stages_of(result)["tcp"]) == ("unreachable", "unreachable")
    for wrong in ({**draft, "baseUrl": "ftp://x"}, {**draft, "baseUrl": "http://u:p@x/"}, {"provider": "ollama"}):
        admin.refused("POST", "/v1/orgs/acme/connections:test", 400, "INVALID_BODY", wrong)
    admin.refused("POST", "/v1/orgs/acme/connections:test", 422, "INVALID_VALUE", {**draft, "provider": "nobody"})
    kept = world.stack.sql("SELECT CAST(t AS text) FROM connection_test t UNION ALL "
                           "SELECT CAST(a AS text) FROM audit_log a UNION ALL SELECT CAST(i AS text) FROM idempotency i")
    assert CANARY not in str(kept) + world.process.text()
    assert any("openai-compatible" in row[0] for row in kept)


class Gateway(http.server.BaseHTTPRequestHandler):
    """A provider behind a gateway that wants a header beside the key."""

    def do_GET(self):
        known = (self.headers["Authorization"], self.headers["X-Project"]) == (f"Bearer {CANARY}", CANARY + "-4")
        body = json.dumps({"object": "list", "data": [{"id": "behind"}]}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def test_draft_sends_its_secret_headers(world, admin):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = "/v1/orgs/acme/connections:test"
    draft = {"provider": "openai-compatible", "baseUrl": f"http://127.0.0.1:{server.server_port}/v1",
             "authType": "bearer", "secret": CANARY}
    try:
        assert admin.ok("POST", path, draft)["outcome"] == "auth"
        assert admin.ok("POST", path, {**draft, "headers": {"X-Project": CANARY + "-4"}})["outcome"] == "ok"
    finally:
        server.shutdown()
        server.server_close()
    for headers in ({"Host": CANARY}, {"no name": CANARY}, {"X-A": CANARY, "x-a": CANARY}):
        problem = admin.refused("POST", path, 422, "INVALID_VALUE", {**draft, "headers": headers})
        assert problem["errors"][0]["pointer"] == "/headers" and CANARY not in json.dumps(problem)
    assert CANARY not in world.process.text()


def test_organisations_do_not_reach_addresses_inside(world):
    process, url = world.start(TOKENRAIL_EGRESS_ALLOW="")
    admin, root = world.api("acme", "org_admin", url), world.api(None, "platform_admin", url)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        for host in ("169.254.169.254", "[::ffff:169.254.169.254]", "0.0.0.0", "localhost", "127.0.0.1", "127.1",
                     "2130706433", "0x7f000001", "[::1]", "10.0.0.1"):
            result = admin.ok("POST", "/v1/orgs/acme/connections:test",
                              {"provider": "ollama", "baseUrl": f"http://{host}:{port}"})
            assert result["outcome"] == "refused_address", f"{host}: {result}"
        # The platform's own are the operator's; the metadata address is not reached by them either.
        result = root.ok("POST", "/v1/orgs/_/connections:test",
                         {"provider": "ollama", "baseUrl": "http://169.254.169.254"})
        assert result["outcome"] == "refused_address"
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
    process.stop()


def test_connection_url_holds_no_secret(world, admin):
    for url in ("https://user:pw@host/v1", "https://host/v1?key=x", "ftp://host/", "host"):
        problem = admin.refused("POST", "/v1/orgs/acme/connections", 400, "INVALID_BODY",
                                {"provider": "openai", "name": "bad", "baseUrl": url})
        assert [e["pointer"] for e in problem["errors"]] == ["/baseUrl"]
        assert "pw@" not in json.dumps(problem)


def test_default_and_alias_lead_to_models(world, admin):
    one, two = a_model(admin, enabled=True), a_model(admin, enabled=True)
    set_ = admin.ok("PUT", "/v1/orgs/acme/defaults", {"kind": "generation", "model": one["slug"]})
    assert set_["modelId"] == one["id"]
    alias = "pair-" + secrets.token_hex(4)
    made = admin.ok("PUT", f"/v1/orgs/acme/aliases/{alias}",
                    {"targets": [{"model": one["slug"], "weight": 9}, {"model": two["slug"], "weight": 1}]})
    assert sorted(t["weight"] for t in made["targets"]) == [1, 9]
    problem = admin.refused("DELETE", f"/v1/orgs/acme/models/{two['id']}", 409, "IN_USE")
    assert alias in problem["detail"]
    admin.ok("DELETE", f"/v1/orgs/acme/aliases/{alias}", status=204)
    admin.ok("DELETE", "/v1/orgs/acme/defaults?kind=generation", status=204)
    admin.refused("GET", f"/v1/orgs/acme/aliases/{alias}", 404, "NOT_FOUND")


def test_service_token_works_until_it_is_revoked(world, admin):
    made = admin.ok("POST", "/v1/orgs/acme/tokens", {"name": "ci", "role": "model_admin", "expiresInDays": 1}, 201)
    ci = Api(world.url, made["token"])
    assert ci.ok("GET", "/v1/orgs/acme/models")["total_size"] >= 0
    ci.refused("GET", "/v1/orgs/acme/tokens", 403, "FORBIDDEN")
    ci.refused("GET", "/v1/orgs/beta/models", 404, "NOT_FOUND")
    assert "token" not in admin.ok("GET", "/v1/orgs/acme/tokens")["data"][0]
    admin.ok("DELETE", f"/v1/orgs/acme/tokens/{made['id']}", status=204)
    ci.refused("GET", "/v1/orgs/acme/models", 401, "UNAUTHENTICATED")


def test_denied_member_may_not(world, admin):
    token_user = "model_admin@acme"
    member = admin.ok("PUT", "/v1/orgs/acme/members", {"issuer": "tokenrail-dev", "subject": token_user,
                                                       "role": "model_admin", "denied": ["org:models:write"]})
    other = world.api("acme", "model_admin")
    other.refused("POST", "/v1/orgs/acme/models", 403, "FORBIDDEN", {"provider": "ollama", "modelName": "x"})
    admin.ok("DELETE", f"/v1/orgs/acme/members/{member['id']}", status=204)
    a_model(other)


def test_clients_see_what_they_may_use(world, admin):
    hidden, shown = (a_model(admin, enabled=enabled, deployments=[{"connectionId": "env-ollama"}])
                     for enabled in (False, True))

    def published():
        listed = admin.ok("GET", "/v1/models")
        assert listed["object"] == "list"
        names = [m["id"] for m in listed["data"]]
        return names if shown["slug"] in names else None
    assert hidden["slug"] not in wait_until("the model is published", published)
    world.root.refused("GET", "/v1/models", 400, "INVALID_QUERY")


def test_choice_of_a_request_is_explained(world, admin):
    first, second = (a_model(admin, enabled=True, deployments=[{"connectionId": "env-ollama"}]) for _ in range(2))
    admin.ok("PUT", "/v1/orgs/acme/aliases/best", {"targets": [{"model": first["slug"], "weight": 1},
                                                               {"model": second["slug"], "weight": 1}]})

    def resolved(body):
        status, parsed, _ = admin.call("POST", "/v1/orgs/acme/models:resolve", body)
        return parsed if status == 200 and parsed["usable"] else None
    asked = {"modelName": "best", "metadata": {"conversationId": "c1"}}
    choice = wait_until("the alias is published", lambda: resolved(asked))
    assert choice["model"] in (first["slug"], second["slug"])
    assert choice["choice"]["reason"] == "alias" and choice["choice"]["alias"] == "best"
    assert {t["model"] for t in choice["targets"]} == {first["slug"], second["slug"]}
    assert all(c["holds"] for c in choice["clauses"])
    assert {resolved(asked)["model"] for _ in range(5)} == {choice["model"]}, "a conversation keeps its variant"
    variants = {resolved({"modelName": "best", "metadata": {"conversationId": f"c{i}"}})["model"] for i in range(40)}
    assert variants == {first["slug"], second["slug"]}

    unknown = admin.ok("POST", "/v1/orgs/acme/models:resolve", {"modelProvider": "ollama", "modelName": "none"})
    assert not unknown["usable"] and unknown["failure"]["code"] == "MODEL_NOT_FOUND"
    wrong = admin.refused("POST", "/v1/orgs/acme/models:resolve", 400, "INVALID_BODY", {"modelName": "best", "stop": 7})
    assert "stop" in wrong["detail"]
    world.api("beta", "org_admin").refused("POST", "/v1/orgs/acme/models:resolve", 404, "NOT_FOUND", asked)


def test_caller_of_several_organisations_names_one(world):
    world.root.refused("GET", "/v1/models", 400, "INVALID_QUERY")


def test_batch_has_a_result_for_each_change(world, admin):
    one, two = a_model(admin), a_model(admin)
    changes = [{"model": one["slug"], "patch": {"enabled": True}, "version": one["version"]},
               {"model": "ollama/none", "patch": {"enabled": True}},
               {"model": two["id"], "patch": {"hidden": True}, "version": two["version"] - 1}]
    results = admin.ok("POST", "/v1/orgs/acme/models:batch", {"changes": changes})["results"]
    assert [r["status"] for r in results] == [200, 404, 412]
    assert results[1]["problem"]["code"] == "E4001"
    assert results[2]["problem"]["current_version"] == two["version"]
    assert admin.ok("GET", f"/v1/orgs/acme/models/{one['id']}")["version"] == results[0]["version"]
    problem = admin.refused("POST", "/v1/orgs/acme/models:batch", 400, "INVALID_BODY",
                            {"changes": [{"model": "x", "patch": {"enabledd": True}}]})
    assert [e["pointer"] for e in problem["errors"]] == ["/changes/0/patch/enabledd"]


def test_atomic_batch_changes_all_or_nothing(world, admin):
    one, two = a_model(admin), a_model(admin)
    path = "/v1/orgs/acme/models:batch"

    def versions():
        return [admin.ok("GET", f"/v1/orgs/acme/models/{model['id']}")["version"] for model in (one, two)]
    before = versions()
    first = {"model": one["slug"], "patch": {"displayName": "All"}, "version": one["version"]}
    # What an earlier change of the batch made is there for a later one.
    again = {"model": one["slug"], "patch": {"capabilities": {"vision": "supported"}}}
    for wrong, status, code, pointer in (
            ({"model": "ollama/none", "patch": {}}, 404, "E4001", "/changes/2"),
            ({"model": two["id"], "patch": {"hidden": True}, "version": two["version"] - 1}, 412, "PRECONDITION_FAILED", "/changes/2"),
            ({"model": two["id"], "patch": {"replacementId": "00000000-0000-0000-0000-000000000000"}}, 422, "E4003", "/changes/2")):
        problem = admin.refused("POST", path, status, code, {"atomic": True, "changes": [first, again, wrong]})
        assert [e["pointer"] for e in problem["errors"]] == [pointer], problem
        assert problem["detail"].startswith(f"Nothing was changed, because the change of {wrong['model']} was refused: ")
        assert versions() == before
    changes = [first, again, {"model": two["id"], "patch": {"displayName": "All"}}]
    tried = admin.ok("POST", path + "?dry_run=true", {"atomic": True, "changes": changes})["results"]
    assert [r["status"] for r in tried] == [200, 200, 200] and versions() == before
    made = admin.ok("POST", path, {"atomic": True, "changes": changes})["results"]
    assert versions() == [made[1]["version"], made[2]["version"]] > before
    assert admin.ok("GET", f"/v1/orgs/acme/models/{one['id']}")["capabilities"]["vision"] == "supported"


def test_dry_runs_of_batches_tokens_and_dependents_keep_nothing(world, admin):
    model = a_model(admin)
    path = f"/v1/orgs/acme/models/{model['id']}"
    owner = world.api("acme", "org_admin")

    def there():
        return [owner.ok("GET", p) for p in (path, path + "/dependents", "/v1/orgs/acme/tokens", "/v1/orgs/acme/grants")]
    admin.call("POST", path + "/dependents", {"refType": "profile", "refId": "kept"})
    token = owner.ok("POST", "/v1/orgs/acme/tokens", {"name": "kept", "role": "viewer"}, 201)
    before = there()
    results = admin.ok("POST", "/v1/orgs/acme/models:batch?dry_run=true",
                       {"changes": [{"model": model["id"], "patch": {"hidden": True}},
                                    {"model": "ollama/none", "patch": {}}]})["results"]
    assert [r["status"] for r in results] == [200, 404] and results[0]["version"] > model["version"]
    tried = owner.ok("POST", "/v1/orgs/acme/tokens?dry_run=true", {"name": "tried", "role": "viewer"}, 201)
    assert tried["name"] == "tried" and tried["token"] == ""
    owner.ok("DELETE", f"/v1/orgs/acme/tokens/{token['id']}?dry_run=true", status=204)
    grant = {"subjectKind": "org", "objectKind": "model", "object": model["id"]}
    results = owner.ok("POST", "/v1/orgs/acme/grants:batch?dry_run=true", {"grants": [grant]})["results"]
    assert [r["status"] for r in results] == [201]
    admin.ok("POST", path + "/dependents?dry_run=true", {"refType": "profile", "refId": "tried"}, 204)
    admin.ok("DELETE", path + "/dependents/profile/kept?dry_run=true", status=204)
    admin.refused("DELETE", path + "/dependents/profile/none?dry_run=true", 404, "NOT_FOUND")
    assert there() == before


def test_batch_of_grants_has_a_result_for_each(world, admin):
    models = [a_model(admin)["slug"] for _ in range(3)]
    group = "batch-" + secrets.token_hex(4)
    grants = [{"subjectKind": "group", "subject": group, "objectKind": "model", "object": name}
              for name in [models[0], "ollama/none", *models[1:]]]
    results = admin.ok("POST", "/v1/orgs/acme/grants:batch", {"grants": grants})["results"]
    assert [r["status"] for r in results] == [201, 422, 201, 201]
    assert [r["object"] for r in results] == [g["object"] for g in grants]
    assert results[1]["problem"]["code"] == "INVALID_VALUE"
    listed = {g["id"]: g for g in admin.ok("GET", "/v1/orgs/acme/grants?page_size=1000")["data"]}
    assert all(listed[r["grant"]["id"]] == r["grant"] for r in results if "grant" in r)
    wrong = [grants[0], {**grants[0], "subjectKind": "org"}]
    problem = admin.refused("POST", "/v1/orgs/acme/grants:batch", 400, "INVALID_BODY", {"grants": wrong})
    assert [e["pointer"] for e in problem["errors"]] == ["/grants/1/subject"]
    world.api("acme", "member").refused("POST", "/v1/orgs/acme/grants:batch", 403, "FORBIDDEN", {"grants": grants})


def test_batch_of_grants_only_adds_what_is_not_there_and_is_taken_back(world, admin):
    one, two, three = (a_model(admin)["slug"] for _ in range(3))
    group = "back-" + secrets.token_hex(4)

    def grant(model, **more):
        return {"subjectKind": "group", "subject": group, "objectKind": "model", "object": model, **more}
    denied = admin.ok("POST", "/v1/orgs/acme/grants", grant(two, effect="deny"), 201)
    results = admin.ok("POST", "/v1/orgs/acme/grants:batch",
                       {"grants": [grant(name, version=0) for name in (one, two, three)]})["results"]
    assert [r["status"] for r in results] == [201, 412, 201]
    assert results[1]["grant"] == denied and results[1]["problem"]["current_version"] == denied["version"]
    made = [r["grant"] for r in results if r["status"] == 201]

    back = {"grants": [{"id": g["id"], "version": g["version"]} for g in made] + [{"id": made[0]["id"]}]
            + [{"id": denied["id"], "version": denied["version"] + 1}]}
    world.api("acme", "member").refused("POST", "/v1/orgs/acme/grants:remove", 403, "FORBIDDEN", back)
    removed = admin.ok("POST", "/v1/orgs/acme/grants:remove", back)["results"]
    assert [(r["id"], r["status"]) for r in removed] == [(made[0]["id"], 204), (made[1]["id"], 204), (made[0]["id"], 404),
                                                         (denied["id"], 412)]
    assert removed[3]["problem"]["current_version"] == denied["version"]
    left = [g for g in admin.ok("GET", "/v1/orgs/acme/grants?page_size=1000")["data"] if g["subject"] == group]
    assert left == [denied]
    world.api("beta", "model_admin").refused("GET", f"/v1/orgs/beta/grants/{denied['id']}", 404, "NOT_FOUND")

    # What another person has set over it stays.
    again = admin.ok("POST", "/v1/orgs/acme/grants", grant(one), 201)
    other = admin.ok("POST", "/v1/orgs/acme/grants", grant(one, effect="deny"), 201)
    assert other["id"] == again["id"] and other["version"] > again["version"]
    late = admin.ok("POST", "/v1/orgs/acme/grants:remove",
                    {"grants": [{"id": again["id"], "version": again["version"]}]})["results"]
    assert [r["status"] for r in late] == [412]
    replaced = admin.ok("POST", "/v1/orgs/acme/grants:batch",
                        {"grants": [grant(one, version=other["version"])]})["results"]
    assert (replaced[0]["status"], replaced[0]["grant"]["effect"]) == (201, "allow")


def test_clients_of_the_older_api_are_served(world, admin):  # S0.50 to S0.54
    model = "old-" + secrets.token_hex(4)
    body = {"provider": "ollama", "modelName": model, "displayName": "Old", "capabilities": ["chat"], "isDefault": True,
            "contextWindow": 100, "description": "d", "unknown": 1}
    made = admin.ok("PUT", "/orgs/acme/models", body)["model"]
    assert made["scope"] == "org" and made["isEnabled"] and made["isDefault"] and made["capabilities"] == ["chat"]
    changed = admin.ok("PUT", "/orgs/acme/models", {"provider": "ollama", "modelName": model, "displayName": "New",
                                                    "isEnabled": False})["model"]
    assert changed["id"] == made["id"] and changed["contextWindow"] == 100 and changed["description"] is None
    assert not changed["isEnabled"] and changed["isDefault"]
    second = admin.ok("PUT", "/orgs/acme/models", {**body, "modelName": model + "-2"})["model"]
    listed = {m["id"]: m for m in admin.ok("GET", "/orgs/acme/models")["models"]}
    assert listed[second["id"]]["isDefault"] and not listed[made["id"]]["isDefault"], "one default of a provider"
    problem = admin.refused("PUT", "/orgs/acme/models", 400, "INVALID_BODY", {**body, "provider": "", "contextWindow": 0})
    assert problem["error"] == "INVALID_BODY" and set(problem["details"]) == {"_errors", "provider", "contextWindow"}
    world.api("acme", "viewer").refused("PUT", "/orgs/acme/models", 403, "FORBIDDEN", body)


def test_prices_are_exact_decimal_texts(world, admin):
    made = a_model(admin)
    path = f"/v1/orgs/acme/models/{made['id']}/prices"
    empty = admin.ok("GET", path)
    assert empty["prices"] == [] and empty["isFree"] is None
    body = {"prices": [{"dimension": "input", "amount": "0.00013"}, {"dimension": "output", "amount": "15.50"},
                       {"dimension": "input", "minContextTokens": 200001, "utcFrom": "16:30", "utcTo": "00:30",
                        "serviceTier": "batch", "amount": "0"}]}
    status, changed, head = admin.call("PUT", path, body)
    assert status == 200 and head["ETag"] == f'"v{changed["version"]}"'
    assert [(p["dimension"], p["amount"], p["source"]) for p in changed["prices"]] == [
        ("input", "0", "override"), ("input", "0.00013", "override"), ("output", "15.5", "override")]
    assert (changed["prices"][0]["utcFrom"], changed["prices"][0]["utcTo"]) == ("16:30", "00:30")
    small = changed["prices"][1]
    assert (small["microsPerThousand"], small["dollarsPerUnit"], small["dollarsPerMillion"]) == (
        0.13, "0.00000000013", 0.00013)
    assert changed["isFree"] is False
    assert admin.ok("PUT", path, body)["version"] == changed["version"], "the same again changes nothing"
    admin.refused("PUT", path, 412, "PRECONDITION_FAILED", {"prices": []}, {"If-Match": '"v1"'})
    for price, pointer in (({"dimension": "input", "amount": "cheap"}, "/prices/0/amount"),
                           ({"dimension": "input", "amount": "0.0000001"}, "/prices/0/amount"),
                           ({"dimension": "input", "amount": "1", "utcFrom": "25:00", "utcTo": "01:00"}, "/prices/0/utcFrom"),
                           ({"dimension": "input", "amount": "1", "utcFrom": "10:00"}, "/prices/0/utcTo")):
        status, problem, _ = admin.call("PUT", path, {"prices": [price]})
        assert status in (400, 422) and problem["errors"][0]["pointer"] == pointer, problem
    assert admin.call("PUT", path, {"prices": [{"dimension": "moonlight", "amount": "1"}]})[0] == 400
    assert admin.ok("PUT", path, {"prices": []}, headers={"If-Match": f'"v{changed["version"]}"'})["own"] == []
    world.api("acme", "viewer").refused("PUT", path, 403, "FORBIDDEN", body)


def test_lists_of_a_provider_are_read_as_they_came(world, admin):
    connection = admin.ok("POST", "/v1/orgs/acme/connections",
                          {"provider": "ollama", "name": "lists-" + secrets.token_hex(4),
                           "baseUrl": "http://127.0.0.1:9"}, 201)
    path = f"/v1/orgs/acme/connections/{connection['id']}/lists"
    assert admin.ok("GET", path)["data"] == []
    body = '{"models": [{"name": "a", "own": 1.50}]}\n'
    # As registry-sync keeps it.
    world.stack.sql(f"INSERT INTO provider_snapshot (connection_id, sha256, body, encoding) VALUES ('{connection['id']}', "
                    f"sha256('list'), decode('{gzip.compress(body.encode()).hex()}', 'hex'), 'gzip')")
    listed = admin.ok("GET", path)["data"]
    assert [entry["id"] for entry in listed] == [hashlib.sha256(b"list").hexdigest()] and listed[0]["fetchedAt"]
    assert admin.ok("GET", f"{path}/{listed[0]['id']}")["body"] == body
    admin.refused("GET", f"{path}/00", 404, "NOT_FOUND")
    shared = world.root.ok("POST", "/v1/orgs/_/connections", {"provider": "ollama", "name": connection["name"] + "-shared",
                                                             "baseUrl": "http://127.0.0.1:9"}, 201)
    admin.refused("GET", f"/v1/orgs/acme/connections/{shared['id']}/lists", 403, "FORBIDDEN")


def test_document_describes_the_answers(world, admin):
    """Answers of the API against the schemas of its own document."""
    document = Api(world.url).ok("GET", "/openapi.json")
    resolver = jsonschema.RefResolver("", document)
    made = a_model(admin)
    for path, url in (("/v1/orgs/{org}/models", "/v1/orgs/acme/models"), ("/v1/orgs", "/v1/orgs"),
                      ("/v1/orgs/{org}", "/v1/orgs/acme"), ("/v1/providers", "/v1/providers"),
                      ("/v1/orgs/{org}/models/{model}", f"/v1/orgs/acme/models/{made['id']}"),
                      ("/v1/orgs/{org}/models/{model}/revisions", f"/v1/orgs/acme/models/{made['id']}/revisions"),
                      ("/v1/orgs/{org}/models/{model}/prices", f"/v1/orgs/acme/models/{made['id']}/prices"),
                      ("/v1/orgs/{org}/models/{model}/answers", f"/v1/orgs/acme/models/{made['id']}/answers"),
                      ("/v1/orgs/{org}/models/{model}/explain", f"/v1/orgs/acme/models/{made['id']}/explain"),
                      ("/v1/orgs/{org}/connections", "/v1/orgs/acme/connections"),
                      ("/v1/orgs/{org}/audit", "/v1/orgs/acme/audit"), ("/v1/orgs/{org}/stats", "/v1/orgs/acme/stats"),
                      ("/v1/models", "/v1/models"), ("/readyz", "/readyz")):
        schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator(schema, resolver=resolver).validate(admin.ok("GET", url))
    problem = admin.call("GET", "/v1/none")[1]
    jsonschema.Draft202012Validator(document["components"]["schemas"]["Problem"], resolver=resolver).validate(problem)
    assert admin.ok("GET", problem["type"])["code"] == problem["code"]


def test_patch_merges_maps(world, admin):
    made = a_model(admin, capabilities={"chat": "supported", "vision": "unsupported"}, metadata={"a": {"b": 1, "c": 2}})
    path = f"/v1/orgs/acme/models/{made['id']}"
    changed = admin.ok("PATCH", path, {"capabilities": {"tools": "supported", "vision": None},
                                       "metadata": {"a": {"b": None}, "d": [1]}})
    assert changed["capabilities"] == {"chat": "supported", "tools": "supported"}
    assert changed["metadata"] == {"a": {"c": 2}, "d": [1]}
    assert admin.ok("PATCH", path, {"capabilities": None, "metadata": None})["capabilities"] == {}
    replaced = admin.ok("PUT", f"/v1/orgs/acme/models/{name(made['slug'])}", {"capabilities": {"pdf": "supported"}})
    assert replaced["capabilities"] == {"pdf": "supported"} and replaced["metadata"] == {}

    # Over the platform's model, one entry goes back to what the platform says.
    shared = world.root.ok("POST", "/v1/orgs/_/models", {"provider": "ollama", "modelName": "shared-" + made["id"],
                                                         "capabilities": {"chat": "supported"}}, 201)
    path = f"/v1/orgs/acme/models/{shared['id']}"
    assert admin.ok("PATCH", path, {"capabilities": {"chat": "unsupported"}})["capabilities"] == {"chat": "unsupported"}
    assert admin.ok("PATCH", path, {"capabilities": {"chat": None}})["capabilities"] == {"chat": "supported"}


def test_unknown_organisation_is_not_found_for_a_platform_admin(world):
    for method, path, body in (("GET", "models", None), ("GET", "credentials", None), ("GET", "audit", None),
                               ("POST", "models", {"provider": "ollama", "modelName": "m"})):
        problem = world.root.refused(method, f"/v1/orgs/nowhere/{path}", 404, "NOT_FOUND", body)
        assert problem["detail"] == "There is no organisation nowhere."


def test_models_are_listed_in_the_order_asked_for(world, admin):
    small, none, large = (a_model(admin, tags=["ordered"], **size)
                          for size in ({"contextWindow": 10}, {}, {"contextWindow": 99}))
    admin.ok("PATCH", f"/v1/orgs/acme/models/{none['id']}", {"description": "latest"})

    def listed(order):
        ids, token = [], ""
        while True:
            page = admin.ok("GET", f"/v1/orgs/acme/models?tag=ordered&order_by={order}&page_size=1&page_token={token}")
            ids += [m["id"] for m in page["data"]]
            token = page["next_page_token"]
            if not token:
                return ids
    assert listed("context") == [large["id"], small["id"], none["id"]]
    assert listed("updated") == [none["id"], large["id"], small["id"]]
    assert listed("name") == [m["id"] for m in sorted((small, none, large), key=lambda m: m["slug"])]
    whole = admin.ok("GET", "/v1/orgs/acme/models?tag=ordered&order_by=context")["data"]
    assert [m["id"] for m in whole] == [large["id"], small["id"], none["id"]]
    admin.refused("GET", "/v1/orgs/acme/models?order_by=size", 400, "INVALID_QUERY")


def test_override_that_goes_leaves_its_pointers(world, admin):
    shared = world.root.ok("POST", "/v1/orgs/_/models", {"provider": "ollama", "enabled": True,
                                                         "modelName": "inherited-" + secrets.token_hex(4)}, 201)
    path = f"/v1/orgs/acme/models/{shared['id']}"
    own = admin.ok("PATCH", path, {"displayName": "Ours"})["id"]
    alias = "alias-" + secrets.token_hex(4)
    admin.ok("PUT", "/v1/orgs/acme/defaults", {"kind": "generation", "purpose": "override", "model": own})
    admin.ok("PUT", f"/v1/orgs/acme/aliases/{alias}", {"targets": [{"model": own, "weight": 3}]})
    grant = admin.ok("POST", "/v1/orgs/acme/grants", {"subjectKind": "org", "objectKind": "model", "object": own}, 201)
    admin.ok("DELETE", path, status=204)
    default = [d for d in admin.ok("GET", "/v1/orgs/acme/defaults")["data"] if d["purpose"] == "override"]
    assert [d["modelId"] for d in default] == [shared["id"]]
    targets = admin.ok("GET", f"/v1/orgs/acme/aliases/{alias}")["targets"]
    assert [(t["modelId"], t["weight"]) for t in targets] == [(shared["id"], 3)]
    grants = {g["id"]: g["objectId"] for g in admin.ok("GET", "/v1/orgs/acme/grants")["data"]}
    assert grants[grant["id"]] == shared["id"]

    # A model of its own leaves nothing, so that its dependents are named.
    mine = a_model(admin)
    admin.ok("PUT", f"/v1/orgs/acme/aliases/{alias}", {"targets": [{"model": mine["id"]}]})
    problem = admin.refused("DELETE", f"/v1/orgs/acme/models/{mine['id']}", 409, "IN_USE")
    assert f"alias:{alias}" in problem["detail"]


def test_default_of_a_disabled_model_warns(world, admin):
    made = a_model(admin, enabled=False)
    default = admin.ok("PUT", "/v1/orgs/acme/defaults", {"kind": "generation", "purpose": "off", "model": made["id"]})
    assert made["slug"] in default["warning"] and "disabled" in default["warning"]


def test_list_shows_current_prices(world, admin):
    made = a_model(admin)
    path = f"/v1/orgs/acme/models/{made['id']}"
    assert admin.ok("GET", path)["prices"] is None
    admin.ok("PUT", path + "/prices", {"prices": [{"dimension": "input", "amount": "0.15"},
                                                  {"dimension": "output", "amount": "0.6"},
                                                  {"dimension": "input", "serviceTier": "batch", "amount": "0.01"},
                                                  {"dimension": "input", "minContextTokens": 9, "amount": "9"}]})
    listed = [m for m in admin.ok("GET", "/v1/orgs/acme/models?page_size=1000")["data"] if m["id"] == made["id"]]
    assert listed[0]["prices"] == {"input": "0.15", "output": "0.6"}


def test_grants_of_an_alias_go_with_it(world, admin):
    alias = "granted-" + secrets.token_hex(4)
    admin.ok("PUT", f"/v1/orgs/acme/aliases/{alias}", {"targets": [{"model": a_model(admin)["id"]}]})
    grant = admin.ok("POST", "/v1/orgs/acme/grants", {"subjectKind": "org", "objectKind": "alias", "object": alias}, 201)
    admin.ok("DELETE", f"/v1/orgs/acme/aliases/{alias}", status=204)
    assert grant["id"] not in {g["id"] for g in admin.ok("GET", "/v1/orgs/acme/grants")["data"]}
    # Routers hear of it: the last record of the organisation's grants does not have it.
    sent = world.stack.sql("SELECT payload::text FROM outbox WHERE aggregatetype = 'grants' ORDER BY seq DESC LIMIT 1")
    assert sent and grant["objectId"] not in str(sent[0])


def test_malformed_requests_are_problems(world):
    def raw(data):
        with socket.create_connection(("127.0.0.1", world.process.api_port()), timeout=30) as connection:
            connection.sendall(data)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)
    assert raw(b"nonsense\r\n\r\n")[1]["code"] == "MALFORMED_REQUEST"
    status, problem = raw(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n")
    assert (status, problem["code"]) == (431, "HEADERS_TOO_LARGE")
    status, problem = raw(b"POST /v1/orgs HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n")
    assert (status, problem["code"]) == (413, "BODY_TOO_LARGE")


def test_running_request_finishes_at_the_end(world):
    """A request that waits in the database is answered although SIGTERM came meanwhile."""
    process, url = world.start()
    api = world.api("acme", "org_admin", url)
    made = a_model(api)
    answers = []
    import psycopg2
    with psycopg2.connect(world.stack.database) as lock:
        lock.cursor().execute(f"SELECT 1 FROM model WHERE id = '{made['id']}' FOR UPDATE")
        thread = threading.Thread(target=lambda: answers.append(
            api.call("PATCH", f"/v1/orgs/acme/models/{made['id']}", {"description": "late"})))
        thread.start()
        wait_until("the request waits for the row", lambda: world.stack.sql(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"))
        process.signal(signal.SIGTERM)
        wait_until("it drains", lambda: "stopping: 1 requests are running" in process.text())
        lock.rollback()
    thread.join()
    assert process.wait() == 0
    assert answers[0][0] == 200 and answers[0][1]["description"] == "late"


def test_dev_mode_is_refused_off_loopback(world):
    process = world.stack.start(Process, "refused-api", "tokenrail-registry-api", environment={
        **world.environment, "TOKENRAIL_API_LISTEN": "0.0.0.0:0", "TOKENRAIL_HTTP_LISTEN": "127.0.0.1:0"})
    assert process.wait() == 1
    assert "loopback" in process.text()
    world.stack.processes.remove(process)
