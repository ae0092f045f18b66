"""Topics that are deleted and created again, or grow, under running workers and requests that go on coming: no worker is
restarted, and every request that is produced afterwards is answered once.

`./dev test promises` sets TOKENRAIL_TEST_ANSWERED_SECONDS to the minute that is promised, of a machine with nothing else to do."""

import functools
import json
import os
import signal
import threading

import confluent_kafka
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from stack import DEADLINE_SECONDS, Log, http_post, wait_until
from test_stored_credentials import FIRST, SECOND, Provider, World, running_provider  # noqa: F401  (a fixture)

ANSWERED_SECONDS = float(os.environ.get("TOKENRAIL_TEST_ANSWERED_SECONDS", "inf"))


def configuration(admin, topic):
    """What is set on the topic itself."""
    resource = confluent_kafka.admin.ConfigResource(confluent_kafka.admin.ConfigResource.Type.TOPIC, topic)
    entries = admin.describe_configs([resource])[resource].result(120)
    return {name: entry.value for name, entry in entries.items()
            if entry.source == confluent_kafka.admin.ConfigSource.DYNAMIC_TOPIC_CONFIG.value}


def create_again(stack, name):
    """As `kafka-topics --delete` and `--create` do, one behind the other."""
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    topic = stack.topic(name)
    partitions = len(admin.list_topics(topic, timeout=60).topics[topic].partitions)
    config = configuration(admin, topic)
    admin.delete_topics([topic], operation_timeout=60)[topic].result(120)

    def made():
        try:
            admin.create_topics([NewTopic(topic, partitions, 1, config=config)])[topic].result(120)
            return True
        except confluent_kafka.KafkaException as error:
            assert error.args[0].code() == confluent_kafka.KafkaError.TOPIC_ALREADY_EXISTS, error
            return False
    wait_until("created again", made)
    wait_until("it has leaders", lambda: all(
        p.leader >= 0 for p in admin.list_topics(topic, timeout=60).topics[topic].partitions.values()))


def cancellations_read(router):
    name = "tokenrail_router_cancellations_total "
    return next(int(float(line.removeprefix(name))) for line in router.metrics().splitlines() if line.startswith(name))


class Terminals:
    """Terminal chunks by request, of every log that chat.chunks has ever been."""

    def __init__(self, stack):
        self.stack = stack
        self.log = Log(stack, "chat.chunks")
        self.older = []
        self.ended_ms = {}  # request: the timestamp of its newest terminal chunk

    def begin_again(self):
        self.log.poll()
        self.older += self.read()
        self.log.close()
        self.log = Log(self.stack, "chat.chunks")

    def read(self):
        return list(zip(self.log.values(), self.log.records))

    def all(self):
        self.log.poll()
        found = {}
        for chunk, record in self.older + self.read():
            if chunk["done"]:
                found.setdefault(chunk["requestId"], []).append(chunk)
                self.ended_ms[chunk["requestId"]] = record.timestamp()[1]
        return found


class Load(threading.Thread):
    """A request every 50 ms, whatever happens to the topics meanwhile, and the record that each of them became."""

    def __init__(self, stack, prefix):
        super().__init__(daemon=True)
        self.stack, self.prefix = stack, prefix
        self.lock, self.over = threading.Lock(), threading.Event()
        self.producers = []
        self.asked, self.written = [], {}
        self.begin_again()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        *older, newest = self.producers
        for producer in older:
            producer.purge()
            producer.poll(0)
        assert newest.flush(DEADLINE_SECONDS) == 0

    def begin_again(self):
        """From here on by a producer that knows the topics as they are now. Returns how many were asked before."""
        producer = confluent_kafka.Producer({"bootstrap.servers": self.stack.kafka, "linger.ms": 1, "log_level": 2})
        with self.lock:
            self.producers.append(producer)
            return len(self.asked)

    def ask(self, name, text="hello"):
        value = json.dumps({"requestId": name, "orgId": "acme", "messages": [{"role": "user", "content": text}]})
        with self.lock:
            self.producers[-1].produce(self.stack.topic("chat.requests"), value, key=name,
                                       on_delivery=functools.partial(self.note, name))
            self.asked.append(name)
            for producer in self.producers:
                producer.poll(0)

    def note(self, name, error, record):
        if error is None:
            self.written[name] = record

    def run(self):
        while not self.over.wait(0.05):
            self.ask(f"{self.prefix}-load-{len(self.asked)}")


