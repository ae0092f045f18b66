"""Every program over SASL_SSL, with exactly the rights that `tokenrail topics acls` prints, on a broker with the standard
authorizer; and without each of them once."""

import json
import os
import secrets
import signal
import subprocess

import confluent_kafka
import pytest

from conftest import required
from registry_world import World, api_environment
from secured_kafka import SecuredKafka
from stack import Log, Stack, http_get, http_post, wait_until
from test_playground import Events

NAME = "t" + secrets.token_hex(4)
PREFIX = NAME + "."
# The group that the printed rights are about.
DEFAULT_GROUP = {"TOKENRAIL_ROUTER_GROUP_ID": "tokenrail-router"}
# For routers that are stopped while a stream runs: they do not wait for its end.
NO_DRAIN = {"TOKENRAIL_ROUTER_DRAIN_TIMEOUT": "100ms"}


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    folder = required("TOKENRAIL_TEST_KAFKA_DISTRIBUTION")
    broker = SecuredKafka(tmp_path_factory.mktemp("secured"), folder)
    yield broker
    broker.close()


def acls_of(program, user, prefix=PREFIX):
    """What the command prints, as the test's own clients need it."""
    out = subprocess.run([os.path.join(required("TOKENRAIL_TEST_BIN_DIR"), "tokenrail"), "topics", "acls", "--json",
                          "--program", program, "--principal", f"User:{user}", f"--topic.prefix={prefix}"],
                         capture_output=True, text=True, check=True, timeout=60).stdout
    return [json.loads(line) for line in out.splitlines()]


# Which program each user of the broker is.
RIGHTS = {"operator": "operator", "router": "router", "sync": "registry-sync", "api": "registry-api", "chat": "chat",
          "sender": "sender", "reader": "reader", "auditor": "auditor"}


@pytest.fixture(scope="module")
def rights(kafka):
    given = {user: acls_of(program, user) for user, program in RIGHTS.items()}
    for acls in given.values():
        kafka.acls.add(acls)
    return given


@pytest.fixture(scope="module")
def stack(kafka, rights, tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("stack"), kafka.inner, required("TOKENRAIL_TEST_DATABASE_URL"),
                  required("TOKENRAIL_TEST_BIN_DIR"), settings={**kafka.settings_of("operator"), **DEFAULT_GROUP}, name=NAME)
    stack.simulator()
    stack.sync(**kafka.settings_of("sync")).wait_ready()
    yield stack
    for process in stack.processes:
        assert "Sanitizer" not in process.text(), process.text()[-6000:]
    stack.close()


class SecuredApi(World):
    def __init__(self, stack, folder, kafka):  # pylint: disable=super-init-not-called
        self.stack = stack
        self.environment = {**api_environment(folder), **kafka.settings_of("api")}
        self.process, self.url = self.start()
        wait_until("the API has read the registry", lambda: "the registry is there" in self.process.text())
        self.api(None, "platform_admin").ok("POST", "/v1/orgs", {"id": "acme", "displayName": "Acme"}, 201)


@pytest.fixture(scope="module")
def api(kafka, stack, tmp_path_factory):
    return SecuredApi(stack, tmp_path_factory.mktemp("api"), kafka)


def test_every_program_runs_with_exactly_the_rights_of_the_table(kafka, stack, api):
    router = stack.router(**kafka.settings_of("router")).wait_ready()
    asked = stack.cli("chat", "Hello there", environment=kafka.settings_of("chat"))
    assert asked.stdout.strip()
    stack.produce(b"no json")
    stack.flush()
    letters = Log(stack, "chat.requests.dlq")
    wait_until("the dead letter", lambda: len(letters.poll()) == 1)
    letters.close()
    for command in (("topics", "check"), ("topics", "apply"), ("registry", "list", "--projection"), ("verify", "--at-rest")):
        stack.cli(*command)
    # Each part gets only a few seconds from it.
    wait_until("doctor finds nothing wrong", lambda: stack.cli("doctor", check=False).returncode == 0)
    model = {"model": "ollama/sim-chat:1b", "messages": [{"role": "user", "content": "hello"}], "params": {}}
    assert [name for name, _ in Events(api.api("acme", "member"), "POST", "/v1/orgs/acme/chat", model)][-1] == "done"
    assert "uthorization" not in api.process.text()

    sender = confluent_kafka.Producer(client_of(kafka, "sender"))
    refused = []
    for name, value in (("chat.requests", {"requestId": "sent", "orgId": "acme",
                                           "messages": [{"role": "user", "content": "hello"}]}),
                        ("chat.cancellations", {"requestId": "another", "orgId": "acme"})):
        sender.produce(stack.topic(name), json.dumps(value), key="sender",
                       on_delivery=lambda error, _: refused.append(error))
    assert sender.flush(120) == 0 and refused == [None, None]
    assert '"sent"' in wait_until("the answer", lambda: tail(kafka, stack, "reader", "chat.chunks", '"sent"'))
    assert tail(kafka, stack, "auditor", "llm.audit", '"sent"')
    assert tail(kafka, stack, "auditor", "chat.requests.dlq", "no json")
    assert router.stop() == 0
    assert "uthorization" not in router.text()


