"""One partition of a topic takes no records while all others do: its requests wait, the others are not affected."""

import os
import pathlib
import secrets
import subprocess
import sys

import confluent_kafka.admin
import pytest

from conftest import check_every_record, required
from stack import Log, Stack, wait_until
from test_main_job import by_request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "chaos"))
from brokers import Brokers  # noqa: E402

PARTITIONS = 4
# How long the partition takes nothing, and how long a router waits for a report before it gives the partition up.
# `./dev test promises` has longer ones.
DOWN_SECONDS = float(os.environ.get("TOKENRAIL_TEST_PARTITION_DOWN_SECONDS", "40"))
UNREPORTED = "20s"


@pytest.fixture
def cluster(tmp_path):
    required("TOKENRAIL_TEST_KAFKA_BOOTSTRAP")  # else there is nothing to start one with
    folder = tmp_path / "dev"

    def dev(*words):
        done = subprocess.run([ROOT / "dev", *words], stdout=subprocess.PIPE, text=True, check=True, timeout=300,
                              env={**os.environ, "TOKENRAIL_DEV_DIR": str(folder)})
        return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""

    brokers = Brokers(dev, folder)
    yield brokers
    brokers.close()


def make_topics(bootstrap, name):
    """Only partition 0 of the audit log depends on broker 1: its replicas are on brokers 1 and 2, and it needs both. All that
    the other partitions need is on brokers 2 and 3: their part of each log and the group's offsets."""
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
    elsewhere = [[2, 3], [3, 2], [2, 3], [3, 2]]
    ours = {"message.timestamp.type": "LogAppendTime"}

    def new(topic, replicas, **config):
        return confluent_kafka.admin.NewTopic(topic, len(replicas), replica_assignment=replicas, config=config)

    topics = [new(f"{name}.llm.audit", [[2, 1], *elsewhere[1:]], **ours, **{"min.insync.replicas": "2"}),
              new(f"{name}.chat.requests", elsewhere, **ours),
              new(f"{name}.chat.chunks", elsewhere, **ours),
              new("__consumer_offsets", elsewhere, **{"cleanup.policy": "compact"})]
    for made in admin.create_topics(topics).values():
        made.result(30)


def test_one_partition_below_its_minimum_of_replicas_harms_no_other(cluster, tmp_path):
    name = "t" + secrets.token_hex(4)
    make_topics(cluster.bootstrap, name)
    stack = Stack(tmp_path, cluster.bootstrap, required("TOKENRAIL_TEST_DATABASE_URL"), required("TOKENRAIL_TEST_BIN_DIR"),
                  partitions=PARTITIONS, name=name, settings={"TOKENRAIL_ROUTER_UNREPORTED_MAX": UNREPORTED})
    try:
        router, = stack.whole()
        router.wait_ready()
        chunks = Log(stack, "chat.chunks")
        answered = lambda ids: lambda values: all(any(c["done"] for c in by_request(values, i)) for i in ids)  # noqa: E731

        cluster.node(1).kill()
        ids = {p: [] for p in range(PARTITIONS)}
        for round_number in range(int(DOWN_SECONDS)):
            for partition in range(PARTITIONS):
                ids[partition].append(f"p{partition}-{round_number}")
                stack.produce({"requestId": ids[partition][-1], "orgId": "acme",
                               "messages": [{"role": "user", "content": "hello"}]},
                              key=f"k{partition}-{round_number}", partition=partition)
            stack.flush()
            others = [ids[p][-1] for p in range(1, PARTITIONS)]
            chunks.wait("the other partitions answer", answered(others))
            if round_number < DOWN_SECONDS - 1:
                chunks.poll(1)
        # Long enough for the silent partition to have been given up.
        wait_until("the silent partition is named", lambda: "llm.audit" in router.readyz()[1])

        cluster.node(1).start()
        cluster.wait_whole(confluent_kafka.admin.AdminClient({"bootstrap.servers": cluster.bootstrap, "log_level": 2}))
        chunks.wait("the partition's requests are answered", answered([i for some in ids.values() for i in some]))
        router.wait_ready()

        events = Log(stack, "llm.audit")
        total = PARTITIONS * int(DOWN_SECONDS)
        events.wait("all responses", lambda values: len({v["requestId"] for v in values if v.get("type") == "llm.response"
                                                         and v.get("outcome") == "completed"}) == total)
        interrupted = [v for v in events.values() if v.get("outcome") == "interrupted"]
        assert all(v["sourcePartition"] == 0 for v in interrupted), interrupted[:3]
        for partition in range(1, PARTITIONS):
            asked = [v for v in events.values()
                     if v.get("type") == "llm.request" and v["sourcePartition"] == partition]
            assert len(asked) == int(DOWN_SECONDS), f"partition {partition}: attempts that ran again"
        claims = [r for r in events.records if dict(r.headers() or []).get("ce_type") == b"router.claimed"]
        assert sum(1 for r in claims if r.partition() != 0) == PARTITIONS - 1, "another partition was claimed again"
        router.stop()
        check_every_record(stack)
        stack.verify()
    finally:
        stack.close()
