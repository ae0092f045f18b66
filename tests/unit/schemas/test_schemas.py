"""The schemas say what the code writes: tests/golden holds every record as the C++ writers made it."""

import json
import re

import checks
import jsonschema
import pytest

SCHEMAS = checks.load_all(checks.SCHEMAS)
GOLDENS = checks.goldens()


@pytest.mark.parametrize("name", SCHEMAS)
def test_is_a_schema_of_2020_12(name):
    schema = SCHEMAS[name]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"{checks.BASE}{name}{checks.SUFFIX}"
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_metaschema_is_looked_at():
    with pytest.raises(jsonschema.SchemaError):
        jsonschema.Draft202012Validator.check_schema({"type": "strnig"})


@pytest.mark.parametrize("name", SCHEMAS)
def test_has_what_a_reader_needs(name):
    schema = SCHEMAS[name]
    assert schema["title"] and schema["description"]

    def look(node, path):
        if isinstance(node, list):
            for entry in node:
                look(entry, path)
        if not isinstance(node, dict):
            return
        for field, inner in node.get("properties", {}).items():
            # A condition repeats fields that are described where they are declared.
            if isinstance(inner, dict) and "if" not in path and "then" not in path and "else" not in path:
                assert inner.get("description"), f"{name}: {path} {field} has no description"
                if field.endswith("Ms"):
                    assert "illiseconds" in inner["description"], f"{name}: {field} does not say its unit"
                if field.lower().endswith("bytes"):
                    assert "bytes" in inner["description"], f"{name}: {field} does not say its unit"
        for key, inner in node.items():
            if key not in ("examples", "enum", "const", "default"):
                look(inner, path + [key])

    look(schema, [])


@pytest.mark.parametrize("name", set(SCHEMAS) - checks.READ_BY_US)
def test_what_we_write_is_closed_and_extensible(name):
    schema = SCHEMAS[name]

    def look(node, path):
        if isinstance(node, list):
            for entry in node:
                look(entry, path)
        if not isinstance(node, dict):
            return
        conditional = any(step in path for step in ("if", "then", "else"))
        if "properties" in node and not conditional:
            assert node.get("additionalProperties") is False, f"{name}: {path} takes undeclared fields"
        if "enum" in node and path[-2:] != ["capabilities", "additionalProperties"]:
            assert "Extensible" in node["description"], f"{name}: {path}"
        for key, inner in node.items():
            look(inner, path + [key])

    look(schema, [])


@pytest.mark.parametrize("name", SCHEMAS)
def test_has_a_golden_or_an_example(name):
    assert any(checks.schema_of_golden(golden) == name for golden in GOLDENS) or SCHEMAS[name].get("examples")


@pytest.mark.parametrize("name", SCHEMAS)
def test_takes_its_examples(name):
    for example in SCHEMAS[name].get("examples", []):
        assert checks.problems(SCHEMAS[name], example) == []


@pytest.mark.parametrize("golden", GOLDENS)
def test_takes_what_the_code_writes(golden):
    assert checks.problems(SCHEMAS[checks.schema_of_golden(golden)], GOLDENS[golden]) == []


@pytest.mark.parametrize("golden", GOLDENS)
def test_an_unknown_field_is_refused_where_we_write(golden):
    name, record = checks.schema_of_golden(golden), GOLDENS[golden]
    schema = SCHEMAS[name]
    places = list(checks.objects_in(schema, schema, record))
    assert places
    for path, _ in places:
        with_extra = checks.changed(record, path, lambda target: target.update(unheardOf=1))
        assert bool(checks.problems(schema, with_extra)) == (name not in checks.READ_BY_US), path


@pytest.mark.parametrize("golden", GOLDENS)
def test_a_missing_field_is_refused(golden):
    record = GOLDENS[golden]
    schema = SCHEMAS[checks.schema_of_golden(golden)]
    for path, node in checks.objects_in(schema, schema, record):
        for field in node.get("required", []):
            without = checks.changed(record, path, lambda target: target.pop(field))
            assert checks.problems(schema, without), f"{path} without {field}"