def client_of(kafka, user):
    """Settings of a client that is not ours."""
    ours = kafka.settings_of(user)
    return {name.removeprefix("TOKENRAIL_KAFKA_").lower().replace("_", "."): value for name, value in ours.items()}


def tail(kafka, stack, user, topic, wanted):
    """What `topics tail` writes, where `wanted` is in it."""
    out = stack.cli("topics", "tail", topic, "--from-beginning", "--until-end", environment=kafka.settings_of(user)).stdout
    return out if wanted in out else ""


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
API_RIGHTS = [("Read", "model_registry"), ("Write", "chat.requests"), ("Write", "chat.cancellations"),
              ("Read", "chat.chunks")]
CHAT_RIGHTS = [("Write", "chat.requests"), ("Write", "chat.cancellations"), ("Read", "chat.chunks")]
SENDER_RIGHTS = [("Write", "chat.requests"), ("Write", "chat.cancellations")]
READER_RIGHTS = [("Read", "chat.chunks")]
AUDITOR_RIGHTS = [("Read", "llm.audit"), ("Read", "chat.requests.dlq")]
# In the order in which `topics apply` makes them.
TOPICS = ("chat.chunks", "llm.audit", "chat.requests.dlq", "chat.cancellations", "model_registry", "model_registry.events",
          "model_registry.credentials", "chat.requests")
OPERATOR_RIGHTS = [("Describe", "tokenrail-router"),
                   *((operation, topic) for topic in TOPICS for operation in ("Create", "Alter", "AlterConfigs", "Read"))]


def right_of(rights, user, wanted):
    operation, base = wanted
    found = [r for r in rights[user] if r["operation"] == operation and r["name"].removeprefix(PREFIX) == base]
    assert len(found) == 1, f"the table has no right {wanted} for {user}"
    return found[0]


def test_the_lists_of_rights_here_are_those_of_the_table(rights):
    tested_of = {"router": ROUTER_RIGHTS, "sync": SYNC_RIGHTS, "api": API_RIGHTS, "chat": CHAT_RIGHTS,
                 "sender": SENDER_RIGHTS, "reader": READER_RIGHTS, "auditor": AUDITOR_RIGHTS,
                 "operator": OPERATOR_RIGHTS}
    assert set(tested_of) == set(rights)
    for user, tested in tested_of.items():
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
        wait_until(f"{right} is named", lambda: named(right, router.text() + router.readyz()[1]))
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
        wait_until(f"{right} is named", lambda: named(right, sync.text() + sync.readyz()[1]))
    except AssertionError as error:
        raise AssertionError(f"{error}\n{sync.readyz()}\n{sync.text()[-3000:]}") from None


@pytest.mark.parametrize("api_right", API_RIGHTS, ids="-".join)
def test_a_registry_api_without_a_right_names_it(kafka, stack, rights, without, api, api_right):
    if api_right == ("Read", "model_registry"):
        right = without(right_of(rights, "api", api_right))
        process, _ = api.start()
        wait_until(f"{right} is named", lambda: named(right, process.text() + process.readyz()[1]))
        process.stop()
        stack.processes.remove(process)
        return
    router = stack.router(**kafka.settings_of("router"), **NO_DRAIN).wait_ready()
    member = api.api("acme", "member")
    model = {"model": "ollama/sim-chat:1b", "messages": [{"role": "user", "content": "[[sim fault=endless pace=20]]"}],
             "params": {}}
    before = len(api.process.text())
    right = without(right_of(rights, "api", api_right))
    events = Events(member, "POST", "/v1/orgs/acme/chat", model)
    said = [next(iter(events), None)]
    if api_right == ("Write", "chat.cancellations"):
        assert said[0][0] == "chunk"
    events.close()
    wait_until(f"{right} is named", lambda: named(right, json.dumps(said) + "\n" + api.process.text()[before:]))
    router.stop()  # it leaves the group, so that the next one need not wait for its session
    stack.processes.remove(router)


