"""Each part of each request of the OpenAPI document made wrong in every way that its schema knows: members of bodies, ids in
paths, parameters of queries. Nothing of it may be a mistake of the server, and what does not fit must be refused."""

import copy
import http.client
import json
import random
import urllib.parse

import pytest

from api_document import LEFT_OUT, ODD_TEXTS, ORG, Generator, Pool, Validators, encoded, mistakes_in, send_on, taken_though_wrong
from registry_world import World

LARGE_TEXT = 200_000
WRONG_TYPES = [None, True, -1, 0.5, 2**63, 10**30, "text", [], [[]], {}]
# As they are sent, so that some cannot be decoded.
BAD_IDS = ["..", "%2e%2e", "%00", "%ff", "%", "%zz", "%0a", "%20", "'", "a%2Fb%2Fc", "*", "-1", "%F0%9F%9A%80",
           "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-00000000000g", "x" * 600, "x" * 9000, ":p"]
BAD_NUMBERS = ["", "abc", "1.5", "1e3", "0x10", " 1", "99999999999999999999", "-99999999999999999999", "\u0663"]
BAD_FLAGS = ["", "1", "TRUE", "yes", "null"]


@pytest.fixture(scope="module")
def world(make_shared_stack, tmp_path_factory):
    world = World(make_shared_stack(), tmp_path_factory.mktemp("inputs"))
    world.root.ok("POST", "/v1/orgs", {"id": ORG}, 201)
    return world


class Asker:
    """Sends requests to every operation, and keeps what was wrong with the answers."""

    def __init__(self, world):
        self.world = world
        self.document = world.root.ok("GET", "/openapi.json")
        self.validators = Validators(self.document)
        self.pool = Pool(world)
        self.whole = Generator(self.document, self.pool, random.Random(1), whole=True)
        self.found, self.sent = [], 0
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(world.url).netloc, timeout=60)

    def operations(self):
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if operation["operationId"] not in LEFT_OUT:
                    yield method.upper(), path, operation

    def target(self, path, operation, values=None, query=()):
        """`values`: of parameters of the path, encoded. Nothing is kept where that can be asked for."""
        for parameter in operation["parameters"]:
            if parameter["in"] == "path":
                known = ORG if parameter["name"] == "org" else self.whole.known(parameter["name"]) or "x"
                path = path.replace("{%s}" % parameter["name"], (values or {}).get(parameter["name"], encoded(known)))
        query = list(query)
        given = {key for key, _ in query}
        for parameter in operation["parameters"]:
            if parameter["in"] == "query" and parameter["name"] not in given and (
                    parameter.get("required") or parameter["name"] == "dry_run"):
                query.append((parameter["name"], "true" if parameter["name"] == "dry_run" else "x"))
        return path + ("?" + "&".join(f"{key}={encoded(value)}" for key, value in query) if query else "")

    def ask(self, method, target, operation, body=None, must_be=None):
        headers = {}
        if body is not None:
            (media, _), = operation["requestBody"]["content"].items()
            headers["Content-Type"] = media
        # On one connection: what a request leaves behind must not harm the next one either.
        status, answered, content = send_on(self.connection, self.world.root.token, method, target, headers, body)
        self.sent += 1
        mistake = mistakes_in(operation, target, self.validators, status, answered, content) or taken_though_wrong(
            operation, self.validators, body, status)
        if not mistake and must_be is not None and status != must_be:
            mistake = f"the status is {status}, not {must_be}: {content[:200]}"
        if mistake:
            self.found.append(f"{method} {target[:200]} {body[:300] if body else ''}\n    {mistake}")
        return status

    def check(self, at_least):
        assert self.world.process.alive()
        assert not self.found, f"{len(self.found)} mistakes in {self.sent} requests:\n" + "\n".join(self.found[:25])
        assert self.sent >= at_least, "the document has lost operations"


def places_in(make, schema, value, path=()):
    """Each part of the value with its schema."""
    schema = make.resolved(schema)
    for alternative in schema.get("anyOf", schema.get("oneOf", [])):
        if alternative.get("type") != "null":
            yield from places_in(make, alternative, value, path)
            return
    yield path, schema
    if isinstance(value, dict):
        for key, member in value.items():
            inner = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
            if isinstance(inner, dict):
                yield from places_in(make, inner, member, path + (key,))
    if isinstance(value, list) and value and isinstance(schema.get("items"), dict):
        yield from places_in(make, schema["items"], value[0], path + (0,))


