"""What the registry API keeps and shows of models beside their limits: states, metadata, times, figures, rows of one user; and
what it shows of providers."""

import secrets

import psycopg2
import pytest

from registry_world import World, a_model, name
from stack import wait_until


@pytest.fixture(scope="module")
def world(make_shared_stack, tmp_path_factory):
    return World(make_shared_stack(), tmp_path_factory.mktemp("api"))


def test_states_that_people_set_count_for_routers(world):  # S4.25, S4.13
    admin = world.api("acme", "model_admin")
    path = f"/v1/orgs/acme/models/{name(a_model(admin, deployments=[{'connectionId': 'env-ollama'}])['slug'])}"

    def becomes(failing, status, **change):
        """Makes the change, and waits until the rules of routers refuse by these clauses (none: the model may be used)."""
        assert admin.ok("PATCH", path, change)["status"] == status

        def seen():
            code, explained, _ = admin.call("GET", path + "/explain")
            return code == 200 and [c["clause"] for c in explained["clauses"] if not c["holds"]] == failing
        wait_until(f"{change} gives {failing}", seen)

    becomes(["enabled"], "disabled", description="not yet enabled")
    becomes([], "active", enabled=True)
    becomes([], "active", lifecycle="deprecated")
    becomes(["lifecycle"], "retired", lifecycle="retired")
    becomes([], "active", lifecycle="active")
    becomes(["maintenance"], "maintenance", maintenanceUntil="2100-01-01T00:00:00Z", maintenanceReason="new disks")
    explained = admin.ok("GET", path + "/explain")
    assert explained["failure"]["code"] == "MODEL_NOT_ENABLED" and "new disks" in explained["failure"]["message"]
    becomes([], "active", maintenanceUntil=None, maintenanceReason=None)
    becomes(["blocked"], "blocked", blocked=True)


def test_auto_selects_from_the_view_that_the_scope_sets(world):  # S3.13, S3.14, S3.15
    admin = world.api("acme", "model_admin")
    tag = "t" + secrets.token_hex(4)
    inside, other = (a_model(admin, enabled=True, deployments=[{"connectionId": "env-ollama"}], tags=tags)
                     for tags in ([tag], []))
    views = "/v1/orgs/acme/views/"

    def selected(**auto):
        code, found, _ = admin.call("POST", "/v1/orgs/acme/models:resolve", {"modelName": "auto", "auto": auto})
        return (found["model"], found["choice"].get("view"), found["warnings"]) if code == 200 and found["usable"] else None

    unset = wait_until("a model can be selected", selected)
    assert unset[1:] == (None, [])
    assert admin.ok("PUT", views + "house", {"filter": {"tags": [tag]}, "forAuto": True})["forAuto"]
    wait_until("the view is the source", lambda: selected() == (inside["slug"], "house", []))
    # A request may name another one.
    assert not admin.ok("PUT", views + "one", {"filter": {"tags": ["none-has-it"]}, "pins": [other["slug"]]})["forAuto"]
    wait_until("a view that is named is the source", lambda: selected(view="one") == (other["slug"], "one", []))
    assert selected()[1] == "house"
    # Another view takes the place of the first.
    admin.ok("PUT", views + "one", {"pins": [other["slug"]], "filter": {"tags": ["none-has-it"]}, "forAuto": True})
    wait_until("the other view is the source", lambda: selected() == (other["slug"], "one", []))
    assert not admin.ok("GET", views + "house")["forAuto"]
    # Where the view fails, the whole registry is the source.
    admin.ok("PATCH", f"/v1/orgs/acme/models/{other['id']}", {"enabled": False})
    model, view, warnings = wait_until("a model outside the view is selected",
                                       lambda: (found := selected()) and found[1] is None and found)
    assert model and view is None and warnings == [
        'No model of the view one can answer the request. "auto" selected from the whole registry.']
    assert selected(view="gone")[1:] == (None, ['There is no view gone. "auto" selected from the whole registry.'])
    for view in ("one", "house"):
        admin.ok("DELETE", views + view, status=204)
    wait_until("the whole registry is the source", lambda: selected()[1:] == (None, []))


