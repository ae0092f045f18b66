"""What tests of the API's own OpenAPI document share: values that fit its schemas or do not, requests, and how an answer differs
from what the document says."""

import http.client
import json
import string
import urllib.parse

import jsonschema

from registry_world import name
from stack import wait_until

ORG = "contract"
# Texts that parsers and databases have trouble with.
ODD_TEXTS = ["", " ", "\u00e9\u4e2d\U0001f680", "'; DROP TABLE model; --", "%00", "a/b", "..", "null", "-1", "x" * 2000, "\u2028",
             "{}", "\\", "\"", "00000000-0000-0000-0000-000000000000", "9" * 30, "\ud800"[:0] + "\u0085", "@name", ":p"]
ODD_VALUES = [None, True, 0, -1, 1.5, 2**63, -2**63, 1e308, "", "x", [], {}, [None], {"x": None}, [[[[]]]]]
WRONG_BODIES = [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"a":1,"a":2}', b"[" * 5000, b'{"x":1e999}']


class Pool:
    """What there is in the organisation, so that many requests find what they name."""

    def __init__(self, world):
        self.admin = world.api(ORG, "org_admin")
        self.simulator = wait_until("a connection", lambda: world.root.ok("GET", "/v1/orgs/_/connections")["data"])[0]
        self.refresh()

    def refresh(self):
        base, call = f"/v1/orgs/{ORG}", self.admin
        if len([m for m in call.ok("GET", base + "/models?scope=organization")["data"]]) < 2:
            for number in range(3):
                call.call("PUT", f"{base}/models/{name(f'ollama/contract-{number}')}", {"enabled": True})
        models = call.ok("GET", base + "/models?page_size=20")["data"]
        connections = call.ok("GET", base + "/connections")["data"]
        if not [c for c in connections if c["name"] == "contract"]:
            call.call("POST", base + "/connections", {"provider": "openai", "name": "contract",
                                                      "baseUrl": "https://127.0.0.1:1"})
            connections = call.ok("GET", base + "/connections")["data"]
        call.call("PUT", base + "/aliases/contract", {"targets": [{"model": models[0]["id"]}]})
        call.call("PUT", base + "/views/contract", {"filter": {"kind": "generation"}})
        listed = lambda path: [d.get("id") for d in call.ok("GET", base + path)["data"]]
        if not listed("/members"):
            call.call("PUT", base + "/members", {"issuer": "https://login.example", "subject": "contract", "role": "viewer"})
        if not listed("/credentials"):
            call.call("POST", base + "/credentials", {"provider": "openai", "label": "contract", "secret": "sk-contract"})
        if not listed("/tokens"):
            call.call("POST", base + "/tokens", {"name": "contract", "role": "viewer"})
        self.values = {
            "org": [ORG, ORG, ORG, ORG, "_", "nowhere"], "model": [m["id"] for m in models] + [m["slug"] for m in models],
            "connection": [c["id"] for c in connections] + ["contract"], "connectionId": [c["id"] for c in connections],
            "alias": ["contract", "new-alias"], "view": ["contract", "new-view"], "provider": ["ollama", "openai"],
            "grant": listed("/grants"), "member": listed("/members"), "token": listed("/tokens"),
            "credential": listed("/credentials"), "credentialId": listed("/credentials"), "name": ["NOT_FOUND", "E4001"],
            "kind": ["generation", "embedding"], "baseUrl": ["https://127.0.0.1:1", "http://169.254.169.254"],
            "object": [models[0]["id"], "contract"], "replacementId": [models[0]["id"]], "type": ["profile"],
            "capability": ["chat"], "role": ["viewer", "member"], "amount": ["0.5", "12"], "modelName": ["contract-new"],
        }