def others_for(schema, value):
    """What may be put in the place of a part: other types, values at and beyond its bounds, and unknown members."""
    yield from WRONG_TYPES
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "string" in kinds:
        low, high = schema.get("minLength", 0), schema.get("maxLength", 1024)
        lengths = {low, max(low - 1, 0), high if high <= LARGE_TEXT else low, high + 1 if high <= LARGE_TEXT else low}
        yield from ("x" * length for length in sorted(lengths))
        yield from ("\u00e9" * low, "a\u0000b", "a\u001fb", "\U0001f680", "not one of them", *ODD_TEXTS[2:6])
    if "integer" in kinds or "number" in kinds:
        for bound, beyond in ((schema.get("minimum"), -1), (schema.get("maximum"), 1)):
            if bound is not None:
                yield from (bound, bound + beyond)
    if "array" in kinds and isinstance(value, list) and value:
        high = schema.get("maxItems", 0)
        yield value[:1] * max(schema.get("minItems", 0), 1)
        if high <= 1000:
            yield value[:1] * (high + 1)
    if "object" in kinds and isinstance(value, dict):
        yield {**value, "unknownMember": 1}
        for needed in schema.get("required", []):
            yield {key: member for key, member in value.items() if key != needed}


def with_part(value, path, other):
    if not path:
        return other
    changed = copy.deepcopy(value)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = other
    return changed


def test_each_part_of_each_body_in_every_wrong_form(world):
    asker = Asker(world)
    for method, path, operation in asker.operations():
        if "requestBody" not in operation:
            continue
        (schema,) = (content["schema"] for content in operation["requestBody"]["content"].values())
        value = asker.whole.value(schema)
        asker.pool.refresh()
        seen = set()
        for place, part in places_in(asker.whole, schema, value):
            inside = value
            for key in place:
                inside = inside[key]
            for other in others_for(part, inside):
                body = json.dumps(with_part(value, place, other)).encode()
                if body not in seen and len(body) < 1_000_000:
                    seen.add(body)
                    asker.ask(method, asker.target(path, operation), operation, body)
    asker.check(at_least=2_000)


def test_each_id_in_each_path_that_is_none(world):
    asker = Asker(world)
    for method, path, operation in asker.operations():
        body = None
        if "requestBody" in operation:
            (schema,) = (content["schema"] for content in operation["requestBody"]["content"].values())
            body = json.dumps(asker.whole.value(schema)).encode()
        for parameter in operation["parameters"]:
            if parameter["in"] != "path":
                continue
            for bad in BAD_IDS:
                asker.ask(method, asker.target(path, operation, {parameter["name"]: bad}), operation, body)
    asker.check(at_least=1_000)


def test_each_parameter_of_each_query_in_every_wrong_form(world):
    asker = Asker(world)
    for method, path, operation in asker.operations():
        # Behind the login of a provider any parameter may come.
        if operation["operationId"] == "session.callback":
            continue
        bodies = [json.dumps(asker.whole.value(content["schema"])).encode()
                  for content in operation.get("requestBody", {}).get("content", {}).values()]
        body = bodies[0] if bodies else None
        asker.ask(method, asker.target(path, operation, query=[("unknownParameter", "1")]), operation, body, must_be=400)
        for parameter in operation["parameters"]:
            if parameter["in"] != "query":
                continue
            key, schema = parameter["name"], parameter["schema"]
            items = schema.get("items", schema)
            wrong = BAD_NUMBERS if items.get("type") == "integer" else BAD_FLAGS if items.get("type") == "boolean" else (
                ["nothing of it", ""] if "enum" in items else [])
            for text in wrong:
                asker.ask(method, asker.target(path, operation, query=[(key, text)]), operation, body, must_be=400)
            for text in ODD_TEXTS + ["x" * 5000] if not wrong else []:
                asker.ask(method, asker.target(path, operation, query=[(key, text)]), operation, body)
            if schema.get("type") != "array":
                asker.ask(method, asker.target(path, operation, query=[(key, "1"), (key, "1")]), operation, body, must_be=400)
    asker.check(at_least=1_000)