def test_metadata_and_times_are_kept(world):  # S0.20, S0.21
    admin = world.api("acme", "model_admin")
    made = a_model(admin, metadata={"team": "search", "costs": [1, 2.5]})
    path = f"/v1/orgs/acme/models/{made['id']}"
    read = admin.ok("GET", path)
    assert read["metadata"] == {"team": "search", "costs": [1, 2.5]}
    assert read["createdAt"] == read["updatedAt"] == made["createdAt"]
    changed = admin.ok("PATCH", path, {"metadata": {"team": "chat", "costs": None}})
    assert changed["metadata"] == {"team": "chat"}
    assert changed["createdAt"] == read["createdAt"] < changed["updatedAt"]


def test_providers_are_listed_with_kinds_and_logins(world):  # S1.14, S1.52, S2.40, S4.23
    rows = {row["id"]: row for row in world.api("acme", "viewer").ok("GET", "/v1/providers?page_size=1000")["data"]}
    assert {"ollama", "openai", "azure", "gemini", "anthropic", "cohere", "huggingface", "vllm"} <= set(rows)
    assert rows["anthropic"]["kinds"] == ["generation"]
    assert set(rows["cohere"]["kinds"]) == {"generation", "embedding", "rerank"}
    assert "none" in rows["ollama"]["authTypes"] and "none" not in rows["azure"]["authTypes"]
    assert rows["openai"]["defaultBaseUrl"] == "https://api.openai.com/v1" and rows["azure"]["defaultBaseUrl"] is None


def test_forms_ask_for_what_each_login_needs(world):  # S1.4, S1.7, S1.33
    def asked(row, auth_type):
        return [field for field in row["credentialForm"]["fields"] if auth_type in field["authTypes"]]
    rows = {row["id"]: row for row in world.api("acme", "viewer").ok("GET", "/v1/providers?page_size=1000")["data"]}
    for row in rows.values():
        for field in row["credentialForm"]["fields"]:
            assert set(field["authTypes"]) <= set(row["authTypes"]) and field["label"] and field["help"], row["id"]
        for auth_type in row["authTypes"]:
            fields = {field["name"]: field for field in asked(row, auth_type)}
            names = ["baseUrl", *(["authName"] if auth_type in ("header", "query", "basic") else []),
                     *([] if auth_type == "none" else ["secret"])]
            assert [field["name"] for field in asked(row, auth_type)] == names, (row["id"], auth_type)
            assert fields["baseUrl"].get("default") == row["defaultBaseUrl"]
            assert all(field["secret"] == (name == "secret") for name, field in fields.items())
            assert fields.get("secret", {"required": True})["required"]
    assert asked(rows["azure"], "header")[0]["example"] == "https://RESOURCE.openai.azure.com"
    header = asked(rows["anthropic"], "header")[1]
    assert (header["label"], header["default"], header["required"]) == ("Header", "x-api-key", False)
    assert [field["label"] for field in asked(rows["openai-compatible"], "basic")] == ["Base URL", "User", "Password"]
    assert asked(rows["openai-compatible"], "header")[1]["required"]


def test_parameters_of_embedding_models_are_checked(world):  # S1.5, S1.15
    admin = world.api("acme", "model_admin")
    params = {"normalize": True, "distanceMetric": "cosine", "batchSize": 64}
    made = a_model(admin, kind="embedding", embeddingDimensions=1024, params=params)
    path = f"/v1/orgs/acme/models/{made['id']}"
    assert made["params"] == params == admin.ok("GET", path)["params"]
    assert admin.ok("PATCH", path, {"params": {"batchSize": None, "normalize": False}})["params"] == {
        "normalize": False, "distanceMetric": "cosine"}
    for wrong in ({"distanceMetric": "manhattan"}, {"batchSize": 0}, {"normalize": "yes"}, {"temperature": 3}, {"batch": 1}):
        problem = admin.refused("PATCH", path, 400, "INVALID_BODY", {"params": wrong})
        assert [error["pointer"] for error in problem["errors"]] == ["/params/" + next(iter(wrong))]


