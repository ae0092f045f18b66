"""Fixtures of the end-to-end tests. They need a real Kafka and a real PostgreSQL, which `./dev test integration` starts."""

import contextlib
import json
import os
import pathlib
import sys
import time

import jsonschema
import pytest

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import stack as stack_module  # noqa: E402

LOG_SHOWN_CHARACTERS = 6000

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"


def schema_validators():
    documents = {p.name: json.loads(p.read_text()) for p in SCHEMAS.glob("*.schema.json")}
    store = {d["$id"]: d for d in documents.values() if "$id" in d}
    store.update(documents)
    validators = {}
    for name, document in documents.items():
        resolver = jsonschema.RefResolver(document.get("$id", ""), document, store=store)
        validators[name.removesuffix(".schema.json")] = jsonschema.Draft202012Validator(document, resolver=resolver)
    return validators


VALIDATORS = schema_validators()
CHECKED_MAX = 50_000
CHECKED_TOPICS = ("chat.chunks", "chat.cancellations", "llm.audit", "model_registry", "model_registry.events",
                  "model_registry.credentials")
BY_TYPE = {
    "llm.request": "llm-request", "llm.response": "llm-response", "router.claimed": "router-claimed",
    "router.released": "router-released", "router.continuing": "router-continuing",
    "requests.lost": "requests-lost",
    "model_registry.upserted": "model-registry-upserted", "model_registry.sync.completed": "model-registry-sync-completed",
    "model_registry.sync.held": "model-registry-sync-held", "model_registry.mark": "registry-mark",
    "model_registry.default": "model-registry-default", "model_registry.alias": "model-registry-alias",
    "model_registry.view": "model-registry-view", "model_registry.grants": "model-registry-grants", "model_registry.organization": "model-registry-organization",
    "model_registry.credential": "model-registry-credential",
    "connection.health_changed": "connection-health-changed",
}


def schema_of(topic, record):
    if topic == "chat.chunks":
        return "chat-chunk"
    if topic == "chat.cancellations":
        return "chat-cancellation"
    if record.key() == b"_registry":
        return "registry-mark"
    value = json.loads(record.value())
    return BY_TYPE.get(dict(record.headers() or []).get("ce_type", b"").decode() or value.get("type"))


def check_every_record(stack):
    """Every record that the stack wrote, on every topic, against its JSON Schema. Of a log of hundreds of thousands, which
    only the big sizes make, the first CHECKED_MAX and then one in twenty."""
    problems, seen = [], 0
    log = stack_module.Log(stack, *CHECKED_TOPICS)
    log.catch_up()
    log.close()
    for topic in CHECKED_TOPICS:
        records = [record for record in log.records if record.topic() == stack.topic(topic)]
        for record in records[:CHECKED_MAX] + records[CHECKED_MAX::20]:
            if record.value() is None:
                continue
            seen += 1
            name = schema_of(topic, record)
            where = f"{topic} {record.partition()}:{record.offset()}"
            if name is None:
                problems.append(f"{where}: of no known type: {record.value()[:200]}")
                continue
            for error in VALIDATORS[name].iter_errors(json.loads(record.value())):
                problems.append(f"{where} ({name}): {error.message} at {list(error.path)}")
            if topic not in ("chat.chunks", "chat.cancellations"):
                headers = dict(record.headers() or [])
                for header in ("ce_id", "ce_type", "ce_source", "ce_specversion", "ce_time", "content-type"):
                    if header not in headers:
                        problems.append(f"{where}: no header {header}")
        if len(problems) > 20:
            break
    assert not problems, "\n".join(problems[:20])
    return seen


def required(name):
    value = os.environ.get(name)
    if not value:
        pytest.skip(f"{name} is not set; ./dev test integration starts what is needed and sets it")
    return value


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows how the logs of its programs end: often the machine, and so the log, is gone when one looks."""
    report = (yield).get_result()
    if not report.failed:
        return
    for process in stack_module.Process.begun:
        if process.alive() or process.begun_at >= time.monotonic() - call.duration:
            report.sections.append((f"log of {process.name}", process.text()[-LOG_SHOWN_CHARACTERS:]))


@contextlib.contextmanager
def stacks_below(folder):
    """Makes stacks; checks at the end the exit codes, the logs, every record and every promise."""
    stacks = []

    def make(**options):
        below = folder / f"stack{len(stacks)}"
        below.mkdir()
        stack = stack_module.Stack(below, required("TOKENRAIL_TEST_KAFKA_BOOTSTRAP"),
                                   required("TOKENRAIL_TEST_DATABASE_URL"), required("TOKENRAIL_TEST_BIN_DIR"),
                                   **options)
        stacks.append(stack)
        return stack

    try:
        yield make
        for stack in stacks:
            for process in stack.processes:
                code = process.process.poll()
                assert code in (None, 0, -9, -15), f"{process.name} ended with {code}:\n{process.text()[-4000:]}"
                assert "Sanitizer" not in process.text(), process.text()[-6000:]
                if isinstance(process, stack_module.Worker):
                    process.check_turns()
            check_every_record(stack)
            if stack.verified_at_end:
                stack.verify()
    finally:
        for stack in stacks:
            stack.close()


@pytest.fixture
def make_stack(tmp_path):
    with stacks_below(tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def make_shared_stack(tmp_path_factory):
    """For a module whose tests all look at one stack."""
    with stacks_below(tmp_path_factory.mktemp("shared")) as make:
        yield make
