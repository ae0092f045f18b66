"""Every program over SASL_SSL, with exactly the rights that `tokenrail topics acls` prints, on a broker with the standard
authorizer; and without each of them once."""

import json
import os
import secrets
import subprocess

import pytest

from conftest import required
from secured_kafka import SecuredKafka
from stack import Log, Stack, Worker, wait_until
from test_main_job import by_request, done

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
