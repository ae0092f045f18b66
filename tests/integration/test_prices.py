"""Prices, catalogues and the configuration as a file: from an administrator's commands to the cost of an answer."""

import json
import pathlib

import yaml
from stack import Log, wait_until


def first_model(stack):
    model = json.loads(stack.cli("registry", "list", "--json").stdout.splitlines()[0])
    return model["provider"], model["modelName"]


def answered(stack, chunks, request, **fields):
    stack.ask(request, **fields)
    stack.flush()
    chunks.wait("the answer", lambda values: any(c["requestId"] == request and c["done"] for c in values))
    return next(c for c in chunks.values() if c["requestId"] == request and c["done"])


def written(stack):
    """What an import that changes nothing leaves as it is."""
    tables = ("outbox", "audit_log", "model_revision", "price", "catalog_entry", "catalog_import")
    return {table: stack.sql(f"SELECT count(*) FROM {table}")[0][0] for table in tables}


def test_a_price_becomes_the_cost_of_an_answer(make_stack):
    stack = make_stack()
    stack.whole()
    provider, name = first_model(stack)
    fields = {"modelProvider": provider, "modelName": name}
    chunks, audit = Log(stack, "chat.chunks"), Log(stack, "llm.audit")
    before = answered(stack, chunks, "unpriced", **fields)
    assert "cost" not in before and "priceVersion" not in before

    refused = stack.cli("registry", "price", f"{provider}/{name}", "input=cheap", check=False)
    assert refused.returncode == 2 and "'input=cheap' is not a price" in refused.stderr
    stack.cli("registry", "price", f"{provider}/{name}", "input=3", "output=15.5", "cache_read=0.3")
    shown = json.loads(stack.cli("registry", "price", f"{provider}/{name}", "--json").stdout)
    assert {price["dimension"]: price["amount"] for price in shown["prices"]} == {
        "input": "3", "output": "15.5", "cache_read": "0.3"}

    priced = []

    def has_cost():
        priced.append(answered(stack, chunks, f"priced-{len(priced)}", **fields))
        return "cost" in priced[-1]
    wait_until("the router knows the price", has_cost)
    last = priced[-1]
    # Rounded half to even, once; exact in integers: dollars a million are micro-dollars a token.
    halves = last["usage"]["inputTokens"] * 6 + last["usage"]["outputTokens"] * 31
    assert last["cost"] == halves // 2 + (1 if halves % 2 and halves // 2 % 2 else 0)
    assert int(last["priceVersion"]) > 0

    def responses(values):
        return {v["requestId"]: v for v in values if v["type"] == "llm.response"}
    audit.wait("the response", lambda values: last["requestId"] in responses(values))
    response = responses(audit.values())[last["requestId"]]
    assert (response["cost"], response["priceVersion"]) == (last["cost"], last["priceVersion"])

    # The price of the connection that answers counts before that of the model.
    shown = json.loads(stack.cli("registry", "show", f"{provider}/{name}", "--json").stdout)
    connection = shown["deployments"][0]["connection"]
    stack.cli("registry", "price", f"{provider}/{name}", "input=1", "output=2", "--connection", connection)

    def costs_what_the_connection_costs():
        priced.append(answered(stack, chunks, f"priced-{len(priced)}", **fields))
        usage = priced[-1]["usage"]
        return priced[-1]["cost"] == usage["inputTokens"] + 2 * usage["outputTokens"]
    wait_until("the router knows the price of the connection", costs_what_the_connection_costs)
    exported = yaml.safe_load(stack.cli("registry", "export").stdout)
    model = next(m for m in exported["models"] if m["modelName"] == name)
    assert {(p["amount"], p.get("connection")) for p in model["prices"]} == {
        ("3", None), ("15.5", None), ("0.3", None), ("1", connection), ("2", connection)}
    assert stack.cli("registry", "plan", "-", stdin=yaml.safe_dump(exported)).stdout == ""