def test_a_provider_has_no_models_of_other_kinds(world):  # S1.52
    admin = world.api("acme", "model_admin")
    path = "/v1/orgs/acme/models"
    for method, target in (("POST", path), ("PUT", path + "/anthropic%2Fvectors")):
        body = {"kind": "embedding", **({"provider": "anthropic", "modelName": "vectors"} if method == "POST" else {})}
        problem = admin.refused(method, target, 422, "E4003", body)
        assert problem["detail"] == "The provider anthropic has no models of the kind embedding. It has: generation."
    assert admin.call("GET", path + "/anthropic%2Fvectors")[0] == 404
    # Without a kind it is a generation model, which every provider has.
    a_model(admin, provider="anthropic")
    a_model(admin, provider="openai-compatible", kind="ocr")


def test_statistics_count_models_by_provider_kind_and_status(world):  # S4.24, S4.28
    org = "counted-" + secrets.token_hex(4)
    world.root.ok("POST", "/v1/orgs", {"id": org}, 201)
    admin = world.api(org, "org_admin")
    before = admin.ok("GET", f"/v1/orgs/{org}/stats")
    for fields in ({"provider": "openai", "kind": "embedding"},
                   {"provider": "openai", "enabled": True, "capabilities": {"vision": "supported", "tools": "supported"}},
                   {"provider": "cohere", "kind": "rerank", "capabilities": {"tools": "supported", "vision": "unsupported"}}):
        admin.ok("POST", f"/v1/orgs/{org}/models", {"modelName": "m-" + secrets.token_hex(4), **fields}, 201)
    after = admin.ok("GET", f"/v1/orgs/{org}/stats")
    assert after["models"] == before["models"] + 3

    def more(what):
        return {key: count - before[what].get(key, 0) for key, count in after[what].items()
                if count != before[what].get(key, 0)}
    assert more("byProvider") == {"openai": 2, "cohere": 1}
    assert more("byKind") == {"embedding": 1, "generation": 1, "rerank": 1}
    assert more("byStatus") == {"disabled": 2, "unserved": 1}
    assert more("byCapability") == {"tools": 2, "vision": 1}


def test_the_database_alone_keeps_users_apart(world):  # S2.34
    member = world.api("acme", "member")
    mine = member.ok("POST", "/v1/orgs/acme/models?owner=me",
                     {"provider": "ollama", "modelName": "mine-" + secrets.token_hex(4)}, 201)
    shared = a_model(world.api("acme", "model_admin"))
    with psycopg2.connect(world.stack.database) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT owner_user_id FROM model WHERE id = %s", (mine["id"],))
        owner = cursor.fetchone()[0]
        assert owner
        cursor.execute("SET ROLE tokenrail_app")

        def seen(org, user):
            cursor.execute("SELECT set_config('tokenrail.org_id', %s, false), set_config('tokenrail.user_id', %s, false)",
                           (org, user))
            cursor.execute("SELECT id::text FROM model WHERE id IN (%s, %s)", (mine["id"], shared["id"]))
            return {row[0] for row in cursor.fetchall()}

        def changed(user):
            cursor.execute("SELECT set_config('tokenrail.user_id', %s, false)", (user,))
            cursor.execute("UPDATE model SET description = 'x' WHERE id = %s", (mine["id"],))
            return cursor.rowcount
        assert seen("acme", owner) == {mine["id"], shared["id"]}
        assert seen("acme", "another") == seen("acme", "") == {shared["id"]}
        assert seen("beta", owner) == set()
        assert (seen("acme", owner) and changed(owner), changed("another"), changed("")) == (1, 0, 0)
        connection.rollback()
