"""The parts of docs/reference/records.md that are written from the schemas and the goldens.

A part begins with `<!-- example: NAME of a golden -->` or `<!-- fields: NAME of a schema -->` and ends with
`<!-- end -->`."""

import json
import re
import textwrap

import checks

PART = re.compile(r"<!-- (example|fields): ([\w.-]+) -->\n.*?<!-- end -->", re.DOTALL)


def type_of(schema, node):
    node = checks.resolve(schema, node)
    if "const" in node:
        return f"`{json.dumps(node['const'])}`"
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"] if value is not None)
    variants = node.get("oneOf") or node.get("anyOf")
    if variants:
        names = [type_of(schema, variant) for variant in variants]
        return " or ".join(dict.fromkeys(name for name in names if name != "null"))
    types = node.get("type", "any")
    types = types if isinstance(types, list) else [types]
    if "array" in types and isinstance(node.get("items"), dict):
        types = [f"array of {type_of(schema, node['items'])}" if kind == "array" else kind for kind in types]
    return " or ".join(kind for kind in types if kind != "null") or "null"


def typed(node, name):
    """A field as it is declared, or as the condition has it under which alone it is looked at."""
    inner = node["properties"][name]
    conditional = (condition["then"].get("properties", {}).get(name, {}) for condition in node.get("allOf", []))
    return next(({**part, **inner} for part in conditional if "type" in part and not {"type", "$ref"} & set(inner)), inner)


def rows_of(schema, node, prefix=""):
    node = checks.resolve(schema, node)
    for name in node.get("properties", {}):
        inner = typed(node, name)
        target = checks.resolve(schema, inner)
        types = target.get("type", [])
        # Where a field may be left out, a null only says that it is.
        null = "null" in types and name in node.get("required", [])
        required = "*" if name in node.get("required", []) else ""
        description = inner.get("description") or target.get("description", "")
        description = description.replace(" Extensible: a reader must expect values that are not listed here.", " (Extensible.)")
        yield f"| `{prefix}{name}`{required} | {type_of(schema, inner)}{' or null' if null else ''} | {description.replace('|', '/')} |"
        yield from dict.fromkeys(rows_below(schema, target, prefix + name))


def rows_below(schema, node, name):
    """The fields inside of a field, whichever of its forms it has."""
    node = checks.resolve(schema, node)
    if "properties" in node:
        yield from rows_of(schema, node, name + ".")
    if isinstance(node.get("items"), dict):
        yield from rows_below(schema, node["items"], name + "[]")
    for variant in node.get("oneOf", []) + node.get("anyOf", []):
        yield from rows_below(schema, variant, name)


def fields(name):
    schema = checks.load_all(checks.SCHEMAS)[name]
    return "\n".join(["| field | type | meaning |", "| --- | --- | --- |", *rows_of(schema, schema)])


def example(name):
    return "```json\n" + json.dumps(checks.goldens()[name], indent=2, ensure_ascii=False) + "\n```"


def rendered(page):
    def part(match):
        kind, name = match.groups()
        text = {"example": example, "fields": fields}[kind](name)
        return f"<!-- {kind}: {name} -->\n\n{text}\n\n<!-- end -->"

    return PART.sub(part, page)


def unwrapped(text):
    return " ".join(textwrap.dedent(text).split())