def test_a_catalogue_is_imported_once_and_people_win(make_stack, tmp_path):
    stack = make_stack()
    stack.whole()
    provider, name = first_model(stack)
    catalogue = tmp_path / "prices.json"

    def write(input_price, **more):
        catalogue.write_text(json.dumps({
            f"{provider}/{name}": {"litellm_provider": provider, "mode": "chat", "input_cost_per_token": input_price,
                                   "output_cost_per_token": 2e-06, "max_output_tokens": 777, **more},
            "gpt-later": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06},
            "bad": 7}))
    write(1e-06)
    dry = stack.cli("catalog", "update", str(catalogue), "--dry-run")
    assert dry.stdout.startswith("litellm: prices.json (MIT licence)\n2 added, 0 changed, 0 unchanged, 0 gone, 0 held, 1 refused")
    assert stack.sql("SELECT count(*) FROM catalog_entry")[0][0] == 0
    report = json.loads(stack.cli("catalog", "update", str(catalogue), "--json").stdout)
    assert (report["added"], report["models"], report["refused"], report["licence"]) == (2, 1, 1, "MIT")
    assert stack.sql("SELECT file_name, licence FROM catalog_import") == [("prices.json", "MIT")]
    assert report["refusedEntries"] == [{"key": "bad", "reason": "not an object"}]
    after = written(stack)
    again = stack.cli("catalog", "update", str(catalogue))
    assert "0 added, 0 changed, 2 unchanged" in again.stdout
    assert written(stack) == after

    # Ten times the price is held, and what counts stays.
    write(1e-05)
    held = stack.cli("catalog", "update", str(catalogue))
    assert f"! {provider}/{name}: input 1 -> 10: ten times or more" in held.stdout
    prices = json.loads(stack.cli("registry", "price", f"{provider}/{name}", "--json").stdout)["prices"]
    assert {p["dimension"]: (p["amount"], p["origin"]) for p in prices} == {
        "input": ("1", "litellm"), "output": ("2", "litellm")}
    stack.cli("catalog", "update", str(catalogue), "--accept-held")
    prices = json.loads(stack.cli("registry", "price", f"{provider}/{name}", "--json").stdout)["prices"]
    assert {p["dimension"]: p["amount"] for p in prices} == {"input": "10", "output": "2"}

    # A limit that shrinks is held too, the rest of the entry counts, and one entry is decided on its own.
    write(1.1e-05, max_output_tokens=100)
    held = stack.cli("catalog", "update", str(catalogue))
    assert f"! {provider}/{name}: the limit of output tokens would shrink from 777 to 100" in held.stdout
    prices = json.loads(stack.cli("registry", "price", f"{provider}/{name}", "--json").stdout)["prices"]
    assert {p["dimension"]: p["amount"] for p in prices} == {"input": "11", "output": "2"}
    waiting = json.loads(stack.cli("registry", "held", "--json").stdout.splitlines()[0])
    assert (waiting["catalog"], waiting["model"]) == ("litellm", f"{provider}/{name}")
    assert f"tokenrail registry decide {waiting['id']}" in stack.cli("registry", "list").stderr
    stack.cli("registry", "decide", waiting["id"], "reject")
    assert "0 held" in stack.cli("catalog", "update", str(catalogue)).stdout
    shown = json.loads(stack.cli("registry", "show", f"{provider}/{name}", "--json").stdout)
    assert (shown["sources"]["outputTokensMax"], shown["origins"]["outputTokensMax"]) == ("curated", "litellm")
    assert shown["outputTokensMax"] == 777

    # What a person set wins over every import.
    stack.cli("registry", "price", f"{provider}/{name}", "input=0.5")
    write(2e-05)
    stack.cli("catalog", "update", str(catalogue), "--accept-held")
    prices = json.loads(stack.cli("registry", "price", f"{provider}/{name}", "--json").stdout)["prices"]
    assert {p["dimension"]: p["amount"] for p in prices} == {"input": "0.5", "output": "2"}
    inspected = json.loads(stack.cli("registry", "inspect", "--json").stdout)
    assert inspected["paid"] == 1 and inspected["catalogs"][0]["entries"] == 2

    # A sync does not undo what a catalogue says, and finds nothing changed.
    before = stack.sql("SELECT count(*) FROM model_revision")[0][0]
    stack.cli("registry", "sync")
    assert stack.sql("SELECT count(*) FROM model_revision")[0][0] == before

    scores = tmp_path / "scores.json"
    scores.write_text(json.dumps({"source": "arena", "date": "2026-08-01", "scores": [
        {"provider": provider, "modelName": name, "score": 0.9}, {"provider": "x", "modelName": "y", "score": 0.1}]}))
    scored = json.loads(stack.cli("catalog", "scores", str(scores), "--json").stdout)
    assert scored["models"] == 1 and scored["unknownModels"] == ["x/y"]


