"""The complete catalogues as they were published, through the command line into PostgreSQL: every row of a file is added,
changed, unchanged, held or refused with its reason; prices are exact; a second import writes nothing.

The files are read here by Python's json with decimal numbers, so that no code of the importer checks itself."""

import decimal
import json
import os
import pathlib

import pytest

FOLDER = pathlib.Path(os.environ.get("TOKENRAIL_TEST_CATALOGS", pathlib.Path(__file__).parents[3] / "shared/catalogs"))
decimal.getcontext().prec = 60
# What the sources call otherwise than the registry.
NAMES = {"together_ai": "together", "togetherai": "together", "cohere_chat": "cohere", "google": "gemini",
         "text-completion-openai": "openai", "lm_studio": "lmstudio"}
LITELLM = {"input_cost_per_token": "input", "output_cost_per_token": "output", "cache_read_input_token_cost": "cache_read",
           "cache_creation_input_token_cost": "cache_write"}
MODELS_DEV = {"input": "input", "output": "output", "cache_read": "cache_read", "cache_write": "cache_write"}
OPENROUTER = {"prompt": "input", "completion": "output", "input_cache_read": "cache_read",
              "input_cache_write": "cache_write"}
# In the order of their import; of one source an earlier file comes first.
FILES = (("litellm", "litellm/model_prices_2026-07-05.json"), ("litellm", "litellm/model_prices_2026-08-01.json"),
         ("models-dev", "models-dev/api.subset.json"), ("openrouter", "openrouter/models_2026-08-01.json"),
         ("openrouter", "provider-model-lists/openrouter.json"), ("ollama", "ollama/tags.recorded-2024-10.json"))


def load(name):
    return json.loads((FOLDER / name).read_text(), parse_float=decimal.Decimal, parse_int=decimal.Decimal)


def micros(value, power):
    """Micro-dollars for a million tokens, rounded half to even; nothing where the source gives no price."""
    if value is None or isinstance(value, bool):
        return None
    amount = decimal.Decimal(value)
    return None if amount < 0 else int(amount.scaleb(power).to_integral_value(decimal.ROUND_HALF_EVEN))


def rows_of(source, document):
    """Of every row of a file: its key, the model's provider and name in the registry, and prices by the source's fields."""
    if source == "litellm":
        for key, row in document.items():
            row = row if isinstance(row, dict) else {}
            provider = row.get("litellm_provider", "")
            yield key, (NAMES.get(provider, provider), key.removeprefix(provider + "/")), {
                field: micros(row.get(field), 12) for field in LITELLM}
    elif source == "models-dev":
        for provider, content in document.items():
            for name, row in content["models"].items():
                yield f"{provider}/{name}", (NAMES.get(provider, provider), name), {
                    field: micros(row.get("cost", {}).get(field), 6) for field in MODELS_DEV}
    elif source == "openrouter":
        for row in document["data"]:
            yield row["id"], ("openrouter", row["id"]), {
                field: micros(row["pricing"].get(field), 12) for field in OPENROUTER}
    else:
        for row in document["models"]:
            yield row["name"], ("ollama", row["name"]), {}


def plain_prices(entry):
    """By dimension, without tiers, long contexts and times of day."""
    return {price["dimension"]: price["micros"] for price in entry.get("prices", [])
            if not {"serviceTier", "minContextTokens", "utcFrom", "utcTo"} & set(price)}


def written(stack):
    tables = ("outbox", "audit_log", "model_revision", "price", "catalog_entry", "catalog_import")
    counts = {table: stack.sql(f"SELECT count(*) FROM {table}")[0][0] for table in tables}
    return counts, stack.sql("SELECT md5(string_agg(CAST(c AS text), '' ORDER BY source, provider, model_name)) "
                             "FROM catalog_entry c")


def check_prices(stack, source, rows, report):
    """The prices of each row that was not refused, also of one that is held. Returns how many were compared."""
    stored = {(provider, name): plain_prices(held or entry) for provider, name, entry, held in stack.sql(
        f"SELECT provider, model_name, entry, held FROM catalog_entry WHERE source = '{source}' AND gone_at IS NULL")}
    refused = {line["key"] for line in report["refusedEntries"]}
    left_out = {line["key"] for line in report["fieldsLeftOut"]}
    dimensions = {**LITELLM, **MODELS_DEV, **OPENROUTER}
    checked = 0
    for key, place, prices in rows:
        for field, price in prices.items() if key not in refused else ():
            if price is None or f"{key} {field}" in left_out or f"{key} pricing.{field}" in left_out:
                continue
            assert stored[place].get(dimensions[field]) == price, f"{source} {key}: {field}"
            checked += 1
    return checked


