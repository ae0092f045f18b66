"""An administrator governs the registry from the command line, and routers follow."""

import json

from stack import Log, wait_until

KEY = "sk-canary-7f3e9a1b5c2d8e4f"


def projected(stack):
    """Models as routers see them, by scope and name."""
    rows = map(json.loads, stack.cli("registry", "list", "--projection", "--json").stdout.splitlines())
    return {(row.get("orgId", ""), row["modelName"]): row for row in rows}


def ending(chunks, request):
    chunks.wait("the answer", lambda values: any(c["requestId"] == request and c["done"] for c in values))
    return next(c for c in chunks.values() if c["requestId"] == request and c["done"])


def key_ring(stack, folder):
    """The environment of a command that has a fresh key ring."""
    ring = folder / "ring.json"
    stack.cli("keys", "create", str(ring))
    return {"TOKENRAIL_KEYRING_FILE": str(ring)}


def first_model(stack):
    """Of the registry's list, as provider/name."""
    model = json.loads(stack.cli("registry", "list", "--json").stdout.splitlines()[0])
    return f"{model['provider']}/{model['modelName']}"


def test_an_organisation_disables_a_model_and_only_its_requests_are_refused(make_stack):
    stack = make_stack()
    stack.whole()
    name = first_model(stack)
    provider, _, model_name = name.partition("/")
    assert stack.cli("org", "create", "Acme Corp").stdout == "acme-corp\n"
    stack.cli("registry", "disable", name, "--org", "acme-corp")
    wait_until("the change is published", lambda: ("acme-corp", model_name) in projected(stack))

    chunks = Log(stack, "chat.chunks")
    fields = {"modelProvider": provider, "modelName": model_name}
    asked = []

    def refused():
        request = f"acme-{len(asked)}"
        asked.append(request)
        stack.ask(request, orgId="acme-corp", **fields)
        stack.flush()
        return ending(chunks, request).get("error", {}).get("code") == "MODEL_NOT_ENABLED"
    wait_until("the router refuses acme's request", refused)
    stack.ask("other", orgId="other", **fields)
    stack.flush()
    assert "error" not in ending(chunks, "other")

    stack.cli("registry", "enable", name, "--org", "acme-corp")
    history = [json.loads(line) for line in
               stack.cli("registry", "history", name, "--org", "acme-corp", "--json").stdout.splitlines()]
    assert [h["changedFields"] for h in history[:2]] == [["enabled", "routable"], ["enabled", "routable", "inherits"]]
    assert history[0]["actor"].startswith("cli:")


def test_a_key_is_stored_sealed_and_never_shown(make_stack, tmp_path):
    stack = make_stack()
    stack.whole()
    environment = key_ring(stack, tmp_path)
    stack.cli("org", "create", "acme")
    refused = stack.cli("credentials", "put", "main", "--org", "acme", "--provider", "openai", stdin=KEY, check=False)
    assert refused.returncode == 2 and "keys create" in refused.stderr
    put = stack.cli("credentials", "put", "main", "--org", "acme", "--provider", "openai", stdin=KEY,
                    environment=environment)
    listed = stack.cli("credentials", "list", "--org", "acme", "--json").stdout
    row = json.loads(listed)
    assert row["last4"] == KEY[-4:] and row["id"] == put.stdout.strip()
    stack.cli("connections", "add", "acme-openai", "--org", "acme", "--provider", "openai", "--credential", "main")
    used = stack.cli("credentials", "revoke", "main", "--org", "acme", check=False)
    assert used.returncode == 1 and "acme-openai" in used.stderr
    stack.cli("credentials", "revoke", "main", "--org", "acme", "--force")
    everything = listed + put.stdout + put.stderr + stack.cli("registry", "audit", "--org", "acme", "--json").stdout
    assert KEY not in everything and "sealed" not in everything


def test_a_model_is_explained_without_an_api(make_stack):
    stack = make_stack()
    stack.whole()
    name = first_model(stack)
    stack.cli("org", "create", "acme")

    def explained(*flags):
        done = stack.cli("registry", "explain", name, "--json", *flags, check=False)
        parsed = json.loads(done.stdout) if done.stdout else {"usable": None, "clauses": []}
        return done.returncode, parsed["usable"], [c["clause"] for c in parsed["clauses"] if not c["holds"]]
    assert wait_until("the model is usable", lambda: explained("--org", "acme") == (0, True, []))
    stack.cli("registry", "disable", name, "--org", "acme")
    wait_until("the change is published", lambda: explained("--org", "acme") == (1, False, ["enabled"]))
    assert explained() == (0, True, [])
    unknown = stack.cli("registry", "explain", "ollama/none", check=False)
    assert unknown.returncode == 1 and "ollama/none" in unknown.stderr