def test_an_export_says_whose_connection_is_meant(make_stack):
    """Names that the platform and an organisation both have, in every way that an export names them."""
    stack = make_stack()
    stack.cli("migrate")
    stack.cli("org", "create", "acme")
    for org in ([], ["--org", "acme"]):
        stack.cli("connections", "add", "both", *org, "--provider", "vllm", "--base-url", f"http://127.0.0.{len(org) + 1}:9/v1")
    stack.cli("registry", "add", "vllm/shared", "--connection", "both")
    ids = {row["scope"]: row["id"] for row in map(json.loads, stack.cli("connections", "list", "--org", "acme", "--json").stdout.splitlines())}
    one = {"platform": [ids["platform"]], "own": [ids["organization"]], "two": [ids["organization"], ids["platform"]]}
    for model, connections in one.items():
        stack.cli("registry", "add", f"vllm/{model}", "--org", "acme", "--connection", connections[0], "--upstream", model)
        if len(connections) > 1:
            stack.cli("registry", "set", f"vllm/{model}", json.dumps({"deployments": [
                {"connectionId": c, "upstreamName": f"up-{number}", "priority": number} for number, c in enumerate(connections)]}),
                "--org", "acme")
        for number, connection in enumerate(connections):
            stack.cli("registry", "price", f"vllm/{model}", f"input={number + 1}", "--org", "acme", "--connection", connection)
    for org in ([], ["--org", "acme"]):
        stack.cli("registry", "alias", "name", "vllm/shared", *org)
    for kind, table, effect in (("connection", "connection", "allow"), ("alias", "model_alias", "deny")):
        stack.sql("INSERT INTO model_grant (org_id, subject_kind, subject, object_kind, object_id, effect, created_by) SELECT 'acme', "
                  f"'user', 'bob', '{kind}', id, CASE WHEN org_id IS NULL THEN 'allow' ELSE 'deny' END, 't' FROM {table} WHERE "
                  f"{'name' if kind == 'connection' else 'alias'} IN ('both', 'name')")
    # A name that is the platform's alone needs no word about it.
    stack.cli("connections", "add", "shared", "--provider", "vllm", "--base-url", "http://127.0.0.5:9/v1")
    stack.cli("registry", "add", "vllm/plain", "--org", "acme", "--connection", "shared")

    def bound(stack):
        return stack.sql("SELECT m.model_name, c.base_url, d.upstream_name, (SELECT min(amount) FROM price p WHERE p.deployment_id = d.id "
                         "AND p.effective_to IS NULL) FROM deployment d JOIN model m ON m.id = d.model_id JOIN connection c ON c.id = "
                         "d.connection_id WHERE m.org_id = 'acme' ORDER BY 1, 2") + stack.sql(
            "SELECT object_kind, effect, COALESCE((SELECT base_url FROM connection WHERE id = object_id), (SELECT COALESCE(org_id, '-') "
            "FROM model_alias WHERE id = object_id)) FROM model_grant ORDER BY 1, 2")
    exported = stack.cli("registry", "export").stdout
    assert exported.count("connectionOf: platform") == 4 and exported.count("objectOf: platform") == 2
    assert stack.cli("registry", "plan", "-", stdin=exported).stdout == ""
    empty = make_stack()
    empty.cli("migrate")
    empty.cli("registry", "apply", "-", stdin=exported)
    assert empty.cli("registry", "export").stdout == exported
    assert bound(empty) == bound(stack) and len(bound(stack)) == 9
    # And each is removed by itself.
    document = yaml.safe_load(exported)
    document["grants"] = [g for g in document["grants"] if g.get("objectOf") != "platform"]
    removed = empty.cli("registry", "apply", "-", "--prune", stdin=yaml.safe_dump(document)).stdout.splitlines()
    assert len(removed) == 2 and all(line.startswith("- grants acme user bob") for line in removed)
    assert {row[1] for row in empty.sql("SELECT 1, effect FROM model_grant")} == {"deny"}