def ask_many(stack, prefix, count):
    names = [f"{prefix}-{i}" for i in range(count)]
    for name in names:
        stack.ask(name, key=name)
    stack.flush()
    return names


def answered(terminals, names, seconds=DEADLINE_SECONDS):
    """Each answered, well and once."""
    def look():
        found = terminals.all()
        return all(name in found for name in names)
    try:
        wait_until("all are answered", look, seconds)
    except AssertionError:
        found = terminals.all()
        raise AssertionError(f"not answered: {[name for name in names if name not in found]}") from None
    found = terminals.all()
    for name in names:
        assert [c["finishReason"] for c in found[name]] == ["stop"], (name, found[name])


def whole_stack(make_stack, **options):
    stack = make_stack(**options)
    stack.verified_at_end = False  # what was in the logs that are gone cannot be judged
    routers = stack.whole(routers=2)
    for router in routers:
        router.wait_ready()
    return stack, routers


def said_once(stack, name, did="read"):
    """Each worker that noticed says so in one line; it may have answered everything before it looked."""
    def lines():
        return [sum(f"{stack.topic(name)} is another topic than was {did} before" in line
                    for line in process.text().splitlines()) for process in stack.processes]
    wait_until("a worker says so", lambda: max(lines()) > 0)
    assert max(lines()) == 1, lines()


def answered_in_time(load, terminals, names):
    """By the timestamps of their records."""
    answered(terminals, names)
    took = {name: terminals.ended_ms[name] - load.written[name].timestamp()[1] for name in names}
    slowest = max(took, key=took.get)
    print(f"{len(names)} requests of {load.prefix}: answered within {took[slowest]} ms")
    assert took[slowest] <= ANSWERED_SECONDS * 1000, (slowest, took[slowest])


def create_again_and_ask(stack, terminals, name, running=0):
    """Returns the records of requests that were there before, among them `running` ones whose answers take longer than the
    topic is away."""
    with Load(stack, name) as load:
        wait_until("the load is answered", lambda: len(terminals.all().keys() & load.written.keys()) >= 20)
        long = [f"{name}-runs-{i}" for i in range(running)]
        for request in long:
            load.ask(request, "[[sim tokens=60 pace=300]]")
        if running:
            terminals.log.wait("the long ones run", lambda v: len({c["requestId"] for c in v} & set(long)) == running)
        before = dict(load.written)
        create_again(stack, name)
        if name == "chat.chunks":
            terminals.begin_again()
        first = load.begin_again()
        wait_until("requests to the new topic", lambda: len(load.asked) >= first + 60)
    # The producer of the test has to look for the topic again, too.
    stack.producer = confluent_kafka.Producer({"bootstrap.servers": stack.kafka, "linger.ms": 1, "log_level": 2})
    answered_in_time(load, terminals, load.asked[first:])
    if name not in ("chat.requests", "llm.audit", "chat.chunks"):
        answered(terminals, load.asked)  # nothing that a request needs was gone
    return before


def each_is_answered_or_reported(stack, terminals, before):
    """Requests that were on the topic that is gone: a terminal chunk, or their offset in a requests.lost."""
    audit = Log(stack, "llm.audit")

    def missing():
        audit.poll()
        lost = [v for v in audit.values() if v["type"] == "requests.lost"]
        ends = terminals.all()
        return [name for name, record in before.items() if name not in ends and not any(
            v["partition"] == record.partition() and v["from"] <= record.offset() < v["to"] for v in lost)]
    wait_until("the rest is reported", lambda: not missing())
    reported = len(before.keys() - terminals.all().keys())
    print(f"{reported} of {len(before)} requests of the topic that is gone had no answer, and are reported as lost")
    audit.close()


def grow(stack, name, partitions):
    topic = stack.topic(name)
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    admin.create_partitions([NewPartitions(topic, partitions)])[topic].result(120)


def has_looked(stack, processes, name, partitions):
    """Makes the topic grow, and waits until these have noticed: then they know how far the other topics reach, too."""
    grow(stack, name, partitions)
    wait_until("the growth is noticed", lambda: all(
        f"{stack.topic(name)} has {partitions} partitions now" in process.text() for process in processes))