class Generator:
    def __init__(self, document, pool, dice, whole=False):
        """`whole`: objects have every member that they may have."""
        self.schemas = document["components"]["schemas"]
        self.pool, self.dice, self.whole = pool, dice, whole

    def resolved(self, schema):
        return self.schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    def known(self, field):
        values = [v for v in self.pool.values.get(field, []) if v]
        return self.dice.choice(values) if values and self.dice.random() < 0.85 else None

    def value(self, schema, field="", depth=0):
        """One that fits the schema."""
        if "$ref" in schema:
            return self.value(self.schemas[schema["$ref"].rpartition("/")[2]], field, depth)
        if "anyOf" in schema or "oneOf" in schema:
            return self.value(self.dice.choice(schema.get("anyOf") or schema["oneOf"]), field, depth)
        kinds = schema.get("type", "object")
        kind = self.dice.choice(kinds) if isinstance(kinds, list) else kinds
        if "enum" in schema:
            return self.dice.choice(schema["enum"])
        if kind == "string":
            return self.text(schema, field)
        if kind in ("integer", "number"):
            low, high = schema.get("minimum", -10), schema.get("maximum", 10**6)
            whole = self.dice.choice([low, high, self.dice.randint(int(low), int(high)), min(int(high), int(low) + 3)])
            return whole if kind == "integer" else float(whole)
        if kind == "boolean":
            return self.dice.random() < 0.5
        if kind == "null":
            return None
        if kind == "array":
            count = self.dice.randint(schema.get("minItems", 0), min(schema.get("maxItems", 3), schema.get("minItems", 0) + 2))
            return [self.value(schema.get("items", {}), field, depth + 1) for _ in range(count)]
        properties = schema.get("properties", {})
        needed = set(schema.get("required", []))
        share = 1.0 if self.whole else 0.35
        members = {key: self.value(inner, key, depth + 1) for key, inner in properties.items()
                   if key in needed or (depth < 4 and self.dice.random() < share)}
        if not properties and self.dice.random() < 0.5:
            inner = schema.get("additionalProperties")
            members = {"chat": self.value(inner, "", depth + 1) if isinstance(inner, dict) else "x"}
        return members

    def text(self, schema, field):
        known = self.known(field)
        if known is not None:
            return known
        if schema.get("format") == "date-time":
            return self.dice.choice(["2030-01-02T03:04:05Z", "2020-12-31T23:59:59.5+01:00"])
        if schema.get("format") == "uuid":
            return "00000000-0000-0000-0000-00000000000" + str(self.dice.randint(0, 9))
        low, high = schema.get("minLength", 0), min(schema.get("maxLength", 20), 4000)
        length = self.dice.choice([low, high, self.dice.randint(low, min(high, low + 12))])
        return "".join(self.dice.choice(string.ascii_letters + "0123456789-._ \u00e9") for _ in range(length))

    def broken(self, value):
        """The value with one part of it changed to something else."""
        if isinstance(value, dict) and value and self.dice.random() < 0.85:
            key = self.dice.choice(list(value))
            changed = dict(value)
            if self.dice.random() < 0.15:
                del changed[key]
            elif self.dice.random() < 0.1:
                changed[self.dice.choice(["unknown", "", "id", "\u00e9"])] = 1
            else:
                changed[key] = self.broken(value[key])
            return changed
        if isinstance(value, list) and value and self.dice.random() < 0.6:
            return [self.broken(value[0]), *value[1:]]
        return self.dice.choice(ODD_VALUES + ODD_TEXTS)


def encoded(value):
    return urllib.parse.quote(value, safe="")


def send_on(connection, token, method, target, headers, body):
    connection.request(method, target, body, {"Authorization": f"Bearer {token}", **headers})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def send(url, token, method, target, headers, body):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
    try:
        return send_on(connection, token, method, target, headers, body)
    finally:
        connection.close()


def mistakes_in(operation, target, validators, status, headers, content):
    """What of the answer is not as the document says."""
    if status >= 500:
        return f"status {status}: {content[:300]}"
    media = (headers["Content-Type"] or "").partition(";")[0]
    documented = operation["responses"]
    if status >= 400:
        if media != "application/problem+json":
            return f"{status} has the content type {media!r}"
        problem = json.loads(content)
        if problem["status"] != status or problem["request_id"] != headers["X-Request-Id"]:
            return f"the problem contradicts its headers: {problem}"
        return first_error(validators("Problem"), problem)
    if str(status) not in documented:
        return f"the status {status} is not documented"
    described = documented[str(status)].get("content")
    if described is None:
        return None if status == 200 or not content else f"{status} has a body: {content[:100]}"
    (wanted, schema), = described.items()
    if media != wanted:
        return f"the content type is {media!r}, not {wanted}"
    # `fields` names the members to return, so others are left out.
    partial = "fields" in urllib.parse.parse_qs(urllib.parse.urlsplit(target).query, keep_blank_values=True)
    return first_error(validators(schema["schema"]), json.loads(content), {"required"} if partial else ())


def taken_though_wrong(operation, validators, body, status):
    """A body that the document's schema refuses has to be refused."""
    if status >= 400 or body is None or "requestBody" not in operation:
        return None
    (content,) = operation["requestBody"]["content"].values()
    try:
        wrong = first_error(validators(content["schema"]), json.loads(body))
    except ValueError:
        return f"{status} for a body that is no JSON"
    return wrong and f"{status} for a body that does not fit: {wrong}"


def first_error(validator, value, waived=()):
    error = next((e for e in validator.iter_errors(value) if e.validator not in waived), None)
    return None if error is None else f"{error.json_path}: {error.message[:300]}"


class Validators:
    """Of the document's schemas, by name or as they are."""

    def __init__(self, document):
        self.resolver = jsonschema.RefResolver("", document)
        for schema in document["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)

    def __call__(self, schema):
        schema = {"$ref": f"#/components/schemas/{schema}"} if isinstance(schema, str) else schema
        return jsonschema.Draft202012Validator(schema, resolver=self.resolver)


# A stream, which is no one JSON document.
LEFT_OUT = {"chat.ask"}
