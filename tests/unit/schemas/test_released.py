"""Changes are additive: readers of a released version go on working, and what the topics contain stays valid."""

import copy
import pathlib

import checks
import pytest

RELEASED = checks.SCHEMAS / "released"


def versions(folder=RELEASED):
    """Oldest first."""
    return sorted((entry for entry in folder.iterdir() if entry.is_dir()),
                  key=lambda entry: [int(part) for part in entry.name.split(".")])


def last_released(folder=RELEASED):
    """By schema: the newest version that has it."""
    found = {}
    for version in versions(folder):
        found.update(checks.load_all(version))
    return found


LAST = last_released()
NOW = checks.load_all(checks.SCHEMAS)

# By version: what a released schema took although the router never did. Fixing it takes nothing from any sender. That the
# router refuses all of it, and that nothing else is refused with it, is what tests/golden/requests/cases.json is for.
# (The forms of one field, anyOf and oneOf, are compared as a whole, so that one which only grew is listed here too.)
CORRECTED_SINCE = {"0.1": {"chat-request": {
    "/maxTokens: maximum", "/message/toolCalls: maxItems", "/message: allOf", "/modelName: minLength",
    "/modelProvider: minLength", "/modelReference: oneOf", "/part: allOf", "/reasoning: oneOf",
    "/responseFormat: if", "/responseFormat: then", "/seed: maximum", "/seed: minimum", "/stop: oneOf",
    "/tool: allOf", "/tool: anyOf", "/topK: maximum", "the record: allOf",
}}}


def narrowed(old, new, name):
    """By place: how one schema breaks who holds to the other."""
    found = checks.breaking_changes(old, new, name in checks.READ_BY_US)
    return {problem.split(" was ")[0]: problem for problem in found}


def taken_back(version, new, name):
    """The same of a released version, without what was fixed since."""
    corrected = CORRECTED_SINCE.get(version.name, {}).get(name, ())
    found = narrowed(checks.load_all(version)[name], new, name)
    return [problem for place, problem in found.items() if place not in corrected]


def test_something_was_released():
    assert len(LAST) >= 12


@pytest.mark.parametrize("name", LAST)
def test_changes_since_the_last_release_are_additive(name):
    assert name in NOW, f"{name} was released and is gone"
    version = [version for version in versions() if name in checks.load_all(version)][-1]
    assert taken_back(version, NOW[name], name) == []


@pytest.mark.parametrize("version", [pytest.param(version, id=version.name) for version in versions()])
def test_the_last_release_speaks_for_those_before_it(version):
    for name in checks.load_all(version):
        assert taken_back(version, LAST[name], name) == [], name


@pytest.mark.parametrize("version", CORRECTED_SINCE)
def test_listed_fixes_are_in_the_table(version):
    for name, places in CORRECTED_SINCE[version].items():
        assert name == "chat-request", "no other record has a table that it and its reader are held to"
        released = checks.load_all(RELEASED / version)[name]
        assert places <= set(narrowed(released, NOW[name], name))
        refused = [request for group, _, request in checks.request_cases() if group == "both refuse"]
        assert any(checks.problems(released, request) == [] for request in refused)


def test_versions_are_ordered_as_numbers(tmp_path: pathlib.Path):
    for name in ("0.10", "0.9", "0.1"):
        (tmp_path / name).mkdir()
    assert [version.name for version in versions(tmp_path)] == ["0.1", "0.9", "0.10"]


# --- the check is seen to find what it is for ---------------------------------------------------------------------------

def edit(name, *steps):
    """A schema and a copy of it in which the node that `steps` lead to was given to the function at their end."""
    *path, change = steps
    schema = copy.deepcopy(NOW[name])
    node = schema
    for step in path:
        node = node[step]
    change(node)
    return NOW[name], schema