def test_an_export_applied_to_an_empty_database_exports_the_same(make_stack):
    stack = make_stack()
    stack.whole()
    provider, name = first_model(stack)
    model = f"{provider}/{name}"
    stack.cli("org", "create", "acme", "--mode", "allow_list")
    stack.cli("registry", "set", model, '{"displayName":"No 1: the \\"best\\"","contextWindow":2048,"tags":["b","a"]}')
    stack.cli("registry", "price", model, "input=2.50", "input@200001=5", "output=10", "output@16:30-00:30=5")
    stack.cli("registry", "disable", model, "--org", "acme")
    stack.cli("registry", "default", model)
    stack.cli("registry", "alias", "best", f"{model}=9")
    stack.cli("registry", "alias", "best", model, "--org", "acme")
    stack.cli("registry", "grant", model, "--org", "acme", "--group", "engineering")
    stack.cli("connections", "add", "other", "--provider", "vllm", "--base-url", "http://127.0.0.1:9/v1", "--weight", "3")
    stack.cli("registry", "add", "vllm/extra", "--connection", "other", "--upstream", "served-name")
    # Two that replace each other: whichever is made first, the other is not there yet.
    ids = {name: json.loads(stack.cli("registry", "show", name, "--json").stdout)["platformId"] for name in (model, "vllm/extra")}
    for of, by in ((model, "vllm/extra"), ("vllm/extra", model)):
        stack.cli("registry", "set", of, json.dumps({"lifecycle": "deprecated", "replacementId": ids[by]}))
    stack.cli("registry", "set", model, json.dumps({"replacementId": ids[model]}), "--org", "acme")
    views = [{"name": "small", "filter": {"tags": ["b"], "contextMin": 1}, "pins": [model], "forAuto": True},
             {"org": "acme", "name": "small"}]
    stack.cli("registry", "apply", "-", stdin=yaml.safe_dump({"views": views}))
    exported = stack.cli("registry", "export").stdout
    document = yaml.safe_load(exported)
    assert document["views"] == views
    assert [(m.get("org"), m["modelName"], m["replacement"]) for m in document["models"] if "replacement" in m] == [
        (None, name, "vllm/extra"), (None, "extra", model), ("acme", name, model)]
    assert document["organizations"] == [{"id": "acme", "displayName": "acme", "mode": "allow_list"}]
    assert document["aliases"][0] == {"alias": "best", "targets": [{"model": model, "weight": 9}]}
    assert stack.cli("registry", "plan", "-", stdin=exported).stdout == ""

    empty = make_stack()
    empty.cli("migrate")
    # What a sync has found stays also where a file has nothing.
    kept = stack.cli("registry", "plan", "-", "--prune", stdin="{}").stdout.splitlines()
    assert "- models vllm/extra" in kept and "- connections other" in kept and f"- models acme {model}" in kept
    assert f"- models {model}" not in kept and "- connections env-ollama" not in kept
    plan = empty.cli("registry", "plan", "-", stdin=exported).stdout
    assert f"+ models {model}\n" in plan and "+ organizations acme\n" in plan
    empty.cli("registry", "apply", "-", stdin=exported)
    assert empty.cli("registry", "export").stdout == exported
    assert empty.cli("registry", "plan", "-", stdin=exported).stdout == ""
    before = written(empty)
    empty.cli("registry", "apply", "-", stdin=exported)
    assert written(empty) == before

    changed = exported.replace("contextWindow: 2048", "contextWindow: 4096")
    assert "settings.contextWindow: 2048 -> 4096" in empty.cli("registry", "plan", "-", stdin=changed).stdout
    empty.cli("registry", "apply", "-", stdin=changed)
    assert empty.cli("registry", "export").stdout == changed
    # A model that the file names no replacement for has none.
    shorter = yaml.safe_load(changed)
    for entry in shorter["models"]:
        entry.pop("replacement", None)
    empty.cli("registry", "apply", "-", stdin=json.dumps(shorter))
    changed = empty.cli("registry", "export").stdout
    assert "replacement" not in changed and yaml.safe_load(changed) == shorter
    # Pruning removes what the file does not have, but nothing that a sync found: here nothing did.
    shorter["aliases"], shorter["grants"] = [], []
    shorter["models"] = [m for m in shorter["models"] if m["modelName"] != "extra"]
    shorter["connections"] = [c for c in shorter["connections"] if c["name"] != "other"]
    shorter = json.dumps(shorter)
    assert "- " not in empty.cli("registry", "plan", "-", stdin=shorter).stdout
    lines = empty.cli("registry", "plan", "-", "--prune", stdin=shorter).stdout.splitlines()
    assert [line.split(" ")[1] for line in lines] == ["grants", "aliases", "aliases", "models", "connections"]
    assert all(line.startswith("- ") for line in lines)
    assert empty.cli("registry", "export").stdout == changed, "a plan changes nothing"
    empty.cli("registry", "apply", "-", "--prune", stdin=shorter)
    assert empty.cli("registry", "plan", "-", "--prune", stdin=shorter).stdout == ""
    left = yaml.safe_load(empty.cli("registry", "export").stdout)
    assert not left["aliases"] and not left["grants"] and [c["name"] for c in left["connections"]] == ["env-ollama"]
    audited = empty.sql("SELECT action FROM audit_log ORDER BY seq DESC LIMIT 5")
    assert ("connection.deleted",) in audited and ("model.deleted",) in audited

    lost = {"models": [{"provider": "vllm", "modelName": "late", "replacement": "vllm/never"}]}
    unknown = empty.cli("registry", "apply", "-", stdin=json.dumps(lost), check=False)
    assert unknown.returncode == 1 and "vllm/late has the replacement vllm/never, which there is not" in unknown.stderr
    broken = empty.cli("registry", "apply", "-", stdin="models: [{provider: p}]", check=False)
    assert broken.returncode == 2 and "models[0]: it has no modelName" in broken.stderr


def test_the_example_files_can_be_applied(make_stack):
    examples = pathlib.Path(__file__).resolve().parents[2] / "examples" / "registry"
    stack = make_stack()
    stack.cli("migrate")
    file = str(examples / "default-models.yaml")
    stack.cli("registry", "apply", file)
    assert stack.cli("registry", "plan", file).stdout == ""
    scored = json.loads(stack.cli("catalog", "scores", str(examples / "default-scores.json"), "--json").stdout)
    assert scored["models"] == 2 and scored["unknownModels"] == []
    inspected = json.loads(stack.cli("registry", "inspect", "--json").stdout)
    assert (inspected["models"], inspected["free"], inspected["withoutPrice"]) == (3, 3, 0)
    templates = stack.cli("registry", "plan", str(examples / "connections.yaml")).stdout
    assert [line for line in templates.splitlines() if line.startswith("+")] == [
        f"+ connections {name}" for name in ("openai", "anthropic", "huggingface", "azure", "ollama", "vllm")]
    missing = stack.cli("registry", "apply", str(examples / "connections.yaml"), check=False)
    assert missing.returncode == 1 and "credentials put openai" in missing.stderr