@pytest.mark.parametrize("golden", GOLDENS)
def test_a_field_of_another_type_is_refused(golden):
    record = GOLDENS[golden]
    name = checks.schema_of_golden(golden)
    schema = SCHEMAS[name]
    for field in record:
        if name in checks.READ_BY_US and field == "metadata":
            continue
        wrong = checks.changed(record, (), lambda target: target.update({field: {"not": ["this"]}}))
        assert checks.problems(schema, wrong) or name in checks.READ_BY_US, field


@pytest.mark.parametrize("golden, change, told", [
    ("chat-chunk.delta", {"finishReason": "stop"}, "a chunk that does not end has no reason to end"),
    ("chat-chunk.delta", {"done": True}, "the terminal chunk says why, how long and where from"),
    ("chat-chunk.terminal", {"delta": "more"}, "the terminal chunk brings no text"),
    ("chat-chunk.terminal", {"finishReason": "error"}, "an error is named"),
    ("chat-chunk.terminal", {"finishReason": "duplicate"}, "a duplicate names the first"),
    ("chat-chunk.terminal-duplicate", {"attempt": 5}, "a duplicate's answer is attempt 0"),
    ("chat-chunk.terminal", {"seq": -1}, "seq starts at 0"),
    ("llm-response.completed", {"cause": "lost"}, "only interrupted has a cause"),
    ("llm-response.interrupted", {"cause": "tired"}, "the causes are named"),
    ("llm-response.completed", {"outcome": "interrupted"}, "interrupted has a cause"),
    ("llm-response.duplicate", {"attempt": 7}, "a duplicate is attempt 0"),
    ("router-claimed", {"type": "router.released"}, "each event has its own type"),
    ("model-registry-sync-held", {"status": "ok"}, "a held list is held"),
    ("model-registry-alias.full", {"targets": []}, "an alias leads somewhere"),
    ("model-registry-credential", {"sealed": ""}, "a credential is sealed"),
    ("model-registry-grants", {"grants": [{"subjectKind": "org", "subject": "acme", "effect": "allow"}]}, "a grant is about something"),
    ("chat-request.minimal", {"messages": []}, "at least one message is needed"),
    ("chat-request.minimal", {"messages": [{"role": "tool", "content": "x"}]}, "a tool's answer names its call"),
    ("chat-request.minimal", {"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "a text has text"),
    ("chat-request.minimal", {"temperature": 3}, "temperature is at most 2"),
    ("chat-request.minimal", {"toolChoice": "maybe"}, "the choices are named"),
    ("chat-request.minimal", {"responseFormat": {"type": "json_schema"}}, "a schema is given"),
])
def test_what_belongs_together_is_checked(golden, change, told):
    record = dict(GOLDENS[golden], **change)
    assert checks.problems(SCHEMAS[checks.schema_of_golden(golden)], record), told


@pytest.mark.parametrize("change", [
    {"userId": None, "tools": None, "stop": None, "metadata": None, "timeoutMs": None, "reasoning": None},
    {"content": "ignored", "somethingNew": {"a": [1]}},
    {"messages": [{"role": "user", "content": [{"type": "hologram", "depth": 3}]}]},
    {"tools": [{"type": "function", "function": {"name": "f"}}]},
    {"fallbacks": ["ollama/llama3.2:1b", "small", {"modelName": "x"}]},
    {"reasoning": "low"}, {"reasoning": True}, {"stop": "END"}, {"maxTokens": 64.0},
    {"metadata": {"conversationId": "k", "n": 1, "nested": {"is": "ignored"}}},
])
def test_a_request_may_be_written_in_every_way_that_is_read(change):
    assert checks.problems(SCHEMAS["chat-request"], dict(GOLDENS["chat-request.minimal"], **change)) == []


# --- requests: the schema and the reader, held to one table -------------------------------------------------------------

CASES = checks.request_cases()


def test_the_table_names_each_case_once():
    assert {group for group, _, _ in CASES} == {"both take", "both refuse", "only the router refuses", "only the schema refuses"}
    assert len({name for _, name, _ in CASES}) == len(CASES) > 100


@pytest.mark.parametrize("group, request_read", [pytest.param(group, record, id=name) for group, name, record in CASES])
def test_takes_and_refuses_what_the_reader_does(group, request_read):
    """tests/unit/common/events/request_cases_test.cpp holds the reader to the same table."""
    refused = group in ("both refuse", "only the schema refuses")
    assert bool(checks.problems(SCHEMAS["chat-request"], request_read)) == refused, group


def test_counts_as_far_as_the_reader():
    limits = {name: int(number.replace("'", "")) for name, number in
              re.findall(r"std::size_t (\w+_max) = ([\d']+);", text_of("common/events/chat_request.hpp"))}
    stop_bytes = re.search(r"bytes_max = (\d+);", text_of("common/events/chat_request.cpp").split("read_stop(", 1)[1])
    schema = SCHEMAS["chat-request"]
    fields, parts = schema["properties"], schema["$defs"]
    assert fields["messages"]["maxItems"] == limits["messages_max"]
    assert fields["tools"]["maxItems"] == parts["message"]["properties"]["toolCalls"]["maxItems"] == limits["tools_max"]
    assert fields["fallbacks"]["maxItems"] == limits["fallbacks_max"]
    assert fields["metadata"]["maxProperties"] == limits["metadata_max"]
    assert fields["groups"]["maxItems"] == limits["groups_max"]
    assert fields["groups"]["items"]["maxLength"] == limits["id_bytes_max"]
    assert {fields[name]["maxLength"] for name in ("requestId", "orgId", "userId")} == {limits["id_bytes_max"]}
    assert {fields[name]["maxLength"] for name in ("modelProvider", "modelName")} == {limits["name_bytes_max"]}
    assert parts["modelReference"]["oneOf"][0]["maxLength"] == 2 * limits["name_bytes_max"] + 1
    text, texts = fields["stop"]["oneOf"][:2]
    assert texts["maxItems"] == limits["stop_max"]
    assert text["maxLength"] == texts["items"]["maxLength"] == int(stop_bytes[1])


# --- the code's own lists -----------------------------------------------------------------------------------------------

def text_of(path):
    return (checks.ROOT / path).read_text()


@pytest.mark.parametrize("name", [name for name in SCHEMAS if "error" in SCHEMAS[name].get("$defs", {})])
def test_lists_every_error_code(name):
    catalogue = list(checks.error_catalogue())
    assert len(catalogue) > 20
    assert SCHEMAS[name]["$defs"]["error"]["properties"]["code"]["enum"] == catalogue


def test_lists_every_finish_reason_and_outcome():
    def returned(path, function):
        body = text_of(path).split(function, 1)[1].split("\n}\n", 1)[0]
        return set(re.findall(r'return "(\w+)";', body))

    reasons = returned("common/events/chunk.cpp", "name_of(FinishReason reason) {")
    assert len(reasons) == 7
    assert reasons == set(SCHEMAS["chat-chunk"]["properties"]["finishReason"]["enum"])
    assert reasons == set(SCHEMAS["llm-response"]["properties"]["finishReason"]["enum"])
    outcomes = returned("common/events/audit.cpp", "name_of(Outcome outcome) {")
    assert outcomes == set(SCHEMAS["llm-response"]["properties"]["outcome"]["enum"])


def test_every_event_type_of_the_code_has_a_schema():
    declared = set()
    for header in ("common/events/audit.hpp", "common/events/model_event.hpp",
                   "common/events/registry_records.hpp", "common/events/credential_event.hpp",
                       "common/events/connection_event.hpp"):
        declared |= set(re.findall(r'std::string_view \w+_type = "([\w.]+)"', text_of(header)))
    assert len(declared) >= 9
    assert declared == {schema["properties"]["type"]["const"] for schema in SCHEMAS.values()
                        if "const" in schema["properties"].get("type", {})}


def test_what_records_share_is_the_same_in_all():
    seen = {}
    for name, schema in SCHEMAS.items():
        for definition, node in schema.get("$defs", {}).items():
            if definition == "model" and name == "model-registry-upserted":
                continue  # the whole model, not a reference to one
            first = seen.setdefault(definition, (name, node))
            assert first[1] == node, f"{definition} differs between {first[0]} and {name}"


def test_the_files_are_formatted_alike():
    for path in sorted(checks.SCHEMAS.rglob("*.schema.json")):
        text = path.read_text()
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n", path