def test_requests_created_again_with_more_records_than_before(make_stack):
    """The consumer is at offset 4 of one partition, and ten new records are there before it looks."""
    stack = make_stack(partitions=1)
    stack.verified_at_end = False
    router, = stack.whole()
    router.wait_ready()
    terminals = Terminals(stack)
    answered(terminals, ask_many(stack, "a", 4))
    create_again(stack, "chat.requests")
    stack.producer = confluent_kafka.Producer({"bootstrap.servers": stack.kafka, "linger.ms": 1, "log_level": 2})
    answered(terminals, ask_many(stack, "b", 10))
    answered(terminals, ask_many(stack, "c", 3))
    said_once(stack, "chat.requests")


def test_requests_created_again(make_stack):
    stack, routers = whole_stack(make_stack)
    terminals = Terminals(stack)
    before = create_again_and_ask(stack, terminals, "chat.requests", running=8)
    said_once(stack, "chat.requests")
    assert sum("-runs-" in name for name in before) == 8
    each_is_answered_or_reported(stack, terminals, before)
    # Nor does a router that starts now believe what was committed before.
    for router in routers:
        router.stop()
    stack.router().wait_ready()
    answered(Terminals(stack), ask_many(stack, "later", 20))


def test_audit_created_again(make_stack):
    stack, _ = whole_stack(make_stack)
    create_again_and_ask(stack, Terminals(stack), "llm.audit")
    said_once(stack, "llm.audit")


def test_chunks_created_again(make_stack):
    stack, _ = whole_stack(make_stack)
    create_again_and_ask(stack, Terminals(stack), "chat.chunks")
    said_once(stack, "chat.chunks")


def test_dead_letters_created_again(make_stack):
    stack, routers = whole_stack(make_stack)
    terminals = Terminals(stack)
    stack.produce("no JSON", key="x")
    stack.flush()
    log = Log(stack, "chat.requests.dlq")
    wait_until("the first dead letter", lambda: len(log.poll()) == 1)
    log.close()
    has_looked(stack, routers, "chat.cancellations", 2)
    create_again_and_ask(stack, terminals, "chat.requests.dlq")
    said_once(stack, "chat.requests.dlq")
    stack.produce("no JSON either", key="x")
    stack.flush()
    log = Log(stack, "chat.requests.dlq")
    wait_until("the second dead letter", lambda: len(log.poll()) == 1)
    answered(terminals, ask_many(stack, "later", 20))


def test_cancellations_and_registry_created_again(make_stack):
    stack, _ = whole_stack(make_stack)
    terminals = Terminals(stack)
    for i in range(5):
        stack.produce({"requestId": f"nobody-{i}", "orgId": "acme"}, topic="chat.cancellations")
    stack.flush()
    routers = [p for p in stack.processes if p.name.startswith("router")]
    wait_until("the routers have read them", lambda: all(cancellations_read(r) >= 5 for r in routers))
    create_again_and_ask(stack, terminals, "chat.cancellations")
    # One below the offset that the routers had reached.
    stack.produce({"requestId": "unwanted", "orgId": "acme"}, topic="chat.cancellations")
    stack.flush()
    wait_until("the routers know of it", lambda: all(
        any(f"{stack.topic('chat.cancellations')} is another" in line for line in r.text().splitlines())
        for r in routers))
    wait_until("the routers have read it", lambda: all(cancellations_read(r) >= 6 for r in routers))
    stack.ask("unwanted", key="unwanted")
    stack.flush()
    wait_until("it ends", lambda: "unwanted" in terminals.all())
    assert terminals.all()["unwanted"][0]["finishReason"] == "cancelled"

    create_again_and_ask(stack, terminals, "model_registry")
    said_once(stack, "model_registry")
    said_once(stack, "model_registry", did="written")


def test_history_created_again(make_stack):
    stack = make_stack()
    stack.verified_at_end = False
    stack.simulator()
    sync = stack.sync().wait_ready()
    log = Log(stack, "model_registry.events")
    wait_until("the first sync is on record", log.poll)
    log.close()
    has_looked(stack, [sync], "model_registry.events", 2)
    create_again(stack, "model_registry.events")
    said_once(stack, "model_registry.events", did="written")
    http_post(stack.simulator_url + "/_sim/models", ["another:1b"])
    stack.cli("registry", "sync")
    log = Log(stack, "model_registry.events")
    wait_until("the next sync is on record", log.poll)
    sync.wait_ready()
    said_once(stack, "model_registry.events", did="written")


