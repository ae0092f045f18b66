"""Kafka stops and starts again: nothing is lost and no worker has to be restarted."""

import os
import pathlib
import subprocess

import pytest

from stack import Log, Stack, answers, finished, text_of, wait_until
from conftest import check_every_record, required

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def own_kafka(tmp_path):
    """A broker of this test's own, which it may stop."""
    required("TOKENRAIL_TEST_KAFKA_BOOTSTRAP")
    environment = {**os.environ, "TOKENRAIL_DEV_DIR": str(tmp_path / "dev")}

    def dev(*arguments):
        done = subprocess.run([ROOT / "dev", "kafka", *arguments], env=environment, capture_output=True, text=True,
                              timeout=300, check=True)
        return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""

    yield dev
    dev("stop", "--wipe")


def test_kafka_stops_and_starts_again(own_kafka, tmp_path):
    bootstrap = own_kafka("start")
    (tmp_path / "stack").mkdir()
    stack = Stack(tmp_path / "stack", bootstrap, required("TOKENRAIL_TEST_DATABASE_URL"),
                  required("TOKENRAIL_TEST_BIN_DIR"), settings={"TOKENRAIL_KAFKA_SESSION_TIMEOUT_MS": "6000"})
    try:
        router, = stack.whole()
        router.wait_ready()
        for n in range(30):
            stack.ask(f"r{n}", f"r{n} [[sim tokens=40 pace=50]]", key=f"k{n % 10}")
        stack.flush()
        chunks = Log(stack, "chat.chunks")
        chunks.wait("some have begun", lambda v: len({c["requestId"] for c in v}) >= 10)
        own_kafka("stop")
        own_kafka("start")
        for n in range(30, 40):
            stack.ask(f"r{n}", f"r{n} [[sim tokens=5]]", key=f"k{n % 10}")
        stack.flush()
        chunks.wait("an answer to each", lambda v: len({c["requestId"] for c in v if c["done"]}) == 40, 180)
        told = {c["lastUserMessage"].split()[0]: c["text"] for c in stack.journal() if c["ending"] == "complete"}
        for (_, request_id), pieces in answers(chunks.values()).items():
            assert [c["seq"] for c in pieces] == list(range(len(pieces))), request_id
            assert finished(pieces) and text_of(pieces) == told[request_id], request_id
        chunks.close()
        assert router.alive() and stack.processes[1].alive()
        wait_until("the router is ready again", router.ready)
        check_every_record(stack)
        stack.verify()
    finally:
        stack.close()
