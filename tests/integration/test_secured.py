"""Every program over SASL_SSL, with exactly the rights that `tokenrail topics acls` prints, on a broker with the standard
authorizer; and without each of them once."""

import json
import os
import secrets
import subprocess

import pytest

from conftest import required
from secured_kafka import SecuredKafka
from stack import Log, Stack, http_get, http_post, wait_until

NAME = "t" + secrets.token_hex(4)
PREFIX = NAME + "."


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    folder = required("TOKENRAIL_TEST_KAFKA_DISTRIBUTION")
    broker = SecuredKafka(tmp_path_factory.mktemp("secured"), folder)
    yield broker
    broker.close()


def acls_of(program, user):
    """What the command prints, as the test's own clients need it."""
    out = subprocess.run([os.path.join(required("TOKENRAIL_TEST_BIN_DIR"), "tokenrail"), "topics", "acls", "--json",
                          "--program", program, "--principal", f"User:{user}", f"--topic.prefix={PREFIX}"],
                         capture_output=True, text=True, check=True, timeout=60).stdout
    return [json.loads(line) for line in out.splitlines()]


RIGHTS = {"operator": "operator", "router": "router", "sync": "registry-sync", "chat": "chat"}


@pytest.fixture(scope="module")
def rights(kafka):
    given = {user: acls_of(program, user) for user, program in RIGHTS.items()}
    for acls in given.values():
        kafka.acls.add(acls)
    return given


@pytest.fixture(scope="module")
def stack(kafka, rights, tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("stack"), kafka.inner, required("TOKENRAIL_TEST_DATABASE_URL"),
                  required("TOKENRAIL_TEST_BIN_DIR"), settings=kafka.settings_of("operator"), name=NAME)
    stack.simulator()
    stack.sync(**kafka.settings_of("sync")).wait_ready()
    yield stack
    for process in stack.processes:
        assert "Sanitizer" not in process.text(), process.text()[-6000:]
    stack.close()


def test_every_program_runs_with_exactly_the_rights_of_the_table(kafka, stack):
    router = stack.router(**kafka.settings_of("router")).wait_ready()
    asked = stack.cli("chat", "Hello there", environment=kafka.settings_of("chat"))
    assert asked.stdout.strip()
    stack.produce(b"no json")
    stack.flush()
    letters = Log(stack, "chat.requests.dlq")
    wait_until("the dead letter", lambda: len(letters.poll()) == 1)
    letters.close()
    for command in (("topics", "check"), ("topics", "apply"), ("doctor",), ("registry", "list", "--projection"),
                    ("verify", "--at-rest")):
        stack.cli(*command)
    assert router.stop() == 0
    assert "uthorization" not in router.text()


def named(right, text):
    """Whether a text names that right: the operation and the topic or group, within one message."""
    operation = {"DescribeConfigs": "DESCRIBE_CONFIGS", "AlterConfigs": "ALTER_CONFIGS"}.get(
        right["operation"], right["operation"].upper())
    # Without any right on a topic it cannot even be seen, which takes DESCRIBE.
    return any(word in line and right["name"] in line for line in text.splitlines() for word in (operation, "DESCRIBE"))


@pytest.fixture
def without(kafka):
    """Takes rights away for the length of a test."""
    taken = []

    def take(right):
        kafka.acls.remove(right)
        taken.append(right)
        return right
    yield take
    kafka.acls.add(taken)


ROUTER_RIGHTS = [
    ("Read", "tokenrail-router"), ("Read", "chat.requests"), ("DescribeConfigs", "chat.requests"), ("Write", "chat.chunks"),
    ("Read", "chat.chunks"), ("DescribeConfigs", "chat.chunks"), ("Write", "llm.audit"), ("Read", "llm.audit"),
    ("DescribeConfigs", "llm.audit"), ("Write", "chat.requests.dlq"), ("DescribeConfigs", "chat.requests.dlq"),
    ("Read", "chat.cancellations"), ("DescribeConfigs", "chat.cancellations"), ("Read", "model_registry"),
    ("DescribeConfigs", "model_registry"), ("Read", "model_registry.credentials")]
SYNC_RIGHTS = [
    ("Write", "model_registry"), ("Read", "model_registry"), ("Write", "model_registry.events"),
    ("Write", "model_registry.credentials"), ("Read", "model_registry.credentials")]