@pytest.mark.parametrize("chat_right", CHAT_RIGHTS, ids="-".join)
def test_chat_without_a_right_names_it(kafka, stack, rights, without, chat_right):
    right = without(right_of(rights, "chat", chat_right))
    if chat_right != ("Write", "chat.cancellations"):
        done_ = stack.cli("chat", "--timeout", "60s", "Hello", environment=kafka.settings_of("chat"), check=False)
        assert done_.returncode != 0
        assert named(right, done_.stderr), done_.stderr
        return
    router = stack.router(**kafka.settings_of("router"), **NO_DRAIN).wait_ready()
    chat = subprocess.Popen([stack.bin / "tokenrail", "chat", "--stream", "[[sim tokens=2000 pace=50]]"],
                            env={**os.environ, **stack.environment, **kafka.settings_of("chat")}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert chat.stdout.read(1)
    chat.send_signal(signal.SIGINT)
    _, said = chat.communicate(timeout=300)
    assert named(right, said), said
    router.stop()  # it leaves the group, so that the next one need not wait for its session
    stack.processes.remove(router)


@pytest.mark.parametrize("sender_right", SENDER_RIGHTS, ids="-".join)
def test_a_sender_needs_its_rights(kafka, stack, rights, without, sender_right):
    without(right_of(rights, "sender", sender_right))
    refused = []
    sender = confluent_kafka.Producer(client_of(kafka, "sender"))
    sender.produce(stack.topic(sender_right[1]), "{}", key="sender", on_delivery=lambda error, _: refused.append(error))
    sender.flush(120)
    assert [error.code() for error in refused] == [confluent_kafka.KafkaError.TOPIC_AUTHORIZATION_FAILED]


@pytest.mark.parametrize("user,user_right", [("reader", r) for r in READER_RIGHTS] + [("auditor", r) for r in AUDITOR_RIGHTS],
                         ids=lambda value: value if isinstance(value, str) else "-".join(value))
def test_a_reader_without_a_right_names_it(kafka, stack, rights, without, user, user_right):
    right = without(right_of(rights, user, user_right))
    command = (["tail", "--conversation", "talk", "--timeout", "60s"] if user == "reader" else
               ["topics", "tail", user_right[1], "--from-beginning", "--until-end"])
    done_ = stack.cli(*command, environment=kafka.settings_of(user), check=False)
    assert done_.returncode != 0
    assert named(right, done_.stderr), done_.stderr


def test_an_operator_without_a_right_names_it(stack, rights, without, kafka):
    def names(right, *command):
        done_ = stack.cli(*command, check=False)
        return named(right, done_.stdout + done_.stderr)

    def missing(operation, topic):
        right = right_of(rights, "operator", (operation, topic))
        kafka.acls.remove(right)
        return right
    right = without(right_of(rights, "operator", ("Describe", "tokenrail-router")))
    # Each part gets only a few seconds from it.
    wait_until(f"doctor names {right}", lambda: names(right, "doctor"))
    for topic in TOPICS:
        right = missing("AlterConfigs", topic)
        assert names(right, "topics", "check"), right
        kafka.acls.add([right])
        right = missing("Read", topic)
        assert names(right, "topics", "tail", topic, "--from-beginning", "--until-end"), right
        kafka.acls.add([right])


def test_an_operator_without_the_right_to_make_or_grow_names_it(kafka, stack):
    """One right after the other is given: each command gets as far as the first topic whose right is missing."""
    prefix = PREFIX + "new."
    given = acls_of("operator", "founder", prefix)
    late = [r for r in given if r["operation"] in ("Create", "Alter")]
    kafka.acls.add([r for r in given if r not in late])
    environment = {**kafka.settings_of("founder"), "TOKENRAIL_TOPIC_PREFIX": prefix}

    def apply(*flags):
        return stack.cli("topics", "apply", *flags, environment=environment, check=False)

    def one_by_one(operation, topics, *flags):
        for topic in topics:
            right, = (r for r in late if r["operation"] == operation and r["name"] == prefix + topic)
            done_ = apply(*flags)
            assert done_.returncode != 0 and f"could not {'create' if operation == 'Create' else 'grow'}" in done_.stderr
            assert right["name"] in done_.stderr and "uthorization" in done_.stderr, done_.stderr
            kafka.acls.add([right])
        assert apply(*flags).returncode == 0
    one_by_one("Create", TOPICS, "--partitions", "1")
    one_by_one("Alter", ("chat.chunks", "llm.audit", "chat.requests.dlq", "chat.requests"), "--partitions", "2")