@pytest.mark.skipif(not (FOLDER / "litellm").is_dir(), reason=f"no catalogues in {FOLDER}; TOKENRAIL_TEST_CATALOGS names them")
def test_every_row_of_the_complete_catalogues_is_accounted_for(make_stack):
    stack = make_stack()
    stack.cli("migrate")
    # Models of the registry that the imports are to complete.
    names = list(load("models-dev/api.subset.json")["openai"]["models"])
    for name in names:
        stack.sql("INSERT INTO model (provider, model_name, slug, enabled) VALUES "
                  f"('openai', '{name}', 'openai/{name}', true)")
    completed, checked = 0, {}
    for source, name in FILES:
        document = load(name)
        rows = list(rows_of(source, document))
        report = json.loads(stack.cli("catalog", "update", str(FOLDER / name), "--json", timeout=500).stdout)
        assert report["source"] == source and report["listed"] == len(rows)
        parts = {part: report[part] for part in ("added", "changed", "unchanged", "held", "refused")}
        assert sum(parts.values()) == len(rows), f"{name}: {parts}"
        refused = {line["key"]: line["reason"] for line in report["refusedEntries"]}
        assert len(refused) == report["refused"] and all(refused.values())
        assert set(refused) <= {key for key, _, _ in rows}
        kinds = [entry["kind"] for entry in report["entries"]]
        assert kinds.count("added") == report["added"]
        assert all(entry["reason"] for entry in report["entries"] if entry["kind"] == "held")
        assert stack.sql(f"SELECT count(*) FROM catalog_entry WHERE source = '{source}' AND gone_at IS NULL")[0][0] == \
            len(rows) - len(refused)
        assert stack.sql("SELECT listed, added, refused FROM catalog_import ORDER BY imported_at DESC LIMIT 1") == [
            (len(rows), report["added"], report["refused"])]
        checked[name] = check_prices(stack, source, rows, report)
        completed += report["models"]

        before = written(stack)
        again = json.loads(stack.cli("catalog", "update", str(FOLDER / name), "--json", timeout=500).stdout)
        assert (again["added"], again["changed"], again["models"]) == (0, 0, 0)
        assert again["unchanged"] + again["held"] + again["refused"] == len(rows) and again["held"] == report["held"]
        assert written(stack) == before
    assert completed >= len(names) // 2
    assert checked["litellm/model_prices_2026-08-01.json"] > 4000 and checked["models-dev/api.subset.json"] > 2000
    assert checked["provider-model-lists/openrouter.json"] > 900

    # A model of the registry has LiteLLM's prices where LiteLLM has any, and they are what its event says.
    litellm = {key: prices for key, _, prices in rows_of("litellm", load("litellm/model_prices_2026-08-01.json"))}
    held = {name for (name,) in stack.sql("SELECT model_name FROM catalog_entry WHERE held IS NOT NULL")}
    priced = 0
    for name in names:
        wanted = {LITELLM[field]: price for field, price in litellm.get(name, {}).items() if price is not None}
        if not wanted or name in held:
            continue
        stored = dict(stack.sql(
            "SELECT p.dimension, p.amount FROM price p JOIN model m ON m.id = p.model_id WHERE m.provider = 'openai' AND "
            f"m.model_name = '{name}' AND p.effective_to IS NULL AND p.service_tier = 'standard' AND "
            "p.min_context_tokens = 0 AND p.utc_from = 0 AND p.utc_to = 0"))
        assert {d: stored.get(d) for d in wanted} == wanted, name
        event = stack.sql(f"SELECT payload FROM outbox WHERE aggregateid = '_/_/openai/{name}' ORDER BY seq DESC LIMIT 1")
        assert str(wanted["input"]) in json.dumps(event[0][0]) if "input" in wanted else event
        priced += 1
    assert priced >= 20