BREAKING = {
    "a field is removed": edit("chat-chunk", "properties", lambda p: p.pop("reasoning")),
    "a field inside is removed": edit("chat-chunk", "$defs", "usage", "properties", lambda p: p.pop("estimated")),
    "a definition is removed": edit("chat-chunk", "$defs", lambda d: d.pop("usage")),
    "a field of a list's entries is removed":
        edit("llm-request", "properties", "messages", "items", "properties", lambda p: p.pop("role")),
    "a type is narrowed": edit("chat-chunk", "properties", "delta", lambda n: n.update(type="string")),
    "a type is another": edit("chat-chunk", "properties", "seq", lambda n: n.update(type="string")),
    "a type that readers rely on is widened": edit("chat-chunk", "properties", "seq", lambda n: n.update(type=["integer", "null"])),
    "what we read is narrowed": edit("chat-request", "properties", "userId", lambda n: n.update(type="string")),
    "a number becomes whole": edit("chat-request", "properties", "temperature", lambda n: n.update(type=["integer", "null"])),
    "a new field is required": edit("llm-response", lambda n: n["properties"].update(x={"type": "string"}) or n["required"].append("x")),
    "an old field becomes required": edit("chat-request", "required", lambda r: r.append("userId")),
    "a field is no longer sure to be there": edit("chat-chunk", "required", lambda r: r.remove("seq")),
    "a value is removed": edit("chat-chunk", "properties", "finishReason", "enum", lambda e: e.remove("length")),
    "a value that we read is removed": edit("chat-request", "properties", "onInterrupt", "enum", lambda e: e.remove("restart")),
    "a free text becomes a list of values": edit("llm-response", "properties", "instance", lambda n: n.update(enum=["a"])),
    "a constant changes": edit("router-claimed", "properties", "type", lambda n: n.update(const="router.taken")),
    "a minimum is raised": edit("chat-request", "properties", "topK", lambda n: n.update(minimum=2)),
    "a maximum is lowered": edit("chat-request", "properties", "temperature", lambda n: n.update(maximum=1)),
    "a length gets a bound": edit("chat-chunk", "$defs", "toolCall", "properties", "id", lambda n: n.update(maxLength=9)),
    "a pattern comes": edit("chat-chunk", "properties", "orgId", lambda n: n.update(pattern="^[a-z]+$")),
    "a condition is added": edit("chat-chunk", "allOf", lambda n: n.append({"required": ["usage"]})),
    "a field is no longer allowed everywhere": edit("chat-chunk", "allOf", 0, "else", "properties", lambda p: p.update(reasoning=False)),
    "a tolerant record closes": edit("chat-request", lambda n: n.update(additionalProperties=False)),
    "a strict record opens": edit("chat-chunk", lambda n: n.update(additionalProperties=True)),
    "free values are narrowed":
        edit("model-registry-upserted", "$defs", "model", "properties", "capabilities", "additionalProperties",
             lambda n: n["enum"].remove("unknown")),
}

ADDITIVE = {
    "nothing": edit("chat-chunk", lambda n: None),
    "an optional field is added": edit("chat-chunk", "properties", lambda p: p.update(mood={"type": "string"})),
    "an optional field inside is added": edit("chat-chunk", "$defs", "usage", "properties", lambda p: p.update(audioTokens={"type": "integer"})),
    "a field of terminal chunks is added":
        edit("chat-chunk", lambda n: n["properties"].update(mood={"type": "string"}) or n["allOf"][0]["else"]["properties"].update(mood=False)),
    "a value is added": edit("chat-chunk", "properties", "finishReason", "enum", lambda e: e.append("pause")),
    "a description is corrected": edit("chat-chunk", "properties", "seq", lambda n: n.update(description="Clearer.")),
    "what we read is widened": edit("chat-request", "properties", "topK", lambda n: n.update(type=["integer", "string", "null"])),
    "what we read needs less": edit("chat-request", "required", lambda r: r.remove("orgId")),
    "a maximum is raised": edit("chat-request", "properties", "temperature", lambda n: n.update(maximum=4)),
    "a bound goes": edit("chat-request", "properties", "messages", lambda n: n.pop("maxItems")),
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_breaking_change_is_found(name):
    old, new = BREAKING[name]
    read_by_us = old["$id"].removeprefix(checks.BASE).removesuffix(checks.SUFFIX) in checks.READ_BY_US
    assert list(checks.breaking_changes(old, new, read_by_us)), name


@pytest.mark.parametrize("name", ADDITIVE)
def test_an_additive_change_is_taken(name):
    old, new = ADDITIVE[name]
    read_by_us = old["$id"].removeprefix(checks.BASE).removesuffix(checks.SUFFIX) in checks.READ_BY_US
    assert list(checks.breaking_changes(old, new, read_by_us)) == [], name