def test_a_dry_run_of_parameters_changes_nothing(make_stack):
    stack = make_stack()
    stack.whole()
    name = first_model(stack)
    before = stack.cli("registry", "list", "--json").stdout
    tried = stack.cli("registry", "set-parameters", name, '{"topK":3}', "--dry-run")
    assert "1 deployment would change; nothing was changed" in tried.stderr
    assert stack.cli("registry", "list", "--json").stdout == before
    refused = stack.cli("registry", "set-parameters", name, '{"topK":0}', "--dry-run", check=False)
    assert refused.returncode == 2 and "topK" in refused.stderr


def test_syncs_and_parameters_by_command_are_audited(make_stack):
    stack = make_stack()
    stack.whole()
    name = first_model(stack)
    stack.cli("org", "create", "acme")

    def audited(action, *flags):
        rows = [json.loads(line) for line in stack.cli("registry", "audit", *flags, "--json").stdout.splitlines()]
        return [row for row in rows if row["action"] == action]

    stack.cli("registry", "set-parameters", name, '{"temperature":0.2}')
    stack.cli("registry", "set-parameters", name, '{"temperature":0.2}')
    [entry] = audited("model.parameters_changed")
    assert entry["actor"].startswith("cli:") and entry["targetName"] == name
    assert entry["before"] == {"deployments": [{"connection": "env-ollama", "params": {}}]}
    assert entry["after"] == {"deployments": [{"connection": "env-ollama", "params": {"temperature": 0.2}}]}
    stack.cli("registry", "sync", "--connection", "env-ollama", "--accept")
    [entry] = audited("sync.accepted")
    assert entry["actor"].startswith("cli:") and entry["targetName"] == "env-ollama"
    stack.cli("registry", "sync")
    [entry] = audited("sync.requested")
    assert entry["targetId"] == "" and entry["actor"].startswith("cli:")
    stack.cli("registry", "republish")
    [entry] = audited("republish.requested")
    assert entry["actor"].startswith("cli:")
    assert audited("sync.requested", "--org", "acme") == []


def test_a_name_of_several_rows_is_refused(make_stack, tmp_path):
    stack = make_stack()
    stack.whole()
    environment = key_ring(stack, tmp_path)
    stack.cli("org", "create", "acme")
    stack.cli("connections", "add", "env-ollama", "--org", "acme", "--provider", "ollama", "--base-url",
              "http://127.0.0.1:9")
    refused = stack.cli("registry", "sync", "--connection", "env-ollama", "--accept", check=False)
    assert refused.returncode == 2 and "of the platform" in refused.stderr and "of acme" in refused.stderr
    assert stack.cli("registry", "audit", "--json").stdout.count("sync.accepted") == 0
    [acmes] = [json.loads(line) for line in stack.cli("connections", "list", "--org", "acme", "--json").stdout.splitlines()
               if json.loads(line)["scope"] == "organization"]
    for flags in (["--connection", "env-ollama", "--org", "acme"], ["--connection", acmes["id"]]):
        stack.cli("registry", "sync", *flags, "--accept", "--timeout", "1ms", check=False)
    entries = [json.loads(line) for line in stack.cli("registry", "audit", "--org", "acme", "--json").stdout.splitlines()]
    assert [e["targetId"] for e in entries if e["action"] == "sync.accepted"] == [acmes["id"], acmes["id"]]
    lonely = stack.cli("registry", "sync", "--org", "acme", check=False)
    assert lonely.returncode == 2 and "--connection" in lonely.stderr

    for provider in ("openai", "anthropic"):
        stack.cli("credentials", "put", "main", "--org", "acme", "--provider", provider, stdin=KEY, environment=environment)
    for command in (["put", "main"], ["revoke", "main"]):
        refused = stack.cli("credentials", *command, "--org", "acme", stdin=KEY, environment=environment, check=False)
        assert refused.returncode == 2 and "openai" in refused.stderr and "anthropic" in refused.stderr
    rows = map(json.loads, stack.cli("credentials", "list", "--org", "acme", "--json").stdout.splitlines())
    assert [row["revokedAt"] for row in rows] == [None, None]
    stack.cli("credentials", "revoke", "main", "--org", "acme", "--provider", "openai")
    rows = map(json.loads, stack.cli("credentials", "list", "--org", "acme", "--json").stdout.splitlines())
    assert {row["provider"]: bool(row["revokedAt"]) for row in rows} == {"openai": True, "anthropic": False}