CHAT_RIGHTS = [("Write", "chat.requests"), ("Read", "chat.chunks")]
OPERATOR_RIGHTS = [("AlterConfigs", "llm.audit"), ("Describe", "tokenrail-router")]


def right_of(rights, user, wanted):
    operation, base = wanted
    found = [r for r in rights[user] if r["operation"] == operation and r["name"].removeprefix(PREFIX) == base]
    assert len(found) == 1, f"the table has no right {wanted} for {user}"
    return found[0]


def test_the_lists_of_rights_here_are_those_of_the_table(rights):
    for user, tested in (("router", ROUTER_RIGHTS), ("sync", SYNC_RIGHTS)):
        assert sorted((r["operation"], r["name"].removeprefix(PREFIX)) for r in rights[user]) == sorted(tested)


@pytest.mark.parametrize("router_right", ROUTER_RIGHTS, ids="-".join)
def test_a_router_without_a_right_names_it(kafka, stack, rights, without, router_right):
    right = without(right_of(rights, "router", router_right))
    router = stack.router(**kafka.settings_of("router"), TOKENRAIL_KAFKA_SESSION_TIMEOUT_MS="6000")
    # Some are only needed once there is work.
    request_id = secrets.token_hex(4)
    stack.ask(request_id)
    stack.produce(b"no json either")
    stack.flush()
    try:
        wait_until(f"{right} is named", lambda: named(right, router.text() + router.readyz()[1]), 60)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{router.readyz()}\n{router.text()[-3000:]}") from None
    router.stop()
    stack.processes.remove(router)
    assert "Sanitizer" not in router.text()


def test_a_router_that_may_not_read_cancellations_answers_all_the_same(kafka, stack, rights, without):
    without(right_of(rights, "router", ("Read", "chat.cancellations")))
    router = stack.router(**kafka.settings_of("router"))
    assert stack.cli("chat", "Hello there", environment=kafka.settings_of("chat")).stdout.strip()
    text = router.text()
    # It waits for them before it joins, and then goes on without them.
    assert text.index("requests start without cancellations") < text.index("running under epoch"), text
    assert "chat.cancellations" in router.readyz()[1]
    router.stop()
    stack.processes.remove(router)


@pytest.mark.parametrize("sync_right", SYNC_RIGHTS, ids="-".join)
def test_a_registry_sync_without_a_right_names_it(kafka, stack, rights, without, sync_right):
    right = without(right_of(rights, "sync", sync_right))
    sync = stack.sync(**kafka.settings_of("sync"), TOKENRAIL_SYNC_INTERVAL="2s")
    leader = next(p for p in stack.processes if p.name.startswith("sync"))
    leader.stop()
    stack.processes.remove(leader)
    # There has to be something to write.
    models = [m["name"] for m in json.loads(http_get(stack.simulator_url + "/api/tags")[1])["models"]]
    http_post(stack.simulator_url + "/_sim/models", [*models, f"extra-{secrets.token_hex(3)}:1b"])
    ring = stack.folder / "keyring.json"
    if not ring.exists():
        stack.cli("keys", "create", str(ring))
    stack.cli("credentials", "put", f"key-{secrets.token_hex(3)}", "--provider", "openai", stdin="sk-test-0123456789",
              environment={"TOKENRAIL_KEYRING_FILE": str(ring)})
    try:
        wait_until(f"{right} is named", lambda: named(right, sync.text() + sync.readyz()[1]), 60)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{sync.readyz()}\n{sync.text()[-3000:]}") from None


@pytest.mark.parametrize("chat_right", CHAT_RIGHTS, ids="-".join)
def test_chat_without_a_right_names_it(kafka, stack, rights, without, chat_right):
    right = without(right_of(rights, "chat", chat_right))
    done_ = stack.cli("chat", "--timeout", "20s", "Hello", environment=kafka.settings_of("chat"), check=False)
    assert done_.returncode != 0
    assert named(right, done_.stderr), done_.stderr


@pytest.mark.parametrize("operator_right", OPERATOR_RIGHTS, ids="-".join)
def test_doctor_without_a_right_names_it(kafka, stack, rights, without, operator_right):
    right = without(right_of(rights, "operator", operator_right))
    done_ = stack.cli("doctor", check=False)
    assert named(right, done_.stdout + done_.stderr), done_.stdout
