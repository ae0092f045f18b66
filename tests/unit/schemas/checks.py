"""What the tests of the schemas look at, and the rules they hold them to."""

import copy
import json
import pathlib
import re
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCHEMAS = ROOT / "schemas"
GOLDEN = ROOT / "tests" / "golden"
BASE = "https://tokenrail.dev/schemas/"
SUFFIX = ".schema.json"
# What others write and we read: tolerant. Everything else we write: strict.
READ_BY_US = {"chat-request", "chat-cancellation"}


def topics():
    """The names of the topics, without a prefix."""
    names = set(re.findall(r' = "([\w.]+)";', (ROOT / "common/topics/names.hpp").read_text()))
    assert len(names) >= 8
    return names


def load_all(folder):
    return {path.name.removesuffix(SUFFIX): json.loads(path.read_text()) for path in sorted(folder.glob("*" + SUFFIX))}


def goldens():
    return {path.name.removesuffix(".json"): json.loads(path.read_text()) for path in sorted(GOLDEN.glob("*.json"))}


def request_cases():
    """(group, name, request) of the table that the reader of requests is held to as well. A case gives the whole request
    as text, or one part of it, the rest being the least that a request needs."""
    def request_of(case):
        if "request" in case:
            return json.loads(case["request"])
        message = case.get("message", {"role": "user", "content": [case["part"]] if "part" in case else "Hi"})
        return {"requestId": "r-1", "orgId": "acme", "messages": [message], **case.get("fields", {})}

    table = json.loads((GOLDEN / "requests" / "cases.json").read_text())
    return [(group, case["name"], request_of(case)) for group, cases in table.items() for case in cases]


def schema_of_golden(name):
    return name.split(".")[0]


def problems(schema, record):
    return [f"{error.message} at {list(error.path)}" for error in jsonschema.Draft202012Validator(schema).iter_errors(record)]


def resolve(schema, node):
    """Follows a $ref inside of one document."""
    while "$ref" in node:
        target = schema
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def objects_in(schema, node, record, path=()):
    """Each object of the record for which the schema lists properties: (path, node of the schema)."""
    node = resolve(schema, node)
    if isinstance(record, dict) and "properties" in node:
        yield path, node
        for name, value in record.items():
            if isinstance(node["properties"].get(name), dict):
                yield from objects_in(schema, node["properties"][name], value, path + (name,))
    elif isinstance(record, list) and isinstance(node.get("items"), dict):
        for index, value in enumerate(record):
            yield from objects_in(schema, node["items"], value, path + (index,))


def changed(record, path, change):
    record = copy.deepcopy(record)
    target = record
    for step in path:
        target = target[step]
    change(target)
    return record


# --- what may change between releases -----------------------------------------------------------------------------------

ANNOTATIONS = {"$schema", "$id", "title", "description", "examples", "default", "$comment", "deprecated"}
LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
WALKED = {"properties", "$defs", "items", "additionalProperties", "type", "enum", "required"}


def types_of(node):
    types = node.get("type", [])
    return set(types if isinstance(types, list) else [types])


def without_annotations(node, is_names=False):
    """A copy without what is for people; names of properties are no keywords."""
    if isinstance(node, list):
        return [without_annotations(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    return {key: without_annotations(value, key in ("properties", "$defs") and not is_names)
            for key, value in node.items() if is_names or key not in ANNOTATIONS}


def conditions(node, known):
    """The conditions of an object, without what they say of fields that it did not have before: a condition that
    forbids a new field ("only on the terminal chunk") takes nothing from what was allowed."""
    conditions = without_annotations(node.get("allOf"))
    for condition in conditions or []:
        for branch in ("then", "else"):
            fields = condition.get(branch, {}).get("properties", {})
            for name in [name for name, inner in fields.items() if inner is False and name not in known]:
                del fields[name]
    return conditions


def breaking_changes(old, new, read_by_us, where=""):
    """How `new` breaks those who hold to `old`. What we write must stay what its readers rely on, and what is already
    on the topics must stay valid; what we read we must go on taking."""
    here = where or "the record"
    if isinstance(old, bool) or isinstance(new, bool):
        if old != new and not (read_by_us and new is True):
            yield f"{here}: was {json.dumps(old)}"
        return
    before, after = types_of(old), types_of(new)
    if before != after:
        narrowed = after and not before <= after
        if narrowed or not before or not read_by_us:
            yield f"{here}: type was {sorted(before)}, is {sorted(after)}"
    if "enum" in new:
        lost = [value for value in old.get("enum", []) if value not in new["enum"]]
        if lost or "enum" not in old:
            yield f"{here}: values are no longer allowed: {lost or 'any other than ' + str(new['enum'])}"
    elif "enum" in old and not read_by_us:
        yield f"{here}: the list of values is gone"

    old_required, new_required = set(old.get("required", [])), set(new.get("required", []))
    for name in sorted(new_required - old_required):
        yield f"{here}: {name} is required now; records without it exist"
    if not read_by_us:
        for name in sorted(old_required - new_required):
            yield f"{here}: {name} is no longer sure to be there"

    for group, what in (("properties", "field"), ("$defs", "definition")):
        for name, node in old.get(group, {}).items():
            if name not in new.get(group, {}):
                yield f"{where}/{name}: the {what} is gone"
            else:
                yield from breaking_changes(node, new[group][name], read_by_us, f"{where}/{name}")
    if "items" in old or "items" in new:
        yield from breaking_changes(old.get("items", True), new.get("items", True), read_by_us, f"{where}[]")
    if old.get("additionalProperties", True) is not False or new.get("additionalProperties", True) is not False:
        yield from breaking_changes(old.get("additionalProperties", True), new.get("additionalProperties", True),
                                    read_by_us, f"{where}/*")

    for keyword in sorted((set(old) | set(new)) - ANNOTATIONS - WALKED):
        mine, theirs = without_annotations(old.get(keyword)), without_annotations(new.get(keyword))
        if keyword == "allOf":
            mine, theirs = conditions(old, old.get("properties", {})), conditions(new, old.get("properties", {}))
        if mine == theirs:
            continue
        if keyword in LOWER | UPPER:
            # A bound may be loosened or go; it may not come or be tightened.
            looser = theirs is None or (mine is not None and (theirs < mine if keyword in LOWER else theirs > mine))
            if looser:
                continue
        elif keyword == "propertyNames" and theirs is None:
            continue
        yield f"{here}: {keyword} was {json.dumps(mine)}, is {json.dumps(theirs)}"


# --- the code's own lists -----------------------------------------------------------------------------------------------

def error_catalogue():
    """By name: what common/events/errors.cpp says of a code."""
    text = (ROOT / "common/events/errors.cpp").read_text()
    entries = re.findall(r'\{ErrorCode::(\w+), "(\w+)", "(\w*)", (true|false),\s*"([^"]*)"\}', text)
    return {name: {"constant": constant, "number": number, "retryable": retryable == "true", "meaning": meaning}
            for constant, name, number, retryable, meaning in entries}


def sources(*folders):
    """The text of the C++ files of these folders."""
    return "\n".join(path.read_text() for folder in folders for path in sorted((ROOT / folder).rglob("*.?pp")))
