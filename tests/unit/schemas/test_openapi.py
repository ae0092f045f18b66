"""docs/reference/openapi.json, which is written from the routes of the registry API, against the rules of OpenAPI 3.1."""

import json
import re

import checks
import jsonschema
import pytest

DOCUMENT = json.loads((checks.ROOT / "docs" / "reference" / "openapi.json").read_text())
METHODS = {"get", "put", "post", "patch", "delete"}


def operations():
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def schemas(value):
    """Every schema in the document: those named, and those written in place."""
    yield from DOCUMENT["components"]["schemas"].values()
    for _, _, operation in operations():
        for parameter in operation["parameters"]:
            yield parameter["schema"]
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in bodies:
            for content in body.get("content", {}).values():
                yield content["schema"]


def problems_of(document):
    """What breaks the rules; the document's own structure, not the schemas in it."""
    problems = []
    if not re.fullmatch(r"3\.1\.\d+", document["openapi"]):
        problems.append("openapi is not 3.1")
    ids = set()
    for path, methods in document["paths"].items():
        if not path.startswith("/"):
            problems.append(f"{path} does not begin with a slash")
        for method, operation in methods.items():
            where = f"{method} {path}"
            if method not in METHODS:
                problems.append(f"{where}: no method")
            if operation["operationId"] in ids:
                problems.append(f"{where}: operationId {operation['operationId']} comes twice")
            ids.add(operation["operationId"])
            in_path = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
            if in_path != re.findall(r"{(\w+)}", path):
                problems.append(f"{where}: its path has other parameters than it lists")
            if not all(p["required"] for p in operation["parameters"] if p["in"] == "path"):
                problems.append(f"{where}: a parameter of the path is not required")
            names = [(p["in"], p["name"]) for p in operation["parameters"]]
            if len(names) != len(set(names)):
                problems.append(f"{where}: a parameter comes twice")
            if method in ("get", "delete") and "requestBody" in operation:
                problems.append(f"{where}: it has a body")
            # 303 leads a browser on, which is what a login wants.
            if not any(re.fullmatch(r"2\d\d|303", status) for status in operation["responses"]):
                problems.append(f"{where}: no success")
            for status, response in operation["responses"].items():
                if not re.fullmatch(r"[1-5]\d\d|default", status) or not response["description"]:
                    problems.append(f"{where}: {status} is no response")
    return problems


def test_document_keeps_the_rules():
    assert problems_of(DOCUMENT) == []


@pytest.mark.parametrize("break_it, found", [
    (lambda d: d.update(openapi="3.0.3"), "not 3.1"),
    (lambda d: d["paths"]["/v1/orgs"]["post"].update(operationId="orgs.list"), "comes twice"),
    (lambda d: d["paths"]["/v1/orgs/{org}"]["get"].update(parameters=[]), "other parameters"),
    (lambda d: d["paths"]["/v1/orgs"]["get"].update(responses={}), "no success"),
])
def test_broken_document_is_found(break_it, found):
    document = json.loads(json.dumps(DOCUMENT))
    break_it(document)
    assert any(found in problem for problem in problems_of(document))


def test_schemas_are_json_schemas():
    count = 0
    for schema in schemas(DOCUMENT):
        jsonschema.Draft202012Validator.check_schema(schema)
        count += 1
    assert count > 100


def test_references_resolve():
    named = DOCUMENT["components"]["schemas"]
    references = re.findall(r'"\$ref": "([^"]*)"', json.dumps(DOCUMENT))
    assert references
    for reference in references:
        assert reference.removeprefix("#/components/schemas/") in named, reference


def test_every_operation_says_who_may_and_what_may_fail():
    for path, method, operation in operations():
        where = f"{method} {path}"
        assert "application/problem+json" in operation["responses"]["default"]["content"], where
        # For every caller who is logged in; the last is another path of /v1/providers.
        for_all = ("/v1/orgs", "/v1/providers", "/v1/models", "/v1/session", "/api/models/templates")
        assert operation.get("security") == [] or "x-permission" in operation or path in for_all, where


def test_schemas_of_requests_are_closed():
    """An unknown field of a request is a mistake that the API names; only the older API's form leaves them out."""
    for _, _, operation in operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            name = content["schema"]["$ref"].rpartition("/")[2]
            closed = DOCUMENT["components"]["schemas"][name].get("additionalProperties") is False
            assert closed or name == "OrgModelInput", name
