"""schemas/asyncapi.yaml ties the schemas together: every reference leads somewhere, every schema is used once."""

import json
import re

import checks
import pytest
import yaml

DOCUMENT = yaml.safe_load((checks.SCHEMAS / "asyncapi.yaml").read_text())


def references(node, path=()):
    """(where, $ref) of the whole document."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield path, value
            else:
                yield from references(value, path + (key,))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from references(value, path + (index,))


def target_of(document, reference):
    """What a $ref leads to, or KeyError."""
    if reference.startswith("#/"):
        node = document
        for step in reference[2:].split("/"):
            node = node[step]
        return node
    path = checks.SCHEMAS / reference
    if not path.is_file():
        raise KeyError(reference)
    return json.loads(path.read_text())


def broken_references(document):
    broken = []
    for path, reference in references(document):
        try:
            target_of(document, reference)
        except (KeyError, TypeError):
            broken.append(f"{'/'.join(map(str, path))}: {reference}")
    return broken


def files_of(document):
    """By message: the schema file that it names."""
    return {name: message["payload"]["schema"]["$ref"] for name, message in document["components"]["messages"].items()
            if "payload" in message}


def test_is_asyncapi_3():
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"info", "channels", "operations", "components"} <= set(DOCUMENT)
    assert DOCUMENT["info"]["title"] and re.fullmatch(r"\d+\.\d+\.\d+", DOCUMENT["info"]["version"])


def test_every_reference_leads_somewhere():
    assert len(list(references(DOCUMENT))) > 50
    assert broken_references(DOCUMENT) == []


@pytest.mark.parametrize("planted", ["#/components/messages/nobody", "./nothing.schema.json"])
def test_a_reference_to_nothing_is_found(planted):
    document = yaml.safe_load((checks.SCHEMAS / "asyncapi.yaml").read_text())
    document["channels"]["chatChunks"]["messages"]["chatChunk"]["$ref"] = planted
    assert len(broken_references(document)) == 1


def test_every_schema_belongs_to_one_message():
    named = [reference.removeprefix("./") for reference in files_of(DOCUMENT).values()]
    assert sorted(named) == sorted(path.name for path in checks.SCHEMAS.glob("*" + checks.SUFFIX))


def test_an_event_is_named_by_its_type():
    for name, reference in files_of(DOCUMENT).items():
        message, schema = DOCUMENT["components"]["messages"][name], target_of(DOCUMENT, reference)
        event_type = schema["properties"].get("type", {}).get("const")
        if event_type:
            assert message["name"] == event_type
            assert "ventHeaders" in message["headers"]["$ref"]
        assert message["title"] == schema["title"]


def test_every_message_is_on_a_channel_and_every_channel_is_used():
    placed = {ref for path, ref in references(DOCUMENT["channels"])}
    assert placed == {f"#/components/messages/{name}" for name in DOCUMENT["components"]["messages"]}
    used = {operation["channel"]["$ref"] for operation in DOCUMENT["operations"].values()}
    assert used <= {f"#/channels/{name}" for name in DOCUMENT["channels"]}
    for name, channel in DOCUMENT["channels"].items():
        assert "Cleanup: " in channel["description"] and "ey" in channel["description"], name
        assert channel["bindings"]["kafka"]["topic"] == channel["address"]


def test_operations_send_or_receive():
    assert {operation["action"] for operation in DOCUMENT["operations"].values()} == {"send", "receive"}


def test_the_topics_are_those_that_are_made():
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == checks.topics()


def test_the_headers_are_those_that_are_written():
    written = set(re.findall(r'emplace_back\("([\w-]+)"', (checks.ROOT / "common/events/cloud_events.cpp").read_text()))
    schema = DOCUMENT["components"]["schemas"]["cloudEventHeaders"]
    assert set(schema["properties"]) == written
    assert set(schema["required"]) == written - {"traceparent"}
    dlt = set(re.findall(r'"(kafka_dlt-[\w-]+)"', (checks.ROOT / "workers/router/core/dead_letter.cpp").read_text()))
    letters = DOCUMENT["components"]["schemas"]["deadLetterHeaders"]
    assert {name for name in letters["properties"] if name.startswith("kafka_dlt-")} == dlt
    # Only what did not fit is said to have been left out.
    assert set(letters["required"]) == {name for name in dlt if not name.endswith("-omitted")}