def test_credentials_grow_and_are_created_again(make_stack, provider):
    Provider.accepted, Provider.seen = {FIRST, SECOND}, []
    stack = make_stack()
    stack.verified_at_end = False
    world = World(stack, provider)
    routers = stack.whole(routers=2, TOKENRAIL_KEYRING_FILE=world.ring)
    for router in routers:
        router.wait_ready()
    assert world.end("before")["finishReason"] == "stop"
    has_looked(stack, routers, "model_registry.credentials", 3)
    assert world.end("grown")["finishReason"] == "stop"
    create_again(stack, "model_registry.credentials")
    said_once(stack, "model_registry.credentials")
    said_once(stack, "model_registry.credentials", did="written")
    assert world.end("during")["finishReason"] == "stop", "what was known stays until newer ones say otherwise"
    world.put(SECOND)
    Provider.accepted = {SECOND}
    wait_until("routers use the new key",
               lambda: world.end(f"after-{len(Provider.seen)}")["finishReason"] == "stop")
    router = stack.router(TOKENRAIL_KEYRING_FILE=world.ring).wait_ready()
    for other in routers:
        other.stop()
    assert world.end("fresh")["finishReason"] == "stop", router.text()
    assert Provider.seen[-1] == SECOND


def test_what_was_revoked_while_a_router_stood_still_is_forgotten(make_stack, provider):
    """The tombstones are on topics that are gone when it reads again."""
    Provider.accepted, Provider.seen = {FIRST}, []
    stack = make_stack()
    stack.verified_at_end = False
    world = World(stack, provider)
    router, = stack.whole(TOKENRAIL_KEYRING_FILE=world.ring)
    router.wait_ready()
    assert world.end("before")["finishReason"] == "stop"
    router.signal(signal.SIGSTOP)
    try:
        stack.cli("credentials", "revoke", "main", "--org", "acme", "--force")
        world.published()
        create_again(stack, "model_registry.credentials")
        said_once(stack, "model_registry.credentials", did="written")
        log = Log(stack, "model_registry.credentials")
        wait_until("registry-sync has filled it", lambda: [r.key() for r in log.poll()] == [b"_registry"])
        log.close()
    finally:
        router.signal(signal.SIGCONT)
    wait_until("the router forgets", lambda: f"are not on the new {stack.topic('model_registry.credentials')}"
               in router.text())
    calls = len(Provider.seen)
    assert world.end("after")["error"]["code"] == "CREDENTIAL_MISSING"
    assert len(Provider.seen) == calls


def test_every_topic_grows_under_load(make_stack):
    stack, routers = whole_stack(make_stack, partitions=2)
    terminals = Terminals(stack)
    answered(terminals, ask_many(stack, "before", 20))
    admin = AdminClient({"bootstrap.servers": stack.kafka})

    # Only chat.requests first: what it lacks is said.
    topic = stack.topic("chat.requests")
    admin.create_partitions([NewPartitions(topic, 6)])[topic].result(120)
    wait_until("what is missing is shown", lambda: any("tokenrail topics apply" in r.readyz()[1] for r in routers))
    assert any("requests in those without a pair wait" in r.text() for r in routers)
    stack.producer = confluent_kafka.Producer({"bootstrap.servers": stack.kafka, "linger.ms": 1, "log_level": 2})
    names = [f"waits-{p}" for p in range(6)]
    for p, name in enumerate(names):
        stack.produce({"requestId": name, "orgId": "acme", "messages": [{"role": "user", "content": "hello"}]}, key=name,
                      partition=p)
    stack.flush()

    stack.cli("topics", "apply")
    terminals = Terminals(stack)  # of all partitions
    for name in ("chat.cancellations", "model_registry"):
        other = stack.topic(name)
        admin.create_partitions([NewPartitions(other, 3)])[other].result(120)
    answered(terminals, names)
    answered(terminals, ask_many(stack, "after", 40))
    for router in routers:
        router.wait_ready()
    wait_until("the new partitions are read", lambda: all(
        "chat.cancellations has 3 partitions now" in r.text() and "model_registry has 3 partitions now" in r.text()
        for r in routers))
